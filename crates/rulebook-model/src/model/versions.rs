//! The versions of an API that are served beside each other.

use std::borrow::Cow;

use serde::Serialize;

use super::{Api, Module, Schema, ServerPath};
use crate::span::Spanned;

/// The versions of an API. Each of them has a part of the definition, and the settings of the API.
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
    /// The name of the version that the API is; `None` for the API of all versions.
    #[serde(skip)]
    pub current: Option<String>,
    /// What each version has of the definition.
    #[serde(skip)]
    pub(crate) parts: Vec<VersionPart>,
}

/// What a version has of a definition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VersionPart {
    pub(crate) modules: Vec<Module>,
    pub(crate) schemas: Vec<Schema>,
}

impl Versions {
    pub(crate) fn new(names: Vec<Spanned<String>>, default: String, header: Option<String>) -> Self {
        Self { names, default, header, current: None, parts: Vec::new() }
    }

    /// Returns the names of the versions, from the oldest to the newest.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &*name.value)
    }
}

/// Returns `true` if a version can have this name: one to 32 ASCII letters, digits and signs of `.-_`, which are not
/// the beginning of a path of the server.
#[must_use]
pub fn is_version_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let is_reserved = || ServerPath::ALL.iter().any(|(_, path, _)| path.split('/').nth(1) == Some(name));
    (1..=32).contains(&name.len()) && name.bytes().all(is_plain) && !matches!(name, "." | "..") && !is_reserved()
}

impl Api {
    /// Returns one version of the API; `None` if there is no version with this name.
    #[must_use]
    pub fn in_version(&self, name: &str) -> Option<Self> {
        let versions = self.versions.as_ref()?;
        let part = versions.parts.get(versions.names().position(|known| known == name)?)?.clone();
        let versions = Versions { current: Some(name.to_owned()), parts: Vec::new(), ..versions.clone() };
        Some(Self { modules: part.modules, schemas: part.schemas, versions: Some(versions), ..self.clone() })
    }

    /// Returns the version for requests that name none. An API without versions is returned itself.
    #[must_use]
    pub fn default_version(&self) -> Cow<'_, Self> {
        let version = self.versions.as_ref().and_then(|versions| self.in_version(&versions.default));
        version.map_or(Cow::Borrowed(self), Cow::Owned)
    }
}
