//! Reads the handlers and authenticators that a definition chooses. Only the program knows their kinds, and checks the
//! settings of each.

use super::lowering::Lowering;
use super::type_expr::TypeOwner;
use crate::definition::parsed::NestedType;
use crate::definition::{JsonData, JsonMember, JsonNode, read_nested_type, wrong_kind_error};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{
    CLAIMS, COMBINE, DEFAULT_HANDLER, DeclaredClaim, DeclaredClaims, DefinedAuth, DefinedHandler, DefinedHandlers,
    ParameterType,
};

impl Lowering<'_> {
    pub(super) fn lower_handler(&mut self, node: &JsonNode) -> Option<DefinedHandler> {
        let settings = members(node);
        if settings.is_empty() {
            let error = Diagnostic::new(DiagnosticCode::BadHandler, node.span, "`handler` has no kind");
            self.report(error.help("name a kind of handler and its setting: `\"handler\": {\"value\": {\"id\": 5}}`"));
            return None;
        }
        Some(DefinedHandler { settings, span: node.span })
    }

    pub(crate) fn lower_handlers(&mut self, node: &JsonNode) -> Option<DefinedHandlers> {
        let mut kinds = members(node);
        let default = kinds.iter().position(|member| member.key.value == DEFAULT_HANDLER);
        let default = default.map(|index| kinds.remove(index));
        let default = default.and_then(|default| self.lower_handler(&default.value));
        Some(DefinedHandlers { default, kinds, span: node.span })
    }

    pub(crate) fn lower_auth(&mut self, node: &JsonNode) -> Option<DefinedAuth> {
        // The parser has reported values that are not objects.
        let JsonData::Object(members) = &node.data else { return None };
        let mut combine = true;
        let mut kinds = Vec::new();
        for member in members.list.iter().filter(|member| !member.is_comment()) {
            match (&*member.key.value, &member.value.data) {
                (COMBINE, JsonData::Bool(value)) => combine = *value,
                (COMBINE, _) => {
                    let message =
                        format!("`{COMBINE}` must be true or false, but this is {}", member.value.describe_kind());
                    let error = Diagnostic::new(DiagnosticCode::BadAuth, member.value.span, message);
                    self.report(error.help(
                        "with `false`, the first authenticator that accepts a credential determines all permissions",
                    ));
                }
                _ => kinds.push(member.clone()),
            }
        }
        // An empty object accepts no credentials.
        let is_empty = members.list.iter().all(JsonMember::is_comment);
        if kinds.is_empty() && !is_empty && !members.is_incomplete {
            let error = Diagnostic::new(DiagnosticCode::BadAuth, node.span, "`auth` has no kind of authenticator");
            self.report(error.help("name at least one: `\"auth\": {\"keys\": {}}` accepts the keys of this server"));
            return None;
        }
        Some(DefinedAuth { combine, kinds, span: node.span })
    }

    /// Compiles the types of the claims that authenticators declare.
    pub(super) fn lower_claims(&mut self, auth: &DefinedAuth) -> Vec<DeclaredClaims> {
        let mut declared = Vec::new();
        for settings in auth.kinds.iter().flat_map(DefinedAuth::settings_of) {
            let Some(node) = settings.member(CLAIMS) else { continue };
            let JsonData::Object(_) = &node.data else {
                let error = wrong_kind_error("`claims`", "an object", node);
                self.report(error.help("write the names of claims with their types: `{\"tenant\": \"string\"}`"));
                continue;
            };
            let claims = members(node).iter().filter_map(|member| self.lower_claim(member)).collect();
            declared.push(DeclaredClaims { claims, span: settings.span });
        }
        declared
    }

    fn lower_claim(&mut self, JsonMember { key, value }: &JsonMember) -> Option<DeclaredClaim> {
        let NestedType { r#type, is_incomplete, .. } =
            read_nested_type(CLAIMS, None, self.dialect, value, &mut self.diagnostics);
        let subject = format_args!("the claim `{}`", key.value.escape_debug());
        let owner = TypeOwner { diagnostic_subject: &subject, name_span: key.span, is_incomplete };
        let compiled = self.compile_type(&r#type?, owner)?;
        let (name, optional) = (key.value.clone(), compiled.is_optional);
        Some(DeclaredClaim { name, optional, r#type: ParameterType::new(compiled.check) })
    }
}

/// Returns the members of an object, without comments. The parser has reported other values.
fn members(node: &JsonNode) -> Vec<JsonMember> {
    match &node.data {
        JsonData::Object(members) => members.list.iter().filter(|member| !member.is_comment()).cloned().collect(),
        _ => Vec::new(),
    }
}
