//! What the commands `rulebook send` and `rulebook fetch` have in common: their options, reading the API key, and
//! printing digests.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blake3::Hash;
use clap::Args;
use ureq::http::HeaderValue;

use super::{Exit, output};
use crate::remote::{Client, Progress, TransferError, Verification, bearer_field};

/// The environment variable that contains the API key.
const KEY_VARIABLE: &str = "RULEBOOK_KEY";
/// Maximum number of bytes that are read from the file of `--key-file`.
const MAX_KEY_FILE_BYTES: u64 = 4096;
/// The text at the end of the help of both commands.
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
        let authorization = authorization.map_err(|why| output::print_system_error(&why))?;
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

/// Prints the error of a failed transfer, and returns the exit code for it.
pub(super) fn print_transfer_error(error: &TransferError) -> Exit {
    let exit = output::print_system_error(&error.to_string());
    if matches!(error, TransferError::ErrorResponse(_) | TransferError::Redirect { .. }) {
        Exit::ErrorsReported
    } else {
        exit
    }
}
