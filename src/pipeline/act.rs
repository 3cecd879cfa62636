//! Sixth stage: before hook, handler, after hook.
//!
//! A handler that has begun is never cancelled: if its request is dropped
//! because the client has gone, the rest of it runs as a task of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Runner;
use super::guard::{guard, guarded};
use super::permit::Granted;
use super::verify::verify;
use crate::call::{Download, Outcome, Reason, Refusal, Returned, Slot, Slots, Success, Value};
use crate::handler::{Around, Caller, Context, Ended, Running};
use crate::plan::{Action, Method};

/// Starts what the method does. Nothing of the request is borrowed by what comes back but the plan.
///
/// # Errors
/// The method has no handler here, or its arguments do not fit the handler's type.
pub(super) fn start(
    runner: &Arc<Runner>,
    granted: &Granted<'_>,
    values: Vec<Slot<'_>>,
    around: Around,
) -> Result<Acting, Refusal> {
    let method = granted.method();
    let (handler, nullable) = match &method.action {
        Action::Handler { handler, nullable } => (handler, nullable),
        Action::Echo => return Ok(Acting::new(runner, granted.index(), None, echo(method, values))),
        Action::NotImplemented => {
            return Err(Refusal::new(Reason::NotImplemented { id: method.id.to_string() }));
        }
    };
    let caller = Arc::clone(runner) as Arc<dyn Caller>;
    let context = Context::new(granted.index(), granted.identity().cloned(), around, caller);
    let slots = Slots { names: &method.names, values };
    let (module, own) = (method.module, context.clone());
    let hooks = (!runner.plan.modules[module].hooks.is_empty()).then(|| (Arc::clone(runner), context.clone()));
    // A `Deserialize` of the program's own may panic too.
    let running = guard("the argument type", || handler.start(slots, nullable, context))??;
    let running = match hooks {
        Some((runner, context)) => Box::pin(hooked(runner, module, running, context)),
        None => running,
    };
    Ok(Acting::new(runner, granted.index(), Some(own), running))
}

/// The handler between the hooks of the module of this index. They are reached through the worker's own runner:
/// counts of their own would be written to by all workers.
async fn hooked(runner: Arc<Runner>, module: usize, running: Running, context: Context) -> Result<Returned, Refusal> {
    let hooks = &runner.plan.modules[module].hooks;
    let call = async {
        if let Some(before) = &hooks.before {
            before(context.clone()).await?;
        }
        running.await
    };
    let ended = guarded("the handler or its before hook", call).await;
    let how = match &ended {
        Ok(Ok(_)) => Ended::Succeeded,
        Ok(Err(refusal)) => Ended::Refused(refusal.code()),
        Err(_) => Ended::Panicked,
    };
    let told = match &hooks.after {
        Some(after) => guarded("the after hook", async { after(context.clone(), how).await }).await,
        None => Ok(()),
    };
    guard("what the before hook made", || context.drop_instance())?;
    told?;
    ended?
}

/// The checked arguments as the one output `args`; of a method that returns a file, as a file.
fn echo(method: &Method, values: Vec<Slot<'_>>) -> Running {
    struct Echo(Vec<(Box<str>, Value<'static>)>);
    struct Arguments<'a>(&'a [(Box<str>, Value<'static>)]);
    impl Serialize for Echo {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut outputs = serializer.serialize_map(Some(1))?;
            outputs.serialize_entry("args", &Arguments(&self.0))?;
            outputs.end()
        }
    }
    impl Serialize for Arguments<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
        }
    }
    let arguments = method.names.iter().cloned().zip(values.into_iter().map(|slot| match slot {
        Slot::Absent | Slot::Null => Value::Null,
        Slot::Value(value) => value.into_owned(),
    }));
    let echo = Echo(arguments.collect());
    let returned = if method.download {
        let text = serde_json::to_vec(&echo).map_err(Refusal::internal);
        text.map(|text| Returned::Download(Box::new(Download::bytes(text).name("args.json"))))
    } else {
        Ok(Returned::Outputs(Box::new(echo)))
    };
    Box::pin(std::future::ready(returned))
}

/// How many handlers are at work whose callers have gone.
#[derive(Debug, Default)]
pub struct Detached(AtomicUsize);

impl Detached {
    /// As of now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

/// One of those that are counted, as long as it lives.
struct Counted(Arc<Detached>);

impl Counted {
    fn new(detached: &Arc<Detached>) -> Self {
        detached.0.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(detached))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A method at work; dropped before its end, it goes on as a task.
pub(super) struct Acting {
    runner: Arc<Runner>,
    method: usize,
    /// None where no handler runs.
    context: Option<Context>,
    running: Option<Running>,
}

impl Acting {
    fn new(runner: &Arc<Runner>, method: usize, context: Option<Context>, running: Running) -> Self {
        Self { runner: Arc::clone(runner), method, context, running: Some(running) }
    }
}

impl Future for Acting {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Outcome> {
        let Some(running) = &mut self.running else {
            return Poll::Pending;
        };
        let ended = match guard("the handler", || running.as_mut().poll(task)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(ended)) => ended,
            Err(refusal) => Err(refusal),
        };
        self.running = None;
        let method = &self.runner.plan.methods[self.method];
        let verified = ended.and_then(|returned| {
            if let Returned::Outputs(outputs) = &returned
                && self.runner.plan.verify
                && matches!(method.action, Action::Handler { .. })
            {
                verify(method, &**outputs)?;
            }
            Ok(returned)
        });
        let said = self.context.as_ref().map(Context::take_said).unwrap_or_default();
        Poll::Ready(match verified {
            Ok(returned) => {
                let status = said.status.unwrap_or(method.status);
                Ok(Success { returned, status, whole: method.whole, headers: said.headers })
            }
            Err(refusal) => Err(said.of(declared(method, refusal))),
        })
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (runner, method, context) = (Arc::clone(&self.runner), self.method, self.context.take());
        let counted = Counted::new(&runner.detached);
        runtime.spawn(async move {
            let ended = guarded("the handler", running).await.and_then(|ended| ended);
            if let Some(why) = ended.err().as_ref().and_then(Refusal::log) {
                let id = context.as_ref().and_then(Context::request_id);
                let id = id.map_or_else(|| "-".to_owned(), ToString::to_string);
                let method = &*runner.plan.methods[method].id;
                log::error!(id = method, request_id = id; "{method}: {id}: the client has gone; {why}");
            }
            drop(counted);
        });
    }
}

/// Gives a handler's own refusal the status and words of the definition; one
/// that the definition does not declare is the handler's fault.
fn declared(method: &Method, refusal: Refusal) -> Refusal {
    let Reason::Declared { name, .. } = refusal.reason() else {
        return refusal;
    };
    match method.errors.iter().find(|error| *error.name == **name) {
        Some(error) => refusal.with_status(error.status).with_words(&error.info),
        None => Refusal::internal(format_args!("{}: the definition declares no error {name:?}", method.id)),
    }
}
