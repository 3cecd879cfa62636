//! [`Module`], which contains the handlers of one API module, and the hooks that run before and after each call.

use std::panic::Location;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rulebook_model::error::ErrorCode;

use super::{Context, Handler, IntoHandler};
use crate::call::{ApiError, HttpMethod};

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

/// A handler, and the method of the API that it handles.
pub struct HandlerBinding {
    /// The HTTP method of the API's method.
    pub http_method: HttpMethod,
    /// The path of the service, written as in the definition.
    pub path: String,
    /// The handler.
    pub handler: Arc<dyn Handler>,
    /// The line of the program's source that binds the handler; diagnostics show it.
    pub location: &'static Location<'static>,
}

/// The hooks of an API module, which run before and after each call of its methods.
#[derive(Clone, Default)]
pub struct Hooks {
    pub(crate) before: Option<Arc<BeforeHook>>,
    pub(crate) after: Option<Arc<AfterHook>>,
}

impl Hooks {
    /// Returns `true` if there is neither a before hook nor an after hook.
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
    pub fn any<M>(mut self, path: &str, handler: impl IntoHandler<M>) -> Self {
        let (handler, location) = (handler.into_handler(), Location::caller());
        for http_method in [HttpMethod::Get, HttpMethod::Post] {
            let handler = Arc::clone(&handler);
            self.bindings.push(HandlerBinding { http_method, path: path.to_owned(), handler, location });
        }
        self
    }

    /// Binds a handler to the HTTP method `http_method` at `path`.
    #[must_use]
    #[track_caller]
    pub fn on<M>(mut self, http_method: HttpMethod, path: &str, handler: impl IntoHandler<M>) -> Self {
        let (handler, location) = (handler.into_handler(), Location::caller());
        self.bindings.push(HandlerBinding { http_method, path: path.to_owned(), handler, location });
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
