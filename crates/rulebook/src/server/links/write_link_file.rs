//! Writes the files to which download links lead.

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

use super::{Links, link_file, size_on_disk, unix_time};
use crate::call::{ApiError, ByteStream, Content};
use crate::pipeline::{FileRange, catch_panic_async};
use crate::server::download::FileHeaders;
use crate::server::file_stream::{FileStream, PIECE_LEN};
use crate::server::open_file::{on_other_thread, open_file};
use crate::transfer::SignedLink;

/// The prefix of the name of an unfinished file.
const UNFINISHED_PREFIX: &str = "writing.";

/// Disk space that is reserved for an unfinished file. Dropping this value releases the space.
pub(super) struct Reservation<'l> {
    pub(super) links: &'l Arc<Links>,
    /// The maximum total size in bytes of the files of all links.
    pub(super) max_bytes: u64,
    /// The number of bytes that have been reserved so far.
    pub(super) reserved_bytes: u64,
}

impl Reservation<'_> {
    /// Reserves more bytes.
    ///
    /// # Errors
    /// Fails if the files of all links together would exceed the limit.
    fn reserve(&mut self, bytes: u64) -> Result<(), ApiError> {
        let before = self.links.unfinished_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.reserved_bytes += bytes;
        let used = self.links.stored_bytes.load(Ordering::Relaxed).saturating_add(before).saturating_add(bytes);
        if used > self.max_bytes {
            return Err(ApiError::unavailable("the files of links would be larger than `limits.links` allows"));
        }
        Ok(())
    }

    /// Counts the reserved bytes as the size of a complete file.
    fn commit(self) {
        self.links.stored_bytes.fetch_add(size_on_disk(self.reserved_bytes), Ordering::Relaxed);
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.links.unfinished_bytes.fetch_sub(self.reserved_bytes, Ordering::Relaxed);
    }
}

/// Writes the file of a link. The link expires `lifetime` seconds after the file is complete. If the request is dropped
/// meanwhile, the unfinished file is removed.
///
/// # Errors
/// Fails if the files of all links together would exceed the limit, if the file cannot be written, or if the content
/// cannot be read.
pub(super) async fn write_link_file(
    mut reservation: Reservation<'_>,
    mut link: SignedLink,
    lifetime: u64,
    headers: FileHeaders,
    content: Content,
) -> Result<SignedLink, ApiError> {
    let failed = |error: io::Error| ApiError::internal(format_args!("a file cannot be stored for its link: {error}"));
    let head = link_file::format_head(&link, &headers).map_err(failed)?;
    let mut pieces = content_pieces(content).await.map_err(failed)?;
    let folder = reservation.links.folder.clone();
    let file = on_other_thread(move || create_unfinished(&folder)).await.map_err(failed)?;
    let mut writing = UnfinishedFile { file, pending_pieces: Vec::new() };
    reservation.reserve(head.len() as u64)?;
    let (mut pending, mut length) = (head.len() as u64, 0);
    writing.pending_pieces.push(head.into());
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
            writing = on_other_thread(move || writing.write_pending()).await.map_err(failed)?;
            pending = 0;
        }
    }
    if headers.info.length.is_some_and(|announced| announced != length) {
        return Err(failed(io::Error::other("the file does not have the length that the method has set")));
    }
    link.expires = unix_time().saturating_add(lifetime);
    let path = reservation.links.folder.join(link.file_name());
    on_other_thread(move || writing.rename_to(&path)).await.map_err(failed)?;
    reservation.commit();
    Ok(link)
}

/// Returns the content of a download as a stream.
async fn content_pieces(content: Content) -> io::Result<ByteStream> {
    let file = match content {
        Content::Stream(pieces) => return Ok(pieces),
        Content::Ranged(content) => return Ok(content.stream(0..content.length())),
        Content::Bytes(bytes) => return Ok(Box::pin(stream::iter([Ok(bytes)]))),
        Content::Path(path) => on_other_thread(move || open_file(&path)).await?,
        Content::File(file) => file,
    };
    let length = file.metadata()?.len();
    Ok(Box::pin(FileStream::from(FileRange { file, offset: 0, length, share: None })))
}

/// A file that is being written.
struct UnfinishedFile {
    file: NamedTempFile,
    /// The pieces that have been received and not yet written to the file.
    pending_pieces: Vec<Bytes>,
}

impl UnfinishedFile {
    fn write_pending(mut self) -> io::Result<Self> {
        for piece in self.pending_pieces.drain(..) {
            self.file.write_all(&piece)?;
        }
        Ok(self)
    }

    /// Writes the file to the disk, and renames it to the name that belongs to its link.
    fn rename_to(self, path: &Path) -> io::Result<()> {
        let Self { file, .. } = self.write_pending()?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path)?;
        sync_folder(path)
    }
}

/// Writes the folder of a file to the disk, so that a crash does not lose the file's name.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates an unfinished file. Only the user that runs the server can read its folder. The file is locked while it is
/// open, so that another server does not remove it.
fn create_unfinished(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let file = tempfile::Builder::new().prefix(UNFINISHED_PREFIX).tempfile_in(folder)?;
    file.as_file().lock()?;
    Ok(file)
}

/// Deletes a file if its name is that of an unfinished file and no server is writing it. Files with other names are
/// kept: the folder may be a symbolic link to a folder that other programs use as well.
///
/// # Errors
/// Fails if the file cannot be opened or deleted.
pub(super) fn remove_unfinished(path: &Path) -> io::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str());
    if !name.is_some_and(|name| name.starts_with(UNFINISHED_PREFIX)) {
        return Ok(());
    }
    match open_file(path)?.try_lock() {
        Ok(()) => fs::remove_file(path),
        // Another server that uses the same folder is writing the file.
        Err(_) => Ok(()),
    }
}
