//! Creates the plan: converts the model of the API to the data structures with which requests are handled.
//!
//! The parameters of an API method are numbered in the order of the definition. The number of a parameter is the index
//! of its slot, the place for its argument.

use http::HeaderName;
use rulebook_model::compile::read_default;
use rulebook_model::model::{self, Api, EnvelopeName, Limits, Location, Parameter, Repeated};

use super::bind::methods;
use super::cors;
use super::multipart_limits;
use crate::call::{AuthScheme, DynAuthenticate, Value, is_secret_field, is_secret_name};
use crate::handler::{self, ReadinessCheck, State};
use crate::plan::{
    Action, BodyUse, DocumentCache, MultipartLimits, NamedServices, Permit, Plan, PlannedError, PlannedMethod,
    PlannedModule, PlannedOutput, PlannedService, Requirement, RequirementPart, Routes, ServicesByClass,
    ServicesByModule, SimilarPaths, SlotPlan,
};

/// The parts of a plan that come from the program instead of the model.
pub struct PlanContext {
    /// The authenticators of the program, in the order in which they are called.
    pub authenticators: Vec<Box<dyn DynAuthenticate>>,
    /// `true` if the outputs of every handler are compared with the definition.
    pub verify_outputs: bool,
    /// The values of the program that its handlers share.
    pub state: State,
    /// The readiness checks of the program, whose results `/readyz` reports.
    pub checks: Vec<ReadinessCheck>,
    /// The documents that describe the API.
    pub documents: DocumentCache,
}

/// Creates the plan of an API. `actions` contains the action of each API method, as [`bind`](super::bind) returns them.
#[must_use]
pub fn plan(api: &Api, actions: Vec<Action>, handlers: &[handler::Module], context: PlanContext) -> Plan {
    let mut routes = Routes::default();
    let mut services: Vec<PlannedService> = Vec::new();
    let mut plans: Vec<PlannedMethod> = Vec::new();
    let mut actions = actions.into_iter();
    for (module_index, module) in api.modules.iter().enumerate() {
        for service in &module.services {
            let index = services.len();
            // The step `lower` has rejected duplicate paths, so this insertion never fails.
            let _ = routes.insert(&service.path, index, module.ignore_case);
            let first = plans.len();
            plans.extend(service.methods.iter().map(|method| {
                let action = actions.next().unwrap_or(Action::NotImplemented);
                self::method(api, service, method, module_index, action)
            }));
            services.push(PlannedService {
                module: module_index,
                length: service.path.len(),
                methods: service.methods.iter().map(|method| method.http).zip(first..).collect(),
            });
        }
    }
    debug_assert_eq!(plans.len(), methods(api).count());
    let challenges = AuthScheme::challenges(&api.auth_schemes);
    let default_limits = MultipartLimits { bytes: api.limits.multipart, parts: api.limits.parts };
    Plan {
        base: api.base.trim_end_matches('/').into(),
        routes,
        named: api.service.on.then(|| named(api)),
        dispatch: api.dispatch.then(|| dispatch(api)),
        similar_paths: similar(api),
        services: services.into(),
        max_multipart_limits: plans
            .iter()
            .map(|method| method.multipart_limits)
            .fold(default_limits, multipart_limits::max),
        ids: plans.iter().enumerate().map(|(index, method)| (method.id.clone(), index)).collect(),
        methods: plans.into(),
        modules: api.modules.iter().map(|module| self::module(api, module, handlers)).collect(),
        envelope: api.make_envelope(&api.envelope),
        formats: api.formats.clone().into(),
        jsonp: api.jsonp,
        limits: api.limits.clone(),
        unknown: api.unknown,
        challenge: challenges.join(", ").into(),
        invalid_token_challenge: challenges
            .iter()
            .map(|challenge| invalid_token(challenge))
            .collect::<Vec<_>>()
            .join(", ")
            .into(),
        authenticators: context.authenticators,
        verify_outputs: context.verify_outputs,
        state: context.state,
        checks: context.checks,
        compress: api.compress,
        cors: cors::plan(api),
        documents: context.documents,
    }
}

