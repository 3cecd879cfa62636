//! Receives uploaded files: bodies that are a file, such as an image, and multipart bodies (RFC 7578), while their
//! bytes arrive. A field without a file name is kept in memory, and so is a short file; any other file is written to a
//! temporary file.
//!
//! The crate `actix-multipart` finds the parts. It does not read from the connection itself: the limits on size and
//! time are applied to every chunk first, and the first chunks may have been read already to find the method. The crate
//! gets a chunk only when it needs more bytes, so that memory holds few chunks, the crate's buffer of 64 KiB, all
//! fields, and a piece of one file.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::task::{Poll, ready};

use actix_multipart::{Field, MultipartError};
use actix_rt::task::{JoinHandle, spawn_blocking};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition, DispositionParam, HeaderValue};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::{StreamExt, stream};
use rulebook_model::connection_limits::REQUEST_MEMORY;
use rulebook_model::error::ErrorCode;
use rulebook_model::filename::visible_base_name;
use rulebook_model::limits;
use rulebook_model::model::Limits;
use rulebook_model::types::Check;
use tempfile::{NamedTempFile, TempPath};

use super::receive::{LimitedBody, ReservedMemory};
use super::state::ServerState;
use crate::call::{ApiError, Head, Limit, MalformedRequest, TemporaryFiles, Upload, UploadContent, shorten_text};
use crate::client_shares::{Share, UsedUp};
use crate::handler::BodyAccess;
use crate::multipart::{BodyPart, BodyPartContent};
use crate::pipeline::{self, Body};
use crate::plan::{BodyUse, Plan, PlannedMethod};
use crate::store::{LazyStore, Writer};
use crate::transfer::detect_media_type;

/// A boundary, and the header fields of the second part.
const MAX_BYTES_BETWEEN_PARTS: usize = 16 << 10;
/// Memory that a part needs in addition to its name and its content.
const PART_BYTES: usize = 128;
/// In bytes.
const MAX_PART_NAME_LEN: usize = 1 << 10;

#[derive(Clone, Copy)]
pub(super) struct MultipartTarget<'m> {
    pub(super) plan: &'m Plan,
    pub(super) method: &'m PlannedMethod,
    pub(super) max_parts: u64,
}

/// A file that no parameter accepts is not stored, unless the handler reads all parts.
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
    /// `None` at the end of the body; pending after the parser has read it.
    next_chunk: Rc<Cell<Poll<Option<Bytes>>>>,
    /// The bytes of all fields so far, without files.
    field_bytes: u64,
    /// Together at most the limit `body`.
    memory_for_files: u64,
    /// The request will be rejected, so that files after the field are not stored.
    has_invalid_field: bool,
}

impl PartReader<'_> {
    /// Returns a part, or the next bytes of one; `None` after the last one. Parts are numbered from 1. `at_end` is the
    /// error if the body ends before.
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

    async fn next_chunk(&mut self, field: &mut Field, number: u64) -> Result<Option<Bytes>, ApiError> {
        self.next(field, number, MalformedRequest::MultipartEnd { part: number }).await
    }

    /// `None` if the user has selected no file: browsers then send an empty file without a name, and form libraries an
    /// empty text. A handler that reads all parts gets this empty file.
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
            if writer.size + chunk.len() as u64 > end {
                return Err(ApiError::too_large(limit, Some(&shorten_text(&name))));
            }
            writer.write(&chunk).await.map_err(storage_error)?;
        }
        // A browser sends such a file if the user selected none.
        let is_unselected = writer.filename.is_empty() && writer.size == 0;
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

    /// `limits.part` applies to each part, `limits.body` to all such parts together.
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

/// `None` if the part is not a file. Fails if the name is only in `filename*`, which is not allowed in multipart bodies
/// (RFC 7578 section 4.2): such a file must not become a text.
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

/// Browsers do not escape backslashes (HTML, section 4.10.21.8), so that one before a character other than a quote or a
/// backslash is in a file name of Windows. `None` if there is no such backslash.
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

fn too_long_start() -> MalformedRequest {
    MalformedRequest::MultipartStart { searched: MAX_BYTES_BETWEEN_PARTS }
}

/// `at_end` is the error if the body ended too early.
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

