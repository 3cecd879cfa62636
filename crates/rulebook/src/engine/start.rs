//! Starts an engine: creates the data folder, and runs the start hooks of the program. Start hooks run only once. Also
//! says where a program stores data, and that the static folder, whose files everyone can read, is another folder.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use futures_util::FutureExt;
use futures_util::future::join_all;
use rulebook_model::files_location::{FilesLocation, S3_SCHEME};
use rulebook_model::model::Api;
use thiserror::Error;
use tokio::runtime;
use tokio::sync::{oneshot, watch};
use url::Url;

use super::validated::UsedKinds;
use crate::handler::{Migrations, ProgramState};
use crate::secret::{create_private_folder, folder_of};
use crate::store::{LazyStore, OpenEngine, Store, StoreError};

/// The error that a start hook returns. The operator `?` converts every error type and every text to this type.
pub(super) type HookError = Box<dyn std::error::Error + Send + Sync>;

/// A function that the program has added with [`Rulebook::on_start`](crate::Rulebook::on_start).
pub(super) type StartHook =
    Box<dyn FnOnce(StartContext) -> Pin<Box<dyn Future<Output = Result<(), HookError>> + Send>> + Send>;

/// The context that a start hook receives: the data folder, and the values that handlers share. See
/// [`Rulebook::on_start`](crate::Rulebook::on_start).
pub struct StartContext {
    data_folder: PathBuf,
    state: ProgramState,
    /// The values that start hooks have inserted. Handlers can read these values after all hooks have succeeded.
    inserted: Arc<Mutex<ProgramState>>,
}

impl StartContext {
    /// Returns the path of the data folder. The folder exists when a start hook runs.
    #[must_use]
    pub fn data_folder(&self) -> &Path {
        &self.data_folder
    }

    /// Returns the value of this type that was added with [`Rulebook::state`](crate::Rulebook::state), or that this
    /// start hook or an earlier start hook has inserted.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let inserted = self.inserted.lock().unwrap_or_else(PoisonError::into_inner).get();
        inserted.or_else(|| self.state.get())
    }

    /// Adds a value that handlers share: [`Context::state`](crate::Context::state) returns the value by its type. The
    /// value replaces an earlier value of the same type.
    pub fn insert_state<T: Send + Sync + 'static>(&self, value: T) {
        self.inserted.lock().unwrap_or_else(PoisonError::into_inner).insert(value);
    }
}

impl fmt::Debug for StartContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartContext").field("data_folder", &self.data_folder).finish_non_exhaustive()
    }
}

/// Why an API cannot be served. The error of [`Engine::start`](super::Engine::start) contains it.
#[derive(Debug, Clone, Error)]
#[error("the program cannot start: {text}")]
pub struct StartError {
    /// What is shown to the owner: the diagnostics with their lines.
    pub text: Arc<str>,
    /// The number of pending migrations, after which the API could perhaps be served; 0 if something else is wrong.
    pub pending: usize,
}

impl StartError {
    pub(super) fn new(error: &HookError) -> Self {
        Self { text: error.to_string().into(), pending: 0 }
    }

    /// Returns the number of pending migrations after which an API could perhaps be served that has failed to start
    /// with this error.
    // It is hidden because only the command line uses it.
    #[doc(hidden)]
    #[must_use]
    pub fn pending_migrations(error: &io::Error) -> usize {
        let start_error = error.get_ref().and_then(|error| error.downcast_ref::<Self>());
        start_error.map_or(0, |error| error.pending)
    }
}

/// Each caller that waits for the start gets a copy of the error.
type StartResult = Result<(), StartError>;

type StartOutcome = Option<StartResult>;

pub(super) struct StartSteps {
    pub(super) hooks: Vec<StartHook>,
    pub(super) kinds: UsedKinds,
    pub(super) migrations: Migrations,
    pub(super) data_folder: PathBuf,
    pub(super) state: ProgramState,
}

/// The start hooks of an engine and its kinds of handlers, and the result after they have started.
pub(super) struct EngineStart {
    /// `None` once they have been started.
    pending: Mutex<Option<(StartSteps, watch::Sender<StartOutcome>)>>,
    /// The result of the start; `None` until it has ended.
    outcome: watch::Receiver<StartOutcome>,
}

impl EngineStart {
    pub(super) fn new(steps: StartSteps) -> Self {
        let is_pending = !steps.hooks.is_empty() || !steps.kinds.kinds.is_empty();
        let (sender, outcome) = watch::channel((!is_pending).then_some(Ok(())));
        Self { pending: Mutex::new(is_pending.then_some((steps, sender))), outcome }
    }

