//! The context of a handler: everything that a handler can use besides its arguments.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;

use super::response_overrides::ResponseOverrides;
use super::{Call, CallBuilder, Caller};
use crate::call::{ApiError, Head, Identity, RequestId, ResponseError, check_response_header};
use crate::store::{LazyStore, Store};

/// The context of a call: the caller, the head of the request, the program's state, the response, and further calls.
///
/// A context is a cheap handle: it can be cloned, and kept after the call has ended.
///
/// ```
/// use rulebook::{Args, Context, Module, ApiError, Rulebook};
/// use serde_json::{Value, json};
///
/// /// A value that the handlers share.
/// struct Motto(&'static str);
///
/// async fn motto(_: Args<()>, context: Context) -> Result<Value, ApiError> {
///     let motto = context.state::<Motto>().ok_or_else(|| ApiError::internal("no motto"))?;
///     Ok(json!({ "motto": motto.0 }))
/// }
///
/// async fn about(_: Args<()>, context: Context) -> Result<Value, ApiError> {
///     let caller = context.identity().map_or("anonymous", |identity| identity.name());
///     let motto = context.call("motto.get").send().await.outputs()?;
///     Ok(json!({ "caller": caller, "motto": motto["motto"], "method": context.method() }))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let definition = r#"{ "/": { "motto": { "GET": { "info": "The motto" } }, "about": { "GET": { "info": "Everything" } } } }"#;
/// # let rulebook = Rulebook::read(vec![("site.json".into(), definition.into())]);
/// let module = Module::new("site").get("/motto", motto).get("/about", about);
/// let engine = rulebook.module(module).state(Motto("Write it once")).build()?;
///
/// let outputs = engine.call("about.get").scope(["reader"]).send().await.outputs()?;
/// assert_eq!(outputs, json!({ "caller": "caller", "motto": "Write it once", "method": "about.get" }));
/// # Ok(()) })
/// # }
/// ```
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    /// The index of the method in the plan.
    method: usize,
    identity: Option<Identity>,
    origin: CallOrigin,
    caller: Arc<dyn Caller>,
    response: Mutex<ResponseOverrides>,
    instance: Mutex<Option<Instance>>,
}

/// The value that the before hook returned for the call.
type Instance = Arc<dyn Any + Send + Sync>;

/// The origin of a call.
#[derive(Debug)]
pub(crate) enum CallOrigin {
    /// A request with this head.
    Request(Arc<Head>),
    /// A call from code.
    Call {
        /// The id of the request whose handler makes the call, if there is one.
        request_id: Option<RequestId>,
        /// The number of calls that this call is nested in.
        depth: u32,
    },
}