/// The bytes by which a file may exceed its size limit while it is received: then the check of the parameter can report
/// the exact length together with the errors of all other parameters.
const MAX_FILE_EXCESS: u64 = 64 << 10;
/// In characters. A longer name is truncated.
const MAX_FILENAME_CHARS: usize = 255;
const DEFAULT_FILENAME: &str = "file";

/// An empty body is no file.
pub(super) async fn receive_file(
    mut body: LimitedBody<'_>,
    head: &Head,
    plan: &Plan,
    method: &PlannedMethod,
) -> Result<Body, ApiError> {
    let BodyUse::Raw(slot) = method.body_use else { return Ok(Body::Empty) };
    let destination = body.file_destination(Some(&*method.parameters[slot].check), false);
    let mut writer = UploadWriter::new(body_filename(head), Some(destination));
    while let Some(chunk) = body.next_chunk().await? {
        writer.write(&chunk).await.map_err(storage_error)?;
    }
    if writer.size == 0 {
        return Ok(Body::Empty);
    }
    let upload = writer.finish(plan.limits.body).await.map_err(storage_error)?;
    body.reserve_memory(upload.bytes().map_or(0, <[u8]>::len))?;
    Ok(Body::File(upload))
}

pub(super) fn max_received_size(limit: Limit, limits: &Limits) -> u64 {
    let is_general = limit == limits::PART_SIZE.with_value(limits.part);
    if is_general { limit.max } else { limit.max.saturating_add(MAX_FILE_EXCESS) }
}

/// `filename*` precedes `filename` (RFC 6266 section 4.3).
fn body_filename(head: &Head) -> String {
    let value = head.header_values(http::header::CONTENT_DISPOSITION.as_str()).next();
    let value = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
    let disposition = value.and_then(|value| ContentDisposition::from_raw(&value).ok());
    let parameters = disposition.map(|disposition| disposition.parameters).unwrap_or_default();
    let extended = parameters.iter().find_map(DispositionParam::as_filename_ext);
    let extended = extended.and_then(|name| std::str::from_utf8(&name.value).ok());
    let name = extended.or_else(|| parameters.iter().find_map(DispositionParam::as_filename));
    name.map(stored_filename).filter(|name| !name.is_empty()).unwrap_or_else(|| DEFAULT_FILENAME.to_owned())
}

/// Returns the name of a file without folders, control characters, and characters that change the direction of text.
/// Browsers send a quote as `%22` (HTML, section 4.10.21.8).
fn stored_filename(name: &str) -> String {
    let name: String = visible_base_name(&name.replace("%22", "\"")).take(MAX_FILENAME_CHARS).collect();
    if matches!(name.as_str(), "." | "..") { String::new() } else { name }
}

fn storage_error(error: io::Error) -> ApiError {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
        // Too many files are open, or requests use too much memory.
        io::ErrorKind::ResourceBusy | io::ErrorKind::OutOfMemory => ErrorCode::Unavailable,
        _ => ErrorCode::Upload,
    };
    ApiError::plain(code).with_log(error)
}

/// The bytes that are written at once. A shorter file is created and written in one step.
const PIECE_LEN: usize = 256 << 10;
/// There must be memory for such a piece. If many clients send files, longer pieces get no memory.
const MIN_PIECE_LEN: usize = 16 << 10;

/// Creating and removing a file costs more processor time than receiving this many bytes.
const MAX_LEN_IN_MEMORY: usize = 16 << 10;

/// Allocating memory takes longer than writing to it.
const MAX_SPARE_BUFFERS: usize = 4;

