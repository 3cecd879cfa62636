//! Creates the plan: converts the model of the API to the data structures with which requests are handled.
//!
//! The parameters of an API method are numbered in the order of the definition. The number of a parameter is the index
//! of its slot, the place for its argument.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use http::HeaderName;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use rulebook_model::compile::decode_default;
use rulebook_model::model::{
    self, Api, EnvelopeName, Limits, Location, MultipartLimits, Parameter, Repeated, UnknownParameters,
};
use rulebook_model::routing::fields_naming_another_service;

use super::auth_challenges::{invalid_token_challenge, resource_metadata, scope_challenges};
use super::cors;
use super::deprecation::plan_deprecation;
use super::limits::{self, new_shared_limiter, plan_limits};
use super::response_fields;
use crate::auth::ProtectedResource;
use crate::call::{AuthScheme, DynAuthenticate, HttpMethod, Value, is_secret_header_field, is_secret_name};
use crate::handler::{self, BodyAccess, Measure, ProgramState, ReadinessCheck};
use crate::idempotency::{IdempotencyStorage, MemoryStorage};
use crate::pipeline::secret_path;
use crate::plan::{
    Action, BodyUse, DocumentCache, NamedInBody, NamedServices, Plan, PlannedAuthenticator, PlannedMethod,
    PlannedModule, PlannedOutput, PlannedParameter, PlannedService, Routes, ServicesByClass, ServicesByModule,
    SimilarPaths,
};
use crate::rate_limit::{PlannedRateLimit, SharedCounter, SharedCounterSettings};
use crate::trace::Tracer;

/// The parts of a plan that come from the program instead of the model. The versions of an API share them.
#[derive(Clone)]
pub struct PlanContext {
    /// The authenticators of the program, in the order in which they are called.
    pub authenticators: Vec<Arc<dyn DynAuthenticate>>,
    /// How many authenticators, from the first one, end the authentication if they return an identity. The identities
    /// of all other authenticators are combined.
    pub ending_authenticators: usize,
    /// `true` if the outputs of every handler are compared with the definition.
    pub verify_outputs: bool,
    /// The values of the program that its handlers share.
    pub state: ProgramState,
    /// The readiness checks of the program, whose results `/readyz` reports.
    pub readiness_checks: Arc<[ReadinessCheck]>,
    /// What the API waits for before its methods can be called.
    pub waits_for: Option<Arc<str>>,
    /// What the kinds of handlers measure for `/metrics`.
    pub measures: Arc<[Measure]>,
    /// The descriptions of the API as a protected resource, which the server publishes.
    pub protected_resources: Vec<ProtectedResource>,
    /// The counter that counts the requests of limits for several servers, and how the server uses it.
    pub shared_counter: Option<(Arc<dyn SharedCounter>, SharedCounterSettings)>,
    /// The storage of idempotency keys; `None` for a storage in memory.
    pub idempotency_storage: Option<Arc<dyn IdempotencyStorage>>,
    /// Begins the traces of requests; `None` if the program has no exporter for traces.
    pub tracer: Option<Tracer>,
}

