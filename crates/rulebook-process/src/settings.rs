//! The settings of the kind `process`: those of a method's handler, and those that all handlers share.

use std::path::PathBuf;
use std::time::Duration;

use rulebook::handler_kind::settings::{
    boolean, byte_size, non_empty_text, seconds, text_members, texts, unknown_settings, whole_number,
};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonNode};
use rulebook::model::Span;

/// The name of the kind, and of the setting with the command.
pub const PROCESS: &str = "process";

const WORKERS: &str = "workers";
const CONCURRENCY: &str = "concurrency";
const QUEUE: &str = "queue";
const TIMEOUT: &str = "timeout";
const START_TIMEOUT: &str = "start_timeout";
const STOP_TIMEOUT: &str = "stop_timeout";
const MAX_MESSAGE: &str = "max_message";
const ONCE: &str = "once";
const ENVIRONMENT: &str = "environment";
const DIRECTORY: &str = "directory";
const FILES: &str = "files";

/// The names of the settings besides the command. All handlers can share them.
pub const SETTINGS: [&str; 11] = [
    WORKERS,
    CONCURRENCY,
    QUEUE,
    TIMEOUT,
    START_TIMEOUT,
    STOP_TIMEOUT,
    MAX_MESSAGE,
    ONCE,
    ENVIRONMENT,
    DIRECTORY,
    FILES,
];

const DEFAULT_CONCURRENCY: usize = 1;
const DEFAULT_QUEUE: usize = 1_000;
const DEFAULT_MAX_MESSAGE: usize = 8_000_000;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_START_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_STOP_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// The time limit until a new worker is ready.
    pub start_timeout: Duration,
    /// The time limit until a worker ends after its input was closed.
    pub stop_timeout: Duration,
    /// `true` if each call starts a process.
    pub once: bool,
    /// Environment variables of the processes, by name.
    pub environment: Vec<(String, String)>,
    /// The working directory of the processes.
    pub directory: PathBuf,
}

/// The settings of a method's handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodSettings {
    /// The settings of the pool that handles the method.
    pub pool: PoolSettings,
    /// The time limit of a call.
    pub timeout: Duration,
    /// The folder with the files that handlers may return.
    pub files: Option<PathBuf>,
}

impl MethodSettings {
    /// Reads the settings of a method's handler. A setting of the method overrides the one that all handlers share.
    ///
    /// # Errors
    /// Returns all errors in these settings.
    pub fn read(method: &HandledMethod<'_>) -> Result<Self, Vec<HandlerError>> {
        let mut reader = SettingsReader::new(*method);
        let command = reader.command();
        let workers = reader.read(WORKERS, |node, name| whole_number(node, name, 1..=1_024));
        let concurrency = reader.read(CONCURRENCY, |node, name| whole_number(node, name, 1..=1_000));
        let queue = reader.read(QUEUE, |node, name| whole_number(node, name, 0..=1_000_000));
        let max_message = reader.read(MAX_MESSAGE, |node, name| byte_size(node, name, 1_024..=1_000_000_000));
        let settings = Self {
            pool: PoolSettings {
                command,
                workers: workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
                concurrency: concurrency.unwrap_or(DEFAULT_CONCURRENCY),
                queue: queue.unwrap_or(DEFAULT_QUEUE),
                max_message: max_message.unwrap_or(DEFAULT_MAX_MESSAGE),
                start_timeout: reader.read(START_TIMEOUT, seconds).unwrap_or(DEFAULT_START_TIMEOUT),
                stop_timeout: reader.read(STOP_TIMEOUT, seconds).unwrap_or(DEFAULT_STOP_TIMEOUT),
                once: reader.read(ONCE, boolean).unwrap_or(false),
                environment: reader.environment(),
                directory: reader.path(DIRECTORY).unwrap_or_else(|| PathBuf::from(".")),
            },
            timeout: reader.read(TIMEOUT, seconds).unwrap_or(DEFAULT_TIMEOUT),
            files: reader.path(FILES),
        };
        if reader.errors.is_empty() { Ok(settings) } else { Err(reader.errors) }
    }
}

struct SettingsReader<'a> {
    method: HandledMethod<'a>,
    /// The settings that all handlers share.
    shared: Option<&'a JsonNode>,
    errors: Vec<HandlerError>,
}

impl<'a> SettingsReader<'a> {
    /// Creates a reader. Errors in the names of shared settings are reported.
    fn new(method: HandledMethod<'a>) -> Self {
        let shared = method.shared_settings(PROCESS);
        let errors = shared.map(|shared| unknown_settings(shared, "handlers.process", &SETTINGS)).unwrap_or_default();
        Self { method, shared, errors }
    }

    fn setting(&self, name: &str) -> Option<&'a JsonNode> {
        self.method.optional_setting(name).or_else(|| self.shared?.member(name))
    }

    /// Reads a setting of the method, or else the shared one, with a function of
    /// [`settings`](rulebook::handler_kind::settings).
    fn read<T>(&mut self, name: &str, read: impl FnOnce(&JsonNode, &str) -> Result<T, HandlerError>) -> Option<T> {
        read(self.setting(name)?, name).map_err(|error| self.errors.push(error)).ok()
    }

    fn report(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(HandlerError::new(message).at(span).help(help));
    }

    /// Returns the program and its arguments; an empty list after an error.
    fn command(&mut self) -> Vec<String> {
        const HELP: &str = "write the program and its arguments: `[\"python3\", \"handlers.py\"]`";
        let node = self.method.setting(PROCESS);
        let items = match texts(node, PROCESS) {
            Ok(items) => items,
            Err(errors) => {
                self.errors.extend(errors.into_iter().map(|error| error.help(HELP)));
                return Vec::new();
            }
        };
        match items.first() {
            None => self.report(node.span, "the command in `process` is empty", HELP),
            Some(program) if program.value.is_empty() => {
                self.report(program.span, "the name of the program is empty", HELP);
            }
            Some(_) => {}
        }
        for item in items.iter().filter(|item| item.value.contains('\0')) {
            self.report(item.span, "an argument of a program cannot contain U+0000", "remove the character");
        }
        items.into_iter().map(|item| item.value).collect()
    }

    fn path(&mut self, name: &str) -> Option<PathBuf> {
        let help = "write the path of a folder";
        self.read(name, |node, name| non_empty_text(node, name).map_err(|error| error.help(help)))
            .map(|path| PathBuf::from(path.value))
    }

    fn environment(&mut self) -> Vec<(String, String)> {
        let Some(node) = self.setting(ENVIRONMENT) else { return Vec::new() };
        let members = match text_members(node, ENVIRONMENT) {
            Ok(members) => members,
            Err(errors) => {
                let help = "for example `{\"LANG\": \"C.UTF-8\"}`";
                self.errors.extend(errors.into_iter().map(|error| error.help(help)));
                return Vec::new();
            }
        };
        for (name, value) in &members {
            if name.value.is_empty() || name.value.contains(['=', '\0']) {
                let message = format!("`{}` is not a name of an environment variable", name.value.escape_debug());
                self.report(name.span, message, "a name has no `=`");
            }
            if value.value.contains('\0') {
                self.report(value.span, "an environment variable cannot contain U+0000", "remove the character");
            }
        }
        members.into_iter().map(|(name, value)| (name.value, value.value)).collect()
    }
}
