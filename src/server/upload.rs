//! Multipart bodies (RFC 7578): fields into memory, files into temporary files, both as their bytes come.
//!
//! The boundaries are found by `multer`, which is fed a chunk at a time and
//! only when it has nothing left to read, so that no more of a body is in
//! memory than a chunk, the fields and a piece of a file.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use multer::{Error, Field, Multipart};

use super::receive::{Incoming, over};
use super::uploading::{Uploading, Uploads, Wanted};
use crate::call::{Limit, Reason, Refusal, Unreadable, shortened};
use crate::model::Limits;
use crate::pipeline::{self, Body, Part, PartContent};
use crate::plan::{Method, Plan};

/// The most that stands between two parts: a boundary and the header fields of a part, in bytes.
const MOST_BETWEEN: usize = 16 << 10;
/// How much longer than its parameter says a file may be before it is stopped, in bytes. That of one which is a little
/// too long is told by its check, which knows all of its length, and with all else that is wrong.
const MOST_OVER: u64 = 64 << 10;
/// The longest name of a field, in bytes.
const MOST_NAME: usize = 1 << 10;
/// The longest file name that a client can give, in characters; what is over it is cut off.
const MOST_FILENAME: usize = 255;

/// What the parts of a body are for, and what they are held to.
#[derive(Clone, Copy)]
pub(super) struct Expected<'m> {
    /// The plan of the method.
    pub(super) plan: &'m Plan,
    /// The method whose parameters they fill.
    pub(super) method: &'m Method,
    /// How many there may be.
    pub(super) parts: u64,
    /// Where files go.
    pub(super) uploads: &'m Arc<Uploads>,
}

/// Receives all parts; an empty body is none. Files that no parameter takes are counted, but not kept.
///
/// # Errors
/// A limit is passed, the body is broken or does not come in time, or a file cannot be stored.
pub(super) async fn parts(
    mut incoming: Incoming<'_>,
    boundary: Option<String>,
    expected: &Expected<'_>,
) -> Result<Body, Refusal> {
    let Some(first) = incoming.next().await? else {
        return Ok(Body::Empty);
    };
    let boundary = boundary.ok_or_else(unbounded)?;
    let feed = Feed(Arc::new(Mutex::new(Fed::Chunk(first))));
    let multipart = Multipart::new(feed.clone(), boundary);
    let mut reader = Reader { incoming, feed, multipart, texts: 0, refused: false };
    let mut parts = Vec::new();
    let mut count = 0;
    while let Some(field) = reader.field(count + 1).await? {
        count += 1;
        if count > expected.parts {
            return Err(over(Limit::parts(expected.parts), None));
        }
        if let Some(part) = reader.part(field, count, expected).await? {
            parts.push(part);
        }
    }
    // What stands behind the last boundary means nothing, but is held to the limit like all else.
    while reader.incoming.next().await?.is_some() {}
    Ok(Body::Parts(parts))
}

/// A multipart body while it is being read.
struct Reader<'b> {
    incoming: Incoming<'b>,
    feed: Feed,
    multipart: Multipart<'static>,
    /// Bytes of all fields so far.
    texts: u64,
    /// Whether a field will be refused: no file behind it is kept.
    refused: bool,
}

