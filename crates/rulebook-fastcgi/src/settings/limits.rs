//! The limits of the connections to a server.

use super::Reader;
use crate::protocol::PoolLimits;

/// php-fpm of Debian has at most 5 processes (`pm.max_children`), of which others may need one.
const CONNECTIONS: u64 = 4;

/// Reads the limits of connections, which all methods share.
pub fn pool_limits(reader: &mut Reader<'_>) -> PoolLimits {
    let connections = reader.integer("connections", CONNECTIONS, 1..=10_000);
    let calls = reader.integer("calls_per_connection", 100, 1..=65_535);
    PoolLimits {
        connections: usize::try_from(connections).unwrap_or(usize::MAX),
        wait: reader.seconds("wait", 5.0, 0.01..=3600.0),
        idle: reader.seconds("idle", 1.0, 0.0..=3600.0),
        calls_per_connection: u16::try_from(calls).unwrap_or(u16::MAX),
    }
}
