//! Replies that are documents made ready.

use std::fmt::Write;

use http::{HeaderName, HeaderValue, Method, header};

use super::accept::prefers;
use super::coded::varies;
use super::respond::{Of, refuse};
use super::{Reply, ReplyBody};
use crate::call::{Allowed, Head, Http, Reason, Refusal};
use crate::error::Code;
use crate::plan::{Description, Document, Page, Plan};

/// Answers a request at the path of a document.
#[must_use]
pub fn document(plan: &Plan, head: &Head, document: &Document) -> Reply {
    unread(plan, head).unwrap_or_else(|| ready(plan, head, document, Vec::with_capacity(2)))
}

/// Answers for a page.
#[must_use]
pub fn page(plan: &Plan, head: &Head, page: &Page) -> Reply {
    let vary = || vec![(header::VARY, HeaderValue::from_static("accept"))];
    unread(plan, head).unwrap_or_else(|| ready(plan, head, wanted(head, page), vary()))
}

/// A page in the form that the client wants most; HTML where it does not say.
fn wanted<'p>(head: &Head, page: &'p Page) -> &'p Document {
    if prefers(head, MARKDOWN, HTML) { &page.markdown } else { &page.html }
}

/// Whether the client would rather read a page than the refusal that there is none.
#[must_use]
pub fn reads_pages(head: &Head) -> bool {
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    reads && [HTML, MARKDOWN].iter().any(|form| prefers(head, form, JSON))
}

/// Answers with the page in place of one that is not there, in the form that the client wants most.
#[must_use]
pub fn missing(head: &Head, page: &Page) -> Reply {
    let Document { body, media_type, .. } = wanted(head, page);
    Reply {
        status: 404,
        content_type: Some(HeaderValue::from_static(media_type)),
        headers: vec![(header::VARY, HeaderValue::from_static("accept"))],
        body: ReplyBody::Whole(body.clone()),
        written: true,
        code: Some(Code::UnknownService),
    }
}

/// Answers a request that does not read where reading is all that can be done: OPTIONS, and methods that are not
/// there. None for one that reads.
#[must_use]
pub fn unread(plan: &Plan, head: &Head) -> Option<Reply> {
    match head.method {
        Method::GET | Method::HEAD => None,
        Method::OPTIONS => Some(Reply::empty(204, vec![(header::ALLOW, allow(&Allowed(vec![Http::Get])))])),
        _ => {
            let reason = Reason::UnknownMethod { allowed: Allowed(vec![Http::Get]) };
            Some(refuse(plan, head, Of::Nothing, Refusal::new(reason)))
        }
    }
}

/// Answers OPTIONS: a definition, never in an envelope, in the form that the client wants most; JSON where it
/// does not say.
#[must_use]
pub(super) fn ready_options(plan: &Plan, head: &Head, description: &Description, allowed: &Allowed) -> Reply {
    let Description { json, markdown } = description;
    let mut headers = Vec::with_capacity(4);
    headers.push((header::ALLOW, allow(allowed)));
    headers.push((header::VARY, HeaderValue::from_static("accept")));
    let document = if prefers(head, MARKDOWN, JSON) { markdown } else { json };
    ready(plan, head, document, headers)
}

const HTML: &str = "text/html";
const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown";

/// A document, or 304 where the client has it already. It is asked for again each time, since a server that is
/// started anew may have another one.
///
/// RFC 9110 section 13.2.1 leaves preconditions out of OPTIONS as of a method that selects no representation. Here
/// it selects one, and tells its tag: who sends the tag back can only mean it.
fn ready(plan: &Plan, head: &Head, document: &Document, mut headers: Vec<(HeaderName, HeaderValue)>) -> Reply {
    headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    if varies(plan, document) {
        headers.push((header::VARY, HeaderValue::from_static("accept-encoding")));
    }
    if let Some(known) = known(head, document) {
        headers.push((header::ETAG, known));
        return Reply::empty(304, headers);
    }
    headers.push((header::ETAG, document.etag.clone()));
    Reply {
        status: 200,
        content_type: Some(HeaderValue::from_static(document.media_type)),
        headers,
        body: ReplyBody::Ready(document.clone()),
        written: false,
        code: None,
    }
}

/// The tag of the document that `If-None-Match` names, in whatever coding the client has it; the plain form's for `*`
/// (RFC 9110 sections 8.8.3.2 and 13.1.2). A tag that holds a comma is no tag of ours, and neither are its parts.
fn known(head: &Head, document: &Document) -> Option<HeaderValue> {
    let names = |field: &HeaderValue, etag: &HeaderValue| {
        let mut tags = field.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        tags.any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == etag.as_bytes())
    };
    head.header_values(&header::IF_NONE_MATCH).find_map(|field| document.tags().find(|etag| names(field, etag)))
}

fn allow(allowed: &Allowed) -> HeaderValue {
    let mut names = String::with_capacity(LONGEST);
    // Writing to a String does not fail, and names of methods are a header value.
    let _ = write!(names, "{allowed}");
    HeaderValue::try_from(names).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Bytes of the longest `Allow`.
const LONGEST: usize = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS".len();
