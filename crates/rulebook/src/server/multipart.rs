//! Receives multipart bodies (RFC 7578): fields into memory and files into temporary files, while the bytes arrive.
//!
//! `multer` finds the boundaries. It gets the next chunk only when it has processed all bytes, so that memory never
//! holds more than one chunk, the fields, and a piece of a file. `actix-multipart` cannot be used instead, because it
//! reads the `Payload` of actix itself; here, the chunks have passed the limits of the body, and the first ones may
//! have been read to route the request.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use multer::{Error, Field, Multipart};
use rulebook_model::error::ErrorCode;
use rulebook_model::filename::visible_base_name;
use rulebook_model::limits;
use rulebook_model::model::Limits;

use super::receive::LimitedBody;
use super::upload_writer::{Destination, UploadWriter, Uploads};
use crate::call::{ApiError, MalformedRequest, shorten_text};
use crate::pipeline::{self, Body, BodyPart, BodyPartContent};
use crate::plan::{Plan, PlannedMethod};

/// The maximum number of bytes between the contents of two parts: a boundary and the header fields of a part.
const MAX_BETWEEN: usize = 16 << 10;
/// The number of bytes by which a file may exceed the limit of its parameter while it is received. A file that is only
/// slightly too long is received completely, so that its check can report its length together with all other errors.
const MAX_EXCESS: u64 = 64 << 10;
/// The maximum length of the name of a part, in bytes.
const MAX_NAME: usize = 1 << 10;
/// The maximum length of the file name of a part, in characters. A longer name is cut.
const MAX_FILENAME: usize = 255;

/// The method that receives a multipart body, and what its parts need.
#[derive(Clone, Copy)]
pub(super) struct MultipartTarget<'m> {
    /// The plan of the method.
    pub(super) plan: &'m Plan,
    /// The method.
    pub(super) method: &'m PlannedMethod,
    /// The maximum number of parts.
    pub(super) max_parts: u64,
    /// The destination of files.
    pub(super) uploads: &'m Arc<Uploads>,
}

/// Receives all parts of a body. A file that no parameter accepts is not stored; only its length is counted.
///
/// # Errors
/// Fails if a limit is exceeded, the body is malformed or does not arrive in time, or a file cannot be stored.
pub(super) async fn receive_parts(
    mut body: LimitedBody<'_>,
    boundary: Option<String>,
    target: &MultipartTarget<'_>,
) -> Result<Body, ApiError> {
    let Some(first) = body.next().await? else {
        return Ok(Body::Empty);
    };
    let boundary = boundary.ok_or_else(|| ApiError::malformed(MalformedRequest::MultipartBoundary))?;
    let feed = Feed(Arc::new(Mutex::new(Fed::Chunk(first))));
    let multipart = Multipart::new(feed.clone(), boundary);
    let mut reader = PartReader { body, feed, multipart, field_bytes: 0, refused: false };
    let mut parts = Vec::new();
    let mut count = 0;
    while let Some(field) = reader.field(count + 1).await? {
        count += 1;
        if count > target.max_parts {
            return Err(ApiError::too_large(limits::PART_COUNT.with_value(target.max_parts), None));
        }
        if let Some(part) = reader.part(field, count, target).await? {
            parts.push(part);
        }
    }
    // Bytes after the last boundary are ignored, but count for the size limit of the body.
    while reader.body.next().await?.is_some() {}
    Ok(Body::Parts(parts))
}

/// Reads the parts of a multipart body.
struct PartReader<'b> {
    body: LimitedBody<'b>,
    feed: Feed,
    multipart: Multipart<'static>,
    /// The number of bytes of all fields so far.
    field_bytes: u64,
    /// `true` if a field is invalid, so that the request will be refused. Files after it are not stored.
    refused: bool,
}

