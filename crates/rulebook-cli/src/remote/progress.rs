//! Displays the progress of a transfer on standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::TransferError;
use crate::output;

/// The layout of the progress bar, as a template of the crate `indicatif`.
const TEMPLATE: &str = "{wide_msg} [{bar:20}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";

/// The progress of a transfer. The bar is shown only if standard error is a terminal; each retry is reported in any
/// case, unless the transfer is quiet.
pub(crate) struct Progress {
    bar: ProgressBar,
    is_quiet: bool,
}

impl Progress {
    /// Creates the progress of a transfer with a name, which has not started.
    pub(crate) fn new(name: String, is_quiet: bool) -> Self {
        let bar = ProgressBar::hidden();
        // The template is a valid constant, so that the default style is never used.
        bar.set_style(ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(name);
        Self { bar, is_quiet }
    }

    /// Shows that an attempt has started. Earlier attempts have transferred `done` bytes. `total` is the number of
    /// bytes of the whole transfer; `None` if the server did not announce it.
    pub(super) fn start(&self, done: u64, total: Option<u64>) {
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

    /// Shows that further bytes have been transferred.
    pub(super) fn advance(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    /// Reports that an attempt has failed, and that the next one follows after a pause.
    pub(super) fn report_retry(&self, error: &TransferError, pause: Duration) {
        if !self.is_quiet {
            let message = format!("{error}; retrying in {:.1} seconds\n", pause.as_secs_f32());
            self.bar.suspend(|| output::print_to_stderr(&message));
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
