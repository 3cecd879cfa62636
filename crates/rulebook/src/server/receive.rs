//! Receives bodies under limits that apply as the bytes arrive.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use rulebook_model::error::ErrorCode;
use rulebook_model::limits;
use rulebook_model::model::Limits;

use super::body_timer::BodyTimer;
use super::multipart;
use super::request_body::RequestBody;
use super::upload_writer::Uploads;
use crate::call::{ApiError, ErrorKind, Head, Limit, MalformedRequest};
use crate::pipeline::{Body, BodyKind, BodyPrefix, SUPPORTED_MEDIA_TYPES, body_kind};
use crate::plan::{Plan, PlannedMethod};

/// The minimum speed, in bytes per second, at which a multipart body may take longer than `limits.seconds`.
const MIN_SPEED: u64 = 16 << 10;

/// A body that is received with limits on its length and its time.
pub(super) struct LimitedBody<'b> {
    body: &'b mut RequestBody,
    limit: Limit,
    /// The maximum time of the body, from when a stage first waits for it.
    time: Duration,
    /// `true` if a body may take longer as long as it arrives at [`MIN_SPEED`] or faster.
    paced: bool,
}

impl<'b> LimitedBody<'b> {
    fn new(body: &'b mut RequestBody, kind: &BodyKind, limits: &Limits) -> Self {
        let paced = matches!(kind, BodyKind::Multipart { .. });
        Self { body, limit: size_limit(kind, limits), time: Duration::from_secs(limits.seconds), paced }
    }

    /// Returns the next bytes, never an empty chunk; `None` at the end.
    pub(super) fn poll(&mut self, task: &mut Context<'_>) -> Poll<Result<Option<Bytes>, ApiError>> {
        loop {
            match self.body.poll(task) {
                Poll::Ready(Some(Ok(_))) if self.body.received > self.limit.max => {
                    return Poll::Ready(Err(ApiError::too_large(self.limit, None)));
                }
                Poll::Ready(Some(Ok(bytes))) if bytes.is_empty() => {}
                Poll::Ready(Some(Ok(bytes))) => return Poll::Ready(Ok(Some(bytes))),
                // In most cases the client has disconnected and will not read the response.
                Poll::Ready(Some(Err(_))) => {
                    return Poll::Ready(Err(ApiError::malformed(MalformedRequest::BodyBroken)));
                }
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Pending => break,
            }
        }
        // Most bodies arrive together with their head, and are available when the connection is polled once more. A
        // timer for that moment would cost more than all other work of this function.
        if !std::mem::replace(&mut self.body.waited, true) {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        let more = if self.paced { self.body.received / MIN_SPEED } else { 0 };
        let time = self.time.saturating_add(Duration::from_secs(more));
        self.body.timer.get_or_insert_with(|| BodyTimer::start(time)).poll(time, task).map(|()| {
            self.body.fail();
            Err(ApiError::plain(ErrorCode::Timeout))
        })
    }

    /// Returns the next bytes as [`LimitedBody::poll`] does.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        poll_fn(|task| self.poll(task)).await
    }
}

/// Receives the body of a request for a method.
///
/// # Errors
/// Fails if the body exceeds a limit, does not arrive completely and in time, has an unsupported media type, or a file
/// cannot be stored.
pub(super) async fn receive(
    body: &mut RequestBody,
    head: &Head,
    plan: &Plan,
    method: &PlannedMethod,
    uploads: &Arc<Uploads>,
) -> Result<Body, ApiError> {
    let kind = body_kind(head, method);
    if kind == BodyKind::Nothing {
        return Ok(Body::Empty);
    }
    check_announced(&kind, body.announced, &plan.limits)?;
    let mut limited = LimitedBody::new(body, &kind, &plan.limits);
    match kind {
        BodyKind::Nothing => Ok(Body::Empty),
        BodyKind::Unsupported(got) => match limited.next().await? {
            Some(_) => Err(unsupported(got)),
            None => Ok(Body::Empty),
        },
        BodyKind::Form => Ok(receive_whole(&mut limited).await?.map_or(Body::Empty, Body::Form)),
        BodyKind::Json => Ok(receive_whole(&mut limited).await?.map_or(Body::Empty, Body::Json)),
        // Boxed, because it would enlarge the future of every other request.
        BodyKind::Multipart { boundary, limits } => {
            let target = multipart::MultipartTarget { plan, method, max_parts: limits.parts, uploads };
            Box::pin(multipart::receive_parts(limited, boundary, &target)).await
        }
    }
}

