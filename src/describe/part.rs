//! Parts of an API that are described by themselves.

use std::ops::Range;

use crate::model::Api;

/// How many methods of a module are described together.
const MOST: usize = 250;

/// A module, or some of its methods where it has many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Index of the module.
    pub module: usize,
    /// Which of the methods of its services, in their order.
    pub methods: Range<usize>,
}

impl Part {
    /// All of a module.
    #[must_use]
    pub fn whole(api: &Api, module: usize) -> Self {
        let services = api.modules.get(module).into_iter().flat_map(|module| &module.services);
        Self { module, methods: 0..services.map(|service| service.methods.len()).sum() }
    }

    /// The parts that this is described in, one by one: at least one, in order.
    pub fn split(&self) -> impl Iterator<Item = Self> + use<> {
        let Self { module, methods: Range { start, end } } = *self;
        ranges(start..end).map(move |methods| Self { module, methods })
    }
}

/// So many methods in parts: at least one, in order.
pub(super) fn ranges(methods: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let Range { start, end } = methods;
    let parts = methods.len().div_ceil(MOST).max(1);
    (0..parts).map(move |part| start + part * MOST..(start + (part + 1) * MOST).min(end))
}
