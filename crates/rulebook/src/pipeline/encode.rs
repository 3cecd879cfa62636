//! Stage `encode`: compresses the body of a reply if the client accepts a content coding (RFC 9110 section 12.5.3).
//!
//! Documents (complete texts that are kept in memory) are compressed once, and their compressed bytes are cached. Text
//! that the engine writes for one request is compressed for that request. Stored files and streams are never
//! compressed.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::representation::{WeightedElement, weighted_elements};
use super::{Reply, ReplyBody};
use crate::call::{Head, tag_of_coded_version};
use crate::plan::{CompressionEffort, ContentCoding, Document, Plan};

/// In bytes. A shorter body fits into one or two network packets, so that compression saves no time.
const MIN_REPLY_LENGTH: usize = 2 << 10;
/// In bytes. It is smaller than [`MIN_REPLY_LENGTH`], because a document is compressed only once.
const MIN_DOCUMENT_LENGTH: usize = 1 << 10;
/// In bytes. A longer body is compressed in another thread, so that it does not delay other requests of the worker.
const MAX_LENGTH_IN_WORKER: usize = 64 << 10;

/// The number of documents that are compressed at the same time. Requests for further ones wait without occupying a
/// thread.
static COMPRESSION_PERMITS: Semaphore = Semaphore::const_new(4);

