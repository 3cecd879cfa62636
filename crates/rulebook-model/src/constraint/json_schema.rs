//! Describes constraints in JSON Schemas. JSON Schema can say which members an object must have together; it cannot
//! compare the values of members.

use serde_json::{Value as Json, json};

use super::{Constraint, ConstraintKind};

/// The keyword with the constraints that JSON Schema cannot describe.
const CONSTRAINTS_KEYWORD: &str = "x-constraints";
const MESSAGE_KEYWORD: &str = "x-message";

/// Adds constraints to the JSON Schema of an object. `member` returns the name of the object's member for a name.
pub(crate) fn add_to_object_schema<'c>(
    object: &mut Json,
    constraints: impl IntoIterator<Item = &'c Constraint>,
    member: &dyn Fn(&str) -> String,
) {
    let (mut all_of, mut others) = (Vec::new(), Vec::new());
    for constraint in constraints {
        match schema(constraint, member) {
            Some(mut schema) => {
                if let Some(message) = &constraint.message {
                    schema[MESSAGE_KEYWORD] = json!(message);
                }
                all_of.push(schema);
            }
            None => others.push(constraint.to_json_with(member)),
        }
    }
    for (keyword, schemas) in [("allOf", all_of), (CONSTRAINTS_KEYWORD, others)] {
        if !schemas.is_empty() {
            object[keyword] = Json::Array(schemas);
        }
    }
}

/// Returns the JSON Schema of the objects that fulfill a constraint; `None` if no JSON Schema describes it.
fn schema(constraint: &Constraint, name_in_object: &dyn Fn(&str) -> String) -> Option<Json> {
    // A member that is null is not given.
    let given = |name: &String| {
        let name = name_in_object(name);
        json!({ "required": [name], "properties": { (name.as_str()): { "not": { "type": "null" } } } })
    };
    let all: Vec<Json> = constraint.names.iter().map(given).collect();
    let none = || json!({ "not": { "anyOf": all } });
    Some(match constraint.kind {
        ConstraintKind::ExactlyOne => json!({ "oneOf": all }),
        ConstraintKind::OneOrMore => json!({ "anyOf": all }),
        ConstraintKind::OneOrNone => json!({ "oneOf": all.iter().cloned().chain([none()]).collect::<Vec<_>>() }),
        ConstraintKind::Together => json!({ "anyOf": [{ "allOf": all }, none()] }),
        ConstraintKind::Requires => json!({ "anyOf": [{ "not": all[0] }, { "allOf": all[1..] }] }),
        ConstraintKind::Less | ConstraintKind::LessOrEqual | ConstraintKind::Equal => return None,
    })
}
