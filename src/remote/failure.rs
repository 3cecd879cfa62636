//! Why a file is not sent or not fetched.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Timeout;

use super::Digest;
use super::refused::Refused;

/// Why a file is not sent or not fetched.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no answer, or not all of it.
    Connection(ureq::Error),
    /// The connection was lost when the file had begun to be sent: whether the server has kept it is not known.
    Unknown(ureq::Error),
    /// The server refuses.
    Refused(Refused),
    /// What was asked for is elsewhere.
    Moved { status: u16, to: String },
    /// The answer is none to the question.
    Senseless(&'static str),
    /// The content is another one than the server's.
    Digest { own: Digest, told: Digest },
    /// A file here cannot be used.
    File { path: PathBuf, error: io::Error },
    /// A file was changed while it was sent.
    Changed(PathBuf),
    /// Another process is fetching into this file.
    Busy(PathBuf),
}

impl Failure {
    /// Makes a failure of what the system says about a file.
    pub(super) fn of(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::File { path: path.to_owned(), error }
    }

    /// For how long to wait before it may go better, at least; none where it will not.
    pub(super) fn passes(&self) -> Option<Duration> {
        match self {
            // What is said so is no broken connection: a certificate that is not trusted, another protocol.
            Self::Connection(ureq::Error::Io(error)) if error.kind() == io::ErrorKind::InvalidData => None,
            Self::Connection(ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed) => {
                Some(Duration::ZERO)
            }
            Self::Refused(refused) => refused.passes(),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(f, "the connection failed: {}", Cause(error)),
            Self::Unknown(error) => write!(
                f,
                "the connection failed when the file had begun to be sent: {}; the server may have kept it",
                Cause(error)
            ),
            Self::Refused(refused) => write!(f, "{refused}"),
            Self::Moved { status, to } => write!(f, "the server says that it is elsewhere ({status}): {to}"),
            Self::Senseless(why) => write!(f, "the server's answer makes no sense: {why}"),
            Self::Digest { own, told } => {
                write!(f, "the content is not the server's: its digest is {own} here, {told} there")
            }
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Changed(path) => write!(f, "{}: it was changed while it was sent", path.display()),
            Self::Busy(path) => write!(f, "{}: another process is fetching into it", path.display()),
        }
    }
}

/// What ureq says, without the kind of error where the error says all.
struct Cause<'a>(&'a ureq::Error);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ureq::Error::Io(error) => write!(f, "{error}"),
            ureq::Error::HostNotFound => f.write_str("there is no such host"),
            ureq::Error::Timeout(Timeout::Resolve) => f.write_str("nobody says in time where the host is"),
            ureq::Error::Timeout(Timeout::Connect) => f.write_str("the host does not answer"),
            ureq::Error::Timeout(_) => f.write_str("the server has been silent for too long"),
            other => write!(f, "{other}"),
        }
    }
}
