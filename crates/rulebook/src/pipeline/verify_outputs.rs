//! Compares the outputs of a handler with the definition. Outputs are compared in debug builds, and in programs that
//! call [`Rulebook::verify_outputs`](crate::Rulebook::verify_outputs).

use serde_json::Value as Json;

use crate::call::{ApiError, Encode, Value, is_secret_name};
use crate::plan::{PlannedMethod, PlannedOutput};

/// Checks that the outputs of a handler are the outputs that the definition declares for the API method (`out`).
/// Returns an internal error if an output is missing or has the wrong type. The log contains the name of the output;
/// the response does not, because the client did not cause the error.
pub(super) fn verify_outputs(method: &PlannedMethod, outputs: &dyn Encode) -> Result<(), ApiError> {
    verify_json(method, &outputs.to_json().map_err(ApiError::internal)?)
}

/// Returns the outputs that the definition declares, without others: what another program returns could contain members
/// that clients must not see, or members of the envelope. Fails like [`verify_outputs`], and if the outputs are not an
/// object.
pub(super) fn declared_outputs(method: &PlannedMethod, outputs: &dyn Encode) -> Result<Json, ApiError> {
    let mut json = outputs.to_json().map_err(ApiError::internal)?;
    match &mut json {
        _ if method.has_whole_output => {}
        Json::Object(members) => {
            members.retain(|name, _| method.outputs.iter().any(|output| *output.name == **name));
        }
        Json::Null => json = Json::Object(serde_json::Map::new()),
        // Without outputs, it does not matter what the handler returns.
        _ if method.outputs.is_empty() => json = Json::Object(serde_json::Map::new()),
        _ => return Err(ApiError::internal(format_args!("{}: the outputs are not an object", method.id))),
    }
    verify_json(method, &json)?;
    Ok(json)
}

fn verify_json(method: &PlannedMethod, json: &Json) -> Result<(), ApiError> {
    let mismatch_error = |path: &str, output: &PlannedOutput, problem: &str| {
        Err(ApiError::internal(format_args!("{}: the output `{}{path}`{problem}", method.id, output.name)))
    };
    for output in &method.outputs {
        let value = if method.has_whole_output { Some(json) } else { json.get(&*output.name) };
        match value {
            None | Some(Json::Null) if output.is_optional => {}
            None => return mismatch_error("", output, " is missing"),
            Some(value) => {
                if let Err(mismatch) = output.check.checked(Value::from(value)) {
                    let path = &mismatch.path;
                    let secret = is_secret_name(&output.name) || is_secret_name(path);
                    let got = if secret { "a secret" } else { &mismatch.got };
                    return mismatch_error(path, output, &format!(": expected {}, got {got}", mismatch.expected));
                }
            }
        }
    }
    Ok(())
}
