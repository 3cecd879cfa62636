//! What stands behind the API: an App of actix for everything that is no service of the definition.

use std::rc::Rc;

use actix_http::{HttpMessage, Request};
use actix_service::{IntoServiceFactory, ServiceFactory, fn_service, map_config};
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::{App, Error};

use super::answer;
use super::head::head;
use super::receive::Arriving;
use super::worker::Worker;
use crate::call::{Reason, Refusal, RequestId};
use crate::pipeline::{self, Of};

/// Makes the App of a worker. What it does not have either is refused as an unknown service.
pub(super) fn factory(
    worker: &Rc<Worker>,
) -> impl ServiceFactory<Request, Config = (), Response = ServiceResponse, Error = Error, InitError = ()> + use<> {
    let worker = Rc::clone(worker);
    let unknown = fn_service(move |request: ServiceRequest| {
        let current = worker.current();
        async move {
            let (request, payload) = request.into_parts();
            let id = request.extensions().get().cloned().unwrap_or_else(RequestId::random);
            let head = head(request.head(), id);
            let plan = &current.runner.plan;
            // The router knows best why; without a reason of its own there is just no service.
            let refusal = pipeline::route(plan, &head).err().map(|unrouted| unrouted.refusal);
            let refusal = refusal.unwrap_or_else(|| Refusal::new(Reason::UnknownService { similar: Vec::new() }));
            let reply = pipeline::refuse(plan, &head, Of::Nothing, refusal);
            let body = Arriving::new(payload, &head);
            Ok(ServiceResponse::new(request, answer::sent(reply, &head, body).await.into()))
        }
    });
    map_config(App::new().default_service(unknown).into_factory(), |()| AppConfig::default())
}
