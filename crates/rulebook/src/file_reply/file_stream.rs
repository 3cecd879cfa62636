//! Reads a file piece by piece: in the thread of the worker if the bytes are in the page cache, otherwise on another
//! thread.

use std::fs::File;
use std::io;
use std::sync::Arc;

use actix_rt::task::spawn_blocking;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use tokio::task::yield_now;

use crate::call::ByteStream;
use crate::pipeline::FileRange;

/// The number of bytes of a file that are read at once. Only the last piece of a file may be shorter. A connection
/// keeps a piece and a copy of it as long as its client does not receive.
pub(crate) const PIECE_LEN: u64 = 32 << 10;

/// Returns the bytes in a range of a file as a stream, which does not use the read position of the open file.
pub(crate) fn stream_file(range: FileRange) -> ByteStream {
    let FileRange { file, offset, length, share } = range;
    // The file counts as open until the stream ends.
    let begin = (Arc::new(file), offset, length, Bytes::new(), share);
    Box::pin(stream::try_unfold(begin, |(file, offset, remaining, sent, share)| async move {
        if remaining == 0 {
            return Ok(None);
        }
        // Other tasks run before each piece. Otherwise, a client that receives as fast as the worker reads would
        // prevent the worker from handling other requests.
        yield_now().await;
        let length = remaining.min(PIECE_LEN);
        // The memory of a piece that has been sent is used again: new memory has to be cleared by the system.
        let memory = sent.try_into_mut().unwrap_or_default();
        let piece = read_piece(&file, offset, length, memory).await?;
        Ok(Some((piece.clone(), (file, offset + length, remaining - length, piece, share))))
    }))
}

/// Reads bytes of a file into memory that is given. `length` is at most [`PIECE_LEN`].
pub(crate) async fn read_piece(file: &Arc<File>, offset: u64, length: u64, mut buffer: BytesMut) -> io::Result<Bytes> {
    // The length is at most `PIECE_LEN`, so that it fits into `usize`.
    buffer.resize(length as usize, 0);
    let read = read_cached_bytes(file, offset, &mut buffer);
    if read == buffer.len() {
        return Ok(buffer.freeze());
    }
    let file = Arc::clone(file);
    let reading = spawn_blocking(move || {
        read_exact_at(&file, offset + read as u64, &mut buffer[read..])?;
        Ok(buffer.freeze())
    });
    reading.await.map_err(io::Error::other)?
}

/// Reads bytes at the file offset `at` that are in the page cache, and returns their number. The number is less than
/// the length of the buffer if some bytes are not in the page cache, if the file ends, or if the operating system or
/// the file system cannot read from the page cache only. The caller then reads the missing bytes on another thread.
#[cfg(target_os = "linux")]
fn read_cached_bytes(file: &File, at: u64, buffer: &mut [u8]) -> usize {
    use rustix::io::{ReadWriteFlags, preadv2};
    preadv2(file, &mut [io::IoSliceMut::new(buffer)], at, ReadWriteFlags::NOWAIT).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn read_cached_bytes(_: &File, _: u64, _: &mut [u8]) -> usize {
    0
}

/// Fills the buffer with the bytes at the file offset `at`.
fn read_exact_at(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<()> {
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
