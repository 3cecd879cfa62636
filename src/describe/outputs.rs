//! What a method gives, as JSON Schema: the same in every document.

use serde_json::{Map, Value as Json, json};

use crate::model::{Method, Output};
use crate::types::nullable_schema;

/// The schema of a method's outputs: that of the one that is the whole, else an object of all of them. `of` makes that
/// of one.
pub(super) fn schema(method: &Method, mut of: impl FnMut(&Output) -> Json) -> Json {
    if let Some(whole) = method.whole() {
        return of(whole);
    }
    let members: Map<_, _> = method.outputs.iter().map(|output| (output.name.clone(), of(output))).collect();
    let required = method.outputs.iter().filter(|output| !output.optional).map(|output| output.name.as_str());
    json!({ "type": "object", "properties": members, "required": required.collect::<Vec<_>>() })
}

/// The schema of an output's type, and null where it may be that instead.
pub(super) fn or_null(output: &Output, schema: Json) -> Json {
    if output.optional && !output.r#type.check.takes_null() { nullable_schema(schema) } else { schema }
}