impl CallOrigin {
    /// The id of the request.
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
    /// Creates the context of a call of the method with this index.
    pub(crate) fn new(method: usize, identity: Option<Identity>, origin: CallOrigin, caller: Arc<dyn Caller>) -> Self {
        let (response, instance) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { method, identity, origin, caller, response, instance }))
    }

    /// Returns the id of the called method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.0.caller.method_id(self.0.method)
    }

    /// Returns the identity of the caller; `None` if the call is anonymous.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.0.identity.as_ref()
    }

    /// Returns the head of the request; `None` for calls from code and from the command line.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        match &self.0.origin {
            CallOrigin::Request(head) => Some(head),
            CallOrigin::Call { .. } => None,
        }
    }

    /// Returns the value of the first header field with this name; see [`Head::header`]. Returns `None` for calls from
    /// code and from the command line.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head()?.header(name)
    }

    /// Returns the id of the request in the log. Calls that a handler makes have the id of its request. Returns `None`
    /// if the call does not come from a request.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.0.origin.request_id()
    }

    /// Returns the value of this type that the program has added with [`Rulebook::state`](crate::Rulebook::state) or in
    /// a start hook.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.caller.state().get()
    }

    /// Returns the stored files of the program; see [`Rulebook::keep_files`](crate::Rulebook::keep_files).
    ///
    /// # Errors
    /// Returns an internal error if the program stores no files, and an `unavailable` error if their folder cannot be
    /// opened.
    pub fn store(&self) -> Result<Store, ApiError> {
        let folder = self.state::<LazyStore>().ok_or_else(|| ApiError::internal("the program stores no files"))?;
        folder.store().cloned().map_err(ApiError::unavailable)
    }

    /// Returns the value that the before hook of the module returned for this call; `None` if it has another type, or
    /// the call has ended. See [`Module::before`](crate::Module::before).
    #[must_use]
    pub fn instance<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let instance = self.lock_instance().clone();
        instance.and_then(|instance| instance.downcast().ok())
    }

    /// Same as [`Context::instance`], but removes the value from the call, for an after hook that needs to own it. If
    /// no task holds a clone, [`Arc::into_inner`] returns the value itself.
    #[must_use]
    pub fn take_instance<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.lock_instance().take_if(|instance| instance.is::<T>())?.downcast().ok()
    }

    /// Stores the value that the before hook returned.
    pub(super) fn put_instance<T: Send + Sync + 'static>(&self, instance: T) {
        *self.lock_instance() = Some(Arc::new(instance));
    }

    /// Drops the value that the before hook returned, even if a clone of this context is kept.
    pub(crate) fn drop_instance(&self) {
        // The value is dropped after the lock is released, because dropping it runs code of the program.
        let instance = self.lock_instance().take();
        drop(instance);
    }

    fn lock_instance(&self) -> MutexGuard<'_, Option<Instance>> {
        self.0.instance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a header field of the response, replacing fields with the same name that were set before. It is sent with
    /// successes and with errors other than internal errors. It has no effect in calls from code, or after the call has
    /// ended.
    ///
    /// Some fields can only be set by the engine: those that describe how the body is encoded and sent, the id of the
    /// request, and the CORS fields (`Content-Type`, `Content-Length`, `Connection`, `Date`, `X-Request-Id`,
    /// `Access-Control-…` and similar ones). Pages of other origins can read a field only if `cors` in `app.json`
    /// exposes it.
    ///
    /// ```
    /// use rulebook::{Args, Context, ApiError};
    ///
    /// async fn publish(_: Args<()>, context: Context) -> Result<(), ApiError> {
    ///     context.set_status(201)?;
    ///     context.set_header("Location", "/article/52")?;
    ///     context.append_header("Set-Cookie", "draft=; Max-Age=0")?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// Fails if the name or the value is not valid, or if only the engine sets the field. `?` converts the error to an
    /// internal one.
    pub fn set_header(&self, name: impl AsRef<str>, value: impl TryInto<HeaderValue>) -> Result<(), ResponseError> {
        let field = check_response_header(name.as_ref(), value)?;
        self.lock_response().set_header(field);
        Ok(())
    }

    /// Same as [`Context::set_header`], but keeps other fields with the same name, as `Set-Cookie` requires.
    ///
    /// # Errors
    /// Fails like [`Context::set_header`].
    pub fn append_header(&self, name: impl AsRef<str>, value: impl TryInto<HeaderValue>) -> Result<(), ResponseError> {
        let field = check_response_header(name.as_ref(), value)?;
        self.lock_response().append_header(field);
        Ok(())
    }

    /// Sets the HTTP status of a success, for methods that use several: for example 201 if the call created a resource,
    /// and 200 otherwise. The definition sets the default (`status` in the `options` of the method) and the statuses of
    /// errors.
    ///
    /// # Errors
    /// Fails if the status is not from 200 to 299.
    pub fn set_status(&self, status: u16) -> Result<(), ResponseError> {
        self.lock_response().set_status(status)
    }

    /// Takes the status and the header fields that the handler and the hooks have set. In calls from code, header
    /// fields are dropped.
    pub(crate) fn take_response_overrides(&self) -> ResponseOverrides {
        let overrides = std::mem::take(&mut *self.lock_response());
        match self.0.origin {
            CallOrigin::Request(_) => overrides,
            CallOrigin::Call { .. } => ResponseOverrides { headers: Vec::new(), ..overrides },
        }
    }

    fn lock_response(&self) -> MutexGuard<'_, ResponseOverrides> {
        self.0.response.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a call of another method, with the identity of this call. See [`CallBuilder`] for the forms of the
    /// target.
    pub fn call(&self, target: impl Into<String>) -> CallBuilder {
        let call = Call {
            target: target.into(),
            arguments: Vec::new(),
            identity: self.0.identity.clone(),
            request_id: self.request_id().cloned(),
            depth: self.0.origin.depth() + 1,
        };
        CallBuilder { call, caller: Arc::clone(&self.0.caller) }
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("method", &self.method()).field("identity", &self.0.identity).finish()
    }
}