thread_local! {
    static SPARE_BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

fn take_buffer() -> Vec<u8> {
    SPARE_BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default()
}

fn keep_buffer(mut buffer: Vec<u8>) {
    buffer.clear();
    SPARE_BUFFERS.with_borrow_mut(|spare| {
        if spare.len() < MAX_SPARE_BUFFERS && buffer.capacity() >= PIECE_LEN {
            spare.push(buffer);
        }
    });
}

#[derive(Debug, Clone)]
pub(super) enum UploadStorage {
    Folder(PathBuf),
    /// In the program's file store, a handler can publish them without copying. The hash is computed while a file is
    /// written.
    Store(Arc<LazyStore>),
}

impl TemporaryFiles for UploadStorage {
    fn create(&self, content: &[u8]) -> io::Result<TempPath> {
        match WritableFile::append_piece(None, self, content)? {
            WritableFile::Temporary(file) => Ok(file.into_temp_path()),
            WritableFile::Stored(writer) => Ok(writer.into_temporary_file()?),
        }
    }
}

/// Writes an uploaded file, unless the check of its parameter is certain to reject it. Dropping the writer deletes the
/// file.
///
/// While one piece is written on another thread, the bytes of the next piece are collected. So memory holds at most two
/// pieces of a file, and receiving the body waits for the disk only if the disk is slower than the client.
struct UploadWriter<'m> {
    filename: String,
    /// `None` if the file is not stored: only its length and media type are determined.
    destination: Option<FileDestination<'m>>,
    /// `None` before the first piece. The task owns the file, so that it is removed even if the request is dropped.
    piece_in_progress: Option<JoinHandle<io::Result<WrittenPiece>>>,
    next_piece: Vec<u8>,
    memory: ReservedMemory,
    /// Counts the file while it is open between two pieces.
    open_file: Option<Share>,
    size: u64,
    media_type: Option<&'static str>,
}

#[derive(Clone, Copy)]
pub(super) struct FileDestination<'m> {
    pub(super) state: &'m ServerState,
    pub(super) client: Option<IpAddr>,
    /// For the log: from where the connection of the client comes.
    pub(super) peer: Option<SocketAddr>,
    /// `None` if the file is for the handler.
    pub(super) check: Option<&'m dyn Check>,
    /// An earlier part of the body is invalid.
    pub(super) is_request_refused: bool,
    pub(super) upload_storage: &'m Arc<UploadStorage>,
}

/// The buffer is empty again.
type WrittenPiece = (WritableFile, Vec<u8>);

enum WritableFile {
    Temporary(NamedTempFile),
    Stored(Box<Writer>),
}

impl WritableFile {
    fn create_file(upload_storage: &UploadStorage) -> io::Result<Self> {
        match upload_storage {
            UploadStorage::Folder(folder) => {
                tempfile::Builder::new().prefix("rulebook-").tempfile_in(folder).map(Self::Temporary)
            }
            UploadStorage::Store(folder) => {
                let writer = folder.store().and_then(|store| store.writer(u64::MAX));
                Ok(Self::Stored(Box::new(writer?)))
            }
        }
    }

    /// Creates the file first if `file` is `None`.
    fn append_piece(file: Option<Self>, upload_storage: &UploadStorage, piece: &[u8]) -> io::Result<Self> {
        let mut file = file.map_or_else(|| Self::create_file(upload_storage), Ok)?;
        match &mut file {
            Self::Temporary(file) => file.write_all(piece)?,
            Self::Stored(writer) => writer.write(piece)?,
        }
        Ok(file)
    }
}

impl<'m> UploadWriter<'m> {
    pub(super) fn new(filename: String, destination: Option<FileDestination<'m>>) -> Self {
        Self {
            filename,
            destination,
            piece_in_progress: None,
            next_piece: take_buffer(),
            memory: ReservedMemory::default(),
            open_file: None,
            size: 0,
            media_type: None,
        }
    }

