//! Comparison of models that were read from different files.

use super::{Api, Method, Module, Parameter, Schema, Service};
use crate::span::Span;

impl Api {
    /// Replaces every span in the model with the default span.
    ///
    /// Two definitions describe the same API if their models without spans are equal, no matter in which files and on
    /// which lines the parts of the definitions are written.
    #[must_use]
    pub fn without_spans(mut self) -> Self {
        self.span = Span::default();
        if let Some(default) = &mut self.service.default {
            default.span = Span::default();
        }
        self.schemas.iter_mut().for_each(clear_schema);
        self.modules.iter_mut().for_each(clear_module);
        self
    }
}

fn clear_schema(schema: &mut Schema) {
    schema.span = Span::default();
}

fn clear_module(module: &mut Module) {
    module.span = Span::default();
    module.schemas.iter_mut().for_each(clear_schema);
    for Service { methods, span, .. } in &mut module.services {
        *span = Span::default();
        methods.iter_mut().for_each(clear_method);
    }
}

fn clear_method(method: &mut Method) {
    let Method { scope, parameters, outputs, errors, span, .. } = method;
    *span = Span::default();
    scope.groups.iter_mut().flatten().for_each(|permission| permission.span = Span::default());
    for Parameter { span, type_span, .. } in parameters {
        (*span, *type_span) = (Span::default(), Span::default());
    }
    outputs.iter_mut().for_each(|output| output.span = Span::default());
    errors.iter_mut().for_each(|error| error.span = Span::default());
}
