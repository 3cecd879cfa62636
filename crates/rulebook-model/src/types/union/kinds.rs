//! The kinds of JSON values that a type accepts, and the constants to which it is limited.

use serde_json::Value as Json;

use crate::call::Value;
use crate::types::{Check, SCHEMA_REFERENCE_PREFIX, Structure};

/// The kinds of JSON values. A whole number is a number.
const KINDS: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];

/// The index of null in [`KINDS`].
pub(super) const NULL: usize = 0;
/// The index of arrays in [`KINDS`].
pub(super) const ARRAY: usize = 4;
/// The index of objects in [`KINDS`].
pub(super) const OBJECT: usize = 5;

/// Returns the index in [`KINDS`] of a value's kind; `None` for files.
pub(super) fn kind_index(value: &Value<'_>) -> Option<usize> {
    Some(match value {
        Value::Null => NULL,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => 2,
        Value::Text(_) => 3,
        Value::List(_) => ARRAY,
        Value::Map(_) => OBJECT,
        Value::File(_) => return None,
    })
}

/// What is known of the values of a type.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// For each of [`KINDS`], whether a value can have this kind.
    pub(super) kinds: [bool; 6],
    /// All values, if they are constants.
    pub(super) constants: Option<Vec<Json>>,
}

/// Returns the kinds of the values that `check` accepts.
pub(super) fn values_of(check: &dyn Check) -> Values {
    values_of_schema(&check.schema(), check)
}

/// Returns all values that `check` accepts, if they are constants. The JSON Schema of a type that refers to schemas is
/// not used, because these schemas may contain the union whose JSON Schema depends on the constants.
pub(super) fn constants_of(check: &dyn Check) -> Option<Vec<Json>> {
    match check.structure() {
        Structure::Scalar if check.referenced_schemas().is_empty() => values_of(check).constants,
        Structure::Schema(schema) => constants_of(&*schema.check),
        Structure::Nullable(check) => constants_of(&*check).map(|constants| [constants, vec![Json::Null]].concat()),
        Structure::Union(branches) => {
            let constants: Option<Vec<_>> = branches.iter().map(|branch| constants_of(&**branch)).collect();
            constants.map(|constants| constants.concat())
        }
        _ => None,
    }
}

/// Returns the kinds of the values that are valid against a JSON Schema, whose references lead to the schemas of
/// `check`. References form no circle, because schemas that refer to themselves directly are errors.
fn values_of_schema(schema: &Json, check: &dyn Check) -> Values {
    if let Some(key) = schema.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix(SCHEMA_REFERENCE_PREFIX)) {
        let referenced = check.referenced_schemas();
        let target = referenced.iter().find(|schema| schema.key() == key);
        return target.map_or_else(Values::anything, |target| values_of_schema(&target.check.schema(), &*target.check));
    }
    let branches = ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(*keyword)?.as_array());
    if let Some(branches) = branches {
        return Values::of_branches(branches.iter().map(|branch| values_of_schema(branch, check)));
    }
    let constants = match (schema.get("const"), schema.get("enum")) {
        (Some(constant), _) => Some(vec![constant.clone()]),
        (None, Some(Json::Array(constants))) => Some(constants.clone()),
        _ => None,
    };
    if let Some(constants) = constants {
        let mut kinds = [false; 6];
        constants.iter().filter_map(|json| kind_index(&Value::from(json))).for_each(|kind| kinds[kind] = true);
        return Values { kinds, constants: Some(constants) };
    }
    // The parts of `allOf` describe objects with a tag.
    let names = match schema.get("type") {
        Some(Json::String(name)) => vec![name.as_str()],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        _ if schema.get("allOf").is_some() => vec!["object"],
        _ => return Values::anything(),
    };
    let mut values = Values::default();
    for name in names {
        let name = if name == "integer" { "number" } else { name };
        KINDS.iter().zip(&mut values.kinds).for_each(|(kind, accepts)| *accepts |= *kind == name);
    }
    values
}

impl Values {
    fn anything() -> Self {
        Self { kinds: [true; 6], constants: None }
    }

    fn of_branches(branches: impl Iterator<Item = Self>) -> Self {
        let mut all = Self { kinds: [false; 6], constants: Some(Vec::new()) };
        for branch in branches {
            all.kinds.iter_mut().zip(branch.kinds).for_each(|(kind, more)| *kind |= more);
            all.constants = all.constants.zip(branch.constants).map(|(one, other)| [one, other].concat());
        }
        all
    }
}
