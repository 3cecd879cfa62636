//! Second stage after the reply: compresses the body if the client accepts it (RFC 9110 section 12.5.3).
//!
//! Documents and the text that the engine writes for a request are compressed; stored files and streams are not.

use bytes::Bytes;
use http::{HeaderValue, header};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::accept::weighted_elements;
use super::{Reply, ReplyBody};
use crate::call::Head;
use crate::plan::{ContentCoding, Document, Effort, Plan};

/// The minimum length in bytes of a body that is compressed for a single request. A shorter body fits into one or two
/// packets.
const MIN_WRITTEN: usize = 2 << 10;
/// The minimum length in bytes of a document that is compressed. The compressed document is cached.
const MIN_DOCUMENT: usize = 1 << 10;
/// The maximum length in bytes of a body that is compressed in the worker thread. Compressing a longer body there would
/// delay other requests.
const MAX_INLINE: usize = 64 << 10;

/// The maximum number of documents that are compressed at the same time. Further requests wait without occupying a
/// thread.
static COMPRESSING: Semaphore = Semaphore::const_new(4);

/// Compresses the body of a reply if the client accepts a content coding and the result is shorter.
pub async fn encode(plan: &Plan, head: &Head, mut reply: Reply) -> Reply {
    match negotiate(plan, head, &mut reply) {
        // Boxed, because most requests do not need this future, and it would enlarge the future of every request.
        Some(coding) => Box::pin(compress(reply, coding)).await,
        None => reply,
    }
}

/// Chooses the content coding of a reply; `None` if the body is sent uncompressed. Adds `Vary` if the choice depends on
/// the request.
fn negotiate(plan: &Plan, head: &Head, reply: &mut Reply) -> Option<ContentCoding> {
    let (length, min, order) = match &reply.body {
        ReplyBody::Ready(document) => (document.body.len(), MIN_DOCUMENT, ContentCoding::SMALLEST_FIRST),
        ReplyBody::Whole(bytes) if reply.written => (bytes.len(), MIN_WRITTEN, ContentCoding::FASTEST_FIRST),
        ReplyBody::Whole(_) | ReplyBody::Pieces { .. } => return None,
    };
    if !plan.compress || length == 0 {
        return None;
    }
    let is_long = length >= min;
    // Replies with a document already have this field.
    if is_long && reply.written {
        reply.headers.push((header::VARY, HeaderValue::from_static("accept-encoding")));
    }
    // A short body is compressed only for a client that does not accept uncompressed bodies.
    if !is_long && !head.get_all(&header::ACCEPT_ENCODING).any(may_refuse_plain) {
        return None;
    }
    if reply
        .headers
        .iter()
        .any(|(name, value)| *name == header::CACHE_CONTROL && contains_ignoring_case(value, b"no-transform"))
    {
        return None;
    }
    let chosen = choose_coding(head, order)?;
    (is_long || chosen.refuses_plain).then_some(chosen.coding)
}

/// Returns `true` if the content coding of a document depends on the request.
pub(super) fn varies_by_encoding(plan: &Plan, document: &Document) -> bool {
    plan.compress && document.body.len() >= MIN_DOCUMENT
}

/// A content coding that the client accepts.
struct Chosen {
    coding: ContentCoding,
    /// `true` if the client does not accept an uncompressed body.
    refuses_plain: bool,
}

/// Returns the content coding that the client prefers, of several with the same weight the first in `order`. Returns
/// `None` if the client prefers the plain form or accepts no coding.
fn choose_coding(head: &Head, order: &[ContentCoding]) -> Option<Chosen> {
    let fields = || weighted_elements(head, &header::ACCEPT_ENCODING);
    let weight = |names: &[&str]| {
        let named = fields().find(|field| names.iter().any(|name| field.name.eq_ignore_ascii_case(name)));
        named.or_else(|| fields().find(|field| field.name == "*")).map(|field| field.weight)
    };
    let (mut best, mut max) = (None, 0);
    for &coding in order {
        let names: &[&str] = if coding == ContentCoding::Gzip { &["gzip", "x-gzip"] } else { &["br"] };
        let weight = weight(names).unwrap_or(0);
        if weight > max {
            (best, max) = (Some(coding), weight);
        }
    }
    let named = fields().any(|field| field.name.eq_ignore_ascii_case("identity"));
    let plain = weight(&["identity"]);
    // `*` includes `identity` and gives it the same weight as the codings, so that only an explicit `identity` can be
    // preferred.
    let prefers_plain = named && plain.is_some_and(|plain| plain > max);
    best.filter(|_| !prefers_plain).map(|coding| Chosen { coding, refuses_plain: plain == Some(0) })
}

/// Returns `true` if a field `Accept-Encoding` may exclude an uncompressed body.
fn may_refuse_plain(field: &HeaderValue) -> bool {
    contains_ignoring_case(field, b"identity") || contains_ignoring_case(field, b"*")
}

fn contains_ignoring_case(field: &HeaderValue, word: &[u8]) -> bool {
    field.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Compresses the body of a reply. Keeps the body uncompressed if the result is not shorter.
async fn compress(mut reply: Reply, coding: ContentCoding) -> Reply {
    let body = match &reply.body {
        ReplyBody::Ready(document) => compress_document(document, coding).await,
        ReplyBody::Whole(bytes) => compress_bytes(bytes, coding).await.map(|bytes| (bytes, None)),
        ReplyBody::Pieces { .. } => None,
    };
    let Some((bytes, etag)) = body else { return reply };
    for (name, value) in &mut reply.headers {
        if *name == header::ETAG {
            match &etag {
                Some(etag) => value.clone_from(etag),
                None => *value = weaken(value),
            }
        }
    }
    reply.headers.push((header::CONTENT_ENCODING, HeaderValue::from_static(coding.as_str())));
    reply.body = ReplyBody::Whole(bytes);
    reply
}

/// Returns a document in a content coding, with the entity tag of the compressed document. Compresses the document if
/// it is not cached in this coding.
async fn compress_document(document: &Document, coding: ContentCoding) -> Option<(Bytes, Option<HeaderValue>)> {
    if !document.is_encoded(coding) {
        let permit = COMPRESSING.acquire().await.ok()?;
        // Another request may have compressed it in the meantime.
        if !document.is_encoded(coding) {
            let document_to_encode = document.clone();
            let make = move || {
                let _ = document_to_encode.encoded(coding);
                // The permit is released only here: if the request is dropped, compression continues and must still be
                // counted.
                drop(permit);
            };
            spawn_blocking(make).await.ok()?;
        }
    }
    let coded = document.encoded(coding)?;
    (coded.body.len() < document.body.len()).then(|| (coded.body.clone(), Some(coded.etag.clone())))
}

/// Compresses the bytes of one reply.
async fn compress_bytes(bytes: &Bytes, coding: ContentCoding) -> Option<Bytes> {
    let coded = if bytes.len() <= MAX_INLINE {
        coding.encode(bytes, Effort::Fast)
    } else {
        let bytes = bytes.clone();
        spawn_blocking(move || coding.encode(&bytes, Effort::Fast)).await.ok()?
    };
    coded.filter(|coded| coded.len() < bytes.len())
}

/// Returns the weak form of an entity tag that a handler set, because the compressed bytes differ from the bytes that
/// the tag identifies (RFC 9110 section 8.8.1).
fn weaken(etag: &HeaderValue) -> HeaderValue {
    if etag.as_bytes().starts_with(b"W/") {
        return etag.clone();
    }
    HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat()).unwrap_or_else(|_| etag.clone())
}
