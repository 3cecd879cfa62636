//! The settings that a handler and all handlers together can have.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use rulebook::handler_kind::settings::{boolean, byte_size, seconds, whole_number};
use rulebook::handler_kind::{HandlerError, JsonNode};
use rulebook_model::span::Spanned;

use super::call_limits::CallLimits;
use super::field_rules::{FieldRules, read_fixed, read_forward};
use super::tls::read_ca;

/// The names of the settings that both a method's `handler` and the setting `handlers.http` can have.
pub const COMMON_SETTINGS: [&str; 9] =
    ["timeout", "connect_timeout", "retries", "max_response", "headers", "forward", "identity", "health", "ca"];

/// The range of [`CallLimits::max_response`].
const MAX_RESPONSE: RangeInclusive<usize> = 1..=1 << 30;

/// The settings that the definition contains.
#[derive(Debug, Default)]
pub struct Settings {
    timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    retries: Option<usize>,
    max_response: Option<usize>,
    headers: Vec<(HeaderName, HeaderValue)>,
    forward: Vec<HeaderName>,
    identity: Option<bool>,
    /// The path that the readiness check requests.
    pub health: Option<String>,
    /// The file with the certificates of the authorities that certify upstreams.
    pub ca: Option<Spanned<PathBuf>>,
}

impl Settings {
    /// Reads the settings. `find` returns the value of a setting.
    pub fn read<'n>(find: impl Fn(&str) -> Option<&'n JsonNode>, errors: &mut Vec<HandlerError>) -> Self {
        Self {
            timeout: read_setting(&find, "timeout", seconds, errors),
            connect_timeout: read_setting(&find, "connect_timeout", seconds, errors),
            retries: read_setting(&find, "retries", |node, name| whole_number(node, name, 0..=10), errors),
            max_response: read_setting(&find, "max_response", |node, name| byte_size(node, name, MAX_RESPONSE), errors),
            headers: find("headers").map(|node| read_fixed(node, errors)).unwrap_or_default(),
            forward: find("forward").map(|node| read_forward(node, errors)).unwrap_or_default(),
            identity: read_setting(&find, "identity", boolean, errors),
            health: find("health").and_then(|node| read_health(node, errors)),
            ca: find("ca").and_then(|node| read_ca(node, errors)),
        }
    }

    /// Adds the settings of all handlers. The settings of one handler replace them; header fields are merged.
    #[must_use]
    pub fn with_shared(self, shared: Self) -> Self {
        let is_replaced = |name: &HeaderName| self.headers.iter().any(|(other, _)| other == name);
        let mut headers = shared.headers;
        headers.retain(|(name, _)| !is_replaced(name));
        headers.extend(self.headers);
        let mut forward = self.forward;
        let added: Vec<_> = shared.forward.into_iter().filter(|name| !forward.contains(name)).collect();
        forward.extend(added);
        Self {
            timeout: self.timeout.or(shared.timeout),
            connect_timeout: self.connect_timeout.or(shared.connect_timeout),
            retries: self.retries.or(shared.retries),
            max_response: self.max_response.or(shared.max_response),
            headers,
            forward,
            identity: self.identity.or(shared.identity),
            health: self.health.or(shared.health),
            ca: self.ca.or(shared.ca),
        }
    }

    /// Returns the limits of a call.
    pub fn call_limits(&self) -> CallLimits {
        let default = CallLimits::default();
        CallLimits {
            timeout: self.timeout.unwrap_or(default.timeout),
            connect_timeout: self.connect_timeout.unwrap_or(default.connect_timeout),
            retries: self.retries.unwrap_or(default.retries),
            max_response: self.max_response.unwrap_or(default.max_response),
        }
    }

    /// Returns the rules for header fields.
    pub fn field_rules(self) -> FieldRules {
        FieldRules { fixed: self.headers, forward: self.forward, identity: self.identity.unwrap_or(false) }
    }
}

/// Reads the setting `name`, if the definition contains it. `find` returns the value of a setting.
pub fn read_setting<'n, T>(
    find: impl Fn(&str) -> Option<&'n JsonNode>,
    name: &str,
    read: impl FnOnce(&JsonNode, &str) -> Result<T, HandlerError>,
    errors: &mut Vec<HandlerError>,
) -> Option<T> {
    read(find(name)?, name).map_err(|error| errors.push(error)).ok()
}

fn read_health(node: &JsonNode, errors: &mut Vec<HandlerError>) -> Option<String> {
    let is_path = |path: &String| {
        path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&byte))
    };
    let path = node.string().map(|text| text.value).filter(is_path);
    if path.is_none() {
        let error = HandlerError::new("`health` must be a path that begins with `/`").at(node.span);
        errors.push(error.help("write `/healthz`, without host and arguments"));
    }
    path
}
