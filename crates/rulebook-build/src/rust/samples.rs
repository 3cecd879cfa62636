//! The Rust types of single values, which are found from samples of the values.
//!
//! What a handler receives may be of another kind than what a client sends, such as the seconds of a time. The samples
//! of arguments are therefore values that have passed the check, as the handler receives them.

use rulebook_model::call::Value;
use rulebook_model::types::{Check, Structure};
use serde_json::Value as Json;

/// Which values of a type are considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The values that handlers receive.
    Argument,
    /// The values that handlers return.
    Output,
    /// Both. Schemas have one Rust type for arguments and outputs.
    Both,
}

/// The Rust type of a single value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scalar {
    /// A type of Rust or of a crate: `String`.
    Plain(&'static str),
    /// One of these texts.
    OneOf(Vec<String>),
    /// This boolean or number.
    Constant(Json),
}

/// The type of any JSON value.
pub(super) const JSON: &str = "::serde_json::Value";

/// Returns the Rust type of the values, and whether they can be null.
pub(super) fn scalar_type(check: &dyn Check, role: Role) -> (Scalar, bool) {
    let of_outputs = || type_of_values(&check.boundary_values(), check);
    let of_arguments = || {
        let values = check.boundary_values().into_iter().filter_map(|value| check.checked(value).ok());
        type_of_values(&values.collect::<Vec<_>>(), check)
    };
    match role {
        Role::Argument => of_arguments(),
        Role::Output => of_outputs(),
        Role::Both => {
            let both = of_arguments();
            if both == of_outputs() { both } else { (Scalar::Plain(JSON), false) }
        }
    }
}

/// Returns `true` if handlers receive the values of a type as they return them.
pub(super) fn is_same_in_both_roles(check: &dyn Check) -> bool {
    match check.structure() {
        // The types of schemas are those of both roles.
        Structure::Schema(_) => true,
        Structure::Array(inner) | Structure::Map(inner) | Structure::Nullable(inner) => is_same_in_both_roles(&*inner),
        Structure::Object(shape) => shape.fields.iter().all(|field| is_same_in_both_roles(&*field.check)),
        Structure::Union(branches) => branches.iter().all(|branch| is_same_in_both_roles(&**branch)),
        Structure::TaggedUnion { branches, .. } => branches.iter().all(|(_, branch)| is_same_in_both_roles(&**branch)),
        _ => scalar_type(check, Role::Argument) == scalar_type(check, Role::Output),
    }
}

fn type_of_values(values: &[Value<'_>], check: &dyn Check) -> (Scalar, bool) {
    let present: Vec<&Value<'_>> = values.iter().filter(|value| **value != Value::Null).collect();
    let all = |test: fn(&Value<'_>) -> bool| present.iter().all(|value| test(value));
    if let Some(constant) = check.schema().get("const").filter(|json| json.is_boolean() || json.is_number()) {
        return (Scalar::Constant(constant.clone()), present.len() < values.len());
    }
    let name = if present.is_empty() {
        // A value of which nothing is known may be anything. A type with null alone has no other values.
        return (Scalar::Plain(if values.is_empty() { JSON } else { "()" }), false);
    } else if all(|value| matches!(value, Value::Bool(_))) {
        "bool"
    } else if all(|value| matches!(value, Value::Int(_))) && !is_fractional(check) {
        "i64"
    } else if all(|value| matches!(value, Value::Uint(_)) || matches!(value, Value::Int(0..))) && !is_fractional(check)
    {
        "u64"
    } else if all(|value| matches!(value, Value::Int(_) | Value::Uint(_) | Value::Float(_))) {
        "f64"
    } else if all(|value| matches!(value, Value::Text(_))) {
        if let Some(texts) = texts_of_schema(check) {
            return (Scalar::OneOf(texts), present.len() < values.len());
        }
        "String"
    } else {
        return (Scalar::Plain(JSON), false);
    };
    (Scalar::Plain(name), present.len() < values.len())
}

/// Returns `true` if the type can have numbers that are not whole, even if its samples are whole.
fn is_fractional(check: &dyn Check) -> bool {
    check.schema().get("type").is_some_and(|kind| kind == "number")
}

/// Returns the texts that are valid, if the type lists them.
fn texts_of_schema(check: &dyn Check) -> Option<Vec<String>> {
    let schema = check.schema();
    let text = |json: &Json| json.as_str().map(str::to_owned);
    match (schema.get("const"), schema.get("enum")) {
        (Some(json), _) => Some(vec![text(json)?]),
        (None, Some(Json::Array(all))) => all.iter().map(text).collect(),
        _ => None,
    }
}
