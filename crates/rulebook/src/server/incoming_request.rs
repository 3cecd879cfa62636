//! A request before it is handled.

use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};

use super::observe::REQUEST_ID_FIELD;
use super::request_body::BodySource;
use super::worker::Worker;
use crate::call::{Head, RequestId};

/// A request whose head has been received and whose body has not been read.
pub(super) struct IncomingRequest {
    /// The request line and the header fields.
    pub(super) head: Arc<Head>,
    /// Where the body comes from, which is received later.
    pub(super) body: BodySource,
}

/// Returns the request id that the client or a proxy has sent, if this id is valid; otherwise a new id.
pub(super) fn request_id(headers: &[(HeaderName, HeaderValue)], worker: &Worker) -> RequestId {
    let given = headers.iter().find(|(name, _)| *name == REQUEST_ID_FIELD);
    let given = given.and_then(|(_, id)| RequestId::parse(id.to_str().ok()?));
    given.unwrap_or_else(|| worker.next_request_id())
}
