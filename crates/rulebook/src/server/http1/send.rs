//! Sends responses, and closes connections.

use std::future::{poll_fn, ready};
use std::io::{self, IoSlice};
use std::pin::pin;
use std::task::{self, Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::{Method, Version};

use super::response_head::{ResponseFraming, write_head};
use super::send_file::send_file;
use super::socket::{MIN_READ_LEN, Socket};
use crate::call::Head;
use crate::pipeline::{Reply, ReplyBody};
use crate::server::alarm::Alarm;
use crate::server::connection_limits::{LINGER_TIMEOUT, PROGRESS_TIMEOUT};
use crate::server::streamed_body::StreamedBody;

/// The length in bytes from which a body is sent from where it is. Shorter bodies are copied behind the head.
const MIN_SEPARATE_BODY: usize = 4 << 10;

/// What the head of a response says besides the reply.
pub(super) struct ResponseContext<'a> {
    /// The head of the request.
    pub(super) head: &'a Head,
    /// The version of HTTP that the client speaks.
    pub(super) version: Version,
    /// `true` if the client may send another request on the connection.
    pub(super) keeps_open: bool,
    /// The value of the header field `Date`.
    pub(super) date: &'a [u8],
}

/// Appends the head of a response to the output, and its body if that is short. Returns how the body is delimited.
pub(super) fn begin_response(
    output: &mut Vec<u8>,
    reply: &mut Reply,
    context: &ResponseContext<'_>,
) -> ResponseFraming {
    let &ResponseContext { head, version, keeps_open, date } = context;
    let framing = ResponseFraming::new(reply.status, reply.body.len(), version);
    let keeps_open = keeps_open && framing != ResponseFraming::UntilClose;
    write_head(output, reply, framing, version, keeps_open, &head.id, date);
    let has_body = head.method != Method::HEAD && framing != ResponseFraming::NoBody;
    let short = reply.body.bytes().filter(|bytes| bytes.len() < MIN_SEPARATE_BODY);
    if let Some(bytes) = short.filter(|_| has_body) {
        output.extend_from_slice(bytes);
    }
    if !has_body || short.is_some() {
        reply.body = ReplyBody::empty();
    }
    framing
}

/// Sends the output, and the rest of the body of a reply. While the client does not receive the output, its whole
/// capacity counts as memory.
///
/// # Errors
/// Fails if the connection is broken, if the client receives nothing for too long, or if the stream of a
/// body fails.
pub(super) async fn send_response(
    socket: &Socket,
    alarm: &mut Alarm,
    output: &Vec<u8>,
    body: ReplyBody,
    framing: ResponseFraming,
    head: &Head,
) -> io::Result<()> {
    match body.bytes().filter(|bytes| !bytes.is_empty()) {
        Some(bytes) => send_all(socket, alarm, [output, bytes], output.capacity() + body.owned_len()).await?,
        None => send_all(socket, alarm, [output], output.capacity()).await?,
    }
    if body.bytes().is_some() { Ok(()) } else { send_rest(socket, alarm, body, framing, head).await }
}

/// Sends a body that is not in memory. The future is boxed. Otherwise it would enlarge the future of every request.
#[inline(never)]
fn send_rest<'a>(
    socket: &'a Socket,
    alarm: &'a mut Alarm,
    body: ReplyBody,
    framing: ResponseFraming,
    head: &'a Head,
) -> LocalBoxFuture<'a, io::Result<()>> {
    match body {
        ReplyBody::File(range) => Box::pin(send_file(socket, alarm, range, &head.id)),
        ReplyBody::Stream { pieces, length } => {
            Box::pin(send_stream(socket, alarm, StreamedBody::new(pieces, length, head.id.clone()), framing))
        }
        ReplyBody::Whole(_) | ReplyBody::Written(_) | ReplyBody::Document(_) => Box::pin(ready(Ok(()))),
    }
}

pub(super) async fn send_stream(
    socket: &Socket,
    alarm: &mut Alarm,
    mut stream: StreamedBody,
    framing: ResponseFraming,
) -> io::Result<()> {
    let is_chunked = framing == ResponseFraming::Chunked;
    while let Some(piece) = while_connected(socket, pin!(poll_fn(|task| stream.poll_next(task)))).await? {
        let piece: Bytes = piece?;
        if is_chunked {
            let length = format!("{:x}\r\n", piece.len());
            send_all(socket, alarm, [length.as_bytes(), &piece, b"\r\n"], piece.len()).await?;
        } else {
            send_all(socket, alarm, [&piece[..]], piece.len()).await?;
        }
    }
    if is_chunked { send_all(socket, alarm, [&b"0\r\n\r\n"[..]], 0).await } else { Ok(()) }
}

/// Sends all bytes of the slices. `owned_len` is the number of bytes of memory that only this response uses.
///
/// # Errors
/// Fails if the connection is broken, if the client receives nothing for too long, or if too many responses
/// wait for their clients.
pub(super) async fn send_all<const N: usize>(
    socket: &Socket,
    alarm: &mut Alarm,
    slices: [&[u8]; N],
    owned_len: usize,
) -> io::Result<()> {
    let mut slices = slices.map(IoSlice::new);
    let mut unsent = &mut slices[..];
    IoSlice::advance_slices(&mut unsent, 0);
    let (mut deadline, mut kept) = (None, None);
    poll_fn(|task| {
        while !unsent.is_empty() {
            let Poll::Ready(sent) = socket.poll_send(unsent, task) else {
                if kept.is_none() {
                    kept = Some(socket.keep_response(owned_len)?);
                }
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + PROGRESS_TIMEOUT);
                task::ready!(alarm.poll(deadline, task));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            };
            IoSlice::advance_slices(&mut unsent, sent?);
            deadline = None;
        }
        let Poll::Ready(flushed) = socket.poll_flush(task) else {
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + PROGRESS_TIMEOUT);
            task::ready!(alarm.poll(deadline, task));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        };
        Poll::Ready(flushed)
    })
    .await
}

/// Waits for a future, unless the connection breaks. Meanwhile, bytes of the client are received, because only
/// receiving shows that the client has disconnected.
///
/// # Errors
/// Fails if the connection is broken.
pub(super) async fn while_connected<F: Future>(
    socket: &Socket,
    mut future: std::pin::Pin<&mut F>,
) -> io::Result<F::Output> {
    poll_fn(|task| {
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(task) {
                return Poll::Ready(Ok(output));
            }
            // The future may wait for these bytes.
            if task::ready!(poll_read_ahead(socket, task))? == 0 {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// Receives bytes while a request is handled. Returns 0 if nothing more will be received.
fn poll_read_ahead(socket: &Socket, task: &mut Context<'_>) -> Poll<io::Result<usize>> {
    if socket.has_ended() || socket.received.borrow().len() >= MIN_READ_LEN {
        return Poll::Pending;
    }
    socket.poll_receive(task)
}

/// Closes the sending side of the server, and discards what the client still sends, until it closes its side too.
pub(super) async fn close_gently(socket: &Socket, alarm: &mut Alarm) {
    let deadline = Instant::now() + LINGER_TIMEOUT;
    poll_fn(|task| {
        if task::ready!(socket.poll_close_sending(task)).is_err() {
            return Poll::Ready(());
        }
        loop {
            socket.received.borrow_mut().clear();
            match socket.poll_receive(task) {
                Poll::Ready(Ok(1..)) => {
                    // A client that sends without a pause must not prevent the deadline.
                    if Instant::now() >= deadline {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return alarm.poll(deadline, task),
            }
        }
    })
    .await;
}
