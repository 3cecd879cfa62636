//! Creates the plan: converts the model of the API to the data structures with which requests are handled. Limits, the
//! header fields of responses, challenges, the setting `cors` and deprecations are compiled by functions at the end.
//!
//! The parameters of an API method are numbered in the order of the definition. The number of a parameter is the index
//! of its slot, the place for its argument.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use bytes::Bytes;
use http::header::{self, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderName, HeaderValue};
use rulebook_model::compile::decode_default;
use rulebook_model::limits;
use rulebook_model::model::{
    self, Api, Audience, Cors, Deprecation, EnvelopeName, Idempotency, Limits, Location, Method, MultipartLimits,
    Origins, Output, OutputPlace, Parameter, RateLimit, Repeated, ResponseField, Segment, ServerPath,
    UnknownParameters, ValueSource, Versions,
};
use rulebook_model::routing::fields_naming_another_service;
use rulebook_model::types::Arity;
use rulebook_model::uri::percent_encode;
use serde_json::json;
use url::Url;

use crate::auth::ProtectedResource;
use crate::call::{AuthScheme, DynAuthenticate, HttpMethod, Limit, Value, is_secret_header_field, is_secret_name};
use crate::handler::{self, BodyAccess, Measure, ProgramState, ReadinessCheck};
use crate::idempotency::{IdempotencyStorage, MemoryStorage};
use crate::pipeline::secret_path;
use crate::plan::{
    self, Action, BodyUse, DocumentCache, NamedInBody, NamedServices, Plan, PlannedAuthenticator, PlannedDeprecation,
    PlannedField, PlannedMethod, PlannedModule, PlannedOutput, PlannedParameter, PlannedService, ResponseFields,
    Routes, ScopeChallenges, ServicesByClass, ServicesByModule, SimilarPaths, static_text,
};
use crate::rate_limit::{PlannedRateLimit, SharedCounter, SharedCounterSettings, SharedLimiter};
use crate::trace::Tracer;

/// The parts of a plan that come from the program instead of the model. The versions of an API share them.
#[derive(Clone)]
pub struct PlanContext {
    /// In the order in which they are called.
    pub authenticators: Vec<Arc<dyn DynAuthenticate>>,
    /// How many authenticators, from the first one, end the authentication if they return an identity. The identities
    /// of all other authenticators are combined.
    pub ending_authenticators: usize,
    pub verify_outputs: bool,
    pub state: ProgramState,
    pub readiness_checks: Arc<[ReadinessCheck]>,
    /// What the API waits for before its methods can be called.
    pub waits_for: Option<Arc<str>>,
    pub measures: Arc<[Measure]>,
    pub protected_resources: Vec<ProtectedResource>,
    pub shared_counter: Option<(Arc<dyn SharedCounter>, SharedCounterSettings)>,
    /// If `None`, the keys are stored in memory.
    pub idempotency_storage: Option<Arc<dyn IdempotencyStorage>>,
    pub tracer: Option<Tracer>,
}

/// `actions` is what [`bind_handlers`](super::bind_handlers()) returns.
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
        cors: plan_cors(api),
        resource_metadata: resource_metadata(api, &context.protected_resources),
        documents,
        versions: None,
        version_field: None,
    }
}

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

fn similar_paths(api: &Api) -> SimilarPaths {
    let base = api.base.trim_end_matches('/');
    let services = api.services().map(|service| {
        let positions = service.methods.iter().map(|method| method.positions().len()).max().unwrap_or_default();
        (&*service.path, format!("{base}{}", service.uri()), positions)
    });
    SimilarPaths::new(base, services)
}

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
    let response_fields = plan_response_fields(method);
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
        outputs: method
            .returned_outputs()
            .map(|output| PlannedOutput {
                name: output.name.as_str().into(),
                check: output.r#type.check.clone(),
                is_optional: output.optional,
            })
            .collect(),
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

fn auth_fields(authenticators: &[Arc<dyn DynAuthenticate>]) -> Box<[Box<str>]> {
    let mut names: Vec<Box<str>> =
        authenticators.iter().flat_map(|authenticator| authenticator.body_fields()).map(Into::into).collect();
    names.sort_unstable();
    names.dedup();
    names.into()
}

fn header_slot((slot, parameter): (usize, &Parameter)) -> Option<(HeaderName, usize)> {
    let name = (parameter.from == Location::Header).then(|| HeaderName::try_from(&*parameter.key))?;
    name.ok().map(|name| (name, slot))
}

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
        file_limit: file_limit(parameter, limits),
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

fn is_secret(parameter: &Parameter) -> bool {
    let is_secret_header = parameter.from == Location::Header && is_secret_header_field(&parameter.key);
    is_secret_header
        || parameter.from == Location::Cookie
        || is_secret_name(&parameter.key)
        || is_secret_name(&parameter.name)
}

