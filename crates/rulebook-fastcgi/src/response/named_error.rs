//! Finds the declared error for what PHP returned.

use rulebook::ApiError;
use serde_json::Value as Json;

use crate::call_error::CallError;
use crate::settings::{ErrorSettings, HandlerSettings};

impl HandlerSettings {
    /// Returns the error that the setting `errors` names for a name or a number that PHP returned, or the declared
    /// error with this name.
    pub(super) fn error_by_name(&self, returned: &str) -> Option<&ErrorSettings> {
        let named = self.error_names.iter().find(|(known, _)| known == returned);
        let name = named.map_or(returned, |(_, name)| name.as_str());
        self.declared_errors.iter().find(|error| error.name == name)
    }

    /// Returns the only declared error for which a condition is true.
    pub(super) fn only_error(&self, is_match: impl Fn(&ErrorSettings) -> bool) -> Option<&ErrorSettings> {
        let mut matching = self.declared_errors.iter().filter(|error| is_match(error));
        matching.next().filter(|_| matching.next().is_none())
    }
}

/// Creates a declared error. A message that is not empty replaces that of the definition.
pub fn declared(error: &ErrorSettings, message: Option<&Json>) -> ApiError {
    let declared = ApiError::declared(error.name.clone());
    match message.and_then(Json::as_str) {
        Some(message) if !message.is_empty() => declared.with_message(message),
        _ => declared,
    }
}

/// Returns the error for something that the method does not declare. `returned` is for the log.
pub fn undeclared(returned: &str) -> CallError {
    let returned: String = returned.chars().take(100).collect();
    CallError::Response(format!("PHP returned the error {returned:?}, which the method does not declare"))
}
