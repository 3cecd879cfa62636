//! Writes an uploaded file to the disk while its bytes arrive, unless it is so short that it stays in memory.

use std::cell::RefCell;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use actix_rt::task::{JoinHandle, spawn_blocking};
use rulebook_model::connection_limits::REQUEST_MEMORY;
use rulebook_model::types::Check;
use tempfile::{NamedTempFile, TempPath};

use super::request_body::ReservedMemory;
use super::state::ServerState;
use crate::call::{TemporaryFiles, Upload, UploadContent};
use crate::client_shares::{Share, UsedUp};
use crate::store::{LazyStore, Writer};
use crate::transfer::detect_media_type;

/// The number of bytes that are written to a file at once. A shorter file is created and written in one step.
const PIECE_LEN: usize = 256 << 10;
/// The length of a shorter piece, for which there must be memory. If many clients send files, there is no memory for
/// longer ones.
const MIN_PIECE_LEN: usize = 16 << 10;

/// The maximum length of a file that stays in memory. Creating and removing a file costs more processor time than
/// receiving this many bytes.
const MAX_LEN_IN_MEMORY: usize = 16 << 10;

/// The maximum number of unused buffers that a worker keeps for later files, because allocating memory takes longer
/// than writing to it.
const MAX_SPARE_BUFFERS: usize = 4;

thread_local! {
    static SPARE_BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

fn take_buffer() -> Vec<u8> {
    SPARE_BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Keeps a buffer that is no longer needed, so that [`take_buffer`] can return it.
fn keep_buffer(mut buffer: Vec<u8>) {
    buffer.clear();
    SPARE_BUFFERS.with_borrow_mut(|spare| {
        if spare.len() < MAX_SPARE_BUFFERS && buffer.capacity() >= PIECE_LEN {
            spare.push(buffer);
        }
    });
}

/// Where uploaded files are stored while their request is handled.
#[derive(Debug, Clone)]
pub(super) enum UploadStorage {
    /// Uploaded files are temporary files in this folder.
    Folder(PathBuf),
    /// Uploaded files are temporary files of the program's file store, so that a handler can publish them without
    /// copying. The hash of a file is computed while the file is written.
    Store(Arc<LazyStore>),
}

impl TemporaryFiles for UploadStorage {
    fn create(&self, content: &[u8]) -> io::Result<TempPath> {
        match WritableFile::append_piece(None, self, content)? {
            WritableFile::Temporary(file) => Ok(file.into_temp_path()),
            WritableFile::Stored(writer) => Ok(writer.into_temporary_file()?),
        }
    }
}

/// Writes an uploaded file, unless the check of its parameter is certain to reject it. Dropping the writer deletes the
/// file.
///
/// While one piece is written on another thread, the bytes of the next piece are collected. So memory holds at most two
/// pieces of a file, and receiving the body waits for the disk only if the disk is slower than the client.
pub(super) struct UploadWriter<'m> {
    filename: String,
    /// Where the file is stored. If it is `None`, the file is not stored: only its length and media type are
    /// determined.
    destination: Option<FileDestination<'m>>,
    /// The task that writes a piece on another thread; `None` before the first piece is written. The task owns the
    /// file, so that the file is removed even if the request is dropped while a piece is written.
    piece_in_progress: Option<JoinHandle<io::Result<WrittenPiece>>>,
    next_piece: Vec<u8>,
    memory: ReservedMemory,
    /// Counts the file while it is open between two pieces.
    open_file: Option<Share>,
    size: u64,
    media_type: Option<&'static str>,
}

/// The parameter check for an uploaded file, and where the file is stored.
#[derive(Clone, Copy)]
pub(super) struct FileDestination<'m> {
    /// The server, which limits memory and open files.
    pub(super) state: &'m ServerState,
    /// The address of the client that sends the file.
    pub(super) client: Option<IpAddr>,
    /// The address from which the connection of the client comes, for the log.
    pub(super) peer: Option<SocketAddr>,
    /// The check of the parameter that receives the file; `None` if the file is for the handler.
    pub(super) check: Option<&'m dyn Check>,
    /// `true` if an earlier part of the body is invalid, so that the request will be rejected.
    pub(super) is_request_refused: bool,
    /// The folder or the file store that will contain the file.
    pub(super) upload_storage: &'m Arc<UploadStorage>,
}

