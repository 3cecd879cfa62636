//! Comparison of models that were read from different files.

use std::path::PathBuf;

use rulebook_model::definition::{JsonData, JsonMember, JsonNode};
use rulebook_model::model::{
    Api, DefinedAuth, DefinedHandler, DefinedHandlers, Method, Module, Parameter, Schema, Service,
};
use rulebook_model::span::Span;

/// Comparison of models that were read from different files.
pub trait WithoutSpans {
    /// Replaces every span in the model with the default span, and removes what another definition of the same API may
    /// not have: the names of the schemas that a schema extends, and whether the dialect follows the semantics of HTTP.
    ///
    /// Two definitions describe the same API if their models without spans are equal, no matter in which files and on
    /// which lines the parts of the definitions are written.
    #[must_use]
    fn without_spans(self) -> Self;
}

impl WithoutSpans for Api {
    fn without_spans(mut self) -> Self {
        self.span = Span::default();
        self.project = PathBuf::new();
        if let Some(default) = &mut self.service.default {
            default.span = Span::default();
        }
        let addresses = [&mut self.key_storage, &mut self.idempotency_storage, &mut self.traces];
        let counter = self.shared_limits.as_mut().map(|settings| &mut settings.url);
        addresses.into_iter().flatten().chain(counter).for_each(|url| url.span = Span::default());
        let files = self.tls_certificates.iter_mut().chain(&mut self.tls_keys).chain(&mut self.tls_client_ca);
        files.for_each(|file| file.span = Span::default());
        if let Some(mode) = &mut self.tls_client_certificate {
            mode.span = Span::default();
        }
        self.schemas.iter_mut().for_each(clear_schema);
        self.modules.iter_mut().for_each(clear_module);
        if let Some(DefinedHandlers { default, kinds, span }) = &mut self.handlers {
            *span = Span::default();
            default.iter_mut().for_each(clear_handler);
            kinds.iter_mut().for_each(clear_member);
        }
        if let Some(DefinedAuth { combine: _, kinds, span }) = &mut self.auth {
            *span = Span::default();
            kinds.iter_mut().for_each(clear_member);
        }
        self
    }
}

fn clear_schema(schema: &mut Schema) {
    schema.span = Span::default();
    schema.extends.clear();
}

fn clear_module(module: &mut Module) {
    module.span = Span::default();
    module.schemas.iter_mut().for_each(clear_schema);
    for Service { methods, span, .. } in &mut module.services {
        *span = Span::default();
        methods.iter_mut().for_each(clear_method);
    }
}

fn clear_member(member: &mut JsonMember) {
    member.key.span = Span::default();
    clear_node(&mut member.value);
}

fn clear_node(node: &mut JsonNode) {
    node.span = Span::default();
    match &mut node.data {
        JsonData::Array(items) => items.iter_mut().for_each(clear_node),
        JsonData::Object(members) => members.list.iter_mut().for_each(clear_member),
        JsonData::Null | JsonData::Bool(_) | JsonData::Number(_) | JsonData::String(_) => {}
    }
}

fn clear_handler(DefinedHandler { settings, span }: &mut DefinedHandler) {
    *span = Span::default();
    settings.iter_mut().for_each(clear_member);
}

fn clear_method(method: &mut Method) {
    let Method { scope, parameters, outputs, errors, handler, options, span, follows_http_semantics, .. } = method;
    *span = Span::default();
    *follows_http_semantics = true;
    scope.groups.iter_mut().flatten().for_each(|permission| permission.span = Span::default());
    for Parameter { span, type_span, .. } in parameters {
        (*span, *type_span) = (Span::default(), Span::default());
    }
    if let Some(handler) = handler {
        clear_handler(handler);
    }
    if let Some(successor) = options.deprecation.as_mut().and_then(|it| it.successor.as_mut()) {
        successor.span = Span::default();
    }
    outputs.iter_mut().for_each(|output| output.span = Span::default());
    errors.iter_mut().for_each(|error| error.span = Span::default());
}
