//! Receives multipart bodies (RFC 7578) while their bytes arrive. A field without a file name is kept in memory; a file
//! is written to a temporary file.
//!
//! The crate `multer` finds the boundaries between the parts of a body. It gets a chunk only after it has processed all
//! earlier bytes, so that memory holds at most one chunk, all fields, and a piece of one file. The crate
//! `actix-multipart` is not suitable: it reads the body directly from actix, whereas here the size and time limits are
//! applied to every chunk first, and the first chunks may have been read already to find the method.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use multer::{Error, Field, Multipart};
use rulebook_model::error::ErrorCode;
use rulebook_model::limits;
use rulebook_model::model::Limits;

use super::part_filename::part_filename;
use super::receive::LimitedBody;
use super::upload_writer::{FileDestination, UploadStorage, UploadWriter};
use crate::call::{ApiError, MalformedRequest, shorten_text};
use crate::pipeline::{self, Body, BodyPart, BodyPartContent};
use crate::plan::{Plan, PlannedMethod};

/// The maximum number of bytes between the contents of two parts: a boundary, and the header fields of the second part.
const MAX_BYTES_BETWEEN_PARTS: usize = 16 << 10;
/// The number of bytes by which a file may exceed the size limit of its parameter while it is received. A file that is
/// only slightly too long is received completely. Then the parameter's check can report the exact length together with
/// the errors of all other parameters.
const MAX_FILE_EXCESS: u64 = 64 << 10;
/// The number of bytes of memory that a part needs in addition to its name and its content.
const PART_BYTES: usize = 128;
/// The maximum length of a part's name, in bytes.
const MAX_PART_NAME_LEN: usize = 1 << 10;

/// The method for which a multipart body is received, and what is needed to receive its parts.
#[derive(Clone, Copy)]
pub(super) struct MultipartTarget<'m> {
    /// The plan that contains the method.
    pub(super) plan: &'m Plan,
    /// The method that the request calls.
    pub(super) method: &'m PlannedMethod,
    /// The maximum number of parts in the body.
    pub(super) max_parts: u64,
    /// Where uploaded files are stored.
    pub(super) upload_storage: &'m Arc<UploadStorage>,
}

/// Receives all parts of a multipart body. A file that no parameter accepts is not stored; only its length is recorded.
///
/// # Errors
/// Fails if the body exceeds a limit, is malformed or does not arrive in time, or if a file cannot be stored.
pub(super) async fn receive_parts(
    mut body: LimitedBody<'_>,
    boundary: Option<String>,
    target: &MultipartTarget<'_>,
) -> Result<Body, ApiError> {
    let Some(first) = body.next_chunk().await? else {
        return Ok(Body::Empty);
    };
    let boundary = boundary.ok_or_else(|| ApiError::malformed(MalformedRequest::MultipartBoundary))?;
    let feed = ChunkFeed(Arc::new(Mutex::new(FeedState::Chunk(first))));
    let multipart = Multipart::new(feed.clone(), boundary);
    let mut reader = PartReader { body, feed, multipart, field_bytes: 0, has_invalid_field: false };
    let mut parts = Vec::new();
    let mut count = 0;
    while let Some(field) = reader.next_part(count + 1).await? {
        count += 1;
        if count > target.max_parts {
            return Err(ApiError::too_large(limits::PART_COUNT.with_value(target.max_parts), None));
        }
        if let Some(part) = reader.receive_part(field, count, target).await? {
            parts.push(part);
        }
    }
    // Bytes after the last boundary are ignored, but they count for the size limit of the body.
    while reader.body.next_chunk().await?.is_some() {}
    Ok(Body::Parts(parts))
}

/// Reads the parts of a multipart body one after the other.
struct PartReader<'b> {
    body: LimitedBody<'b>,
    feed: ChunkFeed,
    multipart: Multipart<'static>,
    /// The total number of bytes in the fields that have been received, without files.
    field_bytes: u64,
    /// `true` if a field is invalid, so that the request will be rejected. Files after this field are not stored.
    has_invalid_field: bool,
}

