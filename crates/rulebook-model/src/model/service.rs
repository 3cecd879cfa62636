//! Modules and the services in them.

use super::{EnvelopeName, Method};
use crate::call::HttpMethod;
use crate::span::Span;

/// A module: a named group of services.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Module {
    /// The name.
    pub name: String,
    /// The description.
    pub info: Option<String>,
    /// The envelope of responses; `None` for the envelope of the API.
    pub envelope: Option<EnvelopeName>,
    /// `true` if paths are case-insensitive.
    pub ignore_case: bool,
    /// What happens if a request contains a parameter of one value more than once.
    pub repeated: Repeated,
    /// The services, beginning with the root, in the order of the definition. The paths of any two services differ,
    /// even without the names of captures.
    pub services: Vec<Service>,
    /// The span of the module in the definition.
    pub span: Span,
}

/// What happens if a request contains a parameter of one value more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repeated {
    /// The request is rejected.
    #[default]
    Refuse,
    /// The last value is used.
    Last,
}

impl Repeated {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Refuse, Self::Last];

    /// Returns the name of the value in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Last => "last",
        }
    }
}

/// A service: a path of the API and its methods. A service has at least one method.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Service {
    /// The segments of the path, after the base path; empty for the root.
    pub path: Vec<Segment>,
    /// The methods, in the order of [`crate::call::HttpMethod::ALL`].
    pub methods: Vec<Method>,
    /// The span of the path in the definition.
    pub span: Span,
}

/// A segment of a service's path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// This text, percent-decoded.
    Static(String),
    /// Any text that is not empty. The name is the key of the parameter that receives the text.
    Capture(String),
}

impl Service {
    /// Returns the path as definitions contain it: `/article/{id}`.
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

/// Returns the default id of a method: `article.{id}.get`.
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
