//! The schema and the example of a success response, which contains the outputs of a method in an envelope (the format
//! of responses).

use serde_json::{Value as Json, json};
use utoipa::openapi::example::{Example, ExampleBuilder};

use super::super::{example, outputs};
use super::downloads;
use super::schemas::{Schemas, with_description};
use crate::envelope::{self, Envelope, has_content};
use crate::model::{Method, Output};

/// Returns the schema of a method's success response, or `None` if the response has no content. If the method returns a
/// file, the schema describes the response with a link to the file.
pub(super) fn success_schema(envelope: &dyn Envelope, method: &Method, schemas: &mut Schemas) -> Option<Json> {
    if !has_content(envelope::response_status(envelope, method.options.status)) {
        return None;
    }
    let schema = if method.options.download {
        json!({ "anyOf": [envelope.success_schema(downloads::link_schema(), false), downloads::file_schema()] })
    } else {
        let outputs = outputs::outputs_schema(method, |output| output_schema(method, output, schemas));
        envelope.success_schema(outputs, method.whole().is_some())
    };
    Some(schemas.inline_or_component(&[&format!("{}.response", method.id)], schema))
}

fn output_schema(method: &Method, output: &Output, schemas: &mut Schemas) -> Json {
    let names = [&*output.name, &*format!("{}.{}", method.id, output.name)];
    // An output that is the whole body has the name `*`, which would not be a meaningful name of a component.
    let names = if output.is_whole() { &names[1..] } else { &names[..] };
    let schema = schemas.type_schema_or_reference(names, output.r#type.check.schema());
    with_description(outputs::nullable_if_optional(output, schema), &output.info, None, output.example.as_ref())
}

/// Returns the name and the content of an example of a success response. Returns `None` if the method returns a file,
/// or if no example value exists.
pub(super) fn success_example(envelope: &dyn Envelope, method: &Method) -> Option<(String, Example)> {
    if method.options.download {
        return None;
    }
    let value = example::success_example(envelope, method)?;
    Some(("success".to_owned(), ExampleBuilder::new().summary("Success").value(Some(value)).build()))
}
