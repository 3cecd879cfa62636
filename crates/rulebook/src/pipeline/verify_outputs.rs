//! Compares the outputs of a handler with the definition. The outputs of functions are compared in debug builds, and in
//! programs that call [`Rulebook::verify_outputs`](crate::Rulebook::verify_outputs); those of handlers of a definition
//! as their [`OutputsCheck`](crate::handler_kind::OutputsCheck) demands.

use std::sync::atomic::Ordering;

use rulebook_model::envelope::{Envelope, OutputsLocation};
use serde_json::Value as Json;

use crate::call::{ApiError, Encode, TypeMismatch, Value, is_secret_name};
use crate::plan::{PlannedMethod, PlannedOutput};

/// The maximum number of empty lists in an output that are taken for objects.
const MAX_EMPTY_LISTS: usize = 16;

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
        _ => {}
    }
    verify_json(method, &json)?;
    Ok(json)
}

/// Compares the outputs of a handler with the definition, and returns them unchanged, apart from null, which stands for
/// no outputs, and from members that the envelope itself writes beside them. See [`count_difference`].
pub(super) fn described_outputs(
    method: &PlannedMethod,
    envelope: &dyn Envelope,
    outputs: &dyn Encode,
) -> Result<Json, ApiError> {
    let mut json = match outputs.to_json().map_err(ApiError::internal)? {
        Json::Null if !method.has_whole_output => Json::Object(serde_json::Map::new()),
        json => json,
    };
    count_difference(method, &json);
    if let (Json::Object(members), OutputsLocation::Members { except, .. }) = (&mut json, envelope.decoding().outputs)
        && !method.has_whole_output
    {
        members.retain(|name, _| !except.contains(&name.as_str()));
    }
    Ok(json)
}

/// Counts a response whose outputs differ from the definition, and logs the first one of the API method. Outputs that
/// the definition does not declare are no difference.
pub(super) fn count_difference(method: &PlannedMethod, json: &Json) {
    let Some(difference) = find_difference(method, json, true) else { return };
    if method.output_differences.fetch_add(1, Ordering::Relaxed) == 0 {
        let id = &*method.id;
        log::warn!(id; "{difference}; the response is sent as it is, and further ones of this method are only counted");
    }
}

fn verify_json(method: &PlannedMethod, json: &Json) -> Result<(), ApiError> {
    find_difference(method, json, false).map_or(Ok(()), |difference| Err(ApiError::internal(difference)))
}

/// Returns a description of the first output that is missing or has the wrong type. If `is_lenient` is `true`, an empty
/// list stands for an object without members, too, as PHP writes it.
fn find_difference(method: &PlannedMethod, json: &Json, is_lenient: bool) -> Option<String> {
    let has_members = match json {
        Json::Object(_) | Json::Null => true,
        Json::Array(items) => is_lenient && items.is_empty(),
        _ => false,
    };
    if !has_members && !method.has_whole_output && !method.outputs.is_empty() {
        return Some(format!("{}: the outputs are not an object", method.id));
    }
    let describe = |path: &str, output: &PlannedOutput, problem: &str| {
        Some(format!("{}: the output `{}{path}`{problem}", method.id, output.name))
    };
    for output in &method.outputs {
        let value = if method.has_whole_output { Some(json) } else { json.get(&*output.name) };
        match value {
            None | Some(Json::Null) if output.is_optional => {}
            None => return describe("", output, " is missing"),
            Some(value) => {
                let mismatch = match output.check.checked(Value::from(value)) {
                    Err(mismatch) if is_lenient => mismatch_without_empty_lists(output, value, mismatch),
                    checked => checked.err(),
                };
                if let Some(mismatch) = mismatch {
                    let path = &mismatch.path;
                    let secret = is_secret_name(&output.name) || is_secret_name(path);
                    let got = if secret { "a secret" } else { &mismatch.got };
                    return describe(path, output, &format!(": expected {}, got {got}", mismatch.expected));
                }
            }
        }
    }
    None
}

/// Returns the first mismatch of an output that remains if its empty lists that do not match are objects. Each turn
/// replaces one of them.
#[cold]
fn mismatch_without_empty_lists(
    output: &PlannedOutput,
    value: &Json,
    mut mismatch: TypeMismatch,
) -> Option<TypeMismatch> {
    let mut value = value.clone();
    for _ in 0..MAX_EMPTY_LISTS {
        match find_at_path(&mut value, &mismatch.path) {
            Some(list) if list.as_array().is_some_and(Vec::is_empty) => *list = Json::Object(serde_json::Map::new()),
            _ => break,
        }
        mismatch = output.check.checked(Value::from(&value)).err()?;
    }
    Some(mismatch)
}

/// Returns the item or the member at the path of a mismatch, such as `[2].name`.
fn find_at_path<'j>(mut json: &'j mut Json, mut path: &str) -> Option<&'j mut Json> {
    while !path.is_empty() {
        let next = path.char_indices().skip(1).find(|(_, char)| matches!(char, '.' | '['));
        let (step, rest) = path.split_at(next.map_or(path.len(), |(at, _)| at));
        json = match step.strip_prefix('[') {
            Some(index) => json.get_mut(index.trim_end_matches(']').parse::<usize>().ok()?)?,
            None => json.get_mut(step.strip_prefix('.')?)?,
        };
        path = rest;
    }
    Some(json)
}