impl PartReader<'_> {
    /// Reads the header fields of the next part; returns `None` after the last part. `number` is the number of the
    /// part, which starts at 1.
    async fn next_part(&mut self, number: u64) -> Result<Option<Field<'static>>, ApiError> {
        let Self { body, feed, multipart, .. } = self;
        let mut between = 0;
        poll_fn(|task| {
            loop {
                if let Poll::Ready(field) = multipart.poll_next_field(task) {
                    return Poll::Ready(field.map_err(|error| multipart_error(&error, number)));
                }
                // All of these bytes were searched, and do not contain the complete header fields of a part.
                if between > MAX_BYTES_BETWEEN_PARTS {
                    return Poll::Ready(Err(ApiError::malformed(MalformedRequest::MultipartStart {
                        searched: MAX_BYTES_BETWEEN_PARTS,
                    })));
                }
                match feed.poll_fill(body, task) {
                    Poll::Ready(Ok(length)) => between += length,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    /// Returns the next bytes of a part's content; `None` at the end of the part.
    async fn next_chunk(&mut self, field: &mut Field<'static>, number: u64) -> Result<Option<Bytes>, ApiError> {
        let Self { body, feed, .. } = self;
        poll_fn(|task| {
            loop {
                if let Poll::Ready(chunk) = Pin::new(&mut *field).poll_next(task) {
                    return Poll::Ready(chunk.transpose().map_err(|error| multipart_error(&error, number)));
                }
                match feed.poll_fill(body, task) {
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    /// Receives the content of one part. Returns `None` if the form field is for a file, but the user has selected no
    /// file: then browsers send an empty file without a name, and form libraries send an empty text.
    async fn receive_part(
        &mut self,
        mut field: Field<'static>,
        number: u64,
        target: &MultipartTarget<'_>,
    ) -> Result<Option<BodyPart>, ApiError> {
        let MultipartTarget { plan, method, upload_storage, .. } = *target;
        let (worker, client, peer) = self.body.client();
        let name = match field.name() {
            None => return Err(ApiError::malformed(MalformedRequest::MultipartName { part: number })),
            Some(name) if name.len() > MAX_PART_NAME_LEN => {
                let error = MalformedRequest::MultipartLongName { part: number, max: MAX_PART_NAME_LEN };
                return Err(ApiError::malformed(error));
            }
            Some(name) => name.to_owned(),
        };
        self.body.reserve_memory(name.len() + PART_BYTES)?;
        let slot = pipeline::find_parameter_of_part(method, &name);
        let accepts_file = slot.is_some_and(|slot| slot.file_limit.is_some());
        // A script in a browser can declare that a part is JSON only if it also sets a file name (HTML standard,
        // "create an entry"). Therefore a part with a file name may still be a value.
        let is_json = |mime: &mime::Mime| mime.essence_str() == mime::APPLICATION_JSON.essence_str();
        let is_value = slot.is_some() && !accepts_file && field.content_type().is_some_and(is_json);
        let filename = if is_value { None } else { part_filename(&field, number)? };
        let Some(filename) = filename else {
            let bytes = self.receive_field(&mut field, number, &name, &plan.limits).await?;
            if accepts_file && bytes.is_empty() {
                return Ok(None);
            }
            self.has_invalid_field |= pipeline::is_invalid_part(plan, method, &name, &bytes);
            return Ok(Some(BodyPart { name, content: BodyPartContent::Field(bytes) }));
        };
        let slot = slot.filter(|slot| slot.file_limit.is_some());
        let part = limits::PART_SIZE.with_value(plan.limits.part);
        let limit = slot.and_then(|slot| slot.file_limit).unwrap_or(part);
        let end = if limit == part { limit.max } else { limit.max.saturating_add(MAX_FILE_EXCESS) };
        let destination = slot.map(|slot| FileDestination {
            state: worker.state(),
            client,
            peer,
            check: &*slot.check,
            is_request_refused: self.has_invalid_field,
            upload_storage,
        });
        let mut writer = UploadWriter::new(filename, destination);
        while let Some(chunk) = self.next_chunk(&mut field, number).await? {
            if writer.size() + chunk.len() as u64 > end {
                return Err(ApiError::too_large(limit, Some(&shorten_text(&name))));
            }
            writer.write(&chunk).await.map_err(storage_error)?;
        }
        if writer.is_unnamed_and_empty() {
            return Ok(None);
        }
        let upload = writer.finish().await.map_err(storage_error)?;
        Ok(Some(BodyPart { name, content: BodyPartContent::File(upload) }))
    }

    /// Receives the content of a part that is not a file. `limits.part` applies to each part, `limits.body` to all such
    /// parts together.
    async fn receive_field(
        &mut self,
        field: &mut Field<'static>,
        number: u64,
        name: &str,
        limits: &Limits,
    ) -> Result<Bytes, ApiError> {
        let mut text = BytesMut::new();
        while let Some(chunk) = self.next_chunk(field, number).await? {
            self.field_bytes += chunk.len() as u64;
            if (text.len() + chunk.len()) as u64 > limits.part {
                return Err(ApiError::too_large(limits::PART_SIZE.with_value(limits.part), Some(&shorten_text(name))));
            }
            if self.field_bytes > limits.body {
                return Err(ApiError::too_large(limits::BODY_SIZE.with_value(limits.body), Some(&shorten_text(name))));
            }
            self.body.reserve_memory(chunk.len())?;
            text.extend_from_slice(&chunk);
        }
        Ok(text.freeze())
    }
}

/// The stream from which `multer` reads. It holds at most one chunk. The next chunk is added when `multer` needs more
/// bytes.
#[derive(Clone)]
struct ChunkFeed(Arc<Mutex<FeedState>>);

enum FeedState {
    Empty,
    Chunk(Bytes),
    End,
}

impl ChunkFeed {
    /// Adds the next chunk, or the end of the body, to the stream. Returns the length of the chunk.
    fn poll_fill(&self, body: &mut LimitedBody<'_>, task: &mut Context<'_>) -> Poll<Result<usize, ApiError>> {
        let polled = body.poll_next(task);
        polled.map_ok(|chunk| {
            let length = chunk.as_ref().map_or(0, Bytes::len);
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = chunk.map_or(FeedState::End, FeedState::Chunk);
            length
        })
    }
}

impl Stream for ChunkFeed {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // No waker is needed: the function that polls `multer` adds a chunk and polls again.
        let mut fed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *fed, FeedState::Empty) {
            FeedState::Empty => Poll::Pending,
            FeedState::Chunk(bytes) => Poll::Ready(Some(Ok(bytes))),
            FeedState::End => Poll::Ready(None),
        }
    }
}

/// Converts the error of storing a file to an error for the client.
fn storage_error(error: io::Error) -> ApiError {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
        // Too many files are open, or requests use too much memory.
        io::ErrorKind::ResourceBusy | io::ErrorKind::OutOfMemory => ErrorCode::Unavailable,
        _ => ErrorCode::Upload,
    };
    ApiError::plain(code).with_log(error)
}

/// Converts the error of reading a part to an error for the client. `number` is the number of the part.
fn multipart_error(error: &Error, number: u64) -> ApiError {
    ApiError::malformed(match error {
        Error::IncompleteFieldData { .. } => MalformedRequest::MultipartEnd { part: number },
        Error::IncompleteHeaders
        | Error::ReadHeaderFailed(_)
        | Error::DecodeHeaderName { .. }
        | Error::DecodeHeaderValue { .. } => MalformedRequest::MultipartHead { part: number },
        _ => MalformedRequest::MultipartPart { part: number },
    })
}
