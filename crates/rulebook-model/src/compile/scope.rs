//! Converts scopes to the model: the permissions that a method requires, and the parameters that permissions depend on.

use super::lower::Lowering;
use super::method::MethodContext;
use super::parameter::LoweredParameter;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Location, Permission, PermissionPart, Scope, Segment};
use crate::span::Spanned;

type Group = Spanned<Vec<Spanned<String>>>;

impl Lowering<'_> {
    /// Converts a scope, an OR of ANDs of permissions, to the model. A variable in a permission is the name in code of
    /// a path, position or header parameter, because permissions are checked before the body is read.
    pub(super) fn lower_scope(
        &mut self,
        groups: &[Group],
        parameters: &[LoweredParameter],
        context: &MethodContext<'_>,
    ) -> Scope {
        // `[[]]` is another notation of the empty scope: the method is public.
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
                        .help(format!("remove the group, or remove `{}` if the method is public", self.spec.scope_key)),
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
                    self.check_variable(name, Spanned::new(&permission.text, span), parameters, context);
                }
            }
        }
        Some(permission)
    }

    /// Checks a variable of a permission. The span of `permission` is the span of the variable.
    fn check_variable(
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
            // A capture without a parameter has been reported.
            None if context.incomplete || has_capture(context, name) => return,
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

fn has_capture(context: &MethodContext<'_>, name: &str) -> bool {
    let is_it = |segment: &Segment| matches!(segment, Segment::Capture(capture) if capture == name);
    context.path.is_some_and(|path| path.iter().any(is_it))
}
