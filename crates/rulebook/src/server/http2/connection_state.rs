//! What the stream of an HTTP/2 connection and the requests of the connection report to each other.

use std::cell::Cell;
use std::time::Instant;

use rulebook_model::connection_limits::ConnectionLimit;

/// The state of a connection. All its parts run in one task.
#[derive(Default)]
pub(super) struct ConnectionState {
    /// The limit that the client has exceeded with what it has sent. The connection must be closed then.
    pub(super) exceeded: Cell<Option<ConnectionLimit>>,
    /// The time at which the server has received the first bytes of an incomplete head.
    pub(super) head_begun: Cell<Option<Instant>>,
    /// `true` if nothing is received until the requests have been handled that have been received: one of them has many
    /// fields.
    pub(super) has_long_head: Cell<bool>,
    /// The number of parts of responses that have been sent since the client last sent something.
    pub(super) sent_parts: Cell<u64>,
    /// The number of fields by which the joined fields of requests have become fewer since the client last sent
    /// something.
    pub(super) joined_fields: Cell<u64>,
    /// The number of requests that were refused because too many were being handled, and that have not been counted
    /// yet.
    pub(super) refused_requests: Cell<u64>,
}

impl ConnectionState {
    /// Adds to one of the numbers of a state.
    pub(super) fn add(number: &Cell<u64>, added: u64) {
        number.set(number.get().saturating_add(added));
    }
}
