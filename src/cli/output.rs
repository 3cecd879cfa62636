//! What commands print.

use std::io::{self, IsTerminal, Write};

use crate::diagnostic::Report;

/// Prints to standard output. That the reader has gone (`| head`) is no fault.
pub(super) fn print(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Prints to standard error.
pub(super) fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Prints what is wrong with a definition to standard error, in colour where a terminal shows it.
pub(super) fn report(report: &Report) {
    complain(&report.render(has_colour(&io::stderr())));
    complain(&format!("\n{}\n", count(report)));
}

/// How many faults there are, in words.
pub(super) fn count(report: &Report) -> String {
    match report.diagnostics.len() {
        1 => "1 fault".to_owned(),
        faults => format!("{faults} faults"),
    }
}

/// Whether a stream shows colours: a terminal, and `NO_COLOR` is not set.
pub(super) fn has_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
