//! The interface between rulebook and the code of a program: handlers, their arguments, and the context of a call.
//!
//! A program writes a handler as `async fn(Args<T>, Context) -> Result<U, ApiError>`. This Rust module converts such a
//! function to a [`Handler`], which a plan can contain. It must not depend on how requests are read or responses are
//! sent.

mod arguments;
mod call_builder;
mod context;
mod kind;
mod outgoing;
pub mod settings;
mod value_kind;

use std::any::TypeId;
use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rulebook_model::error::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::call::{ApiError, ArgumentSlots, Download, HttpMethod, ReturnedValue};

pub use arguments::{Args, ArgsError, ArgumentFields};
use arguments::{SlotsReader, argument_fields};
pub use call_builder::{Call, CallArgument, CallBuilder, EngineHandle, Response};
pub(crate) use context::CallOrigin;
pub use context::{Context, ProgramState};
pub use kind::{
    ApplyMigrations, BodyAccess, CheckContext, CheckFuture, CompiledHandler, DataChanges, HandledMethod, HandlerError,
    HandlerKind, Measure, Measurement, MethodReturns, Migrations, OutputsCheck, PrepareContext, PrepareError,
    PrepareFuture, ReadinessCheck, SettingNames, SettingsReader, StartFuture, expand_variables, variable_errors,
};
pub(crate) use outgoing::run_worker;
pub use outgoing::{
    ConnectionLease, ConnectionPool, LogLines, WorkerThread, body_len, body_stream, describe_file,
    describe_with_causes, printable,
};
pub use value_kind::{MockHandler, ValueKind};

/// The handlers of one module of the definition, and the hooks that run before and after each call of these handlers.
///
/// ```
/// use rulebook::{ApiError, Args, CallEnd, Context, Module, Rulebook};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct Line {
///     article_id: Option<u32>,
///     no_line: Option<u32>,
/// }
///
/// #[derive(Serialize)]
/// struct Lines {
///     lines: Vec<String>,
/// }
///
/// async fn line(Args(args): Args<Line>, _: Context) -> Result<Lines, ApiError> {
///     Ok(Lines { lines: vec![format!("line {:?} of {:?}", args.no_line, args.article_id)] })
/// }
///
/// let module = Module::new("article")
///     .get("/article/line", line)
///     .before(|context| async move {
///         log::debug!("{} begins", context.method());
///         Ok(())
///     })
///     .after(|context, end: CallEnd| async move { log::debug!("{} {end:?}", context.method()) });
///
/// # let definition = r#"{ "/": { "article/line": { "GET": { "info": "A line", "in": {
/// #     "URL#0": { "info": "The article", "type": "?id", "name": "article_id" },
/// #     "URL#1": { "info": "The line", "type": "?id", "name": "no_line" } } } } } }"#;
/// let rulebook = Rulebook::read(vec![("article.json".into(), definition.into())]);
/// assert!(rulebook.module(module).build().is_ok());
/// ```
pub struct Module {
    pub(crate) name: String,
    pub(crate) bindings: Vec<HandlerBinding>,
    pub(crate) hooks: Hooks,
    /// The line of the program's source that creates this value; diagnostics show it.
    pub(crate) location: &'static Location<'static>,
}

pub struct HandlerBinding {
    pub http_method: HttpMethod,
    /// The path of the service, written as in the definition.
    pub path: String,
    pub handler: Arc<dyn Handler>,
    /// The line of the program's source that binds the handler; diagnostics show it.
    pub location: &'static Location<'static>,
}

#[derive(Clone, Default)]
pub struct Hooks {
    pub(crate) before: Option<Arc<BeforeHook>>,
    pub(crate) after: Option<Arc<AfterHook>>,
}

impl Hooks {
    pub(crate) fn is_empty(&self) -> bool {
        self.before.is_none() && self.after.is_none()
    }
}

