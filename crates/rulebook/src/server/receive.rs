//! Receives the bodies of requests, or their first bytes, which may name the method. Limits on the size and the time
//! apply while the bytes arrive.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::Payload;
use actix_rt::time::timeout;
use bytes::Bytes;
use futures_core::Stream;
use http::header;
use rulebook_model::connection_limits::{FREE_REQUEST_BYTES, PROGRESS, REQUEST_MEMORY};
use rulebook_model::error::ErrorCode;
use rulebook_model::limits;
use rulebook_model::model::Limits;
use rulebook_model::types::Check;

use super::connection::{BodyTimer, ExceededTime};
use super::observe::Observation;
use super::upload::{self, FileDestination, max_received_size};
use super::worker::Worker;
use crate::call::{ApiError, ErrorKind, Head, Limit, MalformedRequest};
use crate::client_shares::{ClientShares, Share, UsedUp};
use crate::metrics::RequestKind;
use crate::pipeline::{
    Body, BodyKind, BodyPrefix, ErrorContext, NeedsBody, RoutingError, authorize_before_body, body_kind, route_by_body,
};
use crate::plan::{MatchedMethod, Plan, PlannedMethod, Segments};

/// The minimum number of bytes per second of a multipart body that takes longer than `limits.seconds`.
const MIN_BYTES_PER_SECOND: u64 = 16 << 10;

/// How often the server waits for the bytes of a body before it starts to measure the time.
const WAITS_WITHOUT_TIMER: u8 = 2;

pub(super) struct LimitedBody<'b> {
    body: &'b mut RequestBody,
    head: &'b Head,
    size_limit: SizeLimit<'b>,
    /// From the moment when the server first waits for the body.
    max_time: Duration,
    /// The body may take longer than `max_time` as long as it arrives at [`MIN_BYTES_PER_SECOND`] or faster.
    has_min_speed: bool,
    worker: &'b Worker,
}

struct SizeLimit<'k> {
    limit: Limit,
    /// The number of bytes from which the limit is exceeded.
    max: u64,
    /// `None` if the limit applies to every body.
    parameter: Option<&'k str>,
}

impl SizeLimit<'_> {
    fn check(&self, size: u64) -> Result<(), ApiError> {
        if size > self.max { Err(ApiError::too_large(self.limit, self.parameter)) } else { Ok(()) }
    }
}

impl<'b> LimitedBody<'b> {
    fn new(body: &'b mut RequestBody, head: &'b Head, kind: &'b BodyKind, limits: &Limits, worker: &'b Worker) -> Self {
        let has_min_speed = matches!(kind, BodyKind::Multipart { .. } | BodyKind::File { .. });
        Self {
            body,
            head,
            size_limit: size_limit(kind, limits),
            max_time: Duration::from_secs(limits.seconds),
            has_min_speed,
            worker,
        }
    }

    /// Reserves memory for bytes of the body that the server keeps until the request has been handled.
    pub(super) fn reserve_memory(&mut self, bytes: usize) -> Result<(), ApiError> {
        let state = self.worker.state();
        let length = self.body.memory.length + bytes;
        self.body.memory.grow_to(length, &state.request_memory, self.head.client).map_err(|UsedUp| {
            state.exceeded_limits.count(&REQUEST_MEMORY, self.head.peer);
            ApiError::plain(ErrorCode::Unavailable)
        })
    }

