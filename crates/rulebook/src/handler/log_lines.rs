//! Texts of other programs in the log.

use std::fmt::Write;

/// The maximum number of bytes of a line that the log contains.
const MAX_LOGGED: usize = 4_096;

/// Returns a line of another program for the log: it can contain anything, also control characters, which could change
/// what a terminal shows.
#[must_use]
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

/// Splits the output of another program into lines of at most 4 KiB; further bytes of a longer line are dropped.
#[derive(Debug, Default)]
pub struct LogLines {
    line: Vec<u8>,
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

    fn push(&mut self, bytes: &[u8]) {
        // One byte more than the limit shows that the line is longer.
        let capacity = (MAX_LOGGED + 1).saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(capacity)]);
    }

    fn end_line(&mut self, log: &mut impl FnMut(&str)) {
        if !self.line.trim_ascii().is_empty() {
            log(&printable(&self.line));
        }
        self.line.clear();
    }
}
