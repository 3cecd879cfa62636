//! Reads the setting `auth`. The program checks the settings of each kind of authenticator.

use super::lowering::Lowering;
use crate::definition::{JsonData, JsonNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{COMBINE, DefinedAuth};

impl Lowering<'_> {
    /// Returns the setting `auth`; `None` if it names no kind of authenticator.
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
        if kinds.is_empty() && !members.is_incomplete {
            let error = Diagnostic::new(DiagnosticCode::BadAuth, node.span, "`auth` has no kind of authenticator");
            self.report(error.help("name at least one: `\"auth\": {\"keys\": {}}` accepts the keys of this server"));
            return None;
        }
        Some(DefinedAuth { combine, kinds, span: node.span })
    }
}
