//! The body of a request, in every media type that is read.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::encoding::{Encoding, EncodingBuilder};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::{ContentBuilder, Required};

use super::super::example;
use super::parameters::place;
use super::schemas::{Schemas, described};
use super::text::{self, Place, Style, text};
use crate::model::{Api, Method, Parameter, UnknownParameters};
use crate::types::{Takes, nullable_schema};

/// The media type of bodies whose values are no texts.
const JSON: &str = "application/json";

/// What a method reads of a body; none where it reads nothing.
pub(super) fn body(api: &Api, method: &Method, schemas: &mut Schemas) -> Option<RequestBody> {
    let mut fields: Vec<&Parameter> = Vec::new();
    for own in method.parameters.iter().filter(|own| place(method.http, own).is_none()) {
        // Of two that one field could fill, the first gets it.
        if fields.iter().all(|other| other.key != own.key) {
            fields.push(own);
        }
    }
    if fields.is_empty() {
        return None;
    }
    let is_closed = api.unknown == UnknownParameters::Refuse;
    let required = if fields.iter().any(|own| !own.optional) { Required::True } else { Required::False };
    let mut body = RequestBodyBuilder::new().required(Some(required)).build();
    let form = object(&fields, is_closed, |own| form_schema(own, method, schemas));
    let form = schemas.compact(&[&format!("{}.form", method.id)], form);
    let mut add = |media_type: &str, schema: Json, encoding: BTreeMap<String, Encoding>, schemas: &mut Schemas| {
        let shown = shown(&fields, media_type == JSON);
        let mut content = ContentBuilder::new().schema(Some(schemas.place(schema))).example(shown).build();
        content.encoding = encoding;
        body.content.insert(media_type.to_owned(), content.into());
    };
    // Files come in parts alone.
    if !fields.iter().any(|own| is_file(own)) {
        let json = object(&fields, is_closed, |own| json_schema(own, method, schemas));
        let json = schemas.compact(&[&format!("{}.body", method.id)], json);
        add(JSON, json, BTreeMap::new(), schemas);
        let encoding = encodings(&fields, form_encoding);
        add("application/x-www-form-urlencoded", form.clone(), encoding, schemas);
    }
    add("multipart/form-data", form, encodings(&fields, part_encoding), schemas);
    Some(body)
}

/// A body with what is needed, and what the definition shows; none where that is nothing, or cannot be made.
fn shown(fields: &[&Parameter], in_json: bool) -> Option<Json> {
    let sent = fields.iter().filter(|own| !own.optional || own.example.is_some());
    let shown =
        sent.map(|own| Some((own.key.clone(), if in_json { example::of_parameter(own) } else { in_form(own) }?)));
    shown.collect::<Option<Map<_, _>>>().filter(|shown| !shown.is_empty()).map(Json::Object)
}

/// What shows a field of a form.
fn in_form(own: &Parameter) -> Option<Json> {
    let style = text::style(&own.r#type, Place::Form);
    text::shown(&own.r#type, &style, example::of_parameter(own)?)
}

fn is_file(own: &Parameter) -> bool {
    matches!(own.r#type.check.takes(), Takes::File | Takes::Files)
}

/// An object with a member for each field.
fn object(fields: &[&Parameter], is_closed: bool, mut schema: impl FnMut(&Parameter) -> Json) -> Json {
    let properties: Map<_, _> = fields.iter().map(|own| (own.key.clone(), schema(own))).collect();
    let required: Vec<_> = fields.iter().filter(|own| !own.optional).map(|own| own.key.as_str()).collect();
    let mut object = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    if is_closed {
        object["additionalProperties"] = json!(false);
    }
    object
}

/// A field as a member of a JSON body, where null leaves it out.
fn json_schema(own: &Parameter, method: &Method, schemas: &mut Schemas) -> Json {
    let check = &own.r#type.check;
    let mut schema = schemas.of_type(&[&own.key, &format!("{}.{}", method.id, own.key)], check.schema());
    if own.optional && !check.takes_null() {
        schema = nullable_schema(schema);
    }
    let shown = example::of_parameter(own).filter(|_| example::is_beside_default(own));
    described(schema, &own.info, example::default(own), shown.as_ref())
}

/// A field of a form, as text or as a file.
fn form_schema(own: &Parameter, method: &Method, schemas: &mut Schemas) -> Json {
    let text = text(&own.r#type, Place::Form, !own.optional);
    let info = match &text.note {
        // What a file may be is more than a schema can say.
        None if is_file(own) => format!("{}: {}", own.info, own.r#type.check.expected()),
        None => own.info.clone(),
        Some(note) => format!("{}\n\n{note}", own.info),
    };
    let schema = schemas.of_type(&[&own.key, &format!("{}.{}", method.id, own.key)], text.schema);
    let shown = in_form(own).filter(|_| example::is_beside_default(own));
    described(schema, &info, text::default(own, &text.style), shown.as_ref())
}

/// How the fields are written that are not written as OpenAPI expects.
fn encodings(
    fields: &[&Parameter],
    encoding: impl Fn(&Parameter, &Style) -> Option<Encoding>,
) -> BTreeMap<String, Encoding> {
    let own = |own: &&Parameter| {
        let style = text(&own.r#type, Place::Form, !own.optional).style;
        Some((own.key.clone(), encoding(own, &style)?))
    };
    fields.iter().filter_map(own).collect()
}

/// A field of an urlencoded form.
fn form_encoding(_: &Parameter, style: &Style) -> Option<Encoding> {
    let (words, explode) = style.words(Place::Form);
    match style {
        Style::Plain => None,
        Style::Json => Some(EncodingBuilder::new().content_type(Some("application/json")).build()),
        Style::Repeated | Style::Commas => Some(EncodingBuilder::new().style(words).explode(explode).build()),
    }
}

/// A part of a multipart form. Lists of texts are told from one as in an urlencoded form: Swagger UI would write commas.
fn part_encoding(own: &Parameter, style: &Style) -> Option<Encoding> {
    if !is_file(own) {
        return form_encoding(own, style);
    }
    // The media types that a file may be of. Each of several files is a part of its own.
    let attributes = &own.r#type.written.attributes;
    let items = attributes.get("items").and_then(Json::as_object);
    let range = items.unwrap_or(attributes).get("range").and_then(Json::as_array)?;
    let media_types = range.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", ");
    Some(EncodingBuilder::new().content_type(Some(media_types)).build())
}
