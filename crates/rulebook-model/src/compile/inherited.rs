//! Records which values methods have that they do not write themselves.

use super::lowering::Lowering;
use super::parameter::LoweredParameter;
use crate::definition::{JsonData, JsonNode, parsed};
use crate::model::DEFAULT_HANDLER;
use crate::span::Span;

/// A value that a method has from elsewhere, such as a default of its module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InheritedValue {
    /// The span of the method in the model.
    pub method: Span,
    /// The key of the value, such as `scope` or `in.lang`.
    pub key: String,
    /// The span of the value in the definition.
    pub from: Span,
}

impl Lowering<'_> {
    /// Records the defaults and the parameters that are not written in the method, and the settings of its kind of
    /// handler.
    pub(super) fn record_inherited(&mut self, method: &parsed::Method, parameters: &[LoweredParameter]) {
        let is_written = |key: &str| match key {
            "scope" => method.scope.is_some(),
            "rate_limit" => method.options.rate_limit.is_some(),
            _ => method.handler.is_some(),
        };
        let defaults = self.defaults.iter().filter(|(key, _)| !is_written(key));
        let parameters = parameters.iter().filter(|parameter| !method.span.contains(parameter.span));
        let default_handler = || self.handlers.and_then(|handlers| handlers.member(DEFAULT_HANDLER));
        let handler = method.handler.as_ref().or_else(default_handler);
        let settings = match self.handlers.map(|handlers| &handlers.data) {
            Some(JsonData::Object(members)) => members.list.as_slice(),
            _ => &[],
        };
        let is_used = |kind: &str| handler.and_then(|handler: &JsonNode| handler.member(kind)).is_some();
        let settings = settings.iter().filter(|member| is_used(&member.key.value));
        let inherited = defaults
            .map(|(key, from)| ((*key).to_owned(), *from))
            .chain(parameters.map(|parameter| (format!("in.{}", parameter.key_text), parameter.span)))
            .chain(settings.map(|member| (format!("handlers.{}", member.key.value), member.value.span)));
        let method = method.http_method.span;
        self.inherited.extend(inherited.map(|(key, from)| InheritedValue { method, key, from }));
    }
}