impl Reader<'_> {
    /// The part of this number, its header fields read; none where there is no further one.
    async fn field(&mut self, number: u64) -> Result<Option<Field<'static>>, Refusal> {
        let Self { incoming, feed, multipart, .. } = self;
        let mut between = 0;
        poll_fn(|task| {
            loop {
                if let Poll::Ready(field) = multipart.poll_next_field(task) {
                    return Poll::Ready(field.map_err(|error| broken(&error, number)));
                }
                // All of that has been searched, and there is no part in it.
                if between > MOST_BETWEEN {
                    return Poll::Ready(Err(unreadable(Unreadable::MultipartStart { most: MOST_BETWEEN })));
                }
                match feed.more(incoming, task) {
                    Poll::Ready(Ok(length)) => between += length,
                    Poll::Ready(Err(refusal)) => return Poll::Ready(Err(refusal)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    /// The next bytes of a part; none at its end.
    async fn chunk(&mut self, field: &mut Field<'static>, number: u64) -> Result<Option<Bytes>, Refusal> {
        let Self { incoming, feed, .. } = self;
        poll_fn(|task| {
            loop {
                if let Poll::Ready(chunk) = Pin::new(&mut *field).poll_next(task) {
                    return Poll::Ready(chunk.transpose().map_err(|error| broken(&error, number)));
                }
                match feed.more(incoming, task) {
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(refusal)) => return Poll::Ready(Err(refusal)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    /// One part, to its end. None where no file was chosen: browsers send an empty one without a name then, and what
    /// fills forms in for people an empty text.
    async fn part(
        &mut self,
        mut field: Field<'static>,
        number: u64,
        expected: &Expected<'_>,
    ) -> Result<Option<Part>, Refusal> {
        let Expected { plan, method, uploads, .. } = *expected;
        let name = match field.name() {
            None => return Err(unreadable(Unreadable::MultipartName { part: number })),
            Some(name) if name.len() > MOST_NAME => {
                return Err(unreadable(Unreadable::MultipartLongName { part: number, most: MOST_NAME }));
            }
            Some(name) => name.to_owned(),
        };
        let slot = pipeline::filled_by(method, &name);
        let takes_file = slot.is_some_and(|slot| slot.file.is_some());
        // A script in a browser can only say that a part is JSON by giving it the name of a file (HTML standard, "create an
        // entry").
        let is_json = |mime: &mime::Mime| mime.essence_str() == mime::APPLICATION_JSON.essence_str();
        let is_value = slot.is_some() && !takes_file && field.content_type().is_some_and(is_json);
        let Some(filename) = field.file_name().filter(|_| !is_value).map(clean) else {
            let bytes = self.text(&mut field, number, &name, &plan.limits).await?;
            if takes_file && bytes.is_empty() {
                return Ok(None);
            }
            self.refused |= pipeline::is_refused_by(plan, method, &name, &bytes);
            return Ok(Some(Part { name, content: PartContent::Field(bytes) }));
        };
        let slot = slot.filter(|slot| slot.file.is_some());
        let part = Limit::part(plan.limits.part);
        let most = slot.and_then(|slot| slot.file).unwrap_or(part);
        let end = if most == part { most.max } else { most.max.saturating_add(MOST_OVER) };
        let wanted = slot.map(|slot| Wanted { check: &*slot.check, refused: self.refused, uploads });
        let mut uploading = Uploading::new(filename, wanted);
        while let Some(chunk) = self.chunk(&mut field, number).await? {
            if uploading.size() + chunk.len() as u64 > end {
                return Err(over(most, Some(&shortened(&name))));
            }
            uploading.write(&chunk).await.map_err(not_stored)?;
        }
        if uploading.is_nothing() {
            return Ok(None);
        }
        let upload = uploading.finish().await.map_err(not_stored)?;
        Ok(Some(Part { name, content: PartContent::File(upload) }))
    }

    /// The content of a part that is no file. All of them together are held to the limit of a body.
    async fn text(
        &mut self,
        field: &mut Field<'static>,
        number: u64,
        name: &str,
        limits: &Limits,
    ) -> Result<Bytes, Refusal> {
        let mut text = BytesMut::new();
        while let Some(chunk) = self.chunk(field, number).await? {
            self.texts += chunk.len() as u64;
            let length = (text.len() + chunk.len()) as u64;
            let parameter = || shortened(name);
            if length > limits.part {
                return Err(over(Limit::part(limits.part), Some(&parameter())));
            }
            if self.texts > limits.body {
                return Err(over(Limit::body(limits.body), Some(&parameter())));
            }
            text.extend_from_slice(&chunk);
        }
        Ok(text.freeze())
    }
}

/// What `multer` reads from: a chunk at most, put in when it has asked in vain.
#[derive(Clone)]
struct Feed(Arc<Mutex<Fed>>);

enum Fed {
    Nothing,
    Chunk(Bytes),
    End,
}

impl Feed {
    /// Puts the next chunk in, or the end; tells how long it is.
    fn more(&self, incoming: &mut Incoming<'_>, task: &mut Context<'_>) -> Poll<Result<usize, Refusal>> {
        let polled = incoming.poll(task);
        polled.map_ok(|chunk| {
            let length = chunk.as_ref().map_or(0, Bytes::len);
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = chunk.map_or(Fed::End, Fed::Chunk);
            length
        })
    }
}

impl Stream for Feed {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // Whoever polls puts more in and polls again: nobody has to be woken.
        let mut fed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *fed, Fed::Nothing) {
            Fed::Nothing => Poll::Pending,
            Fed::Chunk(bytes) => Poll::Ready(Some(Ok(bytes))),
            Fed::End => Poll::Ready(None),
        }
    }
}

/// A client's file name without folders, and without characters that do not show or that turn the direction
/// of what does.
fn clean(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let hidden = |char: &char| {
        char.is_control() || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let name: String = base.chars().filter(|char| !hidden(char)).take(MOST_FILENAME).collect();
    if matches!(name.as_str(), "." | "..") { String::new() } else { name }
}

fn not_stored(error: io::Error) -> Refusal {
    let reason = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Reason::NoRoom,
        _ => Reason::Upload,
    };
    Refusal::new(reason).logging(error)
}

fn unreadable(what: Unreadable) -> Refusal {
    Refusal::new(Reason::Unreadable(what))
}

/// The refusal for a body whose parts cannot be told apart.
pub(super) fn unbounded() -> Refusal {
    unreadable(Unreadable::MultipartBoundary)
}

fn broken(error: &Error, number: u64) -> Refusal {
    unreadable(match error {
        Error::IncompleteFieldData { .. } => Unreadable::MultipartEnd { part: number },
        Error::IncompleteHeaders
        | Error::ReadHeaderFailed(_)
        | Error::DecodeHeaderName { .. }
        | Error::DecodeHeaderValue { .. } => Unreadable::MultipartHead { part: number },
        _ => Unreadable::MultipartPart { part: number },
    })
}
