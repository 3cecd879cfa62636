//! Handles a request: one function calls every stage of the request, in order, for every kind of request.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_files::FilesService;
use actix_http::ConnectionType;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;
use http::header;

use super::client_stream::{ConnectionState, Served};
use super::observe::{HANDLE, Observation};
use super::pages::{StaticExchange, respond_with_page};
use super::receive::{RequestBody, find_in_body, receive};
use super::response::{ResponseContext, to_response};
use super::routed_request::RoutedRequest;
use super::server_path::respond_at_server_path;
use super::state::ServerState;
use super::worker::Worker;
use crate::call::{ApiError, Head};
use crate::file_reply::respond_with_file;
use crate::metrics::RequestKind;
use crate::pipeline::{
    CallReply, ErrorContext, MethodRunner, Reply, Route, add_cors_headers, add_deprecation_fields, authorize,
    catch_panic_async, check_auth_fields, check_parameters, compress_reply, fingerprint, identify, negotiate_coding,
    read_parameters, requested_key, respond, respond_to_options, respond_with_error, run_once, start_handler,
};
use crate::plan::Plan;
use crate::rate_limit::CountedRequest;

/// Calls the stages of a request in their order, and sets the reply of `exchange`.
///
/// The futures for rare kinds of requests are boxed. Otherwise they would enlarge the future of every request.
#[expect(clippy::manual_async_fn, reason = "the future of an `async fn` has memory for each parameter twice")]
fn run_stages(
    worker: &Worker,
    runner: &Arc<MethodRunner>,
    route: &mut Route,
    head: &Arc<Head>,
    body: &mut RequestBody,
    observed: &mut Observation<'_>,
    exchange: &mut StaticExchange,
) -> impl Future<Output = ()> {
    async move {
        let plan = &runner.plan;
        if !matches!(route, Route::Method(_)) {
            find_method_or_respond(route, worker, plan, head, body, observed, exchange).await;
        }
        let Route::Method(matched) = &*route else { return };
        let index = matched.method_index;
        let mut counted = CountedRequest::default();
        let started = async {
            observed.enter("identify");
            let client = identify(plan, head, index, &mut counted).await?;
            observed.set_caller(client.identity.as_ref());
            let granted = authorize(plan, matched, &client)?;
            worker.state().check_detached_handlers(head)?;
            observed.enter("receive");
            let key = requested_key(plan, granted.method(), head)?;
            let body = receive(body, head, plan, granted.method(), worker).await?;
            observed.enter("check");
            check_auth_fields(plan, &client, &body)?;
            let values = read_parameters(plan, &client.head, matched, &body)?;
            let given = values.given_parameters();
            let arguments = check_parameters(plan, granted.method(), values)?;
            observed.given = given;
            let origin = body.call_origin(Arc::clone(&client.head), granted.method().action.body_access());
            let fingerprint = key.map(|key| Box::new(fingerprint(&granted, &client, &key, &arguments, &origin)));
            observed.enter(HANDLE);
            let handler = start_handler(runner, &granted, arguments, origin)?;
            Ok::<_, ApiError>((handler, fingerprint))
        }
        .await;
        let replied = match started {
            Ok((handler, Some(fingerprint))) => {
                let once = Box::pin(run_once(runner, head, handler, *fingerprint)).await;
                match once {
                    Ok(reply) => reply.with_limits(plan, index, &counted),
                    Err(error) => respond(plan, head, index, Err(error), &counted),
                }
            }
            started => {
                let outcome = match started {
                    Ok((handler, _)) => handler.run(runner).await,
                    Err(error) => Err(error),
                };
                observed.enter("respond");
                respond(plan, head, index, outcome, &counted)
            }
        };
        exchange.reply = match replied {
            CallReply::Reply(reply) => reply,
            CallReply::File(file) => {
                Box::pin(respond_with_file(plan, head, &worker.state().links, &worker.state().open_files, file)).await
            }
        };
        add_deprecation_fields(&plan.methods[index], &mut exchange.reply);
    }
}

