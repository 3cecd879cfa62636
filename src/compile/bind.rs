//! Handlers to methods, compared both ways.

use std::collections::HashMap;
use std::panic::Location;

use super::fit::misfits;
use crate::call::Http;
use crate::diagnostic::{Code, Diagnostic};
use crate::handler::{self, Binding};
use crate::model::{Api, Method, Module, Segment, Service, Unbound};
use crate::plan::Action;

/// What runs for each method, in the order of modules, services and methods.
#[derive(Default)]
pub struct Bound {
    /// One for each method.
    pub actions: Vec<Action>,
    /// What does not fit.
    pub diagnostics: Vec<Diagnostic>,
}

/// A module's name, an HTTP method and a path without the names of its captures.
type Key<'a> = (&'a str, Http, String);

/// Finds the handler of every method.
#[must_use]
pub fn bind(api: &Api, modules: &[handler::Module], unbound: Unbound) -> Bound {
    let mut bound = Bound::default();
    if unbound == Unbound::Echo {
        bound.actions = methods(api).map(|_| Action::Echo).collect();
        return bound;
    }
    let known = known(api, modules, &mut bound.diagnostics);
    let mut bindings = bindings(api, &known, &mut bound.diagnostics);
    for (module, service, method) in methods(api) {
        let action = match bindings.remove(&(module.name.as_str(), method.http, pattern(service))) {
            Some(binding) => {
                let fields = binding.handler.fields();
                bound.diagnostics.extend(misfits(method, binding, &fields));
                bound.diagnostics.extend(other_kind(method, binding));
                let nullable =
                    method.parameters.iter().map(|own| fields.nullable.contains(&own.name.as_str())).collect();
                Action::Handler { handler: binding.handler.clone(), nullable }
            }
            None => {
                if unbound == Unbound::Refuse {
                    bound.diagnostics.push(no_handler(module, service, method));
                }
                Action::NotImplemented
            }
        };
        bound.actions.push(action);
    }
    let mut left: Vec<_> = bindings.into_iter().collect();
    left.sort_by_key(|(_, binding)| position(binding.location));
    bound.diagnostics.extend(left.into_iter().map(|(key, binding)| no_method(api, &key, binding)));
    bound
}

/// Every method of the API.
pub(super) fn methods(api: &Api) -> impl Iterator<Item = (&Module, &Service, &Method)> {
    api.modules.iter().flat_map(|module| {
        module
            .services
            .iter()
            .flat_map(move |service| service.methods.iter().map(move |method| (module, service, method)))
    })
}

/// The program's modules that the definition has, each once; tells the others.
fn known<'m>(api: &Api, modules: &'m [handler::Module], diagnostics: &mut Vec<Diagnostic>) -> Vec<&'m handler::Module> {
    let mut known: Vec<&handler::Module> = Vec::new();
    for module in modules {
        let (name, location) = (&module.name, module.location);
        if let Some(first) = known.iter().find(|other| other.name == *name) {
            let message = format!("the program adds a module `{name}` twice, at {} and at {location}", first.location);
            diagnostics.push(
                Diagnostic::new(Code::UndefinedMethod, defined(api, name).map_or(api.place, |own| own.place), message)
                    .help("bind all handlers of a module to one `Module`"),
            );
        } else if defined(api, name).is_none() {
            let message =
                format!("the program adds a module `{name}` at {location}, which the definition does not have");
            let names = api.modules.iter().map(|own| own.name.as_str());
            diagnostics.push(Diagnostic::new(Code::UndefinedMethod, api.place, message).suggest(name, names));
        } else {
            known.push(module);
        }
    }
    known
}

fn defined<'a>(api: &'a Api, name: &str) -> Option<&'a Module> {
    api.modules.iter().find(|own| own.name == name)
}

