//! The one service behind every path: routes a request and hands it to its module's service.
//!
//! What is no service of the API goes on to the App behind it.

use std::rc::Rc;
use std::sync::Arc;

use actix_http::body::BoxBody;
use actix_http::{Request, Response};
use actix_service::{Service, ServiceFactory, fn_factory, fn_service};
use actix_web::Error;
use arc_swap::ArcSwap;

use super::health::Health;
use super::metrics::For;
use super::module::Call;
use super::observe::Observed;
use super::receive::{Arriving, begin};
use super::serving::Serving;
use super::uploading::Uploads;
use super::worker::{Current, Worker};
use super::{answer, elsewhere, expect, head, health, links, page, site};
use crate::call::{Allowed, Head, Http, Reason, Refusal};
use crate::pipeline::{self, Beginning, Described, Of, OptionsOn, Reply, Routed, Undecided, Unrouted, guarded};
use crate::plan::{Found, Plan};

/// Makes a worker's service for all requests.
pub(super) fn factory(
    shared: &Arc<ArcSwap<Plan>>,
    uploads: &Arc<Uploads>,
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
                    let version = request.version();
                    let id = head::name(request.head(), || worker.name_request());
                    let head = Arc::new(head::take(&mut request, id));
                    let mut observed = Observed::begin(&current, &head);
                    let plan = &current.runner.plan;
                    let way = way(plan, &head);
                    observed.is_for(purpose(&way));
                    let response = match way {
                        Way::Health(asked) => {
                            let reply = health::answer(&worker, plan, &head, asked).await;
                            let reply = pipeline::share(plan, &head, reply);
                            answer::sent(plan, reply, &head, Arriving::new(request.take_payload(), &head)).await
                        }
                        Way::Document(what) => {
                            let described = Box::pin(pipeline::described(plan, &head, what));
                            let replied = guarded("a stage", described).await;
                            let refused = |panic| pipeline::refuse(plan, &head, Of::Page, panic);
                            let reply = pipeline::share(plan, &head, replied.unwrap_or_else(refused));
                            answer::sent(plan, reply, &head, Arriving::new(request.take_payload(), &head)).await
                        }
                        Way::Link => {
                            // In a box, as all that few requests need: it would make the future of every other larger.
                            let replied = Box::pin(worker.serving().links.answer(plan, &head)).await;
                            let reply = pipeline::share(plan, &head, replied);
                            answer::sent(plan, reply, &head, Arriving::new(request.take_payload(), &head)).await
                        }
                        Way::Api(routed) => {
                            let mut body = Arriving::new(request.take_payload(), &head);
                            let dispatched = dispatch(&current, &head, routed, &mut body, &mut observed);
                            let replied = guarded("a stage", dispatched).await;
                            let refused = |panic| pipeline::refuse(plan, &head, observed.of().into(), panic);
                            let reply = pipeline::share(plan, &head, replied.unwrap_or_else(refused));
                            answer::sent(plan, reply, &head, body).await
                        }
                        Way::Elsewhere => {
                            head::restore(&mut request, &head);
                            let mut response = match guarded("a page", app.call(request)).await {
                                Ok(answered) => answered?.into_parts().1.into(),
                                Err(panic) => {
                                    answer::response(pipeline::refuse(plan, &head, Of::Page, panic), &head, None)
                                }
                            };
                            answer::share(plan, &head, &mut response);
                            response
                        }
                    };
                    Ok(answer::framed(observed.answered(response), version))
                }
            }))
        }
    })
}

/// Which way a request goes.
pub(super) enum Way<'h> {
    /// It asks how the server is.
    Health(Health),
    /// It is for a document of the API.
    Document(Described),
    /// It follows a link to a file.
    Link,
    /// To the API.
    Api(Result<Routed<'h>, Unrouted>),
    /// To the App behind them.
    Elsewhere,
}

