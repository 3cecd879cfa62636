//! The one service behind every path: routes a request and hands it to its module's service.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use actix_service::{Service, ServiceFactory, fn_factory, fn_service};
use actix_web::Error;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, header};

use super::head::head;
use super::module::Call;
use super::receive::Arriving;
use super::worker::{Current, Worker};
use super::{answer, expect};
use crate::call::{Allowed, Head, Refusal};
use crate::pipeline::{self, Of, Reply, Routed, Unrouted};
use crate::plan::Plan;

/// Makes a worker's service for all requests.
pub(super) fn factory(
    shared: &Arc<ArcSwap<Plan>>,
    uploads: &Arc<Path>,
) -> impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = Infallible>
+ use<> {
    let (shared, uploads) = (Arc::clone(shared), Arc::clone(uploads));
    fn_factory(move || {
        let worker = Rc::new(Worker::new(&shared, &uploads));
        let service = fn_service(move |request: ServiceRequest| {
            let current = worker.current();
            async move {
                let (request, payload) = request.into_parts();
                let head = Arc::new(head(request.head()));
                let mut body = Arriving::new(payload, &head);
                let reply = guarded(&current, &head, &mut body).await;
                let unread = if body.finish().await { None } else { Some(body.unread()) };
                Ok(ServiceResponse::new(request, answer::response(reply, &head.method, unread)))
            }
        });
        std::future::ready(Ok(service))
    })
}

/// The reply, whatever happens: the pipeline catches what handlers do, but inspectors and envelopes are
/// the program's own code too.
async fn guarded(current: &Current, head: &Arc<Head>, body: &mut Arriving) -> Reply {
    let replied = AssertUnwindSafe(dispatch(current, head, body)).catch_unwind().await;
    replied.unwrap_or_else(|panic| pipeline::refuse(&current.runner.plan, head, Of::Nothing, panicked(&*panic)))
}

async fn dispatch(current: &Current, head: &Arc<Head>, body: &mut Arriving) -> Reply {
    let plan = &*current.runner.plan;
    match pipeline::route(plan, head) {
        Ok(Routed::Method(found)) if expect::unmet(head) => {
            pipeline::refuse(plan, head, Of::Method(found.method), expect::failed())
        }
        Ok(Routed::Method(found)) => {
            let module = &current.modules[plan.methods[found.method].module];
            let Ok(reply) = module.call(Call { head, found, body }).await;
            reply
        }
        Ok(Routed::Options(index)) => {
            let service = &plan.services[index];
            let allowed = Allowed(service.methods.iter().map(|(http, _)| *http).collect());
            document(&service.options, Some(&allowed))
        }
        Ok(Routed::OptionsAll) => document(&plan.options, None),
        Err(Unrouted { of, refusal }) => pipeline::refuse(plan, head, of, refusal),
    }
}

/// A definition as it was made ready at start, never in an envelope.
fn document(text: &Bytes, allowed: Option<&Allowed>) -> Reply {
    let allow = allowed.and_then(|allowed| HeaderValue::try_from(allowed.to_string()).ok());
    let headers = allow.map(|value| (header::ALLOW, value)).into_iter().collect();
    Reply { status: 200, content_type: Some("application/json"), headers, body: text.clone() }
}

fn panicked(panic: &(dyn Any + Send)) -> Refusal {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Refusal::internal(format_args!("a stage panicked: {}", words.unwrap_or("no words")))
}
