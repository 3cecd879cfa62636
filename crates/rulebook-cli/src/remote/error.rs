//! The errors of sending and fetching files.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blake3::Hash;
use thiserror::Error;
use ureq::Timeout;

use super::error_response::ErrorResponse;

/// The reason why a file could not be sent or fetched.
#[derive(Debug, Error)]
pub(crate) enum TransferError {
    /// The connection failed before the whole response arrived.
    #[error("the connection failed: {}", CauseMessage(.0))]
    Connection(ureq::Error),
    /// The connection failed after part of the file had been sent, so that it is unknown whether the server has stored
    /// the file.
    #[error(
        "the connection failed after part of the file had been sent: {}; the server may have stored the file",
        CauseMessage(.0)
    )]
    OutcomeUnknown(ureq::Error),
    /// The server responded with an error.
    #[error("{0}")]
    ErrorResponse(ErrorResponse),
    /// The server redirects to another URL. Redirects are not followed.
    #[error("the server redirects to another URL ({status}), which is not followed: {location}")]
    Redirect { status: u16, location: String },
    /// The response does not follow HTTP, or does not match the request.
    #[error("the server's response is invalid: {0}")]
    InvalidResponse(&'static str),
    /// The content differs from the content on the server.
    #[error("the content differs from the server's: its digest is {local} here and {remote} on the server")]
    DigestMismatch { local: Hash, remote: Hash },
    /// A local file cannot be read or written.
    #[error("{path}: {error}")]
    FileAccess { path: PathBuf, error: io::Error },
    /// A local file was changed while it was sent.
    #[error("{0}: the file was changed while it was sent")]
    FileChanged(PathBuf),
    /// Another process is fetching a file to this path.
    #[error("{0}: another process is fetching this file")]
    FileBusy(PathBuf),
}

impl TransferError {
    /// Returns a function that converts an error of the operating system to an error for the local file `path`.
    pub(super) fn at_path(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::FileAccess { path: path.to_owned(), error }
    }

    /// Returns the minimum pause before the next attempt; `None` if another attempt would fail with the same error.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            // The TLS library reports untrusted certificates and protocol errors as `InvalidData`. A retry would fail
            // too.
            Self::Connection(ureq::Error::Io(error)) if error.kind() == io::ErrorKind::InvalidData => None,
            Self::Connection(ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed) => {
                Some(Duration::ZERO)
            }
            Self::ErrorResponse(response) => response.retry_after(),
            _ => None,
        }
    }
}

/// Formats an error of the HTTP library ureq without the prefixes that ureq adds.
struct CauseMessage<'a>(&'a ureq::Error);

impl fmt::Display for CauseMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ureq::Error::Io(error) => write!(f, "{error}"),
            ureq::Error::HostNotFound => f.write_str("the host name cannot be resolved"),
            ureq::Error::Timeout(Timeout::Resolve) => f.write_str("resolving the host name timed out"),
            ureq::Error::Timeout(Timeout::Connect) => f.write_str("connecting to the host timed out"),
            ureq::Error::Timeout(_) => f.write_str("the server sent nothing within the time of --timeout"),
            other => write!(f, "{other}"),
        }
    }
}
