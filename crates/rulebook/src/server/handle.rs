//! Handles a request: one function calls every stage of the request, in order, for every kind of request.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::LocalBoxFuture;

use super::download::respond_with_file;
use super::fallback::respond_with_page;
use super::incoming_request::IncomingRequest;
use super::method_in_body::find_in_body;
use super::metrics::RequestKind;
use super::mount::MountedPart;
use super::observe::Observation;
use super::receive::receive;
use super::request_body::{BodySource, RequestBody};
use super::server_path::respond_at_server_path;
use super::traced_request::HANDLE;
use super::worker::Worker;
use crate::call::{ApiError, Head};
use crate::pipeline::{
    CallOrigin, CallReply, ErrorContext, MethodRunner, Reply, Route, add_cors_headers, authorize, catch_panic_async,
    check_auth_fields, check_parameters, compress_reply, fingerprint, identify, negotiate_coding, preflighted_method,
    read_parameters, requested_key, respond, respond_to_options, respond_with_error, route, run_once, start_handler,
    start_with_body,
};
use crate::plan::{MatchedMethod, Plan};
use crate::rate_limit::CountedRequest;

/// Calls the stages of a request in their order, and sets `reply` to the reply. Returns the index of the API method
/// that a CORS preflight announces.
///
/// The futures for rare kinds of requests are boxed. Otherwise they would enlarge the future of every request.
#[expect(clippy::manual_async_fn, reason = "the future of an `async fn` has memory for each parameter twice")]
fn run_stages(
    worker: &Worker,
    runner: &Arc<MethodRunner>,
    part: &MountedPart,
    head: &Arc<Head>,
    body: &mut RequestBody,
    observed: &mut Observation<'_>,
    reply: &mut Reply,
) -> impl Future<Output = Option<usize>> {
    async move {
        let plan = &runner.plan;
        let route = part.restrict_route(plan, route(plan, head));
        observed.set_kind(RequestKind::of(&route));
        let preflighted = preflighted_method(plan, head, &route);
        let matched = match route {
            Route::Method(matched) => matched,
            other => match find_method_or_respond(other, worker, plan, head, body, observed, reply).await {
                Some(matched) => matched,
                None => return preflighted,
            },
        };
        let index = matched.method_index;
        let mut counted = CountedRequest::default();
        let started = async {
            observed.enter("identify");
            let client = identify(plan, head, index, &mut counted).await?;
            let granted = authorize(plan, &matched, &client)?;
            worker.state().check_detached_handlers(head)?;
            observed.enter("receive");
            let key = requested_key(plan, granted.method(), head)?;
            let body = receive(body, head, plan, granted.method(), worker).await?;
            observed.enter("check");
            check_auth_fields(plan, &client, &body)?;
            // The arguments of a request with an idempotency key are compared with those of other requests.
            if key.is_none()
                && let Some(running) = start_with_body(runner, &granted, &matched, &client.head, &body)
            {
                observed.enter(HANDLE);
                return Ok((running, None));
            }
            let values = read_parameters(plan, &client.head, &matched, &body)?;
            let arguments = check_parameters(plan, granted.method(), values)?;
            let kept_body = if granted.method().action.reads_body() { body.bytes().cloned() } else { None };
            let origin = CallOrigin::Request { head: Arc::clone(&client.head), body: kept_body };
            let fingerprint = key.map(|key| Box::new(fingerprint(&granted, &client, &key, &arguments, &origin)));
            observed.enter(HANDLE);
            let running = start_handler(runner, &granted, arguments, origin)?;
            Ok::<_, ApiError>((running, fingerprint))
        }
        .await;
        let replied = match started {
            Ok((running, Some(fingerprint))) => {
                let once = Box::pin(run_once(runner, head, running, *fingerprint)).await;
                match once {
                    Ok(reply) => reply.with_limits(plan, index, &counted),
                    Err(error) => respond(plan, head, index, Err(error), &counted),
                }
            }
            started => {
                let outcome = match started {
                    Ok((running, _)) => running.await,
                    Err(error) => Err(error),
                };
                observed.enter("respond");
                respond(plan, head, index, outcome, &counted)
            }
        };
        *reply = match replied {
            CallReply::Reply(reply) => reply,
            CallReply::File(file) => Box::pin(respond_with_file(plan, head, worker.state(), file)).await,
        };
        preflighted
    }
}

/// Finds the method of a request whose path does not name one, or responds to it: then `reply` is set to the reply. It
/// is a function of its own, so that its code is not between that of calls.
#[inline(never)]
fn find_method_or_respond<'r, 'h: 'r>(
    route: Route<'h>,
    worker: &'r Worker,
    plan: &'r Arc<Plan>,
    head: &'h Arc<Head>,
    body: &'r mut RequestBody,
    observed: &'r mut Observation<'_>,
    reply: &'r mut Reply,
) -> LocalBoxFuture<'r, Option<MatchedMethod<'h>>> {
    Box::pin(async move {
        let replied = match route {
            Route::Method(matched) => return Some(matched),
            Route::NeedsBody(needs) => match find_in_body(plan, head, needs, body, worker, observed).await {
                Ok(matched) => return Some(matched),
                Err(unrouted) => Err(unrouted),
            },
            Route::Options(target) => Ok(respond_to_options(plan, head, &target).await),
            Route::Server(path) => Ok(respond_at_server_path(worker, plan, head, path).await),
            Route::Fallback => Ok(respond_with_page(worker, plan, head, ErrorContext::Nothing).await),
            Route::Error(unrouted) => Err(unrouted),
        };
        *reply = replied.unwrap_or_else(|unrouted| respond_with_error(plan, head, unrouted.context, unrouted.error));
        None
    })
}

/// A request that has been handled.
pub(super) struct Handled {
    /// The head of the request.
    pub(super) head: Arc<Head>,
    /// The unread rest of the request's body, if the connection has to be closed because of it.
    pub(super) unread: Option<Box<BodySource>>,
    /// The time at which the reply was complete.
    pub(super) ended: Instant,
}

/// Handles a request from its head to its reply. `part` is the part of the API that the request can reach. `reply` is
/// set to the reply: it is large, and several futures would copy it if they returned it.
pub(super) fn handle(
    worker: Rc<Worker>,
    part: MountedPart,
    incoming: IncomingRequest,
    reply: &mut Reply,
) -> impl Future<Output = Handled> {
    let IncomingRequest { mut head, body } = incoming;
    async move {
        let mut body = RequestBody::new(body, &head);
        let current = worker.current_plan();
        let (runner, plan) = (&current.runner, &current.runner.plan);
        if let Some(tracer) = &plan.tracer {
            tracer.begin(&mut head);
        }
        let mut observed = Observation::begin(&current, &head);
        let ran = catch_panic_async(
            "a stage",
            pin!(run_stages(&worker, runner, &part, &head, &mut body, &mut observed, reply)),
        )
        .await;
        let preflighted = ran.unwrap_or_else(|panic| {
            *reply = respond_with_error(plan, &head, observed.kind().into(), panic);
            None
        });
        add_cors_headers(plan, &head, reply, preflighted);
        if let Some(coding) = negotiate_coding(plan, &head, reply) {
            observed.enter("compress");
            Box::pin(compress_reply(reply, coding)).await;
        }
        let unread = if body.must_be_drained() { Box::pin(body.drain()).await.map(Box::new) } else { None };
        let ended = observed.finish(reply);
        Handled { head, unread, ended }
    }
}
