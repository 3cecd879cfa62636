//! Replies with files: opens them, selects the part that a request asks for, reads it piece by piece, and creates
//! download links.
//!
//! What conditions and ranges mean is decided in the Rust module `transfer`. This Rust module must not depend on the
//! server.

mod links;

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::SystemTime;

use actix_rt::task::spawn_blocking;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use rulebook_model::connection_limits::OPEN_FILES;
use rulebook_model::error::ErrorCode;
use sha2::{Digest, Sha256};
use tokio::task::yield_now;

use crate::call::{ApiError, ByteStream, Content, Download, ETag, Head, RangedContent};
use crate::client_shares::{ClientShares, Share, UsedUp};
use crate::metrics::ExceededLimits;
use crate::pipeline::{ErrorContext, FileRange, FileReply, Reply, ReplyBody, respond_with_error, respond_with_link};
use crate::plan::Plan;
use crate::regular_file::{not_a_file_error, open_regular_file};
use crate::transfer::{self, FileInfo, TransferDecision, decide_transfer, etag_from_metadata};

pub(crate) use links::Links;

/// The Content Security Policy of a file. In a browser, the file must not run scripts or use the origin of the server
/// (Content Security Policy Level 3 section 6.3.2).
const FILE_POLICY: &str = "sandbox";
/// The header field with which a script in a browser requests a link to the file instead of the file itself.
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// Replies with the file that a method returned or, if the client requests this, with a link to the file.
pub(crate) async fn respond_with_file(
    plan: &Plan,
    head: &Head,
    links: &Arc<Links>,
    open_files: &OpenFiles,
    file: FileReply,
) -> Reply {
    let FileReply { method_index: method, download, status, mut headers } = file;
    let uses = download.link_uses;
    let (mut file_headers, content) = FileHeaders::split_download(*download);
    // Without `Vary`, a cache could send the file to a client that requests a link, or the link instead of the file.
    headers.push((header::VARY, HeaderValue::from_static("X-Requested-With")));
    let reply = if requests_link(head) {
        // Cookies are sent to the client that made the call, not to every client that uses the link.
        headers.extend(file_headers.fields.extract_if(.., |(name, _)| *name == header::SET_COOKIE));
        headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        let file = LinkedFile { headers: file_headers, content, uses };
        let link = links.create_link(&plan.limits, file).await;
        link.map(|link| respond_with_link(plan, head, method, status, headers, &link))
    } else {
        // If the method has set a status other than 200, the response always contains the whole file.
        let request = FileRequest { head, selects_part: status == 200, open_files };
        let opened = open_content(request, content, file_headers.info.clone()).await;
        opened.map(|opened| file_headers.into_reply(opened, status, headers))
    };
    reply.unwrap_or_else(|error| respond_with_error(plan, head, ErrorContext::Method(method), error))
}

/// Returns `true` if the client requests a link to the file. HEAD never creates a link; it gets the header fields that
/// GET would get for the file itself.
fn requests_link(head: &Head) -> bool {
    let by_script = |value: &str| value.trim().eq_ignore_ascii_case("XMLHttpRequest");
    head.method != Method::HEAD && head.get(&REQUESTED_WITH).is_some_and(by_script)
}

pub(crate) struct LinkedFile {
    pub(crate) headers: FileHeaders,
    pub(crate) content: Content,
    /// The maximum number of downloads; `None` if it is not limited.
    pub(crate) uses: Option<NonZeroU32>,
}

pub(crate) struct FileHeaders {
    pub(crate) content_type: HeaderValue,
    pub(crate) fields: Vec<(HeaderName, HeaderValue)>,
    /// The values that the method has not set are `None`.
    pub(crate) info: FileInfo,
}

