//! HTTP/2 (RFC 9113) without TLS, as some proxies speak it to servers. The crate `actix-http` implements it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::{HttpService, Protocol, Request, Response};
use actix_rt::net::TcpStream;
use actix_service::{Service, ServiceFactory, fn_service};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::future::{Either, select};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::actix_request;
use super::actix_response::to_actix_response;
use super::handle::handle;
use super::mount::MountedPart;
use super::worker::Worker;

/// Serves a connection whose client speaks HTTP/2, until the connection is closed. `received` contains the bytes that
/// have been received.
pub(super) async fn serve(stream: TcpStream, received: BytesMut, worker: &Rc<Worker>, keep_alive: Duration) {
    let peer = stream.peer_addr().ok();
    let connection = ResumedStream { received, stream };
    // While a request is handled, or its response is being sent, there is another owner of this value.
    let marker = Rc::new(());
    let (responding, requests) = (Rc::clone(worker), Rc::clone(&marker));
    let respond = fn_service(move |request| respond(Rc::clone(&responding), request, Rc::clone(&requests)));
    let http = HttpService::build().keep_alive(keep_alive).finish::<_, BoxBody>(respond).new_service(()).await;
    let Ok(http) = http else { return };
    // When the server stops, actix does not ask HTTP/2 clients to close their connections.
    let is_quiet = || Rc::strong_count(&marker) <= 2;
    let served = pin!(http.call((connection, Protocol::Http2, peer)));
    if let Either::Left((Err(error), _)) = select(served, pin!(worker.state().wait_until_quiet(is_quiet))).await {
        log::debug!("an HTTP/2 connection ended: {error}");
    }
}

async fn respond(worker: Rc<Worker>, mut request: Request, marker: Rc<()>) -> Result<Response<BoxBody>, Infallible> {
    let payload = request.take_payload();
    let peer: Option<SocketAddr> = request.peer_addr();
    let incoming = actix_request::take_request(request.head_mut(), payload, peer, &worker);
    let head = incoming.head.clone();
    let handled = handle(worker, MountedPart::Api, incoming).await;
    let response = to_actix_response(handled, &head, http::Version::HTTP_2);
    Ok(response.map_body(|_, body| BoxBody::new(BodyInProgress { body, _marker: marker })))
}

/// The body of a response that has not been sent completely.
struct BodyInProgress {
    body: BoxBody,
    _marker: Rc<()>,
}

impl MessageBody for BodyInProgress {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(task)
    }
}

/// A stream of which some bytes have been received. They are read again first.
struct ResumedStream {
    received: BytesMut,
    stream: TcpStream,
}

impl AsyncRead for ResumedStream {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.received.is_empty() {
            return Pin::new(&mut self.stream).poll_read(task, buffer);
        }
        let length = self.received.len().min(buffer.remaining());
        buffer.put_slice(&self.received[..length]);
        self.received.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ResumedStream {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(task, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(task, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
