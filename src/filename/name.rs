//! Names of stored files, as clients give them.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The most bytes of one part: what the usual file systems take.
const LONGEST_PART: usize = 255;

/// What some systems read as something else than a letter of a name. A folder is carried from one system to another,
/// and a name that only one of them takes is lost on the way.
const SPECIAL: &[char] = &['\\', '%', ':', '*', '?', '"', '<', '>', '|'];

/// What Windows takes for a device, in any folder and with any extension.
const DEVICES: &[&str] = &["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// What it takes for one with a digit behind it.
const PORTS: &[&str] = &["COM", "LPT"];

/// The name of a stored file: parts with `/` between them, the last of which is the file, the others folders.
///
/// A name that a client gave becomes one by [`Name::parse`] only, so that whoever holds one knows that it leads nowhere
/// but below the folder that it is looked up in.
///
/// ```
/// use rulebook::store::Name;
///
/// assert_eq!(Name::parse("./public/封面.png").unwrap().as_str(), "public/封面.png");
/// assert!(Name::parse("public/../keys.json").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// It is longer than so many bytes.
    TooLong(usize),
    /// One part of it is longer than so many bytes.
    PartTooLong(usize),
    /// It begins with `/`.
    Absolute,
    /// It is empty, or has nothing between two `/`, or behind the last.
    Empty,
    /// A part begins with a dot: hidden files, `.` and `..`.
    Dot,
    /// A part ends in a dot, or begins or ends in a blank.
    Edge,
    /// It has a character that no name may have.
    Character(char),
    /// A part is the name of a device.
    Device,
}

impl Name {
    /// The most bytes of a name.
    pub const LONGEST: usize = 1024;

    /// Takes a text for a name. `./` in front of it does not count, and characters that can be written in several ways
    /// are composed (Unicode's form NFC): the systems of some clients take them apart.
    ///
    /// Nothing is decoded: what comes from a URL is decoded once by whoever read the URL, and `%` is in no name.
    ///
    /// # Errors
    /// It is no name; the error says what is wrong first.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        // Before it is composed, which costs as much as it is long.
        if text.len() > Self::LONGEST {
            return Err(NameError::TooLong(Self::LONGEST));
        }
        if text.starts_with('/') {
            return Err(NameError::Absolute);
        }
        let text = text.strip_prefix("./").unwrap_or(text);
        // ASCII is composed already.
        let name = if text.is_ascii() { text.to_owned() } else { text.nfc().collect() };
        // Composing makes some texts longer.
        if name.len() > Self::LONGEST {
            return Err(NameError::TooLong(Self::LONGEST));
        }
        name.split('/').try_for_each(judge)?;
        Ok(Self(name.into()))
    }

    /// The name, `/` between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The folders that it is in, outermost first, and the name of the file in the last of them.
    pub(crate) fn split(&self) -> (impl Iterator<Item = &str>, &str) {
        let (folders, file) = self.0.rsplit_once('/').unwrap_or(("", &self.0));
        (folders.split('/').filter(|part| !part.is_empty()), file)
    }

    /// The name of what is called `part` in the folder of this name, if clients can ask for it as it is written there.
    pub(crate) fn below(folder: Option<&Self>, part: &str) -> Option<Self> {
        let text = match folder {
            Some(folder) => format!("{folder}/{part}"),
            None => part.to_owned(),
        };
        Self::parse(&text).ok().filter(|name| name.as_str() == text)
    }
}

/// Judges one part.
fn judge(part: &str) -> Result<(), NameError> {
    if part.is_empty() {
        return Err(NameError::Empty);
    }
    if part.len() > LONGEST_PART {
        return Err(NameError::PartTooLong(LONGEST_PART));
    }
    if let Some(char) = part.chars().find(|char| SPECIAL.contains(char) || is_invisible(*char)) {
        return Err(NameError::Character(char));
    }
    if part.starts_with('.') {
        return Err(NameError::Dot);
    }
    // Windows leaves off blanks and dots at the end.
    if part.ends_with('.') || part.trim() != part {
        return Err(NameError::Edge);
    }
    if is_device(part) { Err(NameError::Device) } else { Ok(()) }
}

/// Whether a character shows nothing, turns the direction of what is around it, or is none.
fn is_invisible(char: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, Unassigned};
    if char.is_ascii() {
        return char.is_ascii_control();
    }
    matches!(char.general_category(), Control | Format | LineSeparator | ParagraphSeparator | Unassigned)
}

fn is_device(part: &str) -> bool {
    // An extension does not help, nor do blanks in front of it.
    let stem = part.split('.').next().unwrap_or(part).trim_end();
    let port = stem.char_indices().next_back().is_some_and(|(at, digit)| {
        // Superscript digits count too.
        matches!(digit, '0'..='9' | '¹' | '²' | '³') && PORTS.iter().any(|port| port.eq_ignore_ascii_case(&stem[..at]))
    });
    port || DEVICES.iter().any(|device| device.eq_ignore_ascii_case(stem))
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(most) => write!(f, "a name has {most} bytes at most"),
            Self::PartTooLong(most) => write!(f, "a part of a name has {most} bytes at most"),
            Self::Absolute => f.write_str("a name does not begin with `/`"),
            Self::Empty => f.write_str("a name has no empty part"),
            Self::Dot => f.write_str("no part of a name begins with a dot"),
            Self::Edge => f.write_str("no part of a name ends in a dot, or begins or ends in a blank"),
            Self::Character(char) => write!(f, "a name does not hold {char:?}"),
            Self::Device => f.write_str("no part of a name is that of a device"),
        }
    }
}

impl std::error::Error for NameError {}
