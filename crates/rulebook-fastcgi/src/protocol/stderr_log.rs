//! Writes the messages of a FastCGI server to the log, with the id of the request.

use rulebook::RequestId;

use crate::call_error::CallError;

/// The maximum length of messages in bytes; a server that sends more is cut off.
const MAX_LEN: usize = 1 << 20;
/// The maximum number of bytes of messages that are logged for each call.
const MAX_LOGGED: usize = 16 << 10;
/// The maximum number of bytes of one line in the log.
const MAX_LINE: usize = 2 << 10;

/// Writes the messages of one call to the log, one line at a time.
#[derive(Debug)]
pub struct StderrLog {
    /// The id of the request, or the id of the method if the call comes from no request.
    name: String,
    /// The beginning of a line.
    line: Vec<u8>,
    received: usize,
    logged: usize,
}

impl StderrLog {
    /// Creates a log for a call of the method with this id.
    pub fn new(request: Option<&RequestId>, method: &str) -> Self {
        let name = request.map_or_else(|| method.to_owned(), ToString::to_string);
        Self { name, line: Vec::new(), received: 0, logged: 0 }
    }

    /// Adds received bytes, and logs the lines that are complete.
    ///
    /// # Errors
    /// Fails if the server has sent too many messages.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        self.received += bytes.len();
        if self.received > MAX_LEN {
            return Err(CallError::TooManyMessages(MAX_LEN));
        }
        for byte in bytes {
            if *byte == b'\n' {
                self.end_line();
            } else if self.line.len() < MAX_LINE {
                self.line.push(*byte);
            }
        }
        Ok(())
    }

    /// Logs the line that was received, if it is not empty.
    pub(super) fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim_ascii();
        if line.is_empty() || self.logged > MAX_LOGGED {
            return;
        }
        self.logged += line.len();
        let name = &self.name;
        let text = without_control_characters(&String::from_utf8_lossy(line));
        log::warn!(request_id = name.as_str(); "{name}: PHP: {text}");
        if self.logged > MAX_LOGGED {
            log::warn!(request_id = name.as_str(); "{name}: PHP: further messages of this call are not logged");
        }
    }
}

impl Drop for StderrLog {
    fn drop(&mut self) {
        self.end_line();
    }
}

/// Escapes control characters, which could forge lines in the log.
fn without_control_characters(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() {
            escaped.extend(char.escape_default());
        } else {
            escaped.push(char);
        }
    }
    escaped
}
