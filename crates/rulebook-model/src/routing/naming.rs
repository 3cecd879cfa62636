//! The styles in which a request can name a service of the API, instead of selecting the service by its path.

use crate::model::{Location, Service};

/// The fields of a request (in the query or in the body) with which a request to the base path can name a service of
/// the API.
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

/// Returns the query fields with which a request to the path of this service can name another service in the style of
/// PhalApi: those that are not parameters of the service.
#[must_use]
pub fn fields_naming_another_service(service: &Service) -> Vec<&'static str> {
    let is_parameter = |field: &str| {
        let mut parameters = service.methods.iter().flat_map(|method| &method.parameters);
        parameters.any(|parameter| matches!(parameter.from, Location::Query | Location::Any) && parameter.key == field)
    };
    ServiceNaming::Service.fields().into_iter().filter(|field| !is_parameter(field)).collect()
}
