//! Files that are to be sent, opened: as much of one as a request gets.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use actix_rt::task::spawn_blocking;
use bytes::Bytes;
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};

use super::reading::FilePieces;
use crate::call::{Content, ETag, Head, Pieces};
use crate::pipeline::ReplyBody;
use crate::transfer::{Decision, Facts, decide, tag};

/// Up to how many bytes a file is one body.
const WHOLE: u64 = 64 << 10;

/// What a request gets of a file, what is known of it, and the bytes.
pub(super) struct Opened {
    pub(super) decision: Decision,
    pub(super) facts: Facts,
    pub(super) body: ReplyBody,
}

/// Opens a file, of which `said` is what the method said of it. What may take long is done away from the worker.
///
/// # Errors
/// It cannot be opened or read.
pub(super) async fn open(request: Asking, content: Content, said: Facts) -> io::Result<Opened> {
    match content {
        Content::Stream(pieces) => Ok(request.stream(pieces, said)),
        Content::Bytes(bytes) if bytes.len() as u64 <= WHOLE => Ok(request.bytes(bytes, said)),
        Content::Bytes(bytes) => away(move || Ok(request.bytes(bytes, said))).await,
        Content::Path(path) => request.file(away(move || open_file(&path)).await?, said).await,
        Content::File(file) => request.file(file, said).await,
    }
}

/// Runs what may take long away from the worker.
///
/// # Errors
/// Those of what is run; or it panicked.
pub(super) async fn away<T: Send + 'static>(run: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(run).await.map_err(io::Error::other)?
}

/// Opens what is a file: opening what is none, such as a pipe, could wait for ever.
///
/// # Errors
/// It is none, or cannot be opened; the error names it.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let opened = path.metadata().and_then(|kind| if kind.is_file() { File::open(path) } else { Err(no_file()) });
    opened.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn no_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is no file")
}

/// A request for a file.
pub(super) struct Asking {
    pub(super) head: Arc<Head>,
    /// The status if all of it is sent.
    pub(super) status: u16,
}

impl Asking {
    /// Decides what it gets. Where the method chose a status of its own, that is what it answers.
    fn decide(&self, facts: &Facts) -> Decision {
        if self.status == 200 { decide(&self.head, facts, SystemTime::now()) } else { Decision::Whole }
    }

    fn stream(&self, pieces: Pieces, facts: Facts) -> Opened {
        let decision = self.decide(&facts);
        let body = match decision {
            Decision::Whole => ReplyBody::Pieces { pieces, length: facts.length },
            _ => ReplyBody::empty(),
        };
        Opened { decision, facts, body }
    }

    fn bytes(&self, bytes: Bytes, said: Facts) -> Opened {
        let etag = said.etag.unwrap_or_else(|| ETag::strong(hex::encode(&Sha256::digest(&bytes)[..16])));
        let facts = Facts { length: Some(bytes.len() as u64), has_parts: true, etag: Some(etag), ..said };
        let decision = self.decide(&facts);
        let body = match decision {
            Decision::Whole => bytes,
            // What was decided lies within the length.
            Decision::Part { from, length } => bytes.slice(from as usize..(from + length) as usize),
            _ => Bytes::new(),
        };
        Opened { decision, facts, body: body.into() }
    }

    async fn file(&self, file: File, said: Facts) -> io::Result<Opened> {
        if said.length.is_some() {
            // Whoever opened it has looked.
            return self.behind(0, file, Facts { has_parts: true, ..said }).await;
        }
        // It has just been opened: the system has this in memory.
        let kind = file.metadata()?;
        if !kind.is_file() {
            return Err(no_file());
        }
        let modified = said.modified.or_else(|| kind.modified().ok());
        let etag = said.etag.or_else(|| tag(&kind, SystemTime::now()));
        self.behind(0, file, Facts { length: Some(kind.len()), has_parts: true, etag, modified }).await
    }

    /// What is behind the first `start` bytes of a file, of which the facts tell. Nothing is read here but what is one
    /// body.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) async fn behind(&self, start: u64, file: File, facts: Facts) -> io::Result<Opened> {
        let decision = self.decide(&facts);
        let (from, length) = match decision {
            Decision::Whole => (0, facts.length.unwrap_or_default()),
            Decision::Part { from, length } => (from, length),
            _ => return Ok(Opened { decision, facts, body: ReplyBody::empty() }),
        };
        let mut pieces = FilePieces::new(file, start + from, length);
        let body = if length <= WHOLE {
            // It is no more than one piece.
            pieces.try_next().await?.unwrap_or_default().into()
        } else {
            ReplyBody::Pieces { pieces: Box::pin(pieces), length: Some(length) }
        };
        Ok(Opened { decision, facts, body })
    }
}
