//! The head of a request, from actix's words into ours.

use actix_http::RequestHead;
use http::Version;

use crate::call::Head;

/// The same head. Names and values are shared, not copied.
pub(super) fn head(head: &RequestHead) -> Head {
    let mut headers = Vec::with_capacity(head.headers.len());
    headers.extend(head.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    Head {
        method: head.method.clone(),
        uri: head.uri.clone(),
        headers,
        streams: head.version == Version::HTTP_2,
        peer: head.peer_addr,
    }
}
