//! Patterns of allowed file names.

use std::fmt;

use globset::GlobBuilder;
use regex::RegexSet;

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
    let mut remaining = regex.strip_prefix(BYTE_MODE_PREFIX).unwrap_or(regex);
    let mut converted = String::with_capacity(regex.len());
    while let Some(char) = remaining.chars().next() {
        let bytes = parse_escaped_bytes(remaining);
        let length = match char {
            // `globset` escapes each byte of a non-ASCII character. Here the escaped bytes are replaced by the
            // character itself.
            '\\' if !bytes.is_empty() => {
                converted.push_str(&String::from_utf8_lossy(&bytes));
                bytes.len() * ESCAPED_BYTE_LEN
            }
            '\\' => {
                let length = remaining.chars().take(2).map(char::len_utf8).sum();
                converted.push_str(&remaining[..length]);
                length
            }
            '[' => {
                converted.push_str("[[");
                1
            }
            ']' => {
                converted.push_str("]&&[^/]]");
                1
            }
            other => {
                converted.push(other);
                other.len_utf8()
            }
        };
        remaining = &remaining[length..];
    }
    converted
}

/// The prefix of each regular expression that `globset` returns. With this prefix, the regular expression matches
/// bytes.
const BYTE_MODE_PREFIX: &str = "(?-u)";
/// The length of an escaped byte in a regular expression, such as `\xc3`.
const ESCAPED_BYTE_LEN: usize = 4;

/// Returns the bytes that are escaped at the beginning of a regular expression.
fn parse_escaped_bytes(regex: &str) -> Vec<u8> {
    let pieces = regex.as_bytes().chunks_exact(ESCAPED_BYTE_LEN);
    let byte = |piece: &[u8]| {
        let digits = std::str::from_utf8(piece.strip_prefix(b"\\x")?).ok()?;
        u8::from_str_radix(digits, 16).ok()
    };
    pieces.map_while(byte).collect()
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pattern {
            Some(pattern) => write!(f, "`{pattern}` is not a valid file name pattern: {}", self.reason),
            None => write!(f, "the file name patterns are not valid: {}", self.reason),
        }
    }
}

impl std::error::Error for PatternError {}
