//! The limits of the connections to a server.

use std::time::Duration;

use rulebook::handler_kind::settings::{seconds, whole_number};
use rulebook::handler_kind::{HandlerError, JsonNode};

use super::Reader;
use crate::protocol::PoolLimits;

/// php-fpm of Debian has at most 5 processes (`pm.max_children`), of which others may need one.
const CONNECTIONS: usize = 4;

/// Reads the limits of connections, which all methods share.
pub fn pool_limits(reader: &mut Reader<'_>) -> PoolLimits {
    let connections = reader.read("connections", |node, name| whole_number(node, name, 1..=10_000));
    let calls = reader.read("calls_per_connection", |node, name| whole_number(node, name, 1..=u16::MAX));
    PoolLimits {
        connections: connections.unwrap_or(CONNECTIONS),
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