    /// Each complete piece is written on another thread. Fails with [`io::ErrorKind::ResourceBusy`] if too many files
    /// are open, with [`io::ErrorKind::OutOfMemory`] if requests use too much memory, or if a piece could not be
    /// written.
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        if self.destination.is_none() && self.media_type.is_some() {
            return Ok(());
        }
        loop {
            let max = self.reserve_piece(self.next_piece.len() + bytes.len())?;
            let fitting = bytes.len().min(max.saturating_sub(self.next_piece.len()));
            self.next_piece.extend_from_slice(&bytes[..fitting]);
            bytes = &bytes[fitting..];
            if bytes.is_empty() {
                return Ok(());
            }
            self.start_writing().await?;
        }
    }

    /// Returns the length at which the piece must be written.
    fn reserve_piece(&mut self, length: usize) -> io::Result<usize> {
        let Some(FileDestination { state, client, peer, .. }) = self.destination else { return Ok(PIECE_LEN) };
        let mut reserve = |length| self.memory.grow_to(length, &state.request_memory, client);
        if reserve(length.min(PIECE_LEN)).is_ok() {
            return Ok(PIECE_LEN);
        }
        match reserve(length.min(MIN_PIECE_LEN)) {
            Ok(()) => Ok(self.next_piece.len().max(MIN_PIECE_LEN)),
            Err(UsedUp) => {
                state.exceeded_limits.count(&REQUEST_MEMORY, peer);
                Err(io::ErrorKind::OutOfMemory.into())
            }
        }
    }

    /// A short file of at most `memory` bytes stays in memory.
    pub(super) async fn finish(mut self, memory: u64) -> io::Result<Upload> {
        let media_type = self.recognise_media_type().to_owned();
        let file = self.wait_for_piece().await?.map(|(file, buffer)| {
            keep_buffer(buffer);
            file
        });
        let Self { filename, destination, next_piece, size, .. } = self;
        let Some(FileDestination { upload_storage, .. }) = destination else {
            keep_buffer(next_piece);
            return Ok(Upload::new(filename, media_type, size, UploadContent::Discarded, None));
        };
        let upload_storage = Arc::clone(upload_storage);
        if file.is_none() && next_piece.len() <= MAX_LEN_IN_MEMORY && size <= memory {
            let is_hashed = matches!(*upload_storage, UploadStorage::Store(_));
            let hash = is_hashed.then(|| blake3::hash(&next_piece).into());
            let bytes = next_piece.as_slice().to_vec();
            keep_buffer(next_piece);
            let content = UploadContent::Memory { bytes, files: upload_storage, file: OnceLock::new() };
            return Ok(Upload::new(filename, media_type, size, content, hash));
        }
        let written = spawn_blocking(move || -> io::Result<_> {
            let upload = match WritableFile::append_piece(file, &upload_storage, &next_piece)? {
                WritableFile::Temporary(file) => {
                    let content = UploadContent::File(file.into_temp_path());
                    Upload::new(filename, media_type, size, content, None)
                }
                WritableFile::Stored(writer) => writer.into_upload(filename)?,
            };
            Ok((upload, next_piece))
        });
        let (upload, buffer) = written.await.map_err(io::Error::other)??;
        keep_buffer(buffer);
        Ok(upload)
    }

    /// Waits until the previous piece has been written.
    async fn start_writing(&mut self) -> io::Result<()> {
        self.recognise_media_type();
        let Some(FileDestination { upload_storage, state, client, peer, .. }) = self.destination else {
            self.next_piece.clear();
            return Ok(());
        };
        if self.open_file.is_none() {
            let counted = state.open_files.count(client, peer);
            self.open_file = Some(counted.map_err(|UsedUp| io::ErrorKind::ResourceBusy)?);
        }
        let (file, buffer) = match self.wait_for_piece().await? {
            Some((file, buffer)) => (Some(file), buffer),
            None => (None, take_buffer()),
        };
        let mut piece = std::mem::replace(&mut self.next_piece, buffer);
        let upload_storage = Arc::clone(upload_storage);
        self.piece_in_progress = Some(spawn_blocking(move || {
            let file = WritableFile::append_piece(file, &upload_storage, &piece)?;
            piece.clear();
            Ok((file, piece))
        }));
        Ok(())
    }

    /// `None` if no piece has been written yet.
    async fn wait_for_piece(&mut self) -> io::Result<Option<WrittenPiece>> {
        match self.piece_in_progress.take() {
            Some(writing) => writing.await.map_err(io::Error::other)?.map(Some),
            None => Ok(None),
        }
    }

    /// Detects it in the first piece. A file that the check will reject is not stored.
    fn recognise_media_type(&mut self) -> &'static str {
        if let Some(known) = self.media_type {
            return known;
        }
        let media_type = detect_media_type(&self.next_piece);
        let is_accepted = |check: &dyn Check| check.accepts_file(&self.filename, media_type);
        self.destination = self.destination.filter(|it| !it.is_request_refused && it.check.is_none_or(is_accepted));
        self.media_type = Some(media_type);
        media_type
    }
}
