//! The whole API: its settings, its API modules, and their schemas and services.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::{
    Audience, ClientCertificateMode, DeclaredClaims, DeclaredError, DefinedAuth, DefinedHandlers, EnvelopeName,
    ForwardedField, Limits, LinkTarget, Location, LogFormat, Method, ParameterType, RateLimit, Repeated, SharedLimits,
    Unbound, UnknownParameters, Versions,
};
use crate::call::{AuthScheme, HttpMethod};
use crate::envelope::{Envelope, EnvelopeSettings};
use crate::error::catalogue::CatalogueName;
use crate::format::FormatOffer;
use crate::span::{Span, Spanned};
use crate::types::Arity;

/// The default title of an API.
pub const DEFAULT_TITLE: &str = "API";
/// The default version of an API.
pub const DEFAULT_VERSION: &str = "1.0.0";
/// The time zone of dates and times without a time zone, unless the settings name another one.
pub const DEFAULT_TIMEZONE: &str = "UTC";

/// An API: its settings and its API modules, from all files of its definition. `Serialize` writes most settings as in a
/// definition; the function `settings_to_json` writes the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Api {
    /// The title of the API.
    pub title: String,
    /// The version of the API.
    pub version: String,
    /// The versions of the API; `None` if it has only one. The API itself is what all versions have together.
    pub versions: Option<Versions>,
    /// The description of the API, as Markdown.
    pub info: Option<String>,
    /// The contact for questions about the API.
    pub contact: Option<Contact>,
    /// The license of the API.
    pub license: Option<License>,
    /// The servers that documents list for the API.
    pub servers: Vec<Server>,
    /// The base path, with which the paths of all services begin: `/`, or a path such as `/a/b` without a trailing
    /// slash.
    pub base: String,
    /// The envelope (JSON structure) of responses in API modules that set no envelope.
    #[serde(skip)]
    pub envelope: EnvelopeName,
    /// The catalogue from which error messages in the `phalapi` envelope come. Other envelopes have English messages.
    pub catalogue: CatalogueName,
    /// The formats of responses besides JSON, in order of preference.
    #[serde(skip)]
    pub formats: Vec<FormatOffer>,
    /// `true` if public GET methods respond with JSONP on request, unless a method sets the option `jsonp` itself.
    pub jsonp: bool,
    /// The settings for requests to the base path that select a service by its name in the query.
    pub service: ServiceQuery,
    /// `true` if the body of a request to the base path can select a method by the names of an API module and a method.
    pub dispatch: bool,
    /// If `true`, responses in the `phalapi` envelope have their real HTTP status. If `false`, all of them have 200.
    #[serde(skip)]
    pub real_status: bool,
    /// If `true`, responses in the `iapi` envelope have their real HTTP status. If `false`, some errors have the status
    /// 400 instead, as in internal-api.
    #[serde(skip)]
    pub strict_status: bool,
    /// The handling of parameters that a request contains but its method does not define.
    pub unknown: UnknownParameters,
    /// The schemas that all API modules can use, in the order of their names.
    #[serde(skip)]
    pub schemas: Vec<Schema>,
    /// The time zone of dates and times that are sent without a time zone: a name of the IANA database.
    pub timezone: String,
    /// `true` if the definition can use the built-in types.
    #[serde(skip)]
    pub default_types: bool,
    /// The limits of requests, such as the maximum size of a body.
    pub limits: Limits,
    /// The limits of the number of requests to all methods that take no other limits from themselves or their module.
    #[serde(skip)]
    pub rate_limits: Vec<RateLimit>,
    /// Where several servers count the requests of limits together; `None` if each server counts by itself.
    pub shared_limits: Option<SharedLimits>,
    /// The behavior of methods for which the program has no handler.
    pub unbound: Unbound,
    /// The settings of the kinds of handlers; `None` if the definition has none.
    #[serde(skip)]
    pub handlers: Option<DefinedHandlers>,
    /// The authenticators of the server; `None` if the definition does not choose them.
    #[serde(skip)]
    pub auth: Option<DefinedAuth>,
    /// The claims of tokens that the authenticators declare.
    #[serde(skip)]
    pub claims: Vec<DeclaredClaims>,
    /// `true` if the definition names the permissions of each method that changes data.
    pub require_scope: bool,
    /// The address on which the server listens, as `address:port`, or as `https://address:port` with TLS; `None` for
    /// the default.
    pub bind: Option<String>,
    /// The address of `/metrics` and `/readyz`, as in `bind`; `None` if they are at the addresses in `bind`.
    pub monitoring: Option<String>,
    /// The data folder, where the server keeps its internal files; `None` for the default.
    pub data: Option<String>,
    /// The folder where the program stores files; `None` for the default.
    pub files: Option<String>,
    /// The address of the database with the API keys, in which `${NAME}` is an environment variable; `None` if the keys
    /// are in a file in the data folder.
    pub key_storage: Option<Spanned<String>>,
    /// The address of the database with the responses for idempotency keys, in which `${NAME}` is an environment
    /// variable; `None` if they are in a file in the data folder.
    pub idempotency_storage: Option<Spanned<String>>,
    /// The address of the OpenTelemetry collector that gets traces, with variables of the environment; `None` for none.
    pub traces: Option<Spanned<String>>,
    /// How many percent of the requests begin a trace; `None` for all.
    pub trace_percent: Option<u8>,
    /// The number of worker threads; `None` for one per processor.
    pub workers: Option<usize>,
    /// The maximum number of open connections of one client address, 0 for no limit; `None` for the default.
    pub address_connections: Option<u64>,
    /// The files with the certificates of the server for TLS.
    #[serde(skip)]
    pub tls_certificates: Vec<Spanned<String>>,
    /// The files with the private keys of the certificates, in the order of the certificates.
    #[serde(skip)]
    pub tls_keys: Vec<Spanned<String>>,
    /// The file with the certificates of the authorities that certify clients; `None` if clients need no certificate.
    pub tls_client_ca: Option<Spanned<String>>,
    /// Whether clients must have a certificate from these authorities; `None` for the default.
    pub tls_client_certificate: Option<Spanned<ClientCertificateMode>>,
    /// The proxies whose statements about their clients the server believes.
    #[serde(skip)]
    pub trusted_proxies: Vec<AddressRange>,
    /// The header field in which the trusted proxies send the address of their client.
    pub forwarded_field: ForwardedField,
    /// How clients get the files of download links.
    pub link_target: LinkTarget,
    /// The number of seconds after which an idle connection is closed; `None` for the default.
    pub keep_alive: Option<u64>,
    /// The number of seconds for which a stopping server waits for requests in progress; `None` for the default.
    pub shutdown_timeout: Option<u64>,
    /// `true` if the outputs of handlers are compared with the definition; `None` for the default, which is `true` in
    /// debug builds.
    pub verify_outputs: Option<bool>,
    /// The filter that selects log messages, in the syntax of env_logger; `None` for the default.
    pub log: Option<String>,
    /// The format of log messages.
    pub log_format: LogFormat,
    /// The part of the API that documents describe, unless a request selects another part.
    pub options: Audience,
    /// The schemes with which clients authenticate. They come from the program's authenticators, not from the
    /// definition. A program without authenticators has the scheme for bearer tokens.
    #[serde(skip)]
    pub auth_schemes: Vec<AuthScheme>,
    /// The errors with which the program's authenticators reject requests to any method. They come from the
    /// authenticators, not from the definition.
    #[serde(skip)]
    pub auth_errors: Vec<DeclaredError>,
    /// `true` if responses are compressed for clients that accept it.
    pub compress: bool,
    /// The settings of cross-origin resource sharing (CORS); `None` if it is disabled.
    pub cors: Option<Cors>,
    /// The API modules, sorted by name.
    #[serde(skip)]
    pub modules: Vec<Module>,
    /// `true` if the server serves each change of the definition, so that its pages look for changes.
    #[serde(skip)]
    pub is_watched: bool,
    /// The settings whose texts contain environment variables, as they are written.
    #[serde(skip)]
    pub written_settings: Map<String, Json>,
    /// The folder in which relative paths of the settings begin: the one that contains the folder of the definition.
    #[serde(skip)]
    pub project: PathBuf,
    /// The position of the settings (`app.json`) in the definition.
    #[serde(skip)]
    pub span: Span,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            title: DEFAULT_TITLE.to_owned(),
            version: DEFAULT_VERSION.to_owned(),
            versions: None,
            info: None,
            contact: None,
            license: None,
            servers: Vec::new(),
            base: "/".to_owned(),
            envelope: EnvelopeName::default(),
            catalogue: CatalogueName::default(),
            formats: Vec::new(),
            jsonp: false,
            service: ServiceQuery::default(),
            dispatch: false,
            real_status: false,
            strict_status: false,
            unknown: UnknownParameters::default(),
            schemas: Vec::new(),
            timezone: DEFAULT_TIMEZONE.to_owned(),
            default_types: true,
            limits: Limits::default(),
            rate_limits: Vec::new(),
            shared_limits: None,
            unbound: Unbound::default(),
            handlers: None,
            auth: None,
            claims: Vec::new(),
            require_scope: false,
            bind: None,
            monitoring: None,
            data: None,
            files: None,
            key_storage: None,
            idempotency_storage: None,
            traces: None,
            trace_percent: None,
            workers: None,
            address_connections: None,
            tls_certificates: Vec::new(),
            tls_keys: Vec::new(),
            tls_client_ca: None,
            tls_client_certificate: None,
            trusted_proxies: Vec::new(),
            forwarded_field: ForwardedField::default(),
            link_target: LinkTarget::default(),
            keep_alive: None,
            shutdown_timeout: None,
            verify_outputs: None,
            log: None,
            log_format: LogFormat::default(),
            options: Audience::default(),
            auth_schemes: vec![AuthScheme::bearer()],
            auth_errors: Vec::new(),
            compress: true,
            cors: None,
            modules: Vec::new(),
            is_watched: false,
            written_settings: Map::new(),
            project: PathBuf::new(),
            span: Span::default(),
        }
    }
}

