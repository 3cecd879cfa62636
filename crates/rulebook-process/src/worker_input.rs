//! The input of a worker: the pipe to which the engine writes messages.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::unix::pipe;
use tokio::sync::Notify;

/// The input of a worker. Any thread can write to it without waiting: what does not fit into the pipe is kept, and
/// written by [`WorkerInput::flush`].
#[derive(Debug)]
pub struct WorkerInput {
    state: Mutex<InputState>,
    /// Wakes [`WorkerInput::flush`].
    changed: Notify,
    /// The maximum number of bytes that are kept.
    max_pending: usize,
}

#[derive(Debug)]
struct InputState {
    /// `None` if the input is closed.
    pipe: Option<Arc<pipe::Sender>>,
    /// The bytes that did not fit into the pipe.
    pending: Vec<u8>,
    /// The number of bytes in `pending` that were written since.
    written: usize,
    /// The reason why the worker must be killed.
    failure: Option<String>,
    /// `true` if the worker was sent a message.
    has_messages: bool,
}

impl WorkerInput {
    /// Creates the input from the write end of a pipe.
    /// Fails if the descriptor cannot be used without blocking.
    pub fn new(fd: OwnedFd, max_pending: usize) -> io::Result<Self> {
        let pipe = Some(Arc::new(pipe::Sender::from_owned_fd(fd)?));
        let state = InputState { pipe, pending: Vec::new(), written: 0, failure: None, has_messages: false };
        Ok(Self { state: Mutex::new(state), changed: Notify::new(), max_pending })
    }

    /// Writes messages. If the worker cannot receive them, it fails, and so do its calls.
    pub fn send(&self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        let mut state = self.lock();
        state.has_messages = true;
        let Some(pipe) = &state.pipe else { return };
        let written = if state.pending.is_empty() { write(pipe, text) } else { Ok(0) };
        match written {
            Ok(length) if length == text.len() => return,
            Ok(length) if state.pending.len() - state.written + text.len() - length <= self.max_pending => {
                state.pending.extend_from_slice(&text[length..]);
            }
            Ok(_) => state.set_failure("it does not read its input"),
            Err(error) => state.set_failure(&format!("its input cannot be written: {error}")),
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Returns `true` if the worker was sent a message: a call, because this is the first one.
    pub fn has_messages(&self) -> bool {
        self.lock().has_messages
    }

    /// Makes [`WorkerInput::flush`] return this reason.
    pub fn fail(&self, reason: &str) {
        self.lock().set_failure(reason);
        self.changed.notify_one();
    }

    /// Closes the input, so that the worker sees its end.
    pub fn close(&self) {
        let mut state = self.lock();
        state.pipe = None;
        (state.pending, state.written) = (Vec::new(), 0);
    }

    /// Writes what did not fit into the pipe. Returns only if the worker must be killed, with the reason.
    pub async fn flush(&self) -> String {
        loop {
            let pipe = {
                let state = self.lock();
                if let Some(reason) = &state.failure {
                    return reason.clone();
                }
                state.pipe.as_ref().filter(|_| !state.pending.is_empty()).cloned()
            };
            match pipe {
                None => self.changed.notified().await,
                Some(pipe) => {
                    let written = match pipe.writable().await {
                        Ok(()) => self.write_pending(),
                        Err(error) => Err(error),
                    };
                    if let Err(error) = written {
                        return format!("its input cannot be written: {error}");
                    }
                }
            }
        }
    }

    fn write_pending(&self) -> io::Result<()> {
        let mut state = self.lock();
        let Some(pipe) = &state.pipe else { return Ok(()) };
        state.written += write(pipe, &state.pending[state.written..])?;
        if state.written == state.pending.len() {
            // A large message should not keep its memory.
            (state.pending, state.written) = (Vec::new(), 0);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, InputState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InputState {
    fn set_failure(&mut self, reason: &str) {
        self.failure.get_or_insert_with(|| reason.to_owned());
    }
}

/// Writes as much as fits into the pipe, and returns the number of bytes.
fn write(pipe: &pipe::Sender, text: &[u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < text.len() {
        match pipe.try_write(&text[length..]) {
            Ok(written) => length += written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
