//! An uploaded file on its way to the disk.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use actix_rt::task::{JoinHandle, spawn_blocking};
use tempfile::NamedTempFile;

use crate::call::Upload;
use crate::store::{StoreError, StoreFolder, Writer};
use crate::transfer::sniff;
use crate::types::Check;

/// How much is written at once, in bytes; a file that is not longer is made and written by one.
const PIECE: usize = 256 << 10;

/// How many empty pieces a worker keeps for the files to come: memory that is new costs more than writing to it.
const SPARE: usize = 4;

thread_local! {
    static EMPTY: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Room for a piece.
fn room() -> Vec<u8> {
    EMPTY.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(PIECE))
}

/// Takes room back that is not needed any more.
fn spare(mut piece: Vec<u8>) {
    piece.clear();
    EMPTY.with_borrow_mut(|empty| {
        if empty.len() < SPARE && piece.capacity() >= PIECE {
            empty.push(piece);
        }
    });
}

/// Where uploaded files are written to.
#[derive(Debug, Clone)]
pub(super) enum Uploads {
    /// Into temporary files in this folder.
    Folder(PathBuf),
    /// Into the store that can keep them, with their hashes.
    Store(Arc<StoreFolder>),
}

/// An uploaded file that comes, and is written where it can pass its check. It is gone when this is dropped.
///
/// While one piece is being written away from the worker the next is gathered, so that no more of a file is in memory
/// than two pieces, and reading waits for the disk only where that is slower than the client.
pub(super) struct Uploading<'m> {
    filename: String,
    /// What it is for; none where it is not kept, but counted and recognised.
    wanted: Option<Wanted<'m>>,
    /// The piece that is being written. The file goes along with it, so that a request which is dropped meanwhile
    /// leaves nothing. None before the first.
    flight: Option<JoinHandle<io::Result<Landed>>>,
    /// The next piece.
    gathered: Vec<u8>,
    size: u64,
    media_type: Option<&'static str>,
}

/// What a file is for that a parameter takes.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'m> {
    /// The check of the parameter.
    pub(super) check: &'m dyn Check,
    /// Whether the call will be refused whatever the file is.
    pub(super) refused: bool,
    /// Where it goes.
    pub(super) uploads: &'m Arc<Uploads>,
}

/// What is there again when a piece has been written.
struct Landed {
    file: Target,
    /// For the piece after the next.
    empty: Vec<u8>,
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

    /// Writes a piece; without a file yet, into a new one.
    fn written(file: Option<Self>, uploads: &Uploads, piece: &[u8]) -> io::Result<Self> {
        let mut file = file.map_or_else(|| Self::make(uploads), Ok)?;
        match &mut file {
            Self::Temporary(file) => file.write_all(piece)?,
            Self::Stored(writer) => writer.write(piece).map_err(told)?,
        }
        Ok(file)
    }
}

impl<'m> Uploading<'m> {
    /// A file that the client called so.
    pub(super) fn new(filename: String, wanted: Option<Wanted<'m>>) -> Self {
        Self { filename, wanted, flight: None, gathered: room(), size: 0, media_type: None }
    }

    /// How many bytes have come.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Whether it is the empty file without a name that a browser sends where none was chosen.
    pub(super) fn is_nothing(&self) -> bool {
        self.filename.is_empty() && self.size == 0
    }

    /// Takes the next bytes, and has a piece written whenever there are more than that.
    ///
    /// # Errors
    /// The file could not be made, or not be written: now or at the piece before.
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        if self.wanted.is_none() && self.media_type.is_some() {
            return Ok(());
        }
        while self.gathered.len() + bytes.len() > PIECE {
            let (fitting, rest) = bytes.split_at(PIECE - self.gathered.len());
            self.gathered.extend_from_slice(fitting);
            bytes = rest;
            self.send_off().await?;
        }
        self.gathered.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// As of [`Self::write`].
    pub(super) async fn finish(mut self) -> io::Result<Upload> {
        let media_type = self.recognise().to_owned();
        let file = self.land().await?.map(|Landed { file, empty }| {
            spare(empty);
            file
        });
        let Self { filename, wanted, gathered, size, .. } = self;
        let Some(Wanted { uploads, .. }) = wanted else {
            spare(gathered);
            return Ok(Upload::not_kept(filename, media_type, size));
        };
        let uploads = Arc::clone(uploads);
        let written = spawn_blocking(move || -> io::Result<_> {
            let upload = match Target::written(file, &uploads, &gathered)? {
                Target::Temporary(file) => Upload::new(filename, media_type, size, file.into_temp_path()),
                Target::Stored(writer) => writer.into_upload(filename).map_err(told)?,
            };
            Ok((upload, gathered))
        });
        let (upload, gathered) = written.await.map_err(io::Error::other)??;
        spare(gathered);
        Ok(upload)
    }

    /// Has the piece that was gathered written away from the worker, when the one before has been.
    async fn send_off(&mut self) -> io::Result<()> {
        self.recognise();
        let Some(Wanted { uploads, .. }) = self.wanted else {
            self.gathered.clear();
            return Ok(());
        };
        let (file, empty) = match self.land().await? {
            Some(Landed { file, empty }) => (Some(file), empty),
            None => (None, room()),
        };
        let mut piece = std::mem::replace(&mut self.gathered, empty);
        let uploads = Arc::clone(uploads);
        self.flight = Some(spawn_blocking(move || {
            let file = Target::written(file, &uploads, &piece)?;
            piece.clear();
            Ok(Landed { file, empty: piece })
        }));
        Ok(())
    }

    /// Waits until the piece before has been written; none where there was none.
    async fn land(&mut self) -> io::Result<Option<Landed>> {
        match self.flight.take() {
            Some(flight) => flight.await.map_err(io::Error::other)?.map(Some),
            None => Ok(None),
        }
    }

    /// The media type, by the first piece. A file that its check cannot take is not kept: the check is to say so.
    fn recognise(&mut self) -> &'static str {
        if let Some(known) = self.media_type {
            return known;
        }
        let media_type = sniff(&self.gathered);
        self.wanted = self.wanted.filter(|own| !own.refused && own.check.may_take(&self.filename, media_type));
        self.media_type = Some(media_type);
        media_type
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
