//! The part of the stage `act` for requests with an idempotency key: the handler runs at most once for a key, and later
//! requests with the key get the stored response.
//!
//! A request whose client disconnects is handled to its end, so that the response is stored for the next attempt of the
//! client.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{Either, join, select};
use futures_util::{StreamExt, stream};
use rulebook_model::limits::IDEMPOTENCY_RECORD_COUNT;
use rulebook_model::model::Limits;

use super::MethodRunner;
use super::act::{DetachableFuture, StartedHandler, catch_panic_async};
use super::authorize::GrantedCall;
use super::identify::Client;
use super::reply::{CallReply, Reply, ReplyBody};
use super::respond::respond;
use crate::call::{ApiError, ArgumentSlot, ByteStream, Head, Value};
use crate::error::ErrorCode;
use crate::handler::{BodyAccess, CallOrigin};
use crate::idempotency::{
    ClaimedKey, Fingerprint, IdempotencyKeyState, IdempotencyStorage, KeyClaim, RequestHasher, StoredResponse, read_key,
};
use crate::multipart::{BodyPart, BodyPartContent};
use crate::plan::{Plan, PlannedMethod};
use crate::rate_limit::CountedRequest;

/// The number of renewals of a claim within its lease.
const RENEWALS_PER_LEASE: u32 = 3;
/// Divides the lease: for this time, a failed attempt to store a response is repeated.
const LEASE_PER_STORE_TIME: u32 = 3;
const STORE_RETRIES: u32 = 5;

/// `None` if the API method does not use it. Fails if the key is malformed, too long, or missing but required.
pub fn requested_key(plan: &Plan, method: &PlannedMethod, head: &Head) -> Result<Option<String>, ApiError> {
    match method.idempotency {
        Some(idempotency) => read_key(head, idempotency, plan.limits.idempotency_key),
        None => Ok(None),
    }
}

pub fn fingerprint(
    granted: &GrantedCall<'_>,
    client: &Client<'_>,
    key: &str,
    arguments: &[ArgumentSlot<'_>],
    origin: &CallOrigin,
) -> Fingerprint {
    let method = granted.method();
    let mut hasher = RequestHasher::new(key);
    hasher.add_arguments(&method.parameter_names, arguments);
    // Such a handler also forwards fields that are not parameters.
    if let CallOrigin::Request { head, body, parts } = origin
        && method.action.body_access() != BodyAccess::None
    {
        hasher.add_raw(head.query().as_bytes());
        hasher.add_raw(body.as_deref().unwrap_or_default());
        for BodyPart { name, content } in parts {
            hasher.add_raw(name.as_bytes());
            match content {
                BodyPartContent::Field(bytes) => hasher.add_raw(bytes),
                BodyPartContent::File(_) => {}
                BodyPartContent::OtherFile { upload, .. } => hasher.add_value(&Value::File(upload.clone())),
            }
        }
    }
    hasher.finish(&method.id, granted.identity(), client.head.client, key)
}

/// Runs the handler unless a request with the same key was handled. Fails if the key is in use, was used for other
/// arguments, or the storage is unavailable or full.
pub async fn run_once(
    runner: &Arc<MethodRunner>,
    head: &Arc<Head>,
    handler: StartedHandler,
    fingerprint: Fingerprint,
) -> Result<CallReply, ApiError> {
    let call = run_with_key(Arc::clone(runner), Arc::clone(head), handler, fingerprint);
    DetachableFuture::new(runner, head.client, Box::pin(call)).await
}

struct LimitedStorage<'p> {
    storage: &'p dyn IdempotencyStorage,
    limits: &'p Limits,
}

/// The future borrows nothing from the connection of the client.
async fn run_with_key(
    runner: Arc<MethodRunner>,
    head: Arc<Head>,
    handler: StartedHandler,
    fingerprint: Fingerprint,
) -> Result<CallReply, ApiError> {
    let plan = &*runner.plan;
    let index = handler.method;
    let method = &plan.methods[index];
    let Some(storage) = &plan.idempotency_storage else {
        return Err(ApiError::internal("there is no storage of idempotency keys"));
    };
    let keys = LimitedStorage { storage: &**storage, limits: &plan.limits };
    let claimed = fingerprint.into_claimed_key().await.map_err(ApiError::internal)?;
    match keys.claim(&claimed).await? {
        None => {}
        Some(stored) if stored.is_empty() => return Err(ApiError::plain(ErrorCode::ResponseNotKept)),
        Some(stored) => {
            let reply = StoredResponse::decode(method, stored);
            let reply = reply.ok_or_else(|| ApiError::internal("a stored response is not valid"))?;
            return Ok(CallReply::Reply(reply));
        }
    }
    let handle = pin!(async {
        let outcome = handler.run(&runner).await;
        let reply = respond(plan, &head, index, outcome, &CountedRequest::default());
        // The handler may still produce the body.
        with_body_in_memory(reply, plan.limits.idempotency_response).await
    });
    let handle = pin!(catch_panic_async("the body of a response", handle));
    let reply = match select(handle, pin!(keys.renew_regularly(&claimed))).await {
        Either::Left((reply, _)) => reply,
        Either::Right((never, _)) => match never {},
    };
    let failed = |panic| respond(plan, &head, index, Err(panic), &CountedRequest::default());
    let reply = reply.unwrap_or_else(failed);
    Ok(keys.store_reply(&claimed, method, reply).await)
}

