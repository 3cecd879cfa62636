//! Converts scopes to the model. A scope is the permissions that a method requires; a permission can contain the value
//! of a parameter, as in `user[user_id]`.

use super::Lowering;
use super::method::MethodContext;
use super::parameter::LoweredParameter;
use crate::call::HttpMethod;
use crate::definition::parsed::PermissionGroups;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Location, Permission, PermissionPart, Scope, Segment};
use crate::span::Spanned;

impl Lowering<'_> {
    /// Converts the scope of a method, or the default if the method has none, to the model. A variable in a permission
    /// is a parameter in the path or in a header field, because the server checks permissions before it reads the body.
    pub(super) fn lower_scope(
        &mut self,
        written: Option<&PermissionGroups>,
        parameters: &[LoweredParameter],
        context: &MethodContext<'_>,
    ) -> Scope {
        let default = self.default_scope.clone();
        let Some(groups) = written.or(default.as_ref()) else {
            self.check_scope_is_not_required(context);
            return Scope::default();
        };
        // `[[]]` means the same as the empty scope: the method is public.
        if let [only] = &groups[..]
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
            let mut lower = |text| self.lower_permission(text, written.is_none(), parameters, context);
            let permissions = group.value.iter().filter_map(&mut lower);
            lowered.push(permissions.collect());
        }
        Scope { groups: lowered, conditions: None }
    }

    /// Reports a method that changes data, if the settings require that it has a scope.
    fn check_scope_is_not_required(&mut self, context: &MethodContext<'_>) {
        let changes_data = context.http_method.is_some_and(|http| http != HttpMethod::Get);
        if !self.requires_scope || !changes_data || context.is_incomplete {
            return;
        }
        let key = self.dialect.scope_key;
        let message = format!("{} changes data, but has no `{key}`", context.diagnostic_subject);
        let error = Diagnostic::new(DiagnosticCode::MissingScope, context.http_span, message);
        self.report(error.label("every client may call it").help(format!(
            "name the permissions: `\"{key}\": [[\"editor\"]]`, or write `\"{key}\": []` if everybody may call it"
        )));
    }

    fn lower_permission(
        &mut self,
        text: &Spanned<String>,
        is_inherited: bool,
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
                    let permission = Spanned::new(&permission.text, span);
                    if let Some(error) = self.permission_variable_error(name, permission, parameters, context) {
                        self.report(match is_inherited {
                            true => Diagnostic { span: context.http_span, label: String::new(), ..error }
                                .related(span, "the method has this scope because it names none")
                                .help(format!(
                                    "write `{}` at the method, or give it a parameter `{name}` in its path or a header field",
                                    self.dialect.scope_key
                                )),
                            false => error,
                        });
                    }
                }
            }
        }
        Some(permission)
    }

    /// Returns the error of a variable that is not the name of a suitable parameter. The span of `permission` is that
    /// of the variable.
    fn permission_variable_error(
        &self,
        name: &str,
        permission: Spanned<&String>,
        parameters: &[LoweredParameter],
        context: &MethodContext<'_>,
    ) -> Option<Diagnostic> {
        let span = permission.span;
        let is_available = |lowered: &&LoweredParameter| match &lowered.key {
            Some(key) => matches!(key.location, Location::Path | Location::Position(_) | Location::Header),
            None => true,
        };
        let parameter = parameters.iter().find(|lowered| lowered.name == name);
        Some(match parameter {
            Some(lowered) if is_available(&lowered) => return None,
            Some(lowered) => Diagnostic::new(
                DiagnosticCode::UnknownScopeVariable,
                span,
                format!("the permission `{}` depends on `{}`", permission.value, lowered.key_text),
            )
            .label("not available when permissions are checked")
            .related(lowered.span, "the parameter")
            .help("permissions can depend on captures, positions and headers only"),
            // A path capture without a parameter is reported elsewhere.
            None if context.is_incomplete || path_has_capture(context, name) => return None,
            None => Diagnostic::new(
                DiagnosticCode::UnknownScopeVariable,
                span,
                format!("the permission `{}` depends on an unknown parameter", permission.value),
            )
            .label("no parameter has this name in code")
            .help("use the name in code of a capture, position or header parameter")
            .suggest(name, parameters.iter().filter(is_available).map(|lowered| lowered.name.as_str())),
        })
    }
}

fn path_has_capture(context: &MethodContext<'_>, name: &str) -> bool {
    let has_name = |segment: &Segment| matches!(segment, Segment::Capture(capture) if capture == name);
    context.path_segments.is_some_and(|path| path.iter().any(has_name))
}
