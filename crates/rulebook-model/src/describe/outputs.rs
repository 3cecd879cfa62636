//! The JSON Schema of a method's outputs, which all documents share.

use serde_json::{Map, Value as Json, json};

use crate::model::{Method, Output};
use crate::types::nullable_schema;

/// Returns the schema of a method's outputs: the schema of the output that is the whole body, or the schema of an
/// object with all outputs as members. `of` returns the schema of one output.
pub(super) fn schema(method: &Method, mut of: impl FnMut(&Output) -> Json) -> Json {
    if let Some(whole) = method.whole() {
        return of(whole);
    }
    let members: Map<_, _> = method.outputs.iter().map(|output| (output.name.clone(), of(output))).collect();
    let required = method.outputs.iter().filter(|output| !output.optional).map(|output| output.name.as_str());
    json!({ "type": "object", "properties": members, "required": required.collect::<Vec<_>>() })
}

/// Returns the schema of an output, which also accepts null if the output is optional.
pub(super) fn nullable_if_optional(output: &Output, schema: Json) -> Json {
    if output.optional && !output.r#type.check.accepts_null() { nullable_schema(schema) } else { schema }
}