pub(super) fn file_limit(parameter: &Parameter, limits: &Limits) -> Option<Limit> {
    let check = &parameter.r#type.check;
    let type_limit = check.max_size().bytes.map(Limit::file);
    matches!(check.arity(), Arity::File | Arity::Files)
        .then(|| type_limit.unwrap_or(limits::PART_SIZE.with_value(limits.part)))
}

/// Creates limits. `scope` distinguishes equal limits that do not count together.
fn plan_limits(api: &Api, limits: &[RateLimit], scope: &str) -> Box<[Arc<PlannedRateLimit>]> {
    let workers = api.workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let new = |limit: &RateLimit| PlannedRateLimit::new(*limit, scope, workers, api.limits.callers);
    limits.iter().map(new).map(Arc::new).collect()
}

/// Creates the limiter that counts with a shared counter. It has leases for the callers of all limits of the API, and
/// for as many identities with limits.
fn new_shared_limiter(
    api: &Api,
    (counter, settings): (Arc<dyn SharedCounter>, SharedCounterSettings),
) -> SharedLimiter {
    let of_modules = api.modules.iter().flat_map(|module| {
        let methods = module.services.iter().flat_map(|service| &service.methods);
        methods.filter_map(|method| method.options.rate_limits.as_ref()).chain(&module.rate_limits)
    });
    let limits: usize = of_modules.map(Vec::len).sum::<usize>() + api.rate_limits.len() + 1;
    let max_callers = usize::try_from(api.limits.callers).unwrap_or(usize::MAX);
    SharedLimiter::new(counter, settings, max_callers.saturating_mul(limits))
}

fn plan_response_fields(method: &Method) -> Option<ResponseFields> {
    let fields: Box<[_]> =
        method.header_outputs().filter_map(|(output, field)| plan_field(method, output, field)).collect();
    let version = method.options.version.as_ref().and_then(|name| method.named_value(name));
    let has_status = method.outputs.iter().any(|output| output.place == OutputPlace::Status);
    if fields.is_empty() && version.is_none() && !has_status {
        return None;
    }
    let sources = fields.iter().filter_map(|field| field.template.as_ref()).flat_map(|(_, sources)| sources);
    let parameters = sources.filter_map(|source| match source {
        ValueSource::Parameter(slot) => Some(*slot),
        _ => None,
    });
    Some(ResponseFields {
        parameters: parameters.collect(),
        fields,
        version: version.map(|version| version.source),
        statuses: if has_status { method.statuses().collect() } else { Box::default() },
        has_whole_body: method.whole().is_some(),
        is_get: method.http.as_str() == "GET",
    })
}

/// Returns `None` only for names that the definition cannot contain.
fn plan_field(method: &Method, output: &Output, field: &ResponseField) -> Option<PlannedField> {
    let template = match &field.template {
        None => None,
        Some(template) => {
            let source = |name: &str| method.named_value(name).map(|value| value.source);
            Some((template.clone(), template.names().map(source).collect::<Option<_>>()?))
        }
    };
    Some(PlannedField {
        name: HeaderName::try_from(&field.name).ok()?,
        output: output.name.as_str().into(),
        is_optional: output.optional,
        has_http_date: field.has_http_date(),
        template,
    })
}

/// Returns the value of `WWW-Authenticate` for a request with an invalid bearer token (RFC 6750 section 3.1).
/// `challenge` is the value for a request without a credential.
pub(super) fn invalid_token_challenge(challenge: &str) -> String {
    if is_bearer(challenge) { with_parameter(challenge, "error", "invalid_token") } else { challenge.to_owned() }
}

/// Returns the challenges of a method that name its permissions. Returns `None` for a public method, and for an API
/// without signed tokens: clients can request a token with certain permissions, but not a key.
pub(super) fn scope_challenges(schemes: &[AuthScheme], method: &Method) -> Option<Box<ScopeChallenges>> {
    if !schemes.iter().any(|scheme| matches!(scheme, AuthScheme::Jwt { .. })) {
        return None;
    }
    let texts = method.scope.groups.first()?.iter().map(|permission| permission.text.as_str());
    let scope = texts.filter(|text| is_scope_token(text)).collect::<Vec<_>>().join(" ");
    let challenges = AuthScheme::challenges(schemes);
    let with_scope = |challenge: &str| match is_bearer(challenge) && !scope.is_empty() {
        true => with_parameter(challenge, "scope", &scope),
        false => challenge.to_owned(),
    };
    let bearer = challenges.iter().find(|challenge| is_bearer(challenge)).copied().unwrap_or("Bearer");
    let all: Vec<_> = challenges.iter().map(|challenge| with_scope(challenge)).collect();
    Some(Box::new(ScopeChallenges {
        without_credential: all.join(", ").into(),
        insufficient_scope: with_scope(&with_parameter(bearer, "error", "insufficient_scope")).into(),
    }))
}

