//! The length of the texts for which SQLite searches.

use rulebook::ApiError;

use super::SqlMethod;
use crate::database::Dialect;
use crate::value::SqlValue;
use crate::value_error::parameter_error;

impl SqlMethod {
    /// Fails if a value of the request in a pattern is too long. The time of a comparison grows with the length of the
    /// pattern and with that of the text, and nothing stops SQLite meanwhile. The other databases stop at the time
    /// limit.
    pub(super) fn check_patterns(&self, values: &[SqlValue]) -> Result<(), ApiError> {
        if self.database.settings.dialect != Dialect::Sqlite {
            return Ok(());
        }
        let max = self.limits.pattern;
        let mut errors = Vec::new();
        for (index, (value, named)) in values.iter().zip(&self.values).enumerate() {
            let mut statements = self.steps.iter().flat_map(|step| &step.variants);
            let is_pattern = statements.any(|statement| statement.pattern_names.contains(&index));
            if let (true, SqlValue::Text(text), Some(parameter)) = (is_pattern, value, &named.request)
                && text.len() as u64 > max
            {
                errors.push(parameter_error(parameter, format!("a text to search for of at most {max} bytes")));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(ApiError::parameters(errors)) }
    }
}
