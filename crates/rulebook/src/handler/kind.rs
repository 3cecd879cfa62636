//! Kinds of handlers that a definition can choose for its methods, instead of code of the program; how they read their
//! settings; and their measurements and readiness checks.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use rulebook_model::definition::{JsonMember, JsonNode};
use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode, Source};
use rulebook_model::error::ErrorCode;
use rulebook_model::model::{Api, DefinedHandler, Method};
use rulebook_model::span::Span;
use rulebook_model::suggest::closest_word;
use rulebook_model::variables::{VariableError, expand};

use super::settings::{object, unknown_setting};
use super::{Context, HandlerFuture};
use crate::call::ArgumentSlots;

/// A kind of handler. A definition chooses it by its name: `"handler": {"value": {"id": 5}}` has the kind `value`.
/// Programs add kinds with [`Rulebook::handler_kind`](crate::Rulebook::handler_kind).
///
/// ```
/// use std::sync::Arc;
///
/// use rulebook::handler_kind::{
///     ArgumentSlots, CompiledHandler, HandledMethod, HandlerError, HandlerFuture, HandlerKind, ReturnedValue,
///     settings,
/// };
/// use rulebook::{Context, Rulebook};
/// use serde_json::json;
///
/// /// `{"repeat": "text", "times": 3}`: the output `text` is the text, three times.
/// struct Repeat;
///
/// impl HandlerKind for Repeat {
///     fn name(&self) -> &str {
///         "repeat"
///     }
///
///     fn settings(&self) -> &[&str] {
///         &["times"]
///     }
///
///     fn compile(&self, method: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>> {
///         let text = settings::text(method.setting("repeat"), "repeat");
///         let times = method.optional_setting("times");
///         let times = times.map_or(Ok(2), |node| settings::whole_number(node, "times", 1..=100_usize));
///         match (text, times) {
///             (Ok(text), Ok(times)) => Ok(Arc::new(Text(text.value.repeat(times)))),
///             (text, times) => Err([text.err(), times.err()].into_iter().flatten().collect()),
///         }
///     }
/// }
///
/// struct Text(String);
///
/// impl CompiledHandler for Text {
///     fn start(&self, _: ArgumentSlots<'_, '_>, _: Context) -> HandlerFuture {
///         let outputs = json!({ "text": self.0 });
///         Box::pin(async { Ok(ReturnedValue::Outputs(Box::new(outputs))) })
///     }
/// }
///
/// let definition = r#"{ "/": { "song": { "GET": {
///     "info": "A song",
///     "out": { "text": { "info": "Its text", "type": "string" } },
///     "handler": { "repeat": "la", "times": 3 }
/// } } } }"#;
/// let engine = Rulebook::read(vec![("song.json".into(), definition.into())]).handler_kind(Repeat).build().unwrap();
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let response = runtime.block_on(engine.call("song.get").send());
/// # assert_eq!(response.get("text"), Some(&json!("lalala")));
/// ```
pub trait HandlerKind: Send + Sync {
    /// Returns the name of the kind: the key of its main setting.
    fn name(&self) -> &str;

    /// Returns the keys of the other settings.
    fn settings(&self) -> &[&str] {
        &[]
    }

