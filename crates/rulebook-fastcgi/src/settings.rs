//! The settings of handlers: the server, the script, the style and what is sent to PHP.

use std::fmt;
use std::net::Ipv6Addr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use rulebook::envelope::EnvelopeName;
use rulebook::error::{ErrorCode, Limit, PhalapiVersion, Unit};
use rulebook::handler_kind::settings::{
    boolean, byte_size, choice, non_empty_text, seconds, text_members, texts, whole_number, wrong_value,
};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonNode, MethodReturns, SettingNames, SettingsReader};
use rulebook::http::HeaderName;
use rulebook::model::{DeclaredError, Location, Module, Parameter, Segment, Span, Spanned};
use rulebook::{AuthScheme, HttpMethod};
use serde_json::Value as Json;

use crate::protocol::PoolLimits;
use crate::request::{RESERVED, RESERVED_PREFIX, is_readable_name};
use crate::service::{NAMESPACE, SERVICE, php_name};

/// The name of the kind, and of the setting with the address.
pub const KIND: &str = "fastcgi";

/// The names of the settings besides the address.
pub const NAMES: SettingNames = SettingNames {
    handler: &[
        "script",
        "root",
        "local_files",
        "style",
        "arguments",
        "strict",
        "timeout",
        "max_response",
        "form_fields",
        "environment",
        "request_headers",
        "response_headers",
        "errors",
        "service",
        "uri_match",
        "class",
        "function",
        "folder",
        "namespace",
        "bootstrap",
        "delegates",
    ],
    unshared: &["service", "class", "function"],
    only_shared: &["connections", "wait", "idle", "calls_per_connection"],
};
/// The name that the setting `errors` has for all errors that nothing else matches.
pub const OTHER_ERRORS: &str = "*";

#[derive(Debug)]
pub struct HandlerSettings {
    pub http: HttpMethod,
    /// `true` if PHP may handle a request twice.
    pub is_idempotent: bool,
    pub returns: MethodReturns,
    pub style: PhpStyle,
    pub arguments: ArgumentNotation,
    pub responses: Responses,
    /// `true` if errors are written as api 3.0 wrote them.
    pub has_api3_envelope: bool,
    /// The parameters in the order of the definition.
    pub parameters: Vec<ParameterSettings>,
    /// The folder of the project.
    pub root: Option<String>,
    /// The path of the script on the machine of the server; `None` for the bridge in the data folder.
    pub script: Option<String>,
    /// The maximum time from the connection to the complete response; for a file, to each of its parts.
    pub timeout: Duration,
    /// The maximum length of a response with outputs in bytes.
    pub max_response: usize,
    pub form_fields: usize,
    /// Further FastCGI parameters.
    pub environment: Vec<(String, String)>,
    /// The FastCGI parameters by which the bridge finds the class.
    pub style_parameters: Vec<(String, String)>,
    pub request_headers: Vec<RequestHeader>,
    pub credentials: Credentials,
    /// The names of further header fields of PHP's response that clients get.
    pub response_headers: Vec<String>,
    pub declared_errors: Vec<DeclaredError>,
    /// The names of declared errors, by what PHP returns for them.
    pub error_names: Vec<(String, String)>,
}

impl HandlerSettings {
    pub fn field_limit(&self) -> Limit {
        Limit {
            name: "fields",
            max: u64::try_from(self.form_fields).unwrap_or(u64::MAX),
            unit: Unit::Fields,
            code: ErrorCode::TooLarge,
        }
    }
}

/// How the PHP code is called, and how its output is read.
#[derive(Debug)]
pub enum PhpStyle {
    /// A script that prints the outputs as JSON.
    Plain,
    /// The entry script of a PhalApi project.
    PhalApi {
        /// The value of `service`, such as `User.Login`.
        service: String,
        /// The `REQUEST_URI` with which PhalApi finds the service if a request does not name it; `None` if it would
        /// find another one.
        unnamed_uri: Option<String>,
        /// `true` for PhalApi 2.
        is_second: bool,
    },
    /// A class of api 3.0, called by the bridge.
    Api3 { file: String },
}

/// What clients get of PHP's responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Responses {
    /// The outputs and errors of the definition.
    Strict,
    /// All outputs, and errors that are not declared, in the envelope of the definition.
    Described,
    /// The responses of PhalApi as they are, if the call comes from a request.
    Unchanged,
}

