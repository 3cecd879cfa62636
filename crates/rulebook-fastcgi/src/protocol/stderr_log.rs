//! Writes the messages of a FastCGI server to the log, with the id of the request.

use rulebook::RequestId;
use rulebook::handler_kind::LogLines;

use crate::call_error::CallError;

/// The maximum length of messages in bytes; a server that sends more is cut off.
const MAX_LEN: usize = 1 << 20;
/// The maximum number of bytes of messages that are logged for each call.
const MAX_LOGGED: usize = 16 << 10;

/// Writes the messages of one call to the log, one line at a time.
#[derive(Debug)]
pub struct StderrLog {
    /// The id of the request, or the id of the method if the call comes from no request.
    name: String,
    lines: LogLines,
    received: usize,
    logged: usize,
}

impl StderrLog {
    pub fn new(request: Option<&RequestId>, method: &str) -> Self {
        let name = request.map_or_else(|| method.to_owned(), ToString::to_string);
        Self { name, lines: LogLines::default(), received: 0, logged: 0 }
    }

    /// Adds received bytes, and logs the lines that are complete.
    /// Fails if the server has sent too many messages.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        self.received += bytes.len();
        if self.received > MAX_LEN {
            return Err(CallError::TooManyMessages(MAX_LEN));
        }
        self.lines.add(bytes, |line| log_line(&self.name, line, &mut self.logged));
        Ok(())
    }

    /// Logs the line that was received, if it is not empty.
    pub(super) fn end_line(&mut self) {
        self.lines.finish(|line| log_line(&self.name, line, &mut self.logged));
    }
}

impl Drop for StderrLog {
    fn drop(&mut self) {
        self.end_line();
    }
}

/// Logs a line, unless `logged`, the number of bytes that were logged, exceeds the limit.
fn log_line(name: &str, line: &str, logged: &mut usize) {
    if *logged > MAX_LOGGED {
        return;
    }
    *logged += line.len();
    log::warn!(request_id = name; "{name}: PHP: {line}");
    if *logged > MAX_LOGGED {
        log::warn!(request_id = name; "{name}: PHP: further messages of this call are not logged");
    }
}
