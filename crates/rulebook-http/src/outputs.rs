//! Converts the JSON of a response to the outputs of a method.

use rulebook::handler_kind::ReturnedValue;
use rulebook_model::model::Method;
use serde_json::Value as Json;

use super::error::UpstreamError;

/// What a method returns.
#[derive(Debug)]
pub enum Expected {
    /// The members of a JSON object.
    Outputs,
    /// No outputs.
    Nothing,
    /// A single output, which is the whole body.
    Whole,
    /// A file.
    File,
}

impl Expected {
    /// Returns what a method returns.
    pub fn of(method: &Method) -> Self {
        if method.options.download {
            Self::File
        } else if method.whole().is_some() {
            Self::Whole
        } else if method.outputs.is_empty() {
            Self::Nothing
        } else {
            Self::Outputs
        }
    }
}

/// Returns the outputs in the body of a response, from which the engine removes members that are not outputs. An empty
/// body has no outputs.
///
/// # Errors
/// Fails if the body is not JSON, or not an object although the method has named outputs.
pub fn read_outputs(expected: &Expected, body: &[u8]) -> Result<ReturnedValue, UpstreamError> {
    if matches!(expected, Expected::Nothing) || body.is_empty() {
        return Ok(ReturnedValue::Outputs(Box::new(Json::Null)));
    }
    let outputs: Json = serde_json::from_slice(body)
        // The message of the parser contains no part of the body.
        .map_err(|error| UpstreamError::Response(format!("the body of the response is not JSON: {error}")))?;
    if matches!(expected, Expected::Outputs) && !outputs.is_object() {
        return Err(UpstreamError::Response("the body of the response is not a JSON object".to_owned()));
    }
    Ok(ReturnedValue::Outputs(Box::new(outputs)))
}