/// `None` if the body is sent uncompressed. Adds `Vary` if the coding depends on the request.
pub fn negotiate_coding(plan: &Plan, head: &Head, reply: &mut Reply) -> Option<ContentCoding> {
    let (length, min, order) = match &reply.body {
        ReplyBody::Document(document) => (document.body.len(), MIN_DOCUMENT_LENGTH, ContentCoding::SMALLEST_FIRST),
        body if reply.is_written_for_request => {
            (body.bytes().map_or(0, <[u8]>::len), MIN_REPLY_LENGTH, ContentCoding::FASTEST_FIRST)
        }
        _ => return None,
    };
    if !plan.compresses_responses || length == 0 {
        return None;
    }
    let is_long = length >= min;
    // A reply with a document already has the header field `Vary`.
    if is_long && reply.is_written_for_request {
        reply.headers.push((header::VARY, HeaderValue::from_static("accept-encoding")));
    }
    // A short body is compressed only for a client that does not accept uncompressed bodies.
    if !is_long && !head.get_all(&header::ACCEPT_ENCODING).any(may_refuse_uncompressed) {
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
    (is_long || chosen.refuses_uncompressed).then_some(chosen.coding)
}

pub(super) fn varies_by_encoding(plan: &Plan, document: &Document) -> bool {
    plan.compresses_responses && document.body.len() >= MIN_DOCUMENT_LENGTH
}

struct ChosenCoding {
    coding: ContentCoding,
    refuses_uncompressed: bool,
}

/// The first one in `order` of those with the highest weight; `None` if the client prefers an uncompressed body.
fn choose_coding(head: &Head, order: &[ContentCoding]) -> Option<ChosenCoding> {
    let weights = CodingWeights::from_head(head);
    let (mut best, mut max) = (None, 0);
    for &coding in order {
        let named = if coding == ContentCoding::Gzip { weights.gzip } else { weights.brotli };
        let weight = named.or(weights.any).unwrap_or(0);
        if weight > max {
            (best, max) = (Some(coding), weight);
        }
    }
    // The element `*` gives `identity` (no compression) the same weight as the content codings. So the client prefers
    // an uncompressed body only if `identity` occurs explicitly, with a higher weight.
    let prefers_plain = weights.identity.is_some_and(|plain| plain > max);
    let refuses_uncompressed = weights.identity.or(weights.any) == Some(0);
    best.filter(|_| !prefers_plain).map(|coding| ChosenCoding { coding, refuses_uncompressed })
}

/// If a name occurs several times, its first element counts.
#[derive(Debug, Default)]
struct CodingWeights {
    brotli: Option<u16>,
    gzip: Option<u16>,
    identity: Option<u16>,
    /// `*` holds for all content codings without an element.
    any: Option<u16>,
}

impl CodingWeights {
    /// Reads the fields once, because a client can send thousands of elements.
    fn from_head(head: &Head) -> Self {
        let mut weights = Self::default();
        for WeightedElement { name, weight } in weighted_elements(head, &header::ACCEPT_ENCODING) {
            let named = match name.len() {
                1 if name == "*" => &mut weights.any,
                2 if name.eq_ignore_ascii_case("br") => &mut weights.brotli,
                4 if name.eq_ignore_ascii_case("gzip") => &mut weights.gzip,
                6 if name.eq_ignore_ascii_case("x-gzip") => &mut weights.gzip,
                8 if name.eq_ignore_ascii_case("identity") => &mut weights.identity,
                _ => continue,
            };
            named.get_or_insert(weight);
        }
        weights
    }
}

/// Without a weight, the field excludes no uncompressed bodies.
fn may_refuse_uncompressed(field: &HeaderValue) -> bool {
    field.as_bytes().contains(&b';')
}

fn contains_ignoring_case(field: &HeaderValue, word: &[u8]) -> bool {
    field.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Compresses the body of a reply. If the compressed body is not shorter, the reply stays unchanged. `has_version` is
/// `true` if the entity tag is that of a version, which identifies the version in each content coding.
pub async fn compress_reply(reply: &mut Reply, coding: ContentCoding, has_version: bool) {
    if let ReplyBody::Written(written) = &mut reply.body {
        reply.body = ReplyBody::Whole(std::mem::take(written).into_vec().into());
    }
    let body = match &reply.body {
        ReplyBody::Document(document) => compress_document(document, coding).await,
        ReplyBody::Whole(bytes) => compress_bytes(bytes, coding).await.map(|bytes| (bytes, None)),
        ReplyBody::Written(_) | ReplyBody::File(_) | ReplyBody::Stream { .. } => None,
    };
    let Some((bytes, etag)) = body else { return };
    for (name, value) in &mut reply.headers {
        if *name == header::ETAG {
            match &etag {
                Some(etag) => value.clone_from(etag),
                None if has_version => *value = tag_of_coded_version(value, coding.as_str()),
                None => *value = to_weak_etag(value),
            }
        }
    }
    reply.headers.push((header::CONTENT_ENCODING, HeaderValue::from_static(coding.as_str())));
    reply.body = ReplyBody::Whole(bytes);
}

/// Returns the compressed bytes of a document and their entity tag; `None` if they are not shorter. If the cache does
/// not contain the document in this content coding, compresses the document.
async fn compress_document(document: &Document, coding: ContentCoding) -> Option<(Bytes, Option<HeaderValue>)> {
    if !document.is_compressed(coding) {
        let permit = COMPRESSION_PERMITS.acquire().await.ok()?;
        // While this request waited for the permit, another request may have compressed the document.
        if !document.is_compressed(coding) {
            let document_to_compress = document.clone();
            let make = move || {
                let _ = document_to_compress.compressed(coding);
                // The permit is released only when compression has ended: if the client disconnects, compression
                // continues, and must still count for the limit.
                drop(permit);
            };
            match document.limited_by() {
                // The time counts for the limit of rendering, but compression is never refused: each document that was
                // rendered is compressed once, and an uncompressed document would cost more to send each time.
                Some(documents) => spawn_blocking(move || documents.run(make)).await.ok()?,
                None => spawn_blocking(make).await.ok()?,
            }
        }
    }
    let coded = document.compressed(coding)?;
    (coded.body.len() < document.body.len()).then(|| (coded.body.clone(), Some(coded.etag.clone())))
}

/// The result is not cached; `None` if the compressed bytes are not shorter.
async fn compress_bytes(bytes: &Bytes, coding: ContentCoding) -> Option<Bytes> {
    let coded = if bytes.len() <= MAX_LENGTH_IN_WORKER {
        coding.compress(bytes, CompressionEffort::Fast)
    } else {
        let bytes = bytes.clone();
        spawn_blocking(move || coding.compress(&bytes, CompressionEffort::Fast)).await.ok()?
    };
    coded.filter(|coded| coded.len() < bytes.len())
}

/// The strong tag of a handler would be wrong for the compressed bytes (RFC 9110 section 8.8.1).
fn to_weak_etag(etag: &HeaderValue) -> HeaderValue {
    if etag.as_bytes().starts_with(b"W/") {
        return etag.clone();
    }
    HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat()).unwrap_or_else(|_| etag.clone())
}