    pub(super) fn file_destination<'m>(
        &self,
        check: Option<&'m dyn Check>,
        is_request_refused: bool,
    ) -> FileDestination<'m>
    where
        'b: 'm,
    {
        FileDestination {
            state: self.worker.state(),
            client: self.head.client,
            peer: self.head.peer,
            check,
            is_request_refused,
            upload_storage: &self.worker.upload_storage,
        }
    }

    /// At least one byte; `None` at the end of the body.
    pub(super) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Result<Option<Bytes>, ApiError>> {
        loop {
            match self.body.poll_next(task) {
                Poll::Ready(Some(Ok(bytes))) => {
                    self.size_limit.check(self.body.received_bytes)?;
                    if !bytes.is_empty() {
                        return Poll::Ready(Ok(Some(bytes)));
                    }
                }
                // In most cases, the client has disconnected and will not read the error response.
                Poll::Ready(Some(Err(_))) => {
                    return Poll::Ready(Err(ApiError::malformed(MalformedRequest::BodyBroken)));
                }
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Pending => break,
            }
        }
        // Most bodies arrive together with the head of the request, and are available when the connection is polled
        // again: actix polls twice before it reads. Therefore the timer is not started now: starting it would cost more
        // than all other work of this function.
        if self.body.waits < WAITS_WITHOUT_TIMER {
            self.body.waits += 1;
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        let received = self.body.received_bytes;
        let more = if self.has_min_speed { received / MIN_BYTES_PER_SECOND } else { 0 };
        let time = self.max_time.saturating_add(Duration::from_secs(more));
        let timer = self.body.timer.get_or_insert_with(|| Box::new(BodyTimer::start()));
        timer.poll(time, received, task).map(|exceeded| {
            if exceeded == ExceededTime::Progress {
                self.worker.state().exceeded_limits.count(&PROGRESS, self.head.peer);
            }
            self.body.state = BodyState::Failed;
            Err(ApiError::plain(ErrorCode::Timeout))
        })
    }

    pub(super) async fn next_chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        poll_fn(|task| self.poll_next(task)).await
    }

    /// Returns the next chunk, and reserves memory for it.
    fn next_kept_chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, ApiError>> {
        poll_fn(|task| {
            let chunk = ready!(self.poll_next(task))?;
            self.reserve_memory(chunk.as_ref().map_or(0, Bytes::len))?;
            Poll::Ready(Ok(chunk))
        })
    }

    /// Receives until the body ends, or until more than `max` bytes have arrived; the flag is `true` if it has ended. A
    /// single chunk is not copied.
    async fn gather(&mut self, max: usize) -> Result<(Bytes, bool), ApiError> {
        let Some(first) = self.next_kept_chunk().await? else { return Ok((Bytes::new(), true)) };
        if first.len() > max {
            return Ok((first, false));
        }
        match self.next_kept_chunk().await? {
            None => Ok((first, true)),
            // The future is boxed. Otherwise it would enlarge the future of every request with a body.
            Some(second) => Box::pin(self.gather_rest(max, first, second)).await,
        }
    }

    async fn gather_rest(&mut self, max: usize, first: Bytes, second: Bytes) -> Result<(Bytes, bool), ApiError> {
        let mut all = Vec::with_capacity(first.len() + second.len());
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        // The memory of the connection, of which these chunks are parts, can be used again.
        drop((first, second));
        while all.len() <= max {
            match self.next_kept_chunk().await? {
                Some(more) => all.extend_from_slice(&more),
                None => return Ok((all.into(), true)),
            }
        }
        Ok((all.into(), false))
    }
}

pub(super) async fn receive(
    body: &mut RequestBody,
    head: &Head,
    plan: &Plan,
    method: &PlannedMethod,
    worker: &Worker,
) -> Result<Body, ApiError> {
    let kind = body_kind(head, method);
    check_announced_length(&kind, body.announced_length, &plan.limits)?;
    let mut limited = LimitedBody::new(body, head, &kind, &plan.limits, worker);
    match &kind {
        BodyKind::Nothing => Ok(Body::Empty),
        BodyKind::Unsupported { got, accepted } => match limited.next_chunk().await? {
            Some(_) => Err(unsupported(got, accepted)),
            None => Ok(Body::Empty),
        },
        BodyKind::Form | BodyKind::Json | BodyKind::Other => {
            let (bytes, _) = limited.gather(usize::MAX).await?;
            Ok(match &kind {
                _ if bytes.is_empty() => Body::Empty,
                BodyKind::Form => Body::Form(bytes),
                BodyKind::Json => Body::Json(bytes),
                _ => Body::Other(bytes),
            })
        }
        BodyKind::Multipart { boundary, limits } => {
            let target = upload::MultipartTarget { plan, method, max_parts: limits.parts };
            Box::pin(upload::receive_parts(limited, boundary.clone(), &target)).await
        }
        BodyKind::File { .. } => Box::pin(upload::receive_file(limited, head, plan, method)).await,
    }
}

fn unsupported(got: &str, accepted: &[String]) -> ApiError {
    ApiError::new(ErrorKind::UnsupportedMediaType { got: got.to_owned(), accepted: accepted.to_vec() })
}

