//! Modules, and parts of large modules, which have their own OpenAPI documents and pages.

use std::ops::Range;

use crate::model::Api;

/// The maximum number of methods in one part of a module.
const MAX_METHODS: usize = 250;

/// A range of the methods in one module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModulePart {
    /// Index of the module in the API.
    pub module: usize,
    /// Indexes of the methods, counted over all services of the module in order.
    pub methods: Range<usize>,
}

impl ModulePart {
    /// Returns the part that consists of all methods in the module with this index.
    #[must_use]
    pub fn whole(api: &Api, module: usize) -> Self {
        let services = api.modules.get(module).into_iter().flat_map(|module| &module.services);
        Self { module, methods: 0..services.map(|service| service.methods.len()).sum() }
    }

    /// Splits this part into parts of at most 250 methods, in order. The result is never empty, but its only part may
    /// be.
    pub fn split(&self) -> impl Iterator<Item = Self> + use<> {
        let Self { module, methods: Range { start, end } } = *self;
        ranges(start..end).map(move |methods| Self { module, methods })
    }
}

/// Splits a range of methods into ranges of at most [`MAX_METHODS`], in order. The result is never empty.
pub(super) fn ranges(methods: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let Range { start, end } = methods;
    let parts = methods.len().div_ceil(MAX_METHODS).max(1);
    (0..parts).map(move |part| start + part * MAX_METHODS..(start + (part + 1) * MAX_METHODS).min(end))
}
