//! The request body of a method, in each media type that the server accepts.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::encoding::{Encoding, EncodingBuilder};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::{ContentBuilder, Required};

use super::operation::{DescribedMethod, PlacedParameter, placement};
use super::schemas::{SchemaPlace, Schemas, with_description};
use super::serialization::{Placement, TextStyle, text_encoding};
use super::{OpenapiDetail, serialization};
use crate::call::Value;
use crate::constraint::{Constraint, ConstraintKind, add_to_object_schema};
use crate::describe::example;
use crate::model::{Api, Method, Parameter, UnknownParameters};
use crate::types::{Arity, Check, optional_schema};

/// The media type of JSON bodies. Only in these bodies, a value can be something other than a text or a file.
const JSON_MEDIA_TYPE: &str = "application/json";
/// The media type of a file that can have every media type.
const BINARY_MEDIA_TYPE: &str = "application/octet-stream";

pub(super) fn body_fields(method: &Method) -> Vec<PlacedParameter<'_>> {
    let mut fields: Vec<PlacedParameter<'_>> = Vec::new();
    for parameter in method.parameters.iter().filter(|parameter| placement(method.http, parameter).is_none()) {
        // If two parameters are read from the same field of the body, only the first parameter is described.
        if fields.iter().all(|other| other.name != parameter.key) {
            fields.push(PlacedParameter { name: &parameter.key, parameter, placement: Placement::Form });
        }
    }
    fields
}

