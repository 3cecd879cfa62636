//! A module of handlers, bound to the methods of a definition.

use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use super::{Context, Handler, IntoHandler};
use crate::call::{Http, Refusal};
use crate::error::Code;

/// Handlers of one module of the definition, by HTTP method and path.
///
/// Hooks run around each of them:
///
/// ```
/// use rulebook::{Args, Context, Ended, Module, Refusal, Rulebook};
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
/// async fn line(Args(args): Args<Line>, _: Context) -> Result<Lines, Refusal> {
///     Ok(Lines { lines: vec![format!("line {:?} of {:?}", args.no_line, args.article_id)] })
/// }
///
/// let module = Module::new("article")
///     .get("/article/line", line)
///     .before(|context| async move {
///         log::debug!("{} begins", context.method());
///         Ok(())
///     })
///     .after(|context, ended: Ended| async move { log::debug!("{} {ended:?}", context.method()) });
///
/// # let definition = r#"{ "/": { "article/line": { "GET": { "info": "A line", "in": {
/// #     "URL#0": { "info": "Of which", "type": "?id", "name": "article_id" },
/// #     "URL#1": { "info": "Which", "type": "?id", "name": "no_line" } } } } } }"#;
/// let rulebook = Rulebook::read(vec![("article.json".into(), definition.into())]);
/// assert!(rulebook.module(module).build().is_ok());
/// ```
pub struct Module {
    pub(crate) name: String,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) hooks: Hooks,
    /// Where in the program it is made.
    pub(crate) location: &'static Location<'static>,
}

/// A handler and the method it is for.
pub struct Binding {
    /// The HTTP method.
    pub http: Http,
    /// The path as the definition writes it.
    pub path: String,
    /// The handler.
    pub handler: Arc<dyn Handler>,
    /// Where in the program it is bound.
    pub location: &'static Location<'static>,
}

/// What runs before and after every call of a module.
#[derive(Clone, Default)]
pub struct Hooks {
    pub(crate) before: Option<Arc<Before>>,
    pub(crate) after: Option<Arc<After>>,
}

impl Hooks {
    /// Whether there is nothing to run.
    pub(crate) fn is_empty(&self) -> bool {
        self.before.is_none() && self.after.is_none()
    }
}

pub(crate) type Before = dyn Fn(Context) -> Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>> + Send + Sync;
pub(crate) type After = dyn Fn(Context, Ended) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// How a call ended, for hooks that run after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The handler returned outputs.
    Succeeded,
    /// The before hook or the handler refused.
    Refused(Code),
    /// The before hook or the handler panicked.
    Panicked,
}

impl Module {
    /// An empty module of this name.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), bindings: Vec::new(), hooks: Hooks::default(), location: Location::caller() }
    }

    /// Binds the handler of GET at `path`, written as in the definition.
    #[must_use]
    #[track_caller]
    pub fn get<M>(self, path: &str, handler: impl IntoHandler<M>) -> Self {
        self.on(Http::Get, path, handler)
    }

    /// Binds the handler of POST at `path`.
    #[must_use]
    #[track_caller]
    pub fn post<M>(self, path: &str, handler: impl IntoHandler<M>) -> Self {
        self.on(Http::Post, path, handler)
    }

    /// Binds the handler of PUT at `path`.
    #[must_use]
    #[track_caller]
    pub fn put<M>(self, path: &str, handler: impl IntoHandler<M>) -> Self {
        self.on(Http::Put, path, handler)
    }

    /// Binds the handler of DELETE at `path`.
    #[must_use]
    #[track_caller]
    pub fn delete<M>(self, path: &str, handler: impl IntoHandler<M>) -> Self {
        self.on(Http::Delete, path, handler)
    }

    /// Binds the handler of PATCH at `path`.
    #[must_use]
    #[track_caller]
    pub fn patch<M>(self, path: &str, handler: impl IntoHandler<M>) -> Self {
        self.on(Http::Patch, path, handler)
    }

    /// Binds the handler of `http` at `path`.
    #[must_use]
    #[track_caller]
    pub fn on<M>(mut self, http: Http, path: &str, handler: impl IntoHandler<M>) -> Self {
        let (handler, location) = (handler.into_handler(), Location::caller());
        self.bindings.push(Binding { http, path: path.to_owned(), handler, location });
        self
    }

    /// Runs `before` ahead of every handler of the module, when the arguments
    /// have passed their checks. If it refuses, the handler does not run.
    ///
    /// What it returns lives as long as the call: [`Context::instance`] gives it to the handler and to the after hook,
    /// behind which it is dropped. Of each call, also of one that a handler makes, it is another.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Instant;
    ///
    /// use rulebook::{Args, Context, Module, Refusal, Rulebook};
    /// use serde_json::{Value, json};
    ///
    /// /// What one call works with.
    /// struct Visit {
    ///     who: String,
    ///     begun: Instant,
    /// }
    ///
    /// async fn hello(_: Args<()>, context: Context) -> Result<Value, Refusal> {
    ///     let visit = context.instance::<Visit>().ok_or_else(|| Refusal::internal("no visit"))?;
    ///     Ok(json!({ "hello": visit.who }))
    /// }
    ///
    /// let module = Module::new("door")
    ///     .get("/hello", hello)
    ///     .before(|context| async move {
    ///         let who = context.identity().ok_or_else(|| Refusal::declared("no_strangers"))?;
    ///         Ok(Visit { who: who.name.to_string(), begun: Instant::now() })
    ///     })
    ///     .after(|context, ended| async move {
    ///         // None where the before hook refused.
    ///         if let Some(visit) = context.take_instance::<Visit>().and_then(Arc::into_inner) {
    ///             log::debug!("{} {ended:?} after {:?}", visit.who, visit.begun.elapsed());
    ///         }
    ///     });
    /// # let text = r#"{ "/": { "hello": { "GET": { "info": "Greets", "errors": { "no_strangers": { "info": "Who?" } } } } } }"#;
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
        R: Future<Output = Result<T, Refusal>> + Send + 'static,
        T: Send + Sync + 'static,
    {
        self.hooks.before = Some(Arc::new(move |context| {
            let making = before(context.clone());
            Box::pin(async move {
                context.put_instance(making.await?);
                Ok(())
            })
        }));
        self
    }

    /// Runs `after` behind every call for which the before hook began: also
    /// when it or the handler refused or panicked, and when the client has gone.
    #[must_use]
    pub fn after<F, R>(mut self, after: F) -> Self
    where
        F: Fn(Context, Ended) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.hooks.after = Some(Arc::new(move |context, ended| Box::pin(after(context, ended))));
        self
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("name", &self.name).field("handlers", &self.bindings.len()).finish()
    }
}
