//! From the model to the plan.

use std::collections::HashSet;

use bytes::Bytes;
use http::HeaderName;

use super::bind::methods;
use crate::call::{Inspect, Value, is_secret_name};
use crate::envelope;
use crate::handler::{self, State};
use crate::model::{self, Api, From, Parameter, Repeated};
use crate::plan::{
    Action, BodyUse, DeclaredError, Method, Module, Output, Permit, Piece, Plan, Requirement, Routes, Service, SlotPlan,
};
use crate::types::Takes;

/// What a plan holds beside what the model says.
pub struct Surroundings<'a> {
    /// Who finds out who calls.
    pub inspectors: Vec<Box<dyn Inspect>>,
    /// Whether what handlers return is compared with the definition.
    pub verify: bool,
    /// The program's values.
    pub state: State,
    /// What OPTIONS answers for services of one module that have one path.
    pub options: &'a dyn Fn(&model::Module, &[&model::Service]) -> Bytes,
    /// What OPTIONS answers on base.
    pub all_options: Bytes,
}

/// Makes the plan of an API without faults. `actions`: what runs for each method, in order.
#[must_use]
pub fn plan(api: &Api, actions: Vec<Action>, handlers: &[handler::Module], around: Surroundings<'_>) -> Plan {
    let mut routes = Routes::default();
    let mut services: Vec<Service> = Vec::new();
    // Services whose paths differ in the names of captures alone are one.
    let mut alike: Vec<Vec<&model::Service>> = Vec::new();
    let mut plans = Vec::new();
    let mut actions = actions.into_iter();
    for (module, own) in api.modules.iter().enumerate() {
        for service in &own.services {
            let index = routes.insert(&service.path, services.len(), own.ignore_case);
            if index == services.len() {
                services.push(self::service(service, module));
                alike.push(Vec::new());
            }
            alike[index].push(service);
            services[index].methods.extend(service.methods.iter().map(|method| method.http).zip(plans.len()..));
            plans.extend(service.methods.iter().map(|method| {
                let action = actions.next().unwrap_or(Action::NotImplemented);
                self::method(service, method, module, index, action)
            }));
        }
    }
    for (service, alike) in services.iter_mut().zip(&alike) {
        service.methods.sort_by_key(|(http, _)| *http);
        service.options = (around.options)(&api.modules[service.module], alike);
    }
    debug_assert_eq!(plans.len(), methods(api).count());
    let mut challenges: Vec<_> = around.inspectors.iter().map(|inspector| inspector.challenge()).collect();
    let mut told = HashSet::new();
    challenges.retain(|challenge| told.insert(*challenge));
    Plan {
        base: api.base.trim_end_matches('/').into(),
        routes,
        services: services.into(),
        methods: plans.into(),
        modules: api.modules.iter().map(|own| self::module(api, own, handlers)).collect(),
        envelope: envelope::by_name(api.envelope),
        limits: api.limits.clone(),
        unknown: api.unknown,
        challenge: challenges.join(", ").into(),
        inspectors: around.inspectors,
        verify: around.verify,
        state: around.state,
        options: around.all_options,
    }
}

/// A service without methods yet.
fn service(own: &model::Service, module: usize) -> Service {
    Service { module, uri: own.uri().into(), length: own.path.len(), methods: Vec::new(), options: Bytes::new() }
}

fn module(api: &Api, own: &model::Module, handlers: &[handler::Module]) -> Module {
    let hooks = handlers.iter().find(|module| module.name == own.name).map(|module| module.hooks.clone());
    Module {
        name: own.name.as_str().into(),
        envelope: envelope::by_name(own.envelope.unwrap_or(api.envelope)),
        last_counts: own.repeated == Repeated::Last,
        hooks: hooks.unwrap_or_default(),
    }
}