/// Finds the way of a request.
pub(super) fn way<'h>(plan: &Plan, head: &'h Head) -> Way<'h> {
    if let Some(asked) = health::find(head) {
        return Way::Health(asked);
    }
    if links::is_own(head) {
        return Way::Link;
    }
    if let Some(what) = page::find(head) {
        return Way::Document(what);
    }
    let routed = pipeline::route(plan, head);
    let is_elsewhere = match routed.as_ref().map_err(|unrouted| unrouted.refusal.reason()) {
        Err(Reason::UnknownService { .. }) => true,
        // No capture and no position takes what is the server's own.
        Ok(_) | Err(Reason::UnknownMethod { .. }) => site::is_own(head.uri.path()),
        Err(_) => false,
    };
    if !is_elsewhere {
        return Way::Api(routed);
    }
    // A service that a body names takes its positions from any path.
    if !site::is_own(head.uri.path()) && pipeline::announces_names(plan, head) {
        return Way::Api(Ok(Routed::Options(OptionsOn::All {
            allowed: Allowed(vec![Http::Post]),
            service: None,
            by_body: true,
        })));
    }
    Way::Elsewhere
}

/// What a request is counted under.
pub(super) fn purpose(way: &Way<'_>) -> For {
    match way {
        Way::Health(asked) => asked.purpose(),
        Way::Document(_) => For::Document,
        Way::Link => For::Link,
        Way::Api(routed) => of_api(routed),
        Way::Elsewhere => For::Static,
    }
}

fn of_api(routed: &Result<Routed<'_>, Unrouted>) -> For {
    match routed {
        Ok(Routed::Method(found)) => For::Method(found.method),
        Ok(Routed::Undecided(undecided)) => undecided.of().into(),
        Err(Unrouted { of, .. }) => (*of).into(),
        Ok(Routed::Options(_)) => For::Options,
    }
}

async fn dispatch(
    current: &Current,
    head: &Arc<Head>,
    routed: Result<Routed<'_>, Unrouted>,
    body: &mut Arriving,
    observed: &mut Observed<'_>,
) -> Reply {
    let plan = &*current.runner.plan;
    match routed {
        Ok(Routed::Undecided(undecided)) if expect::unmet(head) => {
            pipeline::refuse(plan, head, undecided.of(), expect::failed())
        }
        // In a box: only few requests need it, and it would make the future of every other larger.
        Ok(Routed::Undecided(undecided)) => {
            Box::pin(async {
                let routed = match begun(plan, head, &undecided, body).await {
                    Ok(beginning) => permitted(plan, head, pipeline::decide(plan, head, &undecided, &beginning)).await,
                    Err(refusal) => Err(Unrouted { of: undecided.of(), refusal }),
                };
                observed.is_for(of_api(&routed));
                dispatch(current, head, routed, body, observed).await
            })
            .await
        }
        Ok(Routed::Method(found)) if expect::unmet(head) => {
            pipeline::refuse(plan, head, Of::Method(found.method), expect::failed())
        }
        Ok(Routed::Method(found)) => {
            let module = &current.modules[plan.methods[found.method].module];
            let Ok(reply) = module.call(Call { head, found, body }).await;
            reply
        }
        // In a box, as all that few requests need.
        Ok(Routed::Options(on)) => Box::pin(pipeline::options(plan, head, on)).await,
        Err(Unrouted { of, refusal }) => pipeline::refuse(plan, head, of, refusal),
    }
}

/// The beginning of a body that is to say what is asked for, if who sends it may ask for what is known already.
async fn begun(plan: &Plan, head: &Head, undecided: &Undecided, body: &mut Arriving) -> Result<Beginning, Refusal> {
    if let Some(found) = undecided.foreseen(plan) {
        pipeline::admit(plan, head, found).await?;
    }
    begin(body, &undecided.kind, &plan.limits).await
}

/// The same, but what is wrong with the request for a method is told to those who may call it: others learn that they
/// may not.
async fn permitted<'h>(plan: &Plan, head: &Head, routed: Result<Routed<'h>, Unrouted>) -> Result<Routed<'h>, Unrouted> {
    match routed {
        Err(Unrouted { of: of @ Of::Method(method), refusal }) => {
            let found = Found { method, segments: Vec::new(), by_name: None };
            let refusal = pipeline::admit(plan, head, found).await.err().unwrap_or(refusal);
            Err(Unrouted { of, refusal })
        }
        routed => routed,
    }
}
