//! Modules and the services in them.

use super::{EnvelopeName, Method};
use crate::call::HttpMethod;
use crate::span::Span;

/// A module: a group of services that belong together.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Module {
    /// The name.
    pub name: String,
    /// The description.
    pub info: Option<String>,
    /// The envelope of responses; `None` for that of the API.
    pub envelope: Option<EnvelopeName>,
    /// `true` if paths are case-insensitive.
    pub ignore_case: bool,
    /// The handling of scalar parameters that are sent more than once.
    pub repeated: Repeated,
    /// The services in the order of the definition, the root first. No two have the same path, apart from the names of
    /// captures.
    pub services: Vec<Service>,
    /// The position in the definition.
    pub span: Span,
}

/// The handling of scalar parameters that a request contains more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repeated {
    /// The request fails.
    #[default]
    Refuse,
    /// The last value is used.
    Last,
}

impl Repeated {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Refuse, Self::Last];

    /// The name in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Last => "last",
        }
    }
}

/// A service: a path of the API with its methods, of which there is at least one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Service {
    /// The path below the base path; empty for the root.
    pub path: Vec<Segment>,
    /// The methods, in the order of [`crate::call::HttpMethod::ALL`].
    pub methods: Vec<Method>,
    /// The position of its path in the definition.
    pub span: Span,
}

/// A segment of a service's path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// This text, decoded.
    Static(String),
    /// Any text that is not empty. The name is that of the captured parameter.
    Capture(String),
}

impl Service {
    /// The path as in definitions: `/article/{id}`.
    #[must_use]
    pub fn uri(&self) -> String {
        if self.path.is_empty() {
            return "/".to_owned();
        }
        self.path.iter().fold(String::new(), |mut uri, segment| {
            uri.push('/');
            match segment {
                Segment::Static(text) => uri.push_str(text),
                Segment::Capture(name) => uri.extend(["{", name, "}"]),
            }
            uri
        })
    }
}

/// The default for the id of a method: `article.{id}.get`.
#[must_use]
pub fn default_id(path: &[Segment], http: HttpMethod) -> String {
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
