//! The engine: an API definition that has been compiled together with the handlers, types and state of a program. An
//! engine serves the API over HTTP, or calls API methods from code.

mod documents;
#[cfg(feature = "documents")]
mod published_documents;
mod rulebook;
mod start;
mod validated;

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;

use rulebook_model::model::Api;

use crate::call::ApiError;
use crate::handler::{Call, CallBuilder, EngineHandle, ProgramState, Response};
pub use crate::pipeline::log_panics;
use crate::pipeline::{self, MethodRunner};
use crate::plan::Plan;
use crate::server::{self, ApiHandle, RunningServer, Services};
use crate::settings::Settings;
use crate::store::LazyStore;

pub use rulebook::Rulebook;
pub use start::{DataFolder, StartContext, StartError};
use start::{EngineStart, PrivateFiles};
#[doc(hidden)]
pub use validated::{InputDigest, UsedKinds, Validated};

/// A compiled API, which can be served over HTTP or called from code.
pub struct Engine {
    api: Arc<Api>,
    /// A file of the definition.
    definition: Option<PathBuf>,
    data_folder: DataFolder,
    files: Option<Arc<LazyStore>>,
    handler_files: HandlerFiles,
    started: Arc<StartedRunner>,
}

/// Files that handlers, authenticators and storages use.
struct HandlerFiles {
    /// The code of handlers that the definition chooses.
    source: Vec<PathBuf>,
    /// The files that only the server may read.
    private: Vec<PathBuf>,
    /// The digest of what the API was made from, except the files in `source`.
    digest: [u8; 32],
}

impl Engine {
    /// Returns the model of the API that the definition describes.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Creates a call of an API method from code, without an identity: `engine.call("article.line.get")`,
    /// `engine.call("GET /article/line/1")` or `engine.call("article/line/1")`. [`CallBuilder`] describes the forms of
    /// `target`.
    ///
    /// The first call runs the start hooks and waits for them. If a start hook fails, the response is an `unavailable`
    /// error.
    pub fn call(&self, target: impl Into<String>) -> CallBuilder {
        CallBuilder::new(target, Arc::clone(&self.started) as Arc<dyn EngineHandle>)
    }

