//! The versions of an API that are served beside each other.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;

use super::{Api, Method, MethodOfVersion, Module, Schema, ServerPath, Service};
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
    /// The part of the definition that belongs to each version.
    #[serde(skip)]
    pub(crate) parts: Vec<VersionPart>,
}

/// The part of a definition that belongs to a version.
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

    /// Returns what the paths of a version begin with, before the base path. Those of the default begin with no name.
    #[must_use]
    pub fn path_prefix(&self, name: &str) -> String {
        if name == self.default { String::new() } else { format!("/{name}") }
    }

    /// Returns the method with an id in the version that is nearest to the one with this index, newer ones first.
    fn find_in_others(&self, index: usize, id: &str) -> Option<MethodOfVersion> {
        let mut nearest = (index + 1..self.parts.len()).chain((0..index).rev());
        nearest.find_map(|other| {
            let (service, method) = self.parts[other].methods().find(|(_, method)| method.id == id)?;
            Some(MethodOfVersion {
                version: self.names[other].value.clone(),
                id: method.id.clone(),
                http: method.http,
                path: service.path.clone(),
                is_public: method.scope.is_public(),
            })
        })
    }
}

impl VersionPart {
    fn methods(&self) -> impl Iterator<Item = (&Service, &Method)> {
        let services = self.modules.iter().flat_map(|module| &module.services);
        services.flat_map(|service| service.methods.iter().map(move |method| (service, method)))
    }

    /// Replaces the successors of deprecated methods that only other versions have.
    fn find_successors_in_others(&mut self, versions: &Versions, index: usize) {
        let ids: HashSet<String> = self.methods().map(|(_, method)| method.id.clone()).collect();
        let services = self.modules.iter_mut().flat_map(|module| &mut module.services);
        let methods = services.flat_map(|service| &mut service.methods);
        for deprecation in methods.filter_map(|method| method.options.deprecation.as_deref_mut()) {
            if let Some(id) = deprecation.successor.take_if(|id| !ids.contains(&id.value)) {
                deprecation.other_successor = versions.find_in_others(index, &id.value);
            }
        }
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
        let index = versions.names().position(|known| known == name)?;
        let mut part = versions.parts.get(index)?.clone();
        part.find_successors_in_others(versions, index);
        let versions = Versions { current: Some(name.to_owned()), parts: Vec::new(), ..versions.clone() };
        Some(Self { modules: part.modules, schemas: part.schemas, versions: Some(versions), ..self.clone() })
    }

    /// Returns an API with these versions, each with its name, and with the settings of the default version; `None` if
    /// the default is not one of them.
    #[must_use]
    pub fn of_versions(default: &str, versions: Vec<(String, Self)>) -> Option<Self> {
        let (_, described) = versions.iter().find(|(name, _)| name == default)?;
        let mut api = described.clone();
        let (names, parts): (Vec<_>, Vec<_>) = versions
            .into_iter()
            .map(|(name, Self { modules, schemas, span, .. })| {
                (Spanned::new(name, span), VersionPart { modules, schemas })
            })
            .unzip();
        api.versions = Some(Versions { parts, ..Versions::new(names, default.to_owned(), None) });
        Some(api)
    }

    /// Returns the version for requests that name none. An API without versions is returned itself.
    #[must_use]
    pub fn default_version(&self) -> Cow<'_, Self> {
        let version = self.versions.as_ref().and_then(|versions| self.in_version(&versions.default));
        version.map_or(Cow::Borrowed(self), Cow::Owned)
    }
}
