//! Starts an engine: creates the data folder, and runs the start hooks of the program. Start hooks run only once.

use std::fmt;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use futures_util::FutureExt;
use futures_util::future::join_all;
use thiserror::Error;
use tokio::runtime;
use tokio::sync::{oneshot, watch};

use super::folders::DataFolder;
use super::used_kinds::UsedKinds;
use crate::handler::{Migrations, ProgramState};
use crate::secret::create_private_folder;

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

type BeginHooks = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// The start hooks of an engine and its kinds of handlers, and the result after they have started.
pub(super) struct EngineStart {
    /// Starts the hooks; `None` once they have been started.
    pending: Mutex<Option<BeginHooks>>,
    /// The result of the start; `None` until it has ended.
    outcome: watch::Receiver<Option<StartResult>>,
}

impl EngineStart {
    pub(super) fn new(
        hooks: Vec<StartHook>,
        kinds: UsedKinds,
        migrations: Migrations,
        data_folder: &DataFolder,
        state: ProgramState,
    ) -> Self {
        let is_pending = !hooks.is_empty() || !kinds.kinds.is_empty();
        let (sender, outcome) = watch::channel((!is_pending).then_some(Ok(())));
        let data_folder = data_folder.path().to_owned();
        let begin = move || begin_hooks(hooks, kinds, migrations, data_folder, state, sender);
        let pending: Option<BeginHooks> = is_pending.then(|| Box::new(begin) as _);
        Self { pending: Mutex::new(pending), outcome }
    }

    /// Runs the start hooks if they have not run yet, and waits until they have ended. The hooks continue to run even
    /// if the caller stops waiting.
    pub(super) async fn wait(&self) -> io::Result<()> {
        if let Some(begin) = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take() {
            begin()?;
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
fn begin_hooks(
    hooks: Vec<StartHook>,
    kinds: UsedKinds,
    migrations: Migrations,
    data_folder: PathBuf,
    state: ProgramState,
    outcome: watch::Sender<Option<StartResult>>,
) -> io::Result<()> {
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
        // What was prepared for a program that does not start is undone. From now on, only handlers keep what they use.
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
