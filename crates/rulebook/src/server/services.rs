//! The services of an API, which rulebook's own server or a program mounts into an actix `App`: one for each API
//! module, one each for the documents, the download links, the state of the server and the static files, and the
//! default service.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use actix_service::{ServiceFactory, fn_factory, fn_service};
use actix_web::Error;
use actix_web::dev::{AppService, HttpServiceFactory, ResourceDef, ServiceRequest, ServiceResponse};
use actix_web::guard::{Guard, GuardContext};
use actix_web::web::ServiceConfig;
use futures_util::FutureExt;
use rulebook_model::model::ServerPath;

use super::handle::handle;
use super::routed_request::RoutedRequest;
use super::state::ServerState;
use super::worker::Worker;
use crate::pipeline::{ErrorContext, OptionsTarget, Route};
use crate::plan::Plan;

/// The services of an API for an actix `App`.
///
/// [`Engine::services`](crate::Engine::services) returns them. A program can mount all of them with
/// [`Services::configure`], or only some, beside its own routes and below its own middleware. A service handles the
/// requests whose routes lead to it; actix asks the next service of the `App` about all others. Services find a method
/// by the whole path of the request, even below a `web::scope`: the setting `base` of the definition must begin with
/// the path of the `web::scope`.
///
/// ```no_run
/// use actix_web::{App, HttpServer, web};
/// use rulebook::{Rulebook, Settings};
///
/// # async fn hello() -> &'static str { "hello" }
/// # async fn serve() -> std::io::Result<()> {
/// let engine = Rulebook::load("api").build().expect("the definition has no errors");
/// let services = engine.services(&Settings::default())?;
/// let article = services.module("article")?;
/// HttpServer::new(move || {
///     App::new()
///         .route("/hello", web::get().to(hello))
///         .service(article.clone())
///         .service(services.documents())
/// })
/// .bind("127.0.0.1:8080")?
/// .run()
/// .await
/// # }
/// ```
///
/// All services that come from one call of [`Engine::services`](crate::Engine::services) share their counters and the
/// folder of stored files. The server of the `App` manages the connections: its timeouts and its shutdown apply instead
/// of those in [`Settings`](crate::Settings).
#[derive(Debug, Clone)]
pub struct Services {
    pub(super) state: Arc<ServerState>,
}

/// The function with which a program adds services to the `App` of rulebook's own server.
pub(crate) struct CustomApp(pub(crate) Arc<ConfigureApp>);

type ConfigureApp = dyn Fn(&Services, &mut ServiceConfig) -> io::Result<()> + Send + Sync;

impl Services {
    /// Adds all services of the API to an `App`: a service for each module, those for documents, links, the state of
    /// the server and static files, and the default service. Mount other services of the program before them.
    pub fn configure(&self, config: &mut ServiceConfig) {
        for module in self.modules() {
            config.service(module);
        }
        config.service(self.documents()).service(self.links()).service(self.health()).service(self.static_files());
        config.default_service(self.fallback());
    }

    pub(super) fn add_to_app(&self, config: &mut ServiceConfig) -> io::Result<()> {
        match self.state.plan().state.get::<CustomApp>().as_deref() {
            Some(CustomApp(configure)) => configure(self, config),
            None => {
                self.configure(config);
                Ok(())
            }
        }
    }

    /// Returns the service of an API module: for its methods, and for OPTIONS at the paths of its services.
    ///
    /// # Errors
    /// Fails if the API has no module with this name.
    pub fn module(&self, name: &str) -> io::Result<ApiService> {
        let plan = self.state.plan();
        if plan.modules.iter().any(|module| *module.name == *name) {
            return Ok(self.service(Part::Module(name.into())));
        }
        let names: Vec<_> = plan.modules.iter().map(|module| format!("`{}`", module.name)).collect();
        let why = format!("the API has no module `{name}`; its modules are {}", names.join(", "));
        Err(io::Error::new(io::ErrorKind::NotFound, why))
    }

    /// Returns the services of all API modules, in the order of the definition.
    #[must_use]
    pub fn modules(&self) -> Vec<ApiService> {
        let plan = self.state.plan();
        plan.modules.iter().map(|module| self.service(Part::Module(module.name.as_ref().into()))).collect()
    }

    /// Returns the service of the documents: the OpenAPI document, the documentation pages, Swagger UI, and
    /// `/llms.txt`.
    #[must_use]
    pub fn documents(&self) -> ApiService {
        self.service(Part::Documents)
    }

    /// Returns the service of the download links.
    #[must_use]
    pub fn links(&self) -> ApiService {
        self.service(Part::Links)
    }

