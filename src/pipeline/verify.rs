//! Whether a handler returns what the definition says: in debug builds, and where the program asks for it.

use serde_json::Value as Json;

use crate::call::{Encode, Refusal, Value, is_secret_name};
use crate::plan::{Method, Output};

/// Checks the outputs of a handler against the definition's `out`.
///
/// # Errors
/// An internal refusal that names the output for the log: the client is not told what it did not cause.
pub(super) fn verify(method: &Method, outputs: &dyn Encode) -> Result<(), Refusal> {
    let json = outputs.to_json().map_err(Refusal::internal)?;
    let wrong = |at: &str, output: &Output, what: &str| {
        Err(Refusal::internal(format_args!("{}: the output `{}{at}`{what}", method.id, output.name)))
    };
    for output in &method.outputs {
        let value = if method.whole { Some(&json) } else { json.get(&*output.name) };
        match value {
            None | Some(Json::Null) if output.optional => {}
            None => return wrong("", output, " is missing"),
            Some(value) => {
                if let Err(mismatch) = output.check.check(Value::from(value)) {
                    let at = &mismatch.at;
                    let secret = is_secret_name(&output.name) || is_secret_name(at);
                    let got = if secret { "a secret" } else { &mismatch.got };
                    return wrong(at, output, &format!(": expected {}, got {got}", mismatch.expected));
                }
            }
        }
    }
    Ok(())
}