pub(crate) type BeforeHook = dyn Fn(Context) -> BoxFuture<'static, Result<(), ApiError>> + Send + Sync;
pub(crate) type AfterHook = dyn Fn(Context, CallEnd) -> BoxFuture<'static, ()> + Send + Sync;

/// How a call ended. An after hook receives this value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallEnd {
    /// The handler returned outputs or a download.
    Succeeded,
    /// The before hook or the handler returned an error.
    Failed(ErrorCode),
    /// The before hook or the handler panicked.
    Panicked,
}

impl Module {
    /// Creates a module without handlers. The definition must contain a module with this name.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), bindings: Vec::new(), hooks: Hooks::default(), location: Location::caller() }
    }

    /// Binds a handler to GET at `path`. The path is written as in the definition.
    #[must_use]
    #[track_caller]
    pub fn get<M>(self, path: &str, handler: impl IntoHandler<M>) -> Self {
        self.on(HttpMethod::Get, path, handler)
    }

    /// Binds a handler to POST at `path`.
    #[must_use]
    #[track_caller]
    pub fn post<M>(self, path: &str, handler: impl IntoHandler<M>) -> Self {
        self.on(HttpMethod::Post, path, handler)
    }

    /// Binds a handler to PUT at `path`.
    #[must_use]
    #[track_caller]
    pub fn put<M>(self, path: &str, handler: impl IntoHandler<M>) -> Self {
        self.on(HttpMethod::Put, path, handler)
    }

    /// Binds a handler to DELETE at `path`.
    #[must_use]
    #[track_caller]
    pub fn delete<M>(self, path: &str, handler: impl IntoHandler<M>) -> Self {
        self.on(HttpMethod::Delete, path, handler)
    }

    /// Binds a handler to PATCH at `path`.
    #[must_use]
    #[track_caller]
    pub fn patch<M>(self, path: &str, handler: impl IntoHandler<M>) -> Self {
        self.on(HttpMethod::Patch, path, handler)
    }

    /// Binds a handler to both GET and POST at `path`. In the `rules` dialect of definitions, both are one method.
    ///
    /// ```
    /// use rulebook::{Args, Context, Module, ApiError, Rulebook};
    ///
    /// #[derive(serde::Deserialize, serde::Serialize)]
    /// struct Login {
    ///     username: String,
    /// }
    ///
    /// async fn login(Args(login): Args<Login>, _: Context) -> Result<Login, ApiError> {
    ///     Ok(login)
    /// }
    ///
    /// # let rules = r#"{ "User": { "login": { "username": { "name": "username", "require": true } } } }"#;
    /// let rulebook = Rulebook::read(vec![("user.json".into(), rules.into())]);
    /// assert!(rulebook.module(Module::new("User").any("/user/login", login)).build().is_ok());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn any<M>(self, path: &str, handler: impl IntoHandler<M>) -> Self {
        let handler = handler.into_handler();
        self.bind(HttpMethod::Get, path, Arc::clone(&handler)).bind(HttpMethod::Post, path, handler)
    }

    /// Binds a handler to the HTTP method `http_method` at `path`.
    #[must_use]
    #[track_caller]
    pub fn on<M>(self, http_method: HttpMethod, path: &str, handler: impl IntoHandler<M>) -> Self {
        self.bind(http_method, path, handler.into_handler())
    }

    #[track_caller]
    fn bind(mut self, http_method: HttpMethod, path: &str, handler: Arc<dyn Handler>) -> Self {
        let (path, location) = (path.to_owned(), Location::caller());
        self.bindings.push(HandlerBinding { http_method, path, handler, location });
        self
    }

    /// Sets the hook that runs before each handler of the module, after the arguments have been checked. If the hook
    /// returns an error, the call ends with this error and the handler does not run.
    ///
    /// The hook can return a value for the handler and the after hook, which get it with [`Context::instance`]. The
    /// value is dropped when the call has ended. Each call gets a separate value, also a call that a handler makes.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Instant;
    ///
    /// use rulebook::{ApiError, Args, Context, Module, Rulebook};
    /// use serde_json::{Value, json};
    ///
    /// /// The value of one call.
    /// struct Visit {
    ///     name: String,
    ///     start: Instant,
    /// }
    ///
    /// async fn hello(_: Args<()>, context: Context) -> Result<Value, ApiError> {
    ///     let visit = context.instance::<Visit>().ok_or_else(|| ApiError::internal("no visit"))?;
    ///     Ok(json!({ "hello": visit.name }))
    /// }
    ///
    /// let module = Module::new("door")
    ///     .get("/hello", hello)
    ///     .before(|context| async move {
    ///         let identity = context.identity().ok_or_else(|| ApiError::declared("no_strangers"))?;
    ///         Ok(Visit { name: identity.name().to_owned(), start: Instant::now() })
    ///     })
    ///     .after(|context, end| async move {
    ///         // `None` if the before hook failed.
    ///         if let Some(visit) = context.take_instance::<Visit>().and_then(Arc::into_inner) {
    ///             log::debug!("{} {end:?} after {:?}", visit.name, visit.start.elapsed());
    ///         }
    ///     });
    /// # let text = r#"{ "/": { "hello": { "GET": {
    /// #     "info": "Greets", "errors": { "no_strangers": { "info": "Who?" } } } } } }"#;
    /// # let engine = Rulebook::read(vec![("door.json".into(), text.into())]).module(module).build().unwrap();
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # let ada = rulebook::Identity::new("Ada", [""; 0]);
    /// # let response = runtime.block_on(engine.call("hello.get").identity(ada).send());
    /// # assert_eq!(response.outputs().unwrap(), json!({ "hello": "Ada" }));
    /// # let response = runtime.block_on(engine.call("hello.get").send());
    /// # assert_eq!(response.error().unwrap().to_string(), "Who?");
    /// ```
    #[must_use]
    pub fn before<F, R, T>(mut self, before: F) -> Self
    where
        F: Fn(Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, ApiError>> + Send + 'static,
        T: Send + Sync + 'static,
    {
        self.hooks.before = Some(Arc::new(move |context| {
            let hook = before(context.clone());
            Box::pin(async move {
                context.set_before_hook_value(hook.await?);
                Ok(())
            })
        }));
        self
    }

    /// Sets the hook that runs after each call of the module's methods, if the before hook has started. It also runs if
    /// the before hook or the handler fails or panics, and if the client disconnects.
    #[must_use]
    pub fn after<F, R>(mut self, after: F) -> Self
    where
        F: Fn(Context, CallEnd) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.hooks.after = Some(Arc::new(move |context, end| Box::pin(after(context, end))));
        self
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("name", &self.name).field("handlers", &self.bindings.len()).finish()
    }
}

