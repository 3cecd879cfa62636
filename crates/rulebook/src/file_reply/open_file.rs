//! Opens a file for a response, and selects the part of the file that the request asks for.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use actix_rt::task::spawn_blocking;
use bytes::{Bytes, BytesMut};
use rulebook_model::connection_limits::OPEN_FILES;
use rulebook_model::error::ErrorCode;
use sha2::{Digest, Sha256};

use super::file_stream::{PIECE_LEN, read_piece};
use crate::call::{ApiError, Content, ETag, Head, RangedContent};
use crate::client_shares::{ClientShares, Share, UsedUp};
use crate::metrics::ExceededLimits;
use crate::pipeline::{FileRange, ReplyBody};
use crate::regular_file::{not_a_file_error, open_regular_file};
use crate::transfer::{FileInfo, TransferDecision, decide_transfer, etag_from_metadata};

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
    /// Which bytes of the file the response contains, or the reason why it contains none.
    pub(crate) decision: TransferDecision,
    /// The length, entity tag and modification time of the whole file.
    pub(crate) info: FileInfo,
    pub(crate) body: ReplyBody,
}

/// Opens the content of a file, and selects the part that the request asks for. `known` contains the length, entity tag
/// and modification time that the method has set. Slow operations run on another thread.
pub(crate) async fn open_content(
    request: FileRequest<'_>,
    content: Content,
    known: FileInfo,
) -> Result<FilePart, ApiError> {
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

pub(crate) fn cannot_send(error: &io::Error) -> ApiError {
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
    /// Decides which part of a file the response contains. Returns the offset and the length of this part; `None` if
    /// the response has no content.
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

    /// Selects the part of a content. `body` returns the body for an offset and a length.
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

    /// Selects the part of an open file. `known` contains the metadata that have been set already.
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

    /// Selects the part of a file's content. The content begins at the offset `start` of the open file, and `info`
    /// describes the content.
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
