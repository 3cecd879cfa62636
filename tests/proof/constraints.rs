//! Determines whether a request fulfills the constraints between parameters in the OpenAPI document. JSON Schemas
//! cannot express them for parameters outside of the body, so this file decides it without the code of the server.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// Returns `true` if a request that contains the parameters `given` fulfills the constraints of an operation that do
/// not compare values.
pub fn are_fulfilled(operation: &Json, given: &BTreeSet<String>) -> bool {
    operation["x-constraints"].as_array().into_iter().flatten().all(|constraint| is_fulfilled(constraint, given))
}

fn is_fulfilled(constraint: &Json, given: &BTreeSet<String>) -> bool {
    let names = |json: &Json| -> Vec<String> {
        json.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
    };
    let count = |json: &Json| (names(json).iter().filter(|name| given.contains(*name)).count(), names(json).len());
    constraint.as_object().into_iter().flatten().all(|(key, value)| match key.as_str() {
        "exactly_one" => count(value).0 == 1,
        "at_least_one" => count(value).0 > 0,
        "at_most_one" => count(value).0 < 2,
        "together" => [0, count(value).1].contains(&count(value).0),
        "requires" => {
            value.as_object().into_iter().flatten().all(|(name, required)| {
                !given.contains(name) || names(required).iter().all(|name| given.contains(name))
            })
        }
        _ => true,
    })
}
