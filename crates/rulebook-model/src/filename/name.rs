//! Names of stored files, as clients send them.

use std::borrow::Cow;
use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use thiserror::Error;

/// The maximum length of one part in bytes, which is the limit of common file systems.
const MAX_PART_LEN: usize = 255;

/// Characters with a special meaning in file names of some operating system. They are forbidden on all systems, so that
/// a folder can be copied from one system to another.
const SPECIAL: &[char] = &['\\', '%', ':', '*', '?', '"', '<', '>', '|'];

/// Device names of Windows, which are reserved in every folder and with every extension.
const DEVICES: &[&str] = &["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// Device names of Windows that end in a digit, without the digit.
const NUMBERED_DEVICES: &[&str] = &["COM", "LPT"];

/// The name of a stored file, relative to the folder of all files: parts separated by `/`. The last part is the file,
/// the others are folders.
///
/// A text of a client becomes a `FileName` only by [`FileName::parse`]. Therefore a `FileName` never refers to a file
/// outside of the folder of all files.
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
    /// A part begins with a dot, like hidden files, `.` and `..`.
    #[error("a part of a name cannot begin with a dot")]
    LeadingDot,
    /// A part ends with a dot, or begins or ends with white space.
    #[error("a part of a name cannot end with a dot, or begin or end with white space")]
    InvalidEdge,
    /// The name contains a character that is not allowed.
    #[error("a name cannot contain {0:?}")]
    ForbiddenCharacter(char),
    /// A part is the name of a device in Windows.
    #[error("a part of a name cannot be the name of a device")]
    DeviceName,
}

impl FileName {
    /// The maximum length of a name in bytes.
    pub const MAX_LEN: usize = 1024;

    /// Parses a name. A leading `./` is removed, and the text is normalized to Unicode NFC, because some clients send
    /// decomposed characters.
    ///
    /// The text must be percent-decoded. Because names cannot contain `%`, a text that is still encoded is rejected.
    ///
    /// # Errors
    /// Returns the first error in the name.
    pub fn parse(text: &str) -> Result<Self, FileNameError> {
        // The length is checked before normalization, because the cost of normalization grows with it.
        if text.len() > Self::MAX_LEN {
            return Err(FileNameError::TooLong(Self::MAX_LEN));
        }
        if text.starts_with('/') {
            return Err(FileNameError::LeadingSlash);
        }
        let text = text.strip_prefix("./").unwrap_or(text);
        let name = nfc(text);
        // Normalization can make a text longer.
        if name.len() > Self::MAX_LEN {
            return Err(FileNameError::TooLong(Self::MAX_LEN));
        }
        name.split('/').try_for_each(check_part)?;
        Ok(Self(name.into()))
    }

    /// Returns the name, with `/` between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the parts of the name, outermost folder first.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Returns the folders of the name, outermost first, and the name of the file without folders.
    #[doc(hidden)]
    pub fn split(&self) -> (impl Iterator<Item = &str>, &str) {
        let (folders, file) = self.0.rsplit_once('/').unwrap_or(("", &self.0));
        (folders.split('/').filter(|part| !part.is_empty()), file)
    }

    /// Returns the name of an entry in a folder, or `None` if clients cannot request the entry by exactly this name.
    /// `folder` is `None` for the folder of all files.
    #[doc(hidden)]
    pub fn child(folder: Option<&Self>, part: &str) -> Option<Self> {
        let text = match folder {
            Some(folder) => format!("{folder}/{part}"),
            None => part.to_owned(),
        };
        Self::parse(&text).ok().filter(|name| name.as_str() == text)
    }
}

/// Normalizes a text to Unicode NFC.
pub(super) fn nfc(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Checks one part of a name.
fn check_part(part: &str) -> Result<(), FileNameError> {
    if part.is_empty() {
        return Err(FileNameError::EmptyPart);
    }
    if part.len() > MAX_PART_LEN {
        return Err(FileNameError::PartTooLong(MAX_PART_LEN));
    }
    if let Some(char) = part.chars().find(|char| SPECIAL.contains(char) || is_invisible(*char) || is_unassigned(*char))
    {
        return Err(FileNameError::ForbiddenCharacter(char));
    }
    if part.starts_with('.') {
        return Err(FileNameError::LeadingDot);
    }
    // Windows removes dots and spaces at the end of names.
    if part.ends_with('.') || part.trim() != part {
        return Err(FileNameError::InvalidEdge);
    }
    if is_device(part) { Err(FileNameError::DeviceName) } else { Ok(()) }
}

/// Returns the characters of a file name that a client sent, without folders and without invisible characters. The
/// result can be empty, `.` or `..`.
///
/// This function cleans the names of uploads and downloads, so that no name is displayed like another one (Unicode
/// Technical Report 36 section 3.1).
pub fn visible_base_name(name: &str) -> impl Iterator<Item = char> {
    name.rsplit(['/', '\\']).next().unwrap_or_default().chars().filter(|char| !is_invisible(*char))
}

/// Returns `true` for control characters, line separators and format characters. They are invisible or change the
/// direction of the surrounding text.
fn is_invisible(char: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    if char.is_ascii() {
        return char.is_ascii_control();
    }
    matches!(general_category(char), Control | Format | LineSeparator | ParagraphSeparator)
}

fn is_unassigned(char: char) -> bool {
    general_category(char) == GeneralCategory::Unassigned
}

fn general_category(char: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(char)
}

fn is_device(part: &str) -> bool {
    // Windows ignores the extension, and spaces before it.
    let stem = part.split('.').next().unwrap_or(part).trim_end();
    let is_numbered = stem.char_indices().next_back().is_some_and(|(at, digit)| {
        // Windows also accepts superscript digits.
        matches!(digit, '0'..='9' | '¹' | '²' | '³')
            && NUMBERED_DEVICES.iter().any(|device| device.eq_ignore_ascii_case(&stem[..at]))
    });
    is_numbered || DEVICES.iter().any(|device| device.eq_ignore_ascii_case(stem))
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
