//! What a handler knows beside its arguments.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;

use super::answer::Said;
use super::{Call, Caller, Calling};
use crate::call::{AnswerError, Head, Identity, Refusal, RequestId, field};
use crate::store::{Store, StoreFolder};

/// Values of the program that handlers share, one of each type.
#[derive(Clone, Default)]
pub struct State(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl State {
    /// Puts a value in; one of the same type is replaced.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.insert_shared(Arc::new(value));
    }

    /// The same, of a value that others have too.
    pub(crate) fn insert_shared<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), value);
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
    said: Mutex<Said>,
    instance: Mutex<Option<Instance>>,
}

/// What the before hook made for the call.
type Instance = Arc<dyn Any + Send + Sync>;

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
        let (said, instance) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { method, identity, around, caller, said, instance }))
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

    /// The first header field of this name that came with the request, as text; none where it is not visible ASCII, and
    /// in a call from code or the command line.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.head()?.headers.iter().find(|(own, _)| own == name)?;
        value.to_str().ok()
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

    /// The program's stored files, where it keeps any: [`crate::Rulebook::keep_files`].
    ///
    /// # Errors
    /// It keeps none, which is an internal error; or their folder cannot be opened, and the service cannot answer now.
    pub fn store(&self) -> Result<Store, Refusal> {
        let folder = self.state::<StoreFolder>().ok_or_else(|| Refusal::internal("the program keeps no files"))?;
        folder.store().cloned().map_err(Refusal::unavailable)
    }

    /// What the before hook of the module made for this call; none where it made nothing of this type, and when the
    /// call has ended. See [`crate::Module::before`].
    #[must_use]
    pub fn instance<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let instance = self.lock_instance().clone();
        instance.and_then(|instance| instance.downcast().ok())
    }

    /// The same, taken out of the call: for an after hook that uses it up. Where no task has kept a hold on it,
    /// [`Arc::into_inner`] gives the value itself.
    #[must_use]
    pub fn take_instance<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.lock_instance().take_if(|instance| instance.is::<T>())?.downcast().ok()
    }

    /// Keeps what the before hook made.
    pub(super) fn put_instance<T: Send + Sync + 'static>(&self, instance: T) {
        *self.lock_instance() = Some(Arc::new(instance));
    }

    /// Ends what the before hook made, also where this context is kept.
    pub(crate) fn drop_instance(&self) {
        // Not while the lock is held: dropping it is the program's own code.
        let instance = self.lock_instance().take();
        drop(instance);
    }

    fn lock_instance(&self) -> MutexGuard<'_, Option<Instance>> {
        self.0.instance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a header field of the answer, instead of those of this name that were set before. It goes with successes
    /// and refusals, not with internal errors. In a call from code, which has no answer, and behind the end of the call
    /// it is lost.
    ///
    /// What says how the body is written and sent, what the request is called and who may read the answer is the
    /// engine's: `Content-Type`, `Content-Length`, `Connection`, `Date`, `X-Request-Id`, `Access-Control-…` and the like.
    /// Pages of other origins read it where `cors` in `app.json` exposes it.
    ///
    /// ```
    /// use rulebook::{Args, Context, Refusal};
    ///
    /// async fn publish(_: Args<()>, context: Context) -> Result<(), Refusal> {
    ///     context.set_status(201)?;
    ///     context.set_header("Location", "/article/52")?;
    ///     context.append_header("Set-Cookie", "draft=; Max-Age=0")?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// The name or the value is not one, or the field is the engine's. `?` makes it an internal refusal.
    pub fn set_header(&self, name: impl AsRef<str>, value: impl TryInto<HeaderValue>) -> Result<(), AnswerError> {
        let field = field(name.as_ref(), value)?;
        self.lock_said().add(field, true);
        Ok(())
    }

    /// Adds a header field to the answer, beside those of this name: `Set-Cookie`. Otherwise as
    /// [`Context::set_header`].
    ///
    /// # Errors
    /// As for [`Context::set_header`].
    pub fn append_header(&self, name: impl AsRef<str>, value: impl TryInto<HeaderValue>) -> Result<(), AnswerError> {
        let field = field(name.as_ref(), value)?;
        self.lock_said().add(field, false);
        Ok(())
    }

    /// Sets the HTTP status of a success, for methods with more than the one that the definition describes (`status` in
    /// its `options`): 201 where it made something new, else 200. Refusals have theirs from the definition.
    ///
    /// # Errors
    /// It is not from 200 to 299.
    pub fn set_status(&self, status: u16) -> Result<(), AnswerError> {
        self.lock_said().set_status(status)
    }

    /// Takes what has been said of the answer.
    pub(crate) fn take_said(&self) -> Said {
        let said = std::mem::take(&mut *self.lock_said());
        match self.0.around {
            Around::Request(_) => said,
            Around::Call { .. } => Said { headers: Vec::new(), ..said },
        }
    }

    fn lock_said(&self) -> MutexGuard<'_, Said> {
        self.0.said.lock().unwrap_or_else(PoisonError::into_inner)
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
