//! The plan: the definition of an API, compiled at startup into the data structures that handle requests.
//!
//! The plan contains everything that can be computed before the first request: the tree of paths, the location, check
//! and default of each parameter, the required permissions, and the handlers. The plan is immutable, and all workers
//! share it. The plan must not refer to the text of definition files.
//!
//! The plan refers to API modules, services and API methods by their indices in [`Plan`]. Each parameter of a method
//! has a *slot*, the place for its argument; slots are numbered in the order in which the definition declares the
//! parameters.

#[cfg_attr(not(feature = "documents"), allow(dead_code, reason = "no documents are rendered"))]
mod document;
mod document_cache;
mod similar_paths;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use memchr::memchr_iter;
use rulebook_model::envelope::Envelope;
use rulebook_model::format::FormatOffer;
use rulebook_model::model::{
    DeclaredError, FieldTemplate, Idempotency, Limits, MultipartLimits, Scope, Segment, UnknownParameters, ValueSource,
};
pub use rulebook_model::routing::{
    NamedServices, RouteConflict, Routes, ServiceNaming, ServicesByClass, ServicesByModule, encode_segment,
};
use rulebook_model::types::{Arity, Check};

use crate::call::{AllowedMethods, ApiError, ArgumentSlots, DynAuthenticate, HttpMethod, Limit, Source, Value};
use crate::handler::{
    BodyAccess, CompiledHandler, Context, Handler, HandlerFuture, Hooks, Measure, OutputsCheck, ProgramState,
    ReadinessCheck,
};
use crate::idempotency::IdempotencyStorage;
use crate::rate_limit::{PlannedRateLimit, SharedLimiter};
use crate::trace::Tracer;

pub use document::{
    CompressionEffort, ContentCoding, Document, Documents, OptionsDescription, PageRenderer, PublishedDocuments,
    RenderedOnDemand, RenderedPage,
};
pub use document_cache::{CallerDocuments, DocumentCache, LazyDescription, LazyDocuments};
pub use similar_paths::SimilarPaths;

pub struct Plan {
    /// The base path of the API, without a slash at its end; empty for `/`.
    pub base_path: Box<str>,
    pub api_version: Box<str>,
    pub routes: Routes,
    /// The services by their PhalApi names, which have the form `Class.method`; `None` if requests cannot name services
    /// in this way.
    pub named_services: Option<NamedServices>,
    /// The services by module name and method name; `None` if request bodies cannot name services in this way.
    pub services_by_module: Option<ServicesByModule>,
    pub named_in_body: NamedInBody,
    pub similar_paths: SimilarPaths,
    pub secret_paths: Box<[SecretPath]>,
    pub services: Box<[PlannedService]>,
    pub methods: Box<[PlannedMethod]>,
    /// By the id of the method, for calls from code.
    pub method_indices: HashMap<Box<str>, usize>,
    pub modules: Box<[PlannedModule]>,
    /// The envelope of error responses to requests that are not routed to an API module. An envelope is the JSON
    /// structure around the outputs or the error of a response.
    pub envelope: Arc<dyn Envelope>,
    /// The formats besides JSON that responses can have, in the order of the definition.
    pub formats: Box<[FormatOffer]>,
    pub allows_jsonp: bool,
    pub limits: Limits,
    /// The limits for a multipart body that arrives before the API method is known: the maximum of the limits of all
    /// methods.
    pub max_multipart_limits: MultipartLimits,
    /// Counts the requests of limits for several servers; `None` if each server counts by itself.
    pub shared_limiter: Option<Arc<SharedLimiter>>,
    /// `None` if no API method uses them.
    pub idempotency_storage: Option<Arc<dyn IdempotencyStorage>>,
    /// `None` if the program has no exporter for traces.
    pub tracer: Option<Tracer>,
    pub unknown_parameters: UnknownParameters,
    /// In the order in which they are called.
    pub authenticators: Box<[PlannedAuthenticator]>,
    pub auth_errors: Box<[DeclaredError]>,
    /// The names of the fields of bodies that the authenticators read.
    pub auth_fields: Box<[Box<str>]>,
    pub challenge: Box<str>,
    /// The value of the header field `WWW-Authenticate` in responses to requests with an invalid bearer token.
    pub invalid_token_challenge: Box<str>,
    pub verify_outputs: bool,
    pub state: ProgramState,
    pub readiness_checks: Arc<[ReadinessCheck]>,
    /// What the API waits for before its methods can be called, such as "2 migrations are pending"; `/readyz` says it.
    pub waits_for: Option<Arc<str>>,
    pub measures: Arc<[Measure]>,
    pub compresses_responses: bool,
    /// `true` if pages look for changes of the definition.
    pub is_watched: bool,
    /// `None` if the definition does not enable cross-origin resource sharing.
    pub cors: Option<PlannedCors>,
    /// The metadata of the API as a protected resource of OAuth 2.0 (RFC 9728): the request path and the document of
    /// each resource. The list is empty if the definition does not enable it.
    pub resource_metadata: Box<[(Box<str>, Bytes)]>,
    pub documents: DocumentCache,
    /// The other versions of the API, if this is the version for requests that name none.
    pub versions: Option<Box<PlannedVersions>>,
    /// The name of the header field in which requests can name a version, for `Vary`.
    pub version_field: Option<HeaderValue>,
}

