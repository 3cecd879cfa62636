//! The settings of all handlers of the kind `http`, in `handlers.http` of `app.json`.

use rulebook::handler_kind::settings::{byte_size, seconds, unknown_settings, whole_number, wrong_value};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonNode, expand_variables};
use rulebook_model::span::Spanned;

use super::address::{Origin, split_origin};
use super::kind::HTTP;
use super::pool_limits::PoolLimits;
use super::settings::{COMMON_SETTINGS, Settings, read_setting};
use super::template_parser::parse_base_path;

/// The settings that only all handlers together can have.
const SHARED_SETTINGS: [&str; 4] = ["base", "connections", "idle_timeout", "max_head"];

/// The settings of all handlers.
#[derive(Debug, Default)]
pub struct SharedSettings {
    /// The upstream of addresses that consist only of a path, and the segments before such a path.
    pub base: Option<(Origin, Vec<String>)>,
    /// The limits of connections.
    pub pool_limits: PoolLimits,
    /// The settings that a single handler can replace.
    pub settings: Settings,
}

impl SharedSettings {
    /// Reads the settings.
    pub fn read(handled: &HandledMethod<'_>, errors: &mut Vec<HandlerError>) -> Self {
        let Some(node) = handled.shared_settings(HTTP) else { return Self::default() };
        let known: Vec<_> = SHARED_SETTINGS.into_iter().chain(COMMON_SETTINGS).collect();
        errors.extend(unknown_settings(node, "handlers.http", &known));
        let default = PoolLimits::default();
        let find = |name: &str| node.member(name);
        let connections = |node: &JsonNode, name: &str| whole_number(node, name, PoolLimits::CONNECTIONS);
        let connections = read_setting(find, "connections", connections, errors);
        let idle_timeout = read_setting(find, "idle_timeout", seconds, errors);
        let max_head = |node: &JsonNode, name: &str| byte_size(node, name, PoolLimits::MAX_HEAD);
        let max_head = read_setting(find, "max_head", max_head, errors);
        let pool_limits = PoolLimits {
            connections: connections.unwrap_or(default.connections),
            idle_timeout: idle_timeout.unwrap_or(default.idle_timeout),
            max_head: max_head.unwrap_or(default.max_head),
        };
        let base = find("base").and_then(|node| read_base(node, errors));
        Self { base, pool_limits, settings: Settings::read(find, errors) }
    }
}

fn read_base(node: &JsonNode, errors: &mut Vec<HandlerError>) -> Option<(Origin, Vec<String>)> {
    let Some(address) = node.string() else {
        errors.push(wrong_value(node, "base", "an address").help("write `http://127.0.0.1:9000`"));
        return None;
    };
    let address = match expand_variables(&address.value, address.span) {
        Ok(expanded) => Spanned::new(expanded, address.span),
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    let parsed = split_origin(&address).map_err(|error| vec![error]);
    let parsed = parsed.and_then(|(origin, start)| Ok((origin, parse_base_path(&address, start)?)));
    parsed.map_err(|mut found| errors.append(&mut found)).ok()
}
