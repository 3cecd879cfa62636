//! The engine: a definition and a program's handlers, types and state, compiled into something that answers.

mod data;
mod documents;
mod files;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use arc_swap::ArcSwap;
use serde_json::Value as Json;

use crate::call::{Inspect, Objection};
use crate::compile::{self, Answers, Surroundings};
use crate::definition::{self, Loaded};
use crate::diagnostic::{Diagnostic, Report, Sources};
use crate::envelope::{Envelope, OwnEnvelope};
use crate::format::Format;
use crate::handler::{Calling, Module, Ready, State};
use crate::model::{Api, Unbound};
use crate::pipeline::Runner;
pub use crate::pipeline::log_panics;
use crate::plan::Plan;
use crate::server::{self, Running, Settings};
use crate::types::{Functions, Type};

pub use data::DataFolder;
use files::{Files, FilesFolder};

/// An API to be: where its definition is, and what the program adds to it.
///
/// [`Rulebook::load`] takes a folder; here the definition stands beside its handler:
///
/// ```
/// use rulebook::{Args, Context, Module, Refusal, Rulebook};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct Who {
///     name: String,
/// }
///
/// #[derive(Serialize)]
/// struct Greeting {
///     greeting: String,
/// }
///
/// async fn hello(Args(who): Args<Who>, _: Context) -> Result<Greeting, Refusal> {
///     Ok(Greeting { greeting: format!("Hello, {}!", who.name) })
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let definition = r#"{ "/": { "hello": { "GET": {
///     "info": "Greets",
///     "in":  { "URL#0": { "info": "Whom", "type": "string(1,40)", "name": "name" } },
///     "out": { "greeting": { "info": "The words", "type": "string" } }
/// } } } }"#;
/// let engine = Rulebook::read(vec![("hello.json".into(), definition.into())])
///     .module(Module::new("hello").get("/hello", hello))
///     .build()?;
///
/// let response = engine.call("GET /hello/Ada").send().await;
/// assert_eq!(response.get("greeting").unwrap(), "Hello, Ada!");
/// let refused = engine.call("hello.get").send().await;
/// assert_eq!(refused.error().unwrap().to_string(), "name is missing in the path, expected a text of 1 to 40 characters");
/// # Ok(()) })
/// # }
/// ```
pub struct Rulebook {
    text: Text,
    modules: Vec<Module>,
    types: Vec<Arc<dyn Type>>,
    answers: Answers,
    functions: Functions,
    inspectors: Vec<Box<dyn Inspect>>,
    state: State,
    checks: Vec<Ready>,
    unbound: Option<Unbound>,
    data: DataFolder,
    files: Files,
    verify: bool,
}

/// Where a definition's text is.
enum Text {
    Folder(PathBuf),
    Files(Vec<(PathBuf, Vec<u8>)>),
}

impl Rulebook {
    /// The API that the files of a folder define. They are read by [`Rulebook::build`].
    pub fn load(folder: impl Into<PathBuf>) -> Self {
        Self::new(Text::Folder(folder.into()))
    }

    /// The API that files in memory define; their paths only name them.
    #[must_use]
    pub fn read(files: Vec<(PathBuf, Vec<u8>)>) -> Self {
        Self::new(Text::Files(files))
    }

    fn new(text: Text) -> Self {
        Self {
            text,
            modules: Vec::new(),
            types: Vec::new(),
            answers: Answers::default(),
            functions: Functions::default(),
            inspectors: Vec::new(),
            state: State::default(),
            checks: Vec::new(),
            unbound: None,
            data: DataFolder::default(),
            files: Files::default(),
            verify: cfg!(debug_assertions),
        }
    }

    /// Adds the handlers of a module.
    #[must_use]
    pub fn module(mut self, module: Module) -> Self {
        self.modules.push(module);
        self
    }

    /// Adds a type that the definition can name; it replaces a built-in one of the same name.
    #[must_use]
    pub fn add_type(mut self, new: impl Type + 'static) -> Self {
        self.types.push(Arc::new(new));
        self
    }

    /// Adds a format that the definition can offer (`formats` in `app.json`); it replaces one of the same name.
    #[must_use]
    pub fn add_format(mut self, new: impl Format + 'static) -> Self {
        self.answers.formats.add(Arc::new(new));
        self
    }

    /// Adds an envelope that the definition can name; it replaces a built-in one of the same name.
    #[must_use]
    pub fn add_envelope(mut self, name: &str, new: impl Envelope + 'static) -> Self {
        self.answers.envelopes.add(OwnEnvelope::new(name, Arc::new(new)));
        self
    }

