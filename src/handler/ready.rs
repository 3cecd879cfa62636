//! Checks of the program's own that say whether it can do its work: whether its database answers.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};

type Checking = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// A check that `/readyz` asks.
pub struct Ready {
    name: Box<str>,
    check: Box<dyn Fn() -> Checking + Send + Sync>,
    failing: AtomicBool,
}

impl Ready {
    /// The check of this name.
    pub(crate) fn new<F, C>(name: impl Into<Box<str>>, check: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { name: name.into(), check: Box::new(move || Box::pin(check())), failing: AtomicBool::new(false) }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs it.
    ///
    /// # Errors
    /// What is wrong, for the log.
    pub(crate) async fn run(&self) -> Result<(), String> {
        (self.check)().await
    }

    /// Takes down how it ended; true where that is news.
    pub(crate) fn is_news(&self, failing: bool) -> bool {
        self.failing.swap(failing, Ordering::Relaxed) != failing
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("name", &self.name).finish_non_exhaustive()
    }
}
