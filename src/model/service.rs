//! Modules and the services in them.

use super::{EnvelopeName, Method};
use crate::call::Http;
use crate::place::Place;

/// A group of services with one owner.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub info: Option<String>,
    /// The shape of its answers; none: the API's.
    pub envelope: Option<EnvelopeName>,
    /// Whether its URIs compare without regard to case.
    pub ignore_case: bool,
    /// What a scalar parameter that stands twice does.
    pub repeated: Repeated,
    /// Its services, each path once whatever its captures are called, in the order of the text; the root first.
    pub services: Vec<Service>,
    /// Where its text begins.
    pub place: Place,
}

/// What a scalar parameter that stands twice in a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repeated {
    /// The request is refused.
    #[default]
    Refuse,
    /// The last one counts.
    Last,
}

impl Repeated {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Refuse, Self::Last];

    /// Its name in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Last => "last",
        }
    }
}

/// One URI of the API and its methods. A URI without methods is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its path below base; empty for the root.
    pub path: Vec<Segment>,
    /// Its methods, in the order of [`crate::call::Http::ALL`].
    pub methods: Vec<Method>,
    /// Where its path is written.
    pub place: Place,
}

/// A segment of a service's path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Itself, decoded.
    Static(String),
    /// Any segment that is not empty; the name of the parameter it fills.
    Capture(String),
}

impl Service {
    /// The path as definitions write it: `/article/{id}`.
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

/// The id of a method whose definition gives it none: `article.{id}.get`.
#[must_use]
pub fn derived_id(path: &[Segment], http: Http) -> String {
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
