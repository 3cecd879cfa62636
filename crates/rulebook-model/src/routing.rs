//! Finds the service of an API for a path or for a name. The tables in this Rust module are used to route requests, and
//! to detect services with the same path or name in a definition.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::call::ServiceNameError;
use crate::envelope::Envelope;
use crate::error::catalogue::PhalapiVersion;
use crate::model::{Location, Segment, Service};

// A radix tree contains the paths of all services. In static segments, `%` and `/` are percent-encoded, so that
// decoded segments can be joined to a path again. Captures (variable segments) are numbered instead of named, because
// two services can have different names for the same capture. Case-insensitive paths are in a second tree, in lower
// case. The trees do not contain the positional parameters, which follow the path of a service.

/// The paths of all services. Finds the service with the longest path that is a prefix of a request's path.
#[derive(Debug, Default)]
pub struct Routes {
    case_sensitive: PathTree,
    case_insensitive: PathTree,
    /// For each service, a list with an item for each segment of its path. The item is `true` if the segment is a
    /// capture. Static segments take precedence over captures.
    capture_flags: HashMap<usize, Box<[bool]>>,
    service_at_base_path: Option<usize>,
}

#[derive(Debug, Default)]
struct PathTree {
    services: matchit::Router<usize>,
    /// The number of segments of the longest path.
    max_segments: usize,
}

impl PathTree {
    fn find(&self, path: &str, segments: usize) -> Option<usize> {
        if segments <= self.max_segments { self.services.at(path).ok().map(|route| *route.value) } else { None }
    }
}

/// The error if a path is added that conflicts with another path in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteConflict;

impl Routes {
    /// Adds a path to the table. `service` is the index of the service that has this path.
    ///
    /// # Errors
    /// Fails if the tree already contains the path. This does not occur in definitions without errors, because they
    /// have no duplicate paths.
    pub fn insert(&mut self, path: &[Segment], service: usize, ignore_case: bool) -> Result<(), RouteConflict> {
        if path.is_empty() {
            return match self.service_at_base_path.replace(service) {
                None => Ok(()),
                Some(_) => Err(RouteConflict),
            };
        }
        let mut pattern = String::new();
        for (index, segment) in path.iter().enumerate() {
            pattern.push('/');
            match segment {
                Segment::Static(text) if ignore_case => pattern.push_str(&to_lowercase(&encode_segment(text))),
                Segment::Static(text) => pattern.push_str(&encode_segment(text)),
                Segment::Capture(_) => pattern.push_str(&format!("{{{index}}}")),
            }
        }
        let capture_flags = path.iter().map(|segment| matches!(segment, Segment::Capture(_))).collect();
        self.capture_flags.insert(service, capture_flags);
        let tree = if ignore_case { &mut self.case_insensitive } else { &mut self.case_sensitive };
        tree.max_segments = tree.max_segments.max(path.len());
        tree.services.insert(pattern, service).map_err(|_| RouteConflict)
    }

    /// Returns the index of the service with the longest path that is a prefix of `path`. If two paths have the same
    /// length, the first segment that is static in one path and a capture in the other decides: the path with the
    /// static segment takes precedence. `path` consists of [encoded](encode_segment) segments, each with a leading `/`.
    /// `segments` is the number of these segments.
    #[must_use]
    pub fn find(&self, path: &str, segments: usize) -> Option<usize> {
        // The segments after the longest path of a service are irrelevant.
        let max = self.case_sensitive.max_segments.max(self.case_insensitive.max_segments);
        let end = if segments > max { path.match_indices('/').nth(max) } else { None };
        let path = end.map_or(path, |(end, _)| &path[..end]);
        let lowercase = if self.case_insensitive.max_segments > 0 { to_lowercase(path) } else { Cow::Borrowed("") };
        let (mut prefix, mut lowercase_prefix) = (path, &*lowercase);
        for count in (1..=segments.min(max)).rev() {
            if let Some(service) = self.find_whole(prefix, lowercase_prefix, count) {
                return Some(service);
            }
            prefix = &prefix[..prefix.rfind('/')?];
            lowercase_prefix = lowercase_prefix.rfind('/').map_or("", |end| &lowercase_prefix[..end]);
        }
        self.service_at_base_path
    }

    /// Returns the index of the service with exactly this path, of `segments` segments.
    #[must_use]
    pub fn find_exact(&self, path: &str, segments: usize) -> Option<usize> {
        self.find_whole(path, &to_lowercase(path), segments)
    }