pub struct PlannedVersions {
    /// The name of the version whose plan contains this.
    pub default: Box<str>,
    pub others: Vec<(Box<str>, Arc<Plan>)>,
    pub names: Vec<String>,
    /// The header field in which requests can name a version; `None` if only their paths can.
    pub header: Option<HeaderName>,
}

impl Plan {
    /// Returns the digest of the definition, by which operators see which definition a server serves: the entity tag of
    /// the response to OPTIONS at the base path, without its quotes, followed by those of the other versions. The first
    /// call renders these responses, which is slow; a thread does it when the server starts.
    pub fn definition_digest(&self) -> String {
        let description = self.documents.whole_api.get_or_render().whole_api.get_or_render();
        let digest = description.json.etag.to_str().unwrap_or_default().trim_matches('"').to_owned();
        let others = self.versions.iter().flat_map(|versions| &versions.others);
        others.fold(digest, |digest, (_, plan)| digest + "-" + &plan.definition_digest())
    }
}

pub struct PlannedModule {
    pub name: Box<str>,
    pub envelope: Arc<dyn Envelope>,
    /// What happens if a request contains several values for a parameter that accepts one: if `true`, the last value is
    /// used; if `false`, the request is refused.
    pub uses_last_value: bool,
    pub hooks: Hooks,
}

/// A service is a path with a set of API methods.
pub struct PlannedService {
    pub module_index: usize,
    /// The number of segments of the service's path.
    pub path_length: usize,
    /// The query fields whose values can name another service than the one at the request path; empty if the service
    /// has no name by which requests could select it.
    pub name_fields: Vec<&'static str>,
    /// Pairs of an HTTP method and the index of an API method.
    pub methods: Box<[(HttpMethod, usize)]>,
}

pub struct SecretPath {
    /// The segments of the service's path; `None` for a capture.
    pub segments: Box<[Option<Box<str>>]>,
    /// The indices of the secret segments after the base path, and the names of their parameters.
    pub secrets: Box<[(usize, Box<str>)]>,
}

pub struct PlannedMethod {
    /// The id of the API method, under which calls from code find the method.
    pub id: Box<str>,
    /// The URI template of its service, with the base path.
    pub route: Box<str>,
    pub module_index: usize,
    /// The limits of the number of requests to the API method, and of others that share the limits.
    pub rate_limits: Box<[Arc<PlannedRateLimit>]>,
    /// The conditions (RFC 9110 section 13.1) that the API method refuses, because it does not compare them.
    pub refused_conditions: Box<[HeaderName]>,
    /// For how many requests a call counts in limits.
    pub cost: u32,
    /// Whether requests can or must have an idempotency key; `None` if the API method does not use it.
    pub idempotency: Option<Idempotency>,
    /// `None` if the method is not deprecated.
    pub deprecation: Option<Box<PlannedDeprecation>>,
    pub scope: Scope,
    /// The challenges that name these permissions; `None` if challenges do not depend on the method.
    pub scope_challenges: Option<Box<ScopeChallenges>>,
    /// The names of the parameters in code, one for each slot.
    pub parameter_names: Box<[Box<str>]>,
    pub parameters: Box<[PlannedParameter]>,
    pub constraints: Box<[rulebook_model::constraint::Constraint]>,
    /// The maximum number of positional parameters after the path of the service.
    pub max_positions: usize,
    /// Pairs of the index of a path segment and the index of a slot.
    pub path_slots: Box<[(usize, usize)]>,
    pub query_slots: Box<[usize]>,
    pub body_slots: Box<[usize]>,
    /// Pairs of a field name and the index of a slot.
    pub header_slots: Box<[(http::HeaderName, usize)]>,
    pub cookie_slots: Box<[usize]>,
    /// How the body of a request is read: whether the API method has parameters in it, or authenticators read it.
    pub body_use: BodyUse,
    pub multipart_limits: MultipartLimits,
    pub action: Action,
    pub allows_jsonp: bool,
    /// The HTTP status of a response without an error, unless the handler chooses another one.
    pub success_status: u16,
    /// `None` if the outputs are only in the body.
    pub response_fields: Option<Box<ResponseFields>>,
    pub returns_file: bool,
    /// `true` if the value that the handler returns is the whole body of the response.
    pub has_whole_output: bool,
    pub outputs: Box<[PlannedOutput]>,
    /// The number of responses whose outputs differ from the definition, though they were sent. Only handlers that
    /// call another program have such outputs, so that the workers can share the count.
    pub output_differences: AtomicU64,
    pub declared_errors: Box<[DeclaredError]>,
}

