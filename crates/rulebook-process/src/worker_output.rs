//! The standard output of a worker: the lines that it sends, and the log of those that are not messages.

use rulebook::RequestId;
use rulebook::handler_kind::printable;
use tokio::net::unix::pipe;

use crate::pool::Pool;

/// The number of bytes that are read at once.
pub const READ_SIZE: usize = 64 << 10;
/// The memory in bytes that is kept for lines of a worker. Longer lines need more, which is freed afterwards.
const KEPT_SIZE: usize = 256 << 10;
/// The number of lines that are not messages, and that the log contains in full. Of further ones, it contains only one
/// in a thousand.
const MAX_LOGGED_NOISE: u64 = 100;

/// The standard output of a worker.
#[derive(Debug)]
pub struct WorkerOutput {
    pub pipe: pipe::Receiver,
    pub buffer: Vec<u8>,
    /// The number of bytes at the beginning of the buffer that contain no line break.
    pub searched: usize,
    pub is_ready: bool,
    noise_lines: u64,
}

impl WorkerOutput {
    pub fn new(pipe: pipe::Receiver) -> Self {
        Self { pipe, buffer: Vec::new(), searched: 0, is_ready: false, noise_lines: 0 }
    }

    /// Reserves memory for reading.
    pub fn reserve(&mut self) {
        if self.buffer.capacity() - self.buffer.len() < READ_SIZE / 4 {
            self.buffer.reserve(READ_SIZE);
        }
    }

    /// Keeps the bytes from `start`, which contain no line break.
    pub fn keep(&mut self, mut buffer: Vec<u8>, start: usize) {
        if buffer.len() - start < KEPT_SIZE && buffer.capacity() > 2 * KEPT_SIZE {
            buffer = buffer[start..].to_vec();
        } else {
            buffer.drain(..start);
        }
        self.searched = buffer.len();
        self.buffer = buffer;
    }

    pub fn log_noise(&mut self, pool: &Pool, slot: usize, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        self.noise_lines += 1;
        if self.noise_lines <= MAX_LOGGED_NOISE || self.noise_lines.is_multiple_of(1_000) {
            let text = format!("not a message: {}", printable(line));
            log_line(pool.name(), pool.only_request(slot).as_ref(), &text);
        }
    }
}

/// Writes a line of a worker to the log, with the id of the request that the worker handles.
pub fn log_line(name: &str, request_id: Option<&RequestId>, line: &str) {
    match request_id {
        Some(request_id) => log::info!(request_id:%; "{request_id}: {name}: {line}"),
        None => log::info!("{name}: {line}"),
    }
}