    /// Returns the service of the state of the server: `/healthz`, `/readyz` and `/metrics`.
    #[must_use]
    pub fn health(&self) -> ApiService {
        self.service(Part::Health)
    }

    /// Returns the service of the static files below `/static`.
    #[must_use]
    pub fn static_files(&self) -> ApiService {
        self.service(Part::StaticFiles)
    }

    /// Returns the service of all other requests: for static files at other paths, names of methods in queries and
    /// bodies, OPTIONS of the whole API, and unknown paths. Mount it as the default service of an `App`.
    pub fn fallback(
        &self,
    ) -> impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()> + use<>
    {
        service_factory(Arc::clone(&self.state), Part::Fallback)
    }

    fn service(&self, part: Part) -> ApiService {
        ApiService { state: Arc::clone(&self.state), part }
    }
}

#[derive(Debug, Clone)]
enum Part {
    /// The methods of the API module with this name, and OPTIONS at the paths of its services.
    Module(Arc<str>),
    Documents,
    Links,
    Health,
    StaticFiles,
    Fallback,
}

impl Part {
    fn contains(&self, plan: &Plan, route: &Route) -> bool {
        match (self, route) {
            (Self::Module(name), route) => {
                module_of(plan, route).is_some_and(|module| *plan.modules[module].name == **name)
            }
            (Self::Documents, Route::Server(path)) => {
                path.is_document() || matches!(path, ServerPath::Docs | ServerPath::ProtectedResource)
            }
            (Self::Links, Route::Server(path)) => *path == ServerPath::Link,
            (Self::Health, Route::Server(path)) => path.is_server_state(),
            (Self::StaticFiles, Route::Server(path)) => *path == ServerPath::Static,
            _ => false,
        }
    }

    fn has_static_files(&self) -> bool {
        matches!(self, Self::StaticFiles | Self::Fallback)
    }
}

fn module_of(plan: &Plan, route: &Route) -> Option<usize> {
    match route {
        Route::Method(matched) => Some(plan.methods[matched.method_index].module_index),
        Route::NeedsBody(pending) => pending.method.map(|method| plan.methods[method].module_index),
        Route::Options(OptionsTarget::Service { service, .. }) => Some(plan.services[*service].module_index),
        Route::Error(unrouted) => match unrouted.context {
            ErrorContext::Module(module) => Some(module),
            ErrorContext::Method(method) => Some(plan.methods[method].module_index),
            // Such an error, for example that of a path with an invalid escape, says nothing about a module.
            ErrorContext::Nothing | ErrorContext::ServerPath | ErrorContext::UnknownName => None,
        },
        Route::Options(_) | Route::Server(_) | Route::Fallback => None,
    }
}

/// A part of an API, as an actix service.
///
/// [`Services`] returns it, and shows how to mount it.
#[derive(Debug, Clone)]
pub struct ApiService {
    state: Arc<ServerState>,
    part: Part,
}

impl HttpServiceFactory for ApiService {
    fn register(self, config: &mut AppService) {
        let prefix = if matches!(self.part, Part::StaticFiles) { "/static" } else { "" };
        let paths = if config.is_root() { ResourceDef::root_prefix(prefix) } else { ResourceDef::prefix(prefix) };
        let guard = PartGuard { worker: Worker::of_thread(&self.state), part: self.part.clone() };
        config.register_service(paths, Some(vec![Box::new(guard)]), service_factory(self.state, self.part), None);
    }
}

struct PartGuard {
    worker: Rc<Worker>,
    part: Part,
}

impl Guard for PartGuard {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        RoutedRequest::with(&self.worker, context, |routed| {
            self.part.contains(&routed.served.runner.plan, &routed.route)
        })
    }
}

fn service_factory(
    state: Arc<ServerState>,
    part: Part,
) -> impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()> {
    fn_factory(move || {
        state.links.start_sweeping();
        let (worker, has_static_files) = (Worker::of_thread(&state), part.has_static_files());
        // What leads into another part, and reaches the fallback, is for a part that the program has not mounted.
        let leads_to_service: fn(&ServerState, &Plan, &Route) -> bool = match part {
            Part::Fallback => |state, plan, route| {
                let module = module_of(plan, route).map(|module| &*plan.modules[module].name);
                module.is_none_or(|name| !state.has_service(name)) && !matches!(route, Route::Server(_))
            },
            _ => |_, _, _| true,
        };
        async move {
            let files = if has_static_files { worker.state().static_files.service().await } else { None };
            Ok(fn_service(move |request: ServiceRequest| {
                // An `async` block would have memory for the future twice.
                handle(Rc::clone(&worker), request, files.clone(), leads_to_service).map(Ok)
            }))
        }
    })
}
