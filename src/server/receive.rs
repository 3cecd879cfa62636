//! Bodies, as their bytes come, under the limits.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::Payload;
use actix_http::error::PayloadError;
use actix_rt::time::timeout;
use bytes::Bytes;
use futures_core::Stream;
use http::header;

use super::clock::Clock;
use super::upload;
use super::uploading::Uploads;
use crate::call::{Head, Limit, Reason, Refusal, Unreadable};
use crate::model::Limits;
use crate::pipeline::{ACCEPTED, Beginning, Body, BodyKind};
use crate::plan::{Method, Plan};

/// The most of an unwanted body that is read so that its connection can be used again, in bytes.
const MOST_UNWANTED: u64 = 64 << 10;
/// How long that may take.
const UNWANTED_TIME: Duration = Duration::from_millis(100);
/// How slowly a multipart body may come that takes longer than other bodies may, in bytes a second.
const SLOWEST: u64 = 16 << 10;

/// The body of a request on its way.
pub(super) struct Arriving {
    payload: Payload,
    announced: Option<u64>,
    received: u64,
    state: State,
    /// What has been read already and comes once more.
    again: Option<Bytes>,
    /// Whether it has been waited for.
    waited: bool,
    /// Whether it comes in time, since it was waited for.
    clock: Option<Clock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Coming,
    Ended,
    Broken,
}

impl Arriving {
    pub(super) fn new(payload: Payload, head: &Head) -> Self {
        let state = if matches!(payload, Payload::None) { State::Ended } else { State::Coming };
        Self { payload, announced: announced(head), received: 0, state, again: None, waited: false, clock: None }
    }

    /// The next bytes; none at the end.
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if let Some(bytes) = self.again.take() {
            self.received += bytes.len() as u64;
            return Poll::Ready(Some(Ok(bytes)));
        }
        if self.state != State::Coming {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut self.payload).poll_next(task);
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => self.received += bytes.len() as u64,
            Poll::Ready(Some(Err(_))) => self.state = State::Broken,
            Poll::Ready(None) => self.state = State::Ended,
            Poll::Pending => {}
        }
        polled
    }

    /// Whether the body has been read to its end. A short one that nobody wanted is read and thrown away, so
    /// that the connection can be used again; where that is not worth it, it is to be closed.
    pub(super) async fn finish(&mut self) -> bool {
        // A stream of HTTP/2 can be dropped at any time.
        if matches!(self.payload, Payload::H2 { .. }) || self.state == State::Ended {
            return true;
        }
        let most = self.received + MOST_UNWANTED;
        if self.state == State::Broken || self.announced.is_some_and(|length| length > most) {
            return false;
        }
        let all = async {
            while self.received <= most {
                if poll_fn(|task| self.poll(task)).await.is_none() {
                    break;
                }
            }
        };
        // Out of time is the same as not at the end.
        let _ = timeout(UNWANTED_TIME, all).await;
        self.state == State::Ended
    }

    /// What has not been read.
    pub(super) fn unread(self) -> Payload {
        self.payload
    }
}

/// A body that is received: what came is counted against a limit and a time.
pub(super) struct Incoming<'b> {
    body: &'b mut Arriving,
    limit: Limit,
    /// How long all of it may take, from when it is first waited for, beside the time for its length.
    time: Duration,
    /// Whether it may take longer, as long as it comes.
    paced: bool,
}

impl<'b> Incoming<'b> {
    fn new(body: &'b mut Arriving, kind: &BodyKind, limits: &Limits) -> Self {
        let paced = matches!(kind, BodyKind::Multipart { .. });
        Self { body, limit: limit(kind, limits), time: Duration::from_secs(limits.seconds), paced }
    }

    /// The next bytes, never empty ones; none at the end.
    pub(super) fn poll(&mut self, task: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Refusal>> {
        loop {
            match self.body.poll(task) {
                Poll::Ready(Some(Ok(bytes))) if self.body.received > self.limit.max => {
                    drop(bytes);
                    return Poll::Ready(Err(over(self.limit, None)));
                }
                Poll::Ready(Some(Ok(bytes))) if bytes.is_empty() => {}
                Poll::Ready(Some(Ok(bytes))) => return Poll::Ready(Ok(Some(bytes))),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(broken())),
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Pending => break,
            }
        }
        // A body mostly comes with its head, and is there when the connection has been asked once more; a
        // clock set for that long would cost more than all else here.
        if !std::mem::replace(&mut self.body.waited, true) {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        let more = if self.paced { self.body.received / SLOWEST } else { 0 };
        let time = self.time.saturating_add(Duration::from_secs(more));
        self.body.clock.get_or_insert_with(|| Clock::begin(time)).poll(time, task).map(|()| {
            self.body.state = State::Broken;
            Err(Refusal::new(Reason::Timeout))
        })
    }

    /// As [`Incoming::poll`].
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        poll_fn(|task| self.poll(task)).await
    }
}