/// The future of a running handler. It does not borrow from the request, so that it can continue after the client has
/// disconnected.
pub type HandlerFuture = BoxFuture<'static, Result<ReturnedValue, ApiError>>;

/// A handler whose argument type and output type have been erased.
pub trait Handler: Send + Sync {
    /// `nullable` has one item for each slot: `true` if the argument's field is an `Option<Option<_>>`, which
    /// distinguishes null from an omitted argument. Fails if the argument type does not accept the values, which the
    /// check at startup mostly finds.
    fn start(
        &self,
        slots: ArgumentSlots<'_, '_>,
        nullable: &[bool],
        context: Context,
    ) -> Result<HandlerFuture, ApiError>;

    fn argument_fields(&self) -> ArgumentFields;

    fn returns_download(&self) -> bool;

    fn output_probe(&self) -> Option<OutputProbe>;

    /// Checks whether the argument type accepts these values of parameters, without running the handler.
    fn check_slots(&self, slots: ArgumentSlots<'_, '_>) -> Result<(), HandlerMismatch>;
}

/// The error that a handler's argument type rejects values that the definition allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerMismatch {
    /// The index of the slot whose value the argument type rejects; `None` if the error concerns several slots.
    pub slot: Option<usize>,
    pub error: ArgsError,
}

