//! Sends a part of a file from the page cache to the socket. A client that does not receive the bytes holds no memory
//! of the server: they are read when the socket accepts some, and read again later if it does not accept all.

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use actix_rt::task::spawn_blocking;

use super::send::{send_all, while_connected};
use super::socket::Socket;
use crate::call::RequestId;
use crate::pipeline::FileRange;
use crate::server::alarm::Alarm;
use crate::server::connection_limits::PROGRESS_TIMEOUT;
use crate::server::file_stream::{PIECE_LEN, read_cached_bytes, read_exact_at};

/// The length in bytes from which a part of a file is sent without copying it into the memory of the server
/// (sendfile(2)). The copy of a shorter part is still in the processor's cache when it is sent, so that a client on the
/// same machine receives it faster.
const MIN_SEND_FILE_LEN: u64 = 4 << 20;
/// The number of bytes that are read at once into the page cache.
const READ_LEN: usize = 64 << 10;

/// Sends a part of a file. `id` is the id of the request, for the log.
///
/// # Errors
/// Fails if the connection is broken, if the client receives nothing for too long, or if the file cannot be read.
pub(super) async fn send_file(socket: &Socket, alarm: &mut Alarm, range: FileRange, id: &RequestId) -> io::Result<()> {
    let FileRange { file, mut offset, length, share: _share } = range;
    // Only bytes in the memory of the server can be encrypted.
    let is_copied = length < MIN_SEND_FILE_LEN || socket.is_tls();
    let (file, end) = (Arc::new(file), offset + length);
    while offset < end {
        let piece_end = end.min(offset + PIECE_LEN);
        if is_copied {
            offset += send_piece(socket, alarm, &file, offset..piece_end, Socket::poll_send_copy).await?;
        }
        if offset < piece_end {
            if !is_cached(&file, offset, piece_end - offset) {
                let reader = Arc::clone(&file);
                let reading = spawn_blocking(move || read_into_page_cache(&reader, offset, piece_end - offset));
                let read = while_connected(socket, pin!(reading)).await?.map_err(io::Error::other).flatten();
                read.map_err(|error| log_failure(id, error))?;
            }
            offset += send_piece(socket, alarm, &file, offset..piece_end, Socket::poll_send_file).await?;
        }
        if offset < piece_end {
            return Err(log_failure(id, io::Error::other("the file has become shorter")));
        }
        // Otherwise, a client that receives as fast as the server sends would prevent the worker from handling other
        // requests.
        tokio::task::yield_now().await;
    }
    send_all(socket, alarm, [], 0).await
}

/// Returns `true` if the first and the last byte of a piece are in the page cache. The operating system reads and
/// forgets long sequences of bytes, so that those between them are very probably there too.
fn is_cached(file: &File, offset: u64, length: u64) -> bool {
    [offset, offset + length - 1].into_iter().all(|at| read_cached_bytes(file, at, &mut [0]) == 1)
}

/// Reads a piece from the disk, so that the page cache contains it.
fn read_into_page_cache(file: &File, mut offset: u64, length: u64) -> io::Result<()> {
    let (mut buffer, end) = ([0; READ_LEN], offset + length);
    while offset < end {
        let length = (end - offset).min(READ_LEN as u64);
        // The length is at most `READ_LEN`, so that it fits into `usize`.
        read_exact_at(file, offset, &mut buffer[..length as usize])?;
        offset += length;
    }
    Ok(())
}

/// Logs that a file cannot be read. Errors of the connection are not logged, because clients disconnect often.
fn log_failure(id: &RequestId, error: io::Error) -> io::Error {
    log::error!(request_id:% = id; "{id}: a download failed: {error}");
    error
}

/// Sends one piece of a file with `send`. Returns the number of bytes, which is less than the length of the piece if
/// `send` has sent none.
async fn send_piece(
    socket: &Socket,
    alarm: &mut Alarm,
    file: &File,
    piece: Range<u64>,
    send: impl Fn(&Socket, &File, &mut u64, usize, &mut Context<'_>) -> Poll<io::Result<usize>>,
) -> io::Result<u64> {
    let (mut next, mut deadline) = (piece.start, None);
    poll_fn(|task| {
        while next < piece.end {
            // The length is at most `PIECE_LEN`, so that it fits into `usize`.
            let left = (piece.end - next) as usize;
            let Poll::Ready(sent) = send(socket, file, &mut next, left, task) else {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + PROGRESS_TIMEOUT);
                ready!(alarm.poll(deadline, task));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            };
            if sent? == 0 {
                break;
            }
            deadline = None;
        }
        Poll::Ready(Ok(next - piece.start))
    })
    .await
}
