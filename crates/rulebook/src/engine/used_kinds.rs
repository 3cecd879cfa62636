//! The kinds of handlers that a definition uses: how their handlers start, and how the command `check` checks them
//! without serving the API.
//!
//! The start has three steps: all kinds begin what does not change data, such as workers; then they prepare the changes
//! of data; and only if everything has succeeded do they commit them.

use std::path::Path;
use std::sync::Arc;

use rulebook_model::diagnostic::{Report, Sources};
use rulebook_model::span::Span;

use super::start::{HookError, StartError};
use crate::bind;
use crate::handler::{CheckContext, DataChanges, HandlerError, HandlerKind, Migrations, PrepareContext};

/// The kinds of handlers that a definition uses.
// It is hidden because only the command line uses it.
#[doc(hidden)]
pub struct UsedKinds {
    pub(super) kinds: Vec<Arc<dyn HandlerKind>>,
    pub(super) sources: Arc<Sources>,
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
        let report = |diagnostics| Report::new(Sources::clone(&self.sources), diagnostics);
        if errors.is_empty() { Ok(report(warnings)) } else { Err(report(errors)) }
    }

    /// Prepares the changes of data that the handlers need, which must be compiled, and makes them effective if
    /// `confirm` returns `true`. It gets a description of the changes, which is empty without changes.
    ///
    /// # Errors
    /// Returns the errors that the start of the API would report.
    pub async fn migrate(
        &self,
        data_folder: &Path,
        migrations: Migrations,
        confirm: impl FnOnce(&[String]) -> bool,
    ) -> Result<(), StartError> {
        let (changes, _, errors) = self.prepare(data_folder, migrations).await;
        errors.map_or(Ok(()), Err)?;
        if confirm(&changes) { self.commit().await } else { Ok(()) }
    }

    /// Prepares the changes of data of all kinds. Returns a description of the changes, whether there is new data, and
    /// the errors.
    async fn prepare(&self, data_folder: &Path, migrations: Migrations) -> (Vec<String>, bool, Option<StartError>) {
        let (mut changes, mut is_new, mut errors, mut pending) = (Vec::new(), false, Vec::new(), 0);
        for kind in &self.kinds {
            match kind.prepare(PrepareContext { data_folder, migrations }).await {
                Ok(DataChanges::None) => {}
                Ok(DataChanges::Prepared(lines)) => changes.extend(lines),
                Ok(DataChanges::New(lines)) => {
                    changes.extend(lines);
                    is_new = true;
                }
                Err(error) => {
                    errors.extend(error.errors);
                    pending += error.pending;
                }
            }
        }
        let failed = !errors.is_empty();
        (changes, is_new, failed.then(|| StartError { pending, ..self.start_error(errors) }))
    }

    async fn commit(&self) -> Result<(), StartError> {
        for kind in &self.kinds {
            kind.commit().await.map_err(|errors| self.start_error(errors))?;
        }
        Ok(())
    }

    /// Starts the handlers, which must be compiled. If this fails, no data has changed.
    pub(super) async fn start(&self, data_folder: &Path, migrations: Migrations) -> Result<(), StartError> {
        let mut failed = Vec::new();
        for kind in &self.kinds {
            if let Err(errors) = kind.start(data_folder).await {
                failed.push((kind, errors));
            }
        }
        let (_, is_new, errors) = self.prepare(data_folder, migrations).await;
        // Missing tables can also be the cause of a worker that has failed.
        errors.map_or(Ok(()), Err)?;
        // A worker may read the tables when it starts. In a new database, it is started again after they were created;
        // other data does not change for a program that may not start.
        if let (false, Some((_, errors))) = (is_new, failed.first()) {
            return Err(self.start_error(errors.clone()));
        }
        for (_, errors) in &failed {
            log::warn!("{}; this is tried again with the changed tables", self.start_error(errors.clone()).text);
        }
        self.commit().await?;
        for (kind, _) in failed {
            kind.start(data_folder).await.map_err(|errors| self.start_error(errors))?;
        }
        Ok(())
    }

    fn start_error(&self, errors: Vec<HandlerError>) -> StartError {
        let diagnostics = errors.into_iter().map(|error| bind::handler_diagnostic(error, self.settings)).collect();
        StartError::new(&HookError::from(Report::new(Sources::clone(&self.sources), diagnostics)))
    }
}
