//! A definition without errors, before it is compared with the handlers of the program; what the command `check` finds
//! in it beside them; the kinds of handlers that it uses; and the digest of what an API is made from.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::TryFutureExt;
use http::{HeaderName, HeaderValue};
use rulebook_model::compile::InheritedValue;
use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode, Report, Sources};
use rulebook_model::error::ErrorStatus;
use rulebook_model::model::{Api, DeclaredError, Unbound};
use rulebook_model::span::Span;
use sha2::{Digest, Sha256};

use super::rulebook::ProgramParts;
use super::start::{DataFolder, EngineStart, HookError, StartError, StartHook, StartSteps};
use super::{Engine, HandlerFiles, StartedRunner, documents};
use crate::auth::{AuthStart, CompiledAuth, CompiledAuthKinds, ProtectedResource};
use crate::bind::{self, PlanContext};
use crate::call::{AuthError, Authenticate};
use crate::handler::{
    CheckContext, DataChanges, HandlerError, HandlerKind, Migrations, Module, PrepareContext, ReadinessCheck,
    expand_variables,
};
use crate::idempotency::IdempotencyStorage;
use crate::key::Keys;
use crate::pipeline::MethodRunner;
use crate::plan::{Action, Plan, PlannedVersions};
use crate::rate_limit::{SharedCounter, SharedCounterSettings};
use crate::store::LazyStore;
use crate::trace::{TraceExporter, Tracer};

/// A definition, and the code and state that the program adds to it. It has no errors, unless it comes from
/// [`Rulebook::validate_parts`](super::Rulebook::validate_parts).
// It is hidden because only the command line and the test client use it.
#[doc(hidden)]
pub struct Validated {
    pub errors: Vec<Diagnostic>,
    /// The spans of the methods with errors; `None` if no handler can be checked.
    pub failed_methods: Option<Vec<Span>>,
    /// The values that methods have from elsewhere.
    pub inherited: Vec<InheritedValue>,
    pub api: Api,
    pub data_folder: DataFolder,
    pub warnings: Report,
    pub(super) parts: ProgramParts,
    pub(super) files: Option<Arc<LazyStore>>,
    pub sources: Sources,
    pub(super) defined_auth: DefinedAuthParts,
    pub(super) auth_error_diagnostics: Vec<Diagnostic>,
    /// How many authenticators, from the first one, are called before all others and end the authentication if they
    /// return an identity.
    pub(super) ending_authenticators: usize,
    /// The errors about functions that the definition names, but the program does not have. These errors are reported
    /// unless the API is served without handlers ([`Unbound::Echo`]).
    pub(super) unknown_function_errors: Vec<Diagnostic>,
    /// The environment variables in the settings that are not set, each with the name of its setting. They are reported
    /// if the API is served; a definition can be checked and described without them.
    pub(super) unset_variables: Vec<(&'static str, Diagnostic)>,
}

/// What the authenticators need that the definition chooses, besides the authenticators themselves.
#[derive(Default)]
pub(super) struct DefinedAuthParts {
    /// The functions that prepare the authenticators, each with the span of the authenticator's settings.
    starts: Vec<(AuthStart, Span)>,
    readiness_checks: Vec<ReadinessCheck>,
    resources: Vec<ProtectedResource>,
    /// The files that no client may read, and the spans of the settings that name them.
    pub(super) private_files: Vec<(PathBuf, Span)>,
    /// The number of authenticators before the one that checks keys; `None` if the definition does not list keys.
    keys_position: Option<usize>,
}

fn is_used(api: &Api, kind: &str) -> bool {
    let default = api.handlers.iter().filter_map(|handlers| handlers.default.as_ref());
    let methods = api.methods().filter_map(|(_, _, method)| method.handler.as_ref());
    default.chain(methods).any(|handler| handler.setting(kind).is_some())
}

fn auth_start_hook(start: AuthStart, settings: Span, sources: Arc<Sources>) -> StartHook {
    Box::new(move |_| {
        Box::pin(async move {
            start().await.map_err(|errors| {
                let diagnostic = |error: HandlerError| error.into_diagnostic(DiagnosticCode::BadAuth, settings);
                Report::new(Sources::clone(&sources), errors.into_iter().map(diagnostic).collect()).into()
            })
        })
    })
}

impl Validated {
    /// Adds the authenticators that the definition chooses, after those of the program.
    pub(super) fn with_defined_auth(mut self, compiled: CompiledAuthKinds) -> Self {
        let parts = &mut self.defined_auth;
        parts.keys_position = compiled.keys_position.map(|position| self.parts.authenticators.len() + position);
        for (compiled, span) in compiled.authenticators {
            let CompiledAuth { authenticator, readiness_checks, start, resource, private_files } = compiled;
            self.parts.authenticators.push(authenticator);
            parts.readiness_checks.extend(readiness_checks);
            parts.starts.extend(start.map(|start| (start, span)));
            parts.resources.extend(resource);
            parts.private_files.extend(private_files.into_iter().map(|file| (file, span)));
        }
        self
    }

