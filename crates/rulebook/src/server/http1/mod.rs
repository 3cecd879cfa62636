//! HTTP/1.0 and HTTP/1.1 (RFC 9112): reads the requests of a connection, and sends their responses.
//!
//! The server has its own implementation, because that of actix costs more than all stages of a simple request
//! together, and has no setting for some of the limits that a server needs: for the time without progress, for heads
//! that follow the first one, and for memory that a client does not read. The parser is the crate `httparse`.
//!
//! The task of a connection polls everything: it waits for a head ([`head`]), polls the future that handles the
//! request, from which the body is read through a [`BodyReader`], and sends the response ([`send`]). So a request needs
//! no channel, no other task, and no memory for buffers of its own.

mod body;
mod connection_fields;
mod framing;
#[cfg(test)]
mod fuzz_tests;
mod head;
mod head_pool;
mod next_request;
mod response_head;
mod send;
#[cfg_attr(not(target_os = "linux"), path = "without_send_file.rs")]
mod send_file;
#[cfg(target_os = "linux")]
mod send_from_file;
mod socket;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rulebook_model::connection_limits::{PROGRESS, RESPONSE_MEMORY};
use rulebook_model::model::ServerPath;
use tokio::task::yield_now;

pub(super) use body::BodyReader;
use head::{Delivery, HeadError, NO_CONNECTION, NO_MEMORY, NO_TLS, parse_head};
pub(super) use head_pool::HeadPool;
use next_request::Next;
use response_head::{ResponseFraming, write_error_response};
use send::{ResponseContext, begin_response, close_gently, send_all, send_response, while_connected};
use socket::Socket;

use super::alarm::Alarm;
use super::client_stream::ClientStream;
use super::connection::Served;
use super::connection_limits::{HEAD_TIMEOUT, RESERVED_HEAD_TIMEOUT};
use super::handle::{Handled, handle};
use super::incoming_request::{IncomingRequest, request_id};
use super::mount::MountedPart;
use super::request_body::BodySource;
use super::request_memory::head_memory;
use super::worker::Worker;
use crate::call::Head;
use crate::pipeline::Reply;

/// The number of requests that are handled one after the other if they have been received together.
const MAX_PIPELINED: u32 = 8;

/// Serves a connection until it is closed. If the client speaks HTTP/2, returns the stream and the bytes that have been
/// received.
pub(super) fn serve(
    stream: ClientStream,
    peer: SocketAddr,
    worker: &Rc<Worker>,
    keep_alive: Duration,
    served: Served,
) -> impl Future<Output = Ended> {
    let peer = Some(peer);
    let (head_timeout, keep_alive) = match served {
        Served::Everything => (HEAD_TIMEOUT, keep_alive),
        Served::ServerState | Served::Nothing => (RESERVED_HEAD_TIMEOUT, Duration::ZERO),
    };
    let deadline = Instant::now() + head_timeout;
    let client = worker.state().limited_peer(peer).map(|peer| peer.ip());
    // The stream is moved before the future begins, so that the future does not contain it.
    let connection = Connection {
        socket: Rc::new(Socket::new(stream, client, worker.state())),
        alarm: Alarm::new(worker.shared_state(), deadline),
        worker,
        peer,
        client,
        keep_alive,
        deadline,
        served,
    };
    serve_connection(connection)
}

async fn serve_connection(mut connection: Connection<'_>) -> Ended {
    let Connection { worker, peer, .. } = connection;
    let outcome = connection.serve_requests().await;
    // Over TLS, the client can distinguish the end of the connection from an attack that cuts it (RFC 8446 section
    // 6.1).
    if connection.socket.is_tls() && !matches!(outcome, Err(_) | Ok(Outcome::Http2)) {
        connection.socket.close_at_once().await;
    }
    if let Err(error) = &outcome {
        match error.kind() {
            io::ErrorKind::TimedOut => worker.state().exceeded_limits.count(&PROGRESS, peer),
            io::ErrorKind::OutOfMemory => worker.state().exceeded_limits.count(&RESPONSE_MEMORY, peer),
            _ => {}
        }
        log::debug!("a connection ended: {error}");
    }
    match (outcome, Rc::into_inner(connection.socket).map(Socket::into_parts)) {
        (Ok(Outcome::Http2), Some((stream, received))) => {
            Ended::Http2 { stream, received, deadline: connection.deadline }
        }
        (_, Some((stream, _))) => Ended::Closed(stream),
        (_, None) => Ended::Nothing,
    }
}

/// A connection on which the server no longer speaks HTTP/1.
pub(super) enum Ended {
    /// The connection can be closed.
    Closed(ClientStream),
    /// The client speaks HTTP/2.
    Http2 {
        stream: ClientStream,
        /// The bytes that have been received.
        received: BytesMut,
        /// The time at which the connection is closed unless the head of the first request is complete.
        deadline: Instant,
    },
    /// Nothing is left to do: the connection has been closed, or it closes when a handler drops the body of a request.
    Nothing,
}

/// How the requests of a connection ended.
enum Outcome {
    /// The connection can be closed.
    Closed,
    /// The client speaks HTTP/2.
    Http2,
}

/// A connection of a client.
struct Connection<'w> {
    socket: Rc<Socket>,
    alarm: Alarm,
    worker: &'w Rc<Worker>,
    peer: Option<SocketAddr>,
    /// The address whose use of memory is limited: none for a proxy.
    client: Option<IpAddr>,
    keep_alive: Duration,
    /// The time at which the connection is closed unless the next request begins.
    deadline: Instant,
    served: Served,
}

