//! Compares the outputs of a handler with the definition: in debug builds, and if the program asks for it.

use serde_json::Value as Json;

use crate::call::{ApiError, Encode, Value, is_secret_name};
use crate::plan::{PlannedMethod, PlannedOutput};

/// Checks the outputs of a handler against `out` of the definition.
///
/// # Errors
/// Returns an internal error if an output is missing or has the wrong type. Only the log names the output: the client
/// did not cause the error.
pub(super) fn verify_outputs(method: &PlannedMethod, outputs: &dyn Encode) -> Result<(), ApiError> {
    let json = outputs.to_json().map_err(ApiError::internal)?;
    let wrong = |at: &str, output: &PlannedOutput, what: &str| {
        Err(ApiError::internal(format_args!("{}: the output `{}{at}`{what}", method.id, output.name)))
    };
    for output in &method.outputs {
        let value = if method.whole { Some(&json) } else { json.get(&*output.name) };
        match value {
            None | Some(Json::Null) if output.optional => {}
            None => return wrong("", output, " is missing"),
            Some(value) => {
                if let Err(mismatch) = output.check.check(Value::from(value)) {
                    let at = &mismatch.path;
                    let secret = is_secret_name(&output.name) || is_secret_name(at);
                    let got = if secret { "a secret" } else { &mismatch.got };
                    return wrong(at, output, &format!(": expected {}, got {got}", mismatch.expected));
                }
            }
        }
    }
    Ok(())
}