    /// Adds the authenticator that checks keys, at its place among those of the definition. With `is_checked`, the
    /// server is ready only while the keys are current.
    #[must_use]
    pub fn keys_authenticator(mut self, keys: Keys, is_checked: bool) -> Self {
        if is_checked {
            let keys = keys.clone();
            let check = ReadinessCheck::new("keys", move || std::future::ready(keys.check()));
            self.defined_auth.readiness_checks.push(check);
        }
        self.parts.authenticators.insert(self.keys_position(), Box::new(keys));
        self.with_auth_schemes()
    }

    /// Returns the model as a server with keys describes it: as after [`Validated::keys_authenticator`], but without
    /// the keys, so that no key file is read.
    #[must_use]
    pub fn api_with_keys(mut self) -> Api {
        self.store_auth_schemes(true);
        self.api
    }

    fn keys_position(&self) -> usize {
        self.defined_auth.keys_position.unwrap_or(self.parts.authenticators.len())
    }

    /// Adds an authenticator, which is called before all other authenticators. If it returns an identity, the other
    /// authenticators are not called.
    pub fn first_authenticator(mut self, authenticator: impl Authenticate) -> Self {
        self.parts.authenticators.insert(0, Box::new(authenticator));
        self.defined_auth.keys_position = self.defined_auth.keys_position.map(|position| position + 1);
        self.ending_authenticators += 1;
        self.with_auth_schemes()
    }

    /// Stores the authentication schemes and the errors of all authenticators in the model, without duplicates. If no
    /// authenticator has an authentication scheme, the default in the model stays.
    pub(super) fn with_auth_schemes(mut self) -> Self {
        self.store_auth_schemes(false);
        self.read_auth_errors();
        self
    }