impl Api {
    /// Returns the path of a file or folder that a setting names. A relative path begins in the folder that contains
    /// the folder of the definition, so that it does not depend on the working directory.
    #[must_use]
    pub fn path(&self, written: impl AsRef<Path>) -> PathBuf {
        self.project.join(written)
    }

    /// Returns `true` if a server of this API accepts the keys in its key file: the setting `auth` lists `keys`, or the
    /// definition does not have this setting.
    #[must_use]
    pub fn accepts_keys(&self) -> bool {
        let lists_keys = |auth: &DefinedAuth| auth.kinds.iter().any(|member| member.key.value == DefinedAuth::KEYS);
        self.auth.as_ref().is_none_or(lists_keys)
    }

    /// Returns the name of the envelope that an API module sets. If the module sets none, returns the envelope of the
    /// API.
    #[must_use]
    pub fn envelope_name<'a>(&'a self, module: &'a Module) -> &'a EnvelopeName {
        module.envelope.as_ref().unwrap_or(&self.envelope)
    }

    /// Returns the limits of the number of requests to a method: those of the method, otherwise those of its module,
    /// otherwise those of the API.
    #[must_use]
    pub fn rate_limits<'a>(&'a self, module: &'a Module, method: &'a Method) -> &'a [RateLimit] {
        method.options.rate_limits.as_deref().or(module.rate_limits.as_deref()).unwrap_or(&self.rate_limits)
    }

    /// Creates the envelope with this name, and applies the settings of the API to it.
    #[must_use]
    pub fn make_envelope(&self, name: &EnvelopeName) -> Arc<dyn Envelope> {
        let Self { catalogue, real_status, strict_status, .. } = *self;
        name.envelope(EnvelopeSettings { catalogue, real_status, strict_status })
    }
}

