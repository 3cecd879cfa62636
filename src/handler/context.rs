//! What a handler knows beside its arguments.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use super::{Call, Caller, Calling};
use crate::call::{Head, Identity, RequestId};

/// Values of the program that handlers share, one of each type.
#[derive(Clone, Default)]
pub struct State(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl State {
    /// Puts a value in; one of the same type is replaced.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(value));
    }

    /// The value of this type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.get(&TypeId::of::<T>()).and_then(|value| Arc::clone(value).downcast().ok())
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("values", &self.0.len()).finish()
    }
}

/// The surroundings of one call: who calls, the request's head, the program's state, further calls.
///
/// A handle: cloning it is cheap, and it can be kept after the call.
///
/// ```
/// use rulebook::{Args, Context, Module, Refusal, Rulebook};
/// use serde_json::{Value, json};
///
/// /// What the program shares between its handlers.
/// struct Motto(&'static str);
///
/// async fn motto(_: Args<()>, context: Context) -> Result<Value, Refusal> {
///     let motto = context.state::<Motto>().ok_or_else(|| Refusal::internal("no motto"))?;
///     Ok(json!({ "motto": motto.0 }))
/// }
///
/// async fn about(_: Args<()>, context: Context) -> Result<Value, Refusal> {
///     let who = context.identity().map_or("nobody".to_owned(), |identity| identity.name.to_string());
///     let motto = context.call("motto.get").send().await.outputs()?;
///     Ok(json!({ "who": who, "motto": motto["motto"], "method": context.method() }))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let definition = r#"{ "/": { "motto": { "GET": { "info": "The motto" } }, "about": { "GET": { "info": "All" } } } }"#;
/// # let rulebook = Rulebook::read(vec![("site.json".into(), definition.into())]);
/// let module = Module::new("site").get("/motto", motto).get("/about", about);
/// let engine = rulebook.module(module).state(Motto("Write it once")).build()?;
///
/// let outputs = engine.call("about.get").scope(["reader"]).send().await.outputs()?;
/// assert_eq!(outputs, json!({ "who": "caller", "motto": "Write it once", "method": "about.get" }));
/// # Ok(()) })
/// # }
/// ```
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    method: usize,
    identity: Option<Identity>,
    around: Around,
    caller: Arc<dyn Caller>,
}

/// What a call is part of.
#[derive(Debug)]
pub(crate) enum Around {
    /// The request of this head.
    Request(Arc<Head>),
    /// A call from code.
    Call {
        /// The request that the code runs for, where it runs for one.
        request_id: Option<RequestId>,
        /// How many calls this one is inside of.
        depth: u32,
    },
}

impl Around {
    /// The name of the request.
    pub(crate) fn request_id(&self) -> Option<&RequestId> {
        match self {
            Self::Request(head) => Some(&head.id),
            Self::Call { request_id, .. } => request_id.as_ref(),
        }
    }

    fn depth(&self) -> u32 {
        match self {
            Self::Request(_) => 0,
            Self::Call { depth, .. } => *depth,
        }
    }
}

impl Context {
    /// The context of a call to the method of this index.
    pub(crate) fn new(method: usize, identity: Option<Identity>, around: Around, caller: Arc<dyn Caller>) -> Self {
        Self(Arc::new(Inner { method, identity, around, caller }))
    }

    /// The id of the method that is called.
    #[must_use]
    pub fn method(&self) -> &str {
        self.0.caller.method_id(self.0.method)
    }

    /// Who calls; none where nobody was identified.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.0.identity.as_ref()
    }

    /// The head of the request; none for a call from code or the command line.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        match &self.0.around {
            Around::Request(head) => Some(head),
            Around::Call { .. } => None,
        }
    }

    /// The name of the request, under which the log tells about it; calls made from its handlers keep it. None where
    /// no request stands behind the call.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.0.around.request_id()
    }

    /// The program's value of this type, put in with [`crate::Rulebook::state`].
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.caller.state().get()
    }

    /// Begins a call of another method, with this call's identity.
    pub fn call(&self, target: impl Into<String>) -> Calling {
        let call = Call {
            target: target.into(),
            arguments: Vec::new(),
            identity: self.0.identity.clone(),
            request_id: self.request_id().cloned(),
            depth: self.0.around.depth() + 1,
        };
        Calling { call, caller: Arc::clone(&self.0.caller) }
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("method", &self.method()).field("identity", &self.0.identity).finish()
    }
}
