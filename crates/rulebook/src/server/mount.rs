//! The API, or one API module, as a service that a program mounts into its actix `App`.

use std::rc::Rc;
use std::sync::Arc;

use actix_service::{Service, ServiceFactory};
use actix_web::dev::{AppService, HttpServiceFactory, ResourceDef, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpResponse};
use futures_util::future::{LocalBoxFuture, Ready, ready};

use super::actix_request::copy_request;
use super::actix_response::to_actix_response;
use super::handle::handle;
use super::state::ServerState;
use super::worker::Worker;
use crate::call::ApiError;
use crate::pipeline::{ErrorContext, OptionsTarget, Reply, Route};
use crate::plan::Plan;

/// The part of the API that requests can reach through a service or server.
#[derive(Debug, Clone)]
pub(super) enum MountedPart {
    /// The whole API, and the paths at which the server itself responds, such as `/openapi.json`.
    Api,
    /// The methods of the API module with this name, and OPTIONS at the paths of its services.
    Module(Arc<str>),
}

impl MountedPart {
    /// Returns the route of a request if it leads into this part; otherwise the error that no service has this path.
    pub(super) fn restrict_route<'h>(&self, plan: &Plan, route: Route<'h>) -> Route<'h> {
        let Self::Module(name) = self else { return route };
        let module = match &route {
            Route::Method(matched) => Some(plan.methods[matched.method_index].module_index),
            Route::NeedsBody(pending) => pending.method.map(|method| plan.methods[method].module_index),
            Route::Options(OptionsTarget::Service { service, .. }) => Some(plan.services[*service].module_index),
            Route::Error(unrouted) => match unrouted.context {
                ErrorContext::Module(module) => Some(module),
                ErrorContext::Method(method) => Some(plan.methods[method].module_index),
                // Such an error, for example that of a path with an invalid escape, says nothing about a module.
                ErrorContext::Nothing | ErrorContext::ServerPath | ErrorContext::UnknownName => return route,
            },
            Route::Options(_) | Route::Server(_) | Route::Fallback => None,
        };
        let is_inside = module.is_some_and(|module| *plan.modules[module].name == **name);
        if is_inside { route } else { Route::Error(ApiError::unknown_service().into()) }
    }
}

/// The API, or one API module, as an actix service that a program mounts into its `App`.
///
/// [`Engine::service`](crate::Engine::service) returns a service for the whole API, with its documents, pages and
/// static files. The service handles every request that reaches it, so mount it last, or below a `web::scope`. The
/// service finds a method by the whole path of the request, even below a `web::scope`: the setting `base` of the
/// definition must begin with the path of the `web::scope`.
///
/// ```no_run
/// use actix_web::{App, HttpServer, web};
/// use rulebook::{Rulebook, Settings};
///
/// # async fn hello() -> &'static str { "hello" }
/// # async fn serve() -> std::io::Result<()> {
/// let engine = Rulebook::load("api").build().expect("the definition has no errors");
/// let api = engine.service(&Settings::default())?;
/// let article = api.module("article").expect("the definition has this module");
/// HttpServer::new(move || {
///     App::new()
///         .route("/hello", web::get().to(hello))
///         .service(web::scope("/article").service(article.clone()))
///         .service(api.clone())
/// })
/// .bind("127.0.0.1:8080")?
/// .run()
/// .await
/// # }
/// ```
///
/// All services that come from one call of [`Engine::service`](crate::Engine::service) share their counters and the
/// folder of stored files. The server of the `App` manages the connections: it sends `100 Continue` before it calls the
/// service, and its timeouts and its shutdown apply instead of those in [`Settings`](crate::Settings).
#[derive(Clone)]
pub struct ApiService {
    state: Arc<ServerState>,
    part: MountedPart,
}

impl ApiService {
    pub(super) fn new(state: ServerState) -> Self {
        Self { state: Arc::new(state), part: MountedPart::Api }
    }

    /// Returns a service for one API module: for the module's methods, and for OPTIONS at the paths of its services. A
    /// request for any other path, such as a document, a page or a link to a file, gets the error that no service has
    /// this path. Returns `None` if the API has no module with this name.
    #[must_use]
    pub fn module(&self, name: &str) -> Option<Self> {
        let exists = self.state.plan.load().modules.iter().any(|module| *module.name == *name);
        exists.then(|| Self { state: Arc::clone(&self.state), part: MountedPart::Module(name.into()) })
    }
}

impl std::fmt::Debug for ApiService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiService").field("part", &self.part).finish_non_exhaustive()
    }
}

impl HttpServiceFactory for ApiService {
    fn register(self, config: &mut AppService) {
        let every_path = if config.is_root() { ResourceDef::root_prefix("") } else { ResourceDef::prefix("") };
        config.register_service(every_path, None, self, None);
    }
}

impl ServiceFactory<ServiceRequest> for ApiService {
    type Response = ServiceResponse;
    type Error = Error;
    type Config = ();
    type Service = MountedService;
    type InitError = ();
    type Future = Ready<Result<MountedService, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        self.state.links.start_sweeping();
        ready(Ok(MountedService { worker: Worker::of_thread(&self.state), part: self.part.clone() }))
    }
}

/// An [`ApiService`] in one thread of the program's server.
pub struct MountedService {
    worker: Rc<Worker>,
    part: MountedPart,
}

impl Service<ServiceRequest> for MountedService {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

    actix_service::always_ready!();

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (worker, part) = (Rc::clone(&self.worker), self.part.clone());
        Box::pin(async move {
            let (request, payload) = request.into_parts();
            let incoming = copy_request(&request, payload, &worker);
            let mut reply = Reply::empty();
            let handled = handle(worker, part, incoming, &mut reply).await;
            let response = to_actix_response(handled, reply, request.version());
            Ok(ServiceResponse::new(request, HttpResponse::from(response)))
        })
    }
}
