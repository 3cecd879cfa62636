//! A module of handlers, bound to the methods of a definition.

use std::pin::Pin;
use std::sync::Arc;

use super::{Context, Handler, IntoHandler};
use crate::call::{Http, Refusal};
use crate::error::Code;

/// Handlers of one module of the definition, by HTTP method and path.
///
/// ```no_run
/// # use rulebook::{Args, Context, Module, Refusal};
/// # #[derive(serde::Deserialize)] struct Line { article_id: Option<u32>, no_line: Option<u32> }
/// # #[derive(serde::Serialize)] struct Lines { lines: Vec<String> }
/// async fn line(Args(args): Args<Line>, _context: Context) -> Result<Lines, Refusal> {
///     Ok(Lines { lines: vec![format!("line {:?} of {:?}", args.no_line, args.article_id)] })
/// }
/// let module = Module::new("article").get("/article/line", line);
/// ```
pub struct Module {
    pub(crate) name: String,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) hooks: Hooks,
}

/// A handler and the method it is for.
pub struct Binding {
    /// The HTTP method.
    pub http: Http,
    /// The path as the definition writes it.
    pub path: String,
    /// The handler.
    pub handler: Arc<dyn Handler>,
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
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), bindings: Vec::new(), hooks: Hooks::default() }
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("name", &self.name).field("handlers", &self.bindings.len()).finish()
    }
}
