//! The interface of storages, such as a folder or an object storage, and its errors.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rulebook_model::files_location::S3_SCHEME;
use thiserror::Error;

use super::{FileInfo, FileName, LinkFiles, Listing, Precondition, StoredFile};
use crate::call::ETag;

/// A storage for stored files. [`Store::with_engine`](super::Store::with_engine) returns a store of its files, and
/// [`Rulebook::file_storage`](crate::Rulebook::file_storage) lets the setting `files` choose it.
///
/// The storage keeps contents and names. A content is a sequence of bytes with an id that the storage chooses; it never
/// changes. A name refers to a content. Publishing a file makes its name refer to another content.
///
/// The store calls the functions on threads that may wait. It computes the hash of each content, detects its media
/// type, and limits its length.
pub trait FileEngine: fmt::Debug + Send + Sync + 'static {
    /// Returns the location of the storage, such as its URL, for messages and logs. It must not contain secrets.
    fn location(&self) -> String;

    /// Checks that the storage can be used. The server is ready only while this function succeeds.
    ///
    /// # Errors
    /// Fails if the storage cannot be used.
    fn check(&self) -> Result<(), StoreError>;

    /// Opens a file for reading. The content should be a [`Content::Ranged`](crate::Content::Ranged), so that clients
    /// can request parts of it.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if no file has this name, and another error if the file cannot be read.
    fn read(&self, name: &FileName) -> Result<StoredFile, StoreError>;

    /// Returns the length, entity tag and modification time of a file.
    ///
    /// # Errors
    /// Fails in the same cases as [`FileEngine::read`].
    fn info(&self, name: &FileName) -> Result<FileInfo, StoreError> {
        Ok(self.read(name)?.info)
    }

    /// Opens a file like [`FileEngine::read`], but only if this does not need to wait. Returns `None` if it might have
    /// to wait. By default, always returns `None`.
    fn read_nonblocking(&self, name: &FileName) -> Option<Result<StoredFile, StoreError>> {
        let _ = name;
        None
    }

    /// Lists the content of a folder; `None` is the top folder. The names are sorted.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if no folder has this name.
    fn list(&self, folder: Option<&FileName>) -> Result<Listing, StoreError>;

    /// Creates a content and returns a writer for it.
    ///
    /// # Errors
    /// Fails if the content cannot be created.
    fn create(&self) -> Result<Box<dyn ContentWriter>, StoreError>;

    /// Returns the metadata that the file with a complete content will have. The store calls this function once for
    /// each content, before it publishes the content. `hash` is the BLAKE3 hash as 64 hexadecimal digits. By default,
    /// the entity tag is the hash, and the time is the current one in whole milliseconds.
    ///
    /// # Errors
    /// Fails if the storage fails. Then the store discards the content.
    fn seal(&self, content: &str, hash: &str, length: u64) -> Result<FileInfo, StoreError> {
        let _ = content;
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let milliseconds = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Ok(FileInfo {
            length: Some(length),
            accepts_ranges: true,
            etag: Some(ETag::strong(hash)),
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds)),
        })
    }

    /// Publishes files: all of them or, if an error occurs, none. No two files have the same name. When this function
    /// returns, the files are stored durably. No other program can change a file between the check of its precondition
    /// and its publication.
    ///
    /// The storage takes over the contents: if this function fails, the storage deletes those to which no name refers.
    ///
    /// # Errors
    /// Fails if a precondition is not met, or if the storage fails.
    fn publish(&self, files: &[NewFile]) -> Result<Vec<FileInfo>, StoreError>;

    /// Returns the storage for the files of download links, so that all servers with this storage share them. If it is
    /// `None`, each server has its files of links in its data folder.
    fn links(&self) -> Option<Arc<dyn LinkFiles>> {
        None
    }

    /// Returns the absolute path of the folder; `None` if the storage is not a folder.
    fn path(&self) -> Option<&Path> {
        None
    }

    /// Returns the path of a content that has not been published; `None` if the storage is not a folder.
    fn content_path(&self, content: &str) -> Option<PathBuf> {
        let _ = content;
        None
    }

    /// Deletes a content that has not been published. Does not wait; if the content cannot be deleted now, the storage
    /// deletes it later.
    fn discard(&self, content: &str);
}