impl Connection<'_> {
    async fn serve_requests(&mut self) -> io::Result<Outcome> {
        let (mut is_first, mut pipelined) = (true, 0);
        let (error, is_head) = loop {
            // Requests of other clients are handled between those that a client sends without waiting.
            pipelined = if self.socket.received.borrow().is_empty() { 0 } else { pipelined + 1 };
            if pipelined == MAX_PIPELINED {
                yield_now().await;
                pipelined = 0;
            }
            let (text, mut memory) = match self.next_request(is_first).await? {
                Next::Request(text, memory) => (text, memory),
                Next::Refused(error) => break (error, has_method_head(&self.socket.received.borrow())),
                Next::Ended(ended) => return Ok(ended),
            };
            is_first = false;
            if self.served == Served::Nothing {
                break (NO_TLS, has_method_head(&text));
            }
            let (head, delivery) = match self.read_head(&text) {
                Ok(read) => read,
                Err(error) => break (error, has_method_head(&text)),
            };
            if self.served == Served::ServerState && !is_server_state(&head) {
                break (NO_CONNECTION, has_method_head(&text));
            }
            let length = head_memory(text.len(), head.headers.len());
            if memory.grow_to(length, &self.worker.state().request_memory, self.client).is_err() {
                break (NO_MEMORY, has_method_head(&text));
            }
            // The memory stays reserved until the client has received the response.
            if !self.serve_request(head, delivery).await? {
                return Ok(Outcome::Closed);
            }
        };
        self.refuse(error, is_head).await
    }

    /// Parses the head of a request.
    fn read_head(&self, text: &Bytes) -> Result<(Arc<Head>, Delivery), HeadError> {
        let mut shared = self.worker.heads().take();
        // The head has no other owner, so that it is not cloned.
        let head = Arc::make_mut(&mut shared);
        let delivery = parse_head(text, head)?;
        head.id = request_id(&head.headers, self.worker);
        head.peer = self.peer;
        head.tls.clone_from(&self.socket.tls);
        head.client = self.worker.state().trusted_proxies.client_address(self.peer, &head.headers);
        Ok((shared, delivery))
    }

    /// Handles a request, and sends its response. Returns `true` if the client can send another request.
    ///
    /// # Errors
    /// Fails if the connection is broken, or if the body of the response fails.
    async fn serve_request(&mut self, head: Arc<Head>, delivery: Delivery) -> io::Result<bool> {
        let Delivery { version, framing, expects_continue, keeps_open } = delivery;
        let body = framing.map_or(BodySource::Nothing, |framing| {
            BodySource::Http1(BodyReader::new(Rc::clone(&self.socket), framing, expects_continue))
        });
        let mut reply = Reply::empty();
        let Handled { head, unread, ended } = {
            // The future is large: a variable for it would be copied to the place where it is pinned.
            let incoming = IncomingRequest { head, body };
            let handling = pin!(handle(Rc::clone(self.worker), MountedPart::Api, incoming, &mut reply));
            while_connected(&self.socket, handling).await?
        };
        let can_continue = keeps_open && unread.is_none() && !self.keep_alive.is_zero();
        let keeps_open = can_continue && !self.worker.state().is_stopping();

        let mut output = self.worker.take_output();
        let framing = self.worker.date().with_text(ended, |date| {
            begin_response(&mut output, &mut reply, &ResponseContext { head: &head, version, keeps_open, date })
        });
        send_response(&self.socket, &mut self.alarm, &output, reply.body, framing, &head).await?;
        self.worker.return_output(output);
        self.worker.heads().put_back(head);
        self.deadline = ended + self.keep_alive;
        if keeps_open && framing != ResponseFraming::UntilClose {
            return Ok(true);
        }
        // If the client has sent more, closing at once could discard the response before the client has read it.
        if unread.is_some() || self.socket.has_received_more().await? {
            close_gently(&self.socket, &mut self.alarm).await;
        }
        Ok(false)
    }

    /// Responds to a request whose head cannot be used, and closes the connection. `is_head` is `true` if the method is
    /// HEAD, so that the response has no body.
    async fn refuse(&mut self, error: HeadError, is_head: bool) -> io::Result<Outcome> {
        let mut output = Vec::new();
        let HeadError { status, why, limit } = error;
        if let Some(limit) = limit {
            self.worker.state().exceeded_limits.count(&limit, self.peer);
        }
        let (status_number, peer) =
            (status.as_u16(), self.peer.map_or_else(|| "-".to_owned(), |peer| peer.to_string()));
        log::info!(peer, status = status_number; "a request of {peer} was refused with the status {status_number}: {why}");
        self.worker
            .date()
            .with_text(Instant::now(), |date| write_error_response(&mut output, status, why, is_head, date));
        send_all(&self.socket, &mut self.alarm, [&output[..]], output.len()).await?;
        close_gently(&self.socket, &mut self.alarm).await;
        Ok(Outcome::Closed)
    }
}

/// Returns `true` if a request asks for the state of the server.
fn is_server_state(head: &Head) -> bool {
    ServerPath::from_request_path(head.uri.path()).is_some_and(ServerPath::is_server_state)
}

/// Returns `true` if a head that cannot be parsed begins with the method HEAD.
fn has_method_head(text: &[u8]) -> bool {
    text.starts_with(b"HEAD ")
}
