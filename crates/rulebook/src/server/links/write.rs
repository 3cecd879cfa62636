//! Writes the files of links.

use std::fs::{self, DirBuilder, File};
use std::future::poll_fn;
use std::io::{self, Write};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::stream;
use tempfile::NamedTempFile;
use tokio::task::yield_now;

use super::{Links, link_file, now};
use crate::call::{ApiError, ByteStream, Content};
use crate::pipeline::catch_panic_async;
use crate::server::download::FileHeaders;
use crate::server::file_stream::{FileStream, PIECE};
use crate::server::open_file::{on_other_thread, open_file};
use crate::transfer::Link;

/// The prefix of the names of unfinished files.
const UNFINISHED: &str = "writing.";

/// The disk space that is reserved for an unfinished file. Dropping this releases the space.
pub(super) struct Reservation<'l> {
    pub(super) links: &'l Arc<Links>,
    /// The maximum number of bytes of the files of all links.
    pub(super) max: u64,
    /// The number of reserved bytes.
    pub(super) bytes: u64,
}

impl Reservation<'_> {
    /// Reserves more bytes.
    ///
    /// # Errors
    /// Fails if the files of all links would exceed the limit.
    fn add(&mut self, bytes: u64) -> Result<(), ApiError> {
        let before = self.links.writing.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        let used = self.links.stored.load(Ordering::Relaxed).saturating_add(before).saturating_add(bytes);
        if used > self.max {
            return Err(ApiError::unavailable("the files of links would be larger than `limits.links` allows"));
        }
        Ok(())
    }

    /// Converts the reservation to used space, when the file is complete.
    fn commit(self) {
        self.links.stored.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.links.writing.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Writes a file under the name of its link, which expires after `lifetime` seconds. If the request is dropped
/// meanwhile, the file is removed.
///
/// # Errors
/// Fails if the files of all links would exceed the limit, the file cannot be written, or its content cannot be read.
pub(super) async fn store(
    mut reservation: Reservation<'_>,
    mut link: Link,
    lifetime: u64,
    headers: FileHeaders,
    content: Content,
) -> Result<Link, ApiError> {
    let failed = |error: io::Error| ApiError::internal(format_args!("a file cannot be stored for its link: {error}"));
    let head = link_file::head(&link, &headers).map_err(failed)?;
    let mut pieces = pieces(content).await.map_err(failed)?;
    let folder = reservation.links.folder.clone();
    let file = on_other_thread(move || create(&folder)).await.map_err(failed)?;
    let mut writing = Writing { file, pending: Vec::new() };
    reservation.add(head.len() as u64)?;
    let (mut pending, mut length) = (head.len() as u64, 0);
    writing.pending.push(head.into());
    loop {
        // A stream is code of the program.
        let next = pin!(poll_fn(|task| pieces.as_mut().poll_next(task)));
        let next = catch_panic_async("the stream of a download", next).await?;
        let Some(piece) = next else { break };
        let piece = piece.map_err(failed)?;
        if piece.is_empty() {
            // A stream that returns only empty pieces must not block other tasks.
            yield_now().await;
            continue;
        }
        let bytes = piece.len() as u64;
        reservation.add(bytes)?;
        (pending, length) = (pending + bytes, length + bytes);
        writing.pending.push(piece);
        if pending >= PIECE {
            writing = on_other_thread(move || writing.flushed()).await.map_err(failed)?;
            pending = 0;
        }
    }
    if headers.facts.length.is_some_and(|announced| announced != length) {
        return Err(failed(io::Error::other("the file does not have the length that the method has set")));
    }
    link.expires = now().saturating_add(lifetime);
    let path = reservation.links.folder.join(link.name());
    on_other_thread(move || writing.publish(&path)).await.map_err(failed)?;
    reservation.commit();
    Ok(link)
}

/// Returns the content as a stream.
async fn pieces(content: Content) -> io::Result<ByteStream> {
    let file = match content {
        Content::Stream(pieces) => return Ok(pieces),
        Content::Bytes(bytes) => return Ok(Box::pin(stream::iter([Ok(bytes)]))),
        Content::Path(path) => on_other_thread(move || open_file(&path)).await?,
        Content::File(file) => file,
    };
    let length = file.metadata()?.len();
    Ok(Box::pin(FileStream::new(file, 0, length)))
}

/// An unfinished file.
struct Writing {
    file: NamedTempFile,
    /// The pieces that have yet to be written.
    pending: Vec<Bytes>,
}

impl Writing {
    fn flushed(mut self) -> io::Result<Self> {
        for piece in self.pending.drain(..) {
            self.file.write_all(&piece)?;
        }
        Ok(self)
    }

    /// Syncs the file to the disk and renames it to its final name.
    fn publish(self, path: &Path) -> io::Result<()> {
        let Self { file, .. } = self.flushed()?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path)?;
        sync_folder(path)
    }
}

/// Syncs the folder, so that a crash does not lose the new name.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates an unfinished file in a folder that only the user of the server can read. The file is locked while it is
/// open.
fn create(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    file.as_file().lock()?;
    Ok(file)
}

/// Deletes an unfinished file that no server is still writing. Files with other names are kept: the folder may be a
/// link to one that other programs use as well.
///
/// # Errors
/// Fails if the file cannot be opened or deleted.
pub(super) fn remove_unfinished(path: &Path) -> io::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str());
    if !name.is_some_and(|name| name.starts_with(UNFINISHED)) {
        return Ok(());
    }
    match open_file(path)?.try_lock() {
        Ok(()) => fs::remove_file(path),
        // Another server of the same folder is writing it.
        Err(_) => Ok(()),
    }
}
