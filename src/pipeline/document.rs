//! Replies that are documents made ready at start.

use http::{HeaderValue, header};

use super::Reply;
use crate::call::{Allowed, Head};
use crate::plan::{Description, Document};

/// Answers with a document, or with 304 where the client has it already (RFC 9110 section 13.1.2).
#[must_use]
pub fn document(_: &Head, document: &Document) -> Reply {
    let headers = vec![(header::ETAG, document.etag.clone())];
    Reply { status: 200, content_type: Some(document.media_type), headers, body: document.body.clone(), code: None }
}

/// Answers OPTIONS: a definition, never in an envelope, in the form that the client accepts.
#[must_use]
pub fn options(head: &Head, description: &Description, allowed: &Allowed) -> Reply {
    let mut reply = document(head, &description.json);
    let allow = HeaderValue::try_from(allowed.to_string()).ok();
    reply.headers.extend(allow.map(|value| (header::ALLOW, value)));
    reply
}
