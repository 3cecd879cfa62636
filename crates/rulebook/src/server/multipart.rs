//! Receives multipart bodies (RFC 7578) while their bytes arrive. A field without a file name is kept in memory, and so
//! is a short file; any other file is written to a temporary file.
//!
//! The crate `actix-multipart` finds the parts. It does not read from the connection itself: the limits on size and
//! time are applied to every chunk first, and the first chunks may have been read already to find the method. The crate
//! gets a chunk only when it needs more bytes, so that memory holds few chunks, the crate's buffer of 64 KiB, all
//! fields, and a piece of one file.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, ready};

use actix_multipart::{Field, MultipartError};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition, DispositionParam, HeaderValue};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::{StreamExt, stream};
use rulebook_model::limits;
use rulebook_model::model::Limits;

use super::file_body::{max_received_size, storage_error, stored_filename};
use super::receive::LimitedBody;
use super::upload_writer::UploadWriter;
use crate::call::{ApiError, MalformedRequest, shorten_text};
use crate::handler::BodyAccess;
use crate::multipart::{BodyPart, BodyPartContent};
use crate::pipeline::{self, Body};
use crate::plan::{Plan, PlannedMethod};

/// The maximum number of bytes between the contents of two parts: a boundary, and the header fields of the second part.
const MAX_BYTES_BETWEEN_PARTS: usize = 16 << 10;
/// The number of bytes of memory that a part needs in addition to its name and its content.
const PART_BYTES: usize = 128;
/// The maximum length of a part's name, in bytes.
const MAX_PART_NAME_LEN: usize = 1 << 10;

/// The method for which a multipart body is received, and what is needed to receive its parts.
#[derive(Clone, Copy)]
pub(super) struct MultipartTarget<'m> {
    pub(super) plan: &'m Plan,
    pub(super) method: &'m PlannedMethod,
    pub(super) max_parts: u64,
}

/// Receives all parts of a multipart body. A file that no parameter accepts is not stored, unless the handler reads all
/// parts; only its length is recorded.
pub(super) async fn receive_parts(
    mut body: LimitedBody<'_>,
    boundary: Option<String>,
    target: &MultipartTarget<'_>,
) -> Result<Body, ApiError> {
    let Some(mut first) = body.next_chunk().await? else {
        return Ok(Body::Empty);
    };
    let boundary = boundary.ok_or_else(|| ApiError::malformed(MalformedRequest::MultipartBoundary))?;
    let delimiter = format!("--{boundary}");
    while first.len() < delimiter.len() + 2 {
        let Some(second) = body.next_chunk().await? else { break };
        first = [first, second].concat().into();
    }
    // The parser ignores a boundary with blanks behind it, as it ignores all text before the first part. Then the body
    // would lose its first part without an error.
    if first
        .strip_prefix(delimiter.as_bytes())
        .is_some_and(|rest| !rest.starts_with(b"\r\n") && !rest.starts_with(b"--"))
    {
        return Err(ApiError::malformed(MalformedRequest::MultipartPart { part: 1 }));
    }
    let next_chunk = Rc::new(Cell::new(Poll::Ready(Some(first))));
    let chunks = Rc::clone(&next_chunk);
    // No waker is needed: the function that polls the parser adds a chunk and polls again.
    let chunks = stream::poll_fn(move |_| chunks.replace(Poll::Pending).map(|chunk| chunk.map(Ok)));
    let mut parser = pipeline::multipart_parser(&boundary, chunks);
    let mut reader = PartReader {
        body,
        next_chunk,
        field_bytes: 0,
        memory_for_files: target.plan.limits.body,
        has_invalid_field: false,
    };
    let mut parts = Vec::new();
    let mut number = 1;
    while let Some(field) = reader.next(&mut parser, number, MalformedRequest::MultipartPart { part: number }).await? {
        if number > target.max_parts {
            return Err(ApiError::too_large(limits::PART_COUNT.with_value(target.max_parts), None));
        }
        if let Some(part) = reader.receive_part(field, number, target).await? {
            parts.push(part);
        }
        number += 1;
    }
    // Bytes after the last boundary are ignored, but they count for the size limit of the body.
    while reader.body.next_chunk().await?.is_some() {}
    Ok(Body::Parts(parts))
}

