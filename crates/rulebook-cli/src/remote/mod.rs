//! The client side of `rulebook send` and `rulebook fetch`: it sends files to another rulebook server, and fetches
//! files from it. The methods that it calls are those of the crate `rulebook-iapi`. It also fetches the TypeScript
//! declarations and the definition of an API, for `rulebook types --from`, and OpenAPI descriptions, for `rulebook
//! import`.
//!
//! This module sends the requests, repeats failed requests, and verifies that the local file and the file on the server
//! have the same content. It does not read a definition: the server decides which files it accepts. This file has what
//! both commands have in common: their options, the API key, the display of progress, and errors.

mod client;
pub(crate) mod fetch;
pub(crate) mod send;

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use blake3::Hash;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use thiserror::Error;
use ureq::Timeout;
use ureq::http::HeaderValue;

use crate::{Exit, output};
use client::ErrorResponse;
pub(crate) use client::{Client, FetchedDefinition, bearer_field, document_url, parse_server_url};
use fetch::Verification;

const KEY_VARIABLE: &str = "RULEBOOK_KEY";
const MAX_KEY_FILE_BYTES: u64 = 4096;
const AFTER_HELP: &str = "\
The key is read from the file of --key-file, or from the environment variable RULEBOOK_KEY. No flag takes the key itself, \
because other users can see the arguments of a process. Certificates are verified against the system's trusted \
authorities. Proxies are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY.

Exit codes: 0 success; 1 the server responded with an error or a redirect; 2 invalid usage; 3 the server cannot be \
reached, a file cannot be read or written, or the content differs from the server's.";

/// Returns the examples of a command, followed by the text that ends the help of both commands.
pub(super) fn after_help(examples: &str) -> String {
    format!("{examples}\n\n{AFTER_HELP}")
}

#[derive(Debug, Args)]
pub(super) struct ClientOptions {
    /// File that contains only the API key; only its owner should be able to read it (mode 0600).
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Maximum number of retries after a connection error or a response such as 503 (Service Unavailable).
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(..=1000))]
    retries: u32,
    /// Seconds to wait for the server to send or receive any data.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86400))]
    timeout: u32,
    /// Print only errors.
    #[arg(short, long)]
    quiet: bool,
}

impl ClientOptions {
    /// Creates an HTTP client that sends the API key of `--key-file` or of the environment variable. `transfer` is the
    /// name of what it transfers. Prints an error if the key cannot be read.
    pub(super) fn create_client(&self, transfer: String) -> Result<Client, Exit> {
        let authorization = match (&self.key_file, std::env::var_os(KEY_VARIABLE).filter(|key| !key.is_empty())) {
            (Some(path), _) => self.read_key(path).map(Some).map_err(|why| format!("{}: {why}", path.display())),
            (None, Some(key)) => match key.to_str().and_then(bearer_field) {
                None => Err(format!("the value of {KEY_VARIABLE} is not a key")),
                field => Ok(field),
            },
            (None, None) => Ok(None),
        };
        let authorization = authorization.map_err(output::print_system_error)?;
        let progress = Progress::new(transfer, self.quiet);
        Ok(Client::new(authorization, self.retries, Duration::from_secs(self.timeout.into()), progress))
    }

    fn read_key(&self, path: &Path) -> Result<HeaderValue, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let mut text = String::new();
        (&file).take(MAX_KEY_FILE_BYTES).read_to_string(&mut text).map_err(|error| error.to_string())?;
        let key = bearer_field(&text).ok_or("the file does not contain a key")?;
        #[cfg(unix)]
        if let Ok(metadata) = file.metadata()
            && std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
        {
            let path = path.display();
            self.print_message(&format!("warning: {path}: other users can read the key; run `chmod 600 {path}`\n"));
        }
        Ok(key)
    }

    /// Prints a line with the digest and the name of each file, in the format of the program `b3sum`.
    pub(super) fn print_digests<'a>(
        &self,
        files: impl IntoIterator<Item = (Hash, &'a str)>,
        verification: Verification,
    ) -> Exit {
        if self.quiet {
            return Exit::Success;
        }
        if verification == Verification::Unverified {
            self.print_message("not verified: the server did not send a digest to compare with\n");
        }
        let mut text = String::new();
        for (digest, name) in files {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{digest}  {name}");
        }
        output::print_to_stdout(&text)
    }

    /// Prints a message to standard error, unless `--quiet` is given.
    pub(super) fn print_message(&self, message: &str) {
        if !self.quiet {
            output::print_to_stderr(message);
        }
    }
}

pub(super) fn print_transfer_error(error: &TransferError) -> Exit {
    let exit = output::print_system_error(error);
    if matches!(error, TransferError::ErrorResponse(_) | TransferError::Redirect { .. }) {
        Exit::ErrorsReported
    } else {
        exit
    }
}

/// The layout of the progress bar, as a template of the crate `indicatif`.
const TEMPLATE: &str = "{wide_msg} [{bar:20}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";

/// The progress of a transfer. The bar is shown only if standard error is a terminal; each retry is reported in any
/// case, unless the transfer is quiet.
pub(crate) struct Progress {
    bar: ProgressBar,
    is_quiet: bool,
}

impl Progress {
    pub(crate) fn new(name: String, is_quiet: bool) -> Self {
        let bar = ProgressBar::hidden();
        // The template is a valid constant, so that the default style is never used.
        bar.set_style(ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(name);
        Self { bar, is_quiet }
    }

    /// Shows that an attempt has started. Earlier attempts have transferred `done` bytes. `total` is the number of
    /// bytes of the whole transfer; `None` if the server did not announce it.
    fn start(&self, done: u64, total: Option<u64>) {
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        self.bar.set_position(done);
        self.bar.reset_eta();
        if !self.is_quiet {
            // The crate `indicatif` draws nothing unless standard error is a terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    fn advance(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    fn report_retry(&self, error: &TransferError, pause: Duration) {
        if !self.is_quiet {
            let message = format!("{error}; retrying in {:.1} seconds\n", pause.as_secs_f32());
            self.bar.suspend(|| output::print_to_stderr(&message));
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

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
    #[error("{0}")]
    ErrorResponse(ErrorResponse),
    /// The server redirects to another URL. Redirects are not followed.
    #[error("the server redirects to another URL ({status}), which is not followed: {location}")]
    Redirect { status: u16, location: String },
    /// The response does not follow HTTP, or does not match the request.
    #[error("the server's response is invalid: {0}")]
    InvalidResponse(&'static str),
    #[error("the content differs from the server's: its digest is {local} here and {remote} on the server")]
    DigestMismatch { local: Hash, remote: Hash },
    #[error("{path}: {error}")]
    FileAccess { path: PathBuf, error: io::Error },
    #[error("{0}: the file was changed while it was sent")]
    FileChanged(PathBuf),
    /// Another process is fetching a file to this path.
    #[error("{0}: another process is fetching this file")]
    FileBusy(PathBuf),
}

impl TransferError {
    /// Returns a function that converts an error of the operating system to an error for the local file `path`.
    fn at_path(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::FileAccess { path: path.to_owned(), error }
    }

    /// Returns the minimum pause before the next attempt; `None` if another attempt would fail with the same error.
    fn retry_after(&self) -> Option<Duration> {
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
