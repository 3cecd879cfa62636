//! The kinds of handlers that a definition uses, whose handlers the command `check` checks without serving the API.

use std::sync::Arc;

use rulebook_model::diagnostic::{Report, Sources};
use rulebook_model::span::Span;

use crate::bind;
use crate::handler::{CheckContext, HandlerError, HandlerKind};

/// The kinds of handlers that a definition uses.
// It is hidden because only the command line uses it.
#[doc(hidden)]
pub struct UsedKinds {
    pub(super) kinds: Vec<Arc<dyn HandlerKind>>,
    pub(super) sources: Sources,
    /// The span of errors without a span.
    pub(super) settings: Span,
}

impl UsedKinds {
    /// Checks the handlers, which must be compiled. Returns warnings about what cannot be checked.
    ///
    /// # Errors
    /// Returns the errors that the start of the API would report.
    pub async fn check(&self, check: CheckContext<'_>) -> Result<Report, Report> {
        let (mut warnings, mut errors) = (Vec::new(), Vec::new());
        let diagnostic = |error: HandlerError| bind::handler_diagnostic(error, self.settings);
        for kind in &self.kinds {
            match kind.check(check).await {
                Ok(unchecked) => warnings.extend(unchecked.into_iter().map(|error| diagnostic(error).into_warning())),
                Err(found) => errors.extend(found.into_iter().map(diagnostic)),
            }
        }
        let report = |diagnostics| Report::new(self.sources.clone(), diagnostics);
        if errors.is_empty() { Ok(report(warnings)) } else { Err(report(errors)) }
    }
}
