//! Writes the schemas of an API as a definition contains them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::canonical::ObjectWriter;
use crate::model::{Method, Schema};
use crate::types::{NamedSchema, TypeExpr, all_referenced_schemas};

/// Returns the JSON Schemas of schemas, as the value of `$defs`, to which the references in `$schema` lead.
pub(super) fn json_schemas(schemas: &[Arc<NamedSchema>]) -> Json {
    schemas.iter().map(|schema| (schema.key().to_owned(), schema.schema())).collect()
}

/// Returns the schemas to which the parameters and outputs of methods refer, directly or through other schemas.
pub(super) fn schemas_of_methods<'m>(methods: impl IntoIterator<Item = &'m Method>) -> Vec<Arc<NamedSchema>> {
    let types = |method: &'m Method| {
        let outputs = method.outputs.iter().map(|output| &output.r#type);
        method.parameters.iter().map(|parameter| &parameter.r#type).chain(outputs)
    };
    let all = methods.into_iter().flat_map(types).flat_map(|r#type| all_referenced_schemas(&*r#type.check));
    let by_key: BTreeMap<String, Arc<NamedSchema>> = all.map(|schema| (schema.key().to_owned(), schema)).collect();
    by_key.into_values().collect()
}

pub(super) fn write_schemas(schemas: &[Schema]) -> Json {
    let write = |schema: &Schema| {
        let Schema { name, key: _, info, r#type, example, span: _ } = schema;
        (name.clone(), write_schema(info, &r#type.written, example.as_ref()))
    };
    Json::Object(schemas.iter().map(write).collect())
}

pub(super) fn write_named_schema(schema: &NamedSchema) -> Json {
    let NamedSchema { name: _, key: _, first_key: _, info, check, example, samples: _ } = schema;
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
