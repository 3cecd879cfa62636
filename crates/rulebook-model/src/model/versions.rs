//! The versions of an API that are served beside each other.

use serde::Serialize;

use super::{Api, ServerPath};
use crate::span::Spanned;

/// The versions of an API, each of which is an API of its own: it has a part of the definition.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Versions {
    /// The names of the versions, from the oldest to the newest. The path of a request can begin with a name.
    pub names: Vec<Spanned<String>>,
    /// The name of the version for requests that name none.
    pub default: String,
    /// The header field in which a request can name a version; `None` if only its path can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The versions in the order of their names.
    #[serde(skip)]
    pub apis: Vec<Api>,
}

impl Versions {
    pub(crate) fn new(names: Vec<Spanned<String>>, default: String, header: Option<String>) -> Self {
        Self { names, default, header, apis: Vec::new() }
    }

    /// Returns each version with its name, from the oldest to the newest.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Api)> {
        self.names.iter().map(|name| &*name.value).zip(&self.apis)
    }

    /// Returns the version with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Api> {
        self.iter().find(|(known, _)| *known == name).map(|(_, api)| api)
    }
}

/// Returns `true` if a version can have this name: one to 32 ASCII letters, digits and signs of `.-_`, which are not the
/// beginning of a path of the server.
#[must_use]
pub fn is_version_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let is_reserved = || {
        let first = |path: &str| path.split('/').nth(1) == Some(name);
        ServerPath::ALL.iter().any(|(_, path, _)| first(path))
    };
    (1..=32).contains(&name.len()) && name.bytes().all(is_plain) && !matches!(name, "." | "..") && !is_reserved()
}

impl Api {
    /// Returns the API for requests that name no version: the default version, or the whole API if it has no versions.
    #[must_use]
    pub fn default_version(&self) -> &Self {
        self.versions.as_ref().and_then(|versions| versions.get(&versions.default)).unwrap_or(self)
    }
}
