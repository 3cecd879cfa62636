//! Finds the declared error for what PHP returned.

use std::ops::RangeInclusive;

use rulebook::ApiError;
use rulebook::model::DeclaredError;
use serde_json::{Value as Json, json};

use crate::call_error::CallError;
use crate::settings::{HandlerSettings, OTHER_ERRORS};

/// The statuses, and the values of `ret`, with which PHP rejects a request. From 500, its message can be a secret.
pub const REJECTIONS: RangeInclusive<u64> = 400..=499;
/// The number of characters of a text of PHP in the log.
const MAX_LOGGED: usize = 100;

impl HandlerSettings {
    /// Returns the error that the setting `errors` names for a name or a number that PHP returned, or the declared
    /// error with this name.
    pub(super) fn error_by_name(&self, returned: &str) -> Option<&DeclaredError> {
        let named = self.error_names.iter().find(|(known, _)| known == returned);
        let name = named.map_or(returned, |(_, name)| name.as_str());
        self.declared_errors.iter().find(|error| error.name == name)
    }

    /// Returns the declared error that the setting `errors` names for all errors that nothing else matches.
    pub(super) fn other_error(&self) -> Option<&DeclaredError> {
        let named = self.error_names.iter().find(|(known, _)| known == OTHER_ERRORS);
        named.and_then(|(_, name)| self.declared_errors.iter().find(|error| error.name == *name))
    }

    /// Returns the only declared error for which a condition is true.
    pub(super) fn only_error(&self, is_match: impl Fn(&DeclaredError) -> bool) -> Option<&DeclaredError> {
        let mut matching = self.declared_errors.iter().filter(|error| is_match(error));
        matching.next().filter(|_| matching.next().is_none())
    }
}

/// Creates a declared error. A message that is not empty replaces that of the definition.
pub fn declared(error: &DeclaredError, message: &str) -> ApiError {
    let declared = ApiError::declared(error.name.clone());
    if message.is_empty() { declared } else { declared.with_message(message) }
}

/// Returns the error for something that the method does not declare: its log has what was returned, and how it is
/// declared. `name` is a name for it.
pub fn undeclared(returned: &str, name: &str, declaration: &Json) -> CallError {
    let (returned, name) = (start(returned), json!(start(name)));
    CallError::Response(format!(
        "PHP returned the error {returned:?}, which the method does not declare: add {name}: {declaration} to the \
         errors of the method, or write which of its errors this is into the setting `errors` of the handler"
    ))
}

/// Returns the status with which an error is declared that PHP returned with this status.
pub fn error_status(returned: u64) -> u64 {
    if (400..600).contains(&returned) { returned } else { *REJECTIONS.start() }
}

/// Returns the beginning of a text of PHP, for the log.
pub fn start(text: &str) -> String {
    text.chars().take(MAX_LOGGED).collect()
}