/// Creates the plan of an API. `actions` contains the action of each API method, as
/// [`bind_handlers`](super::bind_handlers()) returns them. `documents` are the documents that describe the API.
pub fn create_plan(
    api: &Api,
    actions: Vec<Action>,
    handlers: &[handler::Module],
    context: PlanContext,
    documents: DocumentCache,
) -> Plan {
    let mut routes = Routes::default();
    let mut services: Vec<PlannedService> = Vec::new();
    let mut plans: Vec<PlannedMethod> = Vec::new();
    let mut secret_paths = Vec::new();
    let mut actions = actions.into_iter();
    let api_limits = plan_limits(api, &api.rate_limits, "api");
    for (module_index, module) in api.modules.iter().enumerate() {
        let module_limits = module.rate_limits.as_ref();
        let module_limits = module_limits.map(|limits| plan_limits(api, limits, &format!("module:{}", module.name)));
        let module_limits = module_limits.as_ref().unwrap_or(&api_limits);
        for service in &module.services {
            let index = services.len();
            // The step `lower` has rejected duplicate paths, so this insertion never fails.
            let _ = routes.insert(&service.path, index, module.ignore_case);
            let first = plans.len();
            plans.extend(service.methods.iter().map(|method| {
                let action = actions.next().unwrap_or(Action::NotImplemented);
                plan_method(api, module_limits, service, method, (module_index, action))
            }));
            secret_paths.extend(secret_path(&service.path, &plans[first..]));
            services.push(PlannedService {
                module_index,
                path_length: service.path.len(),
                name_fields: Vec::new(),
                methods: service.methods.iter().map(|method| method.http).zip(first..).collect(),
            });
        }
    }
    debug_assert_eq!(plans.len(), api.methods().count());
    let named_services = api.service.on.then(|| services_by_name(api));
    let definitions: Vec<_> = all_services(api).map(|(_, (_, service))| service).collect();
    for service in named_services.iter().flat_map(|named| named.by_class.services()) {
        services[service].name_fields = fields_naming_another_service(definitions[service]);
    }
    let services_by_module = api.dispatch.then(|| services_by_module(api));
    let named_in_body = NamedInBody::new(services_by_module.as_ref(), named_services.as_ref(), &services);
    let challenges = AuthScheme::challenges(&api.auth_schemes);
    let auth_fields = auth_fields(&context.authenticators);
    // The fields of a body that a method does not read are unknown parameters.
    if !auth_fields.is_empty() || api.unknown != UnknownParameters::Ignore {
        let without_body =
            plans.iter_mut().filter(|method| matches!(method.body_use, BodyUse::Nothing | BodyUse::Unread));
        without_body.for_each(|method| method.body_use = BodyUse::Fields);
    }
    Plan {
        base_path: api.base.trim_end_matches('/').into(),
        api_version: api.version.as_str().into(),
        routes,
        named_services,
        services_by_module,
        named_in_body,
        similar_paths: similar_paths(api),
        secret_paths: secret_paths.into(),
        services: services.into(),
        max_multipart_limits: plans
            .iter()
            .map(|method| method.multipart_limits)
            .fold(MultipartLimits::of_settings(&api.limits), MultipartLimits::max),
        method_indices: plans.iter().enumerate().map(|(index, method)| (method.id.clone(), index)).collect(),
        methods: plans.into(),
        modules: api.modules.iter().map(|module| plan_module(api, module, handlers)).collect(),
        envelope: api.make_envelope(&api.envelope),
        formats: api.formats.clone().into(),
        allows_jsonp: api.jsonp,
        limits: api.limits.clone(),
        shared_limiter: context.shared_counter.map(|counter| Arc::new(new_shared_limiter(api, counter))),
        idempotency_storage: uses_idempotency_keys(api)
            .then(|| context.idempotency_storage.unwrap_or_else(|| Arc::new(MemoryStorage::default()))),
        tracer: context.tracer,
        unknown_parameters: api.unknown,
        challenge: challenges.join(", ").into(),
        invalid_token_challenge: challenges
            .iter()
            .map(|challenge| invalid_token_challenge(challenge))
            .collect::<Vec<_>>()
            .join(", ")
            .into(),
        authenticators: plan_authenticators(context.authenticators, context.ending_authenticators),
        auth_errors: api.auth_errors.clone().into(),
        auth_fields,
        verify_outputs: context.verify_outputs,
        state: context.state,
        readiness_checks: context.readiness_checks,
        waits_for: context.waits_for,
        measures: context.measures,
        compresses_responses: api.compress,
        is_watched: api.is_watched,
        cors: cors::plan_cors(api),
        resource_metadata: resource_metadata(api, &context.protected_resources),
        documents,
        versions: None,
        version_field: None,
    }
}

/// Returns every service with its API module and its index in the plan.
fn all_services(api: &Api) -> impl Iterator<Item = (usize, (&model::Module, &model::Service))> {
    let services = api.modules.iter().flat_map(|module| module.services.iter().map(move |service| (module, service)));
    services.enumerate()
}

/// Creates the index of services by their PhalApi names, which have the form `Class.method`.
fn services_by_name(api: &Api) -> NamedServices {
    let mut classes = ServicesByClass::new(api.catalogue.version());
    for (index, (_, service)) in all_services(api) {
        // The step `lower` has rejected duplicate names, so this insertion never fails.
        let _ = classes.insert(&service.path, index);
    }
    let default = api.service.default.as_ref().and_then(|name| classes.find(&name.value).ok());
    NamedServices {
        by_class: classes,
        default_service: default,
        entry: api.service.entry.as_str().into(),
        envelope: api.make_envelope(&EnvelopeName::Phalapi),
    }
}