    /// Checks the settings of a method's handler, and returns the handler.
    ///
    /// # Errors
    /// Fails if settings are wrong, or do not agree with the parameters, outputs and errors of the method. All errors
    /// are reported together.
    fn compile(&self, method: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>>;

    /// Returns the readiness checks of the handlers of this kind: for example, whether their database responds. This
    /// function is called once, after the handlers of all methods are compiled.
    fn readiness_checks(&self) -> Vec<ReadinessCheck> {
        Vec::new()
    }

    /// Returns the function that measures what `/metrics` reports of this kind; `None` if it has no metrics. This
    /// function is called like [`HandlerKind::readiness_checks`].
    fn measure(&self) -> Option<Measure> {
        None
    }

    /// Returns the files with the code of the handlers. A server that watches its definition loads the API again when
    /// one of them has changed, or another file of the same folder with the same extension. This function is called
    /// once, after the handlers of all methods are compiled.
    fn source_files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Returns what the handlers were made from besides the definition and the [files with their
    /// code](HandlerKind::source_files), such as the contents of other files. When a server reads its definition again,
    /// it keeps its handlers if all of this is unchanged. This function is called like
    /// [`HandlerKind::readiness_checks`].
    fn inputs(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// Returns the files of the handlers of this kind that only the server may read, such as a database: the server
    /// does not start if they are in the folder of static files. This function is called like
    /// [`HandlerKind::readiness_checks`]. `data_folder` is the data folder, which may not exist yet.
    fn private_files(&self, _data_folder: &Path) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Begins what the handlers of this kind need besides data, such as worker processes and pools of connections. This
    /// function is called once, after [`HandlerKind::readiness_checks`], and once more after [`HandlerKind::commit`] if
    /// it has failed and the changed data may be the cause. `data_folder` is the data folder, which exists. Tasks that
    /// the future spawns run as long as the API is served.
    ///
    /// # Errors
    /// Fails if the API cannot be served. The errors are shown as those of [`HandlerKind::compile`].
    fn start<'a>(&'a self, _data_folder: &'a Path) -> StartFuture<'a> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Prepares the changes of data that the API needs, such as pending migrations, and compares the handlers with the
    /// changed data. No other program sees the changes before [`HandlerKind::commit`]; they are undone if the kind is
    /// dropped without it. This function is called once, after all kinds have started. Returns whether there are
    /// changes.
    ///
    /// # Errors
    /// Fails if the API cannot be served with the data.
    fn prepare<'a>(&'a self, _context: PrepareContext<'a>) -> PrepareFuture<'a> {
        Box::pin(std::future::ready(Ok(DataChanges::None)))
    }

    /// Makes the prepared changes of data effective. This function is called once, after everything else that the API
    /// needs has succeeded.
    ///
    /// # Errors
    /// Fails if the changes cannot be made effective.
    fn commit(&self) -> StartFuture<'_> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Returns a future that ends what the handlers of this kind have begun outside of the program, such as a record of
    /// it in a database. This function is called once, after the start; the future runs after the API is no longer
    /// served, unless the program ends before. It must not keep the handlers.
    fn stop(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Finds the errors that [`HandlerKind::start`] and [`HandlerKind::prepare`] would report, without an effect on the
    /// data of the API. The command `check` calls this function after the handlers of all methods are compiled. Returns
    /// what it cannot check, each with the reason, which are warnings.
    ///
    /// # Errors
    /// Fails like [`HandlerKind::start`].
    fn check<'a>(&'a self, _check: CheckContext<'a>) -> CheckFuture<'a> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// What [`HandlerKind::check`] can use.
#[derive(Debug, Clone, Copy)]
pub struct CheckContext<'a> {
    /// An empty folder, which is removed after the check.
    pub folder: &'a Path,
    /// The addresses of database servers on which the check can create databases. It removes them.
    pub databases: &'a [String],
}

/// The future of [`HandlerKind::check`].
pub type CheckFuture<'a> = BoxFuture<'a, Result<Vec<HandlerError>, Vec<HandlerError>>>;

/// What [`HandlerKind::prepare`] can use.
#[derive(Debug, Clone, Copy)]
pub struct PrepareContext<'a> {
    /// The folder of the program's own files. It exists.
    pub data_folder: &'a Path,
    /// Which changes of data the caller allows.
    pub migrations: Migrations,
}

/// Which changes of the tables of databases the start of an API makes ([`Rulebook::migrations`]).
///
/// [`Rulebook::migrations`]: crate::Rulebook::migrations
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Migrations {
    /// The databases to which pending migrations are applied.
    pub apply: ApplyMigrations,
    /// Whether migrations may remove tables, columns or rows.
    pub allow_loss: bool,
    /// Whether migrations may break calls of other servers that run.
    pub allow_breaking: bool,
}

/// The databases to which the start of an API applies pending migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ApplyMigrations {
    /// Databases without tables: nothing can be lost in them.
    #[default]
    ToNewDatabases,
    /// Databases without tables, and files of SQLite. If the text of an applied migration has changed since, the file
    /// goes back to the copy from before it. Only for development.
    ToEditedFiles,
    /// All databases.
    ToAllDatabases,
    /// Files of SQLite without tables: databases of a server are left to others.
    ToNewFiles,
}

/// Whether [`HandlerKind::prepare`] has prepared changes of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataChanges {
    /// There is nothing to commit.
    None,
    /// [`HandlerKind::commit`] makes changes effective, which these lines describe.
    Prepared(Vec<String>),
    /// The same, for data that does not exist yet, so that handlers may need it when they start.
    New(Vec<String>),
}

/// Why the API cannot be served with the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrepareError {
    /// The errors, which are shown as those of [`HandlerKind::compile`].
    pub errors: Vec<HandlerError>,
    /// The number of pending migrations that could be the cause; 0 if the definition is wrong.
    pub pending: usize,
}

