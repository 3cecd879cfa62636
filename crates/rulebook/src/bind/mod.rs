//! Binds the handlers of the program to the API methods of the model, and creates the plan: the data structures with
//! which requests are handled.
//!
//! Mismatches are reported as diagnostics: API methods without a handler, handlers without an API method, and handlers
//! whose argument type does not accept all valid arguments.

mod check_handler;
mod plan;
mod version_handler;

use std::collections::HashMap;
use std::sync::Arc;

use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode};
use rulebook_model::model::{Api, DefinedHandler, Method, Module, Segment, Service, Unbound};
use rulebook_model::span::Span;

use crate::call::HttpMethod;
use crate::handler::settings::unknown_setting;
use crate::handler::{self, HandledMethod, HandlerBinding, HandlerError, HandlerKind, MockHandler, variable_errors};
use crate::plan::Action;

pub use check_handler::argument_types;
use check_handler::{check_handler, check_outputs};
use plan::parameter_default;
pub use plan::{PlanContext, create_plan, uses_idempotency_keys};
pub use version_handler::actions_of_version;

/// The maximum number of modules that the error for an unknown module lists.
const MAX_LISTED_MODULES: usize = 20;

#[derive(Default)]
pub struct BoundHandlers {
    /// The action (the code that a call runs) of each API method, in the order of the API modules, services and methods
    /// of the model.
    pub actions: Vec<Action>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Identifies the API method to which a handler is bound: the name of an API module, an HTTP method, and a path in
/// which `{}` replaces each capture (a segment that is a parameter).
type BindingKey<'a> = (&'a str, HttpMethod, String);

/// `unbound` is the setting for API methods without a handler.
pub fn bind_handlers(
    api: &Api,
    modules: &[handler::Module],
    kinds: &[Arc<dyn HandlerKind>],
    unbound: Unbound,
) -> BoundHandlers {
    let mut bound = BoundHandlers::default();
    if unbound == Unbound::Echo {
        bound.actions = api.methods().map(|_| Action::Echo).collect();
        return bound;
    }
    bound.diagnostics.extend(shared_handler_errors(api, kinds));
    let known = defined_modules(api, modules, &mut bound.diagnostics);
    let mut bindings = bindings_by_method(api, &known, &mut bound.diagnostics);
    for (module, service, method) in api.methods() {
        let binding = bindings.remove(&(module.name.as_str(), method.http, service_pattern(service)));
        if let Some(compiled) = compile_handler(api, method, binding, kinds) {
            bound.actions.push(compiled.unwrap_or_else(|errors| {
                bound.diagnostics.extend(errors);
                Action::NotImplemented
            }));
            continue;
        }
        let action = match binding {
            Some(binding) => {
                let fields = binding.handler.argument_fields();
                bound.diagnostics.extend(check_handler(method, binding, &fields));
                bound.diagnostics.extend(check_download_option(method, binding));
                bound.diagnostics.extend(check_outputs(method, binding));
                let nullable = method
                    .parameters
                    .iter()
                    .map(|parameter| fields.nullable_fields.contains(&parameter.name.as_str()))
                    .collect();
                Action::Handler { handler: binding.handler.clone(), nullable }
            }
            None if unbound == Unbound::Mock => match MockHandler::new(method) {
                Ok(handler) => Action::Defined { handler: Arc::new(handler), settings: Box::default() },
                Err(errors) => {
                    let errors = errors.into_iter().map(|error| handler_diagnostic(error, method.span));
                    bound.diagnostics.extend(errors);
                    Action::NotImplemented
                }
            },
            None => {
                if unbound == Unbound::Refuse {
                    bound.diagnostics.push(missing_handler_error(module, service, method));
                }
                Action::NotImplemented
            }
        };
        bound.actions.push(action);
    }
    let mut unmatched_bindings: Vec<_> = bindings.into_iter().collect();
    unmatched_bindings.sort_by_key(|(_, binding)| binding.location);
    bound
        .diagnostics
        .extend(unmatched_bindings.into_iter().map(|(key, binding)| missing_method_error(api, &key, binding)));
    bound
}

/// Reports duplicate modules, and modules that the definition does not have.
fn defined_modules<'m>(
    api: &Api,
    modules: &'m [handler::Module],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<&'m handler::Module> {
    let mut known: Vec<&handler::Module> = Vec::new();
    for module in modules {
        let (name, location) = (&module.name, module.location);
        if let Some(first) = known.iter().find(|other| other.name == *name) {
            let message =
                format!("the program adds the module `{name}` twice, at {} and at {location}", first.location);
            diagnostics.push(
                Diagnostic::new(DiagnosticCode::UndefinedMethod, module_span(api, name), message)
                    .help("bind all handlers of a module to one `Module`"),
            );
        } else if find_module(api, name).is_none() {
            let message =
                format!("the program adds the module `{name}` at {location}, but the definition has no such module");
            let names = || api.modules.iter().map(|module| module.name.as_str());
            let list: Vec<_> = names().take(MAX_LISTED_MODULES).map(|name| format!("`{name}`")).collect();
            let help = format!(
                "the definition has the modules {}; a module has the name of its file unless the file sets `module`",
                list.join(", ")
            );
            let error = Diagnostic::new(DiagnosticCode::UndefinedMethod, api.span, message).help(help);
            diagnostics.push(error.suggest(name, names()));
        } else {
            known.push(module);
        }
    }
    known
}