/// Returns every service with its API module and its index in the plan.
fn services(api: &Api) -> impl Iterator<Item = (usize, (&model::Module, &model::Service))> {
    let services = api.modules.iter().flat_map(|module| module.services.iter().map(move |service| (module, service)));
    services.enumerate()
}

/// Creates the index of services by their PhalApi names, which have the form `Class.method`.
fn named(api: &Api) -> NamedServices {
    let mut classes = ServicesByClass::default();
    for (index, (_, service)) in services(api) {
        // The step `lower` has rejected duplicate names, so this insertion never fails.
        let _ = classes.insert(&service.path, index);
    }
    let default = api.service.default.as_ref().and_then(|name| classes.find(&name.value));
    NamedServices { classes, default, envelope: api.make_envelope(&EnvelopeName::Phalapi) }
}

/// Creates the index of services by the names in the body fields `module` and `method`.
fn dispatch(api: &Api) -> ServicesByModule {
    let mut modules = ServicesByModule::default();
    for (index, (module, service)) in services(api) {
        modules.insert(&service.path, index, module.ignore_case);
    }
    modules
}

/// Collects the paths of all services, from which responses to unknown paths suggest similar paths.
fn similar(api: &Api) -> SimilarPaths {
    let base = api.base.trim_end_matches('/');
    let mut similar = SimilarPaths::new(base);
    for service in api.modules.iter().flat_map(|module| &module.services) {
        let positions = service.methods.iter().map(|method| method.positions().len()).max().unwrap_or_default();
        similar.insert(&service.path, &format!("{base}{}", service.uri()), positions);
    }
    similar
}

/// Returns the value of `WWW-Authenticate` for a request with an invalid bearer token (RFC 6750 section 3.1).
/// `challenge` is the value for a request without a credential.
fn invalid_token(challenge: &str) -> String {
    let (scheme, parameters) = challenge.split_once(' ').unwrap_or((challenge, ""));
    match (scheme.eq_ignore_ascii_case("Bearer"), parameters.trim().is_empty()) {
        (false, _) => challenge.to_owned(),
        (true, true) => format!("{scheme} error=\"invalid_token\""),
        (true, false) => format!("{challenge}, error=\"invalid_token\""),
    }
}

fn module(api: &Api, module: &model::Module, handlers: &[handler::Module]) -> PlannedModule {
    let hooks = handlers.iter().find(|handlers| handlers.name == module.name).map(|handlers| handlers.hooks.clone());
    PlannedModule {
        name: module.name.as_str().into(),
        envelope: api.make_envelope(api.envelope_name(module)),
        last_counts: module.repeated == Repeated::Last,
        hooks: hooks.unwrap_or_default(),
    }
}

fn method(api: &Api, service: &model::Service, method: &model::Method, module: usize, action: Action) -> PlannedMethod {
    let parameters = &method.parameters;
    let slots_from = |is_source: fn(Location) -> bool| -> Box<[usize]> {
        parameters.iter().enumerate().filter(|(_, it)| is_source(it.from)).map(|(slot, _)| slot).collect()
    };
    let body = slots_from(|from| matches!(from, Location::Body | Location::Any));
    PlannedMethod {
        id: method.id.as_str().into(),
        module,
        permit: permit(method),
        names: parameters.iter().map(|parameter| parameter.name.as_str().into()).collect(),
        slots: parameters.iter().map(|parameter| slot(parameter, &api.limits)).collect(),
        positions: method.positions().len(),
        segments: segments(service, parameters),
        query: slots_from(|from| matches!(from, Location::Query | Location::Any)),
        headers: parameters.iter().enumerate().filter_map(header).collect(),
        cookies: slots_from(|from| from == Location::Cookie),
        body_use: if body.is_empty() { BodyUse::Nothing } else { BodyUse::Fields },
        multipart_limits: multipart_limits::method_limits(method, &api.limits),
        body,
        action,
        jsonp: method.allows_jsonp(api.jsonp),
        status: method.options.status,
        download: method.options.download,
        outputs: method.outputs.iter().map(output).collect(),
        whole: method.whole().is_some(),
        errors: method
            .errors
            .iter()
            .map(|error| PlannedError {
                name: error.name.as_str().into(),
                status: error.status,
                info: error.info.as_str().into(),
            })
            .collect(),
    }
}

