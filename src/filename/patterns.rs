//! Which names are allowed.

use std::fmt;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use unicode_normalization::UnicodeNormalization;

use super::Name;

/// A list of patterns, any of which allows a name. An empty list allows none.
///
/// `*` stands for any characters of one part, `?` for one of them, `[a-z]` for one of those, `{png,jpg}` for one of
/// these, `**` as a part for any number of parts. Case counts; characters that can be written in several ways are
/// composed, as they are in names.
///
/// ```
/// use rulebook::store::{Name, Patterns};
///
/// let patterns = Patterns::new(["public/*.png", "articles/**"]).unwrap();
/// let allows = |name| patterns.allows(&Name::parse(name).unwrap());
/// assert!(allows("public/a.png") && allows("articles/2025/a.txt"));
/// assert!(!allows("public/old/a.png") && !allows("public/a.PNG"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Patterns(GlobSet);

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The text; of the whole list, where it is all of them together that is too much.
    pub pattern: Option<String>,
    /// What is wrong with it.
    pub why: String,
}

impl Patterns {
    /// Reads patterns.
    ///
    /// # Errors
    /// One of them is none, or allows no name at all, or they are too many.
    pub fn new<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>) -> Result<Self, PatternError> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(glob(pattern.as_ref())?);
        }
        set.build().map(Self).map_err(|error| told(&error))
    }

    /// Whether one of them allows the name.
    #[must_use]
    pub fn allows(&self, name: &Name) -> bool {
        self.0.is_match(name.as_str())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a pattern is as a regular expression of the bytes of names.
pub(crate) fn regex(pattern: &str) -> Result<String, PatternError> {
    glob(pattern).map(|glob| glob.regex().to_owned())
}

fn glob(pattern: &str) -> Result<Glob, PatternError> {
    if let Some(part) = pattern.split('/').find(|part| part.is_empty() || part.starts_with('.')) {
        let why = if part.is_empty() { "no name has an empty part" } else { "no part of a name begins with a dot" };
        return Err(PatternError { pattern: Some(pattern.to_owned()), why: why.to_owned() });
    }
    let composed = pattern.nfc().collect::<String>();
    let glob = GlobBuilder::new(&composed).literal_separator(true).backslash_escape(false).build();
    glob.map_err(|error| told(&error))
}

fn told(error: &globset::Error) -> PatternError {
    PatternError { pattern: error.glob().map(str::to_owned), why: error.kind().to_string() }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pattern {
            Some(pattern) => write!(f, "`{pattern}` is no pattern of names: {}", self.why),
            None => write!(f, "the patterns of names: {}", self.why),
        }
    }
}

impl std::error::Error for PatternError {}