/// The names of the header fields and cookies with which clients prove their identity to this server.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The header fields, in lower case.
    pub header_fields: Vec<String>,
    pub cookies: Vec<String>,
}

/// How PHP gets the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentNotation {
    /// The request of the client, as it was sent.
    Request,
    /// The query for GET and DELETE, otherwise a form.
    Form,
    Json,
}

#[derive(Debug)]
pub struct ParameterSettings {
    /// The name of its field.
    pub name: String,
    pub sent_in: SentIn,
    /// `true` if the value is the number of seconds since 1970, and the script expects a date.
    pub is_timestamp: bool,
}

/// The part of a request that contains a parameter.
#[derive(Debug)]
pub enum SentIn {
    /// The query or the form.
    Form,
    /// A header field: the FastCGI parameter with this name.
    HeaderField(String),
    Cookie,
    /// The parameter names the service, which the handler adds itself.
    Nowhere,
}

/// A header field of the request that the script gets.
#[derive(Debug)]
pub struct RequestHeader {
    pub name: String,
    pub variable: String,
}

/// The settings of a handler, the address of its server, and the files that it needs.
pub struct ReadSettings {
    pub settings: HandlerSettings,
    pub address: Address,
    /// The files that must exist on this machine, with the settings that name them.
    pub files: Vec<(String, Span)>,
}

/// Reads the settings of a handler. Returns `None` if an error was found.
pub fn read(reader: &mut SettingsReader<'_>) -> Option<ReadSettings> {
    let method = reader.method.method;
    let address = address(reader);
    let root = root(reader);
    let (style, style_parameters) = style(reader, root.as_deref());
    let arguments = arguments(reader, &style);
    let script = script(reader, root.as_deref(), &style);
    let parameters = parameters(reader, &style, arguments);
    let local_files = reader.read("local_files", boolean);
    // With a socket, the server runs on this machine, so that it probably sees the same files.
    let is_local = local_files.unwrap_or(matches!(address, Some(Address::Unix(_))));
    let files = if is_local { files(reader, script.as_deref(), &style) } else { Vec::new() };
    let responses = responses(reader, &style);
    let settings = HandlerSettings {
        http: method.http,
        is_idempotent: matches!(style, PhpStyle::Plain)
            && method.follows_http_semantics
            && matches!(method.http, HttpMethod::Get | HttpMethod::Put | HttpMethod::Delete),
        returns: reader.method.returns(),
        style,
        arguments,
        responses,
        has_api3_envelope: envelope(reader) == Some(&EnvelopeName::Aicra),
        parameters,
        root,
        script,
        timeout: reader.read("timeout", seconds).unwrap_or(Duration::from_secs(30)),
        max_response: reader.read("max_response", |node, name| byte_size(node, name, 1..=1 << 30)).unwrap_or(8 << 20),
        form_fields: reader.read("form_fields", |node, name| whole_number(node, name, 1..=1_000_000)).unwrap_or(1000),
        environment: environment(reader),
        style_parameters,
        request_headers: request_headers(reader),
        credentials: credentials(reader),
        response_headers: header_names(reader, "response_headers").into_iter().map(|name| name.value).collect(),
        error_names: error_names(reader),
        declared_errors: method.errors_of_call(&reader.method.api.auth_errors).cloned().collect(),
    };
    let address = address.filter(|_| reader.errors.is_empty())?;
    Some(ReadSettings { settings, address, files })
}

/// Reads how PHP gets the arguments. A project for PhalApi reads the request itself, unless a part of its path is an
/// argument, which PhalApi does not know.
fn arguments(reader: &mut SettingsReader<'_>, style: &PhpStyle) -> ArgumentNotation {
    use ArgumentNotation::{Form, Json, Request};
    let parameters = &reader.method.method.parameters;
    let in_path = parameters.iter().find(|parameter| matches!(parameter.from, Location::Path | Location::Position(_)));
    let is_phalapi = matches!(style, PhpStyle::PhalApi { .. });
    let notations = [("request", Request), ("form", Form), ("json", Json)];
    let notation = reader.read("arguments", |node, name| choice(node, name, &notations));
    let mut report = |message: String| {
        let span = reader.node("arguments").map_or(reader.method.handler.span, |node| node.span);
        reader.errors.push(HandlerError::new(message).at(span).help("set `arguments` to `form`"));
    };
    match (notation, in_path) {
        (Some(Request), Some(parameter)) => {
            report(format!("PHP does not find the argument `{}`, which is in the path of requests", parameter.name));
        }
        (Some(Json), _) if is_phalapi => report("PhalApi does not read its arguments from JSON".to_owned()),
        _ => {}
    }
    notation.unwrap_or(if is_phalapi && in_path.is_none() { Request } else { Form })
}