    /// If `and_keys` is `true`, the authenticator that checks keys is one of the authenticators.
    fn store_auth_schemes(&mut self, and_keys: bool) {
        let schemes = self.parts.authenticators.iter().map(|authenticator| authenticator.schemes());
        let mut by_authenticator: Vec<_> = schemes.collect();
        if and_keys {
            by_authenticator.insert(self.keys_position(), Keys::auth_schemes());
        }
        let mut schemes = Vec::new();
        for scheme in by_authenticator.into_iter().flatten() {
            if !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
        if !schemes.is_empty() {
            self.api.auth_schemes = schemes;
        }
    }

    /// Stores the different errors of all authenticators. For an error that is declared wrongly, it stores a
    /// diagnostic.
    fn read_auth_errors(&mut self) {
        (self.api.auth_errors, self.auth_error_diagnostics) = (Vec::new(), Vec::new());
        for error in self.parts.authenticators.iter().flat_map(|authenticator| authenticator.errors()) {
            let AuthError { name, status, message, number } = error;
            let subject = format!("the error `{}`, which an authenticator declares,", name.escape_debug());
            let Some(valid_status) = ErrorStatus::new(status).filter(|_| number != Some(0)) else {
                let diagnostic = Diagnostic::new(
                    DiagnosticCode::BadOption,
                    self.api.span,
                    format!("{subject} has the status {status} and the number {}", number.unwrap_or(1)),
                );
                self.auth_error_diagnostics
                    .push(diagnostic.help("the status is from 400 to 599, and the number is at least 1"));
                continue;
            };
            let declared = DeclaredError::new(name, valid_status, message, number);
            match self.api.auth_errors.iter().find(|known| known.name == declared.name) {
                None => self.api.auth_errors.push(declared),
                Some(known) if *known == declared => {}
                Some(_) => {
                    let message = format!("{subject} has another status, message or number in another authenticator");
                    let diagnostic = Diagnostic::new(DiagnosticCode::NameCollision, self.api.span, message);
                    self.auth_error_diagnostics.push(diagnostic.help("rename one of the errors"));
                }
            }
        }
    }

    /// Sets the counter that counts the requests of limits for several servers, unless the program has set one.
    pub fn shared_counter(mut self, counter: impl SharedCounter, settings: SharedCounterSettings) -> Self {
        self.parts.shared_counter.get_or_insert_with(|| (Arc::new(counter), settings));
        self
    }

    pub fn has_shared_counter(&self) -> bool {
        self.parts.shared_counter.is_some()
    }

    /// Sets the storage of idempotency keys, unless the program has set one.
    pub fn idempotency_storage(mut self, storage: Arc<dyn IdempotencyStorage>) -> Self {
        self.parts.idempotency_storage.get_or_insert(storage);
        self
    }

    /// Returns `true` if a method uses idempotency keys, and the program has set no storage for them. If the API
    /// methods return their arguments ([`Unbound::Echo`]), keys are stored in memory.
    pub fn needs_idempotency_storage(&self) -> bool {
        self.unbound() != Unbound::Echo && self.parts.idempotency_storage.is_none() && self.uses_idempotency_keys()
    }

    pub(super) fn unbound(&self) -> Unbound {
        self.parts.unbound.unwrap_or(self.api.unbound)
    }

    pub fn uses_idempotency_keys(&self) -> bool {
        bind::uses_idempotency_keys(&self.api)
    }

    /// Sets the exporter of traces, unless the program has set one.
    pub fn trace_exporter(mut self, exporter: impl TraceExporter, percent: u8) -> Self {
        self.parts.tracer.get_or_insert_with(|| Tracer::new(Arc::new(exporter), percent));
        self
    }

    pub fn has_trace_exporter(&self) -> bool {
        self.parts.tracer.is_some()
    }

    /// Uses the opened storage of files of another engine of the same server.
    #[must_use]
    pub fn with_files_of(mut self, engine: &Engine) -> Self {
        if let Some(files) = engine.files.as_ref().filter(|_| self.files.is_some()) {
            self.parts.state.insert_shared(Arc::clone(files));
            self.files = Some(Arc::clone(files));
        }
        self
    }

    /// Sets to which databases the start applies pending migrations, instead of the program.
    #[must_use]
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.parts.migrations = migrations;
        self
    }

    pub fn report(&self, diagnostics: Vec<Diagnostic>) -> Report {
        Report::new(self.sources.clone(), diagnostics)
    }

    /// Makes the API wait: each call gets the error 503, `/readyz` says why, and its handlers are not started.
    #[must_use]
    pub fn waits_for(mut self, why: &str) -> Self {
        self.parts.waits_for = Some(why.into());
        self
    }

    pub fn report_of_handlers(&self, errors: Vec<HandlerError>) -> Report {
        self.report(errors.into_iter().map(|error| bind::handler_diagnostic(error, self.api.span)).collect())
    }

    pub fn used_kinds(&self) -> UsedKinds {
        let kinds = self.parts.handler_kinds.iter().filter(|kind| is_used(&self.api, kind.name()));
        UsedKinds { kinds: kinds.cloned().collect(), sources: Arc::new(self.sources.clone()), settings: self.api.span }
    }

