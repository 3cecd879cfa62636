//! The kind of handler `http`, and the settings that a handler and all handlers together can have.

use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::{Method, Uri};
use rulebook::handler_kind::settings::{self, boolean, byte_size, choice, seconds, whole_number, wrong_value};
use rulebook::handler_kind::{
    CompiledHandler, HandledMethod, HandlerError, HandlerKind, JsonNode, ReadinessCheck, SettingNames, SettingsReader,
    StartFuture,
};
use rulebook::model::Api;
use rulebook_model::span::Spanned;

use super::address::{Origin, Template, parse_base_path, parse_template, split_origin};
use super::fields::FieldRules;
use super::handler::{ErrorRules, HandlerPlan, HttpHandler, Placement};
use super::raw::RawRules;
use super::upstream::{self, Upstream, readiness_check};

const HTTP: &str = "http";
/// The HTTP methods of requests to upstreams.
const METHODS: [(&str, Method); 5] = [
    ("GET", Method::GET),
    ("POST", Method::POST),
    ("PUT", Method::PUT),
    ("PATCH", Method::PATCH),
    ("DELETE", Method::DELETE),
];

/// The kind of handler `http`: `"handler": {"http": "http://127.0.0.1:9000/notes/{id}"}` sends the checked arguments of
/// each call to this address, and returns the JSON or the file of the response.
///
/// Add it to a program with [`Rulebook::handler_kind`](rulebook::Rulebook::handler_kind).
#[derive(Default)]
pub struct HttpKind {
    upstreams: Mutex<Vec<UsedUpstream>>,
}

/// An upstream, and the paths that its readiness checks request.
struct UsedUpstream {
    upstream: Arc<Upstream>,
    health_paths: Vec<String>,
}

impl HttpKind {
    /// Creates the kind.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the upstream with this origin, which all handlers share.
    fn upstream(&self, origin: &Origin, settings: &Settings) -> Arc<Upstream> {
        let ca = settings.ca.as_ref().filter(|_| origin.is_tls());
        let mut upstreams = self.lock_upstreams();
        let is_same = |used: &UsedUpstream| {
            let Upstream { origin: other, limits, ca: other_ca, .. } = &*used.upstream;
            other == origin && *limits == settings.pool && other_ca.as_ref().map(path) == ca.map(path)
        };
        let index = upstreams.iter().position(is_same).unwrap_or_else(|| {
            let upstream = Arc::new(Upstream::new(origin.clone(), settings.pool, ca.cloned()));
            upstreams.push(UsedUpstream { upstream, health_paths: Vec::new() });
            upstreams.len() - 1
        });
        let used = &mut upstreams[index];
        let health = settings.health.clone();
        used.health_paths.extend(health.filter(|path| !used.health_paths.contains(path)));
        Arc::clone(&used.upstream)
    }