impl PlannedMethod {
    pub fn success_statuses(&self) -> Vec<u16> {
        let fields = self.response_fields.as_deref();
        let others = fields.into_iter().flat_map(|fields| fields.statuses.iter().copied());
        let others = others.filter(|status| *status != self.success_status);
        let not_modified = fields.filter(|fields| fields.is_get && fields.version.is_some()).map(|_| 304);
        std::iter::once(self.success_status).chain(others).chain(not_modified).collect()
    }

    /// Returns `true` if the entity tag of responses is that of a version.
    pub fn has_version(&self) -> bool {
        self.response_fields.as_ref().is_some_and(|fields| fields.version.is_some())
    }

    /// Returns the slot of the parameter whose field has this name. `slots` are the candidates. Most clients send
    /// fields in the order of the definition, so the search begins at the index `next` of `slots`, which is then set to
    /// the index after the result.
    pub fn find_slot(&self, slots: &[usize], name: &str, next: &mut usize) -> Option<usize> {
        let position = match slots.get(*next) {
            Some(slot) if *self.parameters[*slot].key == *name => *next,
            _ => slots.iter().position(|slot| *self.parameters[*slot].key == *name)?,
        };
        *next = position + 1;
        Some(slots[position])
    }
}

#[derive(Clone)]
pub enum Action {
    Handler {
        handler: Arc<dyn Handler>,
        /// For each parameter, `true` if the handler's argument type distinguishes null from a missing argument.
        nullable: Box<[bool]>,
    },
    Defined {
        handler: Arc<dyn CompiledHandler>,
        /// The settings of the handler as JSON text, to compare it with others; empty if it has none.
        settings: Box<str>,
    },
    /// The API method has no handler, and returns its checked arguments as outputs.
    Echo,
    /// The API method has no handler, and the response is the error 501.
    NotImplemented,
    /// The API waits until its data is migrated, and the response is the error 503.
    Unavailable,
}

impl Action {
    pub fn body_access(&self) -> BodyAccess {
        match self {
            Self::Defined { handler, .. } => handler.body_access(),
            _ => BodyAccess::None,
        }
    }

    pub fn outputs_check(&self) -> OutputsCheck {
        match self {
            Self::Defined { handler, .. } => handler.outputs_check(),
            _ => OutputsCheck::Known,
        }
    }

    /// Fails if the arguments do not fit the handler, or without a handler.
    pub fn start(&self, arguments: ArgumentSlots<'_, '_>, context: Context) -> Result<HandlerFuture, ApiError> {
        match self {
            Self::Handler { handler, nullable } => handler.start(arguments, nullable, context),
            Self::Defined { handler, .. } => Ok(handler.start(arguments, context)),
            Self::Echo | Self::NotImplemented | Self::Unavailable => Err(ApiError::internal("there is no handler")),
        }
    }
}

pub struct PlannedOutput {
    pub name: Box<str>,
    pub check: Arc<dyn Check>,
    pub is_optional: bool,
}

/// The values of `WWW-Authenticate` that name the permissions of a method (RFC 6750 section 3), so that clients can
/// request a token with these permissions. If the method accepts several groups of permissions, they name the first.
#[derive(Debug)]
pub struct ScopeChallenges {
    pub without_credential: Box<str>,
    /// The value in a response to a request whose token lacks a permission.
    pub insufficient_scope: Box<str>,
}