/// Writes a content. Dropping the writer deletes what has been written.
pub trait ContentWriter: fmt::Debug + Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// Fails if the storage fails. The store then drops the writer.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError>;

    /// Completes the content and stores it durably. Returns its id.
    ///
    /// # Errors
    /// Fails if the storage fails. Then the content is deleted.
    fn finish(self: Box<Self>) -> Result<String, StoreError>;
}

/// A complete content, and the name that [`FileEngine::publish`] gives to it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewFile {
    /// The id of the content, which [`ContentWriter::finish`] has returned.
    pub content: String,
    /// The BLAKE3 hash of the content as 64 hexadecimal digits.
    pub hash: String,
    /// The length, entity tag and modification time of the file, which [`FileEngine::seal`] has returned.
    pub info: FileInfo,
    /// The name of the file.
    pub name: FileName,
    /// The condition that the existing file with this name, or its absence, must meet.
    pub precondition: Precondition,
}

/// Why a file cannot be stored or read. After an error, the store contains the same files as before the call.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store has no file with this name.
    #[error("there is no file `{0}`")]
    NotFound(FileName),
    /// The name belongs to a folder, a link or another entry that is not a file, or part of its path is not a folder.
    #[error("`{0}` cannot be a file: something else has this name")]
    NameTaken(FileName),
    /// The existing file with this name, or its absence, does not meet the precondition: status 412 (RFC 9110 section
    /// 15.5.13).
    #[error("the file `{0}` does not meet the request's precondition")]
    PreconditionFailed(FileName),
    /// Two files that were to be published together have this name.
    #[error("two files have the name `{0}`")]
    DuplicateName(FileName),
    /// The file would become longer than this number of bytes, its maximum length.
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    /// The disk or the user's quota is full.
    #[error("there is no space left for the file")]
    StorageFull,
    /// The storage cannot have a file with this name, because the percent-encoded name is longer than this number of
    /// bytes.
    #[error("the storage permits names of at most {max} bytes, percent-encoded: `{name}` is longer")]
    NameTooLong {
        /// The name of the file.
        name: FileName,
        /// The maximum length of a percent-encoded name in this storage, in bytes.
        max: usize,
    },
    /// The program has no storage for this URL.
    #[error("the program cannot store files at `{}`: it was built without {}", .0, missing_part(.0))]
    UnknownStorage(String),
    /// A storage on another machine cannot be reached, or has responded with an error. Requests get the status 503.
    #[error("{action}: {error}")]
    Unavailable {
        /// The operation that failed, in words such as `opening a stored file`.
        action: &'static str,
        /// The error of the storage, for the log.
        #[source]
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The operating system reported an error.
    #[error("{action}: {error}")]
    Io {
        /// The operation that failed, in words such as `opening a stored file`.
        action: &'static str,
        /// The error of the operating system, for the log.
        #[source]
        error: io::Error,
    },
}

impl StoreError {
    /// Returns a function that converts the error of an operation to a [`StoreError`]. `action` describes the
    /// operation, in words such as `opening a stored file`.
    pub fn io_during(action: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::StorageFull,
            _ => Self::Io { action, error },
        }
    }

    /// Returns the kind of I/O error that corresponds best to this error.
    pub(crate) fn io_kind(&self) -> io::ErrorKind {
        match self {
            Self::StorageFull => io::ErrorKind::StorageFull,
            Self::Io { error, .. } => error.kind(),
            _ => io::ErrorKind::Other,
        }
    }
}

impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Io { error, .. } => error,
            error => Self::new(error.io_kind(), error),
        }
    }
}

/// Returns what a program lacks that has no storage for a URL.
fn missing_part(url: &str) -> &'static str {
    match url.split_once("://") {
        Some((S3_SCHEME, _)) => "the Cargo feature `s3` of the crate `rulebook-cli`",
        _ => "support for such URLs",
    }
}
