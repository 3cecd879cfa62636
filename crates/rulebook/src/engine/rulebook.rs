//! The builder of an engine, which combines the definition of an API with the code and state that a program adds. The
//! functions for the server are at the end: where it stores data, what several servers share, and its `App`.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use rulebook_model::compile::{self, CheckedDefinition, ProgramExtensions};
use rulebook_model::definition;
use rulebook_model::diagnostic::Report;
use rulebook_model::envelope::{CustomEnvelope, Envelope};
use rulebook_model::format::Format;
use rulebook_model::model::{Api, Unbound};
use rulebook_model::schema::KnownNames;
use rulebook_model::types::Type;
use serde_json::Value as Json;

use super::Engine;
use super::start::{DataFolder, FilesSettings, StartContext, StartHook};
use super::validated::{DefinedAuthParts, Validated};
use crate::auth::{AuthKind, CompiledAuthKinds, compile_auth};
use crate::call::{Authenticate, CustomError, DynAuthenticate};
use crate::handler::{HandlerKind, Migrations, Module, ProgramState, ReadinessCheck, ValueKind};
use crate::idempotency::IdempotencyStorage;
use crate::rate_limit::{SharedCounter, SharedCounterSettings};
use crate::server::{CustomApp, Services};
use crate::store::{FileEngine, StoreError};
use crate::trace::{TraceExporter, Tracer};

/// The builder of an [`Engine`]: the definition of an API, and the handlers, types and state that the program adds.
///
/// [`Rulebook::load`] reads the definition from a folder. In this example, the definition is a text in the source code:
///
/// ```
/// use rulebook::{Args, Context, Module, ApiError, Rulebook};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct Person {
///     name: String,
/// }
///
/// #[derive(Serialize)]
/// struct Greeting {
///     greeting: String,
/// }
///
/// async fn hello(Args(person): Args<Person>, _: Context) -> Result<Greeting, ApiError> {
///     Ok(Greeting { greeting: format!("Hello, {}!", person.name) })
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let definition = r#"{ "/": { "hello": { "GET": {
///     "info": "Greets",
///     "in":  { "URL#0": { "info": "The name", "type": "string(1,40)", "name": "name" } },
///     "out": { "greeting": { "info": "The greeting", "type": "string" } }
/// } } } }"#;
/// let engine = Rulebook::read(vec![("hello.json".into(), definition.into())])
///     .module(Module::new("hello").get("/hello", hello))
///     .build()?;
///
/// let response = engine.call("GET /hello/Ada").send().await;
/// assert_eq!(response.get("greeting").unwrap(), "Hello, Ada!");
/// let error = engine.call("hello.get").send().await;
/// let message = error.error().unwrap().to_string();
/// assert_eq!(message, "name is missing in the path, expected a string of 1 to 40 characters");
/// # Ok(()) })
/// # }
/// ```
pub struct Rulebook {
    source: DefinitionSource,
    extensions: ProgramExtensions,
    auth_kinds: Vec<Arc<dyn AuthKind>>,
    files: FilesSettings,
    parts: ProgramParts,
}

/// What a program adds to a definition, besides the types, functions and formats with which the definition is compiled.
#[derive(Default)]
pub(super) struct ProgramParts {
    pub(super) modules: Vec<Module>,
    pub(super) handler_kinds: Vec<Arc<dyn HandlerKind>>,
    pub(super) authenticators: Vec<Box<dyn DynAuthenticate>>,
    pub(super) combines_identities: bool,
    pub(super) state: ProgramState,
    pub(super) readiness_checks: Vec<ReadinessCheck>,
    pub(super) start_hooks: Vec<StartHook>,
    /// Overrides the setting of the definition.
    pub(super) unbound: Option<Unbound>,
    pub(super) data_folder: DataFolder,
    /// Overrides the setting of the definition.
    pub(super) verify_outputs: Option<bool>,
    pub(super) shared_counter: Option<(Arc<dyn SharedCounter>, SharedCounterSettings)>,
    pub(super) idempotency_storage: Option<Arc<dyn IdempotencyStorage>>,
    pub(super) tracer: Option<Tracer>,
    pub(super) migrations: Migrations,
    /// What the API waits for before its methods can be called.
    pub(super) waits_for: Option<Arc<str>>,
}

