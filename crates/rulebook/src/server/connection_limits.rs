//! The limits of connections, as the server applies them.

use std::time::Duration;

use rulebook_model::connection_limits::{HANDSHAKE_SECONDS, HEAD_SECONDS, PROGRESS_SECONDS};

/// The maximum time from the first byte of a request until its head is complete.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(HEAD_SECONDS);
/// The maximum time from the beginning of a connection until the handshake of TLS is complete.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(HANDSHAKE_SECONDS);
/// The maximum time until a head is complete on a connection that is reserved for checks of the server's health.
pub(super) const RESERVED_HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// The time after which a connection is closed if the client has received no further byte of a response.
pub(super) const PROGRESS_TIMEOUT: Duration = Duration::from_secs(PROGRESS_SECONDS);
/// The maximum time for which the server keeps reading after its last response, so that the client can finish sending
/// and read the response (RFC 9112 section 9.6).
pub(super) const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// The number of open files below which the server warns that it can serve few clients.
const FEW_FILES: u64 = 2048;
/// The number of open files that is assumed if the system does not report it.
const DEFAULT_MAX_FILES: u64 = 1024;

/// Raises the number of files that the process may open to the maximum that the system allows, and returns it.
pub(super) fn raise_file_limit() -> usize {
    let files = max_files();
    if files < FEW_FILES {
        log::warn!("the process may open only {files} files and connections; raise the limit of the system");
    } else {
        log::debug!("the process may open {files} files and connections");
    }
    usize::try_from(files).unwrap_or(usize::MAX)
}

#[cfg(unix)]
fn max_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum.unwrap_or(u64::MAX),
        Err(_) => current.unwrap_or(DEFAULT_MAX_FILES),
    }
}

#[cfg(not(unix))]
fn max_files() -> u64 {
    DEFAULT_MAX_FILES
}
