//! What the commands `rulebook send` and `rulebook fetch` have in common: their options, reading the API key, and
//! displaying the progress.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Exit, output};
use crate::remote::{BearerKey, Client, Digest, Progress, TransferError, Verification};

/// The environment variable that contains the API key.
const KEY_VARIABLE: &str = "RULEBOOK_KEY";
/// Maximum number of bytes that are read from the file of `--key-file`.
const MAX_KEY_FILE_BYTES: u64 = 4096;
/// The layout of the progress bar, as a template of the crate `indicatif`.
const PROGRESS_BAR_TEMPLATE: &str = "{wide_msg} [{bar:20}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";

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
    /// Creates an HTTP client that sends the API key of `--key-file` or of the environment variable. Prints an error if
    /// the key cannot be read.
    pub(super) fn create_client(&self) -> Result<Client, Exit> {
        let key = match &self.key_file {
            Some(path) => Some(
                self.read_key(path).map_err(|why| output::print_system_error(&format!("{}: {why}", path.display())))?,
            ),
            None => match std::env::var_os(KEY_VARIABLE).filter(|key| !key.is_empty()) {
                Some(key) => {
                    let key = key.to_str().and_then(BearerKey::parse);
                    Some(key.ok_or_else(|| {
                        output::print_system_error(&format!("the value of {KEY_VARIABLE} is not a key"))
                    })?)
                }
                None => None,
            },
        };
        Ok(Client::new(key, self.retries, Duration::from_secs(self.timeout.into())))
    }

    fn read_key(&self, path: &Path) -> Result<BearerKey, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let mut text = String::new();
        (&file).take(MAX_KEY_FILE_BYTES).read_to_string(&mut text).map_err(|error| error.to_string())?;
        let key = BearerKey::parse(&text).ok_or("the file does not contain a key")?;
        #[cfg(unix)]
        if let Ok(metadata) = file.metadata()
            && std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
        {
            let path = path.display();
            self.print_message(&format!("warning: {path}: other users can read the key; run `chmod 600 {path}`\n"));
        }
        Ok(key)
    }

    /// Runs a transfer and displays its progress. The progress bar is shown only if standard error is a terminal; each
    /// retry is reported in any case, unless `--quiet` is given.
    pub(super) fn run_with_progress<T>(
        &self,
        name: String,
        transfer: impl FnOnce(&mut dyn FnMut(Progress<'_>)) -> T,
    ) -> T {
        let bar = ProgressBar::hidden();
        // The template is a valid constant, so that the default style is never used.
        bar.set_style(
            ProgressStyle::with_template(PROGRESS_BAR_TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.set_message(name);
        let result = transfer(&mut |progress| match progress {
            Progress::Started { done, total } => {
                match total {
                    Some(total) => bar.set_length(total),
                    None => bar.unset_length(),
                }
                bar.set_position(done);
                bar.reset_eta();
                if !self.quiet {
                    // The crate `indicatif` draws nothing unless standard error is a terminal.
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                }
            }
            Progress::Advanced(bytes) => bar.inc(bytes),
            Progress::Retrying { error, pause } => {
                let message = format!("{error}; retrying in {:.1} seconds\n", pause.as_secs_f32());
                bar.suspend(|| self.print_message(&message));
            }
        });
        bar.finish_and_clear();
        result
    }

    /// Prints a line with the digest and the name of each file, in the format of the program `b3sum`.
    pub(super) fn print_digests<'a>(
        &self,
        files: impl IntoIterator<Item = (Digest, &'a str)>,
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
