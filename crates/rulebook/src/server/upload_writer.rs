//! Writes an uploaded file to disk while it is received.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use actix_rt::task::{JoinHandle, spawn_blocking};
use rulebook_model::types::Check;
use tempfile::NamedTempFile;

use crate::call::Upload;
use crate::store::{LazyStore, StoreError, Writer};
use crate::transfer::sniff;

/// The number of bytes that are written at once. A shorter file is created and written in one step.
const PIECE: usize = 256 << 10;

/// The number of empty buffers that a worker keeps for further files, because allocating memory takes longer than
/// writing to it.
const MAX_SPARE: usize = 4;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Returns an empty buffer for a piece.
fn take_buffer() -> Vec<u8> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(PIECE))
}

/// Keeps a buffer that is no longer needed.
fn keep_buffer(mut buffer: Vec<u8>) {
    buffer.clear();
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < MAX_SPARE && buffer.capacity() >= PIECE {
            spare.push(buffer);
        }
    });
}

/// The destination of uploaded files.
#[derive(Debug, Clone)]
pub(super) enum Uploads {
    /// Temporary files in this folder.
    Folder(PathBuf),
    /// The file store, for programs that keep uploaded files. The hashes of the files are computed while they are
    /// written.
    Store(Arc<LazyStore>),
}

/// Writes an uploaded file, unless the check of its parameter cannot accept it. Dropping the writer deletes the file.
///
/// While one piece is written on another thread, the next one is collected. So at most two pieces of a file are in
/// memory, and receiving waits for the disk only if the disk is slower than the client.
pub(super) struct UploadWriter<'m> {
    filename: String,
    /// The destination of the file. If it is `None`, the file is not stored: only its length and media type are
    /// determined.
    destination: Option<Destination<'m>>,
    /// The piece that is being written; `None` before the first one. The task owns the file, so that the file is
    /// removed if the request is dropped meanwhile.
    writing: Option<JoinHandle<io::Result<WrittenPiece>>>,
    /// The next piece.
    collected: Vec<u8>,
    size: u64,
    media_type: Option<&'static str>,
}

/// How the file that a parameter receives is checked, and where it is stored.
#[derive(Clone, Copy)]
pub(super) struct Destination<'m> {
    /// The check of the parameter.
    pub(super) check: &'m dyn Check,
    /// `true` if another part is invalid, so that the request will be refused.
    pub(super) refused: bool,
    /// The folder or storage.
    pub(super) uploads: &'m Arc<Uploads>,
}

/// The result of writing a piece.
struct WrittenPiece {
    file: OpenFile,
    /// The empty buffer of the piece.
    buffer: Vec<u8>,
}

/// The file that is written.
enum OpenFile {
    Temporary(NamedTempFile),
    Stored(Box<Writer>),
}

impl OpenFile {
    fn create(uploads: &Uploads) -> io::Result<Self> {
        match uploads {
            Uploads::Folder(folder) => {
                tempfile::Builder::new().prefix("rulebook-").tempfile_in(folder).map(Self::Temporary)
            }
            Uploads::Store(folder) => {
                let writer = folder.store().and_then(|store| store.writer(u64::MAX));
                writer.map(|writer| Self::Stored(Box::new(writer))).map_err(into_io_error)
            }
        }
    }

    /// Appends a piece to a file. Creates the file if it is `None`.
    fn append(file: Option<Self>, uploads: &Uploads, piece: &[u8]) -> io::Result<Self> {
        let mut file = file.map_or_else(|| Self::create(uploads), Ok)?;
        match &mut file {
            Self::Temporary(file) => file.write_all(piece)?,
            Self::Stored(writer) => writer.write(piece).map_err(into_io_error)?,
        }
        Ok(file)
    }
}

impl<'m> UploadWriter<'m> {
    /// Returns a writer for a file. `filename` is the name that the client sent.
    pub(super) fn new(filename: String, destination: Option<Destination<'m>>) -> Self {
        Self { filename, destination, writing: None, collected: take_buffer(), size: 0, media_type: None }
    }

