//! Texts of workers in the log.

use std::fmt::Write;

use rulebook::RequestId;

/// The maximum number of bytes of a worker's line that the log contains.
pub const MAX_LOGGED: usize = 4_096;

/// Returns a line of a worker for the log: a worker can print anything, also control characters, which could change
/// what a terminal shows.
pub fn printable(line: &[u8]) -> String {
    let shown = &line[..line.len().min(MAX_LOGGED)];
    let mut text = String::with_capacity(shown.len());
    for character in String::from_utf8_lossy(shown.trim_ascii_end()).chars() {
        if character.is_control() && character != '\t' {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{}", character.escape_default());
        } else {
            text.push(character);
        }
    }
    if line.len() > MAX_LOGGED {
        text.push('…');
    }
    text
}

/// Writes a line of a worker to the log, with the id of the request that the worker handles.
pub fn log_line(name: &str, request_id: Option<&RequestId>, line: &str) {
    match request_id {
        Some(request_id) => log::info!(request_id:%; "{request_id}: {name}: {line}"),
        None => log::info!("{name}: {line}"),
    }
}

/// Splits the output of a worker into lines of at most [`MAX_LOGGED`] bytes; further bytes of a longer line are
/// dropped.
#[derive(Debug, Default)]
pub struct LogLines {
    line: Vec<u8>,
    /// The last line that was complete.
    last: Option<String>,
}

impl LogLines {
    /// Adds output, and calls `log` with each complete line.
    pub fn add(&mut self, output: &[u8], mut log: impl FnMut(&str)) {
        let mut rest = output;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.push(&rest[..end]);
            self.end_line(&mut log);
            rest = &rest[end + 1..];
        }
        self.push(rest);
    }

    /// Calls `log` with the last line, if it has no line break.
    pub fn finish(&mut self, mut log: impl FnMut(&str)) {
        self.end_line(&mut log);
    }

    /// Returns the last line that was not empty.
    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    fn push(&mut self, bytes: &[u8]) {
        // One byte more than the limit shows that the line is longer.
        let capacity = (MAX_LOGGED + 1).saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(capacity)]);
    }

    fn end_line(&mut self, log: &mut impl FnMut(&str)) {
        if !self.line.trim_ascii().is_empty() {
            let text = printable(&self.line);
            log(&text);
            self.last = Some(text);
        }
        self.line.clear();
    }
}
