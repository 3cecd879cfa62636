//! Checks the name of a new project.

use std::str::FromStr;

use rulebook_build::identifier::RUST_KEYWORDS;
use thiserror::Error;

/// The name of a new project and of its Cargo package: lowercase ASCII letters, digits, `-` and `_`, beginning with a
/// letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProjectName(String);

/// The reason why a text is not a valid project name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum ProjectNameError {
    #[error("the name is empty")]
    Empty,
    #[error("the name is longer than {MAX_LEN} characters")]
    TooLong,
    #[error("the name begins with {0:?}; expected a lowercase letter from a to z")]
    InvalidStart(char),
    #[error("the name contains {0:?}; expected lowercase letters from a to z, digits, `-` and `_`")]
    InvalidCharacter(char),
    #[error("the name is a keyword of Rust")]
    Keyword,
    #[error("the name is reserved by cargo, Rust's standard library or Windows")]
    Reserved,
    #[error("the name is that of a dependency of the project")]
    Dependency,
}

/// Maximum length of a project name in characters; crates.io has the same limit for package names.
const MAX_LEN: usize = 64;

/// Names that cargo reserves, names of crates in Rust's standard library, and names of devices on Windows.
const RESERVED_NAMES: [&str; 13] = [
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

/// The crates that the new project depends on.
const DEPENDENCY_NAMES: [&str; 3] = ["rulebook", "serde", "serde_json"];

impl ProjectName {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the crate as Rust code uses it, with `_` instead of `-`.
    pub(super) fn crate_name(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl FromStr for ProjectName {
    type Err = ProjectNameError;

    fn from_str(text: &str) -> Result<Self, ProjectNameError> {
        let first = text.chars().next().ok_or(ProjectNameError::Empty)?;
        if let Some(other) = text.chars().find(|char| !matches!(char, 'a'..='z' | '0'..='9' | '-' | '_')) {
            return Err(ProjectNameError::InvalidCharacter(other));
        }
        if !first.is_ascii_lowercase() {
            return Err(ProjectNameError::InvalidStart(first));
        }
        if text.len() > MAX_LEN {
            return Err(ProjectNameError::TooLong);
        }
        let name = Self(text.to_owned());
        let crate_name = name.crate_name();
        if RUST_KEYWORDS.contains(&&*crate_name) {
            return Err(ProjectNameError::Keyword);
        }
        if RESERVED_NAMES.contains(&&*crate_name) || is_windows_port(&crate_name) {
            return Err(ProjectNameError::Reserved);
        }
        if DEPENDENCY_NAMES.contains(&&*crate_name) {
            return Err(ProjectNameError::Dependency);
        }
        Ok(name)
    }
}

/// Returns `true` for the names of serial and parallel ports on Windows, such as `com1` and `lpt1`.
fn is_windows_port(name: &str) -> bool {
    let number = name.strip_prefix("com").or_else(|| name.strip_prefix("lpt"));
    matches!(number.map(str::as_bytes), Some([b'0'..=b'9']))
}
