//! Converts the JSON of a response to the outputs of a method.

use rulebook::handler_kind::ReturnedValue;
use rulebook_model::model::Method;
use serde_json::{Map, Value as Json};

use super::error::UpstreamError;

/// What a method returns.
#[derive(Debug)]
pub enum Expected {
    /// Outputs with these names.
    Outputs(Vec<String>),
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
        } else {
            Self::Outputs(method.outputs.iter().map(|output| output.name.clone()).collect())
        }
    }
}

/// Returns the outputs in the body of a response. Members that are not outputs are omitted; an empty body has no
/// outputs.
///
/// # Errors
/// Fails if the body is not JSON, or not an object although the method has named outputs.
pub fn read_outputs(expected: &Expected, body: &[u8]) -> Result<ReturnedValue, UpstreamError> {
    let parse = |body: &[u8]| {
        serde_json::from_slice::<Json>(body)
            // The message of the parser contains no part of the body.
            .map_err(|error| UpstreamError::Response(format!("the body of the response is not JSON: {error}")))
    };
    let outputs = match expected {
        Expected::Outputs(names) if names.is_empty() => Json::Object(Map::new()),
        Expected::Outputs(names) => {
            let body = if body.is_empty() { Json::Object(Map::new()) } else { parse(body)? };
            let Json::Object(mut members) = body else {
                return Err(UpstreamError::Response("the body of the response is not a JSON object".to_owned()));
            };
            members.retain(|name, _| names.contains(name));
            Json::Object(members)
        }
        Expected::Whole | Expected::File if body.is_empty() => Json::Null,
        Expected::Whole | Expected::File => parse(body)?,
    };
    Ok(ReturnedValue::Outputs(Box::new(outputs)))
}
