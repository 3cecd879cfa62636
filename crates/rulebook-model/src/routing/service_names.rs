//! Finds services of the API by their names. A service has a name if its path consists of two static segments. Requests
//! name services in the style of PhalApi or api 3.0, two systems whose clients rulebook supports.

use std::collections::HashMap;
use std::sync::Arc;

use crate::envelope::Envelope;
use crate::model::{Location, Segment, Service};

/// The optional prefix of service names in PhalApi: `App.Class.method`.
const NAMESPACE_PREFIX: &str = "App.";

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
#[derive(Debug, Default)]
pub struct ServicesByClass(HashMap<Box<str>, usize>);

impl ServicesByClass {
    /// Adds the service with the index `service` if its path consists of two static segments. If another service has
    /// the same name, returns the index of the other service and adds nothing.
    pub fn insert(&mut self, path: &[Segment], service: usize) -> Option<usize> {
        let [Segment::Static(class), Segment::Static(method)] = path else { return None };
        if class.contains('.') || method.contains('.') {
            return None;
        }
        let key = service_name_key(class, method).into();
        match self.0.get(&key) {
            Some(first) => Some(*first),
            None => {
                self.0.insert(key, service);
                None
            }
        }
    }

    /// Returns the indexes of all services that have a name.
    pub fn services(&self) -> impl Iterator<Item = usize> {
        self.0.values().copied()
    }

    /// Returns the index of the service with the name `name`, which has the form `Class.method` or `App.Class.method`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        let (class, method) = split_service_name(name)?;
        self.0.get(&*service_name_key(class, method)).copied()
    }
}

/// Splits the name of a service, `Class.method` or `App.Class.method`, into the class and the method.
#[must_use]
pub fn split_service_name(name: &str) -> Option<(&str, &str)> {
    let without_namespace = name.strip_prefix(NAMESPACE_PREFIX).filter(|rest| rest.contains('.'));
    without_namespace.unwrap_or(name).split_once('.')
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
