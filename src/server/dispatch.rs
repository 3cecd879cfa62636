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

use super::files::Files;
use super::module::Call;
use super::receive::Arriving;
use super::worker::{Current, Worker, caught};
use super::{answer, elsewhere, expect, head, page, site};
use crate::call::{Allowed, Head, Reason};
use crate::pipeline::{self, Of, Reply, Routed, Unrouted};
use crate::plan::Plan;

/// Makes a worker's service for all requests.
pub(super) fn factory(
    shared: &Arc<ArcSwap<Plan>>,
    uploads: &Arc<Path>,
    files: &Arc<Files>,
) -> impl ServiceFactory<Request, Config = (), Response = Response<BoxBody>, Error = Error, InitError = ()> + use<> {
    let (shared, uploads, files) = (Arc::clone(shared), Arc::clone(uploads), Arc::clone(files));
    fn_factory(move || {
        let worker = Rc::new(Worker::new(&shared, &uploads));
        let app = elsewhere::factory(&worker, &files).new_service(());
        async move {
            let app = Rc::new(app.await?);
            Ok(fn_service(move |mut request: Request| {
                let (worker, current, app) = (Rc::clone(&worker), worker.current(), Rc::clone(&app));
                async move {
                    let head = Arc::new(head::take(&mut request, worker.name_request()));
                    let plan = &current.runner.plan;
                    if let Some(reply) = page::answer(plan, &head) {
                        let body = Arriving::new(request.take_payload(), &head);
                        return Ok(answer::sent(reply, &head, body).await);
                    }
                    let routed = pipeline::route(plan, &head);
                    if is_elsewhere(&routed, &head) {
                        head::restore(&mut request, &head);
                        return app.call(request).await.map(|response| response.into_parts().1.into());
                    }
                    let mut body = Arriving::new(request.take_payload(), &head);
                    let replied = caught(dispatch(&current, &head, routed, &mut body)).await;
                    let reply = replied.unwrap_or_else(|panic| pipeline::refuse(plan, &head, Of::Nothing, panic));
                    Ok(answer::sent(reply, &head, body).await)
                }
            }))
        }
    })
}

/// Whether the App behind the API is asked: for what is no service, and for paths that no service can have.
fn is_elsewhere(routed: &Result<Routed<'_>, Unrouted>, head: &Head) -> bool {
    match routed.as_ref().map_err(|unrouted| unrouted.refusal.reason()) {
        Err(Reason::UnknownService { .. }) => true,
        Ok(_) | Err(Reason::UnknownMethod { .. }) => site::is_own(head.uri.path()),
        Err(_) => false,
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
        Ok(Routed::OptionsAll { allowed }) => pipeline::options(head, &plan.documents.all, &allowed),
        Err(Unrouted { of, refusal }) => pipeline::refuse(plan, head, of, refusal),
    }
}