    pub fn build(self) -> Result<Engine, Report> {
        let unbound = self.unbound();
        let echo = unbound == Unbound::Echo;
        let waits_for = self.parts.waits_for;
        let calls_handlers = !echo && waits_for.is_none();
        let mut bound = bind::bind_handlers(&self.api, &self.parts.modules, &self.parts.handler_kinds, unbound);
        if !echo {
            bound.diagnostics.extend(self.unknown_function_errors);
        }
        bound.diagnostics.extend(self.auth_error_diagnostics);
        bound.diagnostics.extend(self.unset_variables.into_iter().map(|(_, error)| error));
        if !bound.diagnostics.is_empty() {
            return Err(Report::new(self.sources, bound.diagnostics));
        }
        if waits_for.is_some() {
            bound.actions = bound.actions.iter().map(|_| Action::Unavailable).collect();
        }
        // The readiness checks and start hooks of the program are needed only by handlers. If the API methods return
        // their arguments instead of calling handlers (`Unbound::Echo`), these checks and hooks are not used.
        let (mut checks, mut hooks) = match calls_handlers {
            true => (self.parts.readiness_checks, self.parts.start_hooks),
            false => (Vec::new(), Vec::new()),
        };
        let sources = Arc::new(self.sources);
        let mut digest = InputDigest::default();
        for source in (0..).map_while(|file| sources.get(file)) {
            digest.add(source.path.as_os_str().as_encoded_bytes());
            digest.add(source.text.as_bytes());
        }
        digest.add(waits_for.as_deref().unwrap_or_default().as_bytes());
        let source = self.parts.handler_kinds.iter().flat_map(|kind| kind.source_files()).collect();
        let DefinedAuthParts { starts, readiness_checks, resources, private_files, keys_position: _ } =
            self.defined_auth;
        let mut private_files: Vec<_> = private_files.into_iter().map(|(file, _)| file).collect();
        private_files.iter().for_each(|file| digest.add_file(file));
        checks.extend(readiness_checks);
        hooks.extend(starts.into_iter().map(|(start, span)| auth_start_hook(start, span, Arc::clone(&sources))));
        let (mut measures, mut kinds) = (Vec::new(), Vec::new());
        if calls_handlers {
            for kind in self.parts.handler_kinds.into_iter().filter(|kind| is_used(&self.api, kind.name())) {
                checks.extend(kind.readiness_checks());
                measures.extend(kind.measure());
                kind.inputs().iter().for_each(|input| digest.add(input));
                private_files.extend(kind.private_files(self.data_folder.path()));
                kinds.push(kind);
            }
        }
        // While each server counts by itself, the server is ready without the counter.
        if let Some((counter, settings)) = self.parts.shared_counter.as_ref().filter(|_| !echo)
            && settings.refuses_when_unavailable()
        {
            let counter = Arc::clone(counter);
            let check = move || counter.check().map_err(|error| error.to_string());
            checks.push(ReadinessCheck::new("shared_limits", check));
        }
        // Otherwise the API could later respond with a stored echo instead of calling the handler.
        let idempotency_storage = self.parts.idempotency_storage.filter(|_| !echo);
        if let Some(storage) = idempotency_storage.as_ref().filter(|_| bind::uses_idempotency_keys(&self.api)) {
            let storage = Arc::clone(storage);
            private_files.extend(storage.private_files());
            let check = move || storage.check().map_err(|error| error.to_string());
            checks.push(ReadinessCheck::new("idempotency", check));
        }
        let api = Arc::new(self.api);
        let ending_authenticators =
            if self.parts.combines_identities { self.ending_authenticators } else { self.parts.authenticators.len() };
        let context = PlanContext {
            authenticators: self.parts.authenticators.into_iter().map(Arc::from).collect(),
            ending_authenticators,
            state: self.parts.state,
            readiness_checks: checks.into(),
            waits_for,
            measures: measures.into(),
            protected_resources: resources,
            shared_counter: self.parts.shared_counter.filter(|_| !echo),
            idempotency_storage,
            tracer: self.parts.tracer,
            verify_outputs: self.parts.verify_outputs.or(api.verify_outputs).unwrap_or(cfg!(debug_assertions)),
        };
        let plan = create_plans(&api, bound.actions, &self.parts.modules, context, unbound);
        let definition = sources.get(0).map(|source| source.path.clone());
        let start = EngineStart::new(StartSteps {
            hooks,
            kinds: UsedKinds { kinds, sources, settings: api.span },
            migrations: self.parts.migrations,
            data_folder: self.data_folder.path().to_owned(),
            state: plan.state.clone(),
        });
        let runner = Arc::new(MethodRunner { plan: Arc::new(plan), detached: Arc::default() });
        Ok(Engine {
            api,
            definition,
            data_folder: self.data_folder,
            files: self.files,
            handler_files: HandlerFiles { source, private: private_files, digest: digest.finish() },
            started: Arc::new(StartedRunner { start, runner }),
        })
    }
}

/// If the API has versions, this is the plan of the version for requests that name none, and contains the others.
fn create_plans(
    api: &Arc<Api>,
    actions: Vec<Action>,
    modules: &[Module],
    context: PlanContext,
    unbound: Unbound,
) -> Plan {
    // The program can override the setting `unbound` of the definition. The documents describe the responses that
    // clients get.
    let documents = |api: &Arc<Api>| {
        let mut described = Arc::clone(api);
        if api.unbound != unbound {
            Arc::make_mut(&mut described).unbound = unbound;
        }
        documents::create_document_cache(&described)
    };
    let Some(versions) = &api.versions else {
        return bind::create_plan(api, actions, modules, context, documents(api));
    };
    let header: Option<HeaderName> = versions.header.as_ref().and_then(|name| name.parse().ok());
    let plan_of = |name: &str| {
        let version = Arc::new(api.in_version(name)?);
        let actions = bind::actions_of_version(api, &actions, &version);
        let plan = bind::create_plan(&version, actions, modules, context.clone(), documents(&version));
        Some(Plan { version_field: header.clone().map(HeaderValue::from), ..plan })
    };
    let others = versions.names().filter(|name| **name != *versions.default);
    let others = others.filter_map(|name| Some((name.into(), Arc::new(plan_of(name)?)))).collect();
    // The compiler has checked that the default is the name of a version.
    let mut plan = plan_of(&versions.default).expect("the default version exists");
    let names = versions.names().map(str::to_owned).collect();
    plan.versions =
        Some(Box::new(PlannedVersions { default: versions.default.as_str().into(), others, names, header }));
    plan
}

impl Validated {
    pub fn check_defined_handlers(self) -> Result<Self, Report> {
        let diagnostics = self.defined_handler_errors();
        if diagnostics.is_empty() { Ok(self) } else { Err(Report::new(self.sources, diagnostics)) }
    }