impl PartReader<'_> {
    /// Returns the next part with its header fields; `None` at the end. `number` is the number of the part, which
    /// starts at 1.
    async fn field(&mut self, number: u64) -> Result<Option<Field<'static>>, ApiError> {
        let Self { body, feed, multipart, .. } = self;
        let mut between = 0;
        poll_fn(|task| {
            loop {
                if let Poll::Ready(field) = multipart.poll_next_field(task) {
                    return Poll::Ready(field.map_err(|error| malformed(&error, number)));
                }
                // All of these bytes were searched, and contain no complete header of a part.
                if between > MAX_BETWEEN {
                    return Poll::Ready(Err(ApiError::malformed(MalformedRequest::MultipartStart {
                        searched: MAX_BETWEEN,
                    })));
                }
                match feed.fill(body, task) {
                    Poll::Ready(Ok(length)) => between += length,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    /// Returns the next bytes of a part; `None` at its end.
    async fn chunk(&mut self, field: &mut Field<'static>, number: u64) -> Result<Option<Bytes>, ApiError> {
        let Self { body, feed, .. } = self;
        poll_fn(|task| {
            loop {
                if let Poll::Ready(chunk) = Pin::new(&mut *field).poll_next(task) {
                    return Poll::Ready(chunk.transpose().map_err(|error| malformed(&error, number)));
                }
                match feed.fill(body, task) {
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    /// Receives one part. Returns `None` if the user selected no file: browsers then send an empty file without a name,
    /// and form libraries an empty text.
    async fn part(
        &mut self,
        mut field: Field<'static>,
        number: u64,
        target: &MultipartTarget<'_>,
    ) -> Result<Option<BodyPart>, ApiError> {
        let MultipartTarget { plan, method, uploads, .. } = *target;
        let name = match field.name() {
            None => return Err(ApiError::malformed(MalformedRequest::MultipartName { part: number })),
            Some(name) if name.len() > MAX_NAME => {
                let error = MalformedRequest::MultipartLongName { part: number, max: MAX_NAME };
                return Err(ApiError::malformed(error));
            }
            Some(name) => name.to_owned(),
        };
        let slot = pipeline::find_parameter_of_part(method, &name);
        let accepts_file = slot.is_some_and(|slot| slot.file_limit.is_some());
        // A script in a browser can set the media type JSON of a part only if it also sets a file name (HTML standard,
        // "create an entry").
        let is_json = |mime: &mime::Mime| mime.essence_str() == mime::APPLICATION_JSON.essence_str();
        let is_value = slot.is_some() && !accepts_file && field.content_type().is_some_and(is_json);
        let Some(filename) = field.file_name().filter(|_| !is_value).map(clean_filename) else {
            let bytes = self.text(&mut field, number, &name, &plan.limits).await?;
            if accepts_file && bytes.is_empty() {
                return Ok(None);
            }
            self.refused |= pipeline::is_invalid_part(plan, method, &name, &bytes);
            return Ok(Some(BodyPart { name, content: BodyPartContent::Field(bytes) }));
        };
        let slot = slot.filter(|slot| slot.file_limit.is_some());
        let part = limits::PART_SIZE.with_value(plan.limits.part);
        let limit = slot.and_then(|slot| slot.file_limit).unwrap_or(part);
        let end = if limit == part { limit.max } else { limit.max.saturating_add(MAX_EXCESS) };
        let destination = slot.map(|slot| Destination { check: &*slot.check, refused: self.refused, uploads });
        let mut writer = UploadWriter::new(filename, destination);
        while let Some(chunk) = self.chunk(&mut field, number).await? {
            if writer.size() + chunk.len() as u64 > end {
                return Err(ApiError::too_large(limit, Some(&shorten_text(&name))));
            }
            writer.write(&chunk).await.map_err(not_stored)?;
        }
        if writer.is_unnamed_and_empty() {
            return Ok(None);
        }
        let upload = writer.finish().await.map_err(not_stored)?;
        Ok(Some(BodyPart { name, content: BodyPartContent::File(upload) }))
    }

    /// Receives the content of a part that is not a file. The limit applies to the total size of all such parts.
    async fn text(
        &mut self,
        field: &mut Field<'static>,
        number: u64,
        name: &str,
        limits: &Limits,
    ) -> Result<Bytes, ApiError> {
        let mut text = BytesMut::new();
        while let Some(chunk) = self.chunk(field, number).await? {
            self.field_bytes += chunk.len() as u64;
            if (text.len() + chunk.len()) as u64 > limits.part {
                return Err(ApiError::too_large(limits::PART_SIZE.with_value(limits.part), Some(&shorten_text(name))));
            }
            if self.field_bytes > limits.body {
                return Err(ApiError::too_large(limits::BODY_SIZE.with_value(limits.body), Some(&shorten_text(name))));
            }
            text.extend_from_slice(&chunk);
        }
        Ok(text.freeze())
    }
}

/// The stream that `multer` reads. It holds at most one chunk; the next one is added when `multer` needs more bytes.
#[derive(Clone)]
struct Feed(Arc<Mutex<Fed>>);

enum Fed {
    Nothing,
    Chunk(Bytes),
    End,
}

impl Feed {
    /// Adds the next chunk or the end of the body, and returns the length of the chunk.
    fn fill(&self, body: &mut LimitedBody<'_>, task: &mut Context<'_>) -> Poll<Result<usize, ApiError>> {
        let polled = body.poll(task);
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
        // No waker is needed: the caller of `multer` adds a chunk and polls again.
        let mut fed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *fed, Fed::Nothing) {
            Fed::Nothing => Poll::Pending,
            Fed::Chunk(bytes) => Poll::Ready(Some(Ok(bytes))),
            Fed::End => Poll::Ready(None),
        }
    }
}

/// Returns the file name that a client sent, without folders, control characters and characters that change the
/// direction of text.
fn clean_filename(name: &str) -> String {
    let name: String = visible_base_name(name).take(MAX_FILENAME).collect();
    if matches!(name.as_str(), "." | "..") { String::new() } else { name }
}

/// Returns the error for a file that cannot be stored.
fn not_stored(error: io::Error) -> ApiError {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
        _ => ErrorCode::Upload,
    };
    ApiError::plain(code).with_log(error)
}

/// Returns the error for a part that `multer` cannot read.
fn malformed(error: &Error, number: u64) -> ApiError {
    ApiError::malformed(match error {
        Error::IncompleteFieldData { .. } => MalformedRequest::MultipartEnd { part: number },
        Error::IncompleteHeaders
        | Error::ReadHeaderFailed(_)
        | Error::DecodeHeaderName { .. }
        | Error::DecodeHeaderValue { .. } => MalformedRequest::MultipartHead { part: number },
        _ => MalformedRequest::MultipartPart { part: number },
    })
}