/// Receives the first bytes of a body, at most `limits.dispatch` of them. All of these bytes are returned again when
/// the body is received.
///
/// # Errors
/// Fails as [`receive`] does.
pub(super) async fn receive_prefix(
    body: &mut RequestBody,
    kind: &BodyKind,
    limits: &Limits,
) -> Result<BodyPrefix, ApiError> {
    check_announced(kind, body.announced, limits)?;
    let max = usize::try_from(limits.dispatch).unwrap_or(usize::MAX);
    let mut limited = LimitedBody::new(body, kind, limits);
    let mut read = limited.next().await?.unwrap_or_default();
    let mut ended = read.is_empty();
    // A body that arrives in one chunk is not copied.
    if let Some(second) = if ended || read.len() > max { None } else { limited.next().await? } {
        let mut all = Vec::with_capacity(read.len() + second.len());
        all.extend_from_slice(&read);
        all.extend_from_slice(&second);
        while all.len() <= max && !ended {
            match limited.next().await? {
                Some(bytes) => all.extend_from_slice(&bytes),
                None => ended = true,
            }
        }
        read = all.into();
    } else {
        ended = read.len() <= max;
    }
    body.put_back(read.clone());
    let whole = ended && read.len() <= max;
    read.truncate(max);
    Ok(BodyPrefix { bytes: read, is_whole: whole })
}

/// Checks the kind of a body and the length that its head announces.
///
/// # Errors
/// Fails if the length exceeds a limit, or the media type is not supported.
fn check_announced(kind: &BodyKind, announced: Option<u64>, limits: &Limits) -> Result<(), ApiError> {
    let Some(length) = announced else {
        return Ok(());
    };
    match kind {
        BodyKind::Nothing => Ok(()),
        BodyKind::Unsupported(got) if length > 0 => Err(unsupported(got.clone())),
        BodyKind::Multipart { boundary: None, .. } if length > 0 => {
            Err(ApiError::malformed(MalformedRequest::MultipartBoundary))
        }
        _ => {
            let limit = size_limit(kind, limits);
            if length > limit.max { Err(ApiError::too_large(limit, None)) } else { Ok(()) }
        }
    }
}

/// Returns the size limit of a body of this kind.
fn size_limit(kind: &BodyKind, limits: &Limits) -> Limit {
    match kind {
        BodyKind::Multipart { limits, .. } => limits::MULTIPART_SIZE.with_value(limits.bytes),
        _ => limits::BODY_SIZE.with_value(limits.body),
    }
}

/// Receives the whole body; `None` if it is empty. A body that arrives in one chunk is not copied.
async fn receive_whole(limited: &mut LimitedBody<'_>) -> Result<Option<Bytes>, ApiError> {
    let Some(first) = limited.next().await? else {
        return Ok(None);
    };
    let Some(second) = limited.next().await? else {
        return Ok(Some(first));
    };
    let mut all = Vec::with_capacity(first.len() + second.len());
    all.extend_from_slice(&first);
    all.extend_from_slice(&second);
    while let Some(more) = limited.next().await? {
        all.extend_from_slice(&more);
    }
    Ok(Some(all.into()))
}

fn unsupported(got: String) -> ApiError {
    ApiError::new(ErrorKind::UnsupportedMediaType { got, accepted: SUPPORTED_MEDIA_TYPES })
}