    /// Adds a function that the definition can name, as `callback` of the type `callable` or in `after`
    /// (`on_after_parse` in rules). It is given the value, and the `params` that the definition writes beside it; what
    /// it gives back is what handlers get. What it objects is the client's fault, and the words that the client is told.
    ///
    /// It runs in the thread that serves the request, and must not block it. One of the same name is replaced. The
    /// definition is not served while it names a function that is not there, but where no method has code
    /// ([`Unbound::Echo`]): then all values pass as they are.
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
        F: Fn(&Json, Option<&Json>) -> Result<Json, Objection> + Send + Sync + 'static,
    {
        self.functions.add(name, function);
        self
    }

    /// Adds somebody who finds out who calls. They are asked in the order in which they were added.
    #[must_use]
    pub fn inspect(mut self, inspector: impl Inspect + 'static) -> Self {
        self.inspectors.push(Box::new(inspector));
        self
    }

    /// Adds a value that handlers share: [`crate::Context::state`] gives it by its type.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.state.insert(value);
        self
    }

    /// Adds a check that says whether the program can do its work, under the name by which `/readyz` tells of it; one of
    /// the same name is replaced.
    ///
    /// All checks are asked at once, by each worker at most once a second, and have two seconds to answer. What is wrong
    /// goes to the log when it begins and when it ends, never to clients. A check must not block its thread.
    ///
    /// ```
    /// # use rulebook::Rulebook;
    /// let rulebook = Rulebook::load("api").ready("disk", || async {
    ///     if std::path::Path::new("data").is_dir() { Ok(()) } else { Err("there is no folder `data`".to_owned()) }
    /// });
    /// ```
    #[must_use]
    pub fn ready<F, C>(mut self, name: &str, check: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.retain(|check| check.name() != name);
        self.checks.push(Ready::new(name, check));
        self
    }

    /// Says what methods without a handler do, whatever the definition says.
    #[must_use]
    pub fn unbound(mut self, unbound: Unbound) -> Self {
        self.unbound = Some(unbound);
        self
    }

    /// Says where the server keeps its own files, whatever the definition says. What was said first stays: the flag
    /// `--data` before the program.
    #[must_use]
    pub fn data(self, folder: impl Into<PathBuf>) -> Self {
        self.data.settle(Some(folder.into()));
        self
    }

    /// Has the program keep files: [`crate::Context::store`] gives them to handlers. They are in the folder that the flag
    /// `--files` or the definition names, else in the folder `files` of the server's own. Files that come with requests
    /// are written there, and hashed on their way, so that nothing has to be copied when one gets its name.
    #[must_use]
    pub fn keep_files(mut self) -> Self {
        self.files.keep();
        self
    }

    /// Says where the program's files are kept, where it [keeps](Self::keep_files) any, whatever the definition says.
    /// What was said first stays: the flag `--files` before the program. Nothing is served while a folder that is named
    /// cannot be used.
    #[must_use]
    pub fn files_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.files.name(folder.into());
        self
    }

    /// The folder of the server's own files, for what the program keeps beside them.
    #[must_use]
    pub fn data_folder(&self) -> DataFolder {
        self.data.clone()
    }

    /// Says whether what handlers return is compared with the definition's `out`; what differs is answered as an
    /// internal error, and the log names the output. Without this it is done in debug builds.
    #[must_use]
    pub fn verify_outputs(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Reads and judges the definition's text alone, without the program's handlers.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn check(self) -> Result<Api, Report> {
        self.judge().map(|judged| judged.api)
    }

    /// Judges the definition and compares it with the handlers.
    ///
    /// # Errors
    /// Every fault of every file; where there is none, everything in which handlers and definition disagree.
    pub fn build(self) -> Result<Engine, Report> {
        self.judge()?.build()
    }

    /// The first half of [`Rulebook::build`], for those who need the definition's settings before the second.
    pub(crate) fn judge(self) -> Result<Judged, Report> {
        let Self {
            text,
            types,
            functions,
            answers,
            modules,
            inspectors,
            mut state,
            checks,
            unbound,
            data,
            files,
            verify,
        } = self;
        let Loaded { sources, definition, mut diagnostics } = match text {
            Text::Folder(folder) => definition::load(&folder),
            Text::Files(files) => definition::read(files),
        };
        let types = compile::table(&definition, types).with_functions(functions.clone());
        let lowered = compile::lower(&definition, &types, &answers);
        diagnostics.extend(lowered.diagnostics);
        if !diagnostics.is_empty() {
            return Err(Report::new(sources, diagnostics));
        }
        let unbound = unbound.unwrap_or(lowered.api.unbound);
        data.settle(lowered.api.data.as_deref().map(PathBuf::from));
        let files = files.settle(lowered.api.files.as_deref(), data.path());
        if let Some(files) = &files {
            state.insert_shared(Arc::clone(&files.folder));
        }
        let unknown = compile::unknown_functions(&lowered.functions, &functions);
        let api = lowered.api;
        Ok(Judged { api, data, files, sources, modules, inspectors, state, checks, unbound, verify, unknown })
    }
}