    /// Returns the errors of the handlers that the definition chooses, without those of methods that have errors
    /// themselves.
    pub fn defined_handler_errors(&self) -> Vec<Diagnostic> {
        let Some(failed) = &self.failed_methods else { return Vec::new() };
        let is_default_used = self.parts.modules.is_empty();
        bind::defined_handler_errors(&self.api, &self.parts.handler_kinds, is_default_used, failed)
    }

    /// Returns a warning for each method that only a program in Rust can handle, if the definition chooses the handlers
    /// of others.
    pub fn missing_handler_warnings(&self) -> Vec<Diagnostic> {
        if self.unbound() == Unbound::Refuse { bind::missing_handler_warnings(&self.api) } else { Vec::new() }
    }

    /// Returns a warning for each file that an authenticator needs and that does not exist. The deployment can create
    /// it.
    pub fn missing_file_warnings(&self) -> Vec<Diagnostic> {
        let missing = self.defined_auth.private_files.iter().filter(|(file, _)| !file.exists());
        let warning = |(file, span): &(PathBuf, Span)| {
            let message = format!("the file {} does not exist, which the server needs", file.display());
            let warning = Diagnostic::new(DiagnosticCode::BadAuth, *span, message).into_warning();
            warning.help("create the file before the server starts, or correct its path")
        };
        missing.map(warning).collect()
    }

