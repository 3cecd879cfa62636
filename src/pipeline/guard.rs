//! Around the program's own code: a panic of it becomes a refusal, and is told once, under the request it belongs to.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use crate::call::Refusal;

thread_local! {
    /// How many guards are around what runs on this thread.
    static GUARDS: Cell<u32> = const { Cell::new(0) };
    /// Where the last panic inside of a guard came from, until somebody tells it.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `run`, code of `who`: "the handler", "a stage".
///
/// # Errors
/// It panicked; the log is to be told how.
pub fn guard<T>(who: &str, run: impl FnOnce() -> T) -> Result<T, Refusal> {
    GUARDS.set(GUARDS.get() + 1);
    let ran = catch_unwind(AssertUnwindSafe(run));
    GUARDS.set(GUARDS.get() - 1);
    let place = PLACE.take();
    match (ran, place) {
        (Ok(value), None) => Ok(value),
        (Ok(value), Some(place)) => {
            log::error!("{who} caught a panic of its own{place}");
            Ok(value)
        }
        (Err(panic), place) => {
            let place = place.unwrap_or_default();
            Err(Refusal::internal(format_args!("{who} panicked{place}: {}", words(&*panic))))
        }
    }
}

/// Runs a future as [`guard`] runs a function.
///
/// # Errors
/// It panicked; the log is to be told how.
pub async fn guarded<T>(who: &str, future: impl Future<Output = T>) -> Result<T, Refusal> {
    let mut future = pin!(future);
    let polled = std::future::poll_fn(|task| match guard(who, || future.as_mut().poll(task)) {
        Ok(poll) => poll.map(Ok),
        Err(refusal) => Poll::Ready(Err(refusal)),
    });
    polled.await
}

/// Has the process log its panics instead of printing them.
///
/// A panic of a handler, hook, type, inspector or envelope is then told with its place in the one line that also
/// names the request and the method; any other is logged by itself.
pub fn log_panics() {
    std::panic::set_hook(Box::new(note));
}

fn note(panic: &PanicHookInfo<'_>) {
    let mut place = panic.location().map_or_else(String::new, |location| format!(" at {location}"));
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        // Writing to a String does not fail.
        let _ = write!(place, "\n{trace}");
    }
    let guarded = GUARDS.get() > 0;
    if !guarded || PLACE.try_with(|own| own.replace(Some(place.clone()))).is_err() {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        log::error!("the thread {name} panicked{place}: {}", words(panic.payload()));
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no words")
}