/// A definition without faults, and what the program adds to it.
pub(crate) struct Judged {
    /// What the API is.
    pub(crate) api: Api,
    /// Where the server keeps its own files.
    pub(crate) data: DataFolder,
    files: Option<FilesFolder>,
    sources: Sources,
    modules: Vec<Module>,
    inspectors: Vec<Box<dyn Inspect>>,
    state: State,
    checks: Vec<Ready>,
    unbound: Unbound,
    verify: bool,
    /// The functions that it names and the program does not have, which only matters where methods have code.
    unknown: Vec<Diagnostic>,
}

impl Judged {
    /// Adds somebody who finds out who calls.
    pub(crate) fn inspect(mut self, inspector: impl Inspect + 'static) -> Self {
        self.inspectors.push(Box::new(inspector));
        self
    }

    /// Adds somebody who finds out who calls, and is asked before all others.
    #[cfg(feature = "test")]
    pub(crate) fn inspect_first(mut self, inspector: impl Inspect + 'static) -> Self {
        self.inspectors.insert(0, Box::new(inspector));
        self
    }

    /// Compares the definition with the handlers, and makes the plan.
    pub(crate) fn build(self) -> Result<Engine, Report> {
        let Self { api, data, files, sources, modules, inspectors, state, checks, unbound, verify, unknown } = self;
        let mut bound = compile::bind(&api, &modules, unbound);
        if unbound != Unbound::Echo {
            bound.diagnostics.extend(unknown);
        }
        if !bound.diagnostics.is_empty() {
            return Err(Report::new(sources, bound.diagnostics));
        }
        // What is asked about belongs to handlers, and none is bound.
        let checks = if unbound == Unbound::Echo { Vec::new() } else { checks };
        let api = Arc::new(api);
        let documents = documents::shelf(&api);
        let around = Surroundings { inspectors, state, checks, verify, documents };
        let plan = Arc::new(compile::plan(&api, bound.actions, &modules, around));
        let runner = Arc::new(Runner { plan: Arc::clone(&plan), detached: Arc::default() });
        Ok(Engine { api, data, files, plan: Arc::new(ArcSwap::new(plan)), runner })
    }
}

/// A compiled API: ready to be served or called.
pub struct Engine {
    api: Arc<Api>,
    data: DataFolder,
    files: Option<FilesFolder>,
    plan: Arc<ArcSwap<Plan>>,
    runner: Arc<Runner>,
}

impl Engine {
    /// What the API is.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Begins a call from code, by nobody: `engine.call("article.line.get")`, `engine.call("GET /article/line/1")` or
    /// `engine.call("article/line/1")`, as [`Calling`] tells.
    pub fn call(&self, target: impl Into<String>) -> Calling {
        Calling::new(target, Arc::clone(&self.runner) as Arc<_>)
    }

    /// The folder of stored files, where the program keeps any.
    pub(crate) fn files(&self) -> Option<&FilesFolder> {
        self.files.as_ref()
    }

    /// Serves it, on threads of its own.
    ///
    /// # Errors
    /// An address cannot be listened on, a thread cannot be started, or the folder that somebody has named for stored
    /// files cannot be used.
    pub fn serve(&self, settings: &Settings) -> io::Result<Running> {
        if let Some(files) = &self.files {
            files.open()?;
        }
        let plan = self.plan.load_full();
        // Ready before anybody asks, but for those who ask at once. Calls do not wait for it.
        thread::Builder::new().name("documents".to_owned()).spawn(move || {
            plan.documents.above();
            let documents = plan.documents.all().get();
            if plan.compress {
                documents.code_large();
            }
        })?;
        server::serve(&self.plan, settings, self.data.path())
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("title", &self.api.title).finish_non_exhaustive()
    }
}
