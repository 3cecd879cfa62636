//! Files that are sent, read piece by piece: by the worker where that waits for nothing, else away from it.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_rt::task::{JoinHandle, spawn_blocking};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;

/// How much of a file is read at once, in bytes.
pub(super) const PIECE: u64 = 256 << 10;

/// A range of a file.
///
/// Its position is neither looked at nor moved: others may read the same open file.
pub(super) struct FilePieces {
    file: Arc<File>,
    /// Where the next piece begins that no reading has been begun for.
    at: u64,
    /// How many bytes are to come from there on.
    left: u64,
    /// The last piece that the worker read: when it has been sent, the next one is read into its place.
    last: Bytes,
    /// Whether the worker read the last piece, and others have not had their turn since.
    turn: bool,
    /// A piece that is read away from the worker.
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    /// Whether it was waited for.
    waited: bool,
}

impl FilePieces {
    /// `length` bytes of a file, from `at` on.
    pub(super) fn new(file: File, at: u64, length: u64) -> Self {
        let file = Arc::new(file);
        Self { file, at, left: length, last: Bytes::new(), turn: false, reading: None, waited: false }
    }

    /// Room for the next piece, and where it begins; it counts as read from now on.
    fn room(&mut self) -> (BytesMut, u64) {
        let length = self.left.min(PIECE);
        let at = self.at;
        self.left -= length;
        self.at += length;
        // It is no more than a piece.
        let length = length as usize;
        let room = match std::mem::take(&mut self.last).try_into_mut() {
            Ok(mut sent) if sent.len() >= length => {
                sent.truncate(length);
                sent
            }
            _ => BytesMut::zeroed(length),
        };
        (room, at)
    }

    /// The next piece, where that waits for nothing; else it is being read from now on.
    fn read(&mut self) -> Option<Bytes> {
        let (mut room, at) = self.room();
        let read = read_at_once(&self.file, at, &mut room);
        if read < room.len() {
            self.read_away(room, at, read);
            return None;
        }
        self.turn = true;
        self.last = room.freeze();
        Some(self.last.clone())
    }

    /// Has a piece read away from the worker, of which so many bytes are there.
    fn read_away(&mut self, mut room: BytesMut, at: u64, read: usize) {
        let file = Arc::clone(&self.file);
        self.reading = Some(spawn_blocking(move || {
            read_exact(&file, at + read as u64, &mut room[read..])?;
            Ok(room.freeze())
        }));
    }
}

impl Stream for FilePieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let this = &mut *self;
        if this.reading.is_none() {
            if this.left == 0 {
                return Poll::Ready(None);
            }
            // A client that is as fast as this would keep the worker from all others.
            if std::mem::take(&mut this.turn) {
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
            this.left = 0;
        }
        // While the disk is waited for, the next piece is read as this one is sent.
        if std::mem::take(&mut this.waited) && this.left > 0 {
            let (room, at) = this.room();
            this.read_away(room, at, 0);
        }
        Poll::Ready(Some(read))
    }
}

/// Reads as much as can be read without waiting. Why there is no more is told to who waits for it: it is not in memory,
/// the file ends, or this system or file system cannot tell.
#[cfg(target_os = "linux")]
fn read_at_once(file: &File, at: u64, room: &mut [u8]) -> usize {
    use rustix::io::{ReadWriteFlags, preadv2};
    preadv2(file, &mut [io::IoSliceMut::new(room)], at, ReadWriteFlags::NOWAIT).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn read_at_once(_: &File, _: u64, _: &mut [u8]) -> usize {
    0
}

/// Fills this room.
///
/// # Errors
/// The file cannot be read, or ends before.
fn read_exact(file: &File, at: u64, room: &mut [u8]) -> io::Result<()> {
    #[cfg(unix)]
    let read = std::os::unix::fs::FileExt::read_exact_at(file, room, at);
    #[cfg(not(unix))]
    let read = {
        use io::{Read, Seek};
        let mut file = file;
        file.seek(io::SeekFrom::Start(at)).and_then(|_| file.read_exact(room))
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
    fn what_is_in_memory_is_read_without_a_thread_into_one_room() {
        let mut file = tempfile::tempfile().expect("a file can be made");
        let content: Vec<u8> = (0..3 * PIECE + 5).map(|at| (at >> 10) as u8).collect();
        file.write_all(&content).expect("it can be written");
        if read_at_once(&file, 0, &mut [0]) == 0 {
            eprintln!("SKIPPED: this file system always waits");
            return;
        }
        // There is no runtime that would have threads.
        let mut pieces = FilePieces::new(file, 0, content.len() as u64);
        let (mut read, mut rooms) = (Vec::new(), Vec::new());
        while read.len() < content.len() {
            let piece = pieces.next().now_or_never().flatten().expect("it is in memory").expect("it can be read");
            read.extend_from_slice(&piece);
            rooms.push(piece.as_ptr());
            drop(piece);
            if read.len() < content.len() {
                assert!(pieces.next().now_or_never().is_none(), "others have their turn");
            }
        }
        assert!(matches!(pieces.next().now_or_never(), Some(None)), "it has an end");
        assert!(read == content);
        rooms.dedup();
        assert_eq!(rooms.len(), 1, "the next piece is where the last one was");
    }
}
