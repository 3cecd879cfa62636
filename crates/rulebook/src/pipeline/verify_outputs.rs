//! Compares the outputs of a handler with the definition. Outputs are compared in debug builds, and in programs that
//! call [`Rulebook::verify_outputs`](crate::Rulebook::verify_outputs).

use serde_json::Value as Json;

use crate::call::{ApiError, Encode, Value, is_secret_name};
use crate::plan::{PlannedMethod, PlannedOutput};

/// Checks that the outputs of a handler are the outputs that the definition declares for the API method (`out`).
///
/// # Errors
/// Returns an internal error if an output is missing or has the wrong type. The log contains the name of the output;
/// the response does not, because the client did not cause the error.
pub(super) fn verify_outputs(method: &PlannedMethod, outputs: &dyn Encode) -> Result<(), ApiError> {
    let json = outputs.to_json().map_err(ApiError::internal)?;
    let mismatch_error = |path: &str, output: &PlannedOutput, problem: &str| {
        Err(ApiError::internal(format_args!("{}: the output `{}{path}`{problem}", method.id, output.name)))
    };
    for output in &method.outputs {
        let value = if method.has_whole_output { Some(&json) } else { json.get(&*output.name) };
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