impl From<Vec<HandlerError>> for PrepareError {
    fn from(errors: Vec<HandlerError>) -> Self {
        Self { errors, pending: 0 }
    }
}

/// Returns whether there are changes to commit ([`HandlerKind::prepare`]).
pub type PrepareFuture<'a> = BoxFuture<'a, Result<DataChanges, PrepareError>>;

/// The future of [`HandlerKind::start`].
pub type StartFuture<'a> = BoxFuture<'a, Result<(), Vec<HandlerError>>>;

/// A handler that a definition chooses, ready for calls.
pub trait CompiledHandler: Send + Sync {
    /// Returns the future that handles one call. The arguments have passed their checks. They borrow from the request,
    /// so that the future must contain copies of them.
    ///
    /// The future may be dropped before it is polled: for example, if the response for the idempotency key of the
    /// request has been stored. So this function has no effects outside of the future; spans, too, begin in the future.
    fn start(&self, arguments: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture;

    /// Returns how the outputs of the handler are compared with the definition.
    fn outputs_check(&self) -> OutputsCheck {
        OutputsCheck::Enforced
    }

    /// Returns whether the handler reads the body of the request with [`Context::body`], in addition to the arguments.
    fn body_access(&self) -> BodyAccess {
        BodyAccess::None
    }
}

/// How the outputs of a handler are compared with the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputsCheck {
    /// Outputs that differ from the definition are an internal error. Members that are not outputs are not sent.
    Enforced,
    /// All outputs are sent as they are. Differences from the definition are counted, and the first one is logged.
    Described,
    /// The outputs are known to be valid, and are not compared.
    Known,
}

/// Which bodies of requests a handler reads, in addition to the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyAccess {
    /// The handler reads no body.
    None,
    /// The handler reads bodies with parameters: JSON and forms.
    Parameters,
    /// The handler reads bodies of any media type, even if the method has no parameters in the body. A body that is
    /// neither JSON nor a form contains no arguments.
    Any,
}

/// A method whose handler is compiled.
#[derive(Debug, Clone, Copy)]
pub struct HandledMethod<'a> {
    /// The method.
    pub method: &'a Method,
    /// The settings of its handler.
    pub handler: &'a DefinedHandler,
    /// The API that contains the method.
    pub api: &'a Api,
}

/// What a method returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodReturns {
    /// An object, whose members are the outputs.
    Outputs,
    /// A single output, which is the whole body.
    Whole,
    /// No outputs.
    Nothing,
    /// A file.
    File,
}

impl<'a> HandledMethod<'a> {
    /// Returns what the method returns.
    #[must_use]
    pub fn returns(&self) -> MethodReturns {
        match self.method.returned_whole() {
            _ if self.method.options.download => MethodReturns::File,
            Some(_) => MethodReturns::Whole,
            None if self.method.returned_outputs().next().is_none() => MethodReturns::Nothing,
            None => MethodReturns::Outputs,
        }
    }

    /// Returns the names of the errors that the handler can return: the declared errors and, if a parameter is the
    /// version that the request changes, `version-mismatch`.
    #[must_use]
    pub fn returnable_errors(&self) -> Vec<&'a str> {
        let declared = self.method.errors.iter().map(|error| error.name.as_str());
        let mismatch = self.method.reads_version().then_some(ErrorCode::VersionMismatch.row().name);
        declared.chain(mismatch).collect()
    }

    /// Returns the value of the setting whose key is the name of the kind. It is always there.
    ///
    /// # Panics
    /// Panics if the handler has no setting with this name.
    #[must_use]
    pub fn setting(&self, kind: &str) -> &'a JsonNode {
        self.optional_setting(kind).unwrap_or_else(|| panic!("the handler is not of the kind `{kind}`"))
    }

    /// Returns the settings that all handlers of a kind share: the member with the name of the kind in the setting
    /// `handlers` of `app.json`.
    #[must_use]
    pub fn shared_settings(&self, kind: &str) -> Option<&'a JsonNode> {
        self.api.handlers.as_ref()?.kind(kind)
    }

    /// Returns the value of another setting; `None` if the definition does not have it.
    #[must_use]
    pub fn optional_setting(&self, name: &str) -> Option<&'a JsonNode> {
        self.handler.setting(name).map(|member| &member.value)
    }
}

