//! The limits of connections, which hold before a request has a plan: the limits of a definition begin with a complete
//! head.

use std::time::Duration;

/// The maximum time from the first byte of a request until its head is complete. For the first request, the time begins
/// with the connection.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The time after which a connection is closed if the client has received no further byte of a response.
pub(super) const PROGRESS_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum time for which the server keeps reading after its last response, so that the client can finish sending
/// and read the response (RFC 9112 section 9.6).
pub(super) const LINGER_TIMEOUT: Duration = Duration::from_secs(1);
/// The maximum length in bytes of a head. The limits `head` and `uri` of a definition are much lower by default; a
/// request that exceeds them is still parsed, so that its response has the envelope of the definition.
pub(super) const MAX_HEAD_LEN: usize = 128 << 10;
/// The maximum number of header fields of a request.
pub(super) const MAX_FIELDS: usize = 100;
