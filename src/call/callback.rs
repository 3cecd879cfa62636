//! The name of the JavaScript function that an answer in JSONP is handed to.

use std::borrow::Cow;
use std::fmt;

/// The name of a function: identifiers of ASCII letters, digits, `_` and `$`, joined by dots.
///
/// It is the one thing of a request that stands in an answer as code, so nothing else is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback<'h>(Cow<'h, str>);

impl<'h> Callback<'h> {
    /// The query parameter that names it.
    pub const PARAMETER: &'static str = "callback";
    /// The most bytes that a name has.
    pub const MOST_LENGTH: usize = 64;
    /// The names that are taken, and no name at all, as a regular expression.
    pub const PATTERN: &'static str = r"^([A-Za-z_$][0-9A-Za-z_$]*(\.[A-Za-z_$][0-9A-Za-z_$]*)*)?$";

    /// The function of this name; none where it is no such name.
    #[must_use]
    pub fn new(name: Cow<'h, str>) -> Option<Self> {
        let taken = name.len() <= Self::MOST_LENGTH && name.split('.').all(is_identifier);
        taken.then_some(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Callback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_identifier(part: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    part.bytes().all(inside) && part.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}