fn check_announced_length(kind: &BodyKind, announced: Option<u64>, limits: &Limits) -> Result<(), ApiError> {
    let Some(length) = announced else {
        return Ok(());
    };
    match kind {
        BodyKind::Nothing => Ok(()),
        BodyKind::Unsupported { got, accepted } if length > 0 => Err(unsupported(got, accepted)),
        BodyKind::Multipart { boundary: None, .. } if length > 0 => {
            Err(ApiError::malformed(MalformedRequest::MultipartBoundary))
        }
        _ => size_limit(kind, limits).check(length),
    }
}

fn size_limit<'k>(kind: &'k BodyKind, limits: &Limits) -> SizeLimit<'k> {
    let limit = match kind {
        BodyKind::File { limit, parameter } => {
            let max = max_received_size(*limit, limits);
            return SizeLimit { limit: *limit, max, parameter: Some(parameter) };
        }
        BodyKind::Multipart { limits, .. } => limits::MULTIPART_SIZE.with_value(limits.bytes),
        _ => limits::BODY_SIZE.with_value(limits.body),
    };
    SizeLimit { limit, max: limit.max, parameter: None }
}

/// If the required permission does not depend on the first bytes, it is checked before any of them is read.
pub(super) async fn find_in_body(
    plan: &Plan,
    head: &Head,
    pending: NeedsBody,
    body: &mut RequestBody,
    worker: &Worker,
    observed: &mut Observation<'_>,
) -> Result<MatchedMethod, RoutingError> {
    let prefix = receive_authorized_prefix(plan, head, &pending, body, worker).await;
    let prefix = prefix.map_err(|error| RoutingError { context: pending.error_context(), error })?;
    match route_by_body(plan, head, &pending, &prefix) {
        Ok(matched) => {
            observed.kind = RequestKind::Method(matched.method_index);
            Ok(matched)
        }
        Err(RoutingError { context, error }) => {
            observed.kind = context.into();
            let ErrorContext::Method(method) = context else { return Err(RoutingError { context, error }) };
            // Without the permission, the error is about the permission, not about the request.
            let matched = MatchedMethod { method_index: method, segments: Segments::none(), by_name: None };
            let error = authorize_before_body(plan, head, &matched).await.err().unwrap_or(error);
            Err(RoutingError { context, error })
        }
    }
}

/// At most `limits.dispatch` bytes, which are returned again when the whole body is received later.
async fn receive_authorized_prefix(
    plan: &Plan,
    head: &Head,
    pending: &NeedsBody,
    body: &mut RequestBody,
    worker: &Worker,
) -> Result<BodyPrefix, ApiError> {
    if let Some(matched) = pending.method_to_authorize(plan) {
        authorize_before_body(plan, head, &matched).await?;
    }
    check_announced_length(&pending.kind, body.announced_length, &plan.limits)?;
    let max = usize::try_from(plan.limits.dispatch).unwrap_or(usize::MAX);
    let mut limited = LimitedBody::new(body, head, &pending.kind, &plan.limits, worker);
    let (mut read, has_ended) = limited.gather(max).await?;
    body.put_back(read.clone());
    let is_whole = has_ended && read.len() <= max;
    read.truncate(max);
    Ok(BodyPrefix { bytes: read, is_whole })
}

/// How much of an unused body the server reads, to keep the connection open for further requests.
const MAX_DRAINED_BYTES: u64 = 64 << 10;
const DRAIN_TIMEOUT: Duration = Duration::from_millis(100);

pub(super) struct RequestBody {
    payload: Payload,
    /// As the head announces it; `None` if there is no body.
    announced_length: Option<u64>,
    pub(super) received_bytes: u64,
    /// How often the server has waited for bytes, without a time limit.
    waits: u8,
    /// `None` until the server first waits for the body. Boxed because few requests need it, and each moves this value.
    pub(super) timer: Option<Box<BodyTimer>>,
    state: BodyState,
    pub(super) memory: ReservedMemory,
    /// Read to find the method; [`RequestBody::poll_next`] returns them again.
    replayed_bytes: Option<Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyState {
    Receiving,
    Ended,
    Failed,
}

impl RequestBody {
    pub(super) fn new(payload: Payload, head: &Head) -> Self {
        let state = if matches!(payload, Payload::None) { BodyState::Ended } else { BodyState::Receiving };
        let length = || head.get(&header::CONTENT_LENGTH).and_then(|length| length.trim().parse().ok());
        let announced_length = match payload {
            Payload::None => None,
            // Without these fields, a request has no body (RFC 9112 section 6.3), also one that asks for an upgrade.
            Payload::H1 { .. } if head.get(&header::TRANSFER_ENCODING).is_none() => length().or(Some(0)),
            _ => length(),
        };
        Self {
            payload,
            announced_length,
            received_bytes: 0,
            waits: 0,
            timer: None,
            state,
            memory: ReservedMemory::default(),
            replayed_bytes: None,
        }
    }