impl FileHeaders {
    fn split_download(download: Download) -> (Self, Content) {
        let Download { content, name, media_type, etag, modified, length, inline, headers, .. } = download;
        let content_type = media_type.unwrap_or_else(|| transfer::media_type_by_name(name.as_deref()));
        let is_inline = inline.shows(&content_type);
        let file_fields = vec![
            (header::CONTENT_DISPOSITION, transfer::content_disposition(name.as_deref(), is_inline)),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY)),
        ];
        // For bytes and files, the actual length is used instead of a length that the method has set.
        let length = length.filter(|_| download.has_file_metadata || matches!(content, Content::Stream(_)));
        let info = FileInfo { length, accepts_ranges: false, etag, modified };
        (Self { content_type, fields: merge_fields(file_fields, headers), info }, content)
    }

    /// `status` is the HTTP status if this is the whole file. `headers` are further header fields of the reply.
    pub(crate) fn into_reply(self, opened: FilePart, status: u16, headers: Vec<(HeaderName, HeaderValue)>) -> Reply {
        let FilePart { decision, info, body } = opened;
        let (status, mut fields) = match decision {
            TransferDecision::Whole => (status, self.fields),
            TransferDecision::Part { .. } => (206, self.fields),
            TransferDecision::NotModified => (304, self.fields),
            // Only client libraries send such conditions, so that no person reads a text in the body.
            TransferDecision::PreconditionFailed => (412, Vec::new()),
            TransferDecision::OutOfRange => (416, Vec::new()),
        };
        let has_content = matches!(decision, TransferDecision::Whole | TransferDecision::Part { .. });
        if !has_content {
            fields.retain(|(name, _)| ![header::CONTENT_DISPOSITION, header::CONTENT_SECURITY_POLICY].contains(name));
        }
        let fields = merge_fields(fields, transfer::response_fields(&info, decision));
        let content_type = has_content.then_some(self.content_type);
        Reply {
            status,
            content_type,
            headers: merge_fields(headers, fields),
            body,
            is_written_for_request: false,
            code: None,
        }
    }
}

/// Merges two lists of header fields. A field in `over` replaces the fields in `base` with the same name, except
/// `Vary`, whose values are all kept.
fn merge_fields(
    mut base: Vec<(HeaderName, HeaderValue)>,
    over: Vec<(HeaderName, HeaderValue)>,
) -> Vec<(HeaderName, HeaderValue)> {
    base.retain(|(name, _)| *name == header::VARY || over.iter().all(|(other, _)| other != name));
    base.extend(over);
    base
}

/// The maximum length in bytes of a file, or a part of one, that is read into memory and sent at once: one piece. A
/// client that does not receive it holds this memory, but no open file.
pub(crate) const MAX_LEN_IN_MEMORY: u64 = PIECE_LEN;
/// The maximum number of bytes whose entity tag is computed in the thread of the worker.
const MAX_HASHED_INLINE: usize = 64 << 10;

pub(crate) struct OpenFiles {
    shares: Arc<ClientShares>,
    exceeded_limits: Arc<ExceededLimits>,
}

impl OpenFiles {
    /// Limits the files that are open for all clients and for each of them.
    pub(crate) fn new(shares: ClientShares, exceeded_limits: &Arc<ExceededLimits>) -> Self {
        Self { shares: Arc::new(shares), exceeded_limits: Arc::clone(exceeded_limits) }
    }

    /// Counts a file that is open until the returned value is dropped.
    pub(crate) fn count(&self, client: Option<IpAddr>, peer: Option<SocketAddr>) -> Result<Share, UsedUp> {
        self.shares.take(client, 1).inspect_err(|_| self.exceeded_limits.count(&OPEN_FILES, peer))
    }
}

/// The part of a file that a response contains, with the metadata of the whole file.
pub(crate) struct FilePart {
    pub(crate) decision: TransferDecision,
    pub(crate) info: FileInfo,
    pub(crate) body: ReplyBody,
}

