//! Files on their way into the folder of links.

use std::fs::{self, DirBuilder, File};
use std::future::poll_fn;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::stream;
use tempfile::NamedTempFile;
use tokio::task::yield_now;

use super::{Links, kept, now};
use crate::call::{Content, Pieces, Refusal};
use crate::pipeline::guarded;
use crate::server::download::Told;
use crate::server::opened::{away, open_file};
use crate::server::reading::{FilePieces, PIECE};
use crate::transfer::Link;

/// What the names of files begin with that are being written.
const UNFINISHED: &str = "writing.";

/// The room that a file takes while it is written. It is given back when this is dropped.
pub(super) struct Room<'l> {
    pub(super) links: &'l Arc<Links>,
    /// The most bytes of all files.
    pub(super) most: u64,
    pub(super) taken: u64,
}

impl Room<'_> {
    fn take(&mut self, bytes: u64) -> Result<(), Refusal> {
        let before = self.links.writing.fetch_add(bytes, Ordering::Relaxed);
        self.taken += bytes;
        let used = self.links.kept.load(Ordering::Relaxed).saturating_add(before).saturating_add(bytes);
        if used > self.most {
            return Err(Refusal::unavailable("the files of links would be larger than `limits.links` allows"));
        }
        Ok(())
    }

    /// From now on the file has it.
    fn stay(self) {
        self.links.kept.fetch_add(self.taken, Ordering::Relaxed);
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.links.writing.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

/// Writes a file and gives it the name of its link, which is good for `lifetime` seconds from then on. A request that
/// is dropped meanwhile leaves nothing.
///
/// # Errors
/// There is no room for it, it cannot be written, or its content cannot be read.
pub(super) async fn keep(
    mut room: Room<'_>,
    mut link: Link,
    lifetime: u64,
    told: Told,
    content: Content,
) -> Result<Link, Refusal> {
    let failed = |error: io::Error| Refusal::internal(format_args!("a file cannot be kept for its link: {error}"));
    let head = kept::head(&link, &told).map_err(failed)?;
    let mut pieces = pieces(content).await.map_err(failed)?;
    let folder = room.links.folder.clone();
    let mut writing = Writing { file: away(move || begin(&folder)).await.map_err(failed)?, pending: Vec::new() };
    room.take(head.len() as u64)?;
    let (mut pending, mut length) = (head.len() as u64, 0);
    writing.pending.push(head.into());
    loop {
        // A stream is the program's own code.
        let next = guarded("the stream of a download", poll_fn(|task| pieces.as_mut().poll_next(task))).await?;
        let Some(piece) = next else { break };
        let piece = piece.map_err(failed)?;
        if piece.is_empty() {
            // It may have nothing else for ever.
            yield_now().await;
            continue;
        }
        let bytes = piece.len() as u64;
        room.take(bytes)?;
        (pending, length) = (pending + bytes, length + bytes);
        writing.pending.push(piece);
        if pending >= PIECE {
            writing = away(move || writing.flushed()).await.map_err(failed)?;
            pending = 0;
        }
    }
    if told.facts.length.is_some_and(|said| said != length) {
        return Err(failed(io::Error::other("it has not the length that was said")));
    }
    link.expires = now().saturating_add(lifetime);
    let path = room.links.folder.join(link.name());
    away(move || writing.named(&path)).await.map_err(failed)?;
    room.stay();
    Ok(link)
}

/// The content piece by piece, wherever it is.
async fn pieces(content: Content) -> io::Result<Pieces> {
    let file = match content {
        Content::Stream(pieces) => return Ok(pieces),
        Content::Bytes(bytes) => return Ok(Box::pin(stream::iter([Ok(bytes)]))),
        Content::Path(path) => away(move || open_file(&path)).await?,
        Content::File(file) => file,
    };
    let length = file.metadata()?.len();
    Ok(Box::pin(FilePieces::new(file, 0, length)))
}

/// A file without its name, and what is to be written next.
struct Writing {
    file: NamedTempFile,
    pending: Vec<Bytes>,
}

impl Writing {
    fn flushed(mut self) -> io::Result<Self> {
        for piece in self.pending.drain(..) {
            self.file.write_all(&piece)?;
        }
        Ok(self)
    }

    /// Gives it its name, when all of it is on the disk.
    fn named(self, path: &Path) -> io::Result<()> {
        let Self { file, .. } = self.flushed()?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path)?;
        sync_folder(path)
    }
}

/// Has the disk know the name, too.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A new file, in a folder for the server's eyes alone. It is locked as long as it is written.
fn begin(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    file.as_file().lock()?;
    Ok(file)
}

/// Removes a file that nobody is writing any more. One of any other name stays: the folder may be a link to one that is
/// not the server's alone.
///
/// # Errors
/// It cannot be opened or removed.
pub(super) fn remove_left(path: &Path) -> io::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str());
    if !name.is_some_and(|name| name.starts_with(UNFINISHED)) {
        return Ok(());
    }
    match open_file(path)?.try_lock() {
        Ok(()) => fs::remove_file(path),
        // Another server of the same folder is at it.
        Err(_) => Ok(()),
    }
}