/// Returns `true` if a permission can be part of `scope` (RFC 6750 section 3).
fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

fn is_bearer(challenge: &str) -> bool {
    challenge.split(' ').next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("Bearer"))
}

fn with_parameter(challenge: &str, name: &str, value: &str) -> String {
    match challenge.split_once(' ').filter(|(_, parameters)| !parameters.trim().is_empty()) {
        Some(_) => format!("{challenge}, {name}=\"{value}\""),
        None => format!("{} {name}=\"{value}\"", challenge.trim()),
    }
}

/// Returns the request path and the metadata of each protected resource (RFC 9728 sections 2 and 3). Resources with the
/// same address have one document.
pub(super) fn resource_metadata(api: &Api, resources: &[ProtectedResource]) -> Box<[(Box<str>, Bytes)]> {
    let mut merged: Vec<ProtectedResource> = Vec::new();
    for ProtectedResource { resource, authorization_servers } in resources {
        match merged.iter_mut().find(|known| known.resource == *resource) {
            Some(known) => known.authorization_servers.extend(authorization_servers.iter().cloned()),
            None => merged.push(ProtectedResource {
                resource: resource.clone(),
                authorization_servers: authorization_servers.clone(),
            }),
        }
    }
    let document = |resource: ProtectedResource| {
        let path = metadata_path(&resource.resource).into();
        let document = json!({
            "resource": resource.resource,
            "resource_name": api.title,
            "authorization_servers": resource.authorization_servers,
            "bearer_methods_supported": ["header"],
        });
        (path, document.to_string().into())
    };
    merged.into_iter().map(document).collect()
}

/// Returns the path of the metadata of a resource: the well-known path comes before the path of the resource.
fn metadata_path(resource: &str) -> String {
    let reserved = ServerPath::ALL.into_iter().find(|(path, ..)| *path == ServerPath::ProtectedResource);
    let well_known = reserved.map_or("", |(_, path, _)| path);
    let path = Url::parse(resource).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    format!("{well_known}{path}")
}

/// The header fields that pages of other origins may send with every request.
const ALLOWED_REQUEST_HEADERS: [&str; 7] =
    ["Authorization", "Content-Type", "X-Request-Id", "X-Requested-With", "If-None-Match", "If-Match", "Range"];
/// The header fields of responses that pages of other origins may read.
const EXPOSED_RESPONSE_HEADERS: [&str; 11] = [
    "ETag",
    "Location",
    "Link",
    "Retry-After",
    "X-Request-Id",
    "RateLimit",
    "RateLimit-Policy",
    "WWW-Authenticate",
    "Allow",
    "Content-Disposition",
    "Content-Range",
];

fn plan_cors(api: &Api) -> Option<plan::PlannedCors> {
    let Cors { origins, credentials, headers, expose, max_age, .. } = api.cors.as_ref()?;
    let request_headers = || ALLOWED_REQUEST_HEADERS.into_iter().chain(headers.iter().map(String::as_str));
    let method_headers = |method: &Method| {
        let parameters = method.parameters.iter().filter(|parameter| parameter.from == Location::Header);
        let key = method.options.idempotent.map(|_| Idempotency::HEADER);
        let filename = method.parameters.iter().any(Parameter::is_raw_body).then_some("Content-Disposition");
        let names: Vec<_> = parameters.map(|parameter| parameter.key.as_str()).chain(key).chain(filename).collect();
        (!names.is_empty()).then(|| header_list(request_headers().chain(names)))
    };
    let replayed = uses_idempotency_keys(api).then_some(Idempotency::REPLAYED_HEADER);
    let of_outputs = api.methods().flat_map(|(_, _, method)| method.header_outputs());
    // Browsers never let pages read `Set-Cookie`.
    let is_readable = |name: &&str| !name.eq_ignore_ascii_case("Set-Cookie");
    let of_outputs = of_outputs.map(|(_, field)| field.name.as_str()).filter(is_readable);
    let is_deprecated = api.methods().any(|(_, _, method)| method.options.deprecation.is_some());
    let of_deprecated = ["Deprecation", "Sunset"].into_iter().filter(|_| is_deprecated);
    let exposed = EXPOSED_RESPONSE_HEADERS.into_iter().chain(replayed).chain(of_deprecated).chain(of_outputs);
    let exposed = exposed.chain(expose.iter().map(String::as_str));
    Some(plan::PlannedCors {
        allowed_origins: match origins {
            Origins::Any => None,
            Origins::These(origins) => Some(origins.iter().map(|origin| origin.to_ascii_lowercase().into()).collect()),
        },
        allows_credentials: *credentials,
        allowed_headers: header_list(request_headers()),
        allowed_headers_of_methods: api
            .methods()
            .enumerate()
            .filter_map(|(index, (_, _, method))| Some((index, method_headers(method)?)))
            .collect(),
        exposed_headers: header_list(exposed),
        max_age: HeaderValue::from(*max_age),
    })
}

