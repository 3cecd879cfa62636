//! An uploaded file on its way to the disk.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use actix_rt::task::spawn_blocking;
use tempfile::{NamedTempFile, TempPath};

/// How much is written at once, in bytes.
const PIECE: usize = 256 << 10;
/// How much of the beginning is looked at to recognise the media type, in bytes.
const SAMPLE: usize = 8 << 10;
/// The media type of what is neither recognised nor text.
const BINARY: &str = "application/octet-stream";

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
            self.media_type = Some(media_type(&self.pending));
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

/// The media type of a file that begins with these bytes; all of them, where it is short.
fn media_type(start: &[u8]) -> &'static str {
    let cut = start.len() > SAMPLE;
    let sample = if cut { &start[..SAMPLE] } else { start };
    if let Some(kind) = infer::get(sample) {
        return kind.mime_type();
    }
    let text = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // A character may be cut in two at the sample's end, and nowhere else.
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&sample[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return BINARY,
    };
    let binary = |char: char| char.is_ascii_control() && !matches!(char, '\t' | '\n' | '\r' | '\x0c' | '\x1b');
    if text.contains(binary) { BINARY } else { "text/plain" }
}
