//! Checks the name of a new project.

use std::str::FromStr;

use rulebook_build::identifier::RUST_KEYWORDS;

/// The name of a new project and of its Cargo package: lowercase ASCII letters, digits, `-` and `_`, beginning with a
/// letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProjectName(String);

/// Maximum length of a project name in characters; crates.io has the same limit for package names.
const MAX_LEN: usize = 64;

/// The names that [`is_reserved`] rejects, besides ports.
const RESERVED_NAMES: &str = "alloc aux build con core deps examples incremental nul prn proc_macro std test";

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
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let first = text.chars().next().ok_or("the name is empty")?;
        if let Some(other) = text.chars().find(|char| !matches!(char, 'a'..='z' | '0'..='9' | '-' | '_')) {
            let expected = "expected lowercase letters from a to z, digits, `-` and `_`";
            return Err(format!("the name contains {other:?}; {expected}"));
        }
        if !first.is_ascii_lowercase() {
            return Err(format!("the name begins with {first:?}; expected a lowercase letter from a to z"));
        }
        if text.len() > MAX_LEN {
            return Err(format!("the name is longer than {MAX_LEN} characters"));
        }
        let name = Self(text.to_owned());
        match name.crate_name().as_str() {
            keyword if RUST_KEYWORDS.contains(&keyword) => Err("the name is a keyword of Rust".to_owned()),
            reserved if is_reserved(reserved) => {
                Err("the name is reserved by cargo, Rust's standard library or Windows".to_owned())
            }
            "rulebook" | "serde" | "serde_json" => Err("the name is that of a dependency of the project".to_owned()),
            _ => Ok(name),
        }
    }
}

/// Returns `true` for names that cargo reserves, names of crates in Rust's standard library, and names of devices on
/// Windows, such as `com1` and `lpt1`.
fn is_reserved(name: &str) -> bool {
    let port = name.strip_prefix("com").or_else(|| name.strip_prefix("lpt"));
    matches!(port.map(str::as_bytes), Some([b'0'..=b'9'])) || RESERVED_NAMES.split(' ').any(|reserved| reserved == name)
}
