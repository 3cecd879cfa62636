//! Converts the JSON of a response to the outputs of a method.

use rulebook::handler_kind::{MethodReturns, ReturnedValue};
use serde_json::Value as Json;

use super::error::UpstreamError;

/// Returns the outputs in the body of a response, from which the engine removes members that are not outputs. An empty
/// body has no outputs.
/// Fails if the body is not JSON, or not an object although the method has named outputs.
pub fn read_outputs(expected: MethodReturns, body: &[u8]) -> Result<ReturnedValue, UpstreamError> {
    if expected == MethodReturns::Nothing || body.is_empty() {
        return Ok(ReturnedValue::Outputs(Box::new(Json::Null)));
    }
    let outputs: Json = serde_json::from_slice(body)
        // The message of the parser contains no part of the body.
        .map_err(|error| UpstreamError::Response(format!("the body of the response is not JSON: {error}")))?;
    if expected == MethodReturns::Outputs && !outputs.is_object() {
        return Err(UpstreamError::Response("the body of the response is not a JSON object".to_owned()));
    }
    Ok(ReturnedValue::Outputs(Box::new(outputs)))
}
