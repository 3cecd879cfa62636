//! The errors of calls.

use rulebook::ApiError;

use super::{CallFailure, SqlMethod};
use crate::database::{Dialect, Prepared};
use crate::error_class::ErrorClass;
use crate::value::SqlValue;
use crate::value_error::{invalid_search, invalid_value};

/// The key in `on_error` of all errors of searches. The message of most of them begins with it.
const SEARCH_ERROR: &str = "fts5";

impl SqlMethod {
    /// Returns the error of a call, and counts it.
    pub(super) fn call_error(
        &self,
        failure: CallFailure,
        statements: &[Vec<Prepared>],
        values: &[SqlValue],
    ) -> ApiError {
        let error = match failure {
            CallFailure::Sql(error) => error,
            CallFailure::Api(error) | CallFailure::Stopped(error) => {
                self.database.failures.end();
                return error;
            }
        };
        if let Some(name) = self.error_names.raised(&error) {
            self.database.failures.end();
            return ApiError::declared(name.to_owned());
        }
        if let Some(invalid) = self.search_error(&error, values) {
            self.database.failures.end();
            return self.error_names.named(SEARCH_ERROR).map_or(invalid, |name| ApiError::declared(name.to_owned()));
        }
        self.note_failure(&error);
        let variants = self.steps.iter().zip(statements);
        let run = variants.filter_map(|(step, variants)| variants.get(step.variant(self, values).0));
        let bound = run.flat_map(|statement| &statement.bound);
        let invalid = invalid_value(&error, &self.values, values, bound);
        invalid.unwrap_or_else(|| self.error_names.api_error(&error))
    }

    /// Returns `true` if a text of the request is not a search in the syntax of SQLite.
    pub(super) fn is_search_error(&self, error: &sqlx::Error, values: &[SqlValue]) -> bool {
        self.search_error(error, values).is_some()
    }

    fn search_error(&self, error: &sqlx::Error, values: &[SqlValue]) -> Option<ApiError> {
        if self.database.settings.dialect != Dialect::Sqlite {
            return None;
        }
        let statements = self.steps.iter().flat_map(|step| &step.variants);
        let mut names: Vec<_> = statements.flat_map(|statement| &statement.search_names).copied().collect();
        names.sort_unstable();
        names.dedup();
        invalid_search(error, &names, &self.values, values)
    }

    /// Counts a call that has failed for a reason that is not in the request. A call that takes too long is not
    /// counted, because its values may be the reason.
    pub(super) fn note_failure(&self, error: &sqlx::Error) {
        match ErrorClass::of(error) {
            ErrorClass::Temporary | ErrorClass::Stale | ErrorClass::Rejected => self.database.failures.add(),
            ErrorClass::Timeout => {}
            ErrorClass::Value(_) | ErrorClass::Other => self.database.failures.end(),
        }
    }
}
