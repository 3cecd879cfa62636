//! Waits for the head of the next request of a connection.

use std::future::poll_fn;
use std::io;
use std::task::{Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use rulebook_model::connection_limits::HEAD_TIME;

use super::head::{HeadError, INCOMPLETE, NO_MEMORY, TOO_SLOW, take_head};
use super::{Connection, Outcome};
use crate::server::connection::Served;
use crate::server::connection_limits::HEAD_TIMEOUT;
use crate::server::request_memory::ReservedMemory;

/// The first bytes that a client sends on an HTTP/2 connection (RFC 9113 section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What comes next on a connection.
pub(super) enum Next {
    /// The bytes of the head of a request, and the memory that is reserved for them.
    Request(Bytes, ReservedMemory),
    /// The head of the next request cannot be used.
    Refused(HeadError),
    Ended(Outcome),
}

impl Connection<'_> {
    /// Waits for the head of the next request.
    ///
    /// # Errors
    /// Fails if the connection is broken.
    pub(super) async fn next_request(&mut self, is_first: bool) -> io::Result<Next> {
        let Self { socket, alarm, worker, deadline, peer, client, served, .. } = self;
        let (mut searched, mut has_begun, mut can_be_http2) = (0, false, is_first && worker.state().http2_enabled);
        // Over TLS, the handshake decides about HTTP/2 (RFC 9113 section 3.2).
        can_be_http2 &= *served == Served::Everything && !socket.is_tls();
        let mut memory = ReservedMemory::default();
        socket.begin_request();
        poll_fn(|task| {
            loop {
                let mut received = socket.received.borrow_mut();
                if can_be_http2 && !received.is_empty() {
                    if received.starts_with(HTTP2_PREFACE) {
                        return Poll::Ready(Ok(Next::Ended(Outcome::Http2)));
                    }
                    can_be_http2 = HTTP2_PREFACE.starts_with(&received);
                }
                if !can_be_http2 && !received.is_empty() {
                    match take_head(&mut received, &mut searched) {
                        Ok(Some(head)) => return Poll::Ready(Ok(Next::Request(head, std::mem::take(&mut memory)))),
                        Ok(None) => {}
                        Err(error) => return Poll::Ready(Ok(Next::Refused(error))),
                    }
                }
                let (is_empty, length) = (received.is_empty(), received.len());
                drop(received);
                if memory.grow_to(length, &worker.state().request_memory, *client).is_err() {
                    return Poll::Ready(Ok(Next::Refused(NO_MEMORY)));
                }
                if !is_empty && !std::mem::replace(&mut has_begun, true) && !is_first {
                    *deadline = Instant::now() + HEAD_TIMEOUT;
                }
                match socket.poll_receive(task)? {
                    Poll::Ready(0) if is_empty => return Poll::Ready(Ok(Next::Ended(Outcome::Closed))),
                    Poll::Ready(0) => return Poll::Ready(Ok(Next::Refused(INCOMPLETE))),
                    Poll::Ready(_) => {}
                    Poll::Pending => {
                        if is_empty {
                            socket.release_memory();
                        }
                        ready!(alarm.poll_or_close(*deadline, worker.state(), task));
                        // A server that stops closes a connection on which no request has arrived for a while.
                        if worker.state().is_closing() {
                            return Poll::Ready(Ok(Next::Ended(Outcome::Closed)));
                        }
                        if is_first && is_empty {
                            worker.state().exceeded_limits.count(&HEAD_TIME, *peer);
                        }
                        // A client that has sent nothing gets no response.
                        let next = if is_empty { Next::Ended(Outcome::Closed) } else { Next::Refused(TOO_SLOW) };
                        return Poll::Ready(Ok(next));
                    }
                }
            }
        })
        .await
    }
}
