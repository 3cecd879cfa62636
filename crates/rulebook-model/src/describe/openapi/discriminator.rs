//! Completes the discriminators of unions with a tag. A discriminator maps each value of the tag to a component, so
//! that the types of a union cannot be written inside of it.

use serde_json::{Map, Value as Json, json};

use super::component_name::{folded, to_component_name};
use super::schemas::Schemas;
use crate::distinct_names::{candidates, distinct_names};

/// Completes the discriminators in a schema. The types of a union that are not components become components of the
/// method or the schema `owner`, whose names begin with `name`.
pub(super) fn complete_discriminators(schema: &mut Json, owner: &str, name: &str, schemas: &mut Schemas) {
    let Json::Object(keywords) = schema else { return };
    for (keyword, value) in keywords.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties", Json::Object(inner)) => {
                for (key, schema) in inner {
                    complete_discriminators(schema, owner, &format!("{name}.{}", to_component_name(key)), schemas);
                }
            }
            ("anyOf" | "allOf" | "oneOf", Json::Array(inner)) => {
                inner.iter_mut().for_each(|schema| complete_discriminators(schema, owner, name, schemas));
            }
            ("items" | "additionalProperties" | "not", inner) => {
                complete_discriminators(inner, owner, name, schemas);
            }
            _ => {}
        }
    }
    if let Some(discriminator) = keywords.get("discriminator") {
        match complete_mapping(discriminator.clone(), keywords.get_mut("oneOf"), (owner, name), schemas) {
            Some(discriminator) => keywords.insert("discriminator".to_owned(), discriminator),
            None => keywords.shift_remove("discriminator"),
        };
    }
}

/// Returns a discriminator with a component for each value of its tag, after the branches of the union have become
/// components. Returns `None` if the tag of a branch can have several values.
fn complete_mapping(
    mut discriminator: Json,
    branches: Option<&mut Json>,
    (owner, name): (&str, &str),
    schemas: &mut Schemas,
) -> Option<Json> {
    let tag = discriminator.get("propertyName")?.as_str()?.to_owned();
    let known = discriminator.get("mapping").and_then(Json::as_object).cloned().unwrap_or_default();
    let branches = branches?.as_array_mut()?;
    let value_of = |branch: &Json| match branch.get("$ref") {
        Some(reference) => known.iter().find(|(_, target)| *target == reference).map(|(value, _)| value.clone()),
        None => tag_value(branch, &tag).map(str::to_owned),
    };
    let values = branches.iter().map(value_of).collect::<Option<Vec<String>>>()?;
    let names = |value: &String| candidates(vec![format!("{name}.{}", to_component_name(value))], ".", value);
    let names = distinct_names(values.iter().map(names), folded);
    let mut mapping = Map::new();
    for ((value, component), branch) in values.into_iter().zip(names).zip(branches) {
        if branch.get("$ref").is_none() {
            *branch = schemas.named_component_reference(owner, component, branch.take());
        }
        mapping.insert(value, branch.get("$ref")?.clone());
    }
    discriminator["mapping"] = json!(mapping);
    Some(discriminator)
}

/// Returns the only value of a tag in the objects that a schema accepts.
fn tag_value<'s>(schema: &'s Json, tag: &str) -> Option<&'s str> {
    let parts = schema.get("allOf").and_then(Json::as_array).into_iter().flatten();
    let mut schemas = std::iter::once(schema).chain(parts);
    schemas.find_map(|schema| schema.get("properties")?.get(tag)?.get("const")?.as_str())
}
