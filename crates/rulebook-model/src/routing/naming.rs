//! The styles in which a request can name a service of the API, instead of selecting the service by its path.

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
