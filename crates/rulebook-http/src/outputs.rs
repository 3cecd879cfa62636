//! Converts a response to the outputs, or to the file, that a method returns.

use rulebook::Download;
use rulebook::handler_kind::{MethodReturns, ReturnedValue, describe_file};
use serde_json::Value as Json;

use super::address::Origin;
use super::error::UpstreamError;
use super::exchange::UpstreamResponse;
use super::settings::CallLimits;

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

/// Returns the file in a response. Its body is received while it is sent to the client.
pub fn to_download(response: UpstreamResponse, origin: &Origin, limits: &CallLimits) -> Download {
    let UpstreamResponse { head, body } = response;
    let fields = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    describe_file(Download::stream(body.into_stream(origin.clone(), limits.timeout)), fields)
}
