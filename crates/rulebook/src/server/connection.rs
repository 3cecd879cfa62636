//! Serves a connection: detects its protocol, and calls the pipeline for each request.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::body::BoxBody;
use actix_http::error::DispatchError;
use actix_http::{HttpMessage, HttpService, Protocol, Request, Response};
use actix_rt::net::TcpStream;
use actix_service::{Service, ServiceFactory, fn_factory, fn_service};
use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture, select};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::handle::handle;
use super::head::Incoming;
use super::mount::Scope;
use super::request_body::Continue;
use super::state::ServerState;
use super::worker::Worker;

/// The maximum time from the start of a connection to the end of the head of its first request.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The time for which the server keeps reading a request body that it will not use, so that the client can finish
/// sending and read the response (RFC 9112 section 9.6).
const LINGER_TIME: Duration = Duration::from_secs(1);

/// Returns the service for the connections of a worker.
pub(super) fn factory(
    state: &Arc<ServerState>,
    keep_alive: Duration,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<> {
    let state = Arc::clone(state);
    fn_factory(move || {
        let worker = Worker::of_thread(&state);
        let (expecting, closing, connected) = (Rc::clone(&worker), Arc::clone(&state), Arc::clone(&state));
        let http = HttpService::build()
            .keep_alive(keep_alive)
            .client_request_timeout(HEAD_TIME)
            .client_disconnect_timeout(LINGER_TIME)
            .graceful_shutdown_signal(move || {
                let state = Arc::clone(&closing);
                async move { state.closing().await }
            })
            .expect(fn_service(move |request| begin(Rc::clone(&expecting), request)))
            .finish::<_, BoxBody>(fn_service(move |request| run(&worker, request)));
        let http = http.new_service(());
        async move {
            let http = Rc::new(http.await?);
            Ok(fn_service(move |stream: TcpStream| {
                let (http, state) = (Rc::clone(&http), Arc::clone(&connected));
                async move {
                    let _counted = state.count_connection();
                    // Each response is written with one call, so that waiting for more data (the algorithm of Nagle)
                    // would only delay it.
                    stream.set_nodelay(true)?;
                    let peer = stream.peer_addr().ok();
                    let http2 = Rc::new(Cell::new(None));
                    let ended = http.call((Connection::new(stream, &http2), Protocol::Http1, peer)).await;
                    // Without the feature, the connection is closed.
                    let Some(connection) = http2.take().filter(|_| cfg!(feature = "http2")) else { return ended };
                    // actix does not ask connections of HTTP/2 to close.
                    let served = pin!(http.call((connection, Protocol::Http2, peer)));
                    match select(served, pin!(state.quiet())).await {
                        Either::Left((ended, _)) => ended,
                        Either::Right(_) => Ok(()),
                    }
                }
            }))
        }
    })
}

/// The future that handles a request.
type Handling = LocalBoxFuture<'static, Response<BoxBody>>;

/// Handles a request, or continues to handle one for which [`begin`] has sent `100 Continue`.
fn run(
    worker: &Rc<Worker>,
    mut request: Request,
) -> LocalBoxFuture<'static, Result<Response<BoxBody>, Response<BoxBody>>> {
    if request.head().expect()
        && let Some(Suspended { handling, go_on }) = request.extensions_mut().remove()
    {
        go_on.sent.set(true);
        return Box::pin(handling.map(Ok));
    }
    let incoming = Incoming::take(&mut request, worker);
    Box::pin(handle(Rc::clone(worker), Scope::Api, incoming).map(Ok))
}

/// A request whose handling is suspended until its body arrives.
struct Suspended {
    handling: Handling,
    go_on: Rc<Continue>,
}

