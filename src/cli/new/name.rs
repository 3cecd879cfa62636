//! What a new project can be called.

use std::fmt;
use std::str::FromStr;

/// The name of a package: small ASCII letters, digits, `-` and `_`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

/// Why a text is no name of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NameError {
    Empty,
    TooLong,
    /// It begins with something else than a letter.
    Start(char),
    Character(char),
    /// A word of the language.
    Keyword,
    /// A name that cargo, the language's library or a system has taken.
    Reserved,
    /// A package that the project depends on.
    Dependency,
}

/// The most characters of a name, as on crates.io.
const LONGEST: usize = 64;

/// Keywords of Rust, strict and reserved, of all editions.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// What packages of cargo, crates of the language and devices of Windows are called.
const RESERVED: [&str; 13] = [
    "alloc",
    "aux",
    "build",
    "con",
    "core",
    "deps",
    "examples",
    "incremental",
    "nul",
    "prn",
    "proc_macro",
    "std",
    "test",
];

/// What the project depends on by name.
const DEPENDENCIES: [&str; 2] = ["rulebook", "serde"];

impl Name {
    /// As the package is called.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// As code names it.
    pub(super) fn in_code(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let first = text.chars().next().ok_or(NameError::Empty)?;
        if let Some(other) = text.chars().find(|char| !matches!(char, 'a'..='z' | '0'..='9' | '-' | '_')) {
            return Err(NameError::Character(other));
        }
        if !first.is_ascii_lowercase() {
            return Err(NameError::Start(first));
        }
        if text.len() > LONGEST {
            return Err(NameError::TooLong);
        }
        let name = Self(text.to_owned());
        let in_code = name.in_code();
        if KEYWORDS.contains(&&*in_code) {
            return Err(NameError::Keyword);
        }
        if RESERVED.contains(&&*in_code) || is_port(&in_code) {
            return Err(NameError::Reserved);
        }
        if DEPENDENCIES.contains(&&*in_code) {
            return Err(NameError::Dependency);
        }
        Ok(name)
    }
}

/// Whether Windows has a device of this name: `com1`, `lpt1` and their like.
fn is_port(name: &str) -> bool {
    let number = name.strip_prefix("com").or_else(|| name.strip_prefix("lpt"));
    matches!(number.map(str::as_bytes), Some([b'0'..=b'9']))
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong => write!(f, "it is longer than {LONGEST} characters"),
            Self::Start(char) => write!(f, "it begins with {char:?}, expected a small letter from a to z"),
            Self::Character(char) => {
                write!(f, "it holds {char:?}, expected small letters from a to z, digits, `-` and `_`")
            }
            Self::Keyword => f.write_str("it is a word of Rust"),
            Self::Reserved => f.write_str("cargo, Rust's library or a system has taken it"),
            Self::Dependency => f.write_str("a package that the project depends on is called so"),
        }
    }
}

impl std::error::Error for NameError {}