/// Creates the index of services by the names in the body fields `module` and `method`.
fn services_by_module(api: &Api) -> ServicesByModule {
    let mut modules = ServicesByModule::default();
    for (index, (module, service)) in all_services(api) {
        modules.insert(&service.path, index, module.ignore_case);
    }
    modules
}

/// Collects the paths of all services, from which responses to unknown paths suggest similar paths.
fn similar_paths(api: &Api) -> SimilarPaths {
    let base = api.base.trim_end_matches('/');
    let services = api.services().map(|service| {
        let positions = service.methods.iter().map(|method| method.positions().len()).max().unwrap_or_default();
        (&*service.path, format!("{base}{}", service.uri()), positions)
    });
    SimilarPaths::new(base, services)
}

/// Returns `true` if an API method uses idempotency keys.
pub fn uses_idempotency_keys(api: &Api) -> bool {
    api.methods().any(|(_, _, method)| method.options.idempotent.is_some())
}

fn plan_module(api: &Api, module: &model::Module, handlers: &[handler::Module]) -> PlannedModule {
    let hooks = handlers.iter().find(|handlers| handlers.name == module.name).map(|handlers| handlers.hooks.clone());
    PlannedModule {
        name: module.name.as_str().into(),
        envelope: api.make_envelope(api.envelope_name(module)),
        uses_last_value: module.repeated == Repeated::Last,
        hooks: hooks.unwrap_or_default(),
    }
}

fn plan_method(
    api: &Api,
    module_limits: &[Arc<PlannedRateLimit>],
    service: &model::Service,
    method: &model::Method,
    (module, action): (usize, Action),
) -> PlannedMethod {
    let parameters = &method.parameters;
    let slots_from = |is_source: fn(Location) -> bool| -> Box<[usize]> {
        parameters.iter().enumerate().filter(|(_, it)| is_source(it.from)).map(|(slot, _)| slot).collect()
    };
    let body_slots = slots_from(|from| matches!(from, Location::Body | Location::Any));
    let body_use = match parameters.iter().position(Parameter::is_whole_body) {
        Some(slot) if parameters[slot].is_raw_body() => BodyUse::Raw(slot),
        Some(slot) => BodyUse::Whole(slot),
        None if !body_slots.is_empty() => BodyUse::Fields,
        None if action.body_access() == BodyAccess::Any => BodyUse::Unread,
        None => BodyUse::Nothing,
    };
    let response_fields = response_fields::plan_response_fields(method);
    // The server makes the entity tags of files. A function reads the conditions itself, and so does another server.
    let reads_head = match (&action, &method.handler) {
        (Action::Defined { .. }, Some(handler)) => handler.settings.iter().any(|it| it.key.value == "request_headers"),
        _ => true,
    };
    let has_version = |other: &model::Method| {
        other.http == HttpMethod::Get && (other.options.version.is_some() || other.options.download && !reads_head)
    };
    let reads_condition = |name: &HeaderName| {
        let mut header_fields = parameters.iter().filter(|parameter| parameter.from == Location::Header);
        header_fields.any(|parameter| parameter.key.eq_ignore_ascii_case(name.as_str()))
    };
    PlannedMethod {
        // Clients know the entity tags of the GET method, so that a condition that is not read would protect nothing.
        refused_conditions: match method.http != HttpMethod::Get && service.methods.iter().any(has_version) {
            true => [IF_MATCH, IF_NONE_MATCH].into_iter().filter(|name| !reads_condition(name)).collect(),
            false => Box::default(),
        },
        // The arguments of calls are no outputs.
        response_fields: response_fields.filter(|_| !matches!(action, Action::Echo)).map(Box::new),
        id: method.id.as_str().into(),
        route: format!("{}{}", api.base.trim_end_matches('/'), service.uri()).into(),
        module_index: module,
        rate_limits: match &method.options.rate_limits {
            Some(limits) => plan_limits(api, limits, &format!("method:{}", method.id)),
            None => module_limits.into(),
        },
        cost: method.options.cost,
        idempotency: method.options.idempotent,
        deprecation: plan_deprecation(api, method),
        scope: method.scope.clone(),
        scope_challenges: scope_challenges(&api.auth_schemes, method),
        parameter_names: parameters.iter().map(|parameter| parameter.name.as_str().into()).collect(),
        parameters: parameters.iter().map(|parameter| plan_parameter(parameter, &api.limits)).collect(),
        constraints: method.constraints.clone().into(),
        max_positions: method.positions().len(),
        path_slots: path_slots(service, parameters),
        query_slots: slots_from(|from| matches!(from, Location::Query | Location::Any)),
        header_slots: parameters.iter().enumerate().filter_map(header_slot).collect(),
        cookie_slots: slots_from(|from| from == Location::Cookie),
        body_use,
        multipart_limits: MultipartLimits::of_method(method, &api.limits),
        body_slots,
        action,
        allows_jsonp: method.allows_jsonp(api.jsonp),
        success_status: method.options.status,
        returns_file: method.options.download,
        outputs: method.returned_outputs().map(plan_output).collect(),
        has_whole_output: method.returned_whole().is_some(),
        output_differences: AtomicU64::new(0),
        declared_errors: method.errors.clone().into(),
    }
}