fn responses(reader: &mut SettingsReader<'_>, style: &PhpStyle) -> Responses {
    let is_strict = reader.read("strict", boolean).unwrap_or(false);
    match style {
        PhpStyle::Plain => Responses::Strict,
        _ if is_strict => Responses::Strict,
        PhpStyle::PhalApi { .. } if envelope(reader) == Some(&EnvelopeName::Phalapi) => Responses::Unchanged,
        PhpStyle::PhalApi { .. } | PhpStyle::Api3 { .. } => Responses::Described,
    }
}

fn envelope<'a>(reader: &SettingsReader<'a>) -> Option<&'a EnvelopeName> {
    let HandledMethod { api, method, .. } = reader.method;
    let mut modules = api.modules.iter();
    let has_method = |module: &&Module| {
        module.services.iter().any(|service| service.methods.iter().any(|other| other.id == method.id))
    };
    modules.find(has_method).map(|module| api.envelope_name(module))
}

/// Reads the limits of connections, which all methods share.
pub fn pool_limits(reader: &mut SettingsReader<'_>) -> PoolLimits {
    let connections = reader.read("connections", |node, name| whole_number(node, name, 1..=10_000));
    let calls = reader.read("calls_per_connection", |node, name| whole_number(node, name, 1..=u16::MAX));
    PoolLimits {
        // php-fpm of Debian has at most 5 processes (`pm.max_children`), of which others may need one.
        connections: connections.unwrap_or(4),
        wait: reader.read("wait", seconds).unwrap_or(Duration::from_secs(5)),
        idle: reader.read("idle", idle).unwrap_or(Duration::from_secs(1)),
        calls_per_connection: calls.unwrap_or(100),
    }
}

/// Reads the time after which an unused connection is closed. 0 closes it after each call.
fn idle(node: &JsonNode, name: &str) -> Result<Duration, HandlerError> {
    match node.integer() {
        Some(zero) if zero.value == 0 => Ok(Duration::ZERO),
        _ => seconds(node, name).map_err(|error| error.help("write 0 to close connections after each call")),
    }
}

fn address(reader: &mut SettingsReader<'_>) -> Option<Address> {
    let node = reader.method.setting(KIND);
    let Some(text) = node.string() else {
        let error = wrong_value(node, KIND, "the address of a FastCGI server");
        reader.errors.push(error.help("for example `unix:/run/php/php-fpm.sock` or `127.0.0.1:9000`"));
        return None;
    };
    Address::parse(&text).map_err(|error| reader.errors.push(error)).ok()
}

fn root(reader: &mut SettingsReader<'_>) -> Option<String> {
    let root = reader.read("root", non_empty_text)?;
    if root.value.starts_with('/') {
        return Some(root.value.trim_end_matches('/').to_owned());
    }
    let message = format!("the path `{}` of `root` must be absolute", root.value.escape_debug());
    let help = "PHP does not know the folder in which rulebook runs; write `/srv/app`, for example";
    reader.errors.push(HandlerError::new(message).at(root.span).help(help));
    None
}

fn script(reader: &mut SettingsReader<'_>, root: Option<&str>, style: &PhpStyle) -> Option<String> {
    let has_bridge = matches!(style, PhpStyle::Api3 { .. });
    let Some(script) = reader.read("script", non_empty_text) else {
        if !has_bridge && reader.node("script").is_none() {
            let error = HandlerError::new(format!("the handler of {} has no script", reader.method.method.id));
            reader.errors.push(error.help("set `script` to the path of a PHP file, for example `public/index.php`"));
        }
        return None;
    };
    if root.is_none() && !script.value.starts_with('/') {
        if reader.node("root").is_none() {
            let message = format!("the path `{}` of `script` is not absolute", script.value.escape_debug());
            let help = "write an absolute path, or set `root` to the folder of the project";
            reader.errors.push(HandlerError::new(message).at(script.span).help(help));
        }
        return None;
    }
    Some(below(root.unwrap_or_default(), &script.value))
}