    pub(super) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(bytes) = self.replayed_bytes.take() {
            self.received_bytes += bytes.len() as u64;
            return Poll::Ready(Some(Ok(bytes)));
        }
        if self.state != BodyState::Receiving {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut self.payload).poll_next(task);
        let mut polled = polled.map(|next| next.map(|read| read.map_err(io::Error::other)));
        if let (Payload::H1 { .. }, Some(length)) = (&self.payload, self.announced_length) {
            let rest = length.saturating_sub(self.received_bytes);
            match &mut polled {
                // For actix, the body of a request with `Upgrade: websocket` or the method CONNECT is everything that
                // follows on the connection, which therefore ends after the response.
                Poll::Pending | Poll::Ready(Some(_)) if rest == 0 => {
                    self.state = BodyState::Failed;
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Ok(bytes))) => bytes.truncate(usize::try_from(rest).unwrap_or(usize::MAX)),
                _ => {}
            }
        }
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => self.received_bytes += bytes.len() as u64,
            Poll::Ready(Some(Err(_))) => self.state = BodyState::Failed,
            Poll::Ready(None) => self.state = BodyState::Ended,
            Poll::Pending => {}
        }
        polled
    }

    /// The next call of [`RequestBody::poll_next`] returns them again.
    pub(super) fn put_back(&mut self, bytes: Bytes) {
        self.received_bytes -= bytes.len() as u64;
        // Their memory is reserved when they are returned again.
        self.memory = ReservedMemory::default();
        self.replayed_bytes = Some(bytes).filter(|bytes| !bytes.is_empty());
    }

    /// `true` if the rest keeps the connection from being used again. Over HTTP/2, it does not.
    pub(super) fn must_be_drained(&self) -> bool {
        self.state != BodyState::Ended && !is_http2(&self.payload)
    }

    /// Discards the rest of the body. If it is too long or too slow, returns the payload; the connection has to be
    /// closed then.
    pub(super) async fn drain(mut self) -> Option<Payload> {
        let max = self.received_bytes + MAX_DRAINED_BYTES;
        if self.state == BodyState::Failed || self.announced_length.is_some_and(|length| length > max) {
            return Some(self.payload);
        }
        let all = async {
            while self.received_bytes <= max {
                if poll_fn(|task| self.poll_next(task)).await.is_none() {
                    break;
                }
            }
        };
        // If the time is over, the state is still `Receiving`.
        let _ = timeout(DRAIN_TIMEOUT, all).await;
        (self.state != BodyState::Ended).then_some(self.payload)
    }
}

/// The variant for HTTP/2 is not named, because it exists only if the program enables HTTP/2 of actix.
fn is_http2(payload: &Payload) -> bool {
    !matches!(payload, Payload::None | Payload::H1 { .. } | Payload::Stream { .. })
}

/// The memory for the body of one request, until this value is dropped. Each request has limits too, but many clients
/// could send long requests at the same time, and never complete them.
#[derive(Debug, Default)]
pub(super) struct ReservedMemory {
    pub(super) length: usize,
    /// `None` while the bytes are few.
    share: Option<Share>,
}

impl ReservedMemory {
    /// `length` is the total length. The first [`FREE_REQUEST_BYTES`] are not counted, so that workers rarely write to
    /// the same counter.
    #[inline]
    pub(super) fn grow_to(
        &mut self,
        length: usize,
        memory: &Arc<ClientShares>,
        client: Option<IpAddr>,
    ) -> Result<(), UsedUp> {
        if length <= self.length.max(FREE_REQUEST_BYTES as usize) {
            self.length = self.length.max(length);
            return Ok(());
        }
        self.grow_share(length, memory, client)
    }

    fn grow_share(&mut self, length: usize, memory: &Arc<ClientShares>, client: Option<IpAddr>) -> Result<(), UsedUp> {
        match &mut self.share {
            Some(share) => share.grow(length - self.length)?,
            None => self.share = Some(memory.take(client, length)?),
        }
        self.length = length;
        Ok(())
    }
}
