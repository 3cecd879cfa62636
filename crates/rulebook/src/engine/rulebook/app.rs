//! The `App` of the server, as the program wants it.

use std::io;
use std::sync::Arc;

use actix_web::web::ServiceConfig;

use super::Rulebook;
use crate::server::{CustomApp, Services};

impl Rulebook {
    /// Sets how the actix `App` of [`Engine::serve`](crate::Engine::serve) is made: `configure` adds the [`Services`]
    /// of the API, and may add others. Without this function, all services of the API are added. Each worker of the
    /// server calls `configure`, and so does the start of the server, which returns its error.
    ///
    /// ```no_run
    /// use actix_web::web;
    /// use rulebook::Rulebook;
    ///
    /// let rulebook = Rulebook::load("api").app(|services, app| {
    ///     app.route("/hello", web::get().to(|| async { "hello" }))
    ///         .service(services.module("article")?)
    ///         .service(services.documents())
    ///         .default_service(services.fallback());
    ///     Ok(())
    /// });
    /// ```
    #[must_use]
    pub fn app(
        mut self,
        configure: impl Fn(&Services, &mut ServiceConfig) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.state.insert(CustomApp(Arc::new(configure)));
        self
    }
}
