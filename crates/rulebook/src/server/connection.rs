//! Serves a connection: detects its version of HTTP, and handles each request.

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
use super::incoming_request::IncomingRequest;
use super::mount::MountedPart;
use super::request_body::ContinueState;
use super::state::ServerState;
use super::worker::Worker;

/// The maximum time from the start of a connection until the head of its first request is complete.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The time for which the server keeps reading a request body that it will not use, so that the client can finish
/// sending and read the response (RFC 9112 section 9.6).
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// Returns the factory that creates, for each worker, the actix service for the worker's connections.
pub(super) fn connection_service_factory(
    state: &Arc<ServerState>,
    keep_alive: Duration,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<> {
    let state = Arc::clone(state);
    fn_factory(move || {
        let worker = Worker::of_thread(&state);
        let (expecting, closing, connected) = (Rc::clone(&worker), Arc::clone(&state), Arc::clone(&state));
        let http = HttpService::build()
            .keep_alive(keep_alive)
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(LINGER_TIMEOUT)
            .graceful_shutdown_signal(move || {
                let state = Arc::clone(&closing);
                async move { state.wait_until_closing().await }
            })
            .expect(fn_service(move |request| handle_until_body_needed(Rc::clone(&expecting), request)))
            .finish::<_, BoxBody>(fn_service(move |request| handle_or_resume(&worker, request)));
        let http = http.new_service(());
        async move {
            let http = Rc::new(http.await?);
            Ok(fn_service(move |stream: TcpStream| {
                let (http, state) = (Rc::clone(&http), Arc::clone(&connected));
                async move {
                    let _counted = state.count_connection();
                    // Nagle's algorithm is disabled: it would delay a response to wait for more data, although each
                    // response is written with a single call.
                    stream.set_nodelay(true)?;
                    let peer = stream.peer_addr().ok();
                    let http2 = Rc::new(Cell::new(None));
                    let ended = http.call((Connection::new(stream, &http2), Protocol::Http1, peer)).await;
                    // Without the feature `http2` of the crate, the connection is closed.
                    let Some(connection) = http2.take().filter(|_| cfg!(feature = "http2")) else { return ended };
                    // When the server stops, actix does not ask HTTP/2 clients to close their connections.
                    let served = pin!(http.call((connection, Protocol::Http2, peer)));
                    match select(served, pin!(state.wait_until_quiet())).await {
                        Either::Left((ended, _)) => ended,
                        Either::Right(_) => Ok(()),
                    }
                }
            }))
        }
    })
}

/// The future that handles a request and returns its response.
type HandlingFuture = LocalBoxFuture<'static, Response<BoxBody>>;

/// Handles a request. If [`handle_until_body_needed`] has started to handle it, continues after `100 Continue` was
/// sent.
fn handle_or_resume(
    worker: &Rc<Worker>,
    mut request: Request,
) -> LocalBoxFuture<'static, Result<Response<BoxBody>, Response<BoxBody>>> {
    if request.head().expect()
        && let Some(SuspendedRequest { handling, continue_state }) = request.extensions_mut().remove()
    {
        continue_state.is_sent.set(true);
        return Box::pin(handling.map(Ok));
    }
    let incoming = IncomingRequest::take_request(&mut request, worker);
    Box::pin(handle(Rc::clone(worker), MountedPart::Api, incoming).map(Ok))
}

/// A request whose handling is suspended until `100 Continue` has been sent and the body arrives.
struct SuspendedRequest {
    handling: HandlingFuture,
    continue_state: Rc<ContinueState>,
}

