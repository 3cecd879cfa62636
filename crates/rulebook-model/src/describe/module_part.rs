//! API modules and parts of large API modules. Each part has a separate OpenAPI document and a separate documentation
//! page.

use std::ops::Range;

use crate::model::Api;

/// The maximum number of methods in one part of an API module.
const MAX_METHODS_PER_PART: usize = 250;

/// A part of an API module: a range of its methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModulePart {
    /// The index of the API module in [`Api::modules`].
    pub module: usize,
    /// The indexes of the methods. The methods of all services of the API module are numbered consecutively, from 0.
    pub methods: Range<usize>,
}

impl ModulePart {
    /// Returns a part with all methods of the API module whose index is `module`.
    #[must_use]
    pub fn whole_module(api: &Api, module: usize) -> Self {
        let services = api.modules.get(module).into_iter().flat_map(|module| &module.services);
        Self { module, methods: 0..services.map(|service| service.methods.len()).sum() }
    }

    /// Splits this part into parts of at most 250 methods, in order. If this part has no methods, the result is one
    /// part without methods.
    pub fn split(&self) -> impl Iterator<Item = Self> + use<> {
        let Self { module, methods: Range { start, end } } = *self;
        split_method_range(start..end).map(move |methods| Self { module, methods })
    }
}

/// Splits a range of methods into ranges of at most [`MAX_METHODS_PER_PART`] methods, in order. If the range is empty,
/// the result is one empty range.
pub(super) fn split_method_range(methods: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let Range { start, end } = methods;
    let parts = methods.len().div_ceil(MAX_METHODS_PER_PART).max(1);
    (0..parts)
        .map(move |part| start + part * MAX_METHODS_PER_PART..(start + (part + 1) * MAX_METHODS_PER_PART).min(end))
}
