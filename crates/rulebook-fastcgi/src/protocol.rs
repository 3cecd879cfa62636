//! The client side of FastCGI 1.0: records, connections and pools of them, and exchanges of one request and its
//! response.
//!
//! A record has a header of 8 bytes (version, type, request id, length of the content, length of the padding), its
//! content, and padding. This client sends one request at a time on a connection. Each request has another id, so that
//! a response that a server sends too late, or twice, is not mistaken for that of the next request.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream::{BoxStream, TryStreamExt};
use rulebook::handler_kind::{ConnectionLease, ConnectionPool, LogLines, body_stream};
use rulebook::multipart::MultipartPiece;
use rulebook::{RequestId, Upload};
use tokio::io::{Interest, Ready};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::Instant;

use crate::kind::CallError;
use crate::settings::Address;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolLimits {
    pub connections: usize,
    /// The maximum time that a call waits for a connection.
    pub wait: Duration,
    /// The time after which an idle connection is closed; zero if no connection is kept.
    pub idle: Duration,
    pub calls_per_connection: u16,
}

/// The connections to one server.
#[derive(Debug)]
pub struct Pool {
    pub address: Address,
    limits: PoolLimits,
    connections: Arc<ConnectionPool<Connection>>,
}

/// The permission to use a connection. When the lease is dropped, its connection is closed.
#[derive(Debug)]
pub struct Lease {
    /// The connection, which is dropped before the permission ends.
    connection: Option<Connection>,
    /// `true` if the connection was used for other calls.
    pub is_reused: bool,
    pool: Arc<Pool>,
    lease: ConnectionLease<Connection>,
}

impl Pool {
    pub fn new(address: Address, limits: PoolLimits) -> Arc<Self> {
        Arc::new(Self { address, limits, connections: ConnectionPool::new(limits.connections, limits.idle) })
    }

    /// Takes an idle connection if there is one. Fails if all connections are in use for too long.
    pub async fn lease(self: &Arc<Self>) -> Result<Lease, CallError> {
        let lease = self.connections.lease(Instant::now() + self.limits.wait).await.ok_or(CallError::Busy)?;
        let mut connection = None;
        while connection.is_none()
            && let Some(idle) = lease.take_idle()
        {
            connection = idle.move_to_current_runtime().ok();
        }
        Ok(Lease { is_reused: connection.is_some(), connection, pool: Arc::clone(self), lease })
    }
}

impl Lease {
    /// Returns the connection, which is opened if the lease has none.
    pub async fn connection(&mut self) -> Result<&mut Connection, CallError> {
        if self.connection.is_none() {
            self.connection = Some(Connection::open(&self.pool.address).await?);
        }
        self.connection.as_mut().ok_or(CallError::Closed)
    }

    /// Returns the id of the next request on the connection, from 1.
    pub fn request_id(&self) -> u16 {
        self.connection.as_ref().map_or(0, |connection| connection.calls) + 1
    }

    /// Keeps the connection for other calls, unless it has received bytes that belong to no response.
    pub fn keep(mut self) {
        let limits = self.pool.limits;
        let Some(mut connection) = self.connection.take() else { return };
        connection.calls += 1;
        if connection.calls < limits.calls_per_connection && connection.buffer.is_empty() {
            self.lease.keep(connection);
        }
    }
}

/// The number of bytes for which the buffer has space before each read.
const READ_LEN: usize = 16 << 10;

/// A connection to a FastCGI server, and the bytes that were received on it but not yet decoded.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    buffer: BytesMut,
    /// The number of requests that were sent on this connection.
    calls: u16,
}

#[derive(Debug)]
enum Socket {
    #[cfg(unix)]
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Connection {
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
    fn move_to_current_runtime(self) -> io::Result<Self> {
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
    async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        match &self.socket {
            #[cfg(unix)]
            Socket::Unix(socket) => socket.ready(interest).await,
            Socket::Tcp(socket) => socket.ready(interest).await,
        }
    }

    /// The number of bytes is 0 if the server has closed the connection.
    fn try_read(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ_LEN);
        match &self.socket {
            #[cfg(unix)]
            Socket::Unix(socket) => socket.try_read_buf(&mut self.buffer),
            Socket::Tcp(socket) => socket.try_read_buf(&mut self.buffer),
        }
    }

