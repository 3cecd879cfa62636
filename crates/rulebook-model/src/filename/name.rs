//! Names of stored files, as clients send them.

use std::borrow::Cow;
use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use thiserror::Error;

/// The maximum length of one part in bytes, which is the limit of common file systems.
const MAX_PART_LEN: usize = 255;

/// Characters that have a special meaning in file names of some operating systems. They are forbidden everywhere, so
/// that a folder can be copied to another system.
const SPECIAL: &[char] = &['\\', '%', ':', '*', '?', '"', '<', '>', '|'];

/// Names of devices in Windows, in any folder and with any extension.
const DEVICES: &[&str] = &["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// Names of devices in Windows if a digit follows.
const NUMBERED_DEVICES: &[&str] = &["COM", "LPT"];

/// The name of a stored file, relative to the folder of all files: parts separated by `/`, of which the last one is the
/// file and the others are folders.
///
/// [`FileName::parse`] is the only way to create one from a text of a client, so a `FileName` never refers to a file
/// outside the folder that it is looked up in.
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
    /// A part begins with a dot, as hidden files, `.` and `..` do.
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
    /// The text must already be percent-decoded. A name cannot contain `%`, so a text that is encoded twice is
    /// rejected.
    ///
    /// # Errors
    /// Returns the first error in the name.
    pub fn parse(text: &str) -> Result<Self, FileNameError> {
        // Checked before normalization, whose cost grows with the length.
        if text.len() > Self::MAX_LEN {
            return Err(FileNameError::TooLong(Self::MAX_LEN));
        }
        if text.starts_with('/') {
            return Err(FileNameError::LeadingSlash);
        }
        let text = text.strip_prefix("./").unwrap_or(text);
        let name = nfc(text);
        // Normalization makes some texts longer.
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

    /// Returns the name of an entry of a folder, or `None` if clients cannot request it under exactly this name.
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
    // Windows removes dots and spaces at the end.
    if part.ends_with('.') || part.trim() != part {
        return Err(FileNameError::InvalidEdge);
    }
    if is_device(part) { Err(FileNameError::DeviceName) } else { Ok(()) }
}

/// Returns the characters of a file name that a client sent, without folders and invisible characters. The result can
/// be empty, `.` or `..`.
///
/// Names of uploads and of downloads are cleaned with this function, so that a name cannot be displayed as another one
/// (Unicode Technical Report 36 section 3.1).
pub fn visible_base_name(name: &str) -> impl Iterator<Item = char> {
    name.rsplit(['/', '\\']).next().unwrap_or_default().chars().filter(|char| !is_invisible(*char))
}

/// Returns `true` for control characters, line separators, and format characters, which are invisible or change the
/// direction of the text around them.
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