fn output(output: &model::Output) -> PlannedOutput {
    PlannedOutput { name: output.name.as_str().into(), check: output.r#type.check.clone(), optional: output.optional }
}

/// Returns the field name and the slot of a parameter in a header field; `None` for other parameters.
fn header((slot, parameter): (usize, &Parameter)) -> Option<(HeaderName, usize)> {
    let name = (parameter.from == Location::Header).then(|| HeaderName::try_from(&*parameter.key))?;
    name.ok().map(|name| (name, slot))
}

/// Returns the slots of the parameters in the path: pairs of the index of a path segment and the index of a slot.
fn segments(service: &model::Service, parameters: &[Parameter]) -> Box<[(usize, usize)]> {
    let capture_index = |name: &str| {
        service.path.iter().position(|segment| matches!(segment, model::Segment::Capture(capture) if capture == name))
    };
    let index = |parameter: &Parameter| match parameter.from {
        Location::Path => capture_index(&parameter.key),
        Location::Position(n) => Some(service.path.len() + n),
        _ => None,
    };
    parameters.iter().enumerate().filter_map(|(slot, parameter)| Some((index(parameter)?, slot))).collect()
}

fn slot(parameter: &Parameter, limits: &Limits) -> SlotPlan {
    let check = &parameter.r#type.check;
    // A positional parameter has no name in the request, so its name in code is shown.
    let display_name = if parameter.key.is_empty() { &parameter.name } else { &parameter.key };
    SlotPlan {
        key: parameter.key.as_str().into(),
        display_name: display_name.as_str().into(),
        source: parameter.from.source(),
        arity: check.arity(),
        file_limit: multipart_limits::file_limit(parameter, limits),
        optional: parameter.optional,
        default: default_value(parameter),
        secret: is_secret(parameter),
        expected: check.expected(),
        message: parameter.message.as_deref().map(Into::into),
        check: check.clone(),
    }
}

/// Returns the default of a parameter as handlers receive it; `None` if the parameter has no default.
pub(super) fn default_value(parameter: &Parameter) -> Option<Value<'static>> {
    read_default(parameter.default.as_ref()?, &*parameter.r#type.check).ok().map(Value::into_owned)
}

/// Returns `true` if the value of a parameter may be a secret, because of the parameter's location or one of its names.
fn is_secret(parameter: &Parameter) -> bool {
    let is_secret_header = parameter.from == Location::Header && is_secret_field(&parameter.key);
    is_secret_header
        || parameter.from == Location::Cookie
        || is_secret_name(&parameter.key)
        || is_secret_name(&parameter.name)
}

fn permit(method: &model::Method) -> Permit {
    let piece = |piece: &model::PermissionPart| match piece {
        model::PermissionPart::Literal(text) => Some(RequirementPart::Literal(text.as_str().into())),
        // The step `lower` has rejected unknown variables. If a variable were unknown, the requirement would have no
        // parts and would never be satisfied.
        model::PermissionPart::Variable(name) => {
            method.parameters.iter().position(|it| it.name == *name).map(RequirementPart::Slot)
        }
    };
    let requirement = |permission: &model::Permission| Requirement {
        text: permission.text.as_str().into(),
        parts: permission.parts.iter().map(piece).collect::<Option<_>>().unwrap_or_default(),
    };
    Permit { groups: method.scope.groups.iter().map(|group| group.iter().map(requirement).collect()).collect() }
}
