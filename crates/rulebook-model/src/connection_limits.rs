//! The limits of connections: what a client can use before a request is complete, and while it receives a response. The
//! [limits of requests](crate::limits) hold afterwards.

/// A limit of every connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionLimit {
    /// The name of the limit in the log and in `/metrics`.
    pub name: &'static str,
    /// The value of the limit; `None` if it depends on the system.
    pub value: Option<u64>,
    /// The unit of the value.
    pub unit: &'static str,
    /// What the limit restricts.
    pub description: &'static str,
    /// What the server does if a client exceeds the limit.
    pub effect: &'static str,
}

/// The limit of the time for a head.
pub const HEAD_SECONDS: u64 = 10;
/// The limit of the time for a TLS handshake.
pub const HANDSHAKE_SECONDS: u64 = 10;
/// The limit of the time without progress.
pub const PROGRESS_SECONDS: u64 = 30;
/// The limit of the memory for the bodies of all requests together, in bytes.
pub const REQUEST_MEMORY_BYTES: u64 = 32 << 20;
/// The number of bytes of each body that do not count for [`REQUEST_MEMORY_BYTES`].
pub const FREE_REQUEST_BYTES: u64 = 1 << 10;
/// The limit of the memory for responses that their clients do not receive, in bytes.
pub const RESPONSE_MEMORY_BYTES: u64 = 48 << 20;
/// The number of bytes of each response that do not count for [`RESPONSE_MEMORY_BYTES`].
pub const FREE_RESPONSE_BYTES: u64 = 1 << 10;
/// The number of connections beyond the limit on which clients can still ask for the state of the server.
pub const RESERVED_CONNECTIONS: usize = 128;
/// The limit of the number of running handlers whose clients have disconnected.
pub const MAX_DETACHED_HANDLERS: u64 = 2048;
/// The part of the connections, the memory and the open files that one client address can use, unless a setting says
/// otherwise: one of this number.
pub const ADDRESS_SHARE: usize = 4;
/// The part of [`RESPONSE_MEMORY_BYTES`] that one client address can use: one of this number. Responses to one client
/// are often long at the same time.
pub const RESPONSE_ADDRESS_SHARE: usize = 2;

/// All limits of connections.
pub const CONNECTION_LIMITS: [ConnectionLimit; 9] = [
    CONNECTIONS,
    ADDRESS_CONNECTIONS,
    TLS_HANDSHAKE,
    HEAD_TIME,
    PROGRESS,
    REQUEST_MEMORY,
    RESPONSE_MEMORY,
    OPEN_FILES,
    DETACHED_HANDLERS,
];

/// The limit of the number of connections.
pub const CONNECTIONS: ConnectionLimit = ConnectionLimit {
    name: "connections",
    value: None,
    unit: "connections",
    description: "The number of open connections: half of the files that the system allows the process to open.",
    effect: "A new connection is closed. 128 further connections can each request `/healthz`, `/readyz` or `/metrics` once, \
             within one second.",
};

/// The limit of the number of connections of a client address.
pub const ADDRESS_CONNECTIONS: ConnectionLimit = ConnectionLimit {
    name: "address-connections",
    value: None,
    unit: "connections",
    description: "The number of open connections of one client address, or of one IPv6 network with a prefix of 64 bits: a \
                  quarter of `connections`. The flag `--address-connections` sets another number. The \
                  connections of trusted proxies have no such limit.",
    effect: "A new connection is closed.",
};

/// The limit of the time for a TLS handshake.
pub const TLS_HANDSHAKE: ConnectionLimit = ConnectionLimit {
    name: "tls-handshake",
    value: Some(HANDSHAKE_SECONDS),
    unit: "seconds",
    description: "The time from the beginning of a connection to an address with TLS until its handshake is complete. \
                  `head-time` begins after the handshake.",
    effect: "The connection is closed.",
};

/// The limit of the time for a head.
pub const HEAD_TIME: ConnectionLimit = ConnectionLimit {
    name: "head-time",
    value: Some(HEAD_SECONDS),
    unit: "seconds",
    description: "The time from the first byte of a request until its head is complete. For the first request of a \
                  connection, the time begins with the connection.",
    effect: "The connection is closed.",
};

/// The limit of the time without progress.
pub const PROGRESS: ConnectionLimit = ConnectionLimit {
    name: "progress",
    value: Some(PROGRESS_SECONDS),
    unit: "seconds",
    description: "The time in which a client receives no further byte of a response, or sends no further byte of a body \
                  for which the server waits.",
    effect: "The connection is closed. If the body is incomplete, the response has the status 408.",
};

/// The limit of the memory for requests.
pub const REQUEST_MEMORY: ConnectionLimit = ConnectionLimit {
    name: "request-memory",
    value: Some(REQUEST_MEMORY_BYTES),
    unit: "bytes",
    description: "The memory for the bodies of all requests that are being received or handled. The first 1024 bytes of \
                  each body do not count, and neither does what has been written to the file of an upload. One client \
                  address can use a quarter for several requests, unless `--address-connections` is 0.",
    effect: "The response has the status 503 and the field `Retry-After`.",
};

/// The limit of the memory for responses that their clients do not receive.
pub const RESPONSE_MEMORY: ConnectionLimit = ConnectionLimit {
    name: "response-memory",
    value: Some(RESPONSE_MEMORY_BYTES),
    unit: "bytes",
    description: "The memory for responses that wait because their clients do not receive them. Files, documents, and the \
                  first 1024 bytes of each response do not count. One client address can use half of it for several \
                  responses, unless `--address-connections` is 0.",
    effect: "The connection is closed.",
};

/// The limit of the number of open files.
pub const OPEN_FILES: ConnectionLimit = ConnectionLimit {
    name: "open-files",
    value: None,
    unit: "files",
    description: "The number of files that are open to receive an upload, or to send more than 64 KiB: a quarter of the \
                  files that the system allows the process to open. One client address can have a quarter of them, unless \
                  `--address-connections` is 0.",
    effect: "The response has the status 503 and the field `Retry-After`.",
};

/// The limit of the number of running handlers whose clients have disconnected.
pub const DETACHED_HANDLERS: ConnectionLimit = ConnectionLimit {
    name: "detached-handlers",
    value: Some(MAX_DETACHED_HANDLERS),
    unit: "handlers",
    description: "The number of handlers that are still running although their clients have disconnected. A handler that \
                  has started is never cancelled. One client address can have a quarter of them, unless \
                  `--address-connections` is 0.",
    effect: "While the maximum is reached, calls get responses with the status 503 and the field `Retry-After`.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptions_state_the_numbers_that_the_server_uses() {
        for (text, number) in [
            (CONNECTIONS.effect, RESERVED_CONNECTIONS as u64),
            (REQUEST_MEMORY.description, FREE_REQUEST_BYTES),
            (RESPONSE_MEMORY.description, FREE_RESPONSE_BYTES),
        ] {
            assert!(text.contains(&format!(" {number} ")), "{number} is not in: {text}");
        }
    }
}