fn find_module<'a>(api: &'a Api, name: &str) -> Option<&'a Module> {
    api.modules.iter().find(|module| module.name == name)
}

/// Returns the span of the settings if the definition does not have the module.
fn module_span(api: &Api, name: &str) -> Span {
    find_module(api, name).map_or(api.span, |module| module.span)
}

/// Reports two handlers that are bound to the same API method.
fn bindings_by_method<'m>(
    api: &Api,
    modules: &[&'m handler::Module],
    diagnostics: &mut Vec<Diagnostic>,
) -> HashMap<BindingKey<'m>, &'m HandlerBinding> {
    let mut bindings: HashMap<BindingKey<'m>, &'m HandlerBinding> = HashMap::new();
    for module in modules {
        for binding in &module.bindings {
            let key = (module.name.as_str(), binding.http_method, binding_pattern(&binding.path));
            let Some(first) = bindings.get(&key) else {
                bindings.insert(key, binding);
                continue;
            };
            let (http, path) = (binding.http_method.as_str(), &binding.path);
            let message = format!("{http} {path} is bound twice, at {} and at {}", first.location, binding.location);
            let span = module_span(api, &module.name);
            diagnostics.push(Diagnostic::new(DiagnosticCode::UndefinedMethod, span, message));
        }
    }
    bindings
}

/// `{}` replaces each capture, because a binding may use other names of captures than the definition.
fn service_pattern(service: &Service) -> String {
    service.path.iter().fold(String::new(), |pattern, segment| match segment {
        Segment::Static(text) => pattern + "/" + text,
        Segment::Capture(_) => pattern + "/{}",
    })
}

/// Converts the path of a binding, such as `/line/{id}`, to the form that [`service_pattern`] returns.
fn binding_pattern(path: &str) -> String {
    if path == "/" {
        return String::new();
    }
    let is_capture = |segment: &str| segment.starts_with('{') && segment.ends_with('}');
    let segments: Vec<_> = path.split('/').map(|segment| if is_capture(segment) { "{}" } else { segment }).collect();
    segments.join("/")
}

fn check_download_option(method: &Method, binding: &HandlerBinding) -> Option<Diagnostic> {
    let (message, help) = match (method.options.download, binding.handler.returns_download()) {
        (true, false) => ("returns outputs, but the method is a download", "return a `Download`"),
        (false, true) => (
            "returns a file, but the method is not a download",
            "add `\"options\": { \"download\": true }` to the method",
        ),
        _ => return None,
    };
    let message = format!("the handler of {} {message}", method.id);
    let help = format!("{help}; the handler is bound at {}", binding.location);
    Some(Diagnostic::new(DiagnosticCode::HandlerMismatch, method.span, message).help(help))
}

pub(crate) fn missing_handler_warnings(api: &Api) -> Vec<Diagnostic> {
    let has_default = api.handlers.as_ref().is_some_and(|handlers| handlers.default.is_some());
    if has_default || api.methods().all(|(_, _, method)| method.handler.is_none()) {
        return Vec::new();
    }
    let missing = api.methods().filter(|(_, _, method)| method.handler.is_none());
    missing.map(|(module, service, method)| missing_handler_error(module, service, method).into_warning()).collect()
}

fn missing_handler_error(module: &Module, service: &Service, method: &Method) -> Diagnostic {
    let (http, uri) = (method.http, service.uri());
    let message = format!("{} {uri} has no handler in this program", http.as_str());
    Diagnostic::new(DiagnosticCode::UnboundMethod, method.span, message).label("defined here").help(format!(
        "choose a handler in the definition, such as `\"handler\": {{\"sql\": …}}`, bind one in Rust: \
         `Module::new({:?}).{}({uri:?}, …)`, or serve the API without it: `--unbound 501`",
        module.name,
        http.as_str().to_lowercase(),
    ))
}

fn missing_method_error(api: &Api, (module, _, pattern): &BindingKey<'_>, binding: &HandlerBinding) -> Diagnostic {
    let name = format!("{} {}", binding.http_method.as_str(), binding.path);
    let message =
        format!("the handler of {name}, bound at {}, does not belong to a method of this module", binding.location);
    let diagnostic = Diagnostic::new(DiagnosticCode::UndefinedMethod, module_span(api, module), message);
    let same_path: Vec<_> = api.methods().filter(|(_, service, _)| service_pattern(service) == *pattern).collect();
    match same_path.first() {
        Some((other, ..)) if other.name != *module => {
            diagnostic.help(format!("the module `{}` defines this path", other.name))
        }
        Some(_) => {
            let names: Vec<_> = same_path.iter().map(|(_, _, method)| method.http.as_str()).collect();
            diagnostic.help(format!("the definition has {} at this path", names.join(", ")))
        }
        None => {
            let known: Vec<_> = api
                .methods()
                .filter(|(other, ..)| other.name == *module)
                .map(|(_, service, method)| format!("{} {}", method.http.as_str(), service.uri()))
                .collect();
            diagnostic.suggest(&name, known.iter().map(String::as_str))
        }
    }
}

/// Returns the action of a method whose handler the definition chooses, and `None` if the method has no such handler.
/// `binding` is the handler of the program for this method: a method cannot have both. Returns a diagnostic for each
/// error in the settings of the handler. The errors of the default handler that [`shared_handler_errors`] returns are
/// not repeated for each method.
fn compile_handler(
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
fn shared_handler_errors(api: &Api, kinds: &[Arc<dyn HandlerKind>]) -> Vec<Diagnostic> {
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