    /// Returns the number of bytes received so far.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Returns `true` for the empty file without a name that a browser sends if the user chose no file.
    pub(super) fn is_unnamed_and_empty(&self) -> bool {
        self.filename.is_empty() && self.size == 0
    }

    /// Adds bytes to the file. Each complete piece is written on another thread.
    ///
    /// # Errors
    /// Fails if the file cannot be created, or the previous piece could not be written.
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        if self.destination.is_none() && self.media_type.is_some() {
            return Ok(());
        }
        while self.collected.len() + bytes.len() > PIECE {
            let (fitting, rest) = bytes.split_at(PIECE - self.collected.len());
            self.collected.extend_from_slice(fitting);
            bytes = rest;
            self.start_writing().await?;
        }
        self.collected.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes the last piece and returns the file.
    ///
    /// # Errors
    /// Fails as [`UploadWriter::write`] does.
    pub(super) async fn finish(mut self) -> io::Result<Upload> {
        let media_type = self.recognise().to_owned();
        let file = self.wait_for_piece().await?.map(|WrittenPiece { file, buffer }| {
            keep_buffer(buffer);
            file
        });
        let Self { filename, destination, collected, size, .. } = self;
        let Some(Destination { uploads, .. }) = destination else {
            keep_buffer(collected);
            return Ok(Upload::discarded(filename, media_type, size));
        };
        let uploads = Arc::clone(uploads);
        let written = spawn_blocking(move || -> io::Result<_> {
            let upload = match OpenFile::append(file, &uploads, &collected)? {
                OpenFile::Temporary(file) => Upload::new(filename, media_type, size, file.into_temp_path()),
                OpenFile::Stored(writer) => writer.into_upload(filename).map_err(into_io_error)?,
            };
            Ok((upload, collected))
        });
        let (upload, buffer) = written.await.map_err(io::Error::other)??;
        keep_buffer(buffer);
        Ok(upload)
    }

    /// Starts to write the collected piece on another thread, after the previous piece has been written.
    async fn start_writing(&mut self) -> io::Result<()> {
        self.recognise();
        let Some(Destination { uploads, .. }) = self.destination else {
            self.collected.clear();
            return Ok(());
        };
        let (file, buffer) = match self.wait_for_piece().await? {
            Some(WrittenPiece { file, buffer }) => (Some(file), buffer),
            None => (None, take_buffer()),
        };
        let mut piece = std::mem::replace(&mut self.collected, buffer);
        let uploads = Arc::clone(uploads);
        self.writing = Some(spawn_blocking(move || {
            let file = OpenFile::append(file, &uploads, &piece)?;
            piece.clear();
            Ok(WrittenPiece { file, buffer: piece })
        }));
        Ok(())
    }

    /// Waits until the previous piece has been written; returns `None` if there was no previous piece.
    async fn wait_for_piece(&mut self) -> io::Result<Option<WrittenPiece>> {
        match self.writing.take() {
            Some(writing) => writing.await.map_err(io::Error::other)?.map(Some),
            None => Ok(None),
        }
    }

    /// Detects the media type from the first piece. If the check of the parameter cannot accept such a file, it is not
    /// stored; the check will report the error later.
    fn recognise(&mut self) -> &'static str {
        if let Some(known) = self.media_type {
            return known;
        }
        let media_type = sniff(&self.collected);
        self.destination =
            self.destination.filter(|it| !it.refused && it.check.accepts_file(&self.filename, media_type));
        self.media_type = Some(media_type);
        media_type
    }
}

/// Converts an error of the file store to an I/O error.
fn into_io_error(error: StoreError) -> io::Error {
    match error {
        StoreError::StorageFull => io::ErrorKind::StorageFull.into(),
        StoreError::Io { error, .. } => error,
        other => io::Error::other(other),
    }
}
