//! What kinds of handlers need that pass calls to another server or program: connections, worker threads, the bodies of
//! requests, header fields that describe files, and texts and errors of other programs in the log.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::Write;
use std::future::ready;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{BoxStream, StreamExt, iter, try_unfold, unfold};
use http::HeaderValue;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::call::{Download, ETag, Upload};
use crate::multipart::MultipartPiece;

/// A limited number of connections to a server, which one call after the other uses.
#[derive(Debug)]
pub struct ConnectionPool<C> {
    idle_timeout: Duration,
    /// Has a permit for each connection that can be in use at the same time.
    permits: Arc<Semaphore>,
    idle: Mutex<IdleConnections<C>>,
}

/// The connections without a call, with the time at which their last call ended, the earliest first.
#[derive(Debug)]
struct IdleConnections<C> {
    list: Vec<(C, Instant)>,
    /// The task that closes connections when their time is over.
    closing: Option<JoinHandle<()>>,
}

/// The permission to use one connection. It ends when this value is dropped, so that the connection must be dropped
/// before.
#[derive(Debug)]
pub struct ConnectionLease<C> {
    pool: Arc<ConnectionPool<C>>,
    _permit: OwnedSemaphorePermit,
}

impl<C: Send + 'static> ConnectionPool<C> {
    /// Creates a pool for at most `connections` connections. Each is kept without a call for `idle_timeout`; if this is
    /// zero, none is kept.
    #[must_use]
    pub fn new(connections: usize, idle_timeout: Duration) -> Arc<Self> {
        let idle = Mutex::new(IdleConnections { list: Vec::new(), closing: None });
        Arc::new(Self { idle_timeout, permits: Arc::new(Semaphore::new(connections)), idle })
    }

    /// Waits until a connection is free, or can be opened. Returns `None` at the deadline.
    pub async fn lease(self: &Arc<Self>, deadline: Instant) -> Option<ConnectionLease<C>> {
        let permit = timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await;
        Some(ConnectionLease { pool: Arc::clone(self), _permit: permit.ok()?.ok()? })
    }

    fn lock_idle(&self) -> MutexGuard<'_, IdleConnections<C>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes connections that have been idle for too long. Returns when the next one has to be closed; `None` if no
    /// connection is idle, so that the task ends.
    fn close_expired(&self) -> Option<Instant> {
        let mut idle = self.lock_idle();
        let expired = idle.list.iter().take_while(|(_, since)| since.elapsed() >= self.idle_timeout).count();
        let closed: Vec<_> = idle.list.drain(..expired).collect();
        let next = idle.list.first().map(|(_, since)| *since + self.idle_timeout);
        if next.is_none() {
            idle.closing = None;
        }
        drop(idle);
        drop(closed);
        next
    }
}

impl<C: Send + 'static> ConnectionLease<C> {
    /// Removes and returns the connection whose last call ended most recently; `None` if a new one has to be opened.
    #[must_use]
    pub fn take_idle(&self) -> Option<C> {
        let (connection, since) = self.pool.lock_idle().list.pop()?;
        (since.elapsed() < self.pool.idle_timeout).then_some(connection)
    }

    /// Keeps the connection for other calls, and ends the permission.
    pub fn keep(self, connection: C) {
        if self.pool.idle_timeout.is_zero() {
            return;
        }
        let mut idle = self.pool.lock_idle();
        idle.list.push((connection, Instant::now()));
        // A task of another runtime ends with it.
        if idle.closing.as_ref().is_none_or(JoinHandle::is_finished) {
            idle.closing = Some(tokio::spawn(close_idle_connections(Arc::downgrade(&self.pool))));
        }
    }
}

/// Closes the idle connections of a pool when their time is over, until it has none.
async fn close_idle_connections<C: Send + 'static>(pool: Weak<ConnectionPool<C>>) {
    while let Some(next) = pool.upgrade().and_then(|pool| pool.close_expired()) {
        sleep_until(next).await;
    }
}

thread_local! {
    /// The worker that runs in this thread. It ends with its services.
    static CURRENT: RefCell<Weak<()>> = const { RefCell::new(Weak::new()) };
}

/// A worker thread of a server, with its tokio runtime.
///
/// A socket belongs to the runtime in which it is opened: if another thread uses the socket, each response wakes two
/// threads. So a handler that keeps connections should open them in the worker thread whose calls use them. All worker
/// threads of a server run until the last of its requests has ended.
#[derive(Debug, Clone)]
pub struct WorkerThread(Weak<()>);

impl WorkerThread {
    /// Returns the worker thread that runs this code; `None` in any other thread, such as one of a program that calls
    /// methods from code.
    #[must_use]
    pub fn current() -> Option<Self> {
        let current = CURRENT.try_with(|current| current.borrow().clone()).ok()?;
        Some(Self(current)).filter(Self::is_running)
    }

