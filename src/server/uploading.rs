//! An uploaded file on its way to the disk.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use actix_rt::task::spawn_blocking;
use tempfile::NamedTempFile;

use crate::call::Upload;
use crate::store::{StoreError, StoreFolder, Writer};
use crate::transfer::{BINARY, sniff};

/// How much is written at once, in bytes.
const PIECE: usize = 256 << 10;

/// Where uploaded files are written to.
#[derive(Debug, Clone)]
pub(super) enum Uploads {
    /// Into temporary files in this folder.
    Folder(PathBuf),
    /// Into the store that can keep them, with their hashes.
    Store(Arc<StoreFolder>),
}

/// An uploaded file that is being written. It is gone when this is dropped.
pub(super) struct Uploading {
    uploads: Arc<Uploads>,
    file: Option<Target>,
    pending: Vec<u8>,
    size: u64,
    media_type: Option<&'static str>,
}

/// What is written to.
enum Target {
    Temporary(NamedTempFile),
    Stored(Box<Writer>),
}

impl Target {
    fn make(uploads: &Uploads) -> io::Result<Self> {
        match uploads {
            Uploads::Folder(folder) => {
                tempfile::Builder::new().prefix("rulebook-").tempfile_in(folder).map(Self::Temporary)
            }
            Uploads::Store(folder) => {
                let writer = folder.store().and_then(|store| store.writer(u64::MAX));
                writer.map(|writer| Self::Stored(Box::new(writer))).map_err(told)
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Temporary(file) => file.write_all(bytes),
            Self::Stored(writer) => writer.write(bytes).map_err(told),
        }
    }
}

impl Uploading {
    pub(super) fn new(uploads: &Arc<Uploads>) -> Self {
        Self { uploads: Arc::clone(uploads), file: None, pending: Vec::new(), size: 0, media_type: None }
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

    /// Writes the rest. `filename` is the name that the client gave.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub(super) async fn finish(mut self, filename: String) -> io::Result<Upload> {
        self.flush().await?;
        let media_type = self.media_type.unwrap_or(BINARY);
        match self.file.ok_or_else(|| io::Error::other("the file has not been made"))? {
            Target::Temporary(file) => {
                Ok(Upload::new(filename, media_type.to_owned(), self.size, file.into_temp_path()))
            }
            Target::Stored(writer) => writer.into_upload(filename).map_err(told),
        }
    }

    /// Writes what is pending, away from the worker. The file goes along, so that a request which is dropped
    /// meanwhile leaves nothing.
    async fn flush(&mut self) -> io::Result<()> {
        if self.media_type.is_none() {
            self.media_type = Some(sniff(&self.pending));
        }
        let (file, mut pending) = (self.file.take(), std::mem::take(&mut self.pending));
        let uploads = Arc::clone(&self.uploads);
        let written = spawn_blocking(move || -> io::Result<_> {
            let mut file = match file {
                Some(file) => file,
                None => Target::make(&uploads)?,
            };
            file.write(&pending)?;
            pending.clear();
            Ok((file, pending))
        });
        let (file, pending) = written.await.map_err(io::Error::other)??;
        self.file = Some(file);
        self.pending = pending;
        Ok(())
    }
}

/// What the store says, as the system says it.
fn told(error: StoreError) -> io::Error {
    match error {
        StoreError::Full => io::ErrorKind::StorageFull.into(),
        StoreError::Io { error, .. } => error,
        other => io::Error::other(other),
    }
}
