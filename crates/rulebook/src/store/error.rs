//! The errors of the file store.

use std::io;

use thiserror::Error;

use super::FileName;

/// Why a file cannot be read or stored. After an error, the content of the store is the same as before the call.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No file has this name.
    #[error("there is no file `{0}`")]
    NotFound(FileName),
    /// The name belongs to something other than a file, or a folder in its path is not a folder.
    #[error("`{0}` cannot be a file: something else has this name")]
    NameTaken(FileName),
    /// The file of this name does not meet the precondition: status 412 (RFC 9110 section 15.5.13).
    #[error("the file `{0}` does not meet the request's precondition")]
    PreconditionFailed(FileName),
    /// Two files of one call have this name.
    #[error("two files have the name `{0}`")]
    DuplicateName(FileName),
    /// The file is longer than this number of bytes.
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    /// The disk or the user's quota is full.
    #[error("there is no space left for the file")]
    StorageFull,
    /// Another error of the operating system.
    #[error("{action}: {error}")]
    Io {
        /// The operation that failed, as a participle: `opening a stored file`.
        action: &'static str,
        /// The system's error, for the log.
        #[source]
        error: io::Error,
    },
}

impl StoreError {
    /// Returns a function that converts an error of the operating system during `action` to a [`StoreError`].
    pub(super) fn io(action: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::StorageFull,
            _ => Self::Io { action, error },
        }
    }

    /// Returns the kind of I/O error that is closest to this error.
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
