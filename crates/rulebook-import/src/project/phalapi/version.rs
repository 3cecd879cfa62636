//! The version of PhalApi for which a project is written, and what depends on it.

use std::fmt;

use super::export::{Class, Found};

/// The version since which PhalApi refuses other HTTP methods than those of `@method`.
const CHECKS_METHOD: (u32, u32) = (2, 16);

/// The language with PhalApi's Chinese texts. In all languages that PhalApi does not have, its texts are English.
pub(super) const CHINESE: &str = "zh_cn";
/// The other language of PhalApi.
pub(super) const ENGLISH: &str = "en";

/// A version of PhalApi.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version {
    major: u32,
    /// `None` if the project does not say more than the first number.
    minor: Option<u32>,
}

impl Version {
    /// Returns the version that a file names. Without it, the classes of a project show only the first number.
    pub(super) fn of(found: Option<&Found>, classes: &[Class]) -> Self {
        let mut numbers = found.map(|found| found.value.as_str()).unwrap_or_default().split('.').map(str::parse);
        let is_first = classes.iter().all(|class| class.style == "1.x");
        let major = numbers.next().and_then(Result::ok).unwrap_or(if is_first { 1 } else { 2 });
        Self { major, minor: numbers.next().and_then(Result::ok) }
    }

    /// Returns `true` if a file of the project says which version it is.
    pub(super) fn is_known(self) -> bool {
        self.minor.is_some()
    }

    /// Returns `true` if PhalApi checks `@method`. A later version is assumed if the version is unknown.
    pub(super) fn checks_method(self) -> bool {
        (self.major, self.minor.unwrap_or(u32::MAX)) >= CHECKS_METHOD
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            Some(minor) => write!(f, "{}.{minor}", self.major),
            None => write!(f, "{}", self.major),
        }
    }
}

/// Returns the name of the catalogue of error messages for a language, such as `zh_cn`, and a version. A later version
/// is assumed if the version is unknown.
pub(super) fn catalogue(language: &str, version: Version) -> &'static str {
    let (chinese, english) = match (version.major, version.minor.unwrap_or(u32::MAX)) {
        (..=1, ..=3) => ("zh-1.1", "1.1"),
        (..=1, _) => ("zh-1.4", "1.4"),
        (2, ..=2) => ("zh-2.0", "2.0"),
        (2, ..=16) => ("zh-2.3", "2.3"),
        _ => ("zh", "2.x"),
    };
    if language.eq_ignore_ascii_case(CHINESE) { chinese } else { english }
}