/// A function that can handle a method of the API: `async fn(Args<T>, Context) -> Result<U, ApiError>`.
///
/// - `T` holds the arguments. It is any type that implements `serde::Deserialize`.
/// - `U` holds the outputs. It is any type that implements `serde::Serialize`, [`Out`](crate::Out) or [`Download`].
/// - The future of the function must be `Send`.
/// - A closure must be `Clone`, because each call runs a copy of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the handler of a method",
    label = "not a handler",
    note = "a handler is an `async fn(Args<T>, Context) -> Result<U, ApiError>`",
    note = "`T` implements `serde::Deserialize`; `U` implements `serde::Serialize` or is `rulebook::Download`",
    note = "its future is `Send`: it holds no `Rc`, `RefCell` borrow or `MutexGuard` across an `.await`"
)]
pub trait IntoHandler<M> {
    /// Erases the argument type and the output type of the function.
    #[doc(hidden)] // Its result is a type of the engine.
    fn into_handler(self) -> Arc<dyn Handler>;
}

/// The type that a handler returns if it succeeds: any type that implements `serde::Serialize`, [`Out`](crate::Out) or
/// [`Download`].
pub trait Outputs: Send + 'static {
    const IS_DOWNLOAD: bool;

    fn into_returned(self) -> ReturnedValue;

    /// Returns the functions that create values of this type, if it can be compared with the definition at startup.
    fn probe() -> Option<OutputProbe>;
}

impl<U: Serialize + Send + 'static> Outputs for U {
    const IS_DOWNLOAD: bool = false;

    fn into_returned(self) -> ReturnedValue {
        ReturnedValue::Outputs(Box::new(self))
    }

    fn probe() -> Option<OutputProbe> {
        // Of other types than `()`, it is not known whether they can be deserialized.
        let none =
            OutputProbe { has_known_fields: true, from_slots: |_| Ok(Json::Null), from_json: |_| Ok(Json::Null) };
        (TypeId::of::<U>() == TypeId::of::<()>()).then_some(none)
    }
}

impl Outputs for Download {
    const IS_DOWNLOAD: bool = true;

    fn into_returned(self) -> ReturnedValue {
        ReturnedValue::Download(Box::new(self))
    }

    fn probe() -> Option<OutputProbe> {
        None
    }
}

// One implementation covers all handlers. With several implementations, the compiler would not report which bound of
// the function is not satisfied.
impl<F, T, U, R> IntoHandler<(T, R)> for F
where
    F: Fn(Args<T>, Context) -> R + Clone + Send + Sync + 'static,
    T: DeserializeOwned + Send + 'static,
    U: Outputs,
    R: Future<Output = Result<U, ApiError>> + Send + 'static,
{
    fn into_handler(self) -> Arc<dyn Handler> {
        Arc::new(TypedHandler { function: self, arguments: PhantomData::<fn() -> T> })
    }
}

struct TypedHandler<F, T> {
    function: F,
    arguments: PhantomData<fn() -> T>,
}

impl<F, T, U, R> Handler for TypedHandler<F, T>
where
    F: Fn(Args<T>, Context) -> R + Clone + Send + Sync + 'static,
    T: DeserializeOwned + Send + 'static,
    U: Outputs,
    R: Future<Output = Result<U, ApiError>> + Send + 'static,
{
    fn start(
        &self,
        slots: ArgumentSlots<'_, '_>,
        nullable: &[bool],
        context: Context,
    ) -> Result<HandlerFuture, ApiError> {
        let arguments = T::deserialize(SlotsReader::new(slots, nullable)).map_err(|error| {
            ApiError::internal(format_args!("{}: the handler's arguments do not fit: {error}", context.method()))
        })?;
        let function = self.function.clone();
        Ok(Box::pin(async move { function(Args(arguments), context).await.map(U::into_returned) }))
    }

    fn returns_download(&self) -> bool {
        U::IS_DOWNLOAD
    }

    fn argument_fields(&self) -> ArgumentFields {
        argument_fields::<T>()
    }

    fn output_probe(&self) -> Option<OutputProbe> {
        U::probe()
    }

    fn check_slots(&self, slots: ArgumentSlots<'_, '_>) -> Result<(), HandlerMismatch> {
        deserialize_slots::<T>(slots).map(drop)
    }
}

