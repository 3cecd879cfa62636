//! The kind of handler `process`, and its settings: those of a method's handler, and those that all handlers share.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rulebook::handler_kind::settings::{boolean, byte_size, path, seconds, text_members, texts, whole_number};
use rulebook::handler_kind::{
    CheckContext, CheckFuture, CompiledHandler, HandledMethod, HandlerError, HandlerKind, JsonNode, Measure,
    ReadinessCheck, SettingNames, SettingsReader, StartFuture,
};
use rulebook::model::Api;

use crate::handler::MethodHandler;
use crate::pool::{Pool, Supervisor};
use crate::worker::is_program_missing;

/// The kind of handler `process`: worker processes handle the calls of methods.
///
/// The processes run from [`HandlerKind::start`] until the last handler is dropped, together with the API. This waits
/// until all processes have ended: they have the time in the setting `stop_timeout` to do so, and are killed after it.
#[derive(Debug, Default)]
pub struct ProcessKind {
    pools: Mutex<Vec<Arc<Pool>>>,
    /// The thread that runs the workers, after the start. Each handler keeps it.
    supervisor: Arc<OnceLock<Supervisor>>,
}

impl ProcessKind {
    /// Creates the kind, for one API.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock_pools(&self) -> MutexGuard<'_, Vec<Arc<Pool>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HandlerKind for ProcessKind {
    fn name(&self) -> &str {
        PROCESS
    }

    fn settings(&self) -> &[&str] {
        NAMES.handler
    }

