//! Converts scopes to the model. A scope is the permissions that a method requires; a permission can contain the value
//! of a parameter, as in `user[user_id]`.

use super::lowering::Lowering;
use super::method::MethodContext;
use super::parameter::LoweredParameter;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Location, Permission, PermissionPart, Scope, Segment};
use crate::span::Spanned;

/// Permissions of which a caller needs all.
type PermissionGroup = Spanned<Vec<Spanned<String>>>;

impl Lowering<'_> {
    /// Converts a scope to the model. A variable in a permission is a parameter in the path or in a header field,
    /// because the server checks permissions before it reads the body.
    pub(super) fn lower_scope(
        &mut self,
        groups: &[PermissionGroup],
        parameters: &[LoweredParameter],
        context: &MethodContext<'_>,
    ) -> Scope {
        // `[[]]` means the same as the empty scope: the method is public.
        if let [only] = groups
            && only.value.is_empty()
        {
            return Scope::default();
        }
        let mut lowered = Vec::with_capacity(groups.len());
        for group in groups {
            if group.value.is_empty() {
                self.report(
                    Diagnostic::new(DiagnosticCode::BadScope, group.span, "empty group among other groups")
                        .label("allows every caller")
                        .help(format!(
                            "remove the group, or remove `{}` if the method is public",
                            self.dialect.scope_key
                        )),
                );
                continue;
            }
            let permissions = group.value.iter().filter_map(|text| self.lower_permission(text, parameters, context));
            lowered.push(permissions.collect());
        }
        Scope { groups: lowered, conditions: None }
    }

    fn lower_permission(
        &mut self,
        text: &Spanned<String>,
        parameters: &[LoweredParameter],
        context: &MethodContext<'_>,
    ) -> Option<Permission> {
        let permission = Permission::parse(&text.value, text.span)
            .filter(|permission| !permission.text.trim().is_empty() && !permission.text.contains(char::is_control));
        let Some(permission) = permission else {
            let (message, label) = if text.value.trim().is_empty() {
                ("empty permission".to_owned(), "empty")
            } else {
                (format!("`{}` is not a valid permission", text.value.escape_debug()), "invalid permission")
            };
            self.report(
                Diagnostic::new(DiagnosticCode::BadScope, text.span, message)
                    .label(label)
                    .help("a permission is a name, which can contain a parameter in brackets: `user[user_id]`"),
            );
            return None;
        };
        let mut at = 0;
        for piece in &permission.parts {
            match piece {
                PermissionPart::Literal(literal) => at += literal.len(),
                PermissionPart::Variable(name) => {
                    let span = text.part(at, at + name.len());
                    at += name.len();
                    self.check_permission_variable(name, Spanned::new(&permission.text, span), parameters, context);
                }
            }
        }
        Some(permission)
    }

    /// Reports a variable that is not the name of a suitable parameter. The span of `permission` is that of the
    /// variable.
    fn check_permission_variable(
        &mut self,
        name: &str,
        permission: Spanned<&String>,
        parameters: &[LoweredParameter],
        context: &MethodContext<'_>,
    ) {
        let span = permission.span;
        let is_available = |lowered: &&LoweredParameter| match &lowered.key {
            Some(key) => matches!(key.location, Location::Path | Location::Position(_) | Location::Header),
            None => true,
        };
        let parameter = parameters.iter().find(|lowered| lowered.name == name);
        let error = match parameter {
            Some(lowered) if is_available(&lowered) => return,
            Some(lowered) => Diagnostic::new(
                DiagnosticCode::UnknownScopeVariable,
                span,
                format!("the permission `{}` depends on `{}`", permission.value, lowered.key_text),
            )
            .label("not available when permissions are checked")
            .related(lowered.span, "the parameter")
            .help("permissions can depend on captures, positions and headers only"),
            // A path capture without a parameter is reported elsewhere.
            None if context.is_incomplete || path_has_capture(context, name) => return,
            None => Diagnostic::new(
                DiagnosticCode::UnknownScopeVariable,
                span,
                format!("the permission `{}` depends on an unknown parameter", permission.value),
            )
            .label("no parameter has this name in code")
            .help("use the name in code of a capture, position or header parameter")
            .suggest(name, parameters.iter().filter(is_available).map(|lowered| lowered.name.as_str())),
        };
        self.report(error);
    }
}

fn path_has_capture(context: &MethodContext<'_>, name: &str) -> bool {
    let has_name = |segment: &Segment| matches!(segment, Segment::Capture(capture) if capture == name);
    context.path_segments.is_some_and(|path| path.iter().any(has_name))
}
