//! API modules, with their schemas and services.

use serde_json::Value as Json;

use super::{Api, EnvelopeName, Method, ParameterType, RateLimit, Repeated};
use crate::call::HttpMethod;
use crate::span::Span;

/// An API module: a named group of services.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Module {
    /// The name of the API module.
    pub name: String,
    /// The description of the API module for documents.
    pub info: Option<String>,
    /// The envelope (JSON structure) of responses; `None` for the envelope of the API.
    pub envelope: Option<EnvelopeName>,
    /// `true` if the paths of the services are case-insensitive.
    pub ignore_case: bool,
    /// The handling of requests that contain a parameter more than once, although it accepts only one value.
    pub repeated: Repeated,
    /// The limits of the number of requests to all methods of the API module that set none; `None` for those of the
    /// API.
    pub rate_limits: Option<Vec<RateLimit>>,
    /// The schemas of the API module, in the order of their names. They hide schemas of the API with the same names.
    pub schemas: Vec<Schema>,
    /// The services in the order of the definition, except that the service with the root path is first. No two
    /// services have paths that differ only in the names of captures.
    pub services: Vec<Service>,
    /// The position of the API module in the definition.
    pub span: Span,
}

/// A type with a name, which parameters, outputs and other schemas can use.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Schema {
    /// The name that types in the definition use.
    pub name: String,
    /// The name in JSON Schemas, which is unique in the API: the name or, if several API modules have a schema with
    /// this name, the name after the name of the API module.
    pub key: String,
    /// The description of the schema for documents.
    pub info: String,
    /// The type. Its notation is the content of the schema, and its check is a reference to the schema.
    pub r#type: ParameterType,
    /// An example of a value, for documents.
    pub example: Option<Json>,
    /// The keys of the schemas that the definition names under `extends`, for documents. The type already contains
    /// their fields and constraints.
    pub extends: Vec<String>,
    /// The position of the schema's name in the definition.
    pub span: Span,
}

/// A service: a path of the API and its methods. A service has at least one method.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Service {
    /// The segments of the service's path, without the base path of the API; empty for the root path.
    pub path: Vec<Segment>,
    /// The methods of the service, in the order of [`crate::call::HttpMethod::ALL`].
    pub methods: Vec<Method>,
    /// The position of the path in the definition.
    pub span: Span,
}

/// A segment of a service's path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A segment that matches only this text, which is percent-decoded.
    Static(String),
    /// A segment that matches any text that is not empty. The capture has the name of the parameter whose value is this
    /// text.
    Capture(String),
}

impl Segment {
    pub(crate) fn static_text(&self) -> Option<&str> {
        match self {
            Self::Static(text) => Some(text),
            Self::Capture(_) => None,
        }
    }
}

impl Api {
    /// Returns all services, in the order of the API modules.
    pub fn services(&self) -> impl Iterator<Item = &Service> + Clone {
        self.modules.iter().flat_map(|module| &module.services)
    }

    /// Returns all methods, each with its API module and its service.
    pub fn methods(&self) -> impl Iterator<Item = (&Module, &Service, &Method)> {
        let services = self.modules.iter().flat_map(|module| module.services.iter().map(move |it| (module, it)));
        services.flat_map(|(module, service)| service.methods.iter().map(move |method| (module, service, method)))
    }
}

/// Returns a path in the notation of definitions.
pub(super) fn uri_of(path: &[Segment]) -> String {
    if path.is_empty() {
        return "/".to_owned();
    }
    path.iter().fold(String::new(), |mut uri, segment| {
        uri.push('/');
        match segment {
            Segment::Static(text) => uri.push_str(text),
            Segment::Capture(name) => uri.extend(["{", name, "}"]),
        }
        uri
    })
}

impl Service {
    /// Returns the path in the notation of definitions: `/article/{id}`.
    #[must_use]
    pub fn uri(&self) -> String {
        uri_of(&self.path)
    }
}

/// Returns the id of a method for which the definition sets no id: `article.{id}.get`.
#[must_use]
pub fn default_method_id(path: &[Segment], http: HttpMethod) -> String {
    let mut id = String::new();
    for segment in path {
        match segment {
            Segment::Static(text) => id.push_str(&text.replace('.', "%2E")),
            Segment::Capture(name) => id.extend(["{", name, "}"]),
        }
        id.push('.');
    }
    id.push_str(&http.as_str().to_ascii_lowercase());
    id
}
