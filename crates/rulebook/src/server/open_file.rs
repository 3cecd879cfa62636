//! Opens a file for a response, and selects the part of it that the request asks for.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use actix_rt::task::spawn_blocking;
use bytes::Bytes;
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};

use super::file_stream::FileStream;
use crate::call::{ByteStream, Content, ETag, Head};
use crate::pipeline::ReplyBody;
use crate::transfer::{Decision, FileInfo, decide, etag_from_metadata};

/// The maximum length in bytes of a file that is read into memory and sent at once.
const MAX_LEN_IN_MEMORY: u64 = 64 << 10;

/// The part of a file that a response contains.
pub(super) struct Opened {
    /// The part, or the reason why there is no content.
    pub(super) decision: Decision,
    /// The length, entity tag and time of the whole file.
    pub(super) facts: FileInfo,
    /// The bytes of the part.
    pub(super) body: ReplyBody,
}

/// Opens the content of a file. `known` contains the length, entity tag and modification time that the method has set.
/// Slow operations run on another thread.
///
/// # Errors
/// Fails if the file cannot be opened or read.
pub(super) async fn open(request: FileRequest, content: Content, known: FileInfo) -> io::Result<Opened> {
    match content {
        Content::Stream(pieces) => Ok(request.stream(pieces, known)),
        Content::Bytes(bytes) if bytes.len() as u64 <= MAX_LEN_IN_MEMORY => Ok(request.bytes(bytes, known)),
        Content::Bytes(bytes) => on_other_thread(move || Ok(request.bytes(bytes, known))).await,
        Content::Path(path) => request.file(on_other_thread(move || open_file(&path)).await?, known).await,
        Content::File(file) => request.file(file, known).await,
    }
}

/// Runs a slow operation on another thread.
///
/// # Errors
/// Fails if the operation does, or panics.
pub(super) async fn on_other_thread<T: Send + 'static>(
    run: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(run).await.map_err(io::Error::other)?
}

/// Opens a regular file. Opening anything else, such as a pipe, could wait forever.
///
/// # Errors
/// Fails if the path is not a regular file or cannot be opened. The error names the path.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let opened = path.metadata().and_then(|kind| if kind.is_file() { File::open(path) } else { Err(not_a_file()) });
    opened.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

/// A request for a file.
pub(super) struct FileRequest {
    /// The head of the request.
    pub(super) head: Arc<Head>,
    /// The HTTP status if all of the file is sent.
    pub(super) status: u16,
}

impl FileRequest {
    /// Decides which part the response contains. If the method has set a status, this is always the whole file.
    fn decide(&self, facts: &FileInfo) -> Decision {
        if self.status == 200 { decide(&self.head, facts, SystemTime::now()) } else { Decision::Whole }
    }

    fn stream(&self, pieces: ByteStream, facts: FileInfo) -> Opened {
        let decision = self.decide(&facts);
        let body = match decision {
            Decision::Whole => ReplyBody::Stream { pieces, length: facts.length },
            _ => ReplyBody::empty(),
        };
        Opened { decision, facts, body }
    }

    fn bytes(&self, bytes: Bytes, known: FileInfo) -> Opened {
        let etag = known.etag.unwrap_or_else(|| ETag::strong(hex::encode(&Sha256::digest(&bytes)[..16])));
        let facts = FileInfo { length: Some(bytes.len() as u64), accepts_ranges: true, etag: Some(etag), ..known };
        let decision = self.decide(&facts);
        let body = match decision {
            Decision::Whole => bytes,
            // The part is within the length of the bytes.
            Decision::Part { from, length } => bytes.slice(from as usize..(from + length) as usize),
            _ => Bytes::new(),
        };
        Opened { decision, facts, body: body.into() }
    }

    /// Selects the part of an open file.
    ///
    /// # Errors
    /// Fails if the file is not a regular file or cannot be read.
    pub(super) async fn file(&self, file: File, known: FileInfo) -> io::Result<Opened> {
        if known.length.is_some() {
            // The store has already read the metadata of the file.
            return self.file_from(0, file, FileInfo { accepts_ranges: true, ..known }).await;
        }
        // The file has just been opened, so that its metadata is in memory and reading it does not block.
        let kind = file.metadata()?;
        if !kind.is_file() {
            return Err(not_a_file());
        }
        let modified = known.modified.or_else(|| kind.modified().ok());
        let etag = known.etag.or_else(|| etag_from_metadata(&kind, SystemTime::now()));
        self.file_from(0, file, FileInfo { length: Some(kind.len()), accepts_ranges: true, etag, modified }).await
    }

    /// Selects the requested part of content that begins at the offset `start` of an open file. `facts` describes the
    /// content.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub(super) async fn file_from(&self, start: u64, file: File, facts: FileInfo) -> io::Result<Opened> {
        let decision = self.decide(&facts);
        let (from, length) = match decision {
            Decision::Whole => (0, facts.length.unwrap_or_default()),
            Decision::Part { from, length } => (from, length),
            _ => return Ok(Opened { decision, facts, body: ReplyBody::empty() }),
        };
        let mut pieces = FileStream::new(file, start + from, length);
        let body = if length <= MAX_LEN_IN_MEMORY {
            // The part is not longer than one piece of the stream.
            pieces.try_next().await?.unwrap_or_default().into()
        } else {
            ReplyBody::Stream { pieces: Box::pin(pieces), length: Some(length) }
        };
        Ok(Opened { decision, facts, body })
    }
}
