//! The JSON Schema of a method's outputs. The OpenAPI document, the TypeScript declarations and the Python client use
//! this schema.

use serde_json::{Map, Value as Json, json};

use crate::model::{Method, Output, Unbound};
use crate::types::{add_info, optional_schema};

/// Returns the schema of the outputs in a method's responses. A server that echoes the arguments of calls
/// ([`Unbound::Echo`]) has a single output, an object with them. `output_schema` returns the schema of a single output
/// of the definition.
pub(super) fn response_schema(unbound: Unbound, method: &Method, output_schema: impl FnMut(&Output) -> Json) -> Json {
    if unbound != Unbound::Echo {
        return outputs_schema(method, output_schema);
    }
    let arguments = json!({ "type": "object", "description": "The checked arguments, by their names in code" });
    json!({ "type": "object", "properties": { "args": arguments }, "required": ["args"] })
}

/// Returns the schema of a method's outputs. If one output is the whole body of the response, the result is the schema
/// of this output. Otherwise it is the schema of an object with the outputs as members. `output_schema` returns the
/// schema of a single output.
fn outputs_schema(method: &Method, mut output_schema: impl FnMut(&Output) -> Json) -> Json {
    if let Some(whole) = method.whole() {
        return output_schema(whole);
    }
    let members: Map<_, _> = method.body_outputs().map(|output| (output.name.clone(), output_schema(output))).collect();
    let required = method.body_outputs().filter(|output| !output.optional).map(|output| output.name.as_str());
    json!({ "type": "object", "properties": members, "required": required.collect::<Vec<_>>() })
}

/// Returns `schema`, the schema of `output`. If the output is optional, the returned schema also accepts null.
pub(super) fn nullable_if_optional(output: &Output, schema: Json) -> Json {
    if output.optional { optional_schema(&*output.r#type.check, schema) } else { schema }
}

pub(super) fn described_schema(output: &Output) -> Json {
    let mut schema = nullable_if_optional(output, output.r#type.check.schema());
    if let Json::Object(schema) = &mut schema {
        add_info(schema, &output.info);
    }
    schema
}
