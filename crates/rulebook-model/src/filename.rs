//! Names of stored files. This Rust module checks the file names that clients send, matches file names against
//! patterns, and cleans the file names of uploads.
//!
//! It must not depend on where files are stored.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use globset::GlobBuilder;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use regex::{Captures, Regex, RegexSet};
use thiserror::Error;

use crate::invisible::is_invisible;

/// The maximum length of one part of a file name, in bytes. Common file systems have the same limit.
const MAX_PART_LEN: usize = 255;

/// Characters with a special meaning in some operating system, which are forbidden so that folders can be copied.
const SPECIAL_CHARACTERS: &[char] = &['\\', '%', ':', '*', '?', '"', '<', '>', '|'];

/// Device names of Windows, which are reserved in every folder and with every extension.
pub(crate) const WINDOWS_DEVICES: &[&str] = &["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// Device names of Windows that end with a digit, without this digit.
pub(crate) const NUMBERED_WINDOWS_DEVICES: &[&str] = &["COM", "LPT"];

/// The name of a stored file, relative to the folder of all stored files. The name consists of parts that are separated
/// by `/`. The last part is the name of the file, and the other parts are the names of folders.
///
/// A text from a client is converted to a `FileName` only by [`FileName::parse`]. Therefore a `FileName` never refers
/// to a file outside of the folder of all stored files.
///
/// ```
/// use rulebook_model::filename::FileName;
///
/// assert_eq!(FileName::parse("./public/封面.png").unwrap().as_str(), "public/封面.png");
/// assert!(FileName::parse("public/../keys.json").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(Box<str>);

/// The reason why a text is not a valid file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FileNameError {
    /// The name is longer than this number of bytes.
    #[error("a name can have at most {0} bytes")]
    TooLong(usize),
    /// A part of the name is longer than this number of bytes.
    #[error("a part of a name can have at most {0} bytes")]
    PartTooLong(usize),
    /// The name begins with `/`.
    #[error("a name cannot begin with `/`")]
    LeadingSlash,
    /// The name is empty, ends with `/`, or contains `//`.
    #[error("a name cannot have an empty part")]
    EmptyPart,
    /// A part of the name begins with a dot. Hidden files and the special parts `.` and `..` are therefore forbidden.
    #[error("a part of a name cannot begin with a dot")]
    LeadingDot,
    /// A part of the name ends with a dot, or begins or ends with white space.
    #[error("a part of a name cannot end with a dot, or begin or end with white space")]
    InvalidEdge,
    /// The name contains a character that is not allowed.
    #[error("a name cannot contain {0:?}")]
    ForbiddenCharacter(char),
    /// A part of the name is the name of a device in Windows, such as `CON`.
    #[error("a part of a name cannot be the name of a device")]
    DeviceName,
}

impl FileName {
    /// The maximum length of a file name, in bytes.
    pub const MAX_LEN: usize = 1024;

    /// Parses a file name. A leading `./` is removed. The text is normalized to Unicode NFC, because some clients send
    /// decomposed characters.
    ///
    /// The text must already be percent-decoded. A text that still contains percent-encoded characters is rejected,
    /// because file names cannot contain `%`.
    ///
    /// # Errors
    /// Returns the first error in the file name.
    pub fn parse(text: &str) -> Result<Self, FileNameError> {
        // The length is checked before the normalization, because the cost of the normalization grows with the length.
        if text.len() > Self::MAX_LEN {
            return Err(FileNameError::TooLong(Self::MAX_LEN));
        }
        if text.starts_with('/') {
            return Err(FileNameError::LeadingSlash);
        }
        let text = text.strip_prefix("./").unwrap_or(text);
        let name = normalize_to_nfc(text);
        // The length is checked again, because the normalization can make a text longer.
        if name.len() > Self::MAX_LEN {
            return Err(FileNameError::TooLong(Self::MAX_LEN));
        }
        name.split('/').try_for_each(check_name_part)?;
        Ok(Self(name.into()))
    }

    /// Returns the file name as text, with `/` between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the parts of the file name, beginning with the outermost folder.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Returns the folders of the file name, beginning with the outermost folder, and the last part of the file name.
    pub fn folders_and_last_part(&self) -> (impl Iterator<Item = &str>, &str) {
        let (folders, file) = self.0.rsplit_once('/').unwrap_or(("", &self.0));
        (folders.split('/').filter(|part| !part.is_empty()), file)
    }

    /// Returns the name of `part` in a folder; `None` if clients cannot request it by exactly this name.
    pub fn child(folder: Option<&Self>, part: &str) -> Option<Self> {
        let text = match folder {
            Some(folder) => format!("{folder}/{part}"),
            None => part.to_owned(),
        };
        Self::parse(&text).ok().filter(|name| name.as_str() == text)
    }
}

fn normalize_to_nfc(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

fn check_name_part(part: &str) -> Result<(), FileNameError> {
    if part.is_empty() {
        return Err(FileNameError::EmptyPart);
    }
    if part.len() > MAX_PART_LEN {
        return Err(FileNameError::PartTooLong(MAX_PART_LEN));
    }
    if let Some(char) =
        part.chars().find(|char| SPECIAL_CHARACTERS.contains(char) || is_invisible(*char) || is_unassigned(*char))
    {
        return Err(FileNameError::ForbiddenCharacter(char));
    }
    if part.starts_with('.') {
        return Err(FileNameError::LeadingDot);
    }
    // Windows removes dots and spaces at the end of file names.
    if part.ends_with('.') || part.trim() != part {
        return Err(FileNameError::InvalidEdge);
    }
    if is_windows_device(part) { Err(FileNameError::DeviceName) } else { Ok(()) }
}

/// Returns the characters in the last part of a file name that a client sent, without invisible characters. The result
/// can be empty, `.` or `..`.
///
/// This function cleans the file names of uploads and downloads, so that different names are not displayed in the same
/// way (Unicode Technical Report 36 section 3.1).
pub fn visible_base_name(name: &str) -> impl Iterator<Item = char> {
    name.rsplit(['/', '\\']).next().unwrap_or_default().chars().filter(|char| !is_invisible(*char))
}

fn is_unassigned(char: char) -> bool {
    CodePointMapData::<GeneralCategory>::new().get(char) == GeneralCategory::Unassigned
}

fn is_windows_device(part: &str) -> bool {
    // Windows ignores the extension of a device name, and spaces before the extension.
    let stem = part.split('.').next().unwrap_or(part).trim_end();
    let is_numbered = stem.char_indices().next_back().is_some_and(|(at, digit)| {
        // In device names, Windows also accepts superscript digits.
        matches!(digit, '0'..='9' | '¹' | '²' | '³')
            && NUMBERED_WINDOWS_DEVICES.iter().any(|device| device.eq_ignore_ascii_case(&stem[..at]))
    });
    is_numbered || WINDOWS_DEVICES.iter().any(|device| device.eq_ignore_ascii_case(stem))
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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

/// The regular expression matches characters (not bytes) and only whole file names.
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
