//! Reads a file piece by piece: in the worker thread if the bytes are in the page cache, otherwise on another thread.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_rt::task::{JoinHandle, spawn_blocking};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;

/// The number of bytes of a file that are read at once.
pub(super) const PIECE: u64 = 256 << 10;

/// A range of a file, as a stream.
///
/// The position of the open file is neither used nor changed, so that several readers can share the open file.
pub(super) struct FileStream {
    file: Arc<File>,
    /// The offset of the next piece to be read.
    at: u64,
    /// The number of bytes from `at` to the end of the range.
    remaining: u64,
    /// The last piece that the worker read. When it has been sent, its buffer is used for the next piece.
    last: Bytes,
    /// `true` if the worker has read a piece and other tasks have not run since.
    must_yield: bool,
    /// The piece that another thread is reading.
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    /// `true` if the stream had to wait for that piece.
    waited: bool,
}

impl FileStream {
    /// Returns a stream of `length` bytes of a file, beginning at the offset `at`.
    pub(super) fn new(file: File, at: u64, length: u64) -> Self {
        let file = Arc::new(file);
        Self { file, at, remaining: length, last: Bytes::new(), must_yield: false, reading: None, waited: false }
    }

    /// Returns a buffer for the next piece, and the offset of that piece, which then counts as read.
    fn next_buffer(&mut self) -> (BytesMut, u64) {
        let length = self.remaining.min(PIECE);
        let at = self.at;
        self.remaining -= length;
        self.at += length;
        // At most `PIECE`.
        let length = length as usize;
        let buffer = match std::mem::take(&mut self.last).try_into_mut() {
            Ok(mut sent) if sent.len() >= length => {
                sent.truncate(length);
                sent
            }
            _ => BytesMut::zeroed(length),
        };
        (buffer, at)
    }

    /// Returns the next piece if it is in the page cache; otherwise starts to read it on another thread.
    fn read(&mut self) -> Option<Bytes> {
        let (mut buffer, at) = self.next_buffer();
        let read = read_from_memory(&self.file, at, &mut buffer);
        if read < buffer.len() {
            self.start_reading(buffer, at, read);
            return None;
        }
        self.must_yield = true;
        self.last = buffer.freeze();
        Some(self.last.clone())
    }

    /// Starts to read a piece on another thread. Its first `read` bytes are in the buffer already.
    fn start_reading(&mut self, mut buffer: BytesMut, at: u64, read: usize) {
        let file = Arc::clone(&self.file);
        self.reading = Some(spawn_blocking(move || {
            read_exact(&file, at + read as u64, &mut buffer[read..])?;
            Ok(buffer.freeze())
        }));
    }
}

impl Stream for FileStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let this = &mut *self;
        if this.reading.is_none() {
            if this.remaining == 0 {
                return Poll::Ready(None);
            }
            // Without this, a client that receives as fast as the worker reads would keep the worker from all other
            // requests.
            if std::mem::take(&mut this.must_yield) {
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(piece) = this.read() {
                return Poll::Ready(Some(Ok(piece)));
            }
        }
        let Some(reading) = &mut this.reading else { return Poll::Ready(None) };
        let Poll::Ready(read) = Pin::new(reading).poll(task) else {
            this.waited = true;
            return Poll::Pending;
        };
        this.reading = None;
        let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
        if read.is_err() {
            this.remaining = 0;
        }
        // The stream had to wait for the disk: the next piece is read ahead while this one is sent.
        if std::mem::take(&mut this.waited) && this.remaining > 0 {
            let (buffer, at) = this.next_buffer();
            this.start_reading(buffer, at, 0);
        }
        Poll::Ready(Some(read))
    }
}

/// Reads the bytes that are in the page cache, and returns their number. The number is less than the length of the
/// buffer if further bytes are not cached, the file ends, or the system or file system does not support this kind of
/// read. Reading on another thread then finds out which.
#[cfg(target_os = "linux")]
fn read_from_memory(file: &File, at: u64, buffer: &mut [u8]) -> usize {
    use rustix::io::{ReadWriteFlags, preadv2};
    preadv2(file, &mut [io::IoSliceMut::new(buffer)], at, ReadWriteFlags::NOWAIT).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn read_from_memory(_: &File, _: u64, _: &mut [u8]) -> usize {
    0
}

/// Fills the buffer with the bytes from the offset `at`.
///
/// # Errors
/// Fails if the file cannot be read, or ends early.
fn read_exact(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<()> {
    #[cfg(unix)]
    let read = std::os::unix::fs::FileExt::read_exact_at(file, buffer, at);
    #[cfg(not(unix))]
    let read = {
        use io::{Read, Seek};
        let mut file = file;
        file.seek(io::SeekFrom::Start(at)).and_then(|_| file.read_exact(buffer))
    };
    read.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the file has become shorter"),
        _ => error,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write;

    use futures_util::FutureExt;
    use futures_util::stream::StreamExt;

    use super::*;

    #[test]
    fn bytes_in_memory_are_read_without_a_thread_into_one_buffer() {
        let mut file = tempfile::tempfile().expect("a file can be created");
        let content: Vec<u8> = (0..3 * PIECE + 5).map(|at| (at >> 10) as u8).collect();
        file.write_all(&content).expect("the file can be written");
        if read_from_memory(&file, 0, &mut [0]) == 0 {
            eprintln!("SKIPPED: this file system cannot read from memory only");
            return;
        }
        // No runtime is running, so there are no other threads.
        let mut pieces = FileStream::new(file, 0, content.len() as u64);
        let (mut read, mut buffers) = (Vec::new(), Vec::new());
        while read.len() < content.len() {
            let piece =
                pieces.next().now_or_never().flatten().expect("the piece is in memory").expect("the piece can be read");
            read.extend_from_slice(&piece);
            buffers.push(piece.as_ptr());
            drop(piece);
            if read.len() < content.len() {
                assert!(pieces.next().now_or_never().is_none(), "other tasks run between two pieces");
            }
        }
        assert!(matches!(pieces.next().now_or_never(), Some(None)), "the stream ends");
        assert!(read == content);
        buffers.dedup();
        assert_eq!(buffers.len(), 1, "every piece is read into the same buffer");
    }
}
