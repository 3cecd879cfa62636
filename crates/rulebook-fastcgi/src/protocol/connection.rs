//! A connection to a FastCGI server.

use std::io;

use bytes::BytesMut;
use tokio::io::{Interest, Ready};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use crate::address::Address;
use crate::call_error::CallError;

/// The number of bytes for which the buffer has space before each read.
const READ_LEN: usize = 16 << 10;

/// A connection to a FastCGI server, and the bytes that were received on it but not yet decoded.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    pub(super) buffer: BytesMut,
    /// The number of requests that were sent on this connection.
    pub(super) calls: u16,
}

#[derive(Debug)]
enum Socket {
    #[cfg(unix)]
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Connection {
    /// Connects to a server.
    pub async fn open(address: &Address) -> Result<Self, CallError> {
        let socket = match address {
            #[cfg(unix)]
            Address::Unix(path) => UnixStream::connect(path).await.map(Socket::Unix),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
            Address::Tcp { host, port } => TcpStream::connect((host.as_str(), *port)).await.and_then(|stream| {
                stream.set_nodelay(true)?;
                Ok(Socket::Tcp(stream))
            }),
        };
        let socket = socket.map_err(|error| match error.kind() {
            // The queue of the Unix socket is full.
            io::ErrorKind::WouldBlock => CallError::Overloaded,
            _ => CallError::Connect(error),
        })?;
        Ok(Self { socket, buffer: BytesMut::new(), calls: 0 })
    }

    /// Moves an unused connection to the current runtime, which may be another one than before.
    /// Fails if the server has closed the connection or has sent anything, or if the earlier runtime has ended.
    pub(super) fn move_to_current_runtime(self) -> io::Result<Self> {
        let socket = match self.socket {
            #[cfg(unix)]
            Socket::Unix(socket) => {
                let socket = socket.into_std()?;
                check_quiet(&socket)?;
                Socket::Unix(UnixStream::from_std(socket)?)
            }
            Socket::Tcp(socket) => {
                let socket = socket.into_std()?;
                check_quiet(&socket)?;
                Socket::Tcp(TcpStream::from_std(socket)?)
            }
        };
        Ok(Self { socket, ..self })
    }

    /// Waits until the socket can probably be read, or written if `interest` says so.
    pub(super) async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        match &self.socket {
            #[cfg(unix)]
            Socket::Unix(socket) => socket.ready(interest).await,
            Socket::Tcp(socket) => socket.ready(interest).await,
        }
    }

    /// Reads bytes into the buffer, without waiting. Returns their number, which is 0 if the server has closed the
    /// connection.
    pub(super) fn try_read(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ_LEN);
        match &self.socket {
            #[cfg(unix)]
            Socket::Unix(socket) => socket.try_read_buf(&mut self.buffer),
            Socket::Tcp(socket) => socket.try_read_buf(&mut self.buffer),
        }
    }

    /// Writes bytes, without waiting. Returns their number.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.socket {
            #[cfg(unix)]
            Socket::Unix(socket) => socket.try_write(bytes),
            Socket::Tcp(socket) => socket.try_write(bytes),
        }
    }
}

/// Returns an error unless a socket has nothing to read and is open. A socket that has just been moved to another
/// runtime must be checked directly, because the runtime does not know its state.
fn check_quiet(mut socket: impl io::Read) -> io::Result<()> {
    match socket.read(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}