/// `known` contains the metadata that the method has set. Slow operations run on another thread.
async fn open_content(request: FileRequest<'_>, content: Content, known: FileInfo) -> Result<FilePart, ApiError> {
    match content {
        Content::Stream(pieces) => {
            let length = known.length;
            Ok(request.part_of(known, |_, _| ReplyBody::Stream { pieces, length }))
        }
        Content::Bytes(bytes) => {
            let etag = match known.etag {
                Some(etag) => etag,
                None if bytes.len() <= MAX_HASHED_INLINE => content_etag(&bytes),
                None => {
                    let bytes = bytes.clone();
                    on_other_thread(move || Ok(content_etag(&bytes))).await.map_err(|error| cannot_send(&error))?
                }
            };
            Ok(request.part_of_bytes(&bytes, FileInfo { etag: Some(etag), ..known }))
        }
        Content::Ranged(content) => Ok(request.part_of_ranged(&content, known)),
        Content::Path(path) => {
            let file = on_other_thread(move || open_regular_file(&path)).await.map_err(|error| cannot_send(&error))?;
            request.part_of_file(file, known).await
        }
        Content::File(file) => request.part_of_file(file, known).await,
    }
}

fn content_etag(bytes: &[u8]) -> ETag {
    ETag::strong(hex::encode(&Sha256::digest(bytes)[..16]))
}

fn cannot_send(error: &io::Error) -> ApiError {
    ApiError::internal(format_args!("the file cannot be sent: {error}"))
}

/// Runs a slow operation on another thread, so that the worker can handle other requests.
pub(crate) async fn on_other_thread<T: Send + 'static>(
    run: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(run).await.map_err(io::Error::other)?
}

pub(crate) struct FileRequest<'r> {
    pub(crate) head: &'r Head,
    /// `true` if the conditions and the range of the request select the part of the file. If it is `false`, the
    /// response always contains the whole file.
    pub(crate) selects_part: bool,
    pub(crate) open_files: &'r OpenFiles,
}

impl FileRequest<'_> {
    /// Returns the offset and the length of the part; `None` if the response has no content.
    fn decide_part(&self, info: &FileInfo) -> (TransferDecision, Option<(u64, u64)>) {
        let decision = if self.selects_part {
            decide_transfer(self.head, info, SystemTime::now())
        } else {
            TransferDecision::Whole
        };
        let part = match decision {
            TransferDecision::Whole => Some((0, info.length.unwrap_or_default())),
            TransferDecision::Part { from, length } => Some((from, length)),
            _ => None,
        };
        (decision, part)
    }

    /// `body` returns the body for an offset and a length.
    fn part_of(&self, info: FileInfo, body: impl FnOnce(u64, u64) -> ReplyBody) -> FilePart {
        let (decision, part) = self.decide_part(&info);
        let body = part.map_or_else(ReplyBody::empty, |(from, length)| body(from, length));
        FilePart { decision, info, body }
    }

    /// Selects the part of a content in another storage, so that only this part is requested from the storage.
    pub(crate) fn part_of_ranged(&self, content: &RangedContent, known: FileInfo) -> FilePart {
        let info = FileInfo { length: Some(content.length()), accepts_ranges: true, ..known };
        self.part_of(info, |from, length| {
            let pieces = content.stream(from..from + length);
            ReplyBody::Stream { pieces, length: Some(length) }
        })
    }

    fn part_of_bytes(&self, bytes: &Bytes, known: FileInfo) -> FilePart {
        let info = FileInfo { length: Some(bytes.len() as u64), accepts_ranges: true, ..known };
        // The part lies within `bytes`, so that its offsets fit into `usize`.
        self.part_of(info, |from, length| bytes.slice(from as usize..(from + length) as usize).into())
    }

    /// `known` contains the metadata that have been set already.
    pub(crate) async fn part_of_file(&self, file: File, known: FileInfo) -> Result<FilePart, ApiError> {
        if known.length.is_some() {
            // The file store has already read the metadata of the file.
            return self.part_of_file_from(0, file, FileInfo { accepts_ranges: true, ..known }).await;
        }
        // The file has just been opened, so that its metadata are in memory and reading them does not block.
        let kind = file.metadata().map_err(|error| cannot_send(&error))?;
        if !kind.is_file() {
            return Err(cannot_send(&not_a_file_error()));
        }
        let modified = known.modified.or_else(|| kind.modified().ok());
        let etag = known.etag.or_else(|| etag_from_metadata(&kind, SystemTime::now()));
        self.part_of_file_from(0, file, FileInfo { length: Some(kind.len()), accepts_ranges: true, etag, modified })
            .await
    }

    /// The content begins at the offset `start` of the open file, and `info` describes the content.
    pub(crate) async fn part_of_file_from(&self, start: u64, file: File, info: FileInfo) -> Result<FilePart, ApiError> {
        let (decision, part) = self.decide_part(&info);
        let Some((from, length)) = part else { return Ok(FilePart { decision, info, body: ReplyBody::empty() }) };
        let offset = start + from;
        let body = if length <= MAX_LEN_IN_MEMORY {
            read_piece(&Arc::new(file), offset, length, BytesMut::new())
                .await
                .map_err(|error| cannot_send(&error))?
                .into()
        } else {
            let share = self.open_files.count(self.head.client, self.head.peer);
            let share = share.map_err(|UsedUp| ApiError::plain(ErrorCode::Unavailable))?;
            ReplyBody::File(Box::new(FileRange { file, offset, length, share: Some(share) }))
        };
        Ok(FilePart { decision, info, body })
    }
}