/// Returns the files that must exist, if PHP sees the files of this machine.
fn files(reader: &SettingsReader<'_>, script: Option<&str>, style: &PhpStyle) -> Vec<(String, Span)> {
    let span = |setting: &str| reader.node(setting).map_or(reader.method.handler.span, |node| node.span);
    let script = script.map(|script| (script.to_owned(), span("script")));
    let class = match style {
        PhpStyle::Api3 { file } => Some((file.clone(), span("class"))),
        PhpStyle::Plain | PhpStyle::PhalApi { .. } => None,
    };
    script.into_iter().chain(class).collect()
}

/// Returns the declared errors by what PHP returns. Methods may share entries for errors that not all of them declare.
fn error_names(reader: &mut SettingsReader<'_>) -> Vec<(String, String)> {
    let method = reader.method;
    let of_method = method.optional_setting("errors").is_some();
    let mut names = Vec::new();
    for (returned, name) in reader.read_list("errors", text_members) {
        let is_declared = method.method.errors_of_call(&method.api.auth_errors).any(|error| error.name == name.value);
        if is_declared {
            names.push((returned.value, name.value));
        } else if of_method {
            let message = format!("{} declares no error `{}`", method.method.id, name.value.escape_debug());
            let help = "add it to the `errors` of the method, or correct the name";
            reader.errors.push(HandlerError::new(message).at(name.span).help(help));
        }
    }
    names
}

/// The services that PhalApi 1 and 2 run if a request names none.
const DEFAULTS: [&str; 2] = ["Default.Index", "Site.Index"];

/// Reads the style, and the FastCGI parameters by which the bridge finds a class.
pub fn style(reader: &mut SettingsReader<'_>, root: Option<&str>) -> (PhpStyle, Vec<(String, String)>) {
    let names = ["plain", "phalapi", "api3"].map(|name| (name, name));
    let name = reader.read("style", |node, setting| choice(node, setting, &names)).unwrap_or("plain");
    let others: &[&str] = match name {
        "plain" => &["service", "uri_match", "class", "function", "strict"],
        "phalapi" => &["class", "function"],
        _ => &["service", "uri_match", "arguments"],
    };
    for setting in others {
        let Some(node) = reader.method.optional_setting(setting) else { continue };
        let message = format!("`{setting}` has no effect with the style `{name}`");
        reader.errors.push(HandlerError::new(message).at(node.span).help("remove it, or set another `style`"));
    }
    match name {
        "plain" => (PhpStyle::Plain, Vec::new()),
        "phalapi" => {
            let service = service(reader);
            let is_second = reader.method.api.catalogue.version() >= PhalapiVersion::V2_0;
            let unnamed_uri = unnamed_uri(reader, &service, is_second);
            (PhpStyle::PhalApi { service, unnamed_uri, is_second }, Vec::new())
        }
        _ => class(reader, root),
    }
}

/// Returns the two segments of the path of the method's service; `None` if it has another path.
fn path_names<'a>(reader: &SettingsReader<'a>) -> Option<(&'a str, &'a str)> {
    let mut services = reader.method.api.services();
    let service = services.find(|service| service.methods.iter().any(|method| method.id == reader.method.method.id));
    match &service?.path[..] {
        [Segment::Static(first), Segment::Static(second)] => Some((first, second)),
        _ => None,
    }
}

/// Returns the `REQUEST_URI` with which PhalApi finds the service if a request does not name it. It contains no part of
/// the request, because PhalApi searches the whole of it for its script.
fn unnamed_uri(reader: &mut SettingsReader<'_>, service: &str, is_second: bool) -> Option<String> {
    let matches_uris = reader.read("uri_match", boolean).unwrap_or(false);
    let without_namespace = service.strip_prefix(NAMESPACE).and_then(|rest| rest.strip_prefix('.')).unwrap_or(service);
    let is_default = |name: &Spanned<String>| {
        name.value.eq_ignore_ascii_case(without_namespace)
            && DEFAULTS[usize::from(is_second)].eq_ignore_ascii_case(without_namespace)
    };
    if reader.method.api.service.default.as_ref().is_some_and(is_default) {
        return Some("/".to_owned());
    }
    (matches_uris && is_second).then(|| format!("/{}", service.replace('.', "/")))
}

