//! Compiles the handlers that a definition chooses for its methods.

use std::sync::Arc;

use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode};
use rulebook_model::model::{Api, DefinedHandler, Method};
use rulebook_model::span::Span;

use crate::handler::settings::unknown_setting;
use crate::handler::{HandledMethod, HandlerBinding, HandlerError, HandlerKind, variable_errors};
use crate::plan::Action;

/// Returns the action of a method whose handler the definition chooses, and `None` if the method has no such handler.
/// `binding` is the handler of the program for this method: a method cannot have both. Returns a diagnostic for each
/// error in the settings of the handler. The errors of the default handler that [`shared_handler_errors`] returns are
/// not repeated for each method.
pub(super) fn compile_handler(
    api: &Api,
    method: &Method,
    binding: Option<&HandlerBinding>,
    kinds: &[Arc<dyn HandlerKind>],
) -> Option<Result<Action, Vec<Diagnostic>>> {
    let default = || default_handler(api).filter(|_| binding.is_none());
    let handler = method.handler.as_ref().or_else(default)?;
    if let Some(binding) = binding {
        let message = format!("{} has a handler here, and another one in the program", method.id);
        let help = format!("remove one of them; the other one is bound at {}", binding.location);
        return Some(Err(vec![Diagnostic::new(DiagnosticCode::BadHandler, handler.span, message).help(help)]));
    }
    let (kind, mut diagnostics) = match find_kind(handler, kinds) {
        Ok(kind) => (kind, unknown_setting_errors(handler, kind)),
        Err(error) => return Some(Err(if method.handler.is_some() { vec![error] } else { Vec::new() })),
    };
    if method.handler.is_none() && !diagnostics.is_empty() {
        return Some(Err(Vec::new()));
    }
    let shared = api.handlers.as_ref().and_then(|handlers| handlers.kind(kind.name()));
    let texts = handler.settings.iter().map(|setting| &setting.value).chain(shared);
    let unset: Vec<_> = texts.flat_map(variable_errors).collect();
    if !unset.is_empty() {
        return Some(Err(unset.into_iter().map(|error| handler_diagnostic(error, handler.span)).collect()));
    }
    let compiled = kind.compile(&HandledMethod { method, handler, api });
    let compiled = compiled.map_err(|errors| {
        diagnostics.extend(errors.into_iter().map(|error| handler_diagnostic(error, handler.span)));
    });
    Some(match compiled {
        Ok(compiled) if diagnostics.is_empty() => {
            Ok(Action::Defined { handler: compiled, settings: handler.to_json().to_string().into() })
        }
        _ => Err(diagnostics),
    })
}

/// Returns the errors of all handlers that the definition chooses. The default handler concerns only methods without a
/// handler in the program: what depends on the method is checked only if `is_default_used` is `true`, because the
/// program has no handlers. Methods whose spans are in `failed` are not checked.
pub(crate) fn defined_handler_errors(
    api: &Api,
    kinds: &[Arc<dyn HandlerKind>],
    is_default_used: bool,
    failed: &[Span],
) -> Vec<Diagnostic> {
    let methods = api.methods().map(|(_, _, method)| method);
    let methods = methods.filter(|method| is_default_used || method.handler.is_some());
    let methods = methods.filter(|method| !failed.contains(&method.span));
    let compiled = methods.filter_map(|method| compile_handler(api, method, None, kinds)?.err());
    shared_handler_errors(api, kinds).into_iter().chain(compiled.flatten()).collect()
}

/// Returns the errors in the setting `handlers` that do not depend on methods: members that are not named after a kind,
/// and an unknown kind or unknown settings of the default handler, whether or not a method uses it.
pub(super) fn shared_handler_errors(api: &Api, kinds: &[Arc<dyn HandlerKind>]) -> Vec<Diagnostic> {
    let default = default_handler(api).map(|handler| match find_kind(handler, kinds) {
        Ok(kind) => unknown_setting_errors(handler, kind),
        Err(error) => vec![error],
    });
    let named = api.handlers.iter().flat_map(|handlers| &handlers.kinds);
    let unknown = named.filter(|member| kinds.iter().all(|kind| kind.name() != member.key.value));
    let unknown = unknown.map(|member| unknown_name_error((&member.key.value, member.key.span), kinds));
    default.into_iter().flatten().chain(unknown).collect()
}

fn default_handler(api: &Api) -> Option<&DefinedHandler> {
    api.handlers.as_ref().and_then(|handlers| handlers.default.as_ref())
}

/// Returns the kind that one of the settings of a handler names.
fn find_kind<'k>(
    handler: &DefinedHandler,
    kinds: &'k [Arc<dyn HandlerKind>],
) -> Result<&'k dyn HandlerKind, Diagnostic> {
    let named = kinds.iter().filter(|kind| handler.setting(kind.name()).is_some());
    match named.collect::<Vec<_>>()[..] {
        [kind] => Ok(&**kind),
        [] => Err(unknown_kind_error(handler, kinds)),
        [one, other, ..] => {
            let message = format!("a handler cannot be of both kinds `{}` and `{}`", one.name(), other.name());
            let error = Diagnostic::new(DiagnosticCode::BadHandler, handler.span, message);
            Err(error.help("remove one of these keys"))
        }
    }
}

/// Returns an error in the settings of a handler as a diagnostic. `whole` is the span of an error without a span.
pub(crate) fn handler_diagnostic(error: HandlerError, whole: Span) -> Diagnostic {
    error.into_diagnostic(DiagnosticCode::BadHandler, whole)
}

fn unknown_kind_error(handler: &DefinedHandler, kinds: &[Arc<dyn HandlerKind>]) -> Diagnostic {
    let first = handler.settings.first().map(|setting| (setting.key.value.as_str(), setting.key.span));
    unknown_name_error(first.unwrap_or(("", handler.span)), kinds)
}

fn unknown_name_error((first, span): (&str, Span), kinds: &[Arc<dyn HandlerKind>]) -> Diagnostic {
    let names: Vec<_> = kinds.iter().map(|kind| format!("`{}`", kind.name())).collect();
    let message = format!("`{}` is not a kind of handler", first.escape_debug());
    let error = Diagnostic::new(DiagnosticCode::BadHandler, span, message);
    let help = format!("one of the keys names the kind; this program has the kinds {}", names.join(", "));
    error.help(help).suggest(first, kinds.iter().map(|kind| kind.name()))
}

fn unknown_setting_errors(handler: &DefinedHandler, kind: &dyn HandlerKind) -> Vec<Diagnostic> {
    let is_known = |key: &str| key == kind.name() || kind.settings().contains(&key);
    let unknown = handler.settings.iter().filter(|setting| !is_known(&setting.key.value));
    let owner = format!("a handler of the kind `{}`", kind.name());
    let errors = unknown.map(|setting| {
        let error = unknown_setting(&setting.key, &owner, kind.settings());
        match kind.settings() {
            [] => error.help("remove it: this kind has no settings besides its name"),
            _ => error,
        }
    });
    errors.map(|error| handler_diagnostic(error, handler.span)).collect()
}