/// The file to which a piece has been written, and the buffer of the piece, which is empty again.
type WrittenPiece = (WritableFile, Vec<u8>);

enum WritableFile {
    Temporary(NamedTempFile),
    Stored(Box<Writer>),
}

impl WritableFile {
    fn create_file(upload_storage: &UploadStorage) -> io::Result<Self> {
        match upload_storage {
            UploadStorage::Folder(folder) => {
                tempfile::Builder::new().prefix("rulebook-").tempfile_in(folder).map(Self::Temporary)
            }
            UploadStorage::Store(folder) => {
                let writer = folder.store().and_then(|store| store.writer(u64::MAX));
                Ok(Self::Stored(Box::new(writer?)))
            }
        }
    }

    /// Appends a piece to a file. If `file` is `None`, creates the file first.
    fn append_piece(file: Option<Self>, upload_storage: &UploadStorage, piece: &[u8]) -> io::Result<Self> {
        let mut file = file.map_or_else(|| Self::create_file(upload_storage), Ok)?;
        match &mut file {
            Self::Temporary(file) => file.write_all(piece)?,
            Self::Stored(writer) => writer.write(piece)?,
        }
        Ok(file)
    }
}

impl<'m> UploadWriter<'m> {
    /// Returns a writer for an uploaded file. `filename` is the file name that the client sent.
    pub(super) fn new(filename: String, destination: Option<FileDestination<'m>>) -> Self {
        Self {
            filename,
            destination,
            piece_in_progress: None,
            next_piece: take_buffer(),
            memory: ReservedMemory::default(),
            open_file: None,
            size: 0,
            media_type: None,
        }
    }

    /// Returns the number of bytes of the file that have been received so far.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Returns `true` if the file is empty and has no name. A browser sends such a file if the user selected no file.
    pub(super) fn is_unnamed_and_empty(&self) -> bool {
        self.filename.is_empty() && self.size == 0
    }

