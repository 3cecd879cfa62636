//! The handler of a method: calls PHP, and reads its response.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use rulebook::handler_kind::{ArgumentSlots, BodyAccess, CompiledHandler, HandlerFuture, OutputsCheck, ReturnedValue};
use rulebook::http::Method;
use rulebook::trace::{OpenSpan, SpanKind};
use rulebook::{ApiError, Context};
use tokio::time::{Instant, timeout_at};

use crate::call_error::CallError;
use crate::protocol::{Exchange, Pool, Sender, StderrLog};
use crate::request::PhpRequest;
use crate::response::{self, ReceivedBody, ReceivedFile, ResponseHead};
use crate::settings::{ArgumentNotation, HandlerSettings, Responses};

/// The handler of a method.
pub struct FastCgiHandler {
    pub settings: Arc<HandlerSettings>,
    pub pool: Arc<Pool>,
    /// The path of the bridge, which is known after the start.
    pub bridge: Arc<OnceLock<PathBuf>>,
}

impl CompiledHandler for FastCgiHandler {
    fn start(&self, arguments: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        match self.request(arguments, &context) {
            Ok(mut request) => {
                let (settings, pool) = (Arc::clone(&self.settings), Arc::clone(&self.pool));
                Box::pin(async move {
                    let span = context.is_traced().then(|| context.span("php", SpanKind::Client));
                    if let Some(trace) = span.as_ref().and_then(OpenSpan::context) {
                        request.set_trace(trace);
                    }
                    let result = call(&settings, &pool, &request, &context).await;
                    if let Some(mut span) = span {
                        span.set_result(&result);
                    }
                    result
                })
            }
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn outputs_check(&self) -> OutputsCheck {
        match self.settings.responses {
            Responses::Strict => OutputsCheck::Enforced,
            Responses::Described | Responses::Unchanged => OutputsCheck::Described,
        }
    }

    fn body_access(&self) -> BodyAccess {
        match self.settings.arguments {
            ArgumentNotation::Request => BodyAccess::Any,
            ArgumentNotation::Form | ArgumentNotation::Json => BodyAccess::None,
        }
    }
}

impl FastCgiHandler {
    fn request(&self, arguments: ArgumentSlots<'_, '_>, context: &Context) -> Result<PhpRequest, ApiError> {
        let bridge = || self.bridge.get().and_then(|path| path.to_str());
        let script = self.settings.script.as_deref().or_else(bridge);
        let script = script.ok_or_else(|| ApiError::internal("the bridge to PHP is missing"))?;
        PhpRequest::new(&self.settings, script, arguments, context)
    }
}

async fn call(
    settings: &HandlerSettings,
    pool: &Arc<Pool>,
    request: &PhpRequest,
    context: &Context,
) -> Result<ReturnedValue, ApiError> {
    let mut lease = pool.lease().await?;
    let deadline = Instant::now() + settings.timeout;
    let (mut exchange, head, first) = loop {
        let sender = Sender::new(request.head.clone(), request.body.clone());
        let log = StderrLog::new(context.request_id(), context.method());
        let mut exchange = Exchange::new(lease, sender, log);
        match timeout_at(deadline, receive_head(&mut exchange)).await.unwrap_or(Err(CallError::Late)) {
            Ok((head, first)) => break (exchange, head, first),
            Err(error) if exchange.may_retry(&error, settings.is_idempotent) => lease = exchange.into_lease(),
            Err(error) => return Err(error.into()),
        }
    };
    if let Some(request) = context.head().filter(|_| settings.responses == Responses::Unchanged) {
        let body = match response::is_compared(&head) {
            true => timeout_at(deadline, receive_start(&mut exchange, first, settings.max_response)).await,
            false => Ok(Ok((first, false))),
        };
        let (first, is_whole) = body.unwrap_or(Err(CallError::Late))?;
        let body = if is_whole {
            exchange.finish();
            ReceivedBody::Whole(first)
        } else {
            ReceivedBody::Beginning(Box::new(ReceivedFile { exchange, first, timeout: settings.timeout }))
        };
        return response::unchanged(settings, &head, body, request.method == Method::HEAD);
    }
    if response::is_file(settings, &head) {
        return response::download(settings, &head, first, exchange, context);
    }
    let body = receive_body(&mut exchange, first, settings.max_response);
    let body = timeout_at(deadline, body).await.unwrap_or(Err(CallError::Late))?;
    exchange.finish();
    response::returned_value(settings, &head, &body, context)
}

/// Receives the head of a response, and the first bytes of its body.
async fn receive_head(exchange: &mut Exchange) -> Result<(ResponseHead, Bytes), CallError> {
    let mut received = BytesMut::new();
    loop {
        let Some(bytes) = exchange.next().await? else {
            return Err(CallError::Response("the response has no head".to_owned()));
        };
        received.extend_from_slice(&bytes);
        if let Some((head, len)) = ResponseHead::parse(&received)? {
            return Ok((head, received.split_off(len).freeze()));
        }
    }
}

/// Receives the body of a response, of which `first` was received.
async fn receive_body(exchange: &mut Exchange, first: Bytes, max_len: usize) -> Result<Bytes, CallError> {
    match receive_start(exchange, first, max_len).await? {
        (body, true) => Ok(body),
        (_, false) => Err(CallError::TooLong(max_len)),
    }
}

/// Receives a body until it ends, or until more than `max_len` bytes were received. Also returns `true` if it has
/// ended.
async fn receive_start(exchange: &mut Exchange, first: Bytes, max_len: usize) -> Result<(Bytes, bool), CallError> {
    let mut body = BytesMut::from(first);
    while body.len() <= max_len {
        match exchange.next().await? {
            Some(bytes) => body.extend_from_slice(&bytes),
            None => return Ok((body.freeze(), true)),
        }
    }
    Ok((body.freeze(), false))
}