/// Returns the name of the PhalApi service: the setting `service`, or `Class.Method` for the path `/Class/Method`.
fn service(reader: &mut SettingsReader<'_>) -> String {
    if let Some(service) = reader.read("service", non_empty_text) {
        return service.value;
    }
    let Some((class, method)) = path_names(reader) else {
        let message = format!("the path of {} does not name a service of PhalApi", reader.method.method.id);
        reader.errors.push(HandlerError::new(message).help("set `service`, for example to `User.Login`"));
        return String::new();
    };
    // The path of a class has a small first letter, and PhalApi accepts both.
    let mut letters = class.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let class: String = first.into_iter().chain(letters).collect();
    format!("{class}.{method}")
}

/// The folder with the classes of modules, below the root of a project.
const FOLDER: &str = "build/api/module";
/// The namespace of the classes of modules.
const API3_NAMESPACE: &str = r"api\module";

/// Reads the settings of an api 3.0 class, and returns them with the FastCGI parameters for the bridge.
pub fn class(reader: &mut SettingsReader<'_>, root: Option<&str>) -> (PhpStyle, Vec<(String, String)>) {
    if root.is_none() && reader.node("root").is_none() {
        let error = HandlerError::new("the style `api3` needs the folder of the project");
        reader.errors.push(error.help("set `root`, for example to `/srv/app`"));
    }
    let root = root.unwrap_or_default();
    let names = path_names(reader);
    let class = name(reader, "class", names.map(|(module, _)| module));
    let function = name(reader, "function", names.map(|(_, method)| method));
    if function.starts_with("__") {
        let message = format!("`{function}` is not a function that clients can call");
        reader.errors.push(HandlerError::new(message).help("set `function`"));
    }
    let folder = reader.read("folder", non_empty_text).map_or_else(|| FOLDER.to_owned(), |text| text.value);
    let folder = folder.trim_matches('/');
    let namespace = read_namespace(reader);
    let file = format!("{root}/{folder}/{class}.php");
    let bootstrap = reader.read("bootstrap", non_empty_text);
    let bootstrap = bootstrap.map(|bootstrap| below(root, &bootstrap.value));
    let delegates = read_delegates(reader);
    let parameters = [
        ("RULEBOOK_ROOT", root.to_owned()),
        ("RULEBOOK_FOLDER", format!("{root}/{folder}")),
        ("RULEBOOK_NAMESPACE", namespace),
        ("RULEBOOK_CLASS", class),
        ("RULEBOOK_FUNCTION", function),
        ("RULEBOOK_BOOTSTRAP", bootstrap.unwrap_or_default()),
        ("RULEBOOK_DELEGATES", Json::from(delegates).to_string()),
        ("RULEBOOK_DOWNLOAD", if reader.method.method.options.download { "1".to_owned() } else { String::new() }),
    ];
    let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    (PhpStyle::Api3 { file }, parameters)
}

/// Returns a path below the root, unless it is absolute.
fn below(root: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", root.trim_end_matches('/')) }
}

/// Reads the name of a class or of a function; its default is a segment of the path.
fn name(reader: &mut SettingsReader<'_>, setting: &str, default: Option<&str>) -> String {
    let text = reader.read(setting, non_empty_text);
    let value = text.as_ref().map(|text| text.value.as_str()).or(default);
    let Some(value) = value else {
        let message = format!("the path of {} does not name a class and a function", reader.method.method.id);
        reader.errors.push(HandlerError::new(message).help(format!("set `{setting}`")));
        return String::new();
    };
    let value = value.to_owned();
    if !is_identifier(&value) {
        let message = format!("`{}` is not the name of a {setting} in PHP", value.escape_debug());
        let error = HandlerError::new(message).help(format!("set `{setting}`"));
        reader.errors.push(text.map_or(error.clone(), |text| error.at(text.span)));
    }
    value
}