    /// Writes bytes, without waiting. Returns their number.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
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

/// The protocol status of a request that the server has handled.
const COMPLETE: u8 = 0;
/// The protocol status of a request that the server does not handle because it has too many.
const OVERLOADED: u8 = 2;

/// A request that is being sent while its response is received. If the exchange is dropped before its end, or anything
/// about it is unexpected, its connection is closed, so that no other call gets parts of its response.
pub struct Exchange {
    lease: Lease,
    sender: Sender,
    decoder: Decoder,
    stderr: StderrLog,
    has_received: bool,
    has_ended: bool,
}

impl Exchange {
    /// Begins an exchange. Nothing is sent before [`Exchange::next`] is called.
    pub fn new(lease: Lease, mut head: Vec<u8>, body: Vec<MultipartPiece<Upload>>, stderr: StderrLog) -> Self {
        let id = lease.request_id();
        set_request_id(&mut head, id);
        Self {
            lease,
            sender: Sender::new(id, head, body),
            decoder: Decoder::new(id),
            stderr,
            has_received: false,
            has_ended: false,
        }
    }

    /// Returns the next bytes of the response, or `None` at its end. The request is sent at the same time: a server may
    /// respond before it has read the whole request.
    /// Fails if the connection fails, or the server sends something else than a response.
    pub async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        while !self.has_ended {
            let connection = self.lease.connection().await?;
            match self.decoder.decode(&mut connection.buffer).map_err(CallError::Record)? {
                Some(ResponsePart::Stdout(bytes)) => return Ok(Some(bytes)),
                Some(ResponsePart::Stderr(bytes)) => self.stderr.add(&bytes)?,
                Some(ResponsePart::End { protocol_status: COMPLETE }) => self.has_ended = true,
                Some(ResponsePart::End { protocol_status: OVERLOADED }) => return Err(CallError::Overloaded),
                Some(ResponsePart::End { protocol_status }) => return Err(CallError::Rejected(protocol_status)),
                None => self.transfer().await?,
            }
        }
        self.stderr.end_line();
        Ok(None)
    }

    /// Waits until bytes are received. Sends the request in the meantime.
    async fn transfer(&mut self) -> Result<(), CallError> {
        // A server that always has bytes to read must not keep other tasks of the thread from running.
        tokio::task::coop::consume_budget().await;
        loop {
            self.sender.prepare().await.map_err(CallError::Upload)?;
            let connection = self.lease.connection().await?;
            let is_sending = !self.sender.unsent().is_empty();
            let interest = if is_sending { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
            let ready = connection.ready(interest).await.map_err(CallError::Connection)?;
            if ready.is_writable() && is_sending {
                match connection.try_write(self.sender.unsent()) {
                    Ok(sent) => self.sender.advance(sent),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    // The server may have responded before it has closed the connection.
                    Err(_) => self.sender.is_stopped = true,
                }
            }
            if ready.is_readable() || ready.is_read_closed() {
                match connection.try_read() {
                    Ok(0) => return Err(CallError::Closed),
                    Ok(_) => {
                        self.has_received = true;
                        return Ok(());
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) if is_close(&error) => return Err(CallError::Closed),
                    Err(error) => return Err(CallError::Connection(error)),
                }
            }
        }
    }

    /// Returns `true` if the failed request can be sent again: the server has closed a connection that was kept open,
    /// as it does at any time, and has not responded. If the request was complete, the server may have handled it, so
    /// that only requests of idempotent methods (RFC 9110 section 9.2.2) are sent again. `is_idempotent` is always
    /// `false` for projects of PhalApi and api 3.0, which also write in methods for GET.
    pub fn may_retry(&self, error: &CallError, is_idempotent: bool) -> bool {
        let is_lost = matches!(error, CallError::Closed | CallError::Connection(_));
        is_lost && self.lease.is_reused && !self.has_received && (is_idempotent || !self.sender.has_sent_head())
    }

    /// Ends the exchange after [`Exchange::next`] has returned `None`. The connection is kept if it is certain that the
    /// next bytes on it belong to the next response.
    pub fn finish(self) {
        if self.has_ended && self.sender.has_sent_all() {
            self.lease.keep();
        }
    }

    /// Closes the connection, and returns the lease for another exchange on a new connection.
    pub fn into_lease(self) -> Lease {
        Lease { connection: None, is_reused: false, ..self.lease }
    }
}

/// Returns `true` if an error means that the server has closed the connection.
fn is_close(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted
    )
}

