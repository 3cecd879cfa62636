//! The settings that a handler and all handlers together can have.

use std::path::PathBuf;
use std::time::Duration;

use rulebook::handler_kind::settings::{byte_size, path, seconds, whole_number, wrong_value};
use rulebook::handler_kind::{HandlerError, JsonNode, SettingNames, SettingsReader};
use rulebook::model::Api;
use rulebook_model::span::Spanned;

use super::address::{Origin, split_origin};
use super::field_rules::FieldRules;
use super::template_parser::parse_base_path;

/// The names of the settings besides the address.
pub const NAMES: SettingNames = SettingNames {
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

/// The settings of a handler.
#[derive(Debug)]
pub struct Settings {
    pub pool: PoolLimits,
    /// The limits of a call.
    pub limits: CallLimits,
    /// The header fields of requests.
    pub fields: FieldRules,
    /// The path that the readiness check requests.
    pub health: Option<String>,
    /// The file with the certificates of the authorities that certify upstreams.
    pub ca: Option<Spanned<PathBuf>>,
    /// The upstream of addresses that consist only of a path, and the segments before such a path.
    pub base: Option<(Origin, Vec<String>)>,
}

/// The limits of the connections to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// The maximum number of connections from each thread that serves requests.
    pub connections: usize,
    /// The maximum time in which a connection is kept without a call.
    pub idle_timeout: Duration,
    /// The maximum size of the head of a response in bytes.
    pub max_head: usize,
}

/// The limits of a call of an upstream.
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
    path(node, name, api).map_err(|_| {
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