/// The settings for requests that select a service by its name in the query, as in PhalApi: `?service=Class.method`, or
/// `s` instead of `service`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceQuery {
    /// `true` if requests can select services by name.
    pub on: bool,
    /// The service for requests without a service name, as `Class.method`; `None` if the settings name no service.
    pub default: Option<Spanned<String>>,
    /// The path of the PHP script through which clients call the API, below the base path and without a slash at its
    /// beginning; empty if requests to such a path have no special meaning.
    pub entry: String,
}

impl ServiceQuery {
    /// The default of [`entry`](Self::entry): the name of PhalApi's script.
    pub const DEFAULT_ENTRY: &str = "index.php";
}

impl Default for ServiceQuery {
    fn default() -> Self {
        Self { on: false, default: None, entry: Self::DEFAULT_ENTRY.to_owned() }
    }
}

/// The contact for questions about an API (OpenAPI's Contact Object).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Contact {
    /// The name of a person or an organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The URL of a contact page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The email address for questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// The license of an API (OpenAPI's License Object).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[non_exhaustive]
pub struct License {
    /// The name of the license.
    #[serde(default)]
    pub name: String,
    /// The SPDX expression of the license.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// The URL of the license text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A server of an API (OpenAPI's Server Object).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Server {
    /// The URL of the server, to which the paths of services are appended.
    pub url: String,
    /// The description of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
}