fn method(service: &model::Service, own: &model::Method, module: usize, index: usize, action: Action) -> Method {
    let parameters = &own.parameters;
    let slots_from = |wanted: fn(From) -> bool| -> Box<[usize]> {
        parameters.iter().enumerate().filter(|(_, own)| wanted(own.from)).map(|(slot, _)| slot).collect()
    };
    let body = slots_from(|from| matches!(from, From::Body | From::Any));
    let files = body.iter().any(|slot| matches!(parameters[*slot].r#type.check.takes(), Takes::File | Takes::Files));
    Method {
        id: own.id.as_str().into(),
        service: index,
        module,
        permit: permit(own),
        names: parameters.iter().map(|parameter| parameter.name.as_str().into()).collect(),
        slots: parameters.iter().map(slot).collect(),
        positions: parameters.iter().filter(|parameter| matches!(parameter.from, From::Position(_))).count(),
        segments: segments(service, parameters),
        query: slots_from(|from| matches!(from, From::Query | From::Any)),
        headers: parameters.iter().enumerate().filter_map(header).collect(),
        cookies: slots_from(|from| from == From::Cookie),
        body_use: match (body.is_empty(), files) {
            (true, _) => BodyUse::Nothing,
            (false, false) => BodyUse::Fields,
            (false, true) => BodyUse::Files,
        },
        body,
        action,
        status: own.options.status,
        outputs: own.outputs.iter().map(output).collect(),
        whole: own.outputs.iter().any(|output| output.name == "*"),
        errors: own
            .errors
            .iter()
            .map(|error| DeclaredError {
                name: error.name.as_str().into(),
                status: error.status,
                info: error.info.as_str().into(),
            })
            .collect(),
    }
}

fn output(own: &model::Output) -> Output {
    Output { name: own.name.as_str().into(), check: own.r#type.check.clone(), optional: own.optional }
}

/// A header parameter's field name; one that is none was refused when the definition was judged.
fn header((slot, parameter): (usize, &Parameter)) -> Option<(HeaderName, usize)> {
    let name = (parameter.from == From::Header).then(|| HeaderName::try_from(&*parameter.key))?;
    name.ok().map(|name| (name, slot))
}

/// Which segment of a request's path fills which slot.
fn segments(service: &model::Service, parameters: &[Parameter]) -> Box<[(usize, usize)]> {
    let captured = |name: &str| {
        service.path.iter().position(|segment| matches!(segment, model::Segment::Capture(own) if own == name))
    };
    let segment = |parameter: &Parameter| match parameter.from {
        From::Path => captured(&parameter.key),
        From::Position(n) => Some(service.path.len() + n),
        _ => None,
    };
    parameters.iter().enumerate().filter_map(|(slot, own)| segment(own).map(|segment| (segment, slot))).collect()
}

fn slot(own: &Parameter) -> SlotPlan {
    let check = &own.r#type.check;
    SlotPlan {
        key: own.key.as_str().into(),
        // A position has no name for clients but the one in code.
        shown: if own.key.is_empty() { own.name.as_str().into() } else { own.key.as_str().into() },
        source: own.from.source(),
        takes: check.takes(),
        optional: own.optional,
        default: default_value(own),
        secret: is_secret(own),
        expected: check.expected(),
        message: own.message.as_deref().map(Into::into),
        check: check.clone(),
    }
}

/// What a parameter holds when it is left out: its default as a client's text or value, checked.
pub(super) fn default_value(own: &Parameter) -> Option<Value<'static>> {
    let check = &own.r#type.check;
    let value = match own.default.as_ref()? {
        serde_json::Value::String(text) => check.decode(text.clone().into()),
        json => Value::from(json),
    };
    check.check(value).ok()
}

/// Whether a parameter's value may be a secret, by where it stands and what it is called.
fn is_secret(own: &Parameter) -> bool {
    const FIELDS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];
    let field = own.from == From::Header && FIELDS.iter().any(|name| own.key.eq_ignore_ascii_case(name));
    field || own.from == From::Cookie || is_secret_name(&own.key) || is_secret_name(&own.name)
}

fn permit(own: &model::Method) -> Permit {
    let piece = |piece: &model::Piece| match piece {
        model::Piece::Literal(text) => Some(Piece::Literal(text.as_str().into())),
        // An unknown variable was refused when the definition was judged; a requirement without pieces is never met.
        model::Piece::Variable(name) => own.parameters.iter().position(|own| own.name == *name).map(Piece::Slot),
    };
    let requirement = |permission: &model::Permission| Requirement {
        text: permission.text.as_str().into(),
        pieces: permission.pieces.iter().map(piece).collect::<Option<_>>().unwrap_or_default(),
    };
    Permit { groups: own.scope.groups.iter().map(|group| group.iter().map(requirement).collect()).collect() }
}
