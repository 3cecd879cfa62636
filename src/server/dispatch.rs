//! The one service behind every path: routes a request and hands it to its module's service.
//!
//! What is no service of the API goes on to the App behind it.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::body::BoxBody;
use actix_http::{Request, Response};
use actix_service::{Service, ServiceFactory, fn_factory, fn_service};
use actix_web::Error;
use arc_swap::ArcSwap;

use super::metrics::For;
use super::module::Call;
use super::observe::Observed;
use super::receive::Arriving;
use super::serving::Serving;
use super::worker::{Current, Worker};
use super::{answer, elsewhere, expect, head, health, page};
use crate::call::{Allowed, Head, Reason};
use crate::pipeline::{self, Of, Reply, Routed, Unrouted, guarded};
use crate::plan::Plan;

/// Makes a worker's service for all requests.
pub(super) fn factory(
    shared: &Arc<ArcSwap<Plan>>,
    uploads: &Arc<Path>,
    serving: &Arc<Serving>,
) -> impl ServiceFactory<Request, Config = (), Response = Response<BoxBody>, Error = Error, InitError = ()> + use<> {
    let (shared, uploads, serving) = (Arc::clone(shared), Arc::clone(uploads), Arc::clone(serving));
    fn_factory(move || {
        let worker = Rc::new(Worker::new(&shared, &uploads, &serving));
        let app = elsewhere::factory(&worker).new_service(());
        async move {
            let app = Rc::new(app.await?);
            Ok(fn_service(move |mut request: Request| {
                let (worker, current, app) = (Rc::clone(&worker), worker.current(), Rc::clone(&app));
                async move {
                    let id = head::name(request.head(), || worker.name_request());
                    let head = Arc::new(head::take(&mut request, id));
                    let plan = &current.runner.plan;
                    let mut observed = Observed::begin(&current, &head);
                    if let Some(asked) = health::find(&head) {
                        observed.is_for(asked.of());
                        let reply = health::answer(&worker, plan, &head, asked).await;
                        observed.answered(&reply);
                        let body = Arriving::new(request.take_payload(), &head);
                        return Ok(answer::sent(reply, &head, body).await);
                    }
                    let routed = pipeline::route(plan, &head);
                    let purpose = purpose(plan, &head, &routed);
                    observed.is_for(purpose);
                    if let Err(unrouted) = &routed
                        && matches!(unrouted.refusal.reason(), Reason::UnknownService { .. })
                        && page::find(plan, &head).is_none()
                    {
                        head::restore(&mut request, &head);
                        let mut response: Response<_> = app.call(request).await?.into_parts().1.into();
                        response.headers_mut().insert(head::REQUEST_ID.clone(), head.id.header_value());
                        observed.answered_elsewhere(&response);
                        return Ok(response);
                    }
                    let mut body = Arriving::new(request.take_payload(), &head);
                    let replied = guarded("a stage", dispatch(&current, &head, routed, &mut body)).await;
                    let reply = replied.unwrap_or_else(|panic| {
                        let of = if let For::Method(index) = purpose { Of::Method(index) } else { Of::Nothing };
                        pipeline::refuse(plan, &head, of, panic)
                    });
                    observed.answered(&reply);
                    Ok(answer::sent(reply, &head, body).await)
                }
            }))
        }
    })
}

/// What a request is counted under.
fn purpose(plan: &Plan, head: &Head, routed: &Result<Routed<'_>, Unrouted>) -> For {
    match routed {
        Ok(Routed::Method(found)) => For::Method(found.method),
        Ok(_) => For::Options,
        Err(_) if page::find(plan, head).is_some() => For::Document,
        Err(_) => For::Nothing,
    }
}

async fn dispatch(
    current: &Current,
    head: &Arc<Head>,
    routed: Result<Routed<'_>, Unrouted>,
    body: &mut Arriving,
) -> Reply {
    let plan = &*current.runner.plan;
    match routed {
        Ok(Routed::Method(found)) if expect::unmet(head) => {
            pipeline::refuse(plan, head, Of::Method(found.method), expect::failed())
        }
        Ok(Routed::Method(found)) => {
            let module = &current.modules[plan.methods[found.method].module];
            let Ok(reply) = module.call(Call { head, found, body }).await;
            reply
        }
        Ok(Routed::Options { service, allowed }) => {
            pipeline::options(head, &plan.services[service].description, &allowed)
        }
        Ok(Routed::OptionsAbove { above }) => {
            pipeline::options(head, &plan.documents.above[above].description, &Allowed(Vec::new()))
        }
        Ok(Routed::OptionsAll) => pipeline::options(head, &plan.documents.all, &Allowed(Vec::new())),
        Err(Unrouted { of, refusal }) => match page::find(plan, head) {
            Some(document) => pipeline::document(head, document),
            None => pipeline::refuse(plan, head, of, refusal),
        },
    }
}
