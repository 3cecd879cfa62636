//! The socket of a connection, with the bytes that have been received and not yet used.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_rt::net::TcpStream;
use bytes::BytesMut;
use rulebook_model::connection_limits::FREE_RESPONSE_BYTES;
#[cfg(target_os = "linux")]
use tokio::io::Interest;
use tokio::io::{AsyncReadExt, AsyncWrite};

use crate::client_shares::{ClientShares, Share, UsedUp};
#[cfg(target_os = "linux")]
use crate::server::file_stream::read_cached_bytes;
use crate::server::pausable_stream::PausableStream;
use crate::server::request_memory::ReservedMemory;
use crate::server::state::ServerState;
use crate::server::unsent_bytes::SentBytes;

/// The number of bytes that a read of a new connection receives at most. This memory of a connection is not counted.
pub(super) const MIN_READ_LEN: usize = 2 << 10;
/// The number of bytes that a read receives at most. Reads become longer while the client sends faster than the server
/// reads.
const MAX_READ_LEN: usize = 64 << 10;

#[cfg(target_os = "linux")]
thread_local! {
    /// The bytes of a file that are being sent. They are used only within one poll, so that the worker needs them once.
    static COPIED_BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A socket that the connection and the body of the current request share. Only the task of the connection uses it.
pub(super) struct Socket {
    stream: RefCell<PausableStream>,
    /// The bytes that have been received and not yet used.
    pub(super) received: RefCell<BytesMut>,
    /// The number of bytes for which the next read has space.
    read_len: Cell<usize>,
    /// The memory for `received`.
    reserved: RefCell<ReservedMemory>,
    request_memory: Arc<ClientShares>,
    response_memory: Arc<ClientShares>,
    /// The address whose use of memory is limited: none for a proxy.
    client: Option<IpAddr>,
    /// `true` once the client has closed its sending side.
    has_ended: Cell<bool>,
    sent: SentBytes,
}

impl Socket {
    /// `client` is the address whose use of memory is limited.
    pub(super) fn new(stream: TcpStream, client: Option<IpAddr>, state: &ServerState) -> Self {
        Self {
            stream: RefCell::new(PausableStream::new(stream, true)),
            received: RefCell::default(),
            read_len: Cell::new(MIN_READ_LEN),
            reserved: RefCell::default(),
            request_memory: Arc::clone(&state.request_memory),
            response_memory: Arc::clone(&state.response_memory),
            client,
            has_ended: Cell::new(false),
            sent: SentBytes::default(),
        }
    }

    /// Returns the parts of the socket, for a connection that does not speak HTTP/1; `None` if it is broken.
    pub(super) fn into_parts(self) -> Option<(TcpStream, BytesMut)> {
        Some((self.stream.into_inner().into_active()?, self.received.into_inner()))
    }

    /// Returns `true` once the client has closed its sending side. [`Socket::received`] may still contain bytes.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    /// Notes that the next bytes belong to another request.
    pub(super) fn begin_request(&self) {
        self.stream.borrow_mut().begin_request();
    }

    /// Receives bytes, and appends them to [`Socket::received`]. Returns their number, which is 0 once the client has
    /// closed its sending side.
    ///
    /// # Errors
    /// Fails if the connection is broken.
    pub(super) fn poll_receive(&self, task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.has_ended.get() {
            return Poll::Ready(Ok(0));
        }
        let mut stream = self.stream.borrow_mut();
        ready!(stream.poll_pause(task));
        let mut received = self.received.borrow_mut();
        let mut requested = self.read_len.get();
        if received.capacity() - received.len() < requested / 2 {
            let needed = received.len() + requested;
            if needed > MIN_READ_LEN
                && self.reserved.borrow_mut().grow_to(needed, &self.request_memory, self.client).is_err()
            {
                // The requests of all clients need much memory. Short reads need less.
                requested = MIN_READ_LEN;
                self.read_len.set(MIN_READ_LEN);
            }
            received.reserve(requested);
        }
        let space = received.capacity() - received.len();
        let count = ready!(pin!(stream.get()?.read_buf(&mut *received)).poll(task))?;
        self.has_ended.set(count == 0);
        stream.count_piece(count);
        if count == space && requested < MAX_READ_LEN {
            self.read_len.set(requested * 2);
        }
        Poll::Ready(Ok(count))
    }

    /// Returns `true` if the client has sent bytes that have not been used, also if only the system has received them.
    ///
    /// # Errors
    /// Fails if the connection is broken.
    pub(super) async fn has_received_more(&self) -> io::Result<bool> {
        if !self.received.borrow().is_empty() {
            return Ok(true);
        }
        poll_fn(|task| match self.poll_receive(task) {
            Poll::Ready(result) => Poll::Ready(result.map(|count| count > 0)),
            Poll::Pending => Poll::Ready(Ok(false)),
        })
        .await
    }

    /// Releases the memory for received bytes if it is large and unused. Called when the connection waits for the next
    /// request, which may take long.
    pub(super) fn release_memory(&self) {
        let mut received = self.received.borrow_mut();
        if received.is_empty() && self.read_len.get() > MIN_READ_LEN {
            *received = BytesMut::new();
            self.reserved.replace(ReservedMemory::default());
            self.read_len.set(MIN_READ_LEN);
        }
    }

    /// Sends as many bytes of the slices as the operating system accepts, and returns their number.
    ///
    /// # Errors
    /// Fails if the connection is broken.
    pub(super) fn poll_send(&self, slices: &[IoSlice<'_>], task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut stream = self.stream.borrow_mut();
        let stream = stream.get()?;
        let max = self.sent.max_write_len();
        let polled = match slices {
            [first, ..] if first.len() >= max => Pin::new(&mut *stream).poll_write(task, &first[..max]),
            [one] => Pin::new(&mut *stream).poll_write(task, one),
            [first, second, ..] if first.len() + second.len() > max => {
                let limited = [IoSlice::new(first), IoSlice::new(&second[..max - first.len()])];
                Pin::new(&mut *stream).poll_write_vectored(task, &limited)
            }
            several => Pin::new(&mut *stream).poll_write_vectored(task, several),
        };
        let sent = ready!(self.count_sent(polled, stream))?;
        Poll::Ready(if sent == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(sent) })
    }

    /// Counts the bytes of a write, and returns its result.
    fn count_sent(&self, polled: Poll<io::Result<usize>>, stream: &TcpStream) -> Poll<io::Result<usize>> {
        match &polled {
            Poll::Ready(sent) => self.sent.add(sent.as_ref().map_or(0, |sent| *sent), stream),
            Poll::Pending => self.sent.wait(),
        }
        polled
    }

    /// Waits until the system accepts bytes.
    #[cfg(target_os = "linux")]
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
    #[cfg(target_os = "linux")]
    pub(super) fn poll_send_file(
        &self,
        file: &std::fs::File,
        offset: &mut u64,
        count: usize,
        task: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut stream = self.stream.borrow_mut();
        let stream = stream.get()?;
        let count = count.min(self.sent.max_write_len());
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
    #[cfg(target_os = "linux")]
    pub(super) fn poll_send_copy(
        &self,
        file: &std::fs::File,
        offset: &mut u64,
        count: usize,
        task: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut stream = self.stream.borrow_mut();
        let stream = stream.get()?;
        ready!(self.poll_writable(stream, task))?;
        let count = count.min(self.sent.max_write_len());
        let sent = COPIED_BYTES.with_borrow_mut(|copied| {
            copied.resize(copied.len().max(count), 0);
            match read_cached_bytes(file, *offset, &mut copied[..count]) {
                0 => Poll::Ready(Ok(0)),
                read => Pin::new(&mut *stream).poll_write(task, &copied[..read]),
            }
        });
        let sent = ready!(self.count_sent(sent, stream))?;
        *offset += sent as u64;
        Poll::Ready(Ok(sent))
    }

    /// Takes memory for bytes of a response that the client does not receive at the moment. The first
    /// [`FREE_RESPONSE_BYTES`] are not counted.
    ///
    /// # Errors
    /// Fails with [`io::ErrorKind::OutOfMemory`] if too many responses wait for their clients.
    pub(super) fn keep_response(&self, bytes: usize) -> io::Result<Option<Share>> {
        if bytes <= FREE_RESPONSE_BYTES as usize {
            return Ok(None);
        }
        let share = self.response_memory.take(self.client, bytes);
        share.map(Some).map_err(|UsedUp| io::ErrorKind::OutOfMemory.into())
    }

    /// Closes the sending side of the server.
    pub(super) fn poll_close_sending(&self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.borrow_mut().get()?).poll_shutdown(task)
    }
}
