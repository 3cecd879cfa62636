//! What a success answers: the outputs in their envelope.

use serde_json::{Value as Json, json};
use utoipa::openapi::example::{Example, ExampleBuilder};

use super::super::{example, outputs};
use super::files;
use super::schemas::{Schemas, described};
use crate::envelope::{self, Envelope, has_content};
use crate::model::{Method, Output};

/// The schema of a success; none where there is no content. That of a method that returns a file has a link to it.
pub(super) fn success(envelope: &dyn Envelope, method: &Method, schemas: &mut Schemas) -> Option<Json> {
    if !has_content(envelope::status(envelope, method.options.status)) {
        return None;
    }
    if method.options.download {
        let schema = json!({ "anyOf": [envelope.success_schema(files::link(), false), files::of_same_type()] });
        return Some(schemas.compact(&[&format!("{}.answer", method.id)], schema));
    }
    let outputs = outputs::schema(method, |output| schema(method, output, schemas));
    let schema = envelope.success_schema(outputs, method.whole().is_some());
    Some(schemas.compact(&[&format!("{}.answer", method.id)], schema))
}

fn schema(method: &Method, output: &Output, schemas: &mut Schemas) -> Json {
    let names = [&*output.name, &*format!("{}.{}", method.id, output.name)];
    // The whole of an answer has no name that says anything.
    let names = if output.is_whole() { &names[1..] } else { &names[..] };
    let schema = schemas.of_type(names, output.r#type.check.schema());
    described(outputs::or_null(output, schema), &output.info, None, output.example.as_ref())
}

/// A success as it is answered, its outputs with values that show them.
pub(super) fn example(envelope: &dyn Envelope, method: &Method) -> Option<(String, Example)> {
    if method.options.download {
        return None;
    }
    let value = example::of_success(envelope, method)?;
    Some(("success".to_owned(), ExampleBuilder::new().summary("Success").value(Some(value)).build()))
}