/// Finds the method of a request whose path does not name one, and replaces `route`, or responds to it: then the reply
/// of `exchange` is set. It is a function of its own, so that its code is not between that of calls.
#[inline(never)]
fn find_method_or_respond<'r>(
    route: &'r mut Route,
    worker: &'r Worker,
    plan: &'r Arc<Plan>,
    head: &'r Arc<Head>,
    body: &'r mut RequestBody,
    observed: &'r mut Observation<'_>,
    exchange: &'r mut StaticExchange,
) -> LocalBoxFuture<'r, ()> {
    Box::pin(async move {
        let replied = match std::mem::replace(route, Route::Fallback) {
            found @ Route::Method(_) => {
                *route = found;
                return;
            }
            Route::NeedsBody(needs) => match find_in_body(plan, head, *needs, body, worker, observed).await {
                Ok(matched) => {
                    *route = Route::Method(matched);
                    return;
                }
                Err(unrouted) => Err(unrouted),
            },
            Route::Options(target) => Ok(respond_to_options(plan, head, &target).await),
            Route::Server(path) => Ok(respond_at_server_path(worker, plan, head, path, exchange).await),
            Route::Fallback => Ok(respond_with_page(worker, plan, head, ErrorContext::Nothing, exchange).await),
            Route::Error(unrouted) => Err(unrouted),
        };
        exchange.reply =
            replied.unwrap_or_else(|unrouted| respond_with_error(plan, head, unrouted.context, unrouted.error));
    })
}

/// Handles a request from its route to its response. `files` serves the static folder, if the service of the request
/// has static files. A request whose route does not lead to the service gets the error that no service has its path.
pub(super) fn handle(
    worker: Rc<Worker>,
    mut request: ServiceRequest,
    files: Option<FilesService>,
    leads_to_service: fn(&ServerState, &Plan, &Route) -> bool,
) -> impl Future<Output = ServiceResponse> {
    // What is known before the future exists, it borrows: it would have memory for a local value twice.
    if files.is_some() {
        worker.state().static_files.ignore_range(&mut request);
    }
    let (request, payload) = request.into_parts();
    let connection = connection_of(&request);
    let RoutedRequest { mut head, mut route, served, .. } = RoutedRequest::take(&worker, &request);
    if !leads_to_service(worker.state(), &served.runner.plan, &route) {
        route = Route::Error(ApiError::unknown_service().into());
    } else if let Some(error) = connection.served.refuse(&route) {
        route = Route::Error(error.into());
    }
    // The head has no other owner yet, so that it is not cloned.
    Arc::make_mut(&mut head).tls.clone_from(&connection.tls);
    if let Some(tracer) = &served.runner.plan.tracer {
        tracer.begin(&mut head);
    }
    let mut body = RequestBody::new(payload, &head);
    let mut exchange = StaticExchange { reply: Reply::empty(), files, request, body: None };
    async move {
        let (runner, plan) = (&served.runner, &served.runner.plan);
        let mut observed = Observation::begin(&served, &head);
        observed.kind = RequestKind::of(&route);
        let ran = catch_panic_async(
            "a stage",
            pin!(run_stages(&worker, runner, &mut route, &head, &mut body, &mut observed, &mut exchange)),
        )
        .await;
        if let Err(panic) = ran {
            exchange.reply = respond_with_error(plan, &head, observed.kind.into(), panic);
        }
        let reply = &mut exchange.reply;
        add_cors_headers(plan, &head, reply);
        if let Some(field) = &plan.version_field {
            reply.headers.push((header::VARY, field.clone()));
        }
        if let Some(coding) = negotiate_coding(plan, &head, reply) {
            observed.enter("compress");
            let has_version = matches!(observed.kind, RequestKind::Method(index) if plan.methods[index].has_version());
            Box::pin(compress_reply(reply, coding, has_version)).await;
        }
        let unread = if body.must_be_drained() { Box::pin(body.drain()).await } else { None };
        let StaticExchange { reply, request, body: file, .. } = exchange;
        observed.finish(&reply);
        // actix ends the connection also after a request with `Connection: upgrade`.
        let closes = request.head().connection_type() != ConnectionType::KeepAlive || unread.is_some();
        let closes = closes || connection.served == Served::ServerState || worker.state().is_stopping();
        if closes {
            connection.note_close(unread.is_some());
        }
        let version = request.version();
        let context = ResponseContext { worker: &worker, head: &head, version, closes, unread, connection, file };
        let response = to_response(reply, context);
        worker.heads.put_back(head);
        ServiceResponse::new(request, HttpResponse::from(response))
    }
}

/// Returns the state of the connection of a request. It is known for connections of rulebook's own server.
fn connection_of(request: &HttpRequest) -> Rc<ConnectionState> {
    let unlimited = || Rc::new(ConnectionState::new(Instant::now(), Served::Everything, None));
    request.conn_data::<Rc<ConnectionState>>().map_or_else(unlimited, Rc::clone)
}