/// The number of bytes of a file that are read at once. Only the last piece of a file may be shorter. A connection
/// keeps a piece and a copy of it as long as its client does not receive.
pub(crate) const PIECE_LEN: u64 = 32 << 10;

/// Returns the bytes in a range of a file as a stream, which does not use the read position of the open file.
pub(crate) fn stream_file(range: FileRange) -> ByteStream {
    let FileRange { file, offset, length, share } = range;
    // The file counts as open until the stream ends.
    let begin = (Arc::new(file), offset, length, Bytes::new(), share);
    Box::pin(stream::try_unfold(begin, |(file, offset, remaining, sent, share)| async move {
        if remaining == 0 {
            return Ok(None);
        }
        // Other tasks run before each piece. Otherwise, a client that receives as fast as the worker reads would
        // prevent the worker from handling other requests.
        yield_now().await;
        let length = remaining.min(PIECE_LEN);
        // The memory of a piece that has been sent is used again: new memory has to be cleared by the system.
        let memory = sent.try_into_mut().unwrap_or_default();
        let piece = read_piece(&file, offset, length, memory).await?;
        Ok(Some((piece.clone(), (file, offset + length, remaining - length, piece, share))))
    }))
}

/// `length` is at most [`PIECE_LEN`].
async fn read_piece(file: &Arc<File>, offset: u64, length: u64, mut buffer: BytesMut) -> io::Result<Bytes> {
    // The length is at most `PIECE_LEN`, so that it fits into `usize`.
    buffer.resize(length as usize, 0);
    let read = read_cached_bytes(file, offset, &mut buffer);
    if read == buffer.len() {
        return Ok(buffer.freeze());
    }
    let file = Arc::clone(file);
    let reading = spawn_blocking(move || {
        read_exact_at(&file, offset + read as u64, &mut buffer[read..])?;
        Ok(buffer.freeze())
    });
    reading.await.map_err(io::Error::other)?
}

/// Reads bytes at the file offset `at` that are in the page cache, and returns their number. The number is less than
/// the length of the buffer if some bytes are not in the page cache, if the file ends, or if the operating system or
/// the file system cannot read from the page cache only. The caller then reads the missing bytes on another thread.
#[cfg(target_os = "linux")]
fn read_cached_bytes(file: &File, at: u64, buffer: &mut [u8]) -> usize {
    use rustix::io::{ReadWriteFlags, preadv2};
    preadv2(file, &mut [io::IoSliceMut::new(buffer)], at, ReadWriteFlags::NOWAIT).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn read_cached_bytes(_: &File, _: u64, _: &mut [u8]) -> usize {
    0
}

fn read_exact_at(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<()> {
    #[cfg(unix)]
    let read = std::os::unix::fs::FileExt::read_exact_at(file, buffer, at);
    #[cfg(not(unix))]
    let read = {
        use io::{Read, Seek};
        let mut file = file;
        file.seek(io::SeekFrom::Start(at)).and_then(|_| file.read_exact(buffer))
    };
    read.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the file has become shorter"),
        _ => error,
    })
}