    /// Returns `false` if the worker has ended. Sockets that were opened in its thread cannot be used any more.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl PartialEq for WorkerThread {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

impl Eq for WorkerThread {}

/// Notes that the current thread is a worker thread, until all returned values of the thread have been dropped.
pub(crate) fn run_worker() -> Arc<()> {
    CURRENT.with_borrow_mut(|current| {
        current.upgrade().unwrap_or_else(|| {
            let worker = Arc::new(());
            *current = Arc::downgrade(&worker);
            worker
        })
    })
}

/// The maximum length of a part that is read at once.
const PART_LEN: usize = 32 << 10;

/// Returns the length of a body in bytes.
#[must_use]
pub fn body_len(pieces: &[MultipartPiece<Upload>]) -> u64 {
    let len = |piece: &MultipartPiece<Upload>| match piece {
        MultipartPiece::Bytes(bytes) => bytes.len() as u64,
        MultipartPiece::File(upload) => upload.size(),
    };
    pieces.iter().map(len).sum()
}

/// Returns the bytes of a body, in parts of 1 byte to 32 KiB. Files are read as the parts are needed, and are kept
/// until then. If a file is shorter than it was, the stream fails.
#[must_use]
pub fn body_stream(pieces: Vec<MultipartPiece<Upload>>) -> BoxStream<'static, io::Result<Bytes>> {
    let parts = |piece: MultipartPiece<Upload>| {
        let in_memory = match &piece {
            MultipartPiece::Bytes(bytes) => Some(bytes.clone()),
            MultipartPiece::File(upload) => upload.bytes().map(Bytes::copy_from_slice),
        };
        match (in_memory, piece) {
            (None, MultipartPiece::File(upload)) => {
                try_unfold((None, upload.size(), upload), next_of_file).right_stream()
            }
            (bytes, _) => unfold(bytes.unwrap_or_default(), |bytes| ready(next_of_bytes(bytes))).left_stream(),
        }
    };
    iter(pieces).flat_map(parts).boxed()
}

fn next_of_bytes(mut bytes: Bytes) -> Option<(io::Result<Bytes>, Bytes)> {
    let next = bytes.split_to(bytes.len().min(PART_LEN));
    (!next.is_empty()).then_some((Ok(next), bytes))
}

/// The open file, the number of bytes that have not been read, and the upload, which keeps the file.
type OpenUpload = (Option<File>, u64, Upload);

async fn next_of_file((file, left, upload): OpenUpload) -> io::Result<Option<(Bytes, OpenUpload)>> {
    let len = usize::try_from(left).unwrap_or(PART_LEN).min(PART_LEN);
    if len == 0 {
        return Ok(None);
    }
    let mut file = match file {
        Some(file) => file,
        None => File::open(upload.path()?).await?,
    };
    let mut part = BytesMut::with_capacity(len);
    let read = (&mut file).take(len as u64).read_buf(&mut part).await?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((part.freeze(), (Some(file), left - read as u64, upload))))
}

/// Sets the properties of a file that header fields of another program describe. Their names are in lower case. Fields
/// that do not describe a file, or are not valid, are ignored.
#[must_use]
pub fn describe_file<'f>(mut file: Download, fields: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Download {
    for (name, value) in fields {
        let text = std::str::from_utf8(value).unwrap_or_default();
        match name {
            "content-type" | "content-disposition" | "content-language" | "cache-control" | "expires" => {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    file = file.header(name, value);
                }
            }
            "content-length" => {
                if let Ok(length) = text.parse() {
                    file = file.length(length);
                }
            }
            "etag" => {
                if let Some(etag) = ETag::parse(text) {
                    file = file.etag(etag);
                }
            }
            "last-modified" => {
                if let Ok(time) = httpdate::parse_http_date(text) {
                    file = file.last_modified(time);
                }
            }
            _ => {}
        }
    }
    file
}

/// The maximum number of bytes of a line that the log contains.
const MAX_LOGGED: usize = 4_096;

/// Returns a line of another program for the log: it can contain anything, also control characters, which could change
/// what a terminal shows.
#[must_use]
pub fn printable(line: &[u8]) -> String {
    let shown = &line[..line.len().min(MAX_LOGGED)];
    let mut text = String::with_capacity(shown.len());
    for character in String::from_utf8_lossy(shown.trim_ascii_end()).chars() {
        if character.is_control() && character != '\t' {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{}", character.escape_default());
        } else {
            text.push(character);
        }
    }
    if line.len() > MAX_LOGGED {
        text.push('…');
    }
    text
}

/// Splits the output of another program into lines of at most 4 KiB; further bytes of a longer line are dropped.
#[derive(Debug, Default)]
pub struct LogLines {
    line: Vec<u8>,
}

impl LogLines {
    /// Adds output, and calls `log` with each complete line.
    pub fn add(&mut self, output: &[u8], mut log: impl FnMut(&str)) {
        let mut rest = output;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.push(&rest[..end]);
            self.end_line(&mut log);
            rest = &rest[end + 1..];
        }
        self.push(rest);
    }

    /// Calls `log` with the last line, if it has no line break.
    pub fn finish(&mut self, mut log: impl FnMut(&str)) {
        self.end_line(&mut log);
    }

    fn push(&mut self, bytes: &[u8]) {
        // One byte more than the limit shows that the line is longer.
        let capacity = (MAX_LOGGED + 1).saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(capacity)]);
    }

    fn end_line(&mut self, log: &mut impl FnMut(&str)) {
        if !self.line.trim_ascii().is_empty() {
            log(&printable(&self.line));
        }
        self.line.clear();
    }
}

/// A part of the message of a TLS client that has found no certificates of authorities.
const NO_AUTHORITIES: &str = "No CA certificates were loaded";
const AUTHORITIES_HELP: &str = "install the certificates of authorities, which are in the package ca-certificates of \
                                most systems, or name a file with them in SSL_CERT_FILE";

/// Returns the message of an error, followed by those of its causes that it does not contain, for the log. Says how to
/// get the certificates of authorities if they are missing on this machine.
pub fn describe_with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    if text.contains(NO_AUTHORITIES) {
        text = format!("{text}; {AUTHORITIES_HELP}");
    }
    text
}