fn is_identifier(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80;
    name.bytes().next().is_some_and(is_letter) && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

fn read_namespace(reader: &mut SettingsReader<'_>) -> String {
    let Some(node) = reader.node("namespace") else { return API3_NAMESPACE.to_owned() };
    let text = node.string().map(|text| text.value.trim_matches('\\').to_owned());
    let namespace = text.filter(|text| text.is_empty() || text.split('\\').all(is_identifier));
    namespace.unwrap_or_else(|| {
        let error = HandlerError::new("`namespace` must be the namespace of the classes").at(node.span);
        reader.errors.push(error.help(r"for example `api\\module`, or an empty text"));
        String::new()
    })
}

/// Reads the methods that the class may call with `Request`.
fn read_delegates(reader: &mut SettingsReader<'_>) -> Vec<String> {
    let mut delegates = Vec::new();
    for delegate in reader.read_list("delegates", texts) {
        let is_known = reader.method.api.services().any(|service| match &service.path[..] {
            [Segment::Static(module), Segment::Static(method)] => format!("{module}/{method}") == delegate.value,
            _ => false,
        });
        if is_known {
            delegates.push(delegate.value);
        } else {
            let error = HandlerError::new(format!("no service has the path `{}`", delegate.value.escape_debug()));
            reader.errors.push(error.at(delegate.span).help("name it `module/method`, as in the definition"));
        }
    }
    delegates
}

/// The FastCGI parameter that many programs read as the address of their proxy ("httpoxy"), so that no client may set
/// it.
const PROXY_VARIABLE: &str = "HTTP_PROXY";
const PROXY_FIELD: &str = "a script must not get the header field `Proxy`: many programs would use it as their proxy";

/// Returns the FastCGI parameter for a header field; `None` if a script must not get this field.
pub fn variable(name: &str) -> Option<String> {
    let variable = format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_"));
    (variable != PROXY_VARIABLE).then_some(variable)
}

pub fn request_headers(reader: &mut SettingsReader<'_>) -> Vec<RequestHeader> {
    let mut headers = Vec::new();
    for name in header_names(reader, "request_headers") {
        match variable(&name.value) {
            Some(variable) => headers.push(RequestHeader { name: name.value, variable }),
            None => {
                reader.errors.push(HandlerError::new(PROXY_FIELD).at(name.span).help("remove it"));
            }
        }
    }
    headers
}

pub fn credentials(reader: &SettingsReader<'_>) -> Credentials {
    let mut credentials = Credentials { header_fields: vec!["authorization".to_owned()], cookies: Vec::new() };
    for scheme in &reader.method.api.auth_schemes {
        match scheme {
            AuthScheme::Header(name) => credentials.header_fields.push(name.to_ascii_lowercase()),
            AuthScheme::Cookie(name) => credentials.cookies.push(name.clone()),
            _ => {}
        }
    }
    credentials
}

fn header_names(reader: &mut SettingsReader<'_>, setting: &str) -> Vec<Spanned<String>> {
    let is_name = |name: &Spanned<String>| HeaderName::from_bytes(name.value.as_bytes()).is_ok();
    let (names, others): (Vec<_>, Vec<_>) = reader.read_list(setting, texts).into_iter().partition(is_name);
    for name in others {
        let message = format!("`{}` is not the name of a header field", name.value.escape_debug());
        reader.errors.push(HandlerError::new(message).at(name.span));
    }
    names
}

pub fn environment(reader: &mut SettingsReader<'_>) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    for (name, value) in reader.read_list("environment", text_members) {
        let is_variable = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let error =
            if !name.value.bytes().all(is_variable) || !name.value.starts_with(|char: char| !char.is_ascii_digit()) {
                Some("the name of a FastCGI parameter has capital letters, digits and `_`".to_owned())
            } else if RESERVED.contains(&name.value.as_str()) || name.value.starts_with(RESERVED_PREFIX) {
                Some(format!("rulebook sets the FastCGI parameter `{}`", name.value))
            } else if name.value == PROXY_VARIABLE {
                Some(format!("`{PROXY_VARIABLE}` must not be set: many programs would use it as their proxy"))
            } else if value.value.len() > MAX_VALUE_LEN {
                Some(format!("the value has more than {MAX_VALUE_LEN} bytes"))
            } else {
                None
            };
        match error {
            Some(message) => reader.errors.push(HandlerError::new(message).at(name.span)),
            None => parameters.push((name.value, value.value)),
        }
    }
    parameters
}

/// The maximum length of a parameter in `environment` in bytes: a parameter must fit into a FastCGI record.
const MAX_VALUE_LEN: usize = 32 << 10;

