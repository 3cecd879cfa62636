//! The context of a call, which gives a handler everything besides its arguments, such as the values that a program
//! shares with its handlers, and takes what the handler sets in the response besides its outputs.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::{Call, CallBuilder, EngineHandle};
use crate::call::{ApiError, Head, Identity, RequestId, ResponseError, check_response_header};
use crate::multipart::BodyPart;
use crate::store::{LazyStore, Store};
use crate::trace::{OpenSpan, RequestTrace, SpanKind};

/// The context of a call: the identity of the caller, the head of the request, the values that the program shares, the
/// header fields of the response, and calls of other methods.
///
/// A clone of a context refers to the same call. A task may keep the context after the call has ended.
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
/// # let definition = r#"{ "/": {
/// #     "motto": { "GET": { "info": "The motto" } }, "about": { "GET": { "info": "Everything" } } } }"#;
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
pub struct Context(Arc<CallState>);

struct CallState {
    method_index: usize,
    identity: Option<Identity>,
    origin: CallOrigin,
    engine: Arc<dyn EngineHandle>,
    response_overrides: Mutex<ResponseOverrides>,
    before_hook_value: Mutex<Option<BeforeHookValue>>,
}

/// The value that the before hook of the API module returned for one call.
type BeforeHookValue = Arc<dyn Any + Send + Sync>;

/// The header fields and the status that a call's handler and hooks have set for the response.
#[derive(Debug, Default)]
pub(crate) struct ResponseOverrides {
    /// The HTTP status of the response if the call succeeds; `None` for the status that the definition sets.
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Debug)]
pub(crate) enum CallOrigin {
    Request {
        head: Arc<Head>,
        /// The body of the request, if the handler reads it, and it is not multipart.
        body: Option<Bytes>,
        /// The parts of a multipart body, if the handler reads any body.
        parts: Vec<BodyPart>,
    },
    /// The call was made from code, with [`CallBuilder`], or on the command line.
    Call {
        /// The id of the request whose handler makes the call; `None` if the call does not come from a handler of a
        /// request.
        request_id: Option<RequestId>,
        trace: Option<Arc<RequestTrace>>,
        /// The number of calls around this one: a handler that was called from code may itself call other methods.
        nesting_depth: u32,
    },
}

impl CallOrigin {
    /// Returns the id of the request from which the call comes, directly or through the call of a handler.
    pub(crate) fn request_id(&self) -> Option<&RequestId> {
        match self {
            Self::Request { head, .. } => Some(&head.id),
            Self::Call { request_id, .. } => request_id.as_ref(),
        }
    }

    pub(crate) fn trace(&self) -> Option<&Arc<RequestTrace>> {
        match self {
            Self::Request { head, .. } => head.trace.as_ref(),
            Self::Call { trace, .. } => trace.as_ref(),
        }
    }

    fn nesting_depth(&self) -> u32 {
        match self {
            Self::Request { .. } => 0,
            Self::Call { nesting_depth, .. } => *nesting_depth,
        }
    }
}

impl Context {
    /// Creates the context of a call. `method_index` is the index of the called method in the plan.
    pub(crate) fn new(
        method_index: usize,
        identity: Option<Identity>,
        origin: CallOrigin,
        engine: Arc<dyn EngineHandle>,
    ) -> Self {
        let (response_overrides, before_hook_value) = (Mutex::default(), Mutex::default());
        Self(Arc::new(CallState { method_index, identity, origin, engine, response_overrides, before_hook_value }))
    }