fn plan_authenticators(all: Vec<Arc<dyn DynAuthenticate>>, ending: usize) -> Box<[PlannedAuthenticator]> {
    let mut known: Vec<String> = Vec::new();
    let mut scheme_index = |scheme: AuthScheme| {
        // Credentials of schemes with the same name in `Authorization` cannot be distinguished before they are checked.
        let name = scheme.http_scheme().unwrap_or_else(|| scheme.name());
        known.iter().position(|other| *other == name).unwrap_or_else(|| {
            known.push(name);
            known.len() - 1
        })
    };
    let plan = |(index, authenticator): (usize, Arc<dyn DynAuthenticate>)| {
        let schemes = authenticator.schemes();
        PlannedAuthenticator {
            // An authenticator without schemes may read a cookie that the documents do not mention.
            accepts_browser_credentials: schemes.is_empty() || schemes.iter().any(AuthScheme::is_sent_by_browsers),
            // All schemes from the index 63 count as one scheme.
            schemes: schemes.into_iter().fold(0, |bits, scheme| bits | 1 << scheme_index(scheme).min(63)),
            authenticator,
            ends_authentication: index < ending,
        }
    };
    all.into_iter().enumerate().map(plan).collect()
}

/// Returns the names of the fields of bodies that the authenticators read, without duplicates.
fn auth_fields(authenticators: &[Arc<dyn DynAuthenticate>]) -> Box<[Box<str>]> {
    let mut names: Vec<Box<str>> =
        authenticators.iter().flat_map(|authenticator| authenticator.body_fields()).map(Into::into).collect();
    names.sort_unstable();
    names.dedup();
    names.into()
}

fn plan_output(output: &model::Output) -> PlannedOutput {
    PlannedOutput {
        name: output.name.as_str().into(),
        check: output.r#type.check.clone(),
        is_optional: output.optional,
    }
}

/// Returns the field name and the slot of a parameter in a header field; `None` for other parameters.
fn header_slot((slot, parameter): (usize, &Parameter)) -> Option<(HeaderName, usize)> {
    let name = (parameter.from == Location::Header).then(|| HeaderName::try_from(&*parameter.key))?;
    name.ok().map(|name| (name, slot))
}

/// Returns the slots of the parameters in the path: pairs of the index of a path segment and the index of a slot.
fn path_slots(service: &model::Service, parameters: &[Parameter]) -> Box<[(usize, usize)]> {
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

fn plan_parameter(parameter: &Parameter, limits: &Limits) -> PlannedParameter {
    let check = &parameter.r#type.check;
    PlannedParameter {
        key: parameter.key.as_str().into(),
        display_name: parameter.request_name().into(),
        source: parameter.from.source(),
        arity: check.arity(),
        file_limit: limits::file_limit(parameter, limits),
        is_optional: parameter.optional,
        is_entity_tag: parameter.is_entity_tag,
        default: parameter_default(parameter),
        is_secret: is_secret(parameter),
        expected: check.expected(),
        message: parameter.message.as_deref().map(Into::into),
        check: check.clone(),
    }
}

/// Returns the default of a parameter as handlers receive it; `None` if the parameter has no default.
pub(super) fn parameter_default(parameter: &Parameter) -> Option<Value<'static>> {
    decode_default(parameter.default.as_ref()?, &*parameter.r#type.check).ok().map(Value::into_owned)
}

/// Returns `true` if the value of a parameter may be a secret, because of the parameter's location or one of its names.
fn is_secret(parameter: &Parameter) -> bool {
    let is_secret_header = parameter.from == Location::Header && is_secret_header_field(&parameter.key);
    is_secret_header
        || parameter.from == Location::Cookie
        || is_secret_name(&parameter.key)
        || is_secret_name(&parameter.name)
}