    /// Appends bytes to the file. Each complete piece is written on another thread.
    ///
    /// # Errors
    /// Fails if the file cannot be created, if an earlier piece could not be written, with
    /// [`io::ErrorKind::ResourceBusy`] if too many files are open, or with [`io::ErrorKind::OutOfMemory`] if requests
    /// use too much memory.
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        if self.destination.is_none() && self.media_type.is_some() {
            return Ok(());
        }
        loop {
            let max = self.reserve_piece(self.next_piece.len() + bytes.len())?;
            let fitting = bytes.len().min(max.saturating_sub(self.next_piece.len()));
            self.next_piece.extend_from_slice(&bytes[..fitting]);
            bytes = &bytes[fitting..];
            if bytes.is_empty() {
                return Ok(());
            }
            self.start_writing().await?;
        }
    }

    /// Reserves memory for a piece of this length, and returns the length at which the piece must be written.
    fn reserve_piece(&mut self, length: usize) -> io::Result<usize> {
        let Some(FileDestination { state, client, peer, .. }) = self.destination else { return Ok(PIECE_LEN) };
        let mut reserve = |length| self.memory.grow_to(length, &state.request_memory, client);
        if reserve(length.min(PIECE_LEN)).is_ok() {
            return Ok(PIECE_LEN);
        }
        match reserve(length.min(MIN_PIECE_LEN)) {
            Ok(()) => Ok(self.next_piece.len().max(MIN_PIECE_LEN)),
            Err(UsedUp) => {
                state.exceeded_limits.count(&REQUEST_MEMORY, peer);
                Err(io::ErrorKind::OutOfMemory.into())
            }
        }
    }

    /// Writes the last piece, and returns the complete file. A short file of at most `memory` bytes stays in memory.
    pub(super) async fn finish(mut self, memory: u64) -> io::Result<Upload> {
        let media_type = self.recognise_media_type().to_owned();
        let file = self.wait_for_piece().await?.map(|(file, buffer)| {
            keep_buffer(buffer);
            file
        });
        let Self { filename, destination, next_piece, size, .. } = self;
        let Some(FileDestination { upload_storage, .. }) = destination else {
            keep_buffer(next_piece);
            return Ok(Upload::new(filename, media_type, size, UploadContent::Discarded, None));
        };
        let upload_storage = Arc::clone(upload_storage);
        if file.is_none() && next_piece.len() <= MAX_LEN_IN_MEMORY && size <= memory {
            let is_hashed = matches!(*upload_storage, UploadStorage::Store(_));
            let hash = is_hashed.then(|| blake3::hash(&next_piece).into());
            let bytes = next_piece.as_slice().to_vec();
            keep_buffer(next_piece);
            let content = UploadContent::Memory { bytes, files: upload_storage, file: OnceLock::new() };
            return Ok(Upload::new(filename, media_type, size, content, hash));
        }
        let written = spawn_blocking(move || -> io::Result<_> {
            let upload = match WritableFile::append_piece(file, &upload_storage, &next_piece)? {
                WritableFile::Temporary(file) => {
                    let content = UploadContent::File(file.into_temp_path());
                    Upload::new(filename, media_type, size, content, None)
                }
                WritableFile::Stored(writer) => writer.into_upload(filename)?,
            };
            Ok((upload, next_piece))
        });
        let (upload, buffer) = written.await.map_err(io::Error::other)??;
        keep_buffer(buffer);
        Ok(upload)
    }

    /// Waits until the previous piece has been written, and starts to write the collected piece on another thread.
    async fn start_writing(&mut self) -> io::Result<()> {
        self.recognise_media_type();
        let Some(FileDestination { upload_storage, state, client, peer, .. }) = self.destination else {
            self.next_piece.clear();
            return Ok(());
        };
        if self.open_file.is_none() {
            let counted = state.open_files.count(client, peer);
            self.open_file = Some(counted.map_err(|UsedUp| io::ErrorKind::ResourceBusy)?);
        }
        let (file, buffer) = match self.wait_for_piece().await? {
            Some((file, buffer)) => (Some(file), buffer),
            None => (None, take_buffer()),
        };
        let mut piece = std::mem::replace(&mut self.next_piece, buffer);
        let upload_storage = Arc::clone(upload_storage);
        self.piece_in_progress = Some(spawn_blocking(move || {
            let file = WritableFile::append_piece(file, &upload_storage, &piece)?;
            piece.clear();
            Ok((file, piece))
        }));
        Ok(())
    }

    /// Waits until the previous piece has been written. Returns `None` if no piece has been written yet.
    async fn wait_for_piece(&mut self) -> io::Result<Option<WrittenPiece>> {
        match self.piece_in_progress.take() {
            Some(writing) => writing.await.map_err(io::Error::other)?.map(Some),
            None => Ok(None),
        }
    }

    /// Detects the media type of the file from its first piece. If the check of the parameter rejects files of this
    /// type or with this name, the file is not stored; the check reports the error later.
    fn recognise_media_type(&mut self) -> &'static str {
        if let Some(known) = self.media_type {
            return known;
        }
        let media_type = detect_media_type(&self.next_piece);
        let is_accepted = |check: &dyn Check| check.accepts_file(&self.filename, media_type);
        self.destination = self.destination.filter(|it| !it.is_request_refused && it.check.is_none_or(is_accepted));
        self.media_type = Some(media_type);
        media_type
    }
}
