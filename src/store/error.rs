//! Why a file is not given or not kept.

use std::fmt;
use std::io;

use super::Name;

/// Why a file is not given or not kept. Nothing of it is there then that was not there before.
#[derive(Debug)]
pub enum StoreError {
    /// There is no file of this name.
    Missing(Name),
    /// What has this name is no file, or what should be a folder on the way to it is none.
    Taken(Name),
    /// The file of this name is not in the state that was asked for: 412 (RFC 9110 section 15.5.13).
    Precondition(Name),
    /// Two files of one call have this name.
    Twice(Name),
    /// The file is longer than so many bytes.
    TooLong(u64),
    /// There is no room for it.
    Full,
    /// The system refused something else.
    Io {
        /// What was being done: `reading`.
        doing: &'static str,
        /// What the system said. It is for the log.
        error: io::Error,
    },
}

impl StoreError {
    /// What the system said while something was being done.
    pub(super) fn io(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io { doing, error },
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "there is no file `{name}`"),
            Self::Taken(name) => write!(f, "`{name}` cannot be a file: something else has its place"),
            Self::Precondition(name) => write!(f, "the file `{name}` is not in the state that was asked for"),
            Self::Twice(name) => write!(f, "two files are called `{name}`"),
            Self::TooLong(most) => write!(f, "a file has {most} bytes at most"),
            Self::Full => f.write_str("there is no room for the file"),
            Self::Io { doing, error } => write!(f, "{doing}: {error}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
