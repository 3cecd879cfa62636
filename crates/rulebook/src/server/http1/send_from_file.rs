//! Sends pieces of files to the socket of a connection.

use std::cell::RefCell;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_rt::net::TcpStream;
use tokio::io::{AsyncWrite, Interest};

use super::socket::Socket;
use crate::server::client_stream::ClientStream;
use crate::server::file_stream::read_cached_bytes;

thread_local! {
    /// The bytes of a file that are being sent. They are used only within one poll, so that the worker needs them once.
    static COPIED_BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Socket {
    /// Waits until the system accepts bytes.
    fn poll_writable(&self, stream: &TcpStream, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = stream.poll_write_ready(task);
        if polled.is_pending() {
            self.sent.wait();
        }
        polled
    }

    /// Sends at most `count` bytes of a file from `offset` on, and advances `offset`. Returns the number of bytes,
    /// which is 0 at the end of the file.
    ///
    /// # Errors
    /// Fails if the connection is broken, or if the file cannot be read.
    pub(super) fn poll_send_file(
        &self,
        file: &std::fs::File,
        offset: &mut u64,
        count: usize,
        task: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let stream = &mut *self.stream.borrow_mut();
        let count = count.min(self.sent.max_write_len());
        if stream.is_tls() {
            return self.poll_send_read(stream, |piece| file.read_at(piece, *offset), count, task).map_ok(|sent| {
                *offset += sent as u64;
                sent
            });
        }
        let stream = stream.system()?;
        loop {
            ready!(self.poll_writable(stream, task))?;
            let mut send = || Ok(rustix::fs::sendfile(&*stream, file, Some(offset), count)?);
            match stream.try_io(Interest::WRITABLE, &mut send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => {
                    self.sent.add(result.as_ref().map_or(0, |sent| *sent), stream);
                    return Poll::Ready(result);
                }
            }
        }
    }

    /// Sends at most `count` bytes of a file in the same way as [`Socket::poll_send_file`], through the memory of the
    /// server. Returns 0 if they are not in the page cache.
    ///
    /// # Errors
    /// Fails if the connection is broken.
    pub(super) fn poll_send_copy(
        &self,
        file: &std::fs::File,
        offset: &mut u64,
        count: usize,
        task: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let stream = &mut *self.stream.borrow_mut();
        let read = |piece: &mut [u8]| Ok(read_cached_bytes(file, *offset, piece));
        let sent = ready!(self.poll_send_read(stream, read, count, task))?;
        *offset += sent as u64;
        Poll::Ready(Ok(sent))
    }

    /// Waits until the system accepts bytes, and sends at most `count` bytes that `read` returns. Returns 0 if it
    /// returns none.
    fn poll_send_read(
        &self,
        stream: &mut ClientStream,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
        count: usize,
        task: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_writable(stream.system()?, task))?;
        let count = count.min(self.sent.max_write_len());
        let sent = COPIED_BYTES.with_borrow_mut(|copied| {
            copied.resize(copied.len().max(count), 0);
            match read(&mut copied[..count])? {
                0 => Poll::Ready(Ok(0)),
                read => Pin::new(&mut *stream).poll_write(task, &copied[..read]),
            }
        });
        self.count_sent(sent, stream)
    }
}
