//! Clients that ask whether to send their body at all (RFC 9110 section 10.1.1).
//!
//! `100 Continue` is only sent where the call is permitted and the body is not
//! one that would be refused for its announced length or its media type; else
//! the client is told why at once. Where the body says what is asked for, it is
//! only the latter that is judged.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::body::BoxBody;
use actix_http::{Request, Response};
use actix_service::{ServiceFactory, fn_factory, fn_service};
use arc_swap::ArcSwap;
use http::{Method, header};

use super::dispatch::{Way, purpose, way};
use super::head::{head, name};
use super::metrics::For;
use super::observe::Observed;
use super::receive::{Arriving, acceptable, announced};
use super::serving::Serving;
use super::uploading::Uploads;
use super::worker::Worker;
use super::{answer, elsewhere};
use crate::call::{Head, Reason, Refusal};
use crate::pipeline::{self, Of, Reply, Routed, Undecided, Unrouted, guarded};
use crate::plan::{Found, Plan};

/// Makes a worker's service for requests that expect `100-continue`: gives them back, or the answer instead.
pub(super) fn factory(
    shared: &Arc<ArcSwap<Plan>>,
    uploads: &Arc<Uploads>,
    serving: &Arc<Serving>,
) -> impl ServiceFactory<Request, Config = (), Response = Request, Error = Response<BoxBody>, InitError = Infallible> + use<>
{
    let (shared, uploads, serving) = (Arc::clone(shared), Arc::clone(uploads), Arc::clone(serving));
    fn_factory(move || {
        let worker = Rc::new(Worker::new(&shared, &uploads, &serving));
        let service = fn_service(move |mut request: Request| {
            let worker = Rc::clone(&worker);
            async move {
                let head = head(request.head(), name(request.head(), || worker.name_request()));
                let current = worker.current();
                let plan = &current.runner.plan;
                let mut observed = Observed::begin(&current, &head);
                let (purpose, reply) = match guarded("a stage", invite(plan, &head)).await {
                    Ok(Ok(())) => {
                        observed.pass();
                        return Ok(request);
                    }
                    Ok(Err(answered)) => answered,
                    Err(panic) => {
                        let purpose = purpose(&way(plan, &head));
                        (purpose, pipeline::refuse(plan, &head, purpose.into(), panic))
                    }
                };
                observed.is_for(purpose);
                let reply = pipeline::share(plan, &head, reply);
                // The body is not coming, so the connection cannot be used for another request.
                let unread = Arriving::new(request.take_payload(), &head).unread();
                Err(observed.answered(answer::response(reply, &head, Some(unread))))
            }
        });
        std::future::ready(Ok(service))
    })
}

/// Whether the body may be sent; else what the request is for, and its answer.
async fn invite(plan: &Plan, head: &Head) -> Result<(), (For, Reply)> {
    match way(plan, head) {
        // Who reads has no body to ask about.
        Way::Elsewhere if matches!(head.method, Method::GET | Method::HEAD) => Ok(()),
        Way::Elsewhere => Err((For::Static, elsewhere::refused(plan, head, elsewhere::unknown(plan, head)))),
        Way::Document(what) => Err((For::Document, pipeline::described(plan, head, what).await)),
        Way::Health(_) | Way::Link => Ok(()),
        Way::Api(routed) => invite_to(plan, head, routed).await,
    }
}

/// The same of what is the API's.
async fn invite_to(plan: &Plan, head: &Head, routed: Result<Routed<'_>, Unrouted>) -> Result<(), (For, Reply)> {
    match routed {
        Ok(Routed::Method(found)) => {
            let method = found.method;
            let judged = if unmet(head) { Err(failed()) } else { admit(plan, head, found).await };
            let refused = |refusal| pipeline::refuse(plan, head, Of::Method(method), refusal);
            judged.map_err(|refusal| (For::Method(method), refused(refusal)))
        }
        Ok(Routed::Undecided(undecided)) => {
            let of = undecided.of();
            let judged = if unmet(head) { Err(failed()) } else { foresee(plan, head, &undecided).await };
            judged.map_err(|refusal| (of.into(), pipeline::refuse(plan, head, of, refusal)))
        }
        Ok(Routed::Options(_)) => Ok(()),
        Err(Unrouted { of, refusal }) => Err((of.into(), pipeline::refuse(plan, head, of, refusal))),
    }
}

async fn admit(plan: &Plan, head: &Head, found: Found<'_>) -> Result<(), Refusal> {
    let granted = pipeline::admit(plan, head, found).await?;
    let kind = pipeline::body_kind(head, granted.method());
    acceptable(&kind, announced(head), &plan.limits)
}

/// The same of a body that is to say what is asked for: who may ask is only known where the method is.
async fn foresee(plan: &Plan, head: &Head, undecided: &Undecided) -> Result<(), Refusal> {
    if let Some(found) = undecided.foreseen(plan) {
        pipeline::admit(plan, head, found).await?;
    }
    acceptable(&undecided.kind, announced(head), &plan.limits)
}

/// Whether the client expects something that is not met here.
pub(super) fn unmet(head: &Head) -> bool {
    head.header_values(&header::EXPECT).any(|value| {
        let mut expectations = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        !expectations.all(|expectation| expectation.is_empty() || expectation.eq_ignore_ascii_case(b"100-continue"))
    })
}

/// The refusal for an expectation that is [`unmet`].
pub(super) fn failed() -> Refusal {
    Refusal::new(Reason::ExpectationFailed)
}
