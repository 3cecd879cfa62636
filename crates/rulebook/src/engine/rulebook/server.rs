//! The functions of the builder for the server: where it stores data, what several servers share, and its `App`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::web::ServiceConfig;

use super::Rulebook;
use crate::engine::DataFolder;
use crate::idempotency::IdempotencyStorage;
use crate::rate_limit::{SharedCounter, SharedCounterSettings};
use crate::server::{CustomApp, Services};
use crate::store::{FileEngine, StoreError};
use crate::trace::{TraceExporter, Tracer};

impl Rulebook {
    /// Sets the data folder, in which the server stores files such as keys and links. Overrides `data` in the
    /// definition. If a program calls this function several times, only the first call takes effect. The flag `--data`
    /// of the command line overrides all calls in the program.
    #[must_use]
    pub fn data_folder(self, folder: impl Into<PathBuf>) -> Self {
        self.parts.data_folder.set_if_unset(Some(folder.into()));
        self
    }

    /// Enables stored files, which handlers access with [`Context::store`](crate::Context::store). The flag `--files`,
    /// [`Rulebook::files_folder`] or the definition sets the folder of stored files; the default is `files` in the data
    /// folder. The server writes uploads to this folder and hashes them while they arrive, so that no data is copied
    /// when a handler stores an upload. If files are stored elsewhere ([`Rulebook::file_storage`]), uploads are
    /// temporary files, which are copied when a handler stores them.
    ///
    /// If this crate was compiled without the feature `files`, the program does not start.
    #[must_use]
    pub fn keep_files(mut self) -> Self {
        self.files.is_enabled = true;
        self
    }

    /// Sets the folder of stored files, for a program that [stores files](Self::keep_files). Overrides `files` in the
    /// definition. If a program calls this function several times, only the first call takes effect. The flag `--files`
    /// of the command line overrides all calls in the program. If the folder cannot be used, the server does not start.
    ///
    /// Instead of a folder, this can be a URL such as `s3://bucket/prefix`, if the program has a storage for its scheme
    /// ([`Rulebook::file_storage`]). The files of download links are then in this storage too, even if the program
    /// stores no other files, so that a link is valid at all servers with the same URL.
    #[must_use]
    pub fn files_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.files.location.get_or_insert(folder.into());
        self
    }

    /// Adds a storage for stored files. If the location of stored files is a URL with this scheme, `open` is called
    /// with the URL when the program starts. For the scheme `s3`, the crate `rulebook-s3` has such a function; a
    /// program can also implement [`FileEngine`] for a storage that it already has.
    ///
    /// The readiness check `files` reports whether the storage can be used.
    #[must_use]
    pub fn file_storage(
        mut self,
        scheme: &'static str,
        open: impl Fn(&str) -> Result<Arc<dyn FileEngine>, StoreError> + Send + Sync + 'static,
    ) -> Self {
        self.files.storages.insert(scheme, Arc::new(open));
        self
    }

    /// Returns a handle for the path of the data folder. The path is final once the definition has been read.
    #[must_use]
    pub fn data_folder_handle(&self) -> DataFolder {
        self.parts.data_folder.clone()
    }

    /// Sets the counter that counts the requests of limits for several servers: of the limits in the definition, and of
    /// [rate limiters](crate::RateLimiter::with_shared_name) with a shared name, such as those of keys. Without it,
    /// each server counts by itself. The crate `rulebook-redis` has a counter for Valkey and Redis; the program
    /// `rulebook` and programs with its command line use it if the definition has `shared_limits`.
    ///
    /// ```no_run
    /// use rulebook::{Rulebook, SharedCounterSettings, WhenUnavailable};
    /// # fn add(rulebook: Rulebook, counter: impl rulebook::SharedCounter) -> Rulebook {
    /// let settings = SharedCounterSettings::new().when_unavailable(WhenUnavailable::Closed);
    /// rulebook.shared_counter(counter, settings)
    /// # }
    /// ```
    #[must_use]
    pub fn shared_counter(mut self, counter: impl SharedCounter, settings: SharedCounterSettings) -> Self {
        self.parts.shared_counter = Some((Arc::new(counter), settings));
        self
    }

    /// Sets the storage of idempotency keys, for methods with the option `idempotent`. Without it, keys are stored in
    /// memory, so that they are lost when the program ends. The crate `rulebook-sql` has storages in SQLite,
    /// PostgreSQL, MySQL and MariaDB; the program `rulebook` and programs with its command line use a file in the data
    /// folder, or the database in the setting `idempotency_storage`. With
    /// [`Unbound::Echo`](crate::Unbound::Echo), no handler is called, and
    /// keys are always stored in memory.
    ///
    /// The readiness check `idempotency` reports whether the storage can be used.
    #[must_use]
    pub fn idempotency_storage(mut self, storage: Arc<dyn IdempotencyStorage>) -> Self {
        self.parts.idempotency_storage = Some(storage);
        self
    }

    /// Records traces of requests, and gives their spans to an exporter. `percent` of the requests begin a trace,
    /// chosen at random; a request that is part of a trace (`traceparent`) is recorded if the trace is. Without an
    /// exporter, requests have no traces. The crate `rulebook-traces` has an exporter for OpenTelemetry (OTLP); the
    /// program `rulebook` and programs with its command line use it with the setting `traces`.
    ///
    /// ```
    /// use rulebook::Rulebook;
    /// use rulebook::trace::{Span, TraceExporter};
    ///
    /// /// Writes slow spans to the log.
    /// struct SlowSpans;
    ///
    /// impl TraceExporter for SlowSpans {
    ///     fn export(&self, span: Span) {
    ///         if let Ok(time) = span.end.duration_since(span.start).map(|time| time.as_millis())
    ///             && time > 100
    ///         {
    ///             eprintln!("{}: {time} ms", span.name);
    ///         }
    ///     }
    /// }
    /// # let _ =
    /// Rulebook::load("api").trace_exporter(SlowSpans, 100)
    /// # ;
    /// ```
    #[must_use]
    pub fn trace_exporter(mut self, exporter: impl TraceExporter, percent: u8) -> Self {
        self.parts.tracer = Some(Tracer::new(Arc::new(exporter), percent));
        self
    }

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
        self.parts.state.insert(CustomApp(Arc::new(configure)));
        self
    }
}
