//! The storage of a [`Store`](super::Store): a folder, or another storage that implements [`FileEngine`].

mod writer;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::digest::ContentDigest;
use super::engine::{FileEngine, NewFile};
use super::folder::{self, Folder};
use super::{FileInfo, FileName, LinkFiles, Listing, Publication, StoreError, StoredFile};
use crate::call::{Content, Upload};
pub use writer::{StagedFile, Writer};
use writer::{StagedTarget, WriterTarget};

/// The number of bytes that are copied at once from an uploaded file.
const COPY_CHUNK_LEN: usize = 256 << 10;

/// Where the files of a store are. A clone refers to the same files.
#[derive(Debug, Clone)]
pub(super) enum Backend {
    Folder(Arc<Folder>),
    Engine(Arc<dyn FileEngine>),
}

impl Backend {
    pub(super) fn open_folder(path: &Path) -> Result<Self, StoreError> {
        Ok(Self::Folder(Arc::new(Folder::open(path)?)))
    }

    pub(super) fn with_engine(engine: Arc<dyn FileEngine>) -> Result<Self, StoreError> {
        Ok(Self::Engine(engine))
    }

    /// Returns the absolute path of the folder; `None` if the files are in no folder.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder.path()),
            Self::Engine(_) => None,
        }
    }

    pub(super) fn location(&self) -> String {
        match self {
            Self::Folder(folder) => folder.path().display().to_string(),
            Self::Engine(engine) => engine.location(),
        }
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Folder(_) => Ok(()),
            Self::Engine(engine) => engine.check(),
        }
    }

    pub(super) fn links(&self) -> Option<Arc<dyn LinkFiles>> {
        match self {
            Self::Folder(_) => None,
            Self::Engine(engine) => engine.links(),
        }
    }

    pub(super) fn read(&self, name: &FileName) -> Result<StoredFile, StoreError> {
        match self {
            Self::Folder(folder) => {
                folder.open_for_reading(name).map(|(file, info)| StoredFile { content: Content::File(file), info })
            }
            Self::Engine(engine) => engine.read(name),
        }
    }

    pub(super) fn read_nonblocking(&self, name: &FileName) -> Option<Result<StoredFile, StoreError>> {
        match self {
            Self::Folder(folder) => {
                let read = folder.read_nonblocking(name)?;
                Some(read.map(|(content, info)| StoredFile { content, info }))
            }
            Self::Engine(_) => None,
        }
    }

    pub(super) fn info(&self, name: &FileName) -> Result<FileInfo, StoreError> {
        match self {
            Self::Folder(folder) => Ok(folder.open_for_reading(name)?.1),
            Self::Engine(engine) => engine.info(name),
        }
    }

    pub(super) fn list(&self, folder_name: Option<&FileName>) -> Result<Listing, StoreError> {
        match self {
            Self::Folder(folder) => folder.list(folder_name),
            Self::Engine(engine) => engine.list(folder_name),
        }
    }

    pub(super) fn writer(&self, limit: u64) -> Result<Writer, StoreError> {
        let target = match self {
            Self::Folder(folder) => WriterTarget::Folder(folder::Writer::new(folder, limit)?),
            Self::Engine(engine) => WriterTarget::Engine {
                engine: Arc::clone(engine),
                content: engine.create()?,
                digest: ContentDigest::new(limit),
            },
        };
        Ok(Writer(target))
    }

    pub(super) fn stage(&self, upload: &Upload) -> Result<StagedFile, StoreError> {
        if let Self::Folder(folder) = self
            && let Some(staged) = folder.stage(upload)?
        {
            return Ok(StagedFile(StagedTarget::Folder(staged)));
        }
        let io = StoreError::io_during("taking over an uploaded file");
        let mut file = File::open(upload.path()).map_err(&io)?;
        let mut writer = self.writer(u64::MAX)?;
        let mut chunk = vec![0; COPY_CHUNK_LEN];
        loop {
            let read = file.read(&mut chunk).map_err(&io)?;
            if read == 0 {
                return writer.finish();
            }
            writer.write(&chunk[..read])?;
        }
    }

    pub(super) fn publish(&self, files: Vec<Publication>) -> Result<Vec<FileInfo>, StoreError> {
        let mut names = HashSet::new();
        if let Some(duplicate) = files.iter().find(|file| !names.insert(&file.name)) {
            return Err(StoreError::DuplicateName(duplicate.name.clone()));
        }
        match self {
            Self::Folder(folder) => {
                let files = files.into_iter().map(|Publication { staged, name, precondition }| match staged.0 {
                    StagedTarget::Folder(staged) => Ok(folder::PublishedFile { staged, name, precondition }),
                    StagedTarget::Engine(_) => Err(other_store()),
                });
                folder.publish(files.collect::<Result<_, _>>()?)
            }
            Self::Engine(engine) => {
                let files = files.into_iter().map(|Publication { staged, name, precondition }| match staged.0 {
                    StagedTarget::Engine(staged) if Arc::ptr_eq(engine, &staged.engine) => {
                        let (content, hash, info) = staged.release();
                        Ok(NewFile { content, hash, info, name, precondition })
                    }
                    _ => Err(other_store()),
                });
                engine.publish(&files.collect::<Result<Vec<_>, _>>()?)
            }
        }
    }
}

/// The error of a staged file that another store has returned.
fn other_store() -> StoreError {
    let error = io::Error::new(io::ErrorKind::InvalidInput, "another store has staged the file");
    StoreError::io_during("publishing a file")(error)
}