/// Handles a request with `Expect: 100-continue` (RFC 9110 section 10.1.1) until it needs its body. Then returns the
/// request with its suspended handling, and actix sends `100 Continue`.
///
/// # Errors
/// Returns the response as the error if it is ready without the body.
async fn begin(worker: Rc<Worker>, mut request: Request) -> Result<Request, Response<BoxBody>> {
    let mut incoming = Incoming::take(&mut request, &worker);
    let go_on = Rc::new(Continue::default());
    incoming.body.await_continue(&go_on);
    let mut handling: Handling = Box::pin(handle(worker, Scope::Api, incoming));
    let response = poll_fn(|task| match handling.as_mut().poll(task) {
        Poll::Ready(response) => Poll::Ready(Some(response)),
        Poll::Pending if go_on.needed.get() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    match response.await {
        Some(response) => Err(response),
        None => {
            request.extensions_mut().insert(Suspended { handling, go_on });
            Ok(request)
        }
    }
}

/// The first bytes of a client that speaks HTTP/2 (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose protocol is detected by its first bytes.
///
/// Each connection begins as HTTP/1, whose service limits the time until the first head is complete. If the client
/// sends the preface of HTTP/2, reading returns an error, and the stream is put into `http2` together with the bytes
/// that were read.
struct Connection {
    /// `None` once the stream has been put into `http2`.
    stream: Option<TcpStream>,
    start: Start,
    http2: Rc<Cell<Option<Connection>>>,
}

/// The first bytes of a connection.
enum Start {
    /// The bytes received so far are the beginning of [`PREFACE`].
    Unknown(Vec<u8>),
    /// The protocol is known. These bytes have been read from the stream, and are returned by the next read.
    Replayed(Bytes),
    /// The first bytes have been returned; reads go to the stream directly.
    Done,
}

impl Connection {
    fn new(stream: TcpStream, http2: &Rc<Cell<Option<Connection>>>) -> Self {
        Self { stream: Some(stream), start: Start::Unknown(Vec::new()), http2: Rc::clone(http2) }
    }

    /// Reads until the protocol is known.
    fn poll_detect(&mut self, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while let (Some(stream), Start::Unknown(seen)) = (&mut self.stream, &mut self.start) {
            let before = buffer.filled().len();
            ready!(Pin::new(stream).poll_read(task, buffer))?;
            let read = &buffer.filled()[before..];
            let is_start = PREFACE.starts_with(&read[..read.len().min(PREFACE.len())]);
            if seen.is_empty() && (read.is_empty() || !is_start) {
                self.start = Start::Done;
                return Poll::Ready(Ok(()));
            }
            let ended = read.is_empty();
            seen.extend_from_slice(read);
            buffer.set_filled(before);
            if seen.starts_with(PREFACE) {
                let start = Start::Replayed(std::mem::take(seen).into());
                let (stream, unused) = (self.stream.take(), Rc::default());
                self.http2.set(Some(Self { stream, start, http2: unused }));
                return Poll::Ready(Err(io::Error::other("the client speaks HTTP/2")));
            }
            if ended || !PREFACE.starts_with(seen) {
                self.start = Start::Replayed(std::mem::take(seen).into());
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Returns the stream for writing. An error before the client has sent a byte prevents any response: a connection
    /// that a client opens and does not use is closed without one.
    fn writer(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let is_unused = matches!(&self.start, Start::Unknown(seen) if seen.is_empty());
        match &mut self.stream {
            Some(stream) if !is_unused => Ok(Pin::new(stream)),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Start::Unknown(_) = self.start {
            let before = buffer.filled().len();
            ready!(self.poll_detect(task, buffer))?;
            if buffer.filled().len() > before || matches!(self.start, Start::Done) {
                return Poll::Ready(Ok(()));
            }
        }
        if let Start::Replayed(bytes) = &mut self.start {
            let length = bytes.len().min(buffer.remaining());
            buffer.put_slice(&bytes[..length]);
            bytes.advance(length);
            if bytes.is_empty() {
                self.start = Start::Done;
            }
            return Poll::Ready(Ok(()));
        }
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_read(task, buffer),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writer()?.poll_write(task, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writer()?.poll_write_vectored(task, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(TcpStream::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().map_or(Poll::Ready(Ok(())), |stream| Pin::new(stream).poll_flush(task))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().map_or(Poll::Ready(Ok(())), |stream| Pin::new(stream).poll_shutdown(task))
    }
}
