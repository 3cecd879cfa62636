//! What a success answers: the outputs in their envelope.

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::example::{Example, ExampleBuilder};

use super::super::example;
use super::files;
use super::schemas::{Schemas, described};
use crate::envelope::{Envelope, JsonMembers};
use crate::model::{Method, Output};
use crate::types::nullable_schema;

/// The schema of a success; none where there is no content. That of a method that returns a file has a link to it.
pub(super) fn success(envelope: &dyn Envelope, method: &Method, schemas: &mut Schemas) -> Option<Json> {
    // RFC 9110 sections 15.3.5 and 15.3.6: no content.
    if matches!(envelope.status(method.options.status), 204 | 205) {
        return None;
    }
    if method.options.download {
        let schema = json!({ "anyOf": [envelope.success_schema(files::link(), false), files::of_same_type()] });
        return Some(schemas.compact(&[&format!("{}.answer", method.id)], schema));
    }
    let whole = method.outputs.iter().find(|output| output.name == "*");
    let outputs = match whole {
        Some(output) => schema(method, output, schemas),
        None => {
            let members: Map<_, _> =
                method.outputs.iter().map(|output| (output.name.clone(), schema(method, output, schemas))).collect();
            let required = method.outputs.iter().filter(|output| !output.optional).map(|output| output.name.as_str());
            json!({ "type": "object", "properties": members, "required": required.collect::<Vec<_>>() })
        }
    };
    let schema = envelope.success_schema(outputs, whole.is_some());
    Some(schemas.compact(&[&format!("{}.answer", method.id)], schema))
}

fn schema(method: &Method, output: &Output, schemas: &mut Schemas) -> Json {
    let names = [&*output.name, &*format!("{}.{}", method.id, output.name)];
    // The whole of an answer has no name that says anything.
    let names = if output.name == "*" { &names[1..] } else { &names[..] };
    let mut schema = schemas.of_type(names, output.r#type.check.schema());
    if output.optional && !output.r#type.check.takes_null() {
        schema = nullable_schema(schema);
    }
    described(schema, &output.info, None, output.example.as_ref())
}

/// A success as it is answered, its outputs with values that show them; none where one of them cannot be made.
pub(super) fn example(envelope: &dyn Envelope, method: &Method) -> Option<(String, Example)> {
    if method.options.download {
        return None;
    }
    let whole = method.outputs.iter().find(|output| output.name == "*");
    let outputs = match whole {
        Some(output) => example::of_output(output)?,
        None => {
            let shown = method.outputs.iter().map(|output| (output, example::of_output(output)));
            let shown = shown.filter(|(output, shown)| shown.is_some() || !output.optional);
            Json::Object(shown.map(|(output, shown)| Some((output.name.clone(), shown?))).collect::<Option<_>>()?)
        }
    };
    let mut members = JsonMembers::new();
    envelope.success(&outputs, whole.is_some(), &mut members).ok()?;
    let value = serde_json::from_slice(&members.finish()).ok()?;
    Some(("success".to_owned(), ExampleBuilder::new().summary("Success").value(Some(value)).build()))
}