/// The outputs of a handler, as a type `T` that is compared with the outputs in the definition (`out`) when the program
/// starts. Without `Out`, a type is compared only when a handler returns it
/// ([`Rulebook::verify_outputs`](crate::Rulebook::verify_outputs)).
///
/// `T` implements `serde::Deserialize` besides `serde::Serialize`, because the comparison creates values of `T` from
/// values that the definition allows. The program does not start if `T` lacks an output, has an output that the
/// definition does not declare, has another type for an output, or can omit an output that is required. Bounds of
/// values, such as the length of a text, are not compared.
///
/// ```
/// use rulebook::{ApiError, Args, Context, Module, Out, Rulebook};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize)]
/// struct Count {
///     articles: u32,
/// }
///
/// async fn count(_: Args<()>, _: Context) -> Result<Out<Count>, ApiError> {
///     Ok(Out(Count { articles: 7 }))
/// }
///
/// let build = |out: &str| {
///     let text = format!(r#"{{ "/": {{ "count": {{ "GET": {{ "info": "Counts", "out": {out} }} }} }} }}"#);
///     Rulebook::read(vec![("site.json".into(), text.into())]).module(Module::new("site").get("/count", count)).build()
/// };
/// assert!(build(r#"{ "articles": { "info": "How many", "type": "uint" } }"#).is_ok());
/// assert!(build(r#"{ "articles": { "info": "How many", "type": "string" } }"#).is_err());
/// assert!(build(r#"{ "authors": { "info": "How many", "type": "uint" } }"#).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Out<T>(pub T);

/// Creates values of an output type from values that the definition allows, and converts them to JSON as a response
/// does.
#[derive(Debug, Clone, Copy)]
pub struct OutputProbe {
    /// Creates a value from outputs by name. In the error, `slot` is the index of the rejected output.
    pub from_slots: fn(ArgumentSlots<'_, '_>) -> Result<Json, HandlerMismatch>,
    /// `true` if the fields of the type are known: it is a struct, and not a map.
    pub has_known_fields: bool,
    /// Creates a value from an output that is the whole response.
    pub from_json: fn(&Json) -> Result<Json, String>,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Outputs for Out<T> {
    const IS_DOWNLOAD: bool = false;

    fn into_returned(self) -> ReturnedValue {
        ReturnedValue::Outputs(Box::new(self.0))
    }

    fn probe() -> Option<OutputProbe> {
        let has_known_fields = argument_fields::<T>().field_names.is_some();
        Some(OutputProbe { has_known_fields, from_slots: convert_slots::<T>, from_json: convert_json::<T> })
    }
}

fn deserialize_slots<T: DeserializeOwned>(slots: ArgumentSlots<'_, '_>) -> Result<T, HandlerMismatch> {
    let failed = Cell::new(None);
    T::deserialize(SlotsReader::new(slots, &[]).with_failed_slot(&failed))
        .map_err(|error| HandlerMismatch { slot: failed.get(), error })
}

fn convert_slots<T: Serialize + DeserializeOwned>(slots: ArgumentSlots<'_, '_>) -> Result<Json, HandlerMismatch> {
    serde_json::to_value(deserialize_slots::<T>(slots)?)
        .map_err(|error| HandlerMismatch { slot: None, error: <ArgsError as serde::de::Error>::custom(error) })
}

fn convert_json<T: Serialize + DeserializeOwned>(json: &Json) -> Result<Json, String> {
    T::deserialize(json).and_then(serde_json::to_value).map_err(|error| error.to_string())
}