    fn compile(&self, method: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>> {
        let settings = MethodSettings::read(method)?;
        let mut pools = self.lock_pools();
        let known = pools.iter().find(|pool| pool.settings == settings.pool).cloned();
        let pool = known.unwrap_or_else(|| {
            let pool = Arc::new(Pool::new(settings.pool.clone(), method_ids(method.api)));
            pools.push(Arc::clone(&pool));
            pool
        });
        pool.add_method(method.method, method.setting(PROCESS).span);
        Ok(Arc::new(MethodHandler::new(method.method, settings, pool, Arc::clone(&self.supervisor))))
    }

    fn readiness_checks(&self) -> Vec<ReadinessCheck> {
        let pools = self.lock_pools().clone();
        let check = move || {
            let stopped = pools.iter().find(|pool| !pool.is_available()).map(|pool| pool.name.clone());
            std::future::ready(stopped.map_or(Ok(()), |command| Err(format!("no worker is ready: {command}"))))
        };
        vec![ReadinessCheck::new(PROCESS, check)]
    }

    fn measure(&self) -> Option<Measure> {
        let pools = self.lock_pools().clone();
        Some(Box::new(move || (1..).zip(&pools).flat_map(|(number, pool)| pool.measure(number)).collect()))
    }

    fn source_files(&self) -> Vec<PathBuf> {
        let pools = self.lock_pools();
        let files = pools.iter().flat_map(|pool| {
            let PoolSettings { command, directory, .. } = &pool.settings;
            // The program is one file, or the interpreter of one.
            command.iter().map(|argument| directory.join(argument)).filter(|path| path.is_file())
        });
        files.collect()
    }

    fn start<'a>(&'a self, _: &'a Path) -> StartFuture<'a> {
        Box::pin(async move {
            let pools = self.lock_pools().clone();
            let supervisor = Supervisor::start(pools, usize::MAX).await?;
            // The engine starts a kind once.
            let _ = self.supervisor.set(supervisor);
            Ok(())
        })
    }

    /// Starts a worker of each pool, and compares its functions with the methods.
    fn check<'a>(&'a self, _: CheckContext<'a>) -> CheckFuture<'a> {
        Box::pin(async move {
            let pools = self.lock_pools().clone();
            let (missing, pools): (Vec<_>, Vec<_>) =
                pools.into_iter().partition(|pool| is_program_missing(&pool.settings));
            // The workers end with the supervisor.
            drop(Supervisor::start(pools, 1).await?);
            Ok(missing.iter().map(|pool| pool.unchecked()).collect())
        })
    }
}

fn method_ids(api: &Api) -> HashSet<String> {
    let services = api.services();
    services.flat_map(|service| &service.methods).map(|method| method.id.clone()).collect()
}

/// The name of the kind, and of the setting with the command.
const PROCESS: &str = "process";

/// The environment variable with the time zone of dates and times without an offset.
const TIMEZONE_VARIABLE: &str = "RULEBOOK_TIMEZONE";

/// The names of the settings besides the command.
pub const NAMES: SettingNames = SettingNames {
    handler: &[
        "workers",
        "concurrency",
        "queue",
        "timeout",
        "start_timeout",
        "stop_timeout",
        "max_message",
        "once",
        "environment",
        "directory",
        "files",
    ],
    unshared: &[],
    only_shared: &[],
};

/// The settings of a pool of workers. Methods with equal settings share a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// The program and its arguments. There is at least the program.
    pub command: Vec<String>,
    /// The number of processes; with `once`, the maximum number at the same time.
    pub workers: usize,
    /// The maximum number of calls that a worker handles at the same time.
    pub concurrency: usize,
    /// The maximum number of calls that wait for a worker.
    pub queue: usize,
    /// The maximum size of a message in bytes.
    pub max_message: usize,
    pub start_timeout: Duration,
    /// The time limit until a worker ends after its input was closed.
    pub stop_timeout: Duration,
    /// `true` if each call starts a process.
    pub once: bool,
    pub environment: Vec<(String, String)>,
    pub directory: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodSettings {
    pub pool: PoolSettings,
    pub timeout: Duration,
    /// The folder with the files that handlers may return.
    pub files: Option<PathBuf>,
}

impl MethodSettings {
    /// A setting of the method overrides the one that all handlers share. Returns all errors in these settings.
    pub fn read(method: &HandledMethod<'_>) -> Result<Self, Vec<HandlerError>> {
        let mut reader = SettingsReader::new(*method, PROCESS, &NAMES);
        let folder = |node: &JsonNode, name: &str| {
            let folder = path(node, name, method.api).map_err(|error| error.help("write the path of a folder"))?;
            Ok(folder.value)
        };
        let command = read_command(&mut reader);
        let workers = reader.read("workers", |node, name| whole_number(node, name, 1..=1_024));
        let concurrency = reader.read("concurrency", |node, name| whole_number(node, name, 1..=1_000));
        let queue = reader.read("queue", |node, name| whole_number(node, name, 0..=1_000_000));
        let max_message = reader.read("max_message", |node, name| byte_size(node, name, 1_024..=1_000_000_000));
        let mut time = |name, default| reader.read(name, seconds).unwrap_or(Duration::from_secs(default));
        let timeout = time("timeout", 30);
        let settings = Self {
            pool: PoolSettings {
                command,
                workers: workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
                concurrency: concurrency.unwrap_or(1),
                queue: queue.unwrap_or(1_000),
                max_message: max_message.unwrap_or(8_000_000),
                start_timeout: time("start_timeout", 30),
                stop_timeout: time("stop_timeout", 5),
                once: reader.read("once", boolean).unwrap_or(false),
                environment: read_environment(&mut reader),
                directory: reader.read("directory", folder).unwrap_or_else(|| method.api.path(".")),
            },
            timeout,
            files: reader.read("files", folder),
        };
        if reader.errors.is_empty() { Ok(settings) } else { Err(reader.errors) }
    }
}

fn read_command(reader: &mut SettingsReader<'_>) -> Vec<String> {
    const HELP: &str = "write the program and its arguments: `[\"python3\", \"handlers.py\"]`";
    let span = reader.method.setting(PROCESS).span;
    let items = reader.read_list(PROCESS, |node, name| {
        let items = texts(node, name).map_err(|errors| with_help(errors, HELP))?;
        if items.is_empty() {
            return Err(vec![HandlerError::new("the command in `process` is empty").at(span).help(HELP)]);
        }
        Ok(items)
    });
    if let Some(program) = items.first().filter(|program| program.value.is_empty()) {
        reader.errors.push(HandlerError::new("the name of the program is empty").at(program.span).help(HELP));
    }
    for item in items.iter().filter(|item| item.value.contains('\0')) {
        let error = HandlerError::new("an argument of a program cannot contain U+0000").at(item.span);
        reader.errors.push(error.help("remove the character"));
    }
    items.into_iter().map(|item| item.value).collect()
}

/// Adds the variable with the time zone. The variables are sorted by name: their order has no meaning.
fn read_environment(reader: &mut SettingsReader<'_>) -> Vec<(String, String)> {
    let members = reader.read_list("environment", |node, name| {
        text_members(node, name).map_err(|errors| with_help(errors, "for example `{\"LANG\": \"C.UTF-8\"}`"))
    });
    for (name, value) in &members {
        if name.value.is_empty() || name.value.contains(['=', '\0']) {
            let message = format!("`{}` is not a name of an environment variable", name.value.escape_debug());
            reader.errors.push(HandlerError::new(message).at(name.span).help("a name has no `=`"));
        }
        if value.value.contains('\0') {
            let error = HandlerError::new("an environment variable cannot contain U+0000").at(value.span);
            reader.errors.push(error.help("remove the character"));
        }
    }
    let mut variables: Vec<_> = members.into_iter().map(|(name, value)| (name.value, value.value)).collect();
    if variables.iter().all(|(name, _)| name != TIMEZONE_VARIABLE) {
        variables.push((TIMEZONE_VARIABLE.to_owned(), reader.method.api.timezone.clone()));
    }
    variables.sort_unstable();
    variables
}

fn with_help(errors: Vec<HandlerError>, help: &str) -> Vec<HandlerError> {
    errors.into_iter().map(|error| error.help(help)).collect()
}
