//! Readiness checks of the program, such as whether its database responds.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};

type CheckFuture = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// A check that `/readyz` runs and reports.
pub struct ReadinessCheck {
    name: Box<str>,
    check: Box<dyn Fn() -> CheckFuture + Send + Sync>,
    /// `true` if the last run failed.
    failing: AtomicBool,
}

impl ReadinessCheck {
    /// Creates a check with this name.
    pub(crate) fn new<F, C>(name: impl Into<Box<str>>, check: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { name: name.into(), check: Box::new(move || Box::pin(check())), failing: AtomicBool::new(false) }
    }

    /// Returns the name in the response of `/readyz`.
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

    /// Records whether the last run failed. Returns `true` if this differs from the previous run.
    pub(crate) fn set_failing(&self, failing: bool) -> bool {
        self.failing.swap(failing, Ordering::Relaxed) != failing
    }
}

impl fmt::Debug for ReadinessCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadinessCheck").field("name", &self.name).finish_non_exhaustive()
    }
}
