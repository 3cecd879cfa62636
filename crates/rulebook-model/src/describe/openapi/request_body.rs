//! The body of a request, in every media type that the server reads.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::encoding::{Encoding, EncodingBuilder};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::{ContentBuilder, Required};

use super::super::example;
use super::parameters::placement;
use super::schemas::{Schemas, with_description};
use super::serialization::{self, Placement, TextStyle, text_encoding};
use crate::model::{Api, Method, Parameter, UnknownParameters};
use crate::types::{Arity, nullable_schema};

/// The media type of bodies whose values need not be texts.
const JSON: &str = "application/json";

/// Returns the request body of a method, or `None` if no parameter is in the body.
pub(super) fn request_body(api: &Api, method: &Method, schemas: &mut Schemas) -> Option<RequestBody> {
    let mut fields: Vec<&Parameter> = Vec::new();
    for parameter in method.parameters.iter().filter(|parameter| placement(method.http, parameter).is_none()) {
        // If two parameters are read from the same field, only the first one is described.
        if fields.iter().all(|other| other.key != parameter.key) {
            fields.push(parameter);
        }
    }
    if fields.is_empty() {
        return None;
    }
    let is_closed = api.unknown == UnknownParameters::Refuse;
    let required = if fields.iter().any(|field| !field.optional) { Required::True } else { Required::False };
    let mut body = RequestBodyBuilder::new().required(Some(required)).build();
    let form = object_schema(&fields, is_closed, |field| form_schema(field, method, schemas));
    let form = schemas.inline_or_component(&[&format!("{}.form", method.id)], form);
    let mut add = |media_type: &str, schema: Json, encoding: BTreeMap<String, Encoding>, schemas: &mut Schemas| {
        let example = body_example(&fields, media_type == JSON);
        let mut content = ContentBuilder::new().schema(Some(schemas.add(schema))).example(example).build();
        content.encoding = encoding;
        body.content.insert(media_type.to_owned(), content.into());
    };
    // Only multipart forms can contain files.
    if !fields.iter().any(|field| is_file(field)) {
        let json = object_schema(&fields, is_closed, |field| json_schema(field, method, schemas));
        let json = schemas.inline_or_component(&[&format!("{}.body", method.id)], json);
        add(JSON, json, BTreeMap::new(), schemas);
        let encoding = encodings(&fields, field_encoding);
        add("application/x-www-form-urlencoded", form.clone(), encoding, schemas);
    }
    add("multipart/form-data", form, encodings(&fields, part_encoding), schemas);
    Some(body)
}

/// Returns an example of a body with the required fields and the fields that have an example in the definition. Returns
/// `None` if no such fields exist or one of them has no example value.
fn body_example(fields: &[&Parameter], in_json: bool) -> Option<Json> {
    let sent = fields.iter().filter(|field| !field.optional || field.example.is_some());
    let example = |field| if in_json { example::of_parameter(field) } else { form_example(field) };
    let members = sent.map(|field| Some((field.key.clone(), example(field)?)));
    members.collect::<Option<Map<_, _>>>().filter(|members| !members.is_empty()).map(Json::Object)
}

/// Returns the example value of a form field.
fn form_example(field: &Parameter) -> Option<Json> {
    let style = serialization::text_style(&field.r#type, Placement::Form);
    serialization::document_value(&field.r#type, &style, example::of_parameter(field)?)
}

fn is_file(field: &Parameter) -> bool {
    matches!(field.r#type.check.arity(), Arity::File | Arity::Files)
}

/// Returns the schema of an object with a member for each field.
fn object_schema(fields: &[&Parameter], is_closed: bool, mut schema: impl FnMut(&Parameter) -> Json) -> Json {
    let properties: Map<_, _> = fields.iter().map(|field| (field.key.clone(), schema(field))).collect();
    let required: Vec<_> = fields.iter().filter(|field| !field.optional).map(|field| field.key.as_str()).collect();
    let mut object = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    if is_closed {
        object["additionalProperties"] = json!(false);
    }
    object
}

/// Returns the schema of a field in a JSON body. An optional field can be null, which is the same as omitting it.
fn json_schema(field: &Parameter, method: &Method, schemas: &mut Schemas) -> Json {
    let check = &field.r#type.check;
    let mut schema = schemas.type_schema(&[&field.key, &format!("{}.{}", method.id, field.key)], check.schema());
    if field.optional && !check.accepts_null() {
        schema = nullable_schema(schema);
    }
    let example = example::of_parameter(field).filter(|_| example::has_additional_example(field));
    with_description(schema, &field.info, example::default_of_parameter(field), example.as_ref())
}

/// Returns the schema of a form field, which is a text or a file.
fn form_schema(field: &Parameter, method: &Method, schemas: &mut Schemas) -> Json {
    let encoding = text_encoding(&field.r#type, Placement::Form, !field.optional);
    let info = match &encoding.note {
        // A schema cannot express the restrictions on a file.
        None if is_file(field) => format!("{}: {}", field.info, field.r#type.check.expected()),
        None => field.info.clone(),
        Some(note) => format!("{}\n\n{note}", field.info),
    };
    let schema = schemas.type_schema(&[&field.key, &format!("{}.{}", method.id, field.key)], encoding.schema);
    let example = form_example(field).filter(|_| example::has_additional_example(field));
    with_description(schema, &info, serialization::default(field, &encoding.style), example.as_ref())
}

/// Returns the encodings of the fields whose serialization is not OpenAPI's default.
fn encodings(
    fields: &[&Parameter],
    encoding: impl Fn(&Parameter, &TextStyle) -> Option<Encoding>,
) -> BTreeMap<String, Encoding> {
    let of_field = |field: &&Parameter| {
        let style = text_encoding(&field.r#type, Placement::Form, !field.optional).style;
        Some((field.key.clone(), encoding(field, &style)?))
    };
    fields.iter().filter_map(of_field).collect()
}

/// Returns the encoding of a field in a URL-encoded form.
fn field_encoding(_: &Parameter, style: &TextStyle) -> Option<Encoding> {
    let (form_style, explode) = style.style_and_explode(Placement::Form);
    match style {
        TextStyle::Plain => None,
        TextStyle::Json => Some(EncodingBuilder::new().content_type(Some("application/json")).build()),
        TextStyle::Repeated | TextStyle::Commas => {
            Some(EncodingBuilder::new().style(form_style).explode(explode).build())
        }
    }
}

/// Returns the encoding of a part in a multipart form. Lists of texts have the same encoding as in a URL-encoded form,
/// because Swagger UI would otherwise join the items with commas.
fn part_encoding(field: &Parameter, style: &TextStyle) -> Option<Encoding> {
    if !is_file(field) {
        return field_encoding(field, style);
    }
    // The allowed media types. If there are several files, each file is a part.
    let attributes = &field.r#type.written.attributes;
    let items = attributes.get("items").and_then(Json::as_object);
    let range = items.unwrap_or(attributes).get("range").and_then(Json::as_array)?;
    let media_types = range.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", ");
    Some(EncodingBuilder::new().content_type(Some(media_types)).build())
}