/// Handles a request with `Expect: 100-continue` (RFC 9110 section 10.1.1) until its body is needed. Then returns the
/// request, which contains its suspended handling, and actix sends `100 Continue`.
///
/// # Errors
/// If the response does not depend on the body, returns the response as the error.
async fn handle_until_body_needed(worker: Rc<Worker>, mut request: Request) -> Result<Request, Response<BoxBody>> {
    let mut incoming = IncomingRequest::take_request(&mut request, &worker);
    let continue_state = Rc::new(ContinueState::default());
    incoming.body.wait_for_continue(&continue_state);
    let mut handling: HandlingFuture = Box::pin(handle(worker, MountedPart::Api, incoming));
    let response = poll_fn(|task| match handling.as_mut().poll(task) {
        Poll::Ready(response) => Poll::Ready(Some(response)),
        Poll::Pending if continue_state.is_needed.get() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    match response.await {
        Some(response) => Err(response),
        None => {
            request.extensions_mut().insert(SuspendedRequest { handling, continue_state });
            Ok(request)
        }
    }
}

/// The first bytes that a client sends on an HTTP/2 connection (RFC 9113 section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose version of HTTP is detected by its first bytes.
///
/// Each connection begins as HTTP/1, because actix limits the time until the first request head only for HTTP/1. If the
/// client sends the first bytes of HTTP/2, reading returns an error, and `http2_connection` receives a new connection
/// that contains the stream and the bytes that were read.
struct Connection {
    /// `None` after the stream has been moved to `http2_connection`.
    stream: Option<TcpStream>,
    start: ConnectionStart,
    http2_connection: Rc<Cell<Option<Connection>>>,
}

/// What is known about the first bytes of a connection.
enum ConnectionStart {
    /// The version is not known: the bytes received so far are a beginning of [`HTTP2_PREFACE`].
    Unknown(Vec<u8>),
    /// The version is known. These bytes have been read from the stream, and the next read returns them.
    Replayed(Bytes),
    /// The first bytes have been returned, so that reads use the stream directly.
    Done,
}

impl Connection {
    fn new(stream: TcpStream, http2: &Rc<Cell<Option<Connection>>>) -> Self {
        Self { stream: Some(stream), start: ConnectionStart::Unknown(Vec::new()), http2_connection: Rc::clone(http2) }
    }

    /// Reads from the stream until the version of HTTP is known.
    fn poll_detect_protocol(&mut self, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while let (Some(stream), ConnectionStart::Unknown(seen)) = (&mut self.stream, &mut self.start) {
            let before = buffer.filled().len();
            ready!(Pin::new(stream).poll_read(task, buffer))?;
            let read = &buffer.filled()[before..];
            let is_start = HTTP2_PREFACE.starts_with(&read[..read.len().min(HTTP2_PREFACE.len())]);
            if seen.is_empty() && (read.is_empty() || !is_start) {
                self.start = ConnectionStart::Done;
                return Poll::Ready(Ok(()));
            }
            let ended = read.is_empty();
            seen.extend_from_slice(read);
            buffer.set_filled(before);
            if seen.starts_with(HTTP2_PREFACE) {
                let start = ConnectionStart::Replayed(std::mem::take(seen).into());
                let (stream, unused) = (self.stream.take(), Rc::default());
                self.http2_connection.set(Some(Self { stream, start, http2_connection: unused }));
                return Poll::Ready(Err(io::Error::other("the client speaks HTTP/2")));
            }
            if ended || !HTTP2_PREFACE.starts_with(seen) {
                self.start = ConnectionStart::Replayed(std::mem::take(seen).into());
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Returns the stream for writing. Returns an error as long as the client has not sent a byte: the server closes an
    /// unused connection without a response.
    fn stream_for_writing(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let is_unused = matches!(&self.start, ConnectionStart::Unknown(seen) if seen.is_empty());
        match &mut self.stream {
            Some(stream) if !is_unused => Ok(Pin::new(stream)),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let ConnectionStart::Unknown(_) = self.start {
            let before = buffer.filled().len();
            ready!(self.poll_detect_protocol(task, buffer))?;
            if buffer.filled().len() > before || matches!(self.start, ConnectionStart::Done) {
                return Poll::Ready(Ok(()));
            }
        }
        if let ConnectionStart::Replayed(bytes) = &mut self.start {
            let length = bytes.len().min(buffer.remaining());
            buffer.put_slice(&bytes[..length]);
            bytes.advance(length);
            if bytes.is_empty() {
                self.start = ConnectionStart::Done;
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
        self.stream_for_writing()?.poll_write(task, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream_for_writing()?.poll_write_vectored(task, parts)
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
