//! Generated examples without optional members, with which the forms of the documentation pages begin.

use serde_json::Value as Json;

use crate::call::Value;
use crate::types::{Check, Structure};

/// Removes the optional members from a generated example, except those for which the definition gives an example.
/// Returns the whole example if the type requires more of them.
pub(in crate::describe) fn minimal_example(check: &dyn Check, example: Json) -> Json {
    let minimal = without_optional_members(check, example.clone());
    if check.checked(Value::from(&minimal)).is_ok() { minimal } else { example }
}

fn without_optional_members(check: &dyn Check, example: Json) -> Json {
    match (check.structure(), example) {
        (Structure::Nullable(inner), example) => without_optional_members(&*inner, example),
        (Structure::Schema(schema), example) if schema.example.is_none() => {
            without_optional_members(&*schema.check, example)
        }
        (Structure::Array(item), Json::Array(items)) => {
            items.into_iter().map(|value| without_optional_members(&*item, value)).collect()
        }
        (Structure::Map(inner), Json::Object(members)) => {
            let minimal = |(name, value)| (name, without_optional_members(&*inner, value));
            Json::Object(members.into_iter().map(minimal).collect())
        }
        (Structure::Object(shape), Json::Object(members)) => {
            let minimal = |(name, value)| match shape.fields.iter().find(|field| field.name == name) {
                Some(field) if field.example.is_some() => Some((name, value)),
                Some(field) if field.optional => None,
                Some(field) => Some((name, without_optional_members(&*field.check, value))),
                None => Some((name, value)),
            };
            Json::Object(members.into_iter().filter_map(minimal).collect())
        }
        (Structure::TaggedUnion { tag, branches }, example) => {
            let branch = branches.iter().find(|(value, _)| example.get(&tag).is_some_and(|tag| tag == value.as_str()));
            branch.map_or_else(|| example.clone(), |(_, branch)| without_optional_members(&**branch, example.clone()))
        }
        (Structure::Union(types), example) => {
            let branch = types.iter().find(|branch| branch.checked(Value::from(&example)).is_ok());
            branch.map_or_else(|| example.clone(), |branch| without_optional_members(&**branch, example.clone()))
        }
        (_, example) => example,
    }
}
