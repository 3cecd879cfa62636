//! Sends a part of a file from the page cache to the socket, without copying its bytes into the memory of the server
//! (sendfile(2)).

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Instant;

use actix_rt::task::spawn_blocking;

use super::send::while_connected;
use super::socket::Socket;
use crate::call::RequestId;
use crate::pipeline::FileRange;
use crate::server::alarm::Alarm;
use crate::server::connection_limits::PROGRESS_TIMEOUT;
use crate::server::file_stream::{PIECE_LEN, read_cached_bytes, read_exact_at};

/// The number of bytes that are read at once into the page cache.
const READ_LEN: usize = 64 << 10;

/// Sends a part of a file. `id` is the id of the request, for the log.
///
/// # Errors
/// Fails if the connection is broken, if the client receives no further byte for [`PROGRESS_TIMEOUT`], or if the file
/// cannot be read.
pub(super) async fn send_file(socket: &Socket, alarm: &mut Alarm, range: FileRange, id: &RequestId) -> io::Result<()> {
    let FileRange { file, mut offset, length } = range;
    let (file, end) = (Arc::new(file), offset + length);
    while offset < end {
        let length = (end - offset).min(PIECE_LEN);
        if !is_cached(&file, offset, length) {
            let reader = Arc::clone(&file);
            let reading = spawn_blocking(move || read_into_page_cache(&reader, offset, length));
            let read = while_connected(socket, pin!(reading)).await?.map_err(io::Error::other).flatten();
            read.map_err(|error| log_failure(id, error))?;
        }
        if send_piece(socket, alarm, &file, offset, length).await? < length {
            return Err(log_failure(id, io::Error::other("the file has become shorter")));
        }
        offset += length;
        // Otherwise, a client that receives as fast as the server sends would prevent the worker from handling other
        // requests.
        tokio::task::yield_now().await;
    }
    Ok(())
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

/// Sends one piece of a file. Returns the number of bytes, which is less than `length` if the file has become shorter.
async fn send_piece(socket: &Socket, alarm: &mut Alarm, file: &File, offset: u64, length: u64) -> io::Result<u64> {
    let (mut next, mut deadline) = (offset, None);
    poll_fn(|task| {
        while next < offset + length {
            // The length is at most `PIECE_LEN`, so that it fits into `usize`.
            let left = (offset + length - next) as usize;
            let Poll::Ready(sent) = socket.poll_send_file(file, &mut next, left, task) else {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + PROGRESS_TIMEOUT);
                ready!(alarm.poll(deadline, task));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            };
            if sent? == 0 {
                break;
            }
            deadline = None;
        }
        Poll::Ready(Ok(next - offset))
    })
    .await
}
