//! Patterns of allowed file names.

use std::fmt;
use std::sync::LazyLock;

use globset::GlobBuilder;
use regex::{Captures, Regex, RegexSet};

use super::FileName;
use super::name::normalize_to_nfc;

/// A list of file name patterns. A file name is allowed if it matches at least one of the patterns. An empty list
/// allows no file name.
///
/// - `*` matches any number of characters except `/`, and `?` matches one character except `/`.
/// - `[a-z]` matches one character from `a` to `z`, and `[!a-z]` matches one other character except `/`.
/// - `{png,jpg}` matches one of the alternatives `png` and `jpg`.
/// - `**` between two `/`, or at the beginning or end of the pattern, matches any number of parts.
///
/// Patterns are case-sensitive. Like file names, patterns are normalized to Unicode NFC.
///
/// ```
/// use rulebook_model::filename::{FileName, FilePatterns};
///
/// let patterns = FilePatterns::new(["public/*.png", "articles/**"]).unwrap();
/// let allows = |name| patterns.allows(&FileName::parse(name).unwrap());
/// assert!(allows("public/a.png") && allows("articles/2025/a.txt"));
/// assert!(!allows("public/old/a.png") && !allows("public/a.PNG"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct FilePatterns(RegexSet);

/// An error in a list of file name patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatternError {
    /// The invalid pattern, or `None` if all patterns together are too large.
    pub pattern: Option<String>,
    /// A description of the error.
    pub reason: String,
}

impl FilePatterns {
    /// Compiles a list of patterns.
    ///
    /// # Errors
    /// Fails if a pattern is invalid or cannot match any file name, or if all patterns together are too large.
    pub fn new<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>) -> Result<Self, PatternError> {
        let regexes =
            patterns.into_iter().map(|pattern| pattern_to_regex(pattern.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let set = RegexSet::new(regexes);
        set.map(Self).map_err(|error| PatternError { pattern: None, reason: error.to_string() })
    }

    /// Returns `true` if a pattern of the list matches the file name.
    #[must_use]
    pub fn allows(&self, name: &FileName) -> bool {
        self.0.is_match(name.as_str())
    }

    /// Returns `true` if the list has no patterns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Converts a pattern to a regular expression, which matches characters (not bytes) and only whole file names.
pub(crate) fn pattern_to_regex(pattern: &str) -> Result<String, PatternError> {
    if let Some(part) = pattern.split('/').find(|part| part.is_empty() || part.starts_with('.')) {
        let reason = if part.is_empty() {
            "a name cannot have an empty part"
        } else {
            "a part of a name cannot begin with a dot"
        };
        return Err(PatternError { pattern: Some(pattern.to_owned()), reason: reason.to_owned() });
    }
    let normalized = normalize_to_nfc(pattern);
    let glob = GlobBuilder::new(&normalized).literal_separator(true).backslash_escape(false).build();
    let pattern_error = |error: globset::Error| PatternError {
        pattern: error.glob().map(str::to_owned),
        reason: error.kind().to_string(),
    };
    glob.map(|glob| convert_bytes_to_characters(glob.regex())).map_err(pattern_error)
}

/// Converts a regular expression of the crate `globset`, which matches bytes, to a regular expression that matches
/// characters. Without this conversion, `[é]` would match single bytes of `é`, and `[!a]` would match `/`.
fn convert_bytes_to_characters(regex: &str) -> String {
    // With this prefix, which all regular expressions of `globset` have, the regular expression matches bytes.
    let regex = regex.strip_prefix("(?-u)").unwrap_or(regex);
    let converted = TOKEN.replace_all(regex, |token: &Captures<'_>| match &token[0] {
        "[" => "[[".to_owned(),
        "]" => "]&&[^/]]".to_owned(),
        // `globset` escapes each byte of a non-ASCII character.
        bytes if bytes.starts_with("\\x") => {
            let bytes = bytes.split("\\x").skip(1).filter_map(|digits| u8::from_str_radix(digits, 16).ok());
            String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
        }
        other => other.to_owned(),
    });
    converted.into_owned()
}

/// Matches escaped bytes such as `\xc3\xa9`, another escaped character, or the beginning or end of a character class.
static TOKEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)(?:\\x[0-9A-Fa-f]{2})+|\\.|[\[\]]").expect("it is a regular expression"));

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pattern {
            Some(pattern) => write!(f, "`{pattern}` is not a valid file name pattern: {}", self.reason),
            None => write!(f, "the file name patterns are not valid: {}", self.reason),
        }
    }
}

impl std::error::Error for PatternError {}