    fn lock_upstreams(&self) -> MutexGuard<'_, Vec<UsedUpstream>> {
        self.upstreams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HandlerKind for HttpKind {
    fn name(&self) -> &str {
        HTTP
    }

    fn settings(&self) -> &[&str] {
        NAMES.handler
    }

    fn compile(&self, handled: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>> {
        let mut reader = SettingsReader::new(*handled, HTTP, &NAMES);
        let settings = Settings::read(&mut reader);
        let method = read_method(&mut reader);
        let error_rules = ErrorRules::read(handled, &mut reader.errors);
        let is_raw = reader.read("raw", boolean) == Some(true);
        let mut errors = reader.errors;
        let address = read_address(handled, settings.base.as_ref()).map_err(|mut found| errors.append(&mut found)).ok();
        if let Some(node) = handled.optional_setting("errors").filter(|_| is_raw) {
            let error = HandlerError::new("a handler with `raw` passes errors on as they are").at(node.span);
            errors.push(error.help("remove `errors`, or `raw`"));
        }
        let placement = address.as_ref().zip(method.as_ref()).and_then(|((_, template), method)| {
            let placement = Placement::new(handled.method, template, method, handled.handler.span);
            placement.map_err(|error| errors.push(error)).ok()
        });
        let (Some((origin, template)), Some(method), Some(placement)) = (address, method, placement) else {
            return Err(errors);
        };
        if let Some(node) = handled.optional_setting("ca").filter(|_| !origin.is_tls()) {
            let error = HandlerError::new("`ca` has no effect, because connections to the upstream do not use TLS");
            errors.push(error.at(node.span).help("remove it, or write an address that begins with `https://`"));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let keeps_path = template.segments.is_empty();
        Ok(Arc::new(HttpHandler(Arc::new(HandlerPlan {
            upstream: self.upstream(&origin, &settings),
            template,
            method,
            placement,
            limits: settings.limits,
            fields: settings.fields,
            errors: error_rules,
            expected: handled.returns(),
            raw: is_raw.then(|| RawRules::new(handled, keeps_path)),
        }))))
    }

    fn readiness_checks(&self) -> Vec<ReadinessCheck> {
        let upstreams = self.lock_upstreams();
        let checks = upstreams.iter().flat_map(|used| {
            let paths = used.health_paths.iter().filter_map(|path| Uri::try_from(path.as_str()).ok()).map(Some);
            let paths: Vec<_> = paths.collect();
            let paths = if paths.is_empty() { vec![None] } else { paths };
            paths.into_iter().map(|path| (Arc::clone(&used.upstream), path))
        });
        // The names contain no addresses, because every client can read them.
        let name = |number: usize| if number == 1 { HTTP.to_owned() } else { format!("{HTTP}-{number}") };
        (1..).zip(checks).map(|(number, (upstream, path))| readiness_check(name(number), upstream, path)).collect()
    }

    /// Returns the certificates of the authorities.
    fn inputs(&self) -> Vec<Vec<u8>> {
        let upstreams = self.lock_upstreams();
        let files = upstreams.iter().filter_map(|used| used.upstream.ca.as_ref());
        files.map(|ca| std::fs::read(path(ca)).unwrap_or_default()).collect()
    }

    fn start<'a>(&'a self, _: &'a Path) -> StartFuture<'a> {
        let errors = upstream::prepare(self.lock_upstreams().iter().map(|used| &*used.upstream));
        Box::pin(ready(if errors.is_empty() { Ok(()) } else { Err(errors) }))
    }
}

fn path(ca: &Spanned<PathBuf>) -> &Path {
    &ca.value
}

/// Reads the address. `base` is the upstream of addresses that consist only of a path.
fn read_address(
    handled: &HandledMethod<'_>,
    base: Option<&(Origin, Vec<String>)>,
) -> Result<(Origin, Template), Vec<HandlerError>> {
    let node = handled.setting(HTTP);
    let Some(address) = node.string() else {
        return Err(vec![wrong_value(node, HTTP, "an address").help("write `http://127.0.0.1:9000/notes/{id}`")]);
    };
    let has_path_only = address.value.starts_with('/');
    let (origin, segments, start) = match base.filter(|_| has_path_only) {
        Some((origin, segments)) => (origin.clone(), segments.as_slice(), 0),
        // The error in `base` is reported already.
        None if has_path_only && has_base(handled) => return Err(Vec::new()),
        None => {
            let (origin, start) = split_origin(&address).map_err(|error| vec![error])?;
            (origin, &[][..], start)
        }
    };
    Ok((origin, parse_template(segments, &address, start, handled.method)?))
}

fn has_base(handled: &HandledMethod<'_>) -> bool {
    handled.shared_settings(HTTP).is_some_and(|shared| shared.member("base").is_some())
}

/// Returns the HTTP method of requests, by default that of the method.
fn read_method(reader: &mut SettingsReader<'_>) -> Option<Method> {
    match reader.node("method") {
        Some(_) => reader.read("method", |node, name| choice(node, name, &METHODS)),
        None => Method::try_from(reader.method.method.http.as_str()).ok(),
    }
}

/// The names of the settings besides the address.
const NAMES: SettingNames = SettingNames {
    handler: &[
        "method",
        "raw",
        "errors",
        "timeout",
        "connect_timeout",
        "retries",
        "max_response",
        "headers",
        "forward",
        "identity",
        "health",
        "ca",
    ],
    unshared: &["method", "raw", "errors"],
    only_shared: &["base", "connections", "idle_timeout", "max_head"],
};

#[derive(Debug)]
struct Settings {
    pub pool: PoolLimits,
    pub limits: CallLimits,
    pub fields: FieldRules,
    /// The path that the readiness check requests.
    pub health: Option<String>,
    /// The file with the certificates of the authorities that certify upstreams.
    pub ca: Option<Spanned<PathBuf>>,
    /// The upstream of addresses that consist only of a path, and the segments before such a path.
    pub base: Option<(Origin, Vec<String>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// The maximum number of connections from each thread that serves requests.
    pub connections: usize,
    /// The maximum time in which a connection is kept without a call.
    pub idle_timeout: Duration,
    /// The maximum size of the head of a response in bytes.
    pub max_head: usize,
}

#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    /// The maximum time from the beginning of a call to the end of its response. While a body is streamed, it is the
    /// maximum time in which the upstream sends nothing.
    pub timeout: Duration,
    /// The maximum time in which a connection is available: to wait for a free one, and to open one.
    pub connect_timeout: Duration,
    /// How often a request is sent again if the connection fails before the first byte of the response. It is 0 if the
    /// method does not follow the semantics of its HTTP method.
    pub retries: usize,
    /// The maximum size of a JSON body in bytes.
    pub max_response: usize,
}

impl Settings {
    pub fn read(reader: &mut SettingsReader<'_>) -> Self {
        let connections = reader.read("connections", |node, name| whole_number(node, name, 1..=10_000));
        let max_head = reader.read("max_head", |node, name| byte_size(node, name, 1 << 10..=1 << 20));
        let retries = reader.read("retries", |node, name| whole_number(node, name, 0..=10));
        let max_response = reader.read("max_response", |node, name| byte_size(node, name, 1..=1 << 30));
        let mut time = |name, default| reader.read(name, seconds).unwrap_or(Duration::from_secs(default));
        // Many servers close connections after 5 seconds without a request. A connection that this side closes first is
        // not closed while a request is sent.
        let idle_timeout = time("idle_timeout", 4);
        Self {
            limits: CallLimits {
                timeout: time("timeout", 30),
                connect_timeout: time("connect_timeout", 5),
                retries: if reader.method.method.follows_http_semantics { retries.unwrap_or(1) } else { 0 },
                max_response: max_response.unwrap_or(8 << 20),
            },
            pool: PoolLimits {
                connections: connections.unwrap_or(128),
                idle_timeout,
                max_head: max_head.unwrap_or(64 << 10),
            },
            fields: FieldRules::read(reader),
            health: reader.read("health", read_health),
            ca: {
                let api = reader.method.api;
                reader.read("ca", |node, name| read_ca(node, name, api))
            },
            base: reader
                .shared_node("base")
                .and_then(|node| read_base(node).map_err(|mut errors| reader.errors.append(&mut errors)).ok()),
        }
    }
}

fn read_health(node: &JsonNode, _: &str) -> Result<String, HandlerError> {
    let is_path = |path: &String| {
        path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&byte))
    };
    node.string().map(|text| text.value).filter(is_path).ok_or_else(|| {
        let error = HandlerError::new("`health` must be a path that begins with `/`").at(node.span);
        error.help("write `/healthz`, without host and arguments")
    })
}

fn read_ca(node: &JsonNode, name: &str, api: &Api) -> Result<Spanned<PathBuf>, HandlerError> {
    settings::path(node, name, api).map_err(|_| {
        let error = HandlerError::new("`ca` must be the path of a file").at(node.span);
        error.help("write the path of a PEM file with the certificates of authorities")
    })
}

fn read_base(node: &JsonNode) -> Result<(Origin, Vec<String>), Vec<HandlerError>> {
    let Some(address) = node.string() else {
        return Err(vec![wrong_value(node, "base", "an address").help("write `http://127.0.0.1:9000`")]);
    };
    let (origin, start) = split_origin(&address).map_err(|error| vec![error])?;
    Ok((origin, parse_base_path(&address, start)?))
}