/// Returns the constraints of a method that are between fields of its body only.
pub(super) fn body_constraints<'m>(method: &'m Method, fields: &[PlacedParameter<'_>]) -> Vec<&'m Constraint> {
    let is_field =
        |name: &String| fields.iter().any(|field| !field.parameter.is_whole_body() && field.parameter.name == *name);
    method.constraints.iter().filter(|constraint| constraint.names.iter().all(is_field)).collect()
}

pub(super) fn request_body(
    (api, detail): (&Api, OpenapiDetail),
    fields: &[PlacedParameter<'_>],
    described: DescribedMethod<'_>,
    schemas: &mut Schemas,
) -> RequestBody {
    let method = described.method;
    if let [PlacedParameter { parameter, .. }] = fields
        && parameter.is_whole_body()
    {
        if parameter.is_raw_body() {
            return raw_body(parameter, schemas);
        }
        return whole_body(parameter, described, schemas);
    }
    let constraints = body_constraints(method, fields);
    let with_constraints = |mut schema: Json, reads_null_text: fn(&dyn Check) -> bool| {
        let reads_null_text =
            |name: &str| method.parameter(name).is_some_and(|parameter| reads_null_text(&*parameter.r#type.check));
        let constraints = constraints.iter().copied();
        add_to_object_schema(&mut schema, constraints, &|name| method.request_name(name), &reads_null_text);
        schema
    };
    let needs_field =
        |constraint: &&Constraint| matches!(constraint.kind, ConstraintKind::ExactlyOne | ConstraintKind::OneOrMore);
    let needs_fields = constraints.iter().any(needs_field);
    let fields: Vec<&Parameter> = fields.iter().map(|field| field.parameter).collect();
    let is_sent: Vec<_> = example::sent_parameters(method);
    let is_sent = |field: &&Parameter| is_sent.iter().any(|sent| std::ptr::eq(*sent, *field));
    let sent: Vec<&Parameter> = fields.iter().copied().filter(is_sent).collect();
    let is_closed = api.unknown == UnknownParameters::Refuse;
    let required =
        if needs_fields || fields.iter().any(|field| !field.optional) { Required::True } else { Required::False };
    let mut body = RequestBodyBuilder::new().required(Some(required)).build();
    let mut add = |media_type: &str, schema: Json, encoding: BTreeMap<String, Encoding>, schemas: &mut Schemas| {
        let example = body_example(method, &sent, media_type == JSON_MEDIA_TYPE);
        let mut content =
            ContentBuilder::new().schema(Some(schemas.add_with_placeholder(schema))).example(example).build();
        content.encoding = encoding;
        body.content.insert(media_type.to_owned(), content.into());
    };
    let place = |part: &'static str| SchemaPlace { method: described.name, part, key: "" };
    // Only multipart forms can contain files.
    let has_files = fields.iter().any(|field| is_file_field(field));
    if !has_files {
        let json = object_schema(&fields, is_closed, |field| json_field_schema(field, described, schemas));
        let json = with_constraints(json, |check| check.reads_null_text());
        let json = match detail {
            OpenapiDetail::Full => schemas.inline_or_component(place("body"), json),
            OpenapiDetail::Lean => schemas.component_reference(place("body"), json),
        };
        add(JSON_MEDIA_TYPE, json, BTreeMap::new(), schemas);
        if detail == OpenapiDetail::Lean {
            return body;
        }
    }
    let form = object_schema(&fields, is_closed, |field| form_field_schema(field, described, schemas));
    let form = schemas.inline_or_component(place("form"), with_constraints(form, decodes_null));
    if !has_files {
        let encoding = non_default_encodings(&fields, urlencoded_field_encoding);
        add("application/x-www-form-urlencoded", form.clone(), encoding, schemas);
    }
    add("multipart/form-data", form, non_default_encodings(&fields, multipart_part_encoding), schemas);
    body
}

/// Returns `true` if the text `null` in a form is null.
fn decodes_null(check: &dyn Check) -> bool {
    check.decode("null".into()) == Value::Null
}

fn whole_body(parameter: &Parameter, described: DescribedMethod<'_>, schemas: &mut Schemas) -> RequestBody {
    let method = described.method;
    let schema = json_field_schema(parameter, described, schemas);
    let is_sent = example::sent_parameters(method).iter().any(|sent| std::ptr::eq(*sent, parameter));
    let example = if is_sent { example::parameter_example(method, parameter) } else { None };
    let content = ContentBuilder::new().schema(Some(schemas.add_with_placeholder(schema))).example(example).build();
    let required = if parameter.optional { Required::False } else { Required::True };
    let mut body = RequestBodyBuilder::new().required(Some(required)).build();
    body.content.insert(JSON_MEDIA_TYPE.to_owned(), content.into());
    body
}

/// Returns a body that is a file, with each media type that the file can have.
fn raw_body(parameter: &Parameter, schemas: &mut Schemas) -> RequestBody {
    let check = &parameter.r#type.check;
    // A schema cannot express the restrictions on a file, so its description contains them.
    let schema = json!({ "type": "string", "format": "binary", "description": check.expected() });
    let required = if parameter.optional { Required::False } else { Required::True };
    let mut body = RequestBodyBuilder::new().required(Some(required)).build();
    body.description = Some(parameter.info.clone());
    let media_types = match check.media_types() {
        [] => &[BINARY_MEDIA_TYPE.to_owned()],
        media_types => media_types,
    };
    for media_type in media_types {
        let schema = schemas.add_with_placeholder(schema.clone());
        body.content.insert(media_type.clone(), ContentBuilder::new().schema(Some(schema)).build().into());
    }
    body
}

/// `None` if there are no fields, or if no example value exists for one of them.
fn body_example(method: &Method, fields: &[&Parameter], in_json: bool) -> Option<Json> {
    let example = |field| {
        if in_json { example::parameter_example(method, field) } else { form_field_example(method, field) }
    };
    let members = fields.iter().map(|field| Some((field.key.clone(), example(field)?)));
    members.collect::<Option<Map<_, _>>>().filter(|members| !members.is_empty()).map(Json::Object)
}

/// Returns the example value of a form field, or `None` if no example value can be serialized in a form.
fn form_field_example(method: &Method, field: &Parameter) -> Option<Json> {
    let style = serialization::text_style(&field.r#type, Placement::Form);
    serialization::value_for_documents(&field.r#type, &style, example::parameter_example(method, field)?)
}

fn is_file_field(field: &Parameter) -> bool {
    matches!(field.r#type.check.arity(), Arity::File | Arity::Files)
}

/// If `is_closed` is `true`, the object must not have further members.
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

/// Returns the schema of a field of a JSON body, or of the whole body. Null means the same as omitting an optional
/// parameter.
fn json_field_schema(
    field: &Parameter,
    DescribedMethod { method, name, .. }: DescribedMethod<'_>,
    schemas: &mut Schemas,
) -> Json {
    let check = &field.r#type.check;
    let key = if field.is_whole_body() { "" } else { &*field.key };
    let place = SchemaPlace { method: name, part: "body", key };
    let schema = schemas.add_referenced(check.schema(), &**check, place);
    let mut schema = schemas.type_schema_or_reference(place, schema);
    if field.optional {
        schema = optional_schema(&**check, schema);
    }
    let example = example::parameter_example(method, field).filter(|_| example::has_additional_example(field));
    with_description(schema, &field.info, example::parameter_default(field), example.as_ref())
}

/// Returns the schema of a field in a form. The value of a form field is a text or a file.
fn form_field_schema(
    field: &Parameter,
    DescribedMethod { method, name, .. }: DescribedMethod<'_>,
    schemas: &mut Schemas,
) -> Json {
    let encoding = text_encoding(&field.r#type, Placement::Form, !field.optional);
    let mut info = field.info.clone();
    if is_file_field(field) {
        // A schema cannot express the restrictions on a file, so the description contains them.
        info.push_str(&format!(": {}", field.r#type.check.expected()));
    }
    // A form cannot distinguish a text from an array that has only this text as its item.
    let is_repeated = encoding.style == TextStyle::Repeated;
    let single = is_repeated.then(|| "A single value is an array with one item.".to_owned());
    let notes = encoding.note.into_iter().chain(single).chain(serialization::alternative_note(
        field,
        Placement::Form,
        &encoding.style,
    ));
    let info = notes.fold(info, |info, note| format!("{info}\n\n{note}"));
    let place = SchemaPlace { method: name, part: "form", key: &field.key };
    let schema = schemas.add_referenced(encoding.schema, &*field.r#type.check, place);
    let schema = schemas.type_schema_or_reference(place, schema);
    let example = form_field_example(method, field).filter(|_| example::has_additional_example(field));
    with_description(schema, &info, serialization::default_for_documents(field, &encoding.style), example.as_ref())
}

/// Returns the encodings of those fields that are not serialized in the default way of OpenAPI, by field name.
fn non_default_encodings(
    fields: &[&Parameter],
    encoding: impl Fn(&Parameter, &TextStyle) -> Option<Encoding>,
) -> BTreeMap<String, Encoding> {
    let field_encoding = |field: &&Parameter| {
        let style = text_encoding(&field.r#type, Placement::Form, !field.optional).style;
        Some((field.key.clone(), encoding(field, &style)?))
    };
    fields.iter().filter_map(field_encoding).collect()
}

/// Returns the encoding of a field in a URL-encoded form, or `None` for OpenAPI's default.
fn urlencoded_field_encoding(_: &Parameter, style: &TextStyle) -> Option<Encoding> {
    let (form_style, explode) = style.openapi_style_and_explode(Placement::Form);
    match style {
        TextStyle::Plain => None,
        TextStyle::Json | TextStyle::Members => {
            Some(EncodingBuilder::new().content_type(Some("application/json")).build())
        }
        TextStyle::Repeated | TextStyle::Commas => {
            Some(EncodingBuilder::new().style(form_style).explode(explode).build())
        }
    }
}

/// Returns the encoding of a part in a multipart form, or `None` for OpenAPI's default. Lists of texts have the same
/// encoding as in a URL-encoded form, because otherwise Swagger UI would join the items with commas.
fn multipart_part_encoding(field: &Parameter, style: &TextStyle) -> Option<Encoding> {
    if !is_file_field(field) {
        return urlencoded_field_encoding(field, style);
    }
    // The encoding lists the media types that the file parameter allows. For a list of files, the attributes of the
    // items contain the media types.
    let attributes = &field.r#type.written.attributes;
    let items = attributes.get("items").and_then(Json::as_object);
    let range = items.unwrap_or(attributes).get("range").and_then(Json::as_array)?;
    let media_types = range.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", ");
    Some(EncodingBuilder::new().content_type(Some(media_types)).build())
}
