//! Connections to the attacked server, on sockets whose reads and writes never block.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Socket, Type};

use crate::Result;
use crate::response::{Response, take_response};

/// The time after which a response counts as missing.
pub const TIMEOUT: Duration = Duration::from_secs(20);
/// The number of bytes that the system keeps of those that have been sent and not yet received.
const SEND_BUFFER_LEN: usize = 32 << 10;

/// The address of the attacked server, which is a loopback address.
#[derive(Debug, Clone, Copy)]
pub struct Target(SocketAddr);

impl Target {
    /// Accepts an address as the target of attacks, if it is a loopback address.
    pub fn new(address: SocketAddr) -> Result<Self> {
        if address.ip().is_loopback() {
            Ok(Self(address))
        } else {
            Err(format!("{address} is not a loopback address: only servers on this machine may be attacked").into())
        }
    }

    /// Returns the address.
    pub fn address(self) -> SocketAddr {
        self.0
    }

    /// Opens a connection.
    pub fn connect(self) -> io::Result<Connection> {
        let socket = Socket::new(Domain::for_address(self.0), Type::STREAM, None)?;
        // The client does not send much more than the server receives, so that the sent bytes are those that the server
        // has received, also if the server closes the connection early.
        socket.set_send_buffer_size(SEND_BUFFER_LEN)?;
        self.connect_with(socket)
    }

    /// Opens a connection from the loopback address 127.0.`source`, with a small buffer for bytes that have been
    /// received and not read, so that the server soon has to wait for a client that does not read.
    pub fn connect_with_small_buffer(self, source: [u8; 2]) -> io::Result<Connection> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_recv_buffer_size(4 << 10)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, source[0], source[1]), 0)).into())?;
        self.connect_with(socket)
    }

    fn connect_with(self, socket: Socket) -> io::Result<Connection> {
        socket.connect_timeout(&self.0.into(), Duration::from_secs(5))?;
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(Connection { stream: socket.into(), received: Vec::new(), sent_bytes: 0 })
    }
}

/// How an exchange on a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The expected bytes have been received.
    Done,
    /// The server has closed the connection.
    Closed,
    /// The time was over before.
    TimedOut,
}

/// A connection to the server.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// The bytes that have been received and not yet removed by the user of the connection.
    pub received: Vec<u8>,
    /// The number of bytes that have been sent.
    pub sent_bytes: u64,
}

impl Connection {
    /// Returns the address of the client.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Sends as many bytes as the system accepts without waiting. Returns their number, which is 0 if the connection is
    /// broken.
    pub fn send_now(&mut self, output: &[u8]) -> usize {
        self.try_send(output).unwrap_or_default()
    }

    fn try_send(&mut self, output: &[u8]) -> io::Result<usize> {
        let sent = self.stream.write(output)?;
        self.sent_bytes += sent as u64;
        Ok(sent)
    }

    /// Receives bytes without waiting. Returns `true` if the server has closed the connection.
    pub fn receive_now(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }

    /// Sends bytes, and receives bytes at the same time, until all bytes are sent and `is_done` returns `true`.
    /// `is_done` is called with the received bytes, and may remove bytes that it does not need any more. If the server
    /// does not accept all bytes, because it has closed the connection, the bytes that it has sent are received
    /// nevertheless.
    pub fn exchange(
        &mut self,
        output: &[u8],
        timeout: Duration,
        mut is_done: impl FnMut(&mut Vec<u8>) -> bool,
    ) -> io::Result<End> {
        let deadline = Instant::now() + timeout;
        let mut rest = output;
        loop {
            while !rest.is_empty() {
                match self.try_send(rest) {
                    Ok(count) => rest = &rest[count..],
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => rest = &[],
                }
            }
            let is_closed = self.receive_now();
            let left = deadline.saturating_duration_since(Instant::now());
            if is_done(&mut self.received) && rest.is_empty() {
                return Ok(End::Done);
            } else if is_closed {
                return Ok(End::Closed);
            } else if left.is_zero() {
                return Ok(End::TimedOut);
            }
            let flags = if rest.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&self.stream, flags)], Some(&left)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends a request, and returns its response without interim responses. `is_head` is `true` if the method is HEAD.
    /// Fails if no response arrives in time, or an invalid one.
    pub fn request(&mut self, request: &[u8], is_head: bool) -> Result<Response> {
        let mut response = None;
        let end = self.exchange(request, TIMEOUT, |received| {
            response = response.take().or_else(|| take_response(received, is_head, false).transpose());
            // The server may respond, and close the connection, before it has received the whole request.
            response.is_some()
        })?;
        if end == End::Closed {
            response = response.or_else(|| take_response(&mut self.received, is_head, true).transpose());
        }
        response.unwrap_or_else(|| Err(format!("no response, {end:?}").into()))
    }

    /// Sends bytes, closes the sending side, and waits until the server closes the connection. Returns `true` if it
    /// does.
    pub fn send_last(&mut self, bytes: &[u8]) -> Result<bool> {
        self.exchange(bytes, TIMEOUT, |_| true)?;
        // If the connection is broken already, this fails.
        let _ = self.stream.shutdown(Shutdown::Write);
        Ok(self.exchange(&[], TIMEOUT, |_| false)? == End::Closed)
    }
}