#[derive(Debug)]
pub struct PlannedParameter {
    /// The name of the query field, body field, header field or cookie that contains the parameter; empty if the
    /// parameter is a path segment without a name, or the whole body.
    pub key: Box<str>,
    pub display_name: Box<str>,
    pub source: Source,
    pub check: Arc<dyn Check>,
    pub arity: Arity,
    /// `None` if the parameter does not accept files.
    pub file_limit: Option<Limit>,
    pub is_optional: bool,
    /// `true` if the parameter is the version that the request changes: the entity tag in `If-Match`.
    pub is_entity_tag: bool,
    pub default: Option<Value<'static>>,
    /// `true` if the value may be a secret, which error messages must not quote.
    pub is_secret: bool,
    /// A description of the accepted values, which error messages write after "expected".
    pub expected: Cow<'static, str>,
    /// `None` for the usual messages.
    pub message: Option<Box<str>>,
}

#[derive(Debug)]
pub struct PlannedDeprecation {
    /// The header fields of responses: `Deprecation`, `Sunset` and `Link`.
    pub fields: Box<[(HeaderName, HeaderValue)]>,
    /// The point in time from which on the API method is gone; `None` if it has no end.
    pub sunset: Option<Timestamp>,
    /// The HTTP method and the URI of the API method that replaces it, for the error after the end.
    pub successor: Option<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyUse {
    /// The API method has no parameters in the body, so that the server does not read the body.
    Nothing,
    /// The API method has no parameters in the body, but its handler reads any body.
    Unread,
    /// The API method has parameters in the body: fields or files.
    Fields,
    /// The whole body, which is JSON, is the value of the parameter with this slot.
    Whole(usize),
    /// The whole body is the file of the parameter with this slot.
    Raw(usize),
}

#[derive(Debug)]
pub struct MatchedMethod {
    pub method_index: usize,
    /// The decoded path segments after the base path: first the path of the service, then the values of positional
    /// parameters.
    pub segments: Segments,
    /// How names in the query or the body have selected the API method; `None` if the path has selected the method.
    pub by_name: Option<Box<NameMatch>>,
}

/// The selection of an API method by names in the query or the body, instead of the path.
#[derive(Debug)]
pub struct NameMatch {
    pub naming: ServiceNaming,
    /// The positional parameters whose fields are not a single text: the indices of their slots, and the reasons.
    pub invalid_segments: Vec<(usize, SegmentError)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentError {
    /// The field occurs more than once, or its value is an array or object.
    SeveralValues,
    InvalidUtf8,
}

pub struct PlannedAuthenticator {
    pub authenticator: Arc<dyn DynAuthenticate>,
    /// A bit for each authentication scheme whose credentials the authenticator accepts.
    pub schemes: u64,
    /// `true` if the authenticator accepts credentials that browsers add to requests by themselves.
    pub accepts_browser_credentials: bool,
    /// `true` if no further authenticator is called after this one has returned an identity.
    pub ends_authentication: bool,
}

/// The settings with which pages of other origins (scheme, host and port) may call the API from a browser.
#[derive(Debug)]
pub struct PlannedCors {
    /// The allowed origins in lower case; `None` if all origins are allowed.
    pub allowed_origins: Option<HashSet<Box<str>>>,
    pub allows_credentials: bool,
    /// The value of `Access-Control-Allow-Headers` for API methods without parameters in header fields: the header
    /// fields that pages may send.
    pub allowed_headers: HeaderValue,
    /// The value of `Access-Control-Allow-Headers` for each API method with parameters in header fields, by the index
    /// of the method.
    pub allowed_headers_of_methods: HashMap<usize, HeaderValue>,
    /// The value of `Access-Control-Expose-Headers`: the header fields of responses that pages may read.
    pub exposed_headers: HeaderValue,
    /// The value of `Access-Control-Max-Age`: the number of seconds for which browsers may cache the response to a
    /// preflight.
    pub max_age: HeaderValue,
}

/// The decoded segments of a request path. The segments of a path without percent-encoding need no allocation.
#[derive(Debug, Clone)]
pub enum Segments {
    /// A part of the path of the request. It contains no percent-encoding, and no slash at its beginning or end.
    Plain {
        start: u32,
        end: u32,
        count: u32,
    },
    Decoded(Vec<String>),
}

impl Segments {
    pub fn none() -> Self {
        Self::Decoded(Vec::new())
    }