/// Joins names of header fields to a comma-separated list, without duplicates.
fn header_list<'n>(names: impl Iterator<Item = &'n str>) -> HeaderValue {
    let mut list: Vec<&str> = Vec::new();
    for name in names {
        if !list.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            list.push(name);
        }
    }
    // A list of header names is always a valid header value.
    HeaderValue::try_from(list.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Returns the header fields of RFC 9745 and RFC 8594; `None` if the method is not deprecated.
fn plan_deprecation(api: &Api, method: &model::Method) -> Option<Box<PlannedDeprecation>> {
    let deprecation = method.options.deprecation.as_deref()?;
    let Deprecation { since, sunset, .. } = deprecation;
    let is_shown = |is_public: bool| api.options == Audience::Public || is_public;
    let successor = find_successor(api, deprecation).filter(|successor| is_shown(successor.is_public));
    let version = api.versions.as_ref().map(prefix_of_current).unwrap_or_default();
    let fields = [
        (HeaderName::from_static("deprecation"), since.map(|since| format!("@{}", since.as_second()))),
        (HeaderName::from_static("sunset"), sunset.map(|sunset| httpdate::fmt_http_date(sunset.into()))),
        (header::LINK, documentation_link(&version, method, sunset.is_some())),
        (header::LINK, successor.as_ref().and_then(Successor::link)),
    ];
    Some(Box::new(PlannedDeprecation {
        fields: fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, HeaderValue::try_from(value?).ok()?)))
            .collect(),
        sunset: *sunset,
        successor: successor.map(|Successor { http, base, uri, .. }| format!("{} {base}{uri}", http.as_str()).into()),
    }))
}

/// The method that replaces a deprecated one, in the same version of the API or in another one.
struct Successor<'a> {
    http: HttpMethod,
    /// The prefix of the version, and the base path, without a slash at the end.
    base: String,
    path: &'a [Segment],
    uri: String,
    is_public: bool,
}

fn find_successor<'a>(api: &'a Api, deprecation: &'a Deprecation) -> Option<Successor<'a>> {
    let base = api.base.trim_end_matches('/');
    let versions = api.versions.as_ref();
    if let (Some(other), Some(versions)) = (&deprecation.other_successor, versions) {
        let base = versions.path_prefix(&other.version) + base;
        let (path, is_public) = (&*other.path, other.is_public);
        return Some(Successor { http: other.http, base, path, uri: other.uri(), is_public });
    }
    let (service, method) = deprecation.find_successor(api)?;
    let base = versions.map(prefix_of_current).unwrap_or_default() + base;
    let is_public = method.scope.is_public();
    Some(Successor { http: method.http, base, path: &service.path, uri: service.uri(), is_public })
}

/// Returns what the paths of the version that is described begin with.
fn prefix_of_current(versions: &Versions) -> String {
    versions.current.as_ref().map(|current| versions.path_prefix(current)).unwrap_or_default()
}

impl Successor<'_> {
    /// Returns the link to the resource that replaces a deprecated one (RFC 5829); `None` if its path has captures,
    /// because a link cannot contain a template.
    fn link(&self) -> Option<String> {
        let segments = self.path.iter().map(static_text).collect::<Option<Vec<_>>>()?;
        let path = self.base.split('/').skip(1).chain(segments);
        let path: String = path.map(|segment| format!("/{}", percent_encode(segment))).collect();
        Some(format!("<{}>; rel=\"successor-version\"", if path.is_empty() { "/" } else { &path }))
    }
}

/// Returns the link to the page of a method, which says since when it is deprecated and when it ends.
#[cfg(feature = "documents")]
fn documentation_link(version: &str, method: &model::Method, has_sunset: bool) -> Option<String> {
    let page = rulebook_model::describe::method_page_url(&method.id);
    let relation = if has_sunset { "deprecation sunset" } else { "deprecation" };
    Some(format!("<{version}{page}>; rel=\"{relation}\"; type=\"text/html\""))
}

#[cfg(not(feature = "documents"))]
fn documentation_link(_: &str, _: &model::Method, _: bool) -> Option<String> {
    None
}
