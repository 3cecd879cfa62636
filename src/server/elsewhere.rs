//! What stands behind the API: an App of actix for everything that is no service of the definition.

use std::rc::Rc;

use actix_files::NamedFile;
use actix_http::{HttpMessage, Request};
use actix_service::{IntoServiceFactory, ServiceFactory, fn_service, map_config};
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpRequest, HttpResponse};
use http::{HeaderName, HeaderValue, Method, header};

use super::answer;
use super::head::head;
use super::policy::{self, Keep, Of};
use super::receive::Arriving;
use super::site::{self, Page};
use super::worker::Worker;
use crate::call::{Allowed, Head, Http, Reason, Refusal, RequestId};
use crate::pipeline::{self, Reply};
use crate::plan::Plan;

/// Makes the App of a worker. What it does not have either is refused as an unknown service.
pub(super) fn factory(
    worker: &Rc<Worker>,
) -> impl ServiceFactory<Request, Config = (), Response = ServiceResponse, Error = Error, InitError = ()> + use<> {
    let worker = Rc::clone(worker);
    let page = fn_service(move |mut request: ServiceRequest| {
        let worker = Rc::clone(&worker);
        async move {
            let current = worker.current();
            let id = request.extensions().get().cloned().unwrap_or_else(RequestId::random);
            let head = head(request.head(), id);
            let plan = &current.runner.plan;
            let body = Arriving::new(request.take_payload(), &head);
            let files = &worker.serving().files;
            let reply = match site::find(files, plan, &head).await {
                Ok(Some(Page::File(file, of))) if is_read(&head) => {
                    if !has_parts(&file, &request) {
                        request.headers_mut().remove(header::RANGE);
                    }
                    let (request, _) = request.into_parts();
                    let response = answer::held(opened(*file, of, &request), body).await;
                    return Ok(ServiceResponse::new(request, response));
                }
                Ok(Some(page)) => shown(plan, &head, page),
                Ok(None) => refused(plan, &head, unknown(plan, &head)),
                Err(refusal) => refused(plan, &head, refusal),
            };
            let response = answer::sent(plan, reply, &head, body).await;
            Ok(request.into_response(HttpResponse::from(response)))
        }
    });
    map_config(App::new().default_service(page).into_factory(), |()| AppConfig::default())
}

fn is_read(head: &Head) -> bool {
    head.method == Method::GET || head.method == Method::HEAD
}

/// Whether a part of a file can be asked for. What is no range is ignored (RFC 9110 section 14.2), and so is any of an
/// empty file, of whose last bytes the library makes a range that ends before it begins.
fn has_parts(file: &NamedFile, request: &ServiceRequest) -> bool {
    file.metadata().len() > 0 && request.headers().get(header::RANGE).is_none_or(|range| range.to_str().is_ok())
}

/// A file as a response: a part of it, or that it has not changed, where that is asked for.
fn opened(file: NamedFile, of: Of, request: &HttpRequest) -> HttpResponse {
    let mut response = file.prefer_utf8(true).disable_content_disposition().into_response(request);
    let nosniff = (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in policy::fields(of, Keep::Asking).into_iter().chain([nosniff]) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// A page in answer to a request, where it is no file that is read.
fn shown(plan: &Plan, head: &Head, page: Page<'_>) -> Reply {
    let allowed = Allowed(vec![Http::Get]);
    match page {
        Page::Ready(document, of, keep) => guarded(pipeline::document(plan, head, &document), of, keep),
        Page::Docs(page, told) => told.mark(guarded(pipeline::page(plan, head, &page), Of::Docs, Keep::Asking)),
        Page::Markdown(document, told) => {
            told.mark(guarded(pipeline::document(plan, head, &document), Of::Docs, Keep::Asking))
        }
        Page::Missing(page, told) => told.mark(guarded(pipeline::missing(head, &page), Of::Docs, Keep::Asking)),
        Page::Elsewhere(to) if is_read(head) => {
            empty(307, HeaderValue::try_from(to).ok().map(|to| (header::LOCATION, to)))
        }
        _ if head.method == Method::OPTIONS => {
            empty(204, HeaderValue::try_from(allowed.to_string()).ok().map(|allow| (header::ALLOW, allow)))
        }
        _ => refused(plan, head, Refusal::new(Reason::UnknownMethod { allowed })),
    }
}

/// A reply with what a browser may do with it.
fn guarded(mut reply: Reply, of: Of, keep: Keep) -> Reply {
    for (name, value) in policy::fields(of, keep) {
        reply.headers.retain(|(own, _)| *own != name);
        reply.headers.push((name, value));
    }
    reply
}

/// Why there is nothing at a path. The router knows best, unless the path is not its own to judge.
pub(super) fn unknown(plan: &Plan, head: &Head) -> Refusal {
    let routed = if site::is_own(head.uri.path()) { None } else { pipeline::route(plan, head).err() };
    let refusal = routed.map(|unrouted| unrouted.refusal);
    refusal.unwrap_or_else(|| Refusal::new(Reason::UnknownService { similar: Vec::new() }))
}

/// Refuses a request for what there is not.
pub(super) fn refused(plan: &Plan, head: &Head, refusal: Refusal) -> Reply {
    let of = if site::is_own(head.uri.path()) { pipeline::Of::Page } else { pipeline::Of::Nothing };
    pipeline::refuse(plan, head, of, refusal)
}

fn empty(status: u16, field: Option<(HeaderName, HeaderValue)>) -> Reply {
    Reply::empty(status, field.into_iter().collect())
}
