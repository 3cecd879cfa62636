//! Stores the files to which download links lead.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::stream;
use tokio::task::yield_now;

use super::{Links, blocking, format_head, store_error};
use crate::call::{ApiError, ByteStream, Content};
use crate::file_reply::download::LinkedFile;
use crate::file_reply::file_stream::{PIECE_LEN, stream_file};
use crate::file_reply::open_file::on_other_thread;
use crate::pipeline::{FileRange, catch_panic_async};
use crate::regular_file::open_regular_file;
use crate::store::{LinkWriter, NewLink};
use crate::transfer::LinkId;
use rulebook_model::model::Limits;

/// Space that is reserved for an unfinished file. Dropping this value releases the space.
struct Reservation {
    links: Arc<Links>,
    max_bytes: u64,
    /// The number of bytes that have been reserved so far.
    reserved_bytes: u64,
}

impl Reservation {
    fn reserve(&mut self, bytes: u64) -> Result<(), ApiError> {
        let before = self.links.unfinished_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.reserved_bytes += bytes;
        let used = self.links.files.stored_bytes().saturating_add(before).saturating_add(bytes);
        if used > self.max_bytes {
            return Err(ApiError::unavailable("the files of links would be larger than `limits.links` allows"));
        }
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.links.unfinished_bytes.fetch_sub(self.reserved_bytes, Ordering::Relaxed);
    }
}

impl Links {
    /// Stores the file of a link. If the request is dropped meanwhile, the unfinished file is removed.
    pub(super) async fn store_file(self: &Arc<Self>, limits: &Limits, file: LinkedFile) -> Result<LinkId, ApiError> {
        let failed =
            |error: io::Error| ApiError::internal(format_args!("a file cannot be stored for its link: {error}"));
        let LinkedFile { headers, content, uses } = file;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| failed(io::Error::other(error)))?;
        let mut reservation = Reservation { links: Arc::clone(self), max_bytes: limits.links, reserved_bytes: 0 };
        let head = format_head(LinkId::new(nonce, 0).nonce(), &headers);
        let head_len = head.len() as u64;
        let mut pieces = content_pieces(content).await.map_err(failed)?;
        let files = Arc::clone(&self.files);
        let create = move || {
            files.refresh_stored_bytes()?;
            files.create(NewLink::new(nonce, head, uses))
        };
        let writer = blocking(move || create().map_err(store_error)).await?;
        reservation.reserve(head_len)?;
        let mut writing = UnfinishedFile { writer, pending_pieces: Vec::new() };
        let (mut pending, mut length) = (0, 0);
        loop {
            // The stream may be code of the program, which may panic.
            let next = pin!(poll_fn(|task| pieces.as_mut().poll_next(task)));
            let next = catch_panic_async("the stream of a download", next).await?;
            let Some(piece) = next else { break };
            let piece = piece.map_err(failed)?;
            if piece.is_empty() {
                // If a stream returns only empty pieces, other tasks must still be able to run.
                yield_now().await;
                continue;
            }
            let bytes = piece.len() as u64;
            reservation.reserve(bytes)?;
            (pending, length) = (pending + bytes, length + bytes);
            writing.pending_pieces.push(piece);
            if pending >= PIECE_LEN {
                writing = blocking(move || writing.write_pending()).await?;
                pending = 0;
            }
        }
        if headers.info.length.is_some_and(|announced| announced != length) {
            return Err(failed(io::Error::other("the file does not have the length that the method has set")));
        }
        let lifetime = limits.link;
        blocking(move || {
            let writing = writing.write_pending()?;
            // Other servers may have stored files while this file was written.
            reservation.links.files.refresh_stored_bytes().map_err(store_error)?;
            reservation.reserve(0)?;
            writing.writer.finish(lifetime).map_err(store_error)
        })
        .await
    }
}

async fn content_pieces(content: Content) -> io::Result<ByteStream> {
    let file = match content {
        Content::Stream(pieces) => return Ok(pieces),
        Content::Ranged(content) => return Ok(content.stream(0..content.length())),
        Content::Bytes(bytes) => return Ok(Box::pin(stream::iter([Ok(bytes)]))),
        Content::Path(path) => on_other_thread(move || open_regular_file(&path)).await?,
        Content::File(file) => file,
    };
    let length = file.metadata()?.len();
    Ok(stream_file(FileRange { file, offset: 0, length, share: None }))
}

struct UnfinishedFile {
    writer: Box<dyn LinkWriter>,
    /// The pieces that have been received and not yet written to the file.
    pending_pieces: Vec<Bytes>,
}

impl UnfinishedFile {
    fn write_pending(mut self) -> Result<Self, ApiError> {
        for piece in self.pending_pieces.drain(..) {
            self.writer.write(&piece).map_err(store_error)?;
        }
        Ok(self)
    }
}
