//! The fields of a request that name a service.

/// The fields that name a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// PhalApi's `service`, or `s` for short.
    Service,
    /// api 3.0's `module` and `method`.
    Module,
}

impl Naming {
    /// Their names.
    #[must_use]
    pub fn fields(self) -> [&'static str; 2] {
        match self {
            Self::Service => ["service", "s"],
            Self::Module => ["module", "method"],
        }
    }
}