/// The settings of cross-origin resource sharing (Fetch standard, section 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cors {
    /// The origins whose web pages may send requests to the API.
    pub origins: Origins,
    /// `true` if browsers may send cookies and other stored credentials with these requests.
    pub credentials: bool,
    /// The names of additional request header fields that web pages may send.
    pub headers: Vec<String>,
    /// The names of additional response header fields that web pages may read.
    pub expose: Vec<String>,
    /// The number of seconds for which browsers may cache the response to a preflight request.
    pub max_age: u64,
}

impl Cors {
    /// The default of `max_age`, in seconds.
    pub const DEFAULT_MAX_AGE: u64 = 600;
}

impl Default for Cors {
    fn default() -> Self {
        Self {
            origins: Origins::These(Vec::new()),
            credentials: false,
            headers: Vec::new(),
            expose: Vec::new(),
            max_age: Self::DEFAULT_MAX_AGE,
        }
    }
}

/// The origins (RFC 6454) whose web pages may send requests to the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All origins.
    Any,
    /// Only these origins, in the form in which browsers send them: `scheme://host`, `scheme://host:port` or `null`.
    These(Vec<String>),
}

impl Serialize for Origins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => ["*"].serialize(serializer),
            Self::These(origins) => origins.serialize(serializer),
        }
    }
}

/// The maximum number of worker threads of a server.
pub const MAX_WORKERS: u16 = 512;

/// An API module: a named group of services.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Module {
    /// The name of the API module.
    pub name: String,
    /// The description of the API module for documents.
    pub info: Option<String>,
    /// The envelope (JSON structure) of responses; `None` for the envelope of the API.
    pub envelope: Option<EnvelopeName>,
    /// `true` if the paths of the services are case-insensitive.
    pub ignore_case: bool,
    /// The handling of requests that contain a parameter more than once, although it accepts only one value.
    pub repeated: Repeated,
    /// The limits of the number of requests to all methods of the API module that set none; `None` for those of the
    /// API.
    pub rate_limits: Option<Vec<RateLimit>>,
    /// The schemas of the API module, in the order of their names. They hide schemas of the API with the same names.
    pub schemas: Vec<Schema>,
    /// The services in the order of the definition, except that the service with the root path is first. No two
    /// services have paths that differ only in the names of captures.
    pub services: Vec<Service>,
    /// The position of the API module in the definition.
    pub span: Span,
}

/// A type with a name, which parameters, outputs and other schemas can use.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Schema {
    /// The name that types in the definition use.
    pub name: String,
    /// The name in JSON Schemas, which is unique in the API: the name or, if several API modules have a schema with
    /// this name, the name after the name of the API module.
    pub key: String,
    /// The description of the schema for documents.
    pub info: String,
    /// The type. Its notation is the content of the schema, and its check is a reference to the schema.
    pub r#type: ParameterType,
    /// An example of a value, for documents.
    pub example: Option<Json>,
    /// The keys of the schemas that the definition names under `extends`, for documents. The type already contains
    /// their fields and constraints.
    pub extends: Vec<String>,
    /// The position of the schema's name in the definition.
    pub span: Span,
}

/// A service: a path of the API and its methods. A service has at least one method.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Service {
    /// The segments of the service's path, without the base path of the API; empty for the root path.
    pub path: Vec<Segment>,
    /// The methods of the service, in the order of [`crate::call::HttpMethod::ALL`].
    pub methods: Vec<Method>,
    /// The position of the path in the definition.
    pub span: Span,
}

/// A segment of a service's path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A segment that matches only this text, which is percent-decoded.
    Static(String),
    /// A segment that matches any text that is not empty. The capture has the name of the parameter whose value is this
    /// text.
    Capture(String),
}

impl Segment {
    pub(crate) fn static_text(&self) -> Option<&str> {
        match self {
            Self::Static(text) => Some(text),
            Self::Capture(_) => None,
        }
    }
}

impl Api {
    /// Returns all services, in the order of the API modules.
    pub fn services(&self) -> impl Iterator<Item = &Service> + Clone {
        self.modules.iter().flat_map(|module| &module.services)
    }

