//! Catches panics in the code of the program that uses this crate. A panic becomes an internal error, which is logged
//! once, with the id of the request.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use crate::call::ApiError;

thread_local! {
    /// The number of [`catch_panic`] calls that are active on the stack of this thread.
    static ACTIVE_CATCHERS: Cell<u32> = const { Cell::new(0) };
    /// The source location of the last panic in this thread. [`catch_panic`] removes the location and logs it.
    static LAST_PANIC_LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls `run` and catches a panic in it. `what` is the name of the called code in the log, such as "the handler".
/// Returns an internal error with the panic message for the log if `run` panics.
pub fn catch_panic<T>(what: &str, run: impl FnOnce() -> T) -> Result<T, ApiError> {
    ACTIVE_CATCHERS.set(ACTIVE_CATCHERS.get() + 1);
    let ran = catch_unwind(AssertUnwindSafe(run));
    ACTIVE_CATCHERS.set(ACTIVE_CATCHERS.get() - 1);
    let location = LAST_PANIC_LOCATION.try_with(RefCell::take).ok().flatten();
    match (ran, location) {
        (Ok(value), None) => Ok(value),
        (Ok(value), Some(location)) => {
            log::error!("{what} caught a panic itself{location}");
            Ok(value)
        }
        (Err(panic), location) => {
            let location = location.unwrap_or_default();
            Err(ApiError::internal(format_args!("{what} panicked{location}: {}", panic_message(&*panic))))
        }
    }
}

/// Polls a future, and catches a panic in it as [`catch_panic`] does. The caller pins the future: if this function
/// moved it into its own future, the memory for both would double. Returns an internal error with the panic message for
/// the log if the future panics.
pub async fn catch_panic_async<F: Future>(what: &str, mut future: Pin<&mut F>) -> Result<F::Output, ApiError> {
    let polled = std::future::poll_fn(|task| match catch_panic(what, || future.as_mut().poll(task)) {
        Ok(poll) => poll.map(Ok),
        Err(error) => Poll::Ready(Err(error)),
    });
    polled.await
}

/// Makes this process write its panics to the log instead of printing them to standard error.
///
/// A panic in a handler, hook, type, authenticator or envelope is logged with its source location, in the log line that
/// also contains the ids of the request and the method. Any other panic is logged in a separate line.
pub fn log_panics() {
    std::panic::set_hook(Box::new(log_panic));
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let mut location = panic.location().map_or_else(String::new, |location| format!(" at {location}"));
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        // Writing to a `String` never fails.
        let _ = write!(location, "\n{trace}");
    }
    let is_caught = ACTIVE_CATCHERS.get() > 0;
    if !is_caught || LAST_PANIC_LOCATION.try_with(|last| last.replace(Some(location.clone()))).is_err() {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        log::error!("the thread {name} panicked{location}: {}", panic_message(panic.payload()));
    }
}

/// Returns the text that was passed to `panic!`.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
