//! Which names are allowed.

use std::fmt;

use globset::GlobBuilder;
use regex::RegexSet;
use unicode_normalization::UnicodeNormalization;

use super::Name;

/// A list of patterns, any of which allows a name. An empty list allows none.
///
/// `*` stands for any characters of one part, `?` for one of them, `[a-z]` for one of those, `[!a-z]` for any other,
/// `{png,jpg}` for one of these, `**` as a part for any number of parts. Case counts; characters that can be written in
/// several ways are composed, as they are in names.
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
pub struct Patterns(RegexSet);

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
        let regexes = patterns.into_iter().map(|pattern| regex(pattern.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let set = RegexSet::new(regexes);
        set.map(Self).map_err(|error| PatternError { pattern: None, why: error.to_string() })
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

/// What a pattern is as a regular expression of the characters of names.
pub(crate) fn regex(pattern: &str) -> Result<String, PatternError> {
    if let Some(part) = pattern.split('/').find(|part| part.is_empty() || part.starts_with('.')) {
        let why = if part.is_empty() { "no name has an empty part" } else { "no part of a name begins with a dot" };
        return Err(PatternError { pattern: Some(pattern.to_owned()), why: why.to_owned() });
    }
    let composed = pattern.nfc().collect::<String>();
    let glob = GlobBuilder::new(&composed).literal_separator(true).backslash_escape(false).build();
    let told = |error: globset::Error| PatternError {
        pattern: error.glob().map(str::to_owned),
        why: error.kind().to_string(),
    };
    glob.map(|glob| of_characters(glob.regex())).map_err(told)
}

/// The regular expressions of `globset` are of bytes, in which `[é]` is either byte of `é`; and its `[!a]` may be `/`.
fn of_characters(regex: &str) -> String {
    let mut rest = regex.strip_prefix(OF_BYTES).unwrap_or(regex);
    let mut written = String::with_capacity(regex.len());
    while let Some(char) = rest.chars().next() {
        let bytes = escaped_bytes(rest);
        let length = match char {
            // Whole characters: they are written one by one.
            '\\' if !bytes.is_empty() => {
                written.push_str(&String::from_utf8_lossy(&bytes));
                bytes.len() * ESCAPED
            }
            '\\' => {
                let length = rest.chars().take(2).map(char::len_utf8).sum();
                written.push_str(&rest[..length]);
                length
            }
            '[' => {
                written.push_str("[[");
                1
            }
            ']' => {
                written.push_str("]&&[^/]]");
                1
            }
            other => {
                written.push(other);
                other.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    written
}

/// How expressions of bytes begin.
const OF_BYTES: &str = "(?-u)";
/// How long an escaped byte is, such as `\xc3`.
const ESCAPED: usize = 4;

/// The bytes that are written escaped at the beginning of an expression.
fn escaped_bytes(regex: &str) -> Vec<u8> {
    let pieces = regex.as_bytes().chunks_exact(ESCAPED);
    let byte = |piece: &[u8]| {
        let digits = std::str::from_utf8(piece.strip_prefix(b"\\x")?).ok()?;
        u8::from_str_radix(digits, 16).ok()
    };
    pieces.map_while(byte).collect()
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