    /// Returns all methods, each with its API module and its service.
    pub fn methods(&self) -> impl Iterator<Item = (&Module, &Service, &Method)> {
        let services = self.modules.iter().flat_map(|module| module.services.iter().map(move |it| (module, it)));
        services.flat_map(|(module, service)| service.methods.iter().map(move |method| (module, service, method)))
    }
}

/// Returns a path in the notation of definitions.
pub(super) fn uri_of(path: &[Segment]) -> String {
    if path.is_empty() {
        return "/".to_owned();
    }
    path.iter().fold(String::new(), |mut uri, segment| {
        uri.push('/');
        match segment {
            Segment::Static(text) => uri.push_str(text),
            Segment::Capture(name) => uri.extend(["{", name, "}"]),
        }
        uri
    })
}

impl Service {
    /// Returns the path in the notation of definitions: `/article/{id}`.
    #[must_use]
    pub fn uri(&self) -> String {
        uri_of(&self.path)
    }
}

/// Returns the id of a method for which the definition sets no id: `article.{id}.get`.
#[must_use]
pub fn default_method_id(path: &[Segment], http: HttpMethod) -> String {
    let mut id = String::new();
    for segment in path {
        match segment {
            Segment::Static(text) => id.push_str(&text.replace('.', "%2E")),
            Segment::Capture(name) => id.extend(["{", name, "}"]),
        }
        id.push('.');
    }
    id.push_str(&http.as_str().to_ascii_lowercase());
    id
}

/// An IP address, or all addresses with the same prefix in CIDR notation (RFC 4632): `127.0.0.1`, `10.0.0.0/8`, `::1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange(IpNet);

/// The error that a text is not an [`AddressRange`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{}` is neither an IP address nor a range of addresses; write for example `127.0.0.1` or `10.0.0.0/8`", .0.escape_debug())]
pub struct AddressRangeError(String);

impl AddressRange {
    /// Returns `true` if the range contains the address. An IPv6 address that contains an IPv4 address
    /// (`::ffff:127.0.0.1`) counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        address.or_else(|_| text.parse::<IpNet>()).map(Self).map_err(|_| AddressRangeError(text.to_owned()))
    }
}

/// Writes a range of one address without its prefix length.
impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

/// The limits for receiving a multipart body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MultipartLimits {
    /// The maximum size of the whole body in bytes.
    pub bytes: u64,
    /// The maximum number of parts in the body.
    pub parts: u64,
}

impl MultipartLimits {
    /// Returns the limits in the settings.
    #[must_use]
    pub fn of_settings(limits: &Limits) -> Self {
        Self { bytes: limits.multipart, parts: limits.parts }
    }

    /// Returns the limits of a method. They allow every body in which each part is valid for its parameter.
    #[must_use]
    pub fn of_method(method: &Method, limits: &Limits) -> Self {
        let (mut all_parts, mut file_bytes, mut has_size) = (0_u64, 0_u64, false);
        for parameter in method.parameters.iter().filter(|it| matches!(it.from, Location::Body | Location::Any)) {
            let check = &parameter.r#type.check;
            let max = check.max_size();
            let is_list = matches!(check.arity(), Arity::Many | Arity::Files);
            let parts = if is_list { max.items.unwrap_or(1) } else { 1 }.min(limits.items);
            // The type of the parameter limits the size of a file or the number of files.
            has_size |= match check.arity() {
                Arity::One | Arity::Many => false,
                Arity::File => max.bytes.is_some(),
                Arity::Files => max.items.is_some(),
            };
            all_parts = all_parts.saturating_add(parts);
            file_bytes = file_bytes.saturating_add(match check.arity() {
                Arity::One | Arity::Many => 0,
                // If the parameter accepts any number of files, the setting `multipart` limits their total size.
                Arity::Files if max.items.is_none() => limits.multipart,
                Arity::File | Arity::Files => max.bytes.unwrap_or(limits.part).saturating_mul(parts),
            });
        }
        let bytes = if has_size { file_bytes.saturating_add(limits.body) } else { 0 };
        Self { bytes, parts: all_parts }.max(Self::of_settings(limits))
    }

    /// Returns the higher limit for bytes, and the higher limit for parts.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { bytes: self.bytes.max(other.bytes), parts: self.parts.max(other.parts) }
    }
}