    /// Runs the start hooks if they have not run yet, and waits until they have ended. The hooks continue to run even
    /// if the caller stops waiting.
    pub(super) async fn wait(&self) -> io::Result<()> {
        if let Some((steps, outcome)) = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take() {
            steps.begin(outcome)?;
        }
        let mut outcome = self.outcome.clone();
        let ended = outcome.wait_for(Option::is_some).await;
        let ended = ended.ok().and_then(|ended| ended.clone());
        // The result is missing if the thread of the hooks could not be started or has panicked.
        ended.unwrap_or_else(|| Err(StartError::new(&"the start was interrupted".into()))).map_err(io::Error::other)
    }

    /// Returns a future that waits until the last plan is dropped, and the kinds of handlers have stopped.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut outcome = self.outcome.clone();
        async move { while outcome.changed().await.is_ok() {} }
    }

    /// Does the same as [`EngineStart::wait`], but blocks the thread. The thread may run a tokio runtime.
    pub(super) fn wait_blocking(&self) -> io::Result<()> {
        if let Some(Ok(())) = *self.outcome.borrow() {
            return Ok(());
        }
        // A runtime must not be used or dropped in a thread that already runs one.
        let wait = || runtime::Builder::new_current_thread().build()?.block_on(self.wait());
        let waiting = thread::scope(|scope| scope.spawn(wait).join());
        waiting.unwrap_or_else(|_| Err(io::Error::other("waiting for the start panicked")))
    }
}

/// Starts the hooks on a new thread with a separate tokio runtime. The thread drops `outcome` when everything has
/// ended.
impl StartSteps {
    fn begin(self, outcome: watch::Sender<StartOutcome>) -> io::Result<()> {
        let Self { hooks, kinds, migrations, data_folder, state } = self;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("start".to_owned()).spawn(move || {
            let (served, ended) = oneshot::channel::<()>();
            // The state drops this sender when the last plan of the engine is dropped.
            state.keep_alive(served);
            let started = runtime.block_on(async {
                run_start_hooks(hooks, data_folder.clone(), &state).await.map_err(|error| StartError::new(&error))?;
                kinds.start(&data_folder, migrations).await
            });
            drop(state);
            let stop = join_all(kinds.kinds.iter().map(|kind| kind.stop()));
            // What was prepared for a program that does not start is undone. Then only handlers keep what they use.
            drop(kinds);
            outcome.send_replace(Some(started));
            // Until the last plan is dropped, this thread runs the tasks that the hooks have spawned.
            let _ = runtime.block_on(ended);
            runtime.block_on(stop);
            // After the end, nothing may still run.
            drop(runtime);
            drop(outcome);
        })?;
        Ok(())
    }
}

/// Creates the data folder, and runs the start hooks one after the other. If a hook fails, the remaining hooks do not
/// run.
async fn run_start_hooks(hooks: Vec<StartHook>, data_folder: PathBuf, state: &ProgramState) -> Result<(), HookError> {
    create_private_folder(&data_folder)
        .map_err(|error| format!("the data folder {} cannot be created: {error}", data_folder.display()))?;
    let inserted = Arc::new(Mutex::new(ProgramState::default()));
    for hook in hooks {
        let context = StartContext {
            data_folder: data_folder.clone(),
            state: state.without_start_hook_values(),
            inserted: Arc::clone(&inserted),
        };
        let hook = AssertUnwindSafe(async { hook(context).await }).catch_unwind();
        hook.await.unwrap_or_else(|_| Err("a start hook panicked".into()))?;
    }
    let inserted = std::mem::take(&mut *inserted.lock().unwrap_or_else(PoisonError::into_inner));
    state.add_start_hook_values(inserted);
    Ok(())
}

/// The default folder of stored files, as a name in the data folder.
const DEFAULT_FILES_FOLDER: &str = "files";

#[derive(Default)]
pub(super) struct FilesSettings {
    pub(super) is_enabled: bool,
    /// The folder or the URL that the program or the flag `--files` has set; `None` if neither has set one.
    pub(super) location: Option<PathBuf>,
    /// The functions that open the storages of the program, by the schemes of their URLs.
    pub(super) storages: BTreeMap<&'static str, Arc<OpenEngine>>,
}

impl fmt::Debug for FilesSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilesSettings").field("location", &self.location).finish_non_exhaustive()
    }
}