    fn find_whole(&self, path: &str, lowercase_path: &str, segments: usize) -> Option<usize> {
        let sensitive = self.case_sensitive.find(path, segments);
        match (sensitive, self.case_insensitive.find(lowercase_path, segments)) {
            (Some(one), Some(other)) if self.capture_flags.get(&other) < self.capture_flags.get(&one) => Some(other),
            (one, other) => one.or(other),
        }
    }
}

fn to_lowercase(path: &str) -> Cow<'_, str> {
    // Most paths contain no uppercase letters and need not be copied.
    if path.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(path.to_lowercase())
    }
}

/// Percent-encodes `%` and `/` in a decoded segment, so that the segments of a path can be joined with `/`.
#[must_use]
pub fn encode_segment(segment: &str) -> Cow<'_, str> {
    if segment.contains(['%', '/']) {
        Cow::Owned(segment.replace('%', "%25").replace('/', "%2F"))
    } else {
        Cow::Borrowed(segment)
    }
}

/// The notation of a capture in a shape. It is unambiguous, because static segments contain no braces. It is as long as
/// the shortest value of a capture, so that a shape is never longer than a path that it describes.
const CAPTURE_SHAPE: &str = "/{";

/// Returns the shape of a path: the path without the names of its captures, such as `/articles/{`. Two paths with the
/// same shape match the same requests. The shape of the root path is empty.
pub(crate) fn path_shape(path: &[Segment]) -> String {
    let mut shape = String::new();
    for segment in path {
        push_segment_shape(&mut shape, segment.static_text());
    }
    shape
}

/// Adds the shape of one more segment. `static_text` is `None` if the segment is a capture or a position.
pub(crate) fn push_segment_shape(shape: &mut String, static_text: Option<&str>) {
    match static_text {
        Some(text) => shape.extend(["/", text]),
        None => shape.push_str(CAPTURE_SHAPE),
    }
}

pub(crate) fn fold_case(text: &str) -> String {
    text.to_lowercase()
}

// Finds services of the API by their names. A service has a name if its path consists of two static segments. Requests
// name services in the style of PhalApi or api 3.0, two systems whose clients rulebook supports.

/// The namespace of all services in PhalApi 2: `App.Class.method`.
pub const NAMESPACE: &str = "App";

/// The method that PhalApi 2 calls if the name of a service contains only its class.
const DEFAULT_METHOD: &str = "Index";

/// The services that requests in the style of PhalApi can name, in the query at the base path or in the body.
pub struct NamedServices {
    /// The indexes of the services, by service name.
    pub by_class: ServicesByClass,
    /// The index of the service that handles requests without a service name.
    pub default_service: Option<usize>,
    /// The path of the PHP script through which clients call the API, below the base path and without a slash at its
    /// beginning. Requests to this path are handled like requests without it. Empty if there is no such path.
    pub entry: Box<str>,
    /// The envelope (the format of responses) of the error that is sent if no service has the requested name.
    pub envelope: Arc<dyn Envelope>,
}

/// The indexes of services by the name `Class.method`. As in PHP, the case of ASCII letters is ignored in the method,
/// and in the first letter of the class.
#[derive(Debug)]
pub struct ServicesByClass {
    /// The version of PhalApi that determines which names are complete.
    version: PhalapiVersion,
    services: HashMap<Box<str>, usize>,
}

impl ServicesByClass {
    /// Creates an index without services.
    #[must_use]
    pub fn new(version: PhalapiVersion) -> Self {
        Self { version, services: HashMap::new() }
    }

    /// Adds the service with the index `service` if its path consists of two static segments. If another service has
    /// the same name, returns the index of the other service and adds nothing.
    pub fn insert(&mut self, path: &[Segment], service: usize) -> Option<usize> {
        let [Segment::Static(class), Segment::Static(method)] = path else { return None };
        if class.contains('.') || method.contains('.') {
            return None;
        }
        let key = service_name_key(class, method).into();
        match self.services.get(&key) {
            Some(first) => Some(*first),
            None => {
                self.services.insert(key, service);
                None
            }
        }
    }

    /// Returns the indexes of all services that have a name.
    pub fn services(&self) -> impl Iterator<Item = usize> {
        self.services.values().copied()
    }

    /// Returns the index of the service with the name `name`, such as `Class.method` or `App.Class.method`.
    ///
    /// # Errors
    /// Fails if the name is not complete, or no service has it.
    pub fn find(&self, name: &str) -> Result<usize, ServiceNameError> {
        let (class, method) = self.split(name)?;
        self.services.get(&*service_name_key(class, method)).copied().ok_or(ServiceNameError::Unknown)
    }