    /// Returns the segments of a part of a path, which must contain no percent-encoding and no slash at its beginning
    /// or end. The limit `uri` keeps paths below 4 GiB.
    pub fn of_plain_path(path: &str, part: Range<usize>) -> Self {
        let count = 1 + memchr_iter(b'/', path[part.clone()].as_bytes()).count();
        let [start, end, count] = [part.start, part.end, count].map(|length| u32::try_from(length).unwrap_or(u32::MAX));
        Self::Plain { start, end, count }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Plain { count, .. } => *count as usize,
            Self::Decoded(segments) => segments.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the segment with this index of a request with this path.
    pub fn get<'p>(&'p self, path: &'p str, index: usize) -> Option<&'p str> {
        self.iter(path).nth(index)
    }

    pub fn iter<'p>(&'p self, path: &'p str) -> impl Iterator<Item = &'p str> {
        let (plain, decoded) = match self {
            Self::Plain { start, end, .. } => (path.get(*start as usize..*end as usize), None),
            Self::Decoded(segments) => (None, Some(segments)),
        };
        let plain = plain.into_iter().flat_map(|path| path.split('/'));
        plain.chain(decoded.into_iter().flatten().map(AsRef::as_ref))
    }
}

impl From<Vec<String>> for Segments {
    fn from(segments: Vec<String>) -> Self {
        Self::Decoded(segments)
    }
}

/// The API methods that the body of a request to the base path can name, and the HTTP methods of such requests.
#[derive(Debug)]
pub struct NamedInBody {
    /// The indices of the API methods, each with the HTTP method that such a request has.
    pub methods: Box<[(HttpMethod, usize)]>,
    pub http_methods: AllowedMethods,
    pub http_methods_by_module: AllowedMethods,
}

impl NamedInBody {
    /// Finds the methods. `by_module` and `named` are the services that a body can name in each way.
    pub fn new(
        by_module: Option<&ServicesByModule>,
        named: Option<&NamedServices>,
        services: &[PlannedService],
    ) -> Self {
        let methods_of = |service: usize| services[service].methods.iter().copied();
        let by_module = by_module.into_iter().flat_map(ServicesByModule::services).flat_map(methods_of);
        let by_module: Vec<_> = by_module.collect();
        let by_class = named.into_iter().flat_map(|named| named.by_class.services()).flat_map(methods_of);
        // PHP reads fields only from the bodies of POST requests.
        let posted = by_class.filter(|(http, _)| *http == HttpMethod::Post);
        let http_methods_by_module = AllowedMethods::sorted(by_module.iter().map(|(http, _)| *http));
        let methods: Box<[_]> = by_module.into_iter().chain(posted).collect();
        let http_methods = AllowedMethods::sorted(methods.iter().map(|(http, _)| *http));
        Self { methods, http_methods, http_methods_by_module }
    }
}

/// What the outputs of an API method set in a response besides its body. Most methods have none of this.
#[derive(Debug)]
pub struct ResponseFields {
    pub fields: Box<[PlannedField]>,
    /// The value that is the entity tag; `None` if the responses have none.
    pub version: Option<ValueSource>,
    /// The HTTP statuses among which the handler chooses, if there are several.
    pub statuses: Box<[u16]>,
    /// The slots of the parameters in templates.
    pub parameters: Box<[usize]>,
    /// `true` if one output is the whole body. If there are others, the handler returns it as a member.
    pub has_whole_body: bool,
    /// `true` for a GET method, whose responses `If-None-Match` concerns.
    pub is_get: bool,
}

#[derive(Debug)]
pub struct PlannedField {
    pub name: HeaderName,
    pub output: Box<str>,
    /// `true` if the output may be missing or null; the response then does not have the field.
    pub is_optional: bool,
    /// `true` if a point in time becomes a date of HTTP.
    pub has_http_date: bool,
    /// The template of the value, and the value of each name in it; `None` if the handler returns the value.
    pub template: Option<(FieldTemplate, Box<[ValueSource]>)>,
}

pub fn static_text(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Static(text) => Some(text),
        Segment::Capture(_) => None,
    }
}

#[derive(Debug, Default)]
pub struct ParentPaths {
    routes: Routes,
    len: usize,
}

impl ParentPaths {
    /// Adds a parent path. The index of the path is the number of paths that were added before. If `ignore_case` is
    /// `true`, requests may write the path in upper or lower case. Fails if the same path was added before.
    pub fn insert_parent_path(&mut self, path: &[Segment], ignore_case: bool) -> Result<(), RouteConflict> {
        self.routes.insert(path, self.len, ignore_case)?;
        self.len += 1;
        Ok(())
    }

    /// Returns the index of a parent path. `path` consists of `segments` [encoded](encode_segment) segments,
    /// each with a leading `/`.
    pub fn find_parent_path(&self, path: &str, segments: usize) -> Option<usize> {
        self.routes.find_exact(path, segments)
    }
}
