//! Reads the handlers that a definition chooses. The program checks their settings when it binds the handlers.

use super::lowering::Lowering;
use crate::definition::{JsonData, JsonMember, JsonNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{DEFAULT_HANDLER, DefinedHandler, DefinedHandlers};

impl Lowering<'_> {
    /// Returns the handler that a definition chooses for a method.
    pub(super) fn lower_handler(&mut self, node: &JsonNode) -> Option<DefinedHandler> {
        let settings = members(node);
        if settings.is_empty() {
            let error = Diagnostic::new(DiagnosticCode::BadHandler, node.span, "`handler` has no kind");
            self.report(error.help("name a kind of handler and its setting: `\"handler\": {\"value\": {\"id\": 5}}`"));
            return None;
        }
        Some(DefinedHandler { settings, span: node.span })
    }

    /// Returns the setting `handlers`.
    pub(crate) fn lower_handlers(&mut self, node: &JsonNode) -> Option<DefinedHandlers> {
        let mut kinds = members(node);
        let default = kinds.iter().position(|member| member.key.value == DEFAULT_HANDLER);
        let default = default.map(|index| kinds.remove(index));
        let default = default.and_then(|default| self.lower_handler(&default.value));
        Some(DefinedHandlers { default, kinds, span: node.span })
    }
}

/// Returns the members of an object, without comments. The parser has reported other values.
fn members(node: &JsonNode) -> Vec<JsonMember> {
    match &node.data {
        JsonData::Object(members) => members.list.iter().filter(|member| !member.is_comment()).cloned().collect(),
        _ => Vec::new(),
    }
}
