//! Valid names of new projects.

use std::str::FromStr;

use thiserror::Error;

/// The name of a package: lowercase ASCII letters, digits, `-` and `_`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

/// Why a text is not a valid name of a package.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum NameError {
    #[error("the name is empty")]
    Empty,
    #[error("the name is longer than {MAX_LEN} characters")]
    TooLong,
    /// The first character is not a letter.
    #[error("the name begins with {0:?}; expected a lowercase letter from a to z")]
    Start(char),
    /// The name contains a character that is not allowed.
    #[error("the name contains {0:?}; expected lowercase letters from a to z, digits, `-` and `_`")]
    Character(char),
    /// The name is a keyword of Rust.
    #[error("the name is a keyword of Rust")]
    Keyword,
    /// The name is used by cargo, a crate of Rust's standard library, or a device of Windows.
    #[error("the name is reserved by cargo, Rust's standard library or Windows")]
    Reserved,
    /// The name is that of a dependency of the project.
    #[error("the name is that of a dependency of the project")]
    Dependency,
}

/// Maximum length of a name in characters, the same as on crates.io.
const MAX_LEN: usize = 64;

/// The strict and reserved keywords of Rust, in all editions.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Names that cargo reserves, crates of Rust's standard library, and devices of Windows.
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

/// The dependencies of the project.
const DEPENDENCIES: [&str; 2] = ["rulebook", "serde"];

impl Name {
    /// Returns the name of the package.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the crate in code, with `_` instead of `-`.
    pub(super) fn crate_name(&self) -> String {
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
        if text.len() > MAX_LEN {
            return Err(NameError::TooLong);
        }
        let name = Self(text.to_owned());
        let crate_name = name.crate_name();
        if KEYWORDS.contains(&&*crate_name) {
            return Err(NameError::Keyword);
        }
        if RESERVED.contains(&&*crate_name) || is_port(&crate_name) {
            return Err(NameError::Reserved);
        }
        if DEPENDENCIES.contains(&&*crate_name) {
            return Err(NameError::Dependency);
        }
        Ok(name)
    }
}

/// Returns `true` for the names of Windows's ports, such as `com1` and `lpt1`.
fn is_port(name: &str) -> bool {
    let number = name.strip_prefix("com").or_else(|| name.strip_prefix("lpt"));
    matches!(number.map(str::as_bytes), Some([b'0'..=b'9']))
}
