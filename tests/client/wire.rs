//! Requests and responses as the bytes that a connection sends and receives.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::TIMEOUT;

/// The bytes of a request: the request line, the header fields, and the body.
#[derive(Clone)]
pub struct Request {
    pub line: Vec<u8>,
    pub fields: Vec<Vec<u8>>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        let line = [method.as_bytes(), b" ", target.as_ref(), b" HTTP/1.1"].concat();
        Self { line, fields: vec![b"host: test".to_vec()], body: Vec::new() }
    }

    pub fn field(self, name: &str, value: impl fmt::Display) -> Self {
        self.raw_field(name, value.to_string())
    }

    /// Adds a header field whose value may contain any bytes.
    pub fn raw_field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push([name.as_bytes(), b": ", value.as_ref()].concat());
        self
    }

    /// Adds a credential with which the caller has these permissions.
    pub fn scope<S: AsRef<str>>(self, scope: &[S]) -> Self {
        let scope: Value = scope.iter().map(|one| Value::from(one.as_ref())).collect();
        self.field("authorization", format_args!("Bearer {scope}"))
    }

    /// Adds a body, and the header fields with its length and media type.
    pub fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.field("content-type", media_type).body_without_type(body)
    }

    /// Adds a body, and the header field with its length. The request has no media type.
    pub fn body_without_type(self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let mut with = self.field("content-length", body.len());
        with.body = body;
        with
    }

    /// Adds a body with the transfer coding `chunked`.
    pub fn chunked(self, media_type: &str, chunks: &[&[u8]]) -> Self {
        let mut with = self.field("content-type", media_type).field("transfer-encoding", "chunked");
        for chunk in chunks {
            with.body.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            with.body.extend(*chunk);
            with.body.extend(b"\r\n");
        }
        with.body.extend(b"0\r\n\r\n");
        with
    }

    /// Adds a multipart body with these parts.
    pub fn multipart(self, parts: &[MultipartPart<'_>]) -> Self {
        self.body("multipart/form-data; boundary=XX", multipart(parts))
    }

    pub fn head(&self) -> Vec<u8> {
        [self.line.clone(), b"\r\n".to_vec(), self.fields.join(&b"\r\n"[..]), b"\r\n\r\n".to_vec()].concat()
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bytes().escape_ascii().to_string().replace("\\r\\n", "\n"))
    }
}

/// A part of a multipart body: the parameters of its `Content-Disposition`, and its content.
pub type MultipartPart<'a> = (&'a str, &'a [u8]);

/// Returns a multipart body with the boundary `XX`.
pub fn multipart(parts: &[MultipartPart<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (disposition, content) in parts {
        body.extend(format!("--XX\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").into_bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(b"--XX--\r\n");
    body
}

/// Returns a frame of HTTP/2 (RFC 9113 section 4.1).
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A TCP connection to a server.
pub struct Connection {
    pub stream: TcpStream,
    /// The bytes that have been received and have not been parsed yet.
    pub unread: Vec<u8>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// Opens a connection from another address of this machine, such as 127.0.0.2.
    #[cfg(target_os = "linux")]
    pub fn open_from(source: &str, address: SocketAddr) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(source.parse().unwrap(), 0).into()).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into())
    }

    pub fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Lets the connection be reset when it is dropped. Otherwise a test with hundreds of connections a second would
    /// use up all ports, because closed connections stay in the state TIME_WAIT.
    pub fn reset_on_drop(self) -> Self {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
        self
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Writes bytes. Returns `false` if the server has closed the connection.
    pub fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Closes the connection in the direction to the server.
    pub fn close_writing(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    #[track_caller]
    pub fn send(&mut self, request: &Request) -> Response {
        self.write(&request.bytes());
        self.read_response(request.line.starts_with(b"HEAD "))
    }

    /// Reads the next response. If `without_body` is `true`, the response has no body in spite of its `Content-Length`.
    #[track_caller]
    pub fn read_response(&mut self, without_body: bool) -> Response {
        self.try_read_response(without_body).unwrap_or_else(|got| panic!("no complete response, but {got:?}"))
    }

    /// Reads the next response, without interim responses such as `100 Continue`. If the connection ends before the
    /// response is complete, returns the received bytes.
    pub fn try_read_response(&mut self, without_body: bool) -> Result<Response, String> {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if !self.read_more() {
                return Err(self.unread.escape_ascii().to_string());
            }
        };
        let head = String::from_utf8(self.unread.drain(..end).collect()).map_err(|error| error.to_string())?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| head.clone())?;
        if (100..200).contains(&status) {
            return self.try_read_response(without_body);
        }
        let mut response = Response { status, head, body: Vec::new() };
        let length = response.field("content-length").map_or(Ok(0), str::parse).map_err(|_| response.head.clone())?;
        while !without_body && self.unread.len() < length {
            if !self.read_more() {
                return Err(format!("{}{}", response.head, self.unread.escape_ascii()));
            }
        }
        if !without_body {
            response.body = self.unread.drain(..length).collect();
        }
        Ok(response)
    }

    /// Reads from the stream. Repeats the call if a signal interrupts it, for example because a child process has
    /// ended.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Reads bytes into `unread`. Returns `false` if the server has closed the connection.
    pub fn read_more(&mut self) -> bool {
        let mut buffer = [0; 64 << 10];
        match self.read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.unread.extend(&buffer[..length]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Asserts that the server closes the connection without sending any bytes.
    #[track_caller]
    pub fn assert_closed(mut self) {
        while self.read_more() {}
        assert!(self.unread.is_empty(), "{:?}", String::from_utf8_lossy(&self.unread));
    }

    /// Returns `true` if the server sends no bytes for a tenth of a second.
    pub fn is_silent(&mut self) -> bool {
        self.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let mut buffer = [0; 1024];
        let read = self.read(&mut buffer);
        self.stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        match read {
            Ok(length) => {
                self.unread.extend(&buffer[..length]);
                false
            }
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

/// A response: its status, its head (status line and header fields) as text, and its body.
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that this is an error response in the envelope `aicra` or `plain`, with this status, whose message
    /// contains `words`.
    #[track_caller]
    pub fn assert_error(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.field("x-content-type-options"), Some("nosniff"), "{self:?}");
        let (media_type, document) = (self.field("content-type"), self.json());
        let message = if media_type == Some("application/problem+json") {
            document["detail"].as_str().unwrap()
        } else {
            assert_eq!(media_type, Some("application/json"), "{self:?}");
            assert_ne!(document["error"], 0, "{self:?}");
            document["ErrorDescription"].as_str().unwrap()
        };
        assert!(message.contains(words), "{words:?} is not in {message:?}");
    }

    /// Asserts that this is a success response of a method that echoes its arguments, and that these are the arguments.
    #[track_caller]
    pub fn assert_args(&self, args: &Value) {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(&self.json()["args"], args);
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.head, String::from_utf8_lossy(&self.body))
    }
}
