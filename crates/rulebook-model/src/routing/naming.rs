//! The request fields that can name the service of a request.

/// The request fields that can name the service of a request to the base path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// PhalApi's `service`, or `s` for short.
    Service,
    /// api 3.0's `module` and `method`.
    Module,
}

impl Naming {
    /// Returns the names of the fields.
    #[must_use]
    pub fn fields(self) -> [&'static str; 2] {
        match self {
            Self::Service => ["service", "s"],
            Self::Module => ["module", "method"],
        }
    }
}