    /// Ignores the environment variables in these settings, which the command line or the environment replaces.
    #[must_use]
    pub fn replaced_settings(mut self, replaced: &[&str]) -> Self {
        self.unset_variables.retain(|(setting, _)| !replaced.contains(setting));
        self
    }

    /// Checks that the environment variables in those settings are set that are used.
    pub fn check_variables(self, is_used: impl Fn(&str) -> bool) -> Result<Self, Report> {
        let unset = self.unset_variables.iter().filter(|(setting, _)| is_used(setting));
        let errors: Vec<_> = unset.map(|(_, error)| error.clone()).collect();
        if errors.is_empty() { Ok(self) } else { Err(Report::new(self.sources, errors)) }
    }

    /// Returns warnings about the environment variables that are not set, but with which the API would be served.
    pub fn unset_variable_warnings(&self) -> Vec<Diagnostic> {
        self.unset_variables.iter().map(|(_, error)| error.clone().into_warning()).collect()
    }

    /// Returns the errors in the environment variables of the addresses of the services that a server with this
    /// definition uses. `replaced` are the names of the settings whose addresses are not used, because the command line
    /// or the environment contains others.
    pub fn service_address_errors(&self, replaced: &[&str]) -> Vec<Diagnostic> {
        let api = &self.api;
        let addresses = [
            ("key_storage", api.key_storage.as_ref().filter(|_| api.accepts_keys())),
            ("idempotency_storage", api.idempotency_storage.as_ref().filter(|_| self.uses_idempotency_keys())),
            ("shared_limits", api.shared_limits.as_ref().map(|shared| &shared.url)),
            ("traces", api.traces.as_ref()),
        ];
        let used = addresses.into_iter().filter(|(name, _)| !replaced.contains(name)).filter_map(|(_, url)| url);
        let diagnostics = used.filter_map(|url| {
            let error = expand_variables(&url.value, url.span).err()?;
            // What is in front of an `@` may be a part of a password.
            let error = if url.value.contains('@') { error.hide_line() } else { error };
            Some(error.into_diagnostic(DiagnosticCode::BadOption, url.span))
        });
        diagnostics.collect()
    }
}

// The kinds of handlers that a definition uses: how their handlers start, and how the command `check` checks them
// without serving the API.
//
// The start has three steps: all kinds begin what does not change data, such as workers; then they prepare the changes
// of data; and only if everything has succeeded do they commit them.

// It is hidden because only the command line uses it.
#[doc(hidden)]
pub struct UsedKinds {
    pub(super) kinds: Vec<Arc<dyn HandlerKind>>,
    pub(super) sources: Arc<Sources>,
    /// The span of errors without a span.
    pub(super) settings: Span,
}

impl UsedKinds {
    /// Checks the handlers, which must be compiled. Returns warnings about what cannot be checked.
    ///
    /// # Errors
    /// Returns the errors that the start of the API would report.
    pub async fn check(&self, check: CheckContext<'_>) -> Result<Report, Report> {
        let (mut warnings, mut errors) = (Vec::new(), Vec::new());
        let diagnostic = |error: HandlerError| bind::handler_diagnostic(error, self.settings);
        for kind in &self.kinds {
            match kind.check(check).await {
                Ok(unchecked) => warnings.extend(unchecked.into_iter().map(|error| diagnostic(error).into_warning())),
                Err(found) => errors.extend(found.into_iter().map(diagnostic)),
            }
        }
        let report = |diagnostics| Report::new(Sources::clone(&self.sources), diagnostics);
        if errors.is_empty() { Ok(report(warnings)) } else { Err(report(errors)) }
    }