    /// Splits the name of a service into the class and the method. As in PhalApi, parts after these are ignored.
    ///
    /// # Errors
    /// Fails if the name is not complete, or has another namespace than `App`.
    pub fn split<'n>(&self, name: &'n str) -> Result<(&'n str, &'n str), ServiceNameError> {
        let mut parts = name.split('.');
        let first = parts.next().unwrap_or_default();
        let (namespace, class, method) = match (parts.next(), parts.next()) {
            (None, _) if self.completes_class(name) => (NAMESPACE, first, DEFAULT_METHOD),
            (None, _) => return Err(ServiceNameError::Illegal),
            (Some(method), None) => (NAMESPACE, first, method),
            (Some(class), Some(method)) => (first, class, method),
        };
        if self.version >= PhalapiVersion::V1_4 && (is_empty_in_php(class) || is_empty_in_php(method)) {
            return Err(ServiceNameError::Illegal);
        }
        if namespace == NAMESPACE { Ok((class, method)) } else { Err(ServiceNameError::Unknown) }
    }

    /// Returns a name with the parts that PhalApi adds to it, as its error messages quote it.
    #[must_use]
    pub fn complete<'n>(&self, name: &'n str) -> Cow<'n, str> {
        match name.split('.').count() {
            1 if self.completes_class(name) => Cow::Owned(format!("{NAMESPACE}.{name}.{DEFAULT_METHOD}")),
            2 if self.version >= PhalapiVersion::V2_0 => Cow::Owned(format!("{NAMESPACE}.{name}")),
            _ => Cow::Borrowed(name),
        }
    }

    /// Returns `true` if a name that contains only a class is complete.
    fn completes_class(&self, name: &str) -> bool {
        self.version >= PhalapiVersion::V2_17 && !is_empty_in_php(name)
    }
}

/// Returns `true` if the PHP function `empty` treats a text as empty.
fn is_empty_in_php(text: &str) -> bool {
    matches!(text, "" | "0")
}

fn service_name_key(class: &str, method: &str) -> String {
    let mut key = String::with_capacity(class.len() + 1 + method.len());
    key.push_str(class);
    if let Some(first) = key.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    key.push('.');
    let start = key.len();
    key.push_str(method);
    key[start..].make_ascii_lowercase();
    key
}

/// The indexes of services by the fields `module` and `method` of a request body in the style of api 3.0. These fields
/// are compared with the two segments of the service's path, with the case sensitivity of the path.
#[derive(Debug, Default)]
pub struct ServicesByModule {
    case_sensitive: HashMap<Box<str>, usize>,
    case_insensitive: HashMap<Box<str>, usize>,
}

impl ServicesByModule {
    /// Adds the service with the index `service` if its path consists of two static segments.
    pub fn insert(&mut self, path: &[Segment], service: usize, ignore_case: bool) {
        let [Segment::Static(module), Segment::Static(method)] = path else { return };
        // Segments in a definition contain no slash, so that two services cannot have the same key by mistake.
        let key = format!("{module}/{method}");
        if ignore_case {
            self.case_insensitive.insert(key.to_lowercase().into(), service);
        } else {
            self.case_sensitive.insert(key.into(), service);
        }
    }

    /// Returns the indexes of all services that have a name.
    pub fn services(&self) -> impl Iterator<Item = usize> {
        self.case_sensitive.values().chain(self.case_insensitive.values()).copied()
    }

    /// Returns the index of the service that the fields `module` and `method` of a request name.
    #[must_use]
    pub fn find(&self, module: &str, method: &str) -> Option<usize> {
        let key = format!("{module}/{method}");
        self.case_sensitive.get(&*key).or_else(|| self.case_insensitive.get(&*key.to_lowercase())).copied()
    }
}

/// The fields in the query or body with which a request to the base path can name a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceNaming {
    /// The fields of PhalApi, a PHP framework: `service`, or `s` for short.
    Service,
    /// The fields of api 3.0, a system before rulebook: `module` and `method`.
    Module,
}

impl ServiceNaming {
    /// Returns the names of the request fields.
    #[must_use]
    pub fn fields(self) -> [&'static str; 2] {
        match self {
            Self::Service => ["service", "s"],
            Self::Module => ["module", "method"],
        }
    }
}

/// Returns the query fields in which a request to this service can name another one, because they are no parameters.
#[must_use]
pub fn fields_naming_another_service(service: &Service) -> Vec<&'static str> {
    let is_parameter = |field: &str| {
        let mut parameters = service.methods.iter().flat_map(|method| &method.parameters);
        parameters.any(|parameter| matches!(parameter.from, Location::Query | Location::Any) && parameter.key == field)
    };
    ServiceNaming::Service.fields().into_iter().filter(|field| !is_parameter(field)).collect()
}
