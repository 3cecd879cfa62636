//! Finds services by their names. A service has a name if its path consists of two static segments.

use std::collections::HashMap;
use std::sync::Arc;

use crate::envelope::Envelope;
use crate::model::Segment;

/// The optional prefix of names in PhalApi: `App.Class.method`.
const NAMESPACE: &str = "App.";

/// The services that requests in the style of PhalApi can name, in the query of the base path or in the body.
pub struct NamedServices {
    /// The services by name.
    pub classes: ServicesByClass,
    /// The index of the service for requests without a name.
    pub default: Option<usize>,
    /// The envelope of the error response if no service has the requested name.
    pub envelope: Arc<dyn Envelope>,
}

/// The indices of services by `Class.method`. As in PHP, the ASCII case of the first letter of the class, and of the
/// whole method, is ignored.
#[derive(Debug, Default)]
pub struct ServicesByClass(HashMap<Box<str>, usize>);

impl ServicesByClass {
    /// Adds a service, unless its path does not consist of two static segments. If another service has the same name,
    /// returns the index of that service and adds nothing.
    pub fn insert(&mut self, path: &[Segment], service: usize) -> Option<usize> {
        let [Segment::Static(class), Segment::Static(method)] = path else { return None };
        if class.contains('.') || method.contains('.') {
            return None;
        }
        let key = class_key(class, method).into();
        match self.0.get(&key) {
            Some(first) => Some(*first),
            None => {
                self.0.insert(key, service);
                None
            }
        }
    }

    /// Returns the index of the service with this name: `Class.method` or `App.Class.method`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        let without_namespace = name.strip_prefix(NAMESPACE).filter(|rest| rest.contains('.'));
        let (class, method) = without_namespace.unwrap_or(name).split_once('.')?;
        self.0.get(&*class_key(class, method)).copied()
    }
}

fn class_key(class: &str, method: &str) -> String {
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

/// The indices of services by the module and method that a request body in the style of api 3.0 names. They are the two
/// segments of the path, and are compared in the same way.
#[derive(Debug, Default)]
pub struct ServicesByModule {
    case_sensitive: HashMap<Box<str>, usize>,
    case_insensitive: HashMap<Box<str>, usize>,
}

impl ServicesByModule {
    /// Adds a service, unless its path does not consist of two static segments.
    pub fn insert(&mut self, path: &[Segment], service: usize, ignore_case: bool) {
        let [Segment::Static(module), Segment::Static(method)] = path else { return };
        // Segments in a definition contain no slash, so the key is unambiguous.
        let key = format!("{module}/{method}");
        if ignore_case {
            self.case_insensitive.insert(key.to_lowercase().into(), service);
        } else {
            self.case_sensitive.insert(key.into(), service);
        }
    }

    /// Returns the index of the service with this module and method.
    #[must_use]
    pub fn find(&self, module: &str, method: &str) -> Option<usize> {
        let key = format!("{module}/{method}");
        self.case_sensitive.get(&*key).or_else(|| self.case_insensitive.get(&*key.to_lowercase())).copied()
    }
}