    /// Prepares the changes of data that the handlers need, which must be compiled, and makes them effective if
    /// `confirm` returns `true`. It gets a description of the changes, which is empty without changes.
    ///
    /// # Errors
    /// Returns the errors that the start of the API would report.
    pub async fn migrate(
        &self,
        data_folder: &Path,
        migrations: Migrations,
        confirm: impl FnOnce(&[String]) -> bool,
    ) -> Result<(), StartError> {
        let (changes, _, errors) = self.prepare(data_folder, migrations).await;
        errors.map_or(Ok(()), Err)?;
        if confirm(&changes) { self.commit().await } else { Ok(()) }
    }

    /// Prepares the changes of data of all kinds. Returns a description of the changes, whether there is new data, and
    /// the errors.
    async fn prepare(&self, data_folder: &Path, migrations: Migrations) -> (Vec<String>, bool, Option<StartError>) {
        let (mut changes, mut is_new, mut errors, mut pending) = (Vec::new(), false, Vec::new(), 0);
        for kind in &self.kinds {
            match kind.prepare(PrepareContext { data_folder, migrations }).await {
                Ok(DataChanges::None) => {}
                Ok(DataChanges::Prepared(lines)) => changes.extend(lines),
                Ok(DataChanges::New(lines)) => {
                    changes.extend(lines);
                    is_new = true;
                }
                Err(error) => {
                    errors.extend(error.errors);
                    pending += error.pending;
                }
            }
        }
        let failed = !errors.is_empty();
        (changes, is_new, failed.then(|| StartError { pending, ..self.start_error(errors) }))
    }

    async fn commit(&self) -> Result<(), StartError> {
        for kind in &self.kinds {
            kind.commit().await.map_err(|errors| self.start_error(errors))?;
        }
        Ok(())
    }

    /// Starts the handlers, which must be compiled. If this fails, no data has changed.
    pub(super) async fn start(&self, data_folder: &Path, migrations: Migrations) -> Result<(), StartError> {
        let mut failed = Vec::new();
        for kind in &self.kinds {
            if let Err(errors) = kind.start(data_folder).await {
                failed.push((kind, errors));
            }
        }
        let (_, is_new, errors) = self.prepare(data_folder, migrations).await;
        // Missing tables can also be the cause of a worker that has failed.
        errors.map_or(Ok(()), Err)?;
        // A worker may read the tables when it starts. In a new database, it is started again after they were created;
        // other data does not change for a program that may not start.
        if let (false, Some((_, errors))) = (is_new, failed.first()) {
            return Err(self.start_error(errors.clone()));
        }
        for (_, errors) in &failed {
            log::warn!("{}; this is tried again with the changed tables", self.start_error(errors.clone()).text);
        }
        self.commit().await?;
        for (kind, _) in failed {
            kind.start(data_folder).await.map_err(|errors| self.start_error(errors))?;
        }
        Ok(())
    }

    fn start_error(&self, errors: Vec<HandlerError>) -> StartError {
        let diagnostics = errors.into_iter().map(|error| bind::handler_diagnostic(error, self.settings)).collect();
        StartError::new(&HookError::from(Report::new(Sources::clone(&self.sources), diagnostics)))
    }
}

// It is hidden because only the command line uses it.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
pub struct InputDigest(Sha256);

impl InputDigest {
    /// Adds the bytes, and their number, so that different inputs never have the same bytes together.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// Adds the path and the content of a file. A file that cannot be read has no content.
    pub fn add_file(&mut self, file: &Path) {
        self.add(file.as_os_str().as_encoded_bytes());
        // Reading a pipe would wait for its other end.
        let content = file.is_file().then(|| fs::read(file).ok()).flatten();
        self.add(&[u8::from(content.is_some())]);
        self.add(&content.unwrap_or_default());
    }

    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