    /// Returns the id of the called method, such as `article.line.get`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.0.engine.method_id(self.0.method_index)
    }

    /// Returns the identity of the caller; `None` if the caller is anonymous.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.0.identity.as_ref()
    }

    /// Returns the head of the request; `None` if the call was made from code or on the command line.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        match &self.0.origin {
            CallOrigin::Request { head, .. } => Some(head),
            CallOrigin::Call { .. } => None,
        }
    }

    /// Returns the bytes of the body of the request, for a handler of a definition that
    /// [reads the body](crate::handler_kind::CompiledHandler::body_access). Returns `None` for all other handlers, if
    /// the request has no body, for `multipart/form-data`, whose files are not kept in memory, and if the call was made
    /// from code or on the command line. If the handler reads only bodies with parameters, it also returns `None` if
    /// the method has no parameters in the body.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        match &self.0.origin {
            CallOrigin::Request { body, .. } => body.as_ref(),
            CallOrigin::Call { .. } => None,
        }
    }

    /// Returns the parts of a multipart body, for a handler of a definition that [reads bodies of any
    /// kind](crate::handler_kind::BodyAccess::Any). Returns none for all other handlers, and if the call was made from
    /// code or on the command line.
    #[must_use]
    pub fn parts(&self) -> &[BodyPart] {
        match &self.0.origin {
            CallOrigin::Request { parts, .. } => parts,
            CallOrigin::Call { .. } => &[],
        }
    }

    /// Returns the network address of the client, for example to limit the requests of each address; see
    /// [`Head::client`]. Returns `None` if the address is unknown, or the call was made from code or on the command
    /// line.
    #[must_use]
    pub fn client_address(&self) -> Option<IpAddr> {
        self.head()?.client
    }

    /// Returns the value of the first header field of the request with this name; see [`Head::header`]. Returns `None`
    /// if the request has no such field, or the call was made from code or on the command line.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head()?.header(name)
    }

    /// Returns the id of the request, which also appears in the log. A call that a handler makes has the id of the
    /// request that the handler serves. Returns `None` if the call does not come from a request.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.0.origin.request_id()
    }

    /// Begins a span in the trace of the request from which the call comes, for example for the time in which the
    /// handler waits for another server. The span ends when the value is dropped. If the request has no trace, this
    /// function costs next to nothing, and the span is not recorded.
    ///
    /// ```
    /// use rulebook::Context;
    /// use rulebook::trace::SpanKind;
    ///
    /// async fn send_mail(context: &Context) {
    ///     let mut span = context.span("send mail", SpanKind::Client);
    ///     span.set("server.address", "mail.internal");
    ///     // …
    /// }
    /// ```
    #[must_use]
    pub fn span(&self, name: impl Into<Cow<'static, str>>, kind: SpanKind) -> OpenSpan {
        OpenSpan::new(self.0.origin.trace(), name, kind)
    }

    /// Returns `true` if the request has a trace. Otherwise spans, and what is needed for them, can be left out.
    #[must_use]
    pub fn is_traced(&self) -> bool {
        self.0.origin.trace().is_some()
    }

    /// Returns the value of type `T` that the program has added with [`Rulebook::state`](crate::Rulebook::state) or in
    /// a start hook; `None` if there is no such value.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.engine.state().get()
    }

    /// Returns the stored files of the program; see [`Rulebook::keep_files`](crate::Rulebook::keep_files).
    ///
    /// # Errors
    /// Returns an internal error if the program has no folder for stored files, and an `unavailable` error if the
    /// folder cannot be opened.
    pub fn store(&self) -> Result<Store, ApiError> {
        let folder = self.state::<LazyStore>().ok_or_else(|| ApiError::internal("the program stores no files"))?;
        folder.store().cloned().map_err(ApiError::unavailable)
    }

    /// Returns the value that the before hook of the API module returned for this call. Returns `None` if the value is
    /// not of type `T`, or the call has ended. See [`Module::before`](crate::Module::before).
    #[must_use]
    pub fn instance<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let instance = self.lock_before_hook_value().clone();
        instance.and_then(|instance| instance.downcast().ok())
    }

    /// Returns the same value as [`Context::instance`], but also removes the value from the call, so that an after hook
    /// can own it. If no other `Arc` refers to the value, [`Arc::into_inner`] returns the value itself.
    #[must_use]
    pub fn take_instance<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.lock_before_hook_value().take_if(|instance| instance.is::<T>())?.downcast().ok()
    }

    pub(super) fn set_before_hook_value<T: Send + Sync + 'static>(&self, instance: T) {
        *self.lock_before_hook_value() = Some(Arc::new(instance));
    }

    /// Drops the value that the before hook returned, even if a clone of this context is kept.
    pub(crate) fn drop_before_hook_value(&self) {
        // The value is dropped only after the lock is released, because its destructor is code of the program.
        let instance = self.lock_before_hook_value().take();
        drop(instance);
    }

    fn lock_before_hook_value(&self) -> MutexGuard<'_, Option<BeforeHookValue>> {
        self.0.before_hook_value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a header field of the response, and replaces a field with the same name that was set before. The field is
    /// sent with a success, and with every error except an internal error. This has no effect if the call was made from
    /// code, or if it has ended.
    ///
    /// Some fields can only be set by the engine: the fields that describe how the body is encoded and sent, the id of
    /// the request, and the fields of CORS (`Content-Type`, `Content-Length`, `Connection`, `Date`, `X-Request-Id`,
    /// `Access-Control-…` and similar ones). A script on a page of another origin can read a field only if the setting
    /// `cors` in `app.json` exposes the field.
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
    /// Fails if the name or the value is not valid, or if only the engine may set the field. The operator `?` converts
    /// this error to an internal [`ApiError`].
    pub fn set_header(&self, name: impl AsRef<str>, value: impl TryInto<HeaderValue>) -> Result<(), ResponseError> {
        let (name, value) = check_response_header(name.as_ref(), value)?;
        let mut overrides = self.lock_response_overrides();
        overrides.headers.retain(|(other, _)| *other != name);
        overrides.headers.push((name, value));
        Ok(())
    }

    /// Adds a header field to the response, and keeps fields with the same name that were set before, as `Set-Cookie`
    /// requires. Otherwise it is the same as [`Context::set_header`].
    ///
    /// # Errors
    /// Fails like [`Context::set_header`].
    pub fn append_header(&self, name: impl AsRef<str>, value: impl TryInto<HeaderValue>) -> Result<(), ResponseError> {
        let field = check_response_header(name.as_ref(), value)?;
        self.lock_response_overrides().headers.push(field);
        Ok(())
    }

    /// Sets the HTTP status of the response if the call succeeds. It is for methods that use several statuses: for
    /// example 201 if the call created a resource, and 200 otherwise. The definition sets the default (`status` in the
    /// `options` of the method) and the statuses of errors.
    ///
    /// # Errors
    /// Fails if the status is not from 200 to 299.
    pub fn set_status(&self, status: u16) -> Result<(), ResponseError> {
        if !(200..300).contains(&status) {
            return Err(ResponseError::InvalidStatus { status });
        }
        self.lock_response_overrides().status = Some(status);
        Ok(())
    }

    /// Returns the status and the header fields that the handler and the hooks have set. If the call was made from
    /// code, the header fields are dropped.
    pub(crate) fn into_response_overrides(self) -> ResponseOverrides {
        let is_request = matches!(self.0.origin, CallOrigin::Request { .. });
        // Most handlers keep no clone of their context, so that no lock is needed.
        let overrides = match Arc::try_unwrap(self.0) {
            Ok(state) => state.response_overrides.into_inner().unwrap_or_else(PoisonError::into_inner),
            Err(shared) => std::mem::take(&mut *Self(shared).lock_response_overrides()),
        };
        if is_request { overrides } else { ResponseOverrides { headers: Vec::new(), ..overrides } }
    }

    fn lock_response_overrides(&self) -> MutexGuard<'_, ResponseOverrides> {
        self.0.response_overrides.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a call of another method, with the identity of this call. `target` selects the method; [`CallBuilder`]
    /// lists its forms.
    pub fn call(&self, target: impl Into<String>) -> CallBuilder {
        let call = Call {
            target: target.into(),
            arguments: Vec::new(),
            identity: self.0.identity.clone(),
            request_id: self.request_id().cloned(),
            trace: self.0.origin.trace().cloned(),
            nesting_depth: self.0.origin.nesting_depth() + 1,
        };
        CallBuilder { call, engine: Arc::clone(&self.0.engine) }
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("method", &self.method()).field("identity", &self.0.identity).finish()
    }
}

