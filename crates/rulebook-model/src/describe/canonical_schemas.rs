//! Writes the schemas of an API as a definition contains them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::canonical::ObjectWriter;
use super::example::{minimal_example, type_example};
use crate::model::{Method, Schema};
use crate::types::{Check, NamedSchema, SCHEMA_REFERENCE_PREFIX, TypeExpr, replace_references};

/// How JSON Schemas in a document refer to the schemas of the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SchemaReferences {
    /// By the keys of the schemas, which are unique in the API.
    ByKey,
    /// By the names of the schemas, which are unique in an API module. Unlike the keys, the names do not depend on
    /// schemas of other API modules, which are not in the document.
    ByName,
}

pub(super) fn client_schema(check: &dyn Check, references: SchemaReferences) -> Json {
    let mut schema = check.schema();
    rename_references(&mut schema, check, references);
    schema
}

/// Returns the JSON Schemas of schemas, as the value of `$defs`, to which the references in `$schema` lead.
pub(super) fn json_schemas(schemas: &[Arc<NamedSchema>], references: SchemaReferences) -> Json {
    let json_schema = |named: &Arc<NamedSchema>| {
        let mut schema = named.schema();
        // Forms begin with it when a reader adds a value of the schema.
        if named.example.is_none()
            && let (Some(example), Json::Object(members)) = (type_example(&*named.check), &mut schema)
        {
            members.insert("examples".to_owned(), json!([minimal_example(&*named.check, example)]));
        }
        rename_references(&mut schema, &*named.check, references);
        let name = if references == SchemaReferences::ByKey { named.key() } else { &named.name };
        (name.to_owned(), schema)
    };
    schemas.iter().map(json_schema).collect()
}

/// Changes the references in the JSON Schema of a type, which contain the keys of schemas.
fn rename_references(schema: &mut Json, check: &dyn Check, references: SchemaReferences) {
    let referenced = check.referenced_schemas();
    if references == SchemaReferences::ByName && !referenced.is_empty() {
        replace_references(schema, &mut |key| {
            let named = referenced.iter().find(|named| named.key() == key);
            format!("{SCHEMA_REFERENCE_PREFIX}{}", named.map_or(key, |named| &named.name))
        });
    }
}

/// Returns the schemas to which the parameters and outputs of methods refer, directly or through other schemas.
pub(super) fn schemas_of_methods<'m>(methods: impl IntoIterator<Item = &'m Method>) -> Vec<Arc<NamedSchema>> {
    let types = |method: &'m Method| {
        let outputs = method.outputs.iter().map(|output| &output.r#type);
        method.parameters.iter().map(|parameter| &parameter.r#type).chain(outputs)
    };
    let types = methods.into_iter().flat_map(types);
    schemas_in_types(types.map(|r#type| &*r#type.check)).into_values().collect()
}

/// Returns the schemas to which several types refer, directly or through other schemas, by their keys. The time that
/// this takes is proportional to the number of references.
pub(super) fn schemas_in_types<'c>(
    types: impl IntoIterator<Item = &'c dyn Check>,
) -> BTreeMap<String, Arc<NamedSchema>> {
    let mut all: BTreeMap<String, Arc<NamedSchema>> = BTreeMap::new();
    let mut waiting: Vec<Arc<NamedSchema>> = Vec::new();
    for check in types {
        waiting.extend(check.referenced_schemas());
        while let Some(schema) = waiting.pop() {
            if !all.contains_key(schema.key()) {
                waiting.extend(schema.check.referenced_schemas());
                all.insert(schema.key().to_owned(), schema);
            }
        }
    }
    all
}

pub(super) fn write_schemas(schemas: &[Schema]) -> Json {
    let write = |schema: &Schema| {
        let Schema { name, key: _, info, r#type, example, extends: _, span: _ } = schema;
        (name.clone(), write_schema(info, &r#type.written, example.as_ref()))
    };
    Json::Object(schemas.iter().map(write).collect())
}

pub(super) fn write_named_schema(schema: &NamedSchema) -> Json {
    let NamedSchema { name: _, key: _, first_key: _, info, check, example, depth: _, samples: _, recursive_example: _ } =
        schema;
    write_schema(info, &check.type_expr(), example.as_ref())
}

fn write_schema(info: &str, written: &TypeExpr, example: Option<&Json>) -> Json {
    let mut object = ObjectWriter::default();
    object.add_if_some("info", Some(info));
    object.add_if_some("type", Some(written.term.as_str()));
    for (name, value) in &written.attributes {
        object.add_if_some(name, Some(value.clone()));
    }
    object.add_if_some("example", example.cloned());
    object.into_json()
}
