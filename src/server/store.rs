//! An uploaded file on its way to the disk.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use actix_rt::task::spawn_blocking;
use tempfile::{NamedTempFile, TempPath};

use crate::transfer::{BINARY, sniff};

/// How much is written at once, in bytes.
const PIECE: usize = 256 << 10;

/// A temporary file that is being written. It is gone when this is dropped.
pub(super) struct Store {
    folder: PathBuf,
    file: Option<NamedTempFile>,
    pending: Vec<u8>,
    size: u64,
    media_type: Option<&'static str>,
}

/// A temporary file that has been written.
pub(super) struct Stored {
    /// Where it stands; removed when this is dropped.
    pub(super) path: TempPath,
    /// Its length in bytes.
    pub(super) size: u64,
    /// The media type that its beginning was recognised as.
    pub(super) media_type: &'static str,
}

impl Store {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), file: None, pending: Vec::new(), size: 0, media_type: None }
    }

    /// Takes the next bytes, and writes when there are enough for a piece.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PIECE {
            self.flush().await?;
        }
        Ok(())
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub(super) async fn finish(mut self) -> io::Result<Stored> {
        self.flush().await?;
        let file = self.file.ok_or_else(|| io::Error::other("the file has not been made"))?;
        Ok(Stored { path: file.into_temp_path(), size: self.size, media_type: self.media_type.unwrap_or(BINARY) })
    }

    /// Writes what is pending, away from the worker. The file goes along, so that a request which is dropped
    /// meanwhile leaves nothing.
    async fn flush(&mut self) -> io::Result<()> {
        if self.media_type.is_none() {
            self.media_type = Some(sniff(&self.pending));
        }
        let (file, mut pending) = (self.file.take(), std::mem::take(&mut self.pending));
        let folder = self.folder.clone();
        let written = spawn_blocking(move || -> io::Result<_> {
            let mut file = match file {
                Some(file) => file,
                None => tempfile::Builder::new().prefix("rulebook-").tempfile_in(folder)?,
            };
            file.write_all(&pending)?;
            pending.clear();
            Ok((file, pending))
        });
        let (file, pending) = written.await.map_err(io::Error::other)??;
        self.file = Some(file);
        self.pending = pending;
        Ok(())
    }
}