type SharedValues = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// The values that a program shares with its handlers. The type of a value is its key, so that there is at most one
/// value of each type.
#[derive(Clone, Default)]
pub struct ProgramState {
    values: SharedValues,
    from_start_hooks: Arc<StartHookValues>,
}

/// The values that the start hooks of the program have added. All clones of a [`ProgramState`] share them.
#[derive(Default)]
struct StartHookValues {
    values: OnceLock<SharedValues>,
    /// A value that is dropped together with the last clone of the [`ProgramState`].
    kept_alive: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl ProgramState {
    /// Adds a value. It replaces an earlier value of the same type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.insert_shared(Arc::new(value));
    }

    /// Same as [`ProgramState::insert`], for a value that other code uses as well.
    pub(crate) fn insert_shared<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.values.insert(TypeId::of::<T>(), value);
    }

    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let key = TypeId::of::<T>();
        let started = self.from_start_hooks.values.get().and_then(|values| values.get(&key));
        started.or_else(|| self.values.get(&key)).and_then(|value| Arc::clone(value).downcast().ok())
    }

    /// Adds the values of the start hooks to this state and all of its clones. Only the first call has an effect.
    pub(crate) fn add_start_hook_values(&self, inserted: Self) {
        let _ = self.from_start_hooks.values.set(inserted.values);
    }

    /// Keeps `guard` until this state and all of its clones have been dropped. Only the first call has an effect.
    pub(crate) fn keep_alive(&self, guard: impl Any + Send + Sync) {
        let _ = self.from_start_hooks.kept_alive.set(Box::new(guard));
    }

    pub(crate) fn without_start_hook_values(&self) -> Self {
        Self { values: self.values.clone(), from_start_hooks: Arc::default() }
    }
}

impl fmt::Debug for ProgramState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgramState").field("values", &self.values.len()).finish_non_exhaustive()
    }
}