/// An error in the settings of a handler or of an authenticator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerError {
    /// What is wrong.
    pub message: String,
    /// The part of the definition that is wrong; `None` for the whole handler.
    pub span: Option<Span>,
    /// What to do.
    pub help: Option<String>,
    /// `true` if the line of the definition may contain a password, so that only its position is shown.
    pub hides_line: bool,
    /// The file that contains the span, if it is not a file of the definition.
    pub file: Option<Arc<Source>>,
}

impl HandlerError {
    /// Creates an error that concerns the whole handler.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, help: None, hides_line: false, file: None }
    }

    /// Sets the part of the definition that is wrong.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Sets the file that contains the span, if it is not a file of the definition.
    #[must_use]
    pub fn in_file(mut self, file: Arc<Source>) -> Self {
        self.file = Some(file);
        self
    }

    /// Shows only the position of the error, and not the line of the definition, which may contain a password.
    #[must_use]
    pub fn hide_line(mut self) -> Self {
        self.hides_line = true;
        self
    }

    /// Adds what the author of the definition can do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns the error as a diagnostic. `whole` is the span of an error without a span.
    pub(crate) fn into_diagnostic(self, code: DiagnosticCode, whole: Span) -> Diagnostic {
        let Self { message, span, help, hides_line, file } = self;
        let diagnostic = Diagnostic::new(code, span.unwrap_or(whole), message);
        let mut diagnostic = if hides_line { diagnostic.hide_line() } else { diagnostic };
        (diagnostic.help, diagnostic.file) = (help, file);
        diagnostic
    }

    /// Adds help for the author of an unknown name: the known name that resembles `word`, and the list of known names.
    /// `what` is their noun in plural, such as "settings".
    #[must_use]
    pub fn suggest(self, word: &str, what: &str, known: &[&str]) -> Self {
        let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let list = if known.is_empty() { format!("there are no {what}") } else { format!("the {what} are {list}") };
        self.help(match closest_word(word, known.iter().copied()) {
            Some(closest) => format!("did you mean `{closest}`? {list}"),
            None => list,
        })
    }
}

/// The names of the settings of a kind of handlers, besides that with the name of the kind.
#[derive(Debug, Clone, Copy)]
pub struct SettingNames {
    /// The settings of a handler.
    pub handler: &'static [&'static str],
    /// Those of them that belong to one handler, so that handlers cannot share them.
    pub unshared: &'static [&'static str],
    /// The settings that only all handlers together have.
    pub only_shared: &'static [&'static str],
}

/// Reads the settings of a handler: those of its method, and otherwise those that all handlers of the kind share.
#[derive(Debug)]
pub struct SettingsReader<'a> {
    /// The method whose handler is compiled.
    pub method: HandledMethod<'a>,
    /// The errors that were found.
    pub errors: Vec<HandlerError>,
    shared: Option<&'a JsonNode>,
}

impl<'a> SettingsReader<'a> {
    /// Creates a reader for a method whose handler has this kind. Other names of shared settings are errors.
    #[must_use]
    pub fn new(method: HandledMethod<'a>, kind: &str, names: &SettingNames) -> Self {
        let mut reader = Self { method, errors: Vec::new(), shared: method.shared_settings(kind) };
        let Some(shared) = reader.shared else { return reader };
        let owner = format!("handlers.{kind}");
        let members = object(shared, &owner).map_err(|error| reader.errors.push(error)).unwrap_or_default();
        let is_shared = |name: &&str| !names.unshared.contains(name);
        let known: Vec<_> = names.only_shared.iter().chain(names.handler).copied().filter(is_shared).collect();
        for JsonMember { key, .. } in members {
            let name = key.value.as_str();
            if names.unshared.contains(&name) {
                let error = HandlerError::new(format!("`{name}` belongs to one method")).at(key.span);
                reader.errors.push(error.help("move it to the `handler` of the method"));
            } else if !known.contains(&name) {
                reader.errors.push(unknown_setting(key, &format!("`{owner}`"), &known));
            }
        }
        reader
    }

