//! From the model to the plan.

use http::HeaderName;

use super::bind::methods;
use super::cors;
use super::room::{self, room};
use super::value::read_default;
use crate::call::{Inspect, Value, is_bearer, is_secret_field, is_secret_name};
use crate::handler::{self, Ready, State};
use crate::model::{self, Api, EnvelopeName, From, Limits, Parameter, Repeated};
use crate::plan::{
    Action, BodyUse, Classes, DeclaredError, Method, Module, Modules, Named, Output, Permit, Piece, Plan, Requirement,
    Room, Routes, Service, Shelf, Similar, SlotPlan,
};

/// What a plan holds beside what the model says.
pub struct Surroundings {
    /// Who finds out who calls.
    pub inspectors: Vec<Box<dyn Inspect>>,
    /// Whether what handlers return is compared with the definition.
    pub verify: bool,
    /// The program's values.
    pub state: State,
    /// Whether the program can do its work.
    pub checks: Vec<Ready>,
    /// Everything that describes the API.
    pub documents: Shelf,
}

/// Makes the plan of an API without faults. `actions`: what runs for each method, in order.
#[must_use]
pub fn plan(api: &Api, actions: Vec<Action>, handlers: &[handler::Module], around: Surroundings) -> Plan {
    let mut routes = Routes::default();
    let mut services: Vec<Service> = Vec::new();
    let mut plans: Vec<Method> = Vec::new();
    let mut actions = actions.into_iter();
    for (module, own) in api.modules.iter().enumerate() {
        for service in &own.services {
            let index = services.len();
            // A definition that was judged has no path twice.
            let _ = routes.insert(&service.path, index, own.ignore_case);
            let first = plans.len();
            plans.extend(service.methods.iter().map(|method| {
                let action = actions.next().unwrap_or(Action::NotImplemented);
                self::method(api, service, method, module, action)
            }));
            services.push(Service {
                module,
                length: service.path.len(),
                methods: service.methods.iter().map(|method| method.http).zip(first..).collect(),
            });
        }
    }
    debug_assert_eq!(plans.len(), methods(api).count());
    let challenges = challenges(&around.inspectors);
    let floor = Room { bytes: api.limits.multipart, parts: api.limits.parts };
    Plan {
        base: api.base.trim_end_matches('/').into(),
        routes,
        named: api.service.on.then(|| named(api)),
        dispatch: api.dispatch.then(|| dispatch(api)),
        similar: similar(api),
        services: services.into(),
        widest: plans.iter().map(|method| method.room).fold(floor, room::wider),
        ids: plans.iter().enumerate().map(|(index, method)| (method.id.clone(), index)).collect(),
        methods: plans.into(),
        modules: api.modules.iter().map(|own| self::module(api, own, handlers)).collect(),
        envelope: api.shape(&api.envelope),
        formats: api.formats.clone().into(),
        jsonp: api.jsonp,
        limits: api.limits.clone(),
        unknown: api.unknown,
        challenge: challenges.join(", ").into(),
        invalid_token: challenges.iter().map(|own| invalid_token(own)).collect::<Vec<_>>().join(", ").into(),
        inspectors: around.inspectors,
        verify: around.verify,
        state: around.state,
        checks: around.checks,
        compress: api.compress,
        cors: cors::plan(api),
        documents: around.documents,
    }
}

/// Services with their modules, in the order of their indices.
fn services(api: &Api) -> impl Iterator<Item = (usize, (&model::Module, &model::Service))> {
    let services = api.modules.iter().flat_map(|module| module.services.iter().map(move |service| (module, service)));
    services.enumerate()
}

/// Services by `Class.method`.
fn named(api: &Api) -> Named {
    let mut classes = Classes::default();
    for (index, (_, service)) in services(api) {
        // A definition that was judged has no name twice.
        let _ = classes.insert(&service.path, index);
    }
    let default = api.service.default.as_ref().and_then(|name| classes.find(&name.value));
    Named { classes, default, envelope: api.shape(&EnvelopeName::Phalapi) }
}

