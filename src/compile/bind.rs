//! Handlers to methods: compared both ways, and each handler's argument type tried on what the checks let pass.

use crate::call::{Slot, Slots, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::handler::{self, Fields, Handler};
use crate::model::{Api, Method, Module, Parameter, Segment, Service, Unbound};
use crate::plan::Action;

/// What runs for each method, in the order of modules, services and methods.
#[derive(Default)]
pub struct Bound {
    /// One for each method.
    pub actions: Vec<Action>,
    /// What does not fit.
    pub diagnostics: Vec<Diagnostic>,
}

/// Finds the handler of every method.
#[must_use]
pub fn bind(api: &Api, modules: &[handler::Module], unbound: Unbound) -> Bound {
    let mut bound = Bound::default();
    if unbound == Unbound::Echo {
        bound.actions = methods(api).map(|_| Action::Echo).collect();
        return bound;
    }
    for (module, service, method) in methods(api) {
        let own = modules.iter().find(|own| own.name == module.name);
        let binding = own.into_iter().flat_map(|own| &own.bindings).find(|binding| is_for(binding, service, method));
        match binding {
            Some(binding) => {
                let handler = binding.handler.clone();
                let fields = handler.fields();
                bound.diagnostics.extend(misfits(method, &*handler, &fields));
                let nullable =
                    method.parameters.iter().map(|own| fields.nullable.contains(&own.name.as_str())).collect();
                bound.actions.push(Action::Handler { handler, nullable });
            }
            None => {
                if unbound == Unbound::Refuse {
                    bound.diagnostics.push(no_handler(module, service, method));
                }
                bound.actions.push(Action::NotImplemented);
            }
        }
    }
    bound.diagnostics.extend(modules.iter().flat_map(|module| no_methods(api, module)));
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

/// Whether a handler is bound to this method; the names of captures do not matter.
fn is_for(binding: &handler::Binding, service: &Service, method: &Method) -> bool {
    binding.http == method.http && same_path(&binding.path, service)
}

fn same_path(path: &str, service: &Service) -> bool {
    let Some(path) = path.strip_prefix('/') else { return false };
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let same = service.path.iter().all(|own| match (own, segments.next()) {
        (Segment::Static(own), Some(segment)) => own == segment,
        (Segment::Capture(_), Some(segment)) => segment.starts_with('{') && segment.ends_with('}'),
        (_, None) => false,
    });
    same && segments.next().is_none()
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

/// Handlers of a module that no method of the definition is for.
fn no_methods(api: &Api, module: &handler::Module) -> Vec<Diagnostic> {
    let Some(defined) = api.modules.iter().find(|own| own.name == module.name) else {
        let message =
            format!("the program has handlers of a module `{}`, which the definition does not have", module.name);
        let names = api.modules.iter().map(|own| own.name.as_str());
        return vec![Diagnostic::new(Code::UndefinedMethod, api.place, message).suggest(&module.name, names)];
    };
    let mut diagnostics = Vec::new();
    for (index, binding) in module.bindings.iter().enumerate() {
        let name = format!("{} {}", binding.http.as_str(), binding.path);
        let twice =
            module.bindings[..index].iter().find(|other| (other.http, &other.path) == (binding.http, &binding.path));
        if let Some(first) = twice {
            let message = format!("{name} is bound twice, at {} and at {}", first.location, binding.location);
            diagnostics.push(Diagnostic::new(Code::UndefinedMethod, defined.place, message));
            continue;
        }
        let services =
            defined.services.iter().flat_map(|service| service.methods.iter().map(move |own| (service, own)));
        if !services.clone().any(|(service, method)| is_for(binding, service, method)) {
            let known: Vec<_> =
                services.map(|(service, own)| format!("{} {}", own.http.as_str(), service.uri())).collect();
            let message =
                format!("the handler of {name}, bound at {}, is for no method of this module", binding.location);
            diagnostics.push(
                Diagnostic::new(Code::UndefinedMethod, defined.place, message)
                    .suggest(&name, known.iter().map(String::as_str)),
            );
        }
    }
    diagnostics
}

/// Where the handler's argument type does not fit the method's parameters.
fn misfits(method: &Method, handler: &dyn Handler, fields: &Fields) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let names: Vec<Box<str>> = method.parameters.iter().map(|own| own.name.as_str().into()).collect();
    let accepts = |values: Vec<Slot<'static>>| handler.accepts(Slots { names: &names, values });
    for field in fields.names.iter().flatten() {
        if !names.iter().any(|name| **name == **field) && !is_alias(method, handler, &names, field) {
            let message = format!("the handler of {} takes an argument `{field}`, which is no parameter", method.id);
            found.push(
                Diagnostic::new(Code::HandlerMismatch, method.place, message)
                    .suggest(field, names.iter().map(|name| &**name)),
            );
        }
    }
    let base: Vec<Slot<'static>> = method.parameters.iter().map(usual).collect();
    let mut faulty = vec![false; names.len()];
    let mut report = |values: Vec<Slot<'static>>, tried: Option<usize>| {
        let shown = tried.map(|index| values[index].clone());
        let Err(misfit) = accepts(values) else { return };
        let slot = misfit.slot.or(tried);
        match slot.map(|index| (index, &method.parameters[index])) {
            Some((index, parameter)) if !std::mem::replace(&mut faulty[index], true) => {
                found.push(mismatch(method, parameter, shown.as_ref(), &misfit.message));
            }
            Some(_) => {}
            None => found.push(Diagnostic::new(
                Code::HandlerMismatch,
                method.place,
                format!("the handler of {} does not take the method's parameters: {}", method.id, misfit.message),
            )),
        }
    };
    if accepts(base.clone()).is_err() {
        report(base, None);
        return found;
    }
    for (index, parameter) in method.parameters.iter().enumerate() {
        for slot in possible(parameter) {
            let mut values = base.clone();
            values[index] = slot;
            report(values, Some(index));
        }
    }
    found
}

fn mismatch(method: &Method, parameter: &Parameter, value: Option<&Slot<'_>>, message: &str) -> Diagnostic {
    let value = match value {
        Some(Slot::Value(value)) => {
            let text = value.to_json().to_string();
            match text.char_indices().nth(60) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
        Some(Slot::Null) => "null".to_owned(),
        _ => "its absence".to_owned(),
    };
    Diagnostic::new(
        Code::HandlerMismatch,
        parameter.type_place,
        format!("the handler of {} does not take what `{}` may be: {message}", method.id, parameter.name),
    )
    .label(format!("this type lets {value} pass"))
    .help("make the handler's field wide enough, or the type narrower")
}

/// Whether a field is another name of one that a parameter fills: serde refuses to be given both.
fn is_alias(method: &Method, handler: &dyn Handler, names: &[Box<str>], field: &str) -> bool {
    let mut names = names.to_vec();
    let mut values: Vec<_> = method.parameters.iter().map(filled).collect();
    names.push(field.into());
    values.push(Slot::Null);
    handler.accepts(Slots { names: &names, values }).is_err_and(|misfit| misfit.message.starts_with("duplicate field"))
}

/// What a parameter holds in a plain call.
fn usual(parameter: &Parameter) -> Slot<'static> {
    match default(parameter) {
        Some(value) => value,
        None if parameter.optional => Slot::Absent,
        None => filled(parameter),
    }
}

/// A parameter with a value.
fn filled(parameter: &Parameter) -> Slot<'static> {
    parameter.r#type.check.extremes().into_iter().next().map_or(Slot::Absent, Slot::Value)
}

/// Everything at the edges of what a parameter may hold.
fn possible(parameter: &Parameter) -> Vec<Slot<'static>> {
    let mut values = parameter.r#type.check.extremes();
    // Null for what may be left out is never the type's own null.
    values.retain(|value| !parameter.optional || *value != Value::Null);
    let mut slots: Vec<_> = values.into_iter().map(Slot::Value).collect();
    match default(parameter) {
        Some(value) => slots.push(value),
        None if parameter.optional => slots.extend([Slot::Absent, Slot::Null]),
        None => {}
    }
    slots
}

fn default(parameter: &Parameter) -> Option<Slot<'static>> {
    super::default_value(parameter).map(Slot::Value)
}