    /// Returns the value of a setting that only all handlers together can have.
    #[must_use]
    pub fn shared_node(&self, name: &str) -> Option<&'a JsonNode> {
        self.shared?.member(name)
    }

    /// Returns the value of a setting of the method, or else of a shared setting.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&'a JsonNode> {
        self.method.optional_setting(name).or_else(|| self.shared_node(name))
    }

    /// Reads a setting with a function of [`settings`](super::settings), if the definition contains it.
    pub fn read<T>(&mut self, name: &str, read: impl FnOnce(&JsonNode, &str) -> Result<T, HandlerError>) -> Option<T> {
        read(self.node(name)?, name).map_err(|error| self.errors.push(error)).ok()
    }

    /// Reads a setting with several values, each of which can be wrong. Without the setting, the list is empty.
    pub fn read_list<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&JsonNode, &str) -> Result<Vec<T>, Vec<HandlerError>>,
    ) -> Vec<T> {
        let list = self.node(name).map_or(Ok(Vec::new()), |node| read(node, name));
        list.map_err(|errors| self.errors.extend(errors)).unwrap_or_default()
    }
}

/// Replaces each `${NAME}` in a text by the value of this environment variable, and each `${NAME:-default}`, if the
/// variable is not set or empty, by the default. In the user name, the password and the query of a URL, the value is
/// percent-encoded. `span` is the span of the text.
///
/// The texts of `app.json` have been expanded before a kind reads them; a kind needs this function only for texts in
/// the `handler` of a method.
///
/// # Errors
/// Fails if a variable is not set and has no default, or a brace is not closed. The errors contain no values.
pub fn expand_variables(text: &str, span: Span) -> Result<String, HandlerError> {
    expand(text).map_err(|error| handler_error(error, span))
}

/// Returns the errors of environment variables in a value of `app.json` that could not be replaced.
#[must_use]
pub fn variable_errors(node: &JsonNode) -> Vec<HandlerError> {
    node.variable_errors().into_iter().map(|(error, span)| handler_error(error, span)).collect()
}

fn handler_error(error: VariableError, span: Span) -> HandlerError {
    let VariableError { message, help, is_unset: _, hides_line } = error;
    let error = HandlerError::new(message).at(span).help(help);
    if hides_line { error.hide_line() } else { error }
}

type ReadinessFuture = BoxFuture<'static, Result<(), String>>;

/// A check that runs when a client requests `/readyz`. The response reports its result.
pub struct ReadinessCheck {
    name: Box<str>,
    check: Box<dyn Fn() -> ReadinessFuture + Send + Sync>,
    is_failing: AtomicBool,
}

impl ReadinessCheck {
    /// Creates a check. The response of `/readyz` shows its result under `name`. An error is the reason why the program
    /// is not ready, for the log.
    pub fn new<F, C>(name: impl Into<Box<str>>, check: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { name: name.into(), check: Box::new(move || Box::pin(check())), is_failing: AtomicBool::new(false) }
    }

    /// Returns the name of the check in the response of `/readyz`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs the check.
    ///
    /// # Errors
    /// Returns the reason why the program is not ready, for the log.
    pub(crate) async fn run(&self) -> Result<(), String> {
        (self.check)().await
    }

    /// Records whether the check failed when it ran last. Returns `true` if the run before it had the opposite result.
    pub(crate) fn set_failing(&self, failing: bool) -> bool {
        self.is_failing.swap(failing, Ordering::Relaxed) != failing
    }
}

impl fmt::Debug for ReadinessCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadinessCheck").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A number that a kind of handler measures, for `/metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) is_counter: bool,
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) value: u64,
}

impl Measurement {
    /// Returns a number that can grow and shrink. `name` is the name of the metric without the prefix `rulebook_`, such
    /// as `sql_connections`. `help` describes the metric, in one line without backslashes. Measurements with the same
    /// name have the same text, and differ in their labels.
    #[must_use]
    pub fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, is_counter: false, labels: Vec::new(), value }
    }

    /// Returns a number that only grows, as long as the API is served. The name of its samples ends with `_total`,
    /// which `name` does not contain.
    #[must_use]
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { is_counter: true, ..Self::gauge(name, help, value) }
    }

    /// Adds a label. The number of its values must not depend on clients.
    #[must_use]
    pub fn label(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.labels.push((name, value.into()));
        self
    }
}

/// Returns what a kind of handler measures at this moment. It is called for each request of `/metrics`, and must not
/// block.
pub type Measure = Box<dyn Fn() -> Vec<Measurement> + Send + Sync>;
