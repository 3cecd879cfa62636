//! One request of an HTTP/2 connection.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::{Either, select};
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::Request;
use rulebook_model::connection_limits::{PROGRESS, REQUEST_MEMORY, RESPONSE_MEMORY};

use super::connection_state::ConnectionState;
use super::received_head::{MalformedHead, ReceivedHead};
use super::refuse::{refuse, shorten};
use super::send::{Sending, send_reply};
use super::send_memory::{BodyPart, SendMemory};
use crate::call::{Head, TlsSession};
use crate::pipeline::Reply;
use crate::server::handle::{Handled, handle};
use crate::server::incoming_request::{IncomingRequest, request_id};
use crate::server::mount::MountedPart;
use crate::server::request_body::BodySource;
use crate::server::request_memory::{ReservedMemory, head_memory};
use crate::server::worker::Worker;

/// What the requests of a connection have in common.
pub(super) struct RequestContext {
    pub(super) worker: Rc<Worker>,
    pub(super) peer: Option<SocketAddr>,
    /// What the TLS connection shows about its client; `None` if the connection has no TLS.
    pub(super) tls: Option<Arc<TlsSession>>,
    pub(super) state: Rc<ConnectionState>,
    pub(super) send_memory: Rc<SendMemory>,
}

/// Handles a request, and sends its response. If the client cancels the request, the request ends.
pub(super) async fn respond(
    context: Rc<RequestContext>,
    request: Request<RecvStream>,
    mut responding: SendResponse<BodyPart>,
) {
    // The future is boxed. Otherwise its memory would be used until the client has received the response.
    let handling = Box::pin(handle_request(&context, request, &mut responding));
    let Some(RespondedRequest { head, reply, ended, _memory }) = handling.await else { return };
    let RequestContext { worker, peer, state, send_memory, .. } = &*context;
    let sending = Sending { worker, head: &head, state, memory: send_memory };
    if let Err(error) = send_reply(sending, reply, ended, &mut responding).await {
        match error.kind() {
            io::ErrorKind::TimedOut => worker.state().exceeded_limits.count(&PROGRESS, *peer),
            io::ErrorKind::OutOfMemory => worker.state().exceeded_limits.count(&RESPONSE_MEMORY, *peer),
            _ => {}
        }
        log::debug!("an HTTP/2 request ended: {error}");
        responding.send_reset(Reason::CANCEL);
    }
}

/// A request that has been handled, and its reply.
struct RespondedRequest {
    head: Arc<Head>,
    reply: Reply,
    ended: Instant,
    /// The memory of the head.
    _memory: ReservedMemory,
}

/// Handles a request. Returns `None` if the request has ended without a reply.
async fn handle_request(
    context: &RequestContext,
    request: Request<RecvStream>,
    responding: &mut SendResponse<BodyPart>,
) -> Option<RespondedRequest> {
    let RequestContext { worker, peer, tls, state, .. } = context;
    let (parts, body) = request.into_parts();
    let has_body = !body.is_end_stream();
    let received = match ReceivedHead::new(parts, has_body) {
        Ok(received) => received,
        Err(MalformedHead) => {
            log::debug!("an HTTP/2 request is malformed: its content-length is invalid");
            responding.send_reset(Reason::PROTOCOL_ERROR);
            return None;
        }
    };
    let ReceivedHead { method, mut uri, mut headers, length, joined_fields, mut exceeded } = received;
    if exceeded.is_none() {
        ConnectionState::add(&state.joined_fields, joined_fields as u64);
    }
    let mut memory = ReservedMemory::default();
    let limited = worker.state().limited_peer(*peer).map(|peer| peer.ip());
    if memory.grow_to(head_memory(length, headers.len()), &worker.state().request_memory, limited).is_err() {
        exceeded = Some(REQUEST_MEMORY);
        headers = Vec::new();
        uri = shorten(&uri);
    }
    let id = request_id(&headers, worker);
    let client = worker.state().trusted_proxies.client_address(*peer, &headers);
    let head =
        Arc::new(Head { method, uri, headers, streams: true, peer: *peer, client, id, tls: tls.clone(), trace: None });
    let mut reply = Reply::empty();
    let Handled { head, unread: _, ended } = if let Some(limit) = exceeded {
        refuse(worker, head, &limit, &mut reply)
    } else {
        let body = if has_body { BodySource::Http2(BodyReceiver(body)) } else { BodySource::Nothing };
        let handling = pin!(handle(Rc::clone(worker), MountedPart::Api, IncomingRequest { head, body }, &mut reply));
        match select(handling, poll_fn(|task| responding.poll_reset(task))).await {
            Either::Left((handled, _)) => handled,
            Either::Right(_) => return None,
        }
    };
    Some(RespondedRequest { head, reply, ended, _memory: memory })
}

/// The body of a request.
pub(in crate::server) struct BodyReceiver(RecvStream);

impl BodyReceiver {
    /// Returns the next bytes of the body; `None` at the end of the body.
    ///
    /// # Errors
    /// Fails if the connection is broken, or if the client cancels the request.
    pub(in crate::server) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let received = ready!(self.0.poll_data(task)).transpose().map_err(io::Error::other)?;
        if let Some(bytes) = &received {
            // The client may send this number of further bytes.
            self.0.flow_control().release_capacity(bytes.len()).map_err(io::Error::other)?;
        }
        Poll::Ready(received.map(Ok))
    }
}