/// Returns how each parameter is sent. The code of PhalApi knows parameters by their names in requests, and reads some
/// of them from header fields and cookies; other code knows them by their names in code.
pub fn parameters(
    reader: &mut SettingsReader<'_>,
    style: &PhpStyle,
    notation: ArgumentNotation,
) -> Vec<ParameterSettings> {
    let method = reader.method.method;
    let is_phalapi = matches!(style, PhpStyle::PhalApi { .. });
    let is_form = notation == ArgumentNotation::Form && !matches!(style, PhpStyle::Api3 { .. });
    let mut list = Vec::new();
    for parameter in &method.parameters {
        let name = if is_phalapi { parameter.request_name() } else { &parameter.name };
        let sent_in = if is_phalapi { phalapi_location(parameter) } else { Some(SentIn::Form) };
        let is_service = is_phalapi && php_name(name).0.eq_ignore_ascii_case(SERVICE);
        if is_service && is_form {
            let message = format!("PhalApi would take the service from the parameter `{}`", parameter.name);
            reader.errors.push(HandlerError::new(message).at(parameter.span).help("give it another `name`"));
        }
        let sent_in = if is_service { Some(SentIn::Nowhere) } else { sent_in };
        let Some(sent_in) = sent_in else {
            reader.errors.push(HandlerError::new(PROXY_FIELD).at(parameter.span));
            continue;
        };
        if is_form && matches!(sent_in, SentIn::Form | SentIn::Cookie) && !is_readable_name(name) {
            let message = format!("PHP would change the name of the field `{}` of {}", name.escape_debug(), method.id);
            let help = "use letters, digits, `_` and `-`, or set `arguments` to `json`";
            reader.errors.push(HandlerError::new(message).at(parameter.span).help(help));
        }
        list.push(ParameterSettings {
            name: name.to_owned(),
            sent_in,
            is_timestamp: is_phalapi && is_timestamp(parameter),
        });
    }
    list
}

fn phalapi_location(parameter: &Parameter) -> Option<SentIn> {
    match parameter.from {
        Location::Header => variable(&parameter.key).map(SentIn::HeaderField),
        Location::Cookie => Some(SentIn::Cookie),
        _ => Some(SentIn::Form),
    }
}

/// Returns `true` if the checked value of a date is the number of seconds since 1970.
fn is_timestamp(parameter: &Parameter) -> bool {
    let written = &parameter.r#type.written;
    written.term.starts_with("date") && written.attributes.get("format").is_some_and(|format| format == "timestamp")
}

const UNIX_PREFIX: &str = "unix:";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// The absolute path of a Unix socket.
    Unix(PathBuf),
    /// The name or the IP address of a host, without brackets, and a port.
    Tcp { host: String, port: u16 },
}

impl Address {
    /// Parses `unix:/run/php/php-fpm.sock`, `127.0.0.1:9000`, `[::1]:9000` or `php:9000`.
    pub fn parse(address: &Spanned<String>) -> Result<Self, HandlerError> {
        let text = address.value.as_str();
        let error = |message: &str, part: Range<usize>, help: &str| {
            HandlerError::new(message).at(address.part(part.start, part.end)).help(help)
        };
        if let Some(path) = text.strip_prefix(UNIX_PREFIX) {
            if path.len() > 1 && path.starts_with('/') && !path.contains('\0') {
                return Ok(Self::Unix(path.into()));
            }
            let part = UNIX_PREFIX.len()..text.len();
            return Err(error(
                "the path of the socket must be absolute",
                part,
                "for example `unix:/run/php/php-fpm.sock`",
            ));
        }
        if text.starts_with('/') {
            let help = format!("write `{UNIX_PREFIX}{text}`");
            return Err(error("the path of a Unix socket needs the prefix `unix:`", 0..text.len(), &help));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            let help = "write `unix:/path/of/the.sock` or `host:port`";
            return Err(error("the address of a FastCGI server is not a URL", 0..scheme.len() + 3, help));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            let help = "write `unix:/path/of/the.sock` or `host:port`, such as `127.0.0.1:9000`";
            return Err(error("the address has no port", 0..text.len(), help));
        };
        let part = text.len() - port.len()..text.len();
        let port = port.parse().ok().filter(|port| *port > 0);
        let port =
            port.ok_or_else(|| error("the port must be a number from 1 to 65535", part, "such as `127.0.0.1:9000`"))?;
        // Equal hosts have equal texts, so that methods with the same server share its connections.
        let ip6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::parse::<Ipv6Addr>);
        let is_host = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        };
        match ip6 {
            Some(Ok(ip6)) => Ok(Self::Tcp { host: ip6.to_string(), port }),
            None if is_host(host) => Ok(Self::Tcp { host: host.to_ascii_lowercase(), port }),
            _ => {
                let help = "an IPv6 address is in brackets: `[::1]:9000`";
                Err(error("the host is neither a name nor an IP address", 0..host.len(), help))
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{UNIX_PREFIX}{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}