/// The number of bytes of the body that are prepared at once.
const CHUNK_LEN: usize = 32 << 10;

/// The records of a request that were not sent yet. At most a chunk of a file is in memory.
struct Sender {
    id: u16,
    records: Vec<u8>,
    /// The number of bytes in `records` that were sent.
    sent: usize,
    /// The number of bytes of the parameters that were not sent.
    head_left: usize,
    /// The part of the body that was not prepared; `None` if all records are.
    body: Option<BoxStream<'static, io::Result<Bytes>>>,
    /// `true` if the server reads no further.
    is_stopped: bool,
}

impl Sender {
    fn new(id: u16, head: Vec<u8>, body: Vec<MultipartPiece<Upload>>) -> Self {
        let (head_left, body) = (head.len(), Some(body_stream(body)));
        Self { id, records: head, sent: 0, head_left, body, is_stopped: false }
    }

    /// Prepares records if all earlier ones were sent.
    /// Fails if an uploaded file cannot be read, or is shorter than it was.
    async fn prepare(&mut self) -> io::Result<()> {
        // A small body is prepared, and sent, together with the parameters.
        if self.is_stopped || (self.sent < self.records.len() && self.head_left != self.records.len()) {
            return Ok(());
        }
        if self.sent == self.records.len() {
            self.records.clear();
            self.sent = 0;
        }
        let end = self.records.len() + CHUNK_LEN;
        while self.records.len() < end
            && let Some(body) = &mut self.body
        {
            let part = body.try_next().await?;
            if part.is_none() {
                self.body = None;
            }
            // An empty record ends the body.
            push_record(&mut self.records, self.id, STDIN, &part.unwrap_or_default());
        }
        Ok(())
    }

    fn unsent(&self) -> &[u8] {
        if self.is_stopped { &[] } else { &self.records[self.sent..] }
    }

    fn advance(&mut self, sent: usize) {
        self.sent += sent;
        self.head_left = self.head_left.saturating_sub(sent);
    }

    /// Returns `true` if all parameters were passed to the system. Before that, the server cannot run anything.
    fn has_sent_head(&self) -> bool {
        self.head_left == 0
    }

    /// Returns `true` if the whole request was passed to the system.
    fn has_sent_all(&self) -> bool {
        !self.is_stopped && self.body.is_none() && self.unsent().is_empty()
    }
}

/// The maximum length of messages in bytes; a server that sends more is cut off.
const MAX_LEN: usize = 1 << 20;
/// The maximum number of bytes of messages that are logged for each call.
const MAX_LOGGED: usize = 16 << 10;

/// Writes the messages of one call to the log, one line at a time.
#[derive(Debug)]
pub struct StderrLog {
    /// The id of the request, or the id of the method if the call comes from no request.
    name: String,
    lines: LogLines,
    received: usize,
    logged: usize,
}

impl StderrLog {
    pub fn new(request: Option<&RequestId>, method: &str) -> Self {
        let name = request.map_or_else(|| method.to_owned(), ToString::to_string);
        Self { name, lines: LogLines::default(), received: 0, logged: 0 }
    }

    /// Logs the lines that are complete. Fails if the server has sent too many messages.
    fn add(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        self.received += bytes.len();
        if self.received > MAX_LEN {
            return Err(CallError::TooManyMessages(MAX_LEN));
        }
        self.lines.add(bytes, |line| log_line(&self.name, line, &mut self.logged));
        Ok(())
    }

    fn end_line(&mut self) {
        self.lines.finish(|line| log_line(&self.name, line, &mut self.logged));
    }
}

impl Drop for StderrLog {
    fn drop(&mut self) {
        self.end_line();
    }
}

