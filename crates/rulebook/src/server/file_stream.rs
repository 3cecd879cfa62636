//! Reads a file piece by piece: in the thread of the worker if the bytes are in the page cache, otherwise on another
//! thread.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_rt::task::{JoinHandle, spawn_blocking};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;

use crate::client_shares::Share;
use crate::pipeline::FileRange;

/// The number of bytes of a file that are read at once. Only the last piece of a file may be shorter.
pub(super) const PIECE_LEN: u64 = 64 << 10;

/// A stream of the bytes in one range of a file.
///
/// The stream does not use the read position of the open file, so that several streams can share the file.
pub(super) struct FileStream {
    file: Arc<File>,
    /// Counts the open file until the stream ends.
    _share: Option<Share>,
    /// The file offset of the next piece that will be read.
    offset: u64,
    /// The number of bytes that have not been read yet: from `offset` to the end of the range.
    remaining_bytes: u64,
    /// The last piece that the worker has read. After this piece has been sent, its buffer is used for another piece.
    last_piece: Bytes,
    /// `true` if the worker has read a piece and has not run other tasks since then.
    must_yield: bool,
    /// The piece that another thread is reading; `None` if no thread is reading.
    piece_in_progress: Option<JoinHandle<io::Result<Bytes>>>,
    /// `true` if the stream was polled before `piece_in_progress` had been read.
    has_waited: bool,
}

impl From<FileRange> for FileStream {
    fn from(FileRange { file, offset, length, share }: FileRange) -> Self {
        Self {
            file: Arc::new(file),
            _share: share,
            offset,
            remaining_bytes: length,
            last_piece: Bytes::new(),
            must_yield: false,
            piece_in_progress: None,
            has_waited: false,
        }
    }
}

impl FileStream {
    /// Returns a buffer for the next piece and the file offset of this piece, and advances `offset`.
    fn next_buffer(&mut self) -> (BytesMut, u64) {
        let length = self.remaining_bytes.min(PIECE_LEN);
        let at = self.offset;
        self.remaining_bytes -= length;
        self.offset += length;
        // The length is at most `PIECE_LEN`, so that it fits into `usize`.
        let length = length as usize;
        let buffer = match std::mem::take(&mut self.last_piece).try_into_mut() {
            Ok(mut sent) if sent.len() >= length => {
                sent.truncate(length);
                sent
            }
            _ => BytesMut::zeroed(length),
        };
        (buffer, at)
    }

    /// Returns the next piece if all of it is in the page cache. Otherwise starts to read it on another thread.
    fn read_piece(&mut self) -> Option<Bytes> {
        let (mut buffer, at) = self.next_buffer();
        let read = read_cached_bytes(&self.file, at, &mut buffer);
        if read < buffer.len() {
            self.start_reading(buffer, at, read);
            return None;
        }
        self.must_yield = true;
        self.last_piece = buffer.freeze();
        Some(self.last_piece.clone())
    }

    /// Starts to read a piece on another thread. `read` bytes at the beginning of the buffer have been read already.
    fn start_reading(&mut self, mut buffer: BytesMut, at: u64, read: usize) {
        let file = Arc::clone(&self.file);
        self.piece_in_progress = Some(spawn_blocking(move || {
            read_exact_at(&file, at + read as u64, &mut buffer[read..])?;
            Ok(buffer.freeze())
        }));
    }
}

impl Stream for FileStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let this = &mut *self;
        if this.piece_in_progress.is_none() {
            if this.remaining_bytes == 0 {
                return Poll::Ready(None);
            }
            // Other tasks run between two pieces. Otherwise, a client that receives as fast as the worker reads would
            // prevent the worker from handling other requests.
            if std::mem::take(&mut this.must_yield) {
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(piece) = this.read_piece() {
                return Poll::Ready(Some(Ok(piece)));
            }
        }
        let Some(reading) = &mut this.piece_in_progress else { return Poll::Ready(None) };
        let Poll::Ready(read) = Pin::new(reading).poll(task) else {
            this.has_waited = true;
            return Poll::Pending;
        };
        this.piece_in_progress = None;
        let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
        if read.is_err() {
            this.remaining_bytes = 0;
        }
        // The stream had to wait for the disk. Therefore the next piece is read from the disk while this piece is sent.
        if std::mem::take(&mut this.has_waited) && this.remaining_bytes > 0 {
            let (buffer, at) = this.next_buffer();
            this.start_reading(buffer, at, 0);
        }
        Poll::Ready(Some(read))
    }
}

/// Reads bytes at the file offset `at` that are in the page cache, and returns their number. The number is less than
/// the length of the buffer if some bytes are not in the page cache, if the file ends, or if the operating system or
/// the file system cannot read from the page cache only. The caller then reads the missing bytes on another thread.
#[cfg(target_os = "linux")]
pub(super) fn read_cached_bytes(file: &File, at: u64, buffer: &mut [u8]) -> usize {
    use rustix::io::{ReadWriteFlags, preadv2};
    preadv2(file, &mut [io::IoSliceMut::new(buffer)], at, ReadWriteFlags::NOWAIT).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read_cached_bytes(_: &File, _: u64, _: &mut [u8]) -> usize {
    0
}

/// Fills the buffer with the bytes at the file offset `at`.
///
/// # Errors
/// Fails if the file cannot be read, or if it ends before the buffer is full.
pub(super) fn read_exact_at(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<()> {
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
        let content: Vec<u8> = (0..3 * PIECE_LEN + 5).map(|at| (at >> 10) as u8).collect();
        file.write_all(&content).expect("the file can be written");
        if read_cached_bytes(&file, 0, &mut [0]) == 0 {
            eprintln!("SKIPPED: this file system cannot read from memory only");
            return;
        }
        // The test runs no async runtime, so that no other thread can read the file.
        let mut pieces = FileStream::from(FileRange { file, offset: 0, length: content.len() as u64, share: None });
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
