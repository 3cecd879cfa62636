//! The settings of all handlers of the kind `http`, in `handlers.http` of `app.json`.

use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonNode, expand_variables};
use rulebook_model::span::Spanned;
use rulebook_model::suggest::closest_word;

use super::address::{Origin, split_origin};
use super::kind::HTTP;
use super::number_settings::{read_count, read_seconds, read_size};
use super::pool_limits::PoolLimits;
use super::settings::{COMMON_SETTINGS, Settings};
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
        let JsonData::Object(members) = &node.data else {
            let message = format!("`handlers.http` must be an object, but this is {}", node.describe_kind());
            errors.push(HandlerError::new(message).at(node.span).help("write `{\"timeout\": 10}`"));
            return Self::default();
        };
        let known = || SHARED_SETTINGS.into_iter().chain(COMMON_SETTINGS);
        for member in members.list.iter().filter(|member| !member.is_comment()) {
            let key = member.key.value.as_str();
            if known().any(|known| known == key) {
                continue;
            }
            let help = match closest_word(key, known()) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("its settings are `{}`", known().collect::<Vec<_>>().join("`, `")),
            };
            let message = format!("`handlers.http` has no setting `{}`", key.escape_debug());
            errors.push(HandlerError::new(message).at(member.key.span).help(help));
        }
        let default = PoolLimits::default();
        let find = |name: &str| node.member(name);
        let connections = find("connections");
        let connections = connections.and_then(|n| read_count("connections", PoolLimits::CONNECTIONS, n, errors));
        let idle_timeout = find("idle_timeout").and_then(|n| read_seconds("idle_timeout", n, errors));
        let max_head = find("max_head").and_then(|n| read_size("max_head", PoolLimits::MAX_HEAD, n, errors));
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
        let message = format!("`base` must be an address, but this is {}", node.describe_kind());
        errors.push(HandlerError::new(message).at(node.span).help("write `http://127.0.0.1:9000`"));
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
