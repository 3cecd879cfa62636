//! The errors that occur when files are stored or read.

use std::io;

use rulebook_model::files_location::S3_SCHEME;
use thiserror::Error;

use super::FileName;

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
