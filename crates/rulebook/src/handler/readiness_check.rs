//! Readiness checks that a program adds: for example, whether its database responds.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;

type ReadinessFuture = BoxFuture<'static, Result<(), String>>;

/// A check that runs when a client requests `/readyz`. The response reports its result.
pub struct ReadinessCheck {
    name: Box<str>,
    check: Box<dyn Fn() -> ReadinessFuture + Send + Sync>,
    /// `true` if the check failed when it ran last.
    is_failing: AtomicBool,
}

impl ReadinessCheck {
    /// Creates a check. The response of `/readyz` shows its result under `name`. An error is the reason why the program
    /// is not ready, for the log.
    pub fn new<F, C>(name: impl Into<Box<str>>, check: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { name: name.into(), check: Box::new(move || Box::pin(check())), is_failing: AtomicBool::new(false) }
    }

    /// Returns the name of the check in the response of `/readyz`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs the check.
    ///
    /// # Errors
    /// Returns the reason why the program is not ready, for the log.
    pub(crate) async fn run(&self) -> Result<(), String> {
        (self.check)().await
    }

    /// Records whether the check failed when it ran last. Returns `true` if the run before it had the opposite result.
    pub(crate) fn set_failing(&self, failing: bool) -> bool {
        self.is_failing.swap(failing, Ordering::Relaxed) != failing
    }
}

impl fmt::Debug for ReadinessCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadinessCheck").field("name", &self.name).finish_non_exhaustive()
    }
}