/// Logs a line, unless `logged`, the number of bytes that were logged, exceeds the limit.
fn log_line(name: &str, line: &str, logged: &mut usize) {
    if *logged > MAX_LOGGED {
        return;
    }
    *logged += line.len();
    log::warn!(request_id = name; "{name}: PHP: {line}");
    if *logged > MAX_LOGGED {
        log::warn!(request_id = name; "{name}: PHP: further messages of this call are not logged");
    }
}

const HEADER_LEN: usize = 8;
const VERSION: u8 = 1;
/// The id in records whose request has no id yet. It is the id of records that belong to no request.
const NO_ID: u16 = 0;
const MAX_CONTENT_LEN: usize = u16::MAX as usize;

const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;

/// The role of the server: it responds to a request.
const RESPONDER: u8 = 1;
/// The flag of a request after which the server keeps the connection open.
const KEEP_CONNECTION: u8 = 1;
const END_LEN: usize = 8;

/// Encodes the records with which a request begins: the begin record and all parameters. [`set_request_id`] sets their
/// id.
/// Fails if a parameter does not fit into a record: php-fpm requires that none is split. The error is a message.
pub fn encode_head(parameters: &[(&str, &[u8])]) -> Result<Vec<u8>, String> {
    let mut to = Vec::with_capacity(1024);
    push_record(&mut to, NO_ID, BEGIN_REQUEST, &[0, RESPONDER, KEEP_CONNECTION, 0, 0, 0, 0, 0]);
    let mut content = Vec::with_capacity(1024);
    for (name, value) in parameters {
        let len = pair_len(name.len(), value.len());
        if len > MAX_CONTENT_LEN {
            let len = value.len();
            return Err(format!("the parameter {name} has {len} bytes, more than a FastCGI record can contain"));
        }
        if content.len() + len > MAX_CONTENT_LEN {
            push_record(&mut to, NO_ID, PARAMS, &content);
            content.clear();
        }
        push_pair(&mut content, name, value);
    }
    if !content.is_empty() {
        push_record(&mut to, NO_ID, PARAMS, &content);
    }
    push_record(&mut to, NO_ID, PARAMS, &[]);
    Ok(to)
}

/// Appends a parameter to the records that [`encode_head`] has returned. A parameter that does not fit into a record is
/// not sent.
pub fn append_parameter(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    if pair_len(name.len(), value.len()) > MAX_CONTENT_LEN {
        return;
    }
    // The last record is empty, and ends the parameters.
    head.truncate(head.len().saturating_sub(HEADER_LEN));
    let mut content = Vec::with_capacity(pair_len(name.len(), value.len()));
    push_pair(&mut content, name, value);
    push_record(head, NO_ID, PARAMS, &content);
    push_record(head, NO_ID, PARAMS, &[]);
}

/// Sets the id of a request in all its records. `id` is not 0.
fn set_request_id(mut records: &mut [u8], id: u16) {
    while let Some((header, rest)) = records.split_at_mut_checked(HEADER_LEN) {
        header[2..4].copy_from_slice(&id.to_be_bytes());
        let len = usize::from(u16::from_be_bytes([header[4], header[5]])) + usize::from(header[6]);
        records = rest.get_mut(len..).unwrap_or_default();
    }
}

/// `content` has at most [`MAX_CONTENT_LEN`] bytes.
fn push_record(to: &mut Vec<u8>, id: u16, kind: u8, content: &[u8]) {
    let [id_high, id_low] = id.to_be_bytes();
    let len = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let [len_high, len_low] = len.to_be_bytes();
    to.extend_from_slice(&[VERSION, kind, id_high, id_low, len_high, len_low, 0, 0]);
    to.extend_from_slice(&content[..usize::from(len)]);
}

/// Lengths up to 127 are encoded as one byte, others as four.
fn length_len(len: usize) -> usize {
    if len < 0x80 { 1 } else { 4 }
}

fn pair_len(name: usize, value: usize) -> usize {
    length_len(name).saturating_add(length_len(value)).saturating_add(name).saturating_add(value)
}

fn push_pair(to: &mut Vec<u8>, name: &str, value: &[u8]) {
    push_length(to, name.len());
    push_length(to, value.len());
    to.extend_from_slice(name.as_bytes());
    to.extend_from_slice(value);
}

