//! The API methods that the body of a request to the base path can name.

use super::{NamedServices, PlannedService, ServicesByModule};
use crate::call::{AllowedMethods, HttpMethod};

/// The API methods that the body of a request to the base path can name, and the HTTP methods of such requests.
#[derive(Debug)]
pub struct NamedInBody {
    /// The indices of the API methods, each with the HTTP method that such a request has.
    pub methods: Box<[(HttpMethod, usize)]>,
    /// The HTTP methods of such requests.
    pub http_methods: AllowedMethods,
    /// The HTTP methods of the requests that name the service by its module.
    pub http_methods_by_module: AllowedMethods,
}

impl NamedInBody {
    /// Finds the methods. `by_module` and `named` are the services that a body can name in each way.
    pub fn new(
        by_module: Option<&ServicesByModule>,
        named: Option<&NamedServices>,
        services: &[PlannedService],
    ) -> Self {
        let methods_of = |service: usize| services[service].methods.iter().copied();
        let by_module = by_module.into_iter().flat_map(ServicesByModule::services).flat_map(methods_of);
        let by_module: Vec<_> = by_module.collect();
        let by_class = named.into_iter().flat_map(|named| named.by_class.services()).flat_map(methods_of);
        // PHP reads fields only from the bodies of POST requests.
        let posted = by_class.filter(|(http, _)| *http == HttpMethod::Post);
        let http_methods_by_module = AllowedMethods::sorted(by_module.iter().map(|(http, _)| *http));
        let methods: Box<[_]> = by_module.into_iter().chain(posted).collect();
        let http_methods = AllowedMethods::sorted(methods.iter().map(|(http, _)| *http));
        Self { methods, http_methods, http_methods_by_module }
    }
}