/// The place from which the definition is read: a folder, or files in memory.
enum DefinitionSource {
    Folder(PathBuf),
    Files(Vec<(PathBuf, Vec<u8>)>),
}

impl Rulebook {
    /// Creates a builder whose definition is in the files of a folder. [`Rulebook::build`] reads the files.
    pub fn load(folder: impl Into<PathBuf>) -> Self {
        Self::new(DefinitionSource::Folder(folder.into()))
    }

    /// Creates a builder whose definition is in memory. Each file has a path, which diagnostics contain, and its
    /// content.
    #[must_use]
    pub fn read(files: Vec<(PathBuf, Vec<u8>)>) -> Self {
        Self::new(DefinitionSource::Files(files))
    }

    fn new(source: DefinitionSource) -> Self {
        let parts = ProgramParts {
            handler_kinds: vec![Arc::new(ValueKind)],
            combines_identities: true,
            ..ProgramParts::default()
        };
        let (extensions, files) = (ProgramExtensions::default(), FilesSettings::default());
        Self { source, extensions, auth_kinds: Vec::new(), files, parts }
    }

    /// Adds the handlers and hooks of an API module.
    #[must_use]
    pub fn module(mut self, module: Module) -> Self {
        self.parts.modules.push(module);
        self
    }

    /// Adds a kind of handler, which the definition can choose for its methods. The kind replaces an earlier kind of
    /// the same name. The kind `value` is built in.
    #[must_use]
    pub fn handler_kind(mut self, new: impl HandlerKind + 'static) -> Self {
        self.parts.handler_kinds.retain(|kind| kind.name() != new.name());
        self.parts.handler_kinds.push(Arc::new(new));
        self
    }

    /// Adds a kind of authenticator, which the definition can choose with the setting `auth`. The kind replaces an
    /// earlier kind of the same name. The authenticators of the definition are called after those of the program.
    #[must_use]
    pub fn auth_kind(mut self, new: impl AuthKind + 'static) -> Self {
        self.auth_kinds.retain(|kind| kind.name() != new.name());
        self.auth_kinds.push(Arc::new(new));
        self
    }

    /// Adds a type that definitions can use. The type replaces a built-in type of the same name.
    #[must_use]
    pub fn add_type(mut self, new: impl Type + 'static) -> Self {
        self.extensions.types.push(Arc::new(new));
        self
    }

    /// Adds a response format that the definition can offer with `formats` in `app.json`. The format replaces an
    /// earlier format of the same name.
    #[must_use]
    pub fn add_format(mut self, new: impl Format + 'static) -> Self {
        self.extensions.responses.formats.add(Arc::new(new));
        self
    }

    /// Adds an envelope (the JSON structure around the outputs or the error of a response) that the definition can use.
    /// The envelope replaces a built-in envelope of the same name.
    #[must_use]
    pub fn add_envelope(mut self, name: &str, new: impl Envelope + 'static) -> Self {
        self.extensions.responses.envelopes.add(CustomEnvelope::new(name, Arc::new(new)));
        self
    }

    /// Adds a function that the definition can name: as `callback` of the type `callable`, or in `after`
    /// (`on_after_parse` in the `rules` dialect). The function replaces an earlier function of the same name.
    ///
    /// The function gets the value of a parameter, and the `params` that are next to the function's name in the
    /// definition. The function returns the value that the handler gets. If the function returns a [`CustomError`], the
    /// parameter is invalid, and the client gets the message of the error.
    ///
    /// The function runs in the thread that serves the request and must not block it. If the definition names a
    /// function that the program has not added, [`Rulebook::build`] fails. With [`Unbound::Echo`], it does not fail,
    /// and values pass unchanged.
    ///
    /// ```
    /// use rulebook::Rulebook;
    /// use serde_json::Value;
    ///
    /// let rulebook = Rulebook::load("api").callable("Common_MyVersion::formatVersion", |version, _| {
    ///     match version.as_str() {
    ///         Some(text) if text.split('.').count() >= 3 => Ok(Value::from(text)),
    ///         _ => Err("Illegal version".into()),
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn callable<F>(mut self, name: impl Into<String>, function: F) -> Self
    where
        F: Fn(&Json, Option<&Json>) -> Result<Json, CustomError> + Send + Sync + 'static,
    {
        self.extensions.functions.add(name, function);
        self
    }