/// The handlers by what they are for; tells where there are two for the same.
fn bindings<'m>(
    api: &Api,
    modules: &[&'m handler::Module],
    diagnostics: &mut Vec<Diagnostic>,
) -> HashMap<Key<'m>, &'m Binding> {
    let mut bindings: HashMap<Key<'m>, &'m Binding> = HashMap::new();
    for module in modules {
        for binding in &module.bindings {
            let key = (module.name.as_str(), binding.http, bound_pattern(&binding.path));
            let Some(first) = bindings.get(&key) else {
                bindings.insert(key, binding);
                continue;
            };
            let (http, path) = (binding.http.as_str(), &binding.path);
            let message = format!("{http} {path} is bound twice, at {} and at {}", first.location, binding.location);
            let place = defined(api, &module.name).map_or(api.place, |own| own.place);
            diagnostics.push(Diagnostic::new(Code::UndefinedMethod, place, message));
        }
    }
    bindings
}

/// A service's path, its captures without their names: these do not matter.
fn pattern(service: &Service) -> String {
    service.path.iter().fold(String::new(), |pattern, segment| match segment {
        Segment::Static(text) => pattern + "/" + text,
        Segment::Capture(_) => pattern + "/{}",
    })
}

/// The same of the path of a handler.
fn bound_pattern(path: &str) -> String {
    if path == "/" {
        return String::new();
    }
    let capture = |segment: &str| segment.starts_with('{') && segment.ends_with('}');
    let segments: Vec<_> = path.split('/').map(|segment| if capture(segment) { "{}" } else { segment }).collect();
    segments.join("/")
}

/// That a handler returns a file where its method has outputs, or the reverse.
fn other_kind(method: &Method, binding: &Binding) -> Option<Diagnostic> {
    let (message, help) = match (method.options.download, binding.handler.is_download()) {
        (true, false) => ("returns outputs, but the method is a download", "return a `Download`"),
        (false, true) => {
            ("returns a file, but the method is no download", "say so: `\"options\": { \"download\": true }`")
        }
        _ => return None,
    };
    let message = format!("the handler of {} {message}", method.id);
    let help = format!("{help}; the handler is bound at {}", binding.location);
    Some(Diagnostic::new(Code::HandlerMismatch, method.place, message).help(help))
}

fn no_handler(module: &Module, service: &Service, method: &Method) -> Diagnostic {
    let (http, uri) = (method.http, service.uri());
    let message = format!("{} {uri} has no handler in this program", http.as_str());
    Diagnostic::new(Code::UnboundMethod, method.place, message).label("defined here").help(format!(
        "bind one: `Module::new({:?}).{}({uri:?}, …)`, or serve it without: `--unbound 501`",
        module.name,
        http.as_str().to_lowercase(),
    ))
}

/// A handler that no method of its module is for.
fn no_method(api: &Api, (module, _, pattern): &Key<'_>, binding: &Binding) -> Diagnostic {
    let name = format!("{} {}", binding.http.as_str(), binding.path);
    let message = format!("the handler of {name}, bound at {}, is for no method of this module", binding.location);
    let place = defined(api, module).map_or(api.place, |own| own.place);
    let diagnostic = Diagnostic::new(Code::UndefinedMethod, place, message);
    let there: Vec<_> = methods(api).filter(|(_, service, _)| self::pattern(service) == *pattern).collect();
    match there.first() {
        Some((own, ..)) if own.name != *module => diagnostic.help(format!("the module `{}` has this URI", own.name)),
        Some(_) => {
            let names: Vec<_> = there.iter().map(|(_, _, method)| method.http.as_str()).collect();
            diagnostic.help(format!("the definition has {} there", names.join(", ")))
        }
        None => {
            let known: Vec<_> = methods(api)
                .filter(|(own, ..)| own.name == *module)
                .map(|(_, service, method)| format!("{} {}", method.http.as_str(), service.uri()))
                .collect();
            diagnostic.suggest(&name, known.iter().map(String::as_str))
        }
    }
}

/// Orders places in the program.
fn position(location: &Location<'static>) -> (&'static str, u32, u32) {
    (location.file(), location.line(), location.column())
}
