//! Environment variables in the settings of handlers, so that a definition does not contain credentials and addresses
//! of machines.

use rulebook_model::definition::JsonNode;
use rulebook_model::span::Span;
use rulebook_model::variables::{VariableError, expand};

use super::HandlerError;

/// Replaces each `${NAME}` in a text by the value of this environment variable, and each `${NAME:-default}`, if the
/// variable is not set or empty, by the default. In the user name, the password and the query of a URL, the value is
/// percent-encoded. `span` is the span of the text.
///
/// The texts of `app.json` have been expanded before a kind reads them; a kind needs this function only for texts in
/// the `handler` of a method.
///
/// # Errors
/// Fails if a variable is not set and has no default, or a brace is not closed. The errors contain no values.
pub fn expand_variables(text: &str, span: Span) -> Result<String, HandlerError> {
    expand(text).map_err(|error| handler_error(error, span))
}

/// Returns the errors of environment variables in a value of `app.json` that could not be replaced.
#[must_use]
pub fn variable_errors(node: &JsonNode) -> Vec<HandlerError> {
    node.variable_errors().into_iter().map(|(error, span)| handler_error(error, span)).collect()
}

fn handler_error(error: VariableError, span: Span) -> HandlerError {
    let VariableError { message, help, is_unset: _, hides_line } = error;
    let error = HandlerError::new(message).at(span).help(help);
    if hides_line { error.hide_line() } else { error }
}