impl LimitedStorage<'_> {
    /// The stored response if a request with the key was handled.
    async fn claim(&self, claimed: &ClaimedKey) -> Result<Option<Vec<u8>>, ApiError> {
        let max = self.limits.idempotency_records;
        let claim = KeyClaim::new(claimed.clone(), self.lease(), max);
        let plain = |code| Err(ApiError::plain(code));
        match self.storage.claim(claim).await {
            Ok(IdempotencyKeyState::Claimed) => Ok(None),
            Ok(IdempotencyKeyState::InUse { payload } | IdempotencyKeyState::Stored { payload, .. })
                if payload != claimed.payload =>
            {
                plain(ErrorCode::IdempotencyKeyReused)
            }
            Ok(IdempotencyKeyState::InUse { .. }) => plain(ErrorCode::IdempotencyKeyInUse),
            Ok(IdempotencyKeyState::Stored { response, .. }) => Ok(Some(response)),
            Ok(IdempotencyKeyState::Full) => Err(ApiError::too_large(IDEMPOTENCY_RECORD_COUNT.with_value(max), None)),
            Err(error) => Err(ApiError::unavailable(format_args!("idempotency keys: {error}"))),
        }
    }

    fn lease(&self) -> Duration {
        Duration::from_secs(self.limits.idempotency_lease)
    }

    /// Never ends.
    async fn renew_regularly(&self, claimed: &ClaimedKey) -> Infallible {
        loop {
            tokio::time::sleep(self.lease() / RENEWALS_PER_LEASE).await;
            self.renew(claimed).await;
        }
    }

    async fn renew(&self, claimed: &ClaimedKey) {
        if let Err(error) = self.storage.renew(claimed, self.lease()).await {
            log::warn!("idempotency keys: a claim cannot be renewed: {error}");
        }
    }

    /// Stores that it is not kept, if its body is not in memory. Releases the key if the handler failed.
    async fn store_reply(&self, claimed: &ClaimedKey, method: &PlannedMethod, reply: CallReply) -> CallReply {
        let max = self.limits.idempotency_response;
        let (reply, stored) = match reply {
            CallReply::Reply(reply) if is_failure(&reply) => {
                if let Err(error) = self.storage.release(claimed).await {
                    log::warn!("idempotency keys: a key cannot be released before its lease ends: {error}");
                }
                return CallReply::Reply(reply);
            }
            CallReply::Reply(reply) => {
                let stored = StoredResponse::encode(method, &reply, max);
                (CallReply::Reply(reply), stored)
            }
            file @ CallReply::File(_) => (file, None),
        };
        if stored.is_none() {
            log::warn!("{}: a response is too long or incomplete, and not kept for its idempotency key", method.id);
        }
        self.store(claimed, stored.unwrap_or(StoredResponse::NOT_KEPT)).await;
        reply
    }

    /// If the storage is unavailable, tries again for a third of the lease, and renews the claim between the attempts.
    async fn store(&self, claimed: &ClaimedKey, response: Vec<u8>) {
        let lifetime = Duration::from_secs(self.limits.idempotency_seconds);
        let (start, max) = (Instant::now(), self.lease() / LEASE_PER_STORE_TIME);
        let pause = max / STORE_RETRIES;
        loop {
            let Err(error) = self.storage.store(claimed, response.clone(), lifetime).await else { return };
            if start.elapsed() + pause > max {
                log::error!(
                    "idempotency keys: a response cannot be stored, so that its request can run again: {error}"
                );
                return;
            }
            join(self.renew(claimed), tokio::time::sleep(pause)).await;
        }
    }
}

/// The client may send the request again.
fn is_failure(reply: &Reply) -> bool {
    // An envelope can send errors with the status of a success.
    reply.status >= 500 || reply.code.is_some_and(|code| code.code.status().get() >= 500)
}

/// Reads a stream of up to `max` bytes. A longer one stays a stream.
async fn with_body_in_memory(reply: CallReply, max: u64) -> CallReply {
    let mut reply = match reply {
        CallReply::Reply(reply) if !is_failure(&reply) => reply,
        reply => return reply,
    };
    reply.body = match reply.body {
        ReplyBody::Stream { mut pieces, length } => {
            let (mut read, mut size) = (Vec::new(), 0);
            let is_complete = loop {
                if size > max || length.is_some_and(|length| length > max) {
                    break false;
                }
                match pieces.next().await {
                    Some(piece) => {
                        size += piece.as_ref().map_or(0, Bytes::len) as u64;
                        let is_error = piece.is_err();
                        read.push(piece);
                        if is_error {
                            break false;
                        }
                    }
                    None => break true,
                }
            };
            if is_complete {
                let bytes: Vec<u8> = read.into_iter().flatten().flatten().collect();
                ReplyBody::Whole(bytes.into())
            } else {
                let pieces: ByteStream = Box::pin(stream::iter(read).chain(pieces));
                ReplyBody::Stream { pieces, length }
            }
        }
        body => body,
    };
    CallReply::Reply(reply)
}
