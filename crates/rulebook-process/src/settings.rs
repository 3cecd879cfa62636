//! The settings of the kind `process`: those of a method's handler, and those that all handlers share.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonNode};
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

const DEFAULT_CONCURRENCY: u64 = 1;
const DEFAULT_QUEUE: u64 = 1_000;
const DEFAULT_MAX_MESSAGE: u64 = 8_000_000;
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
        let mut reader = SettingsReader { method: *method, shared: None, errors: Vec::new() };
        reader.read_shared_settings();
        let command = reader.command();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let settings = Self {
            pool: PoolSettings {
                command,
                workers: reader.integer(WORKERS, 1..=1_024, processors as u64),
                concurrency: reader.integer(CONCURRENCY, 1..=1_000, DEFAULT_CONCURRENCY),
                queue: reader.integer(QUEUE, 0..=1_000_000, DEFAULT_QUEUE),
                max_message: reader.byte_size(MAX_MESSAGE, 1_024..=1_000_000_000, DEFAULT_MAX_MESSAGE),
                start_timeout: reader.seconds(START_TIMEOUT, DEFAULT_START_TIMEOUT),
                stop_timeout: reader.seconds(STOP_TIMEOUT, DEFAULT_STOP_TIMEOUT),
                once: reader.boolean(ONCE),
                environment: reader.environment(),
                directory: reader.path(DIRECTORY).unwrap_or_else(|| PathBuf::from(".")),
            },
            timeout: reader.seconds(TIMEOUT, DEFAULT_TIMEOUT),
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
    fn read_shared_settings(&mut self) {
        let Some(node) = self.method.shared_settings(PROCESS) else { return };
        let JsonData::Object(members) = &node.data else {
            self.report_kind(node, "the settings of `process`", "an object", "for example `{\"workers\": 4}`");
            return;
        };
        self.shared = Some(node);
        for member in &members.list {
            let name = member.key.value.as_str();
            if !SETTINGS.contains(&name) && !member.is_comment() {
                let message = format!("handlers of the kind `process` share no setting `{}`", name.escape_debug());
                let help = format!("they can share {}", SETTINGS.map(|name| format!("`{name}`")).join(", "));
                self.errors.push(HandlerError::new(message).at(member.key.span).help(help));
            }
        }
    }

    fn setting(&self, name: &str) -> Option<&'a JsonNode> {
        self.method.optional_setting(name).or_else(|| self.shared?.member(name))
    }

    fn report(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(HandlerError::new(message).at(span).help(help));
    }

    /// Reports a value of the wrong JSON type.
    fn report_kind(&mut self, node: &JsonNode, subject: &str, expected: &str, help: &str) {
        self.report(node.span, format!("{subject} must be {expected}, but this is {}", node.describe_kind()), help);
    }

    /// Returns the program and its arguments; an empty list after an error.
    fn command(&mut self) -> Vec<String> {
        const HELP: &str = "write the program and its arguments: `[\"python3\", \"handlers.py\"]`";
        let node = self.method.setting(PROCESS);
        let JsonData::Array(items) = &node.data else {
            self.report_kind(node, "`process`", "an array of strings", HELP);
            return Vec::new();
        };
        if items.is_empty() {
            self.report(node.span, "the command in `process` is empty", HELP);
        }
        let mut command = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match item.string() {
                None => self.report_kind(item, "an item of `process`", "a string", HELP),
                Some(text) if text.value.contains('\0') => {
                    self.report(item.span, "an argument of a program cannot contain U+0000", "remove the character");
                }
                Some(text) if index == 0 && text.value.is_empty() => {
                    self.report(item.span, "the name of the program is empty", HELP);
                }
                Some(text) => command.push(text.value),
            }
        }
        command
    }

    fn integer(&mut self, name: &str, range: RangeInclusive<u64>, default: u64) -> usize {
        let value =
            self.number(name, &range, default, "a whole number", |node| node.integer().map(|value| value.value));
        usize::try_from(value).unwrap_or(usize::MAX)
    }

    fn byte_size(&mut self, name: &str, range: RangeInclusive<u64>, default: u64) -> usize {
        let expected = "a number of bytes, or a size such as `\"8MB\"`,";
        let value = self.number(name, &range, default, expected, |node| node.byte_size().map(|size| size.value));
        usize::try_from(value).unwrap_or(usize::MAX)
    }

    fn number(
        &mut self,
        name: &str,
        range: &RangeInclusive<u64>,
        default: u64,
        expected: &str,
        read: impl FnOnce(&JsonNode) -> Option<u64>,
    ) -> u64 {
        let Some(node) = self.setting(name) else { return default };
        let value = read(node);
        if let Some(value) = value.filter(|value| range.contains(value)) {
            return value;
        }
        let expected = format!("{expected} from {} to {}", range.start(), range.end());
        let help = format!("without `{name}`, it is {default}");
        match value {
            Some(value) => self.report(node.span, format!("`{name}` must be {expected}, but this is {value}"), help),
            None => self.report_kind(node, &format!("`{name}`"), &expected, &help),
        }
        default
    }

    /// Returns a time limit, which the definition writes as a number of seconds.
    fn seconds(&mut self, name: &str, default: Duration) -> Duration {
        const RANGE: RangeInclusive<f64> = 0.001..=86_400.0;
        let Some(node) = self.setting(name) else { return default };
        match &node.data {
            JsonData::Number(number) => match number.as_f64().filter(|seconds| RANGE.contains(seconds)) {
                Some(seconds) => return Duration::from_secs_f64(seconds),
                None => self.report(
                    node.span,
                    format!("`{name}` must be from 0.001 to 86400 seconds, but this is {number}"),
                    format!("without `{name}`, it is {} seconds", default.as_secs()),
                ),
            },
            _ => self.report_kind(node, &format!("`{name}`"), "a number of seconds", "for example 30"),
        }
        default
    }

    fn boolean(&mut self, name: &str) -> bool {
        match self.setting(name) {
            None => false,
            Some(JsonNode { data: JsonData::Bool(value), .. }) => *value,
            Some(node) => {
                self.report_kind(
                    node,
                    &format!("`{name}`"),
                    "true or false",
                    &format!("without `{name}`, it is false"),
                );
                false
            }
        }
    }

    fn path(&mut self, name: &str) -> Option<PathBuf> {
        let node = self.setting(name)?;
        match node.string() {
            None => self.report_kind(node, &format!("`{name}`"), "a string", "write the path of a folder"),
            Some(path) if path.value.is_empty() || path.value.contains('\0') => {
                self.report(node.span, format!("`{name}` is not a path"), "write the path of a folder");
            }
            Some(path) => return Some(PathBuf::from(path.value)),
        }
        None
    }

    fn environment(&mut self) -> Vec<(String, String)> {
        const HELP: &str = "for example `{\"LANG\": \"C.UTF-8\"}`";
        let Some(node) = self.setting(ENVIRONMENT) else { return Vec::new() };
        let JsonData::Object(members) = &node.data else {
            self.report_kind(node, "`environment`", "an object", HELP);
            return Vec::new();
        };
        let mut variables = Vec::new();
        for member in &members.list {
            let name = &member.key.value;
            match member.value.string() {
                _ if name.is_empty() || name.contains(['=', '\0']) => {
                    let message = format!("`{}` is not a name of an environment variable", name.escape_debug());
                    self.report(member.key.span, message, "a name has no `=`");
                }
                None => self.report_kind(&member.value, "the value of an environment variable", "a string", HELP),
                Some(value) if value.value.contains('\0') => {
                    self.report(value.span, "an environment variable cannot contain U+0000", "remove the character");
                }
                Some(value) => variables.push((name.clone(), value.value)),
            }
        }
        variables
    }
}