/// Services by module and method.
fn dispatch(api: &Api) -> Modules {
    let mut modules = Modules::default();
    for (index, (module, service)) in services(api) {
        modules.insert(&service.path, index, module.ignore_case);
    }
    modules
}

/// The paths of all services.
fn similar(api: &Api) -> Similar {
    let base = api.base.trim_end_matches('/');
    let mut similar = Similar::below(base);
    for service in api.modules.iter().flat_map(|module| &module.services) {
        let positions = service.methods.iter().map(|own| own.positions().len()).max().unwrap_or_default();
        similar.insert(&service.path, &format!("{base}{}", service.uri()), positions);
    }
    similar
}

/// `WWW-Authenticate` of these inspectors, each challenge once. RFC 9110 section 11.6.1 wants one at
/// least, also where nobody can be identified.
fn challenges(inspectors: &[Box<dyn Inspect>]) -> Vec<&str> {
    let mut challenges: Vec<&str> = Vec::new();
    for inspector in inspectors {
        let challenge = inspector.challenge();
        if !challenge.is_empty() && !challenges.contains(&challenge) {
            challenges.push(challenge);
        }
    }
    if challenges.is_empty() {
        challenges.push("Bearer");
    }
    challenges
}

/// A challenge to one who sent a token that is not valid (RFC 6750 section 3.1).
fn invalid_token(challenge: &str) -> String {
    let (scheme, parameters) = challenge.split_once(' ').unwrap_or((challenge, ""));
    match (is_bearer(scheme), parameters.trim().is_empty()) {
        (false, _) => challenge.to_owned(),
        (true, true) => format!("{scheme} error=\"invalid_token\""),
        (true, false) => format!("{challenge}, error=\"invalid_token\""),
    }
}

fn module(api: &Api, own: &model::Module, handlers: &[handler::Module]) -> Module {
    let hooks = handlers.iter().find(|module| module.name == own.name).map(|module| module.hooks.clone());
    Module {
        name: own.name.as_str().into(),
        envelope: api.shape(api.envelope_of(own)),
        last_counts: own.repeated == Repeated::Last,
        hooks: hooks.unwrap_or_default(),
    }
}

fn method(api: &Api, service: &model::Service, own: &model::Method, module: usize, action: Action) -> Method {
    let parameters = &own.parameters;
    let slots_from = |wanted: fn(From) -> bool| -> Box<[usize]> {
        parameters.iter().enumerate().filter(|(_, own)| wanted(own.from)).map(|(slot, _)| slot).collect()
    };
    let body = slots_from(|from| matches!(from, From::Body | From::Any));
    Method {
        id: own.id.as_str().into(),
        module,
        permit: permit(own),
        names: parameters.iter().map(|parameter| parameter.name.as_str().into()).collect(),
        slots: parameters.iter().map(|own| slot(own, &api.limits)).collect(),
        positions: own.positions().len(),
        segments: segments(service, parameters),
        query: slots_from(|from| matches!(from, From::Query | From::Any)),
        headers: parameters.iter().enumerate().filter_map(header).collect(),
        cookies: slots_from(|from| from == From::Cookie),
        body_use: if body.is_empty() { BodyUse::Nothing } else { BodyUse::Fields },
        room: room(own, &api.limits),
        body,
        action,
        jsonp: own.answers_jsonp(api.jsonp),
        status: own.options.status,
        download: own.options.download,
        outputs: own.outputs.iter().map(output).collect(),
        whole: own.whole().is_some(),
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

fn slot(own: &Parameter, limits: &Limits) -> SlotPlan {
    let check = &own.r#type.check;
    SlotPlan {
        key: own.key.as_str().into(),
        // A position has no name for clients but the one in code.
        shown: if own.key.is_empty() { own.name.as_str().into() } else { own.key.as_str().into() },
        source: own.from.source(),
        takes: check.takes(),
        file: room::file(own, limits),
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
    read_default(own.default.as_ref()?, &*own.r#type.check).ok().map(Value::into_owned)
}

/// Whether a parameter's value may be a secret, by where it stands and what it is called.
fn is_secret(own: &Parameter) -> bool {
    let field = own.from == From::Header && is_secret_field(&own.key);
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