    /// Returns the message of an error if an argument of a call with [`Engine::call`] does not have the name of a
    /// parameter. `names` are the names of the arguments besides those in the query of `target`.
    ///
    /// # Errors
    /// Fails for the first argument with such a name. Does not fail if the call calls no method.
    // It is hidden because only the command line uses it.
    #[doc(hidden)]
    pub fn check_argument_names<'n>(&self, target: &str, names: impl Iterator<Item = &'n str>) -> Result<(), String> {
        pipeline::find_unknown_argument(self.plan(), target, names).map_or(Ok(()), |error| Err(error.to_string()))
    }

    /// Returns the folder, or the other storage, of stored files and of the files of download links; `None` if the
    /// program stores no files and has no URL of a storage.
    // It is hidden because only the command line uses it.
    #[doc(hidden)]
    pub fn files(&self) -> Option<&LazyStore> {
        self.files.as_deref()
    }

    /// Returns the files with the code of handlers that the definition chooses
    /// ([`HandlerKind::source_files`](crate::handler_kind::HandlerKind::source_files)).
    // It is hidden because only the command line uses it.
    #[doc(hidden)]
    pub fn source_files(&self) -> &[PathBuf] {
        &self.handler_files.source
    }

    /// Returns a digest of what the API was made from, except the [source files](Engine::source_files) and the code and
    /// state of the program: the definition, the files of authenticators, and the
    /// [inputs](crate::handler_kind::HandlerKind::inputs) of handlers.
    // It is hidden because only the command line uses it.
    #[doc(hidden)]
    pub fn digest(&self) -> [u8; 32] {
        self.handler_files.digest
    }

    /// Runs the start hooks that were added with [`Rulebook::on_start`], unless they have run, and waits for them.
    /// [`Engine::serve`] calls this function.
    ///
    /// # Errors
    /// Fails if the data folder cannot be created, or if a start hook fails or has failed before. Start hooks never run
    /// twice.
    pub fn start(&self) -> io::Result<()> {
        self.started.start.wait_blocking()
    }

    /// Returns a future that waits until the engine and everything that it serves is dropped and has stopped.
    // It is hidden because only the command line uses it.
    #[doc(hidden)]
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.started.start.ended()
    }

    /// Serves the API over HTTP on new threads, after the start hooks have run. Each worker thread has an actix `App`
    /// with the [`Services`] of the API, or with those that the program has [chosen](Rulebook::app).
    ///
    /// # Errors
    /// Fails if a start hook fails, the server cannot listen on an address, a thread cannot be started, the configured
    /// folder of stored files cannot be used, or [private files](Settings::static_files) are in the static folder.
    pub fn serve(&self, settings: &Settings) -> io::Result<RunningServer> {
        self.prepare_to_serve(settings)?;
        server::serve(self.plan(), self.data_folder.path(), &self.complete_settings(settings))
    }

    /// Serves this API instead of the one that a server serves, after the start hooks have run: all requests that begin
    /// from now on. Requests in flight end with the API with which they began, whose handlers are dropped after the
    /// last of them. The server keeps its addresses, its connections, its counts in `/metrics` and its [`Settings`]; it
    /// begins to count the requests of limits anew, even if the definition is the same as before.
    ///
    /// ```no_run
    /// use rulebook::{Rulebook, Settings};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Rulebook::load("api").build()?.serve(&Settings::default())?;
    /// // The files of the definition have changed.
    /// Rulebook::load("api").build()?.replace_api(&server.api_handle())?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails in the same cases as [`Engine::services`]. The server then serves the previous API.
    pub fn replace_api(&self, server: &ApiHandle) -> io::Result<()> {
        self.prepare_to_serve(&server.settings)?;
        server.replace_plan(self.plan())
    }

    fn plan(&self) -> &Arc<Plan> {
        &self.started.runner.plan
    }

    /// Returns the API as actix services, which the program can add to its actix `App`. Only the fields
    /// `upload_folder`, `static_files`, `trusted_proxies`, `forwarded_field` and `link_target` of `settings` are used.
    /// See [`Services`] for an example.
    ///
    /// # Errors
    /// Fails if a thread cannot be started, the folder of stored files cannot be used, or
    /// [private files](Settings::static_files) are in the static folder.
    pub fn services(&self, settings: &Settings) -> io::Result<Services> {
        self.prepare_to_serve(settings)?;
        Ok(server::services(self.plan(), self.data_folder.path(), &self.complete_settings(settings)))
    }

    fn complete_settings(&self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        settings.trusted_proxies.get_or_insert_with(|| self.api.trusted_proxies.clone());
        settings.forwarded_field.get_or_insert(self.api.forwarded_field);
        settings.link_target.get_or_insert(self.api.link_target);
        settings
    }

    /// Checks that the static folder contains no private files: neither the data folder, nor the definition, nor the
    /// stored files, nor those of handlers, authenticators, storages and TLS; and that it is not itself in the folder
    /// of stored files.
    ///
    /// # Errors
    /// Fails if requests for static files could read such files.
    // It is hidden because only the command line uses it.
    #[doc(hidden)]
    pub fn check_static_folder(&self, settings: &Settings) -> io::Result<()> {
        let Some(folder) = &settings.static_files else { return Ok(()) };
        let certificates = settings.tls.iter().flat_map(|tls| &tls.certificates);
        let private = PrivateFiles {
            definition: self.definition.as_deref(),
            data: self.data_folder.path(),
            stored: self.files.as_ref().filter(|files| files.is_folder).and_then(|files| files.store().ok()?.path()),
            others: self
                .handler_files
                .private
                .iter()
                .chain(certificates.map(|(_, key)| key))
                .map(PathBuf::as_path)
                .collect(),
        };
        private.check_static_folder(folder)
    }

    /// Opens the folder of stored files, runs the start hooks, and starts to render the documents on another thread.
    fn prepare_to_serve(&self, settings: &Settings) -> io::Result<()> {
        if let Some(files) = &self.files {
            files.open()?;
        }
        self.start()?;
        // The folders exist now, so that symbolic links in their paths can be resolved.
        self.check_static_folder(settings)?;
        let plan = Arc::clone(self.plan());
        // The documents are rendered before clients request them. Calls of API methods do not wait for the documents.
        thread::Builder::new().name("documents".to_owned()).spawn(move || {
            plan.documents.parent_paths();
            let documents = plan.documents.whole_api.get_or_render();
            plan.definition_digest();
            if plan.compresses_responses {
                documents.compress_large_documents();
            }
        })?;
        Ok(())
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("title", &self.api.title).finish_non_exhaustive()
    }
}

/// Runs calls from code, after the start hooks of the engine have run.
struct StartedRunner {
    start: EngineStart,
    /// It contains the plan.
    runner: Arc<MethodRunner>,
}

impl EngineHandle for StartedRunner {
    fn state(&self) -> &ProgramState {
        self.runner.state()
    }

    fn method_id(&self, method_index: usize) -> &str {
        self.runner.method_id(method_index)
    }

    fn call(self: Arc<Self>, call: Call) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        Box::pin(async move {
            match self.start.wait().await {
                Ok(()) => Arc::clone(&self.runner).call(call).await,
                Err(error) => Response::new(Err(ApiError::unavailable(error)), Arc::clone(&self.runner.plan.envelope)),
            }
        })
    }
}

/// Replaces the file `published_documents.rs` if the feature `documents` is disabled. All documents are empty, and
/// responses to OPTIONS are only in JSON. The server responds with 404 at the paths of documents.
#[cfg(not(feature = "documents"))]
mod published_documents {
    use std::sync::{Arc, OnceLock};

    use rulebook_model::describe::{IntermediateUri, ServiceUri, Uris};
    use rulebook_model::model::Api;

    use crate::plan::{Document, PublishedDocuments};

    pub(super) fn render_published(_: &Arc<Api>, _: bool, _: &Arc<OnceLock<String>>) -> PublishedDocuments {
        PublishedDocuments::empty()
    }

    pub(super) fn markdown_for_api(_: &Api, _: &Uris<'_>) -> Option<Document> {
        None
    }

    pub(super) fn markdown_parent(_: &IntermediateUri<'_>) -> Option<Document> {
        None
    }

    pub(super) fn markdown_for_service(_: &Api, _: &ServiceUri<'_>) -> Option<Document> {
        None
    }
}
