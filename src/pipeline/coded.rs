//! Behind the last stage: whether an answer goes out in a content coding, and in which (RFC 9110 section 12.5.3).
//!
//! Only what says of itself that it may: texts that the engine has written, never stored files, nor what comes piece
//! by piece.

use bytes::Bytes;
use http::{HeaderValue, header};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::accept::weighted;
use super::{Reply, ReplyBody};
use crate::call::Head;
use crate::plan::{Coding, Document, Effort, Plan};

/// Bytes of an answer from which on a coding pays: what is shorter goes out in a packet or two either way.
const LEAST_WRITTEN: usize = 2 << 10;
/// The same of a document, which is coded once and kept.
const LEAST_KEPT: usize = 1 << 10;
/// The most bytes that a worker codes itself; others would have to wait for more.
const MOST_AT_ONCE: usize = 64 << 10;

/// For how many at once documents are coded: others who ask wait, and take no thread from the pool.
static CODING: Semaphore = Semaphore::const_new(4);

/// The coding in which a reply is to go out; none: as it is. Says in the reply that this depends on the request.
pub fn coding(plan: &Plan, head: &Head, reply: &mut Reply) -> Option<Coding> {
    let (length, least, order) = match &reply.body {
        ReplyBody::Ready(document) => (document.body.len(), LEAST_KEPT, [Coding::Brotli, Coding::Gzip]),
        ReplyBody::Whole(bytes) if reply.written => (bytes.len(), LEAST_WRITTEN, [Coding::Gzip, Coding::Brotli]),
        ReplyBody::Whole(_) | ReplyBody::Pieces { .. } => return None,
    };
    if !plan.compress || length == 0 {
        return None;
    }
    let is_long = length >= least;
    // A document has said so already.
    if is_long && reply.written {
        reply.headers.push((header::VARY, HeaderValue::from_static("accept-encoding")));
    }
    // Few clients do without the plain form.
    if !is_long && !head.header_values(&header::ACCEPT_ENCODING).any(excludes) {
        return None;
    }
    if reply.headers.iter().any(|(name, value)| *name == header::CACHE_CONTROL && contains(value, b"no-transform")) {
        return None;
    }
    let chosen = choose(head, order)?;
    (is_long || chosen.without_plain).then_some(chosen.coding)
}

/// Whether the coding of a document depends on the request.
pub(super) fn varies(plan: &Plan, document: &Document) -> bool {
    plan.compress && document.body.len() >= LEAST_KEPT
}

/// A coding that is wanted.
struct Chosen {
    coding: Coding,
    /// Whether the plain form is not.
    without_plain: bool,
}

/// The coding that the client wants most, of several the first in `order`; none where it wants the plain form more.
fn choose(head: &Head, order: [Coding; 2]) -> Option<Chosen> {
    let fields = || weighted(head, &header::ACCEPT_ENCODING);
    let weight = |names: &[&str]| {
        let own = fields().find(|own| names.iter().any(|name| own.name.eq_ignore_ascii_case(name)));
        own.or_else(|| fields().find(|own| own.name == "*")).map(|own| own.weight)
    };
    let (mut best, mut most) = (None, 0);
    for coding in order {
        let names: &[&str] = if coding == Coding::Gzip { &["gzip", "x-gzip"] } else { &["br"] };
        let weight = weight(names).unwrap_or(0);
        if weight > most {
            (best, most) = (Some(coding), weight);
        }
    }
    let named = fields().any(|own| own.name.eq_ignore_ascii_case("identity"));
    let plain = weight(&["identity"]);
    // `*` wants it no more than the others, unless it wants none of them.
    let rather_plain = named && plain.is_some_and(|plain| plain > most);
    best.filter(|_| !rather_plain).map(|coding| Chosen { coding, without_plain: plain == Some(0) })
}

/// Whether a field may exclude the plain form.
fn excludes(field: &HeaderValue) -> bool {
    contains(field, b"identity") || contains(field, b"*")
}

fn contains(field: &HeaderValue, word: &[u8]) -> bool {
    field.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// The reply in a coding; as it is where the coding makes it no shorter.
pub async fn coded(mut reply: Reply, coding: Coding) -> Reply {
    let body = match &reply.body {
        ReplyBody::Ready(document) => kept(document, coding).await,
        ReplyBody::Whole(bytes) => written(bytes, coding).await.map(|bytes| (bytes, None)),
        ReplyBody::Pieces { .. } => None,
    };
    let Some((bytes, etag)) = body else { return reply };
    for (name, value) in &mut reply.headers {
        if *name == header::ETAG {
            match &etag {
                Some(etag) => value.clone_from(etag),
                None => *value = weak(value),
            }
        }
    }
    reply.headers.push((header::CONTENT_ENCODING, HeaderValue::from_static(coding.as_str())));
    reply.body = ReplyBody::Whole(bytes);
    reply
}

/// A document in a coding, and its tag there.
async fn kept(document: &Document, coding: Coding) -> Option<(Bytes, Option<HeaderValue>)> {
    if !document.is_coded(coding) {
        let permit = CODING.acquire().await.ok()?;
        // Somebody else may have had it made meanwhile, and then there is nothing to wait for.
        if !document.is_coded(coding) {
            let making = document.clone();
            let make = move || {
                let _ = making.coded(coding);
                // Not before: one who leaves would let in another beside this.
                drop(permit);
            };
            spawn_blocking(make).await.ok()?;
        }
    }
    let coded = document.coded(coding)?;
    (coded.body.len() < document.body.len()).then(|| (coded.body.clone(), Some(coded.etag.clone())))
}

/// Bytes in a coding, made for one request.
async fn written(bytes: &Bytes, coding: Coding) -> Option<Bytes> {
    let coded = if bytes.len() <= MOST_AT_ONCE {
        coding.encode(bytes, Effort::Fast)
    } else {
        let bytes = bytes.clone();
        spawn_blocking(move || coding.encode(&bytes, Effort::Fast)).await.ok()?
    };
    coded.filter(|coded| coded.len() < bytes.len())
}

/// A handler's tag where the bytes are others: it names what they mean (RFC 9110 section 8.8.1).
fn weak(etag: &HeaderValue) -> HeaderValue {
    if etag.as_bytes().starts_with(b"W/") {
        return etag.clone();
    }
    HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat()).unwrap_or_else(|_| etag.clone())
}