    /// Adds an authenticator, which determines the identity of clients. Authenticators are called in the order in which
    /// they were added, and a caller has the permissions from all of them; see [`Authenticate`].
    #[must_use]
    pub fn authenticator(mut self, authenticator: impl Authenticate) -> Self {
        self.parts.authenticators.push(Box::new(authenticator));
        self
    }

    /// Sets whether a caller has the permissions from all authenticators. This is the default. With `false`, the
    /// authenticators are called only until one of them returns an identity, and this identity is the caller. The
    /// member `combine` in the setting `auth` of the definition has the same effect.
    ///
    /// ```
    /// use rulebook::Rulebook;
    ///
    /// let rulebook = Rulebook::load("api").combine_identities(false);
    /// ```
    #[must_use]
    pub fn combine_identities(mut self, combine: bool) -> Self {
        self.parts.combines_identities = combine;
        self
    }

    /// Adds a value that handlers share: [`Context::state`](crate::Context::state) returns the value by its type. The
    /// value replaces an earlier value of the same type.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.parts.state.insert(value);
        self
    }

    /// Adds a start hook: a function that runs once before the first request, for example to open a database and share
    /// it with the handlers.
    ///
    /// [`Engine::serve`], [`Engine::start`] and the first call with [`Engine::call`] run the start hooks, one after the
    /// other in the order in which they were added. Commands that only read the definition, such as `routes`, do not
    /// run start hooks. The data folder exists when a start hook runs. If a start hook fails, the engine does not
    /// start, and the function that has run the hooks returns the error.
    ///
    /// Start hooks run on a separate tokio runtime. Tasks that start hooks spawn continue to run as long as the API is
    /// served.
    ///
    /// ```
    /// use std::path::PathBuf;
    ///
    /// use rulebook::Rulebook;
    ///
    /// struct Motto(String);
    ///
    /// let rulebook = Rulebook::load("api").on_start(|start| async move {
    ///     let file: PathBuf = start.data_folder().join("motto.txt");
    ///     let text = tokio::fs::read_to_string(file).await?;
    ///     start.insert_state(Motto(text));
    ///     Ok(())
    /// });
    /// ```
    #[must_use]
    pub fn on_start<F, R>(mut self, hook: F) -> Self
    where
        F: FnOnce(StartContext) -> R + Send + 'static,
        R: Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        self.parts.start_hooks.push(Box::new(move |start| Box::pin(hook(start))));
        self
    }

    /// Sets to which databases the start applies pending migrations of handlers of the kind `sql`. By default, it
    /// applies them only to databases without tables; another database must have them already, or its tables must fit
    /// to the statements of the definition without them.
    #[must_use]
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.parts.migrations = migrations;
        self
    }

    /// Adds a readiness check: a function that checks whether the program can handle requests, for example whether its
    /// database responds. `/readyz` reports the result of the check under `name`. The check replaces an earlier check
    /// of the same name.
    ///
    /// Each worker runs all readiness checks concurrently, at most once a second. A check that takes longer than two
    /// seconds fails. When a check begins to fail, its error is written to the log; the error is not sent to clients. A
    /// check must not block its thread.
    ///
    /// ```
    /// # use rulebook::Rulebook;
    /// let rulebook = Rulebook::load("api").readiness_check("disk", || async {
    ///     if std::path::Path::new("data").is_dir() { Ok(()) } else { Err("there is no folder `data`".to_owned()) }
    /// });
    /// ```
    #[must_use]
    pub fn readiness_check<F, C>(mut self, name: &str, check: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.parts.readiness_checks.retain(|check| check.name() != name);
        self.parts.readiness_checks.push(ReadinessCheck::new(name, check));
        self
    }

    /// Sets how the server responds to calls of API methods without a handler. Overrides `unbound` in the definition.
    #[must_use]
    pub fn unbound(mut self, unbound: Unbound) -> Self {
        self.parts.unbound = Some(unbound);
        self
    }

    /// Sets whether the outputs of handlers are compared with the outputs in the definition (`out`). If the outputs of
    /// a handler differ, the call fails with an internal error, and the log contains the name of the output. Overrides
    /// `verify_outputs` in the definition; by default, outputs are compared in debug builds.
    #[must_use]
    pub fn verify_outputs(mut self, verify: bool) -> Self {
        self.parts.verify_outputs = Some(verify);
        self
    }

    /// Returns the names that a definition of this program can contain.
    // It is hidden because only the command line uses it.
    #[doc(hidden)]
    pub fn known_names(&self) -> KnownNames {
        let kinds = self.parts.handler_kinds.iter();
        let settings = |kind: &Arc<dyn HandlerKind>| kind.settings().iter().map(|name| (*name).to_owned()).collect();
        KnownNames {
            types: self.extensions.types.iter().map(|custom| custom.name().to_owned()).collect(),
            handler_kinds: kinds.map(|kind| (kind.name().to_owned(), settings(kind))).collect(),
        }
    }

    /// Keeps environment variables in the settings as they are written, because the definition is from another machine.
    // It is hidden because only the command line uses it.
    #[doc(hidden)]
    #[must_use]
    pub fn keep_variables(mut self) -> Self {
        self.extensions.keeps_variables = true;
        self
    }

    /// Reads and checks the definition, without comparing it with the handlers.
    ///
    /// # Errors
    /// Returns all errors in all definition files.
    pub fn check(self) -> Result<Api, Report> {
        self.validate().map(|validated| validated.api)
    }

    /// Reads and checks the definition, and compares it with the handlers.
    ///
    /// # Errors
    /// Returns all errors in all definition files. If the definition files have no errors, returns all mismatches
    /// between the handlers and the definition.
    pub fn build(self) -> Result<Engine, Report> {
        self.validate()?.build()
    }

    /// Runs the first step of [`Rulebook::build`], which reads and checks the definition. [`Validated::build`] is the
    /// second step. Callers can read the settings of the definition between the two steps.
    // It is hidden because only the command line and the test client use it.
    #[doc(hidden)]
    pub fn validate(self) -> Result<Validated, Report> {
        let validated = self.validate_parts();
        match validated.errors.is_empty() {
            true => Ok(validated),
            false => Err(Report::new(validated.sources, validated.errors)),
        }
    }

    /// Reads and checks the definition as [`Rulebook::validate`] does, and returns the errors, and also the parts
    /// without errors.
    // It is hidden because only the command line uses it.
    #[doc(hidden)]
    pub fn validate_parts(self) -> Validated {
        let Self { source, extensions, auth_kinds, files, mut parts } = self;
        let loaded = match source {
            DefinitionSource::Folder(folder) => definition::load(&folder),
            DefinitionSource::Files(files) => definition::read(files),
        };
        let CheckedDefinition {
            mut errors,
            failed_methods,
            inherited,
            api,
            sources,
            warnings,
            unknown_function_errors,
            unset_variables,
        } = compile::check_definition_parts(loaded, extensions);
        parts.combines_identities &= api.auth.as_ref().is_none_or(|auth| auth.combine);
        let compiled = compile_auth(&api, &auth_kinds, parts.combines_identities).unwrap_or_else(|diagnostics| {
            errors.extend(diagnostics);
            CompiledAuthKinds::default()
        });
        // The texts of the definition are copied only if a warning quotes them.
        let warnings = if warnings.is_empty() { Report::default() } else { Report::new(sources.clone(), warnings) };
        // The settings of a definition with errors have no effect.
        let data_folder = if errors.is_empty() { parts.data_folder.clone() } else { DataFolder::default() };
        data_folder.set_if_unset(api.data.as_deref().map(|folder| api.path(folder)));
        let files = files.resolve_location(&api, data_folder.path());
        if let Some(store) = &files {
            parts.state.insert_shared(Arc::clone(store));
            parts.readiness_checks.extend(store.readiness_check());
        }
        let validated = Validated {
            errors,
            failed_methods,
            inherited,
            api,
            data_folder,
            warnings,
            parts,
            files,
            sources,
            unknown_function_errors,
            unset_variables,
            defined_auth: DefinedAuthParts::default(),
            ending_authenticators: 0,
            auth_error_diagnostics: Vec::new(),
        };
        validated.with_defined_auth(compiled).with_auth_schemes()
    }
}

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