struct PartReader<'b> {
    body: LimitedBody<'b>,
    /// The chunk that the parser reads next, or `None` at the end of the body; pending after the parser has read it.
    next_chunk: Rc<Cell<Poll<Option<Bytes>>>>,
    /// The total number of bytes in the fields that have been received, without files.
    field_bytes: u64,
    /// The number of bytes that files in memory may still have, together at most the limit `body`.
    memory_for_files: u64,
    /// `true` if a field is invalid, so that the request will be rejected. Files after this field are not stored.
    has_invalid_field: bool,
}

impl PartReader<'_> {
    /// Returns the next item of the parser: a part, or the next bytes of a part; `None` after the last one. `number` is
    /// the number of the part, which starts at 1. `at_end` is the error if the body ends before the item.
    async fn next<T>(
        &mut self,
        parser: &mut (impl Stream<Item = Result<T, MultipartError>> + Unpin),
        number: u64,
        at_end: MalformedRequest,
    ) -> Result<Option<T>, ApiError> {
        let mut searched = 0;
        let next = poll_fn(|task| {
            loop {
                if let Poll::Ready(item) = parser.poll_next_unpin(task) {
                    return Poll::Ready(Ok(item));
                }
                // All of these bytes were searched, and do not contain the complete header fields of a part.
                if searched > MAX_BYTES_BETWEEN_PARTS {
                    return Poll::Ready(Err(ApiError::malformed(too_long_start())));
                }
                let chunk = ready!(self.body.poll_next(task))?;
                // The end counts too, so that this loop certainly ends.
                searched += chunk.as_ref().map_or(1, Bytes::len);
                self.next_chunk.set(Poll::Ready(chunk));
            }
        });
        next.await?.transpose().map_err(|error| ApiError::malformed(multipart_error(&error, number, at_end)))
    }

    /// Returns the next bytes of a part's content; `None` at the end of the part.
    async fn next_chunk(&mut self, field: &mut Field, number: u64) -> Result<Option<Bytes>, ApiError> {
        self.next(field, number, MalformedRequest::MultipartEnd { part: number }).await
    }

    /// Receives the content of one part. Returns `None` if the form field is for a file, but the user has selected no
    /// file: then browsers send an empty file without a name, and form libraries send an empty text. A handler that
    /// reads all parts gets this empty file.
    async fn receive_part(
        &mut self,
        mut field: Field,
        number: u64,
        target: &MultipartTarget<'_>,
    ) -> Result<Option<BodyPart>, ApiError> {
        let MultipartTarget { plan, method, .. } = *target;
        let name = field.name().unwrap_or_default().to_owned();
        if name.len() > MAX_PART_NAME_LEN {
            let error = MalformedRequest::MultipartLongName { part: number, max: MAX_PART_NAME_LEN };
            return Err(ApiError::malformed(error));
        }
        self.body.reserve_memory(name.len() + PART_BYTES)?;
        let slot = pipeline::find_parameter_of_part(method, &name);
        let accepts_file = slot.is_some_and(|slot| slot.file_limit.is_some());
        let reads_all = method.action.body_access() == BodyAccess::Any;
        // A script in a browser can declare that a part is JSON only if it also sets a file name (HTML standard,
        // "create an entry"). Therefore a part with a file name may still be a value.
        let is_json = |mime: &mime::Mime| mime.essence_str() == mime::APPLICATION_JSON.essence_str();
        let is_value = !reads_all && slot.is_some() && !accepts_file && field.content_type().is_some_and(is_json);
        let is_other = reads_all && !accepts_file;
        let to_filename = if is_other { str::to_owned } else { stored_filename };
        let filename = if is_value { None } else { part_filename(&field, number, to_filename)? };
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
        let end = max_received_size(limit, &plan.limits);
        // The handler also gets a file without a name, which the check would not accept.
        let check = slot.filter(|_| !reads_all || !filename.is_empty()).map(|slot| &*slot.check);
        let is_stored = slot.is_some() || reads_all;
        let destination = is_stored.then(|| self.body.file_destination(check, self.has_invalid_field));
        let mut writer = UploadWriter::new(filename, destination);
        while let Some(chunk) = self.next_chunk(&mut field, number).await? {
            if writer.size() + chunk.len() as u64 > end {
                return Err(ApiError::too_large(limit, Some(&shorten_text(&name))));
            }
            writer.write(&chunk).await.map_err(storage_error)?;
        }
        let is_unselected = writer.is_unnamed_and_empty();
        if is_unselected && !reads_all {
            return Ok(None);
        }
        let upload = writer.finish(self.memory_for_files).await.map_err(storage_error)?;
        if let Some(bytes) = upload.bytes() {
            self.memory_for_files -= bytes.len() as u64;
            self.body.reserve_memory(bytes.len())?;
        }
        if !is_other && !is_unselected {
            return Ok(Some(BodyPart { name, content: BodyPartContent::File(upload) }));
        }
        let media_type = field.content_type().map(|media_type| media_type.as_ref().into());
        Ok(Some(BodyPart { name, content: BodyPartContent::OtherFile { upload, media_type } }))
    }

    /// Receives the content of a part that is not a file. `limits.part` applies to each part, `limits.body` to all such
    /// parts together.
    async fn receive_field(
        &mut self,
        field: &mut Field,
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

/// Returns the file name of a part, converted by `convert`; `None` if the part is not a file. `number` is the number of
/// the part, which starts at 1.
///
/// # Errors
/// Fails if the name is only in the parameter `filename*`, which is not allowed in multipart bodies (RFC 7578 section
/// 4.2). Such a file must not become a text.
fn part_filename(field: &Field, number: u64, convert: fn(&str) -> String) -> Result<Option<String>, ApiError> {
    let with_backslashes = with_literal_backslashes(field);
    let Some(disposition) = with_backslashes.as_ref().or(field.content_disposition()) else { return Ok(None) };
    let is_extended = |parameter: &DispositionParam| {
        matches!(parameter, DispositionParam::FilenameExt(_) | DispositionParam::UnknownExt(..))
    };
    match disposition.get_filename() {
        Some(name) => Ok(Some(convert(name))),
        None if disposition.parameters.iter().any(is_extended) => {
            Err(ApiError::malformed(MalformedRequest::MultipartHead { part: number }))
        }
        None => Ok(None),
    }
}

/// Returns the disposition of a part that has a backslash before a character other than a quote or a backslash.
/// Browsers do not escape backslashes (HTML, section 4.10.21.8), so that it is one in a file name of Windows. `None` if
/// there is no such backslash.
fn with_literal_backslashes(field: &Field) -> Option<ContentDisposition> {
    let raw = field.headers().get(CONTENT_DISPOSITION)?.as_bytes();
    let (mut text, mut rest, mut is_changed) = (Vec::with_capacity(raw.len()), raw, false);
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let is_escape = matches!(rest.get(at + 1), Some(b'"' | b'\\'));
        text.extend_from_slice(&rest[..=at]);
        text.push(if is_escape { rest[at + 1] } else { b'\\' });
        is_changed |= !is_escape;
        rest = &rest[at + 1 + usize::from(is_escape)..];
    }
    text.extend_from_slice(rest);
    let value = HeaderValue::from_bytes(&text).ok().filter(|_| is_changed)?;
    ContentDisposition::from_raw(&value).ok()
}

/// Returns the error for a client that sends too many bytes before a part.
fn too_long_start() -> MalformedRequest {
    MalformedRequest::MultipartStart { searched: MAX_BYTES_BETWEEN_PARTS }
}

/// Converts the error of reading a part to an error for the client. `number` is the number of the part, and `at_end` is
/// the error if the body ended too early.
fn multipart_error(error: &MultipartError, number: u64, at_end: MalformedRequest) -> MalformedRequest {
    match error {
        MultipartError::Incomplete => at_end,
        // The buffer of the parser is full.
        MultipartError::Payload(PayloadError::Overflow) => too_long_start(),
        MultipartError::ContentDispositionNameMissing => MalformedRequest::MultipartName { part: number },
        // The length of a part is not a number if the error is `Payload`.
        MultipartError::ContentDispositionMissing
        | MultipartError::Nested
        | MultipartError::Parse(_)
        | MultipartError::Payload(_) => MalformedRequest::MultipartHead { part: number },
        _ => MalformedRequest::MultipartPart { part: number },
    }
}