/// Receives a body of this kind for a method.
///
/// # Errors
/// It is over a limit, does not come in time or to its end, is of a media type that is not read, or cannot be stored.
pub(super) async fn receive(
    body: &mut Arriving,
    kind: BodyKind,
    plan: &Plan,
    method: &Method,
    uploads: &Arc<Uploads>,
) -> Result<Body, Refusal> {
    acceptable(&kind, body.announced, &plan.limits)?;
    let mut incoming = Incoming::new(body, &kind, &plan.limits);
    match kind {
        BodyKind::Nothing => Ok(Body::Empty),
        BodyKind::Unsupported(got) => match incoming.next().await? {
            Some(_) => Err(unsupported(got)),
            None => Ok(Body::Empty),
        },
        BodyKind::Form => Ok(whole(&mut incoming).await?.map_or(Body::Empty, Body::Form)),
        BodyKind::Json => Ok(whole(&mut incoming).await?.map_or(Body::Empty, Body::Json)),
        // In a box: what it needs on its way would make every other request's future larger.
        BodyKind::Multipart { boundary, room } => {
            let expected = upload::Expected { plan, method, parts: room.parts, uploads };
            Box::pin(upload::parts(incoming, boundary, &expected)).await
        }
    }
}

/// Receives the beginning of a body of this kind, no more than [`Limits::dispatch`] bytes and what came with them. All
/// of it comes once more when the body is received.
///
/// # Errors
/// As for [`receive`].
pub(super) async fn begin(body: &mut Arriving, kind: &BodyKind, limits: &Limits) -> Result<Beginning, Refusal> {
    acceptable(kind, body.announced, limits)?;
    let most = usize::try_from(limits.dispatch).unwrap_or(usize::MAX);
    let mut incoming = Incoming::new(body, kind, limits);
    let mut read = incoming.next().await?.unwrap_or_default();
    let mut ended = read.is_empty();
    // One that comes at once is not copied.
    if let Some(second) = if ended || read.len() > most { None } else { incoming.next().await? } {
        let mut all = Vec::with_capacity(read.len() + second.len());
        all.extend_from_slice(&read);
        all.extend_from_slice(&second);
        while all.len() <= most && !ended {
            match incoming.next().await? {
                Some(bytes) => all.extend_from_slice(&bytes),
                None => ended = true,
            }
        }
        read = all.into();
    } else {
        ended = read.len() <= most;
    }
    body.received -= read.len() as u64;
    body.again = Some(read.clone()).filter(|read| !read.is_empty());
    let whole = ended && read.len() <= most;
    read.truncate(most);
    Ok(Beginning { bytes: read, whole })
}

/// Judges a body by its kind and the length that the head announces.
///
/// # Errors
/// It is over a limit, or of a media type that is not read.
pub(super) fn acceptable(kind: &BodyKind, announced: Option<u64>, limits: &Limits) -> Result<(), Refusal> {
    let Some(length) = announced else {
        return Ok(());
    };
    match kind {
        BodyKind::Nothing => Ok(()),
        BodyKind::Unsupported(got) if length > 0 => Err(unsupported(got.clone())),
        BodyKind::Multipart { boundary: None, .. } if length > 0 => Err(upload::unbounded()),
        _ => {
            let limit = limit(kind, limits);
            if length > limit.max { Err(over(limit, None)) } else { Ok(()) }
        }
    }
}

/// The limit of the whole body.
fn limit(kind: &BodyKind, limits: &Limits) -> Limit {
    match kind {
        BodyKind::Multipart { room, .. } => Limit::multipart(room.bytes),
        _ => Limit::body(limits.body),
    }
}

/// Everything; none where there is nothing. A body that comes at once is not copied.
async fn whole(incoming: &mut Incoming<'_>) -> Result<Option<Bytes>, Refusal> {
    let Some(first) = incoming.next().await? else {
        return Ok(None);
    };
    let Some(second) = incoming.next().await? else {
        return Ok(Some(first));
    };
    let mut all = Vec::with_capacity(first.len() + second.len());
    all.extend_from_slice(&first);
    all.extend_from_slice(&second);
    while let Some(more) = incoming.next().await? {
        all.extend_from_slice(&more);
    }
    Ok(Some(all.into()))
}

/// The length of the body that the head announces, where it does.
pub(super) fn announced(head: &Head) -> Option<u64> {
    head.header(&header::CONTENT_LENGTH).and_then(|length| length.trim().parse().ok())
}

pub(super) fn over(limit: Limit, parameter: Option<&str>) -> Refusal {
    Refusal::new(Reason::TooLarge { limit, parameter: parameter.map(str::to_owned) })
}

fn unsupported(got: String) -> Refusal {
    Refusal::new(Reason::UnsupportedMediaType { got, accepted: ACCEPTED })
}

/// The refusal for a body that does not come to its end. Mostly nobody is there to read it.
fn broken() -> Refusal {
    Refusal::new(Reason::Unreadable(Unreadable::BodyBroken))
}
