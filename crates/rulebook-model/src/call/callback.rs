//! The name of the JavaScript function in a JSONP response.

use std::borrow::Cow;
use std::fmt;

/// The words that cannot be the name of a variable in a script, in ECMAScript 2025 section 12.7.2.
const RESERVED_WORDS: &str = "await break case catch class const continue debugger default delete do else enum export \
                              extends false finally for function if import in instanceof new null return super switch \
                              this throw true try typeof var void while with yield";

/// The name of the JavaScript function that a JSONP response calls: identifiers of ASCII letters, digits, `_` and `$`,
/// joined by dots. The first one is no reserved word.
///
/// The name is the only part of a request that becomes code in a response, so any text that is not a valid function
/// name is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback<'h>(Cow<'h, str>);

impl<'h> Callback<'h> {
    /// The name of the query parameter that contains the function name.
    pub const PARAMETER: &'static str = "callback";
    /// The maximum length of a function name in bytes.
    pub const MAX_LEN: usize = 64;
    /// A regular expression that matches valid function names. It also matches the empty text, because a request with
    /// an empty `callback` gets a response without JSONP.
    pub const PATTERN: &'static str = r"^([A-Za-z_$][0-9A-Za-z_$]*(\.[A-Za-z_$][0-9A-Za-z_$]*)*)?$";

    /// Returns `None` if `name` is not a valid function name.
    #[must_use]
    pub fn new(name: Cow<'h, str>) -> Option<Self> {
        let first = name.split('.').next().unwrap_or_default();
        let is_reserved = RESERVED_WORDS.split(' ').any(|word| word == first);
        let is_valid = name.len() <= Self::MAX_LEN && !is_reserved && name.split('.').all(is_identifier);
        is_valid.then_some(Self(name))
    }

    /// Returns the function name.
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
    let continues = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    part.bytes().all(continues) && part.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}