fn push_length(to: &mut Vec<u8>, len: usize) {
    match u8::try_from(len) {
        Ok(short) if short < 0x80 => to.push(short),
        // Longer values are rejected before.
        _ => to.extend_from_slice(&(u32::try_from(len).unwrap_or(u32::MAX) | 0x8000_0000).to_be_bytes()),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ResponsePart {
    /// Bytes of the response. They are never empty.
    Stdout(Bytes),
    /// Bytes of a message for the log. They are never empty.
    Stderr(Bytes),
    End {
        /// Whether the server has handled the request: 0 if it has.
        protocol_status: u8,
    },
}

/// Decodes the records of one response.
#[derive(Debug)]
struct Decoder {
    id: u16,
    state: DecoderState,
    stdout_ended: bool,
    stderr_ended: bool,
}

#[derive(Debug)]
enum DecoderState {
    /// The next bytes are the header of a record.
    Header,
    /// The next bytes are the content of a record, and then its padding.
    Content {
        kind: u8,
        left: usize,
        padding: usize,
    },
    /// The next bytes are the content of the end record, and then its padding.
    End {
        padding: usize,
    },
    Padding {
        left: usize,
    },
    Ended,
}

impl Decoder {
    pub fn new(id: u16) -> Self {
        Self { id, state: DecoderState::Header, stdout_ended: false, stderr_ended: false }
    }

    /// Removes bytes from the beginning of `buffer`, and returns the next part of the response. Returns `None` if more
    /// bytes are needed, or if the response has ended.
    /// Fails if the bytes are not the records of a response. The error is a message.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<ResponsePart>, String> {
        loop {
            match &mut self.state {
                DecoderState::Header => {
                    if buffer.len() < HEADER_LEN {
                        return Ok(None);
                    }
                    let header = buffer.split_to(HEADER_LEN);
                    self.state = self.state_after_header(&header)?;
                }
                DecoderState::Content { kind, left, padding } => {
                    if *left == 0 {
                        self.state = DecoderState::Padding { left: *padding };
                        continue;
                    }
                    if buffer.is_empty() {
                        return Ok(None);
                    }
                    let content = buffer.split_to(buffer.len().min(*left)).freeze();
                    *left -= content.len();
                    return Ok(Some(if *kind == STDOUT {
                        ResponsePart::Stdout(content)
                    } else {
                        ResponsePart::Stderr(content)
                    }));
                }
                DecoderState::End { padding } => {
                    let len = END_LEN + *padding;
                    if buffer.len() < len {
                        return Ok(None);
                    }
                    let content = buffer.split_to(len);
                    self.state = DecoderState::Ended;
                    return Ok(Some(ResponsePart::End { protocol_status: content[4] }));
                }
                DecoderState::Padding { left } => {
                    let skipped = buffer.len().min(*left);
                    buffer.advance(skipped);
                    *left -= skipped;
                    if *left > 0 {
                        return Ok(None);
                    }
                    self.state = DecoderState::Header;
                }
                DecoderState::Ended => return Ok(None),
            }
        }
    }

    fn state_after_header(&mut self, header: &[u8]) -> Result<DecoderState, String> {
        let number = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let (version, kind, id) = (header[0], header[1], number(2));
        let (len, padding) = (usize::from(number(4)), usize::from(header[6]));
        if version != VERSION {
            return Err(format!("a record has the version {version}, not 1"));
        }
        if ![STDOUT, STDERR, END_REQUEST].contains(&kind) {
            return Err(format!("a record has the unexpected type {kind}"));
        }
        if id != self.id {
            return Err(format!("a record has the request id {id}, and not that of the request"));
        }
        if kind == END_REQUEST {
            return match len {
                END_LEN => Ok(DecoderState::End { padding }),
                len => Err(format!("an end record has {len} bytes, not {END_LEN}")),
            };
        }
        let ended = if kind == STDOUT { &mut self.stdout_ended } else { &mut self.stderr_ended };
        if *ended {
            return Err("a stream continues after its end".to_owned());
        }
        // A record without content ends its stream.
        *ended = len == 0;
        Ok(DecoderState::Content { kind, left: len, padding })
    }
}