impl FilesSettings {
    /// Returns the location of stored files; `None` if the program stores no files, and the location is not a URL: such
    /// a program uses a storage for the files of download links. The location in these settings has priority over the
    /// location in the definition; the default is `files` in the data folder.
    pub(super) fn resolve_location(mut self, api: &Api, data_folder: &Path) -> Option<Arc<LazyStore>> {
        let is_folder = |text: &str| matches!(FilesLocation::parse(text), Ok(FilesLocation::Folder(_)));
        let defined = api.files.as_deref().map(|text| if is_folder(text) { api.path(text) } else { text.into() });
        let configured = self.location.take().or(defined);
        // If the feature `files` is disabled, no folder can be used, so that opening a required folder reports the
        // error.
        let is_required = configured.is_some() || cfg!(not(feature = "files"));
        let path = configured.unwrap_or_else(|| data_folder.join(DEFAULT_FILES_FOLDER));
        let (scheme, shown) = match path.to_str().map(FilesLocation::parse) {
            Some(Ok(FilesLocation::S3(location))) => (S3_SCHEME.to_owned(), location.url()),
            Some(Ok(FilesLocation::Other { scheme, url })) => (scheme, shown_url(&url)),
            _ => return self.is_enabled.then(|| Arc::new(LazyStore::folder(path, is_required))),
        };
        let (open, unknown) = (self.storages.remove(&*scheme), shown.clone());
        Some(Arc::new(LazyStore::engine(shown, is_required, move || match &open {
            Some(open) => open(&path.to_string_lossy()).and_then(Store::with_engine),
            None => Err(StoreError::UnknownStorage(unknown.clone())),
        })))
    }
}

/// Returns a URL for people: without the user name, the password, the query and the fragment, which may be secrets.
fn shown_url(url: &str) -> String {
    let without_secrets = Url::parse(url).ok().and_then(|mut url| {
        url.set_query(None);
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            url.set_password(None).and_then(|()| url.set_username("")).ok()?;
        }
        Some(url.to_string())
    });
    // With `/`, `?` or `#` in a password, which should be percent-encoded, the password seems to be a port.
    without_secrets
        .unwrap_or_else(|| url.split_once("://").map_or_else(String::new, |(scheme, _)| format!("{scheme}://")))
}

/// What the static folder must not contain, because everyone could read it.
pub(super) struct PrivateFiles<'a> {
    /// A file of the definition.
    pub(super) definition: Option<&'a Path>,
    pub(super) data: &'a Path,
    /// The folder of stored files. The static folder must not be in it either.
    pub(super) stored: Option<&'a Path>,
    pub(super) others: Vec<&'a Path>,
}

impl PrivateFiles<'_> {
    /// Fails if the static folder contains one of the files, or is in the folder of stored files. A folder that does
    /// not exist contains nothing.
    pub(super) fn check_static_folder(&self, folder: &Path) -> io::Result<()> {
        let Ok(folder_path) = folder.canonicalize() else { return Ok(()) };
        let contains = |path: &Path| resolve(path).is_some_and(|path| path.starts_with(&folder_path));
        let definition = self.definition.filter(|path| contains(path)).and_then(Path::parent);
        let contained = [("definition", definition), ("data folder", Some(self.data)), ("stored files", self.stored)];
        let others = self.others.iter().map(|path| ("private file", Some(*path)));
        let mut contained = contained.into_iter().chain(others).filter_map(|(what, path)| Some((what, path?)));
        let why = match contained.find(|(what, path)| *what == "definition" || contains(path)) {
            Some((what, path)) => format!("contains the {what} {}", path.display()),
            None => match self.stored {
                Some(stored) if resolve(stored).is_some_and(|stored| folder_path.starts_with(stored)) => {
                    format!("is in the folder of stored files {}", stored.display())
                }
                _ => return Ok(()),
            },
        };
        let folder = folder.display();
        let why = format!("the static folder {folder} {why}: everyone could read its files; move one of the two");
        Err(io::Error::new(io::ErrorKind::InvalidInput, why))
    }
}

/// Returns a path without symbolic links, also that of a file that does not exist yet, in a folder that does.
fn resolve(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().or_else(|| Some(folder_of(path).canonicalize().ok()?.join(path.file_name()?)))
}

/// The path of the data folder if neither the program, the flag `--data` nor the definition sets the path.
const DEFAULT_DATA_FOLDER: &str = "data";

/// A handle for the path of the data folder, in which the server stores files such as keys and links.
///
/// The path is known once the definition has been read, because `data` in `app.json` may set it. A program gets the
/// handle from [`Rulebook::data_folder_handle`](crate::Rulebook::data_folder_handle) and reads the path later. A start
/// hook ([`Rulebook::on_start`](crate::Rulebook::on_start)) gets the path directly.
#[derive(Debug, Clone, Default)]
pub struct DataFolder(Arc<OnceLock<PathBuf>>);

impl DataFolder {
    /// Returns the path of the data folder. The folder may not exist yet. Before the definition has been read, the path
    /// is `data`, unless the program or the flag `--data` has set another path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.get().map_or(Path::new(DEFAULT_DATA_FOLDER), PathBuf::as_path)
    }

    /// Creates the folder, unless it exists. Only the user that runs the program can enter a new folder, because the
    /// data can be secret.
    ///
    /// # Errors
    /// Fails if the operating system does not create the folder.
    pub fn create(&self) -> io::Result<()> {
        create_private_folder(self.path())
    }

    pub(super) fn set_if_unset(&self, path: Option<PathBuf>) {
        if let Some(path) = path {
            self.0.get_or_init(|| path);
        }
    }
}
