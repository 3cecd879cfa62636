//! The request that the example calls of a method send. It does not depend on the programming language of the call.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::super::example;
use super::super::in_words::reads_key_as_parameter;
use super::super::openapi::{Placement, TextStyle, placement, text_style};
use super::{AUTHORIZATION, SampleCredential, sample_credential};
use crate::call::{HttpMethod, Value};
use crate::invisible::escape_like_json;
use crate::model::{Api, Idempotency, Location, Method, Parameter};
use crate::types::{Arity, Check, includes_media_type};
use crate::uri::percent_encode;

/// The name of the header field that contains the cookies.
const COOKIE: &str = "Cookie";
/// The name of the header field that contains the name of a file that is the whole body.
const CONTENT_DISPOSITION: &str = "Content-Disposition";

/// The request that an example call sends.
pub(super) struct SampleRequest {
    pub(super) http: HttpMethod,
    /// The URL, with the server, the path and the query. The path and the query are percent-encoded.
    pub(super) url: String,
    /// `true` if the request has the name and the password of the examples, in its field `Authorization`.
    pub(super) has_password: bool,
    /// `true` if the request needs an idempotency key. The code creates it when it runs, so that code that is pasted
    /// again is not the same request.
    pub(super) needs_key: bool,
    /// The names and values of the other header fields, in order, without `Content-Type`, which `body` determines.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: SampleBody,
    pub(super) returns_file: bool,
}

pub(super) enum SampleBody {
    Empty,
    Json(Json),
    Multipart(Vec<(String, FormPart)>),
    File(SampleFile),
}

/// A file that is the whole body. The reader of the example provides it.
pub(super) struct SampleFile {
    pub(super) name: String,
    pub(super) media_type: String,
}

pub(super) enum FormPart {
    Text(String),
    /// The name of a file. The reader of the example provides this file.
    File(String),
}

impl SampleRequest {
    pub(super) fn new(api: &Api, server: &str, uri: &str, method: &Method) -> Self {
        let mut request = Self {
            http: method.http,
            url: format!("{server}{}", sample_path(uri, method)),
            has_password: false,
            needs_key: method.options.idempotent == Some(Idempotency::Required) && !reads_key_as_parameter(method),
            headers: Vec::new(),
            body: SampleBody::Empty,
            returns_file: method.options.download,
        };
        let mut query = Vec::new();
        let mut cookies = Vec::new();
        match sample_credential(api, method) {
            Some(SampleCredential::Field(name, value)) if name == COOKIE => cookies.push(value),
            Some(SampleCredential::Field(name, value)) => request.headers.push((name, value)),
            Some(SampleCredential::NameAndPassword) => request.has_password = true,
            None => {}
        }
        let mut fields: Vec<&Parameter> = Vec::new();
        for parameter in parameters_to_send(method) {
            match placement(method.http, parameter) {
                Some(Placement::Query) => {
                    let texts = field_texts(method, parameter, Placement::Query).into_iter();
                    query.extend(
                        texts.map(|text| format!("{}={}", percent_encode(&parameter.key), percent_encode(&text))),
                    );
                }
                Some(Placement::Header) => request.add_header(method, parameter),
                Some(Placement::Cookie) => {
                    cookies.push(format!(
                        "{}={}",
                        parameter.key,
                        single_field_text(method, parameter, Placement::Cookie)
                    ));
                }
                Some(Placement::Path | Placement::Form) => {}
                None => fields.push(parameter),
            }
        }
        request.body = sample_body(method, &fields);
        if let SampleBody::File(file) = &request.body
            && !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(CONTENT_DISPOSITION))
        {
            let disposition = format!("attachment; filename=\"{}\"", file.name);
            request.headers.push((CONTENT_DISPOSITION.to_owned(), disposition));
        }
        if !query.is_empty() {
            request.url.push('?');
            request.url.push_str(&query.join("&"));
        }
        if !cookies.is_empty() {
            request.headers.push((COOKIE.to_owned(), cookies.join("; ")));
        }
        request
    }

    /// Returns the media type of the body; `None` without a body, and for a form, whose media type contains a boundary.
    pub(super) fn media_type(&self) -> Option<&str> {
        match &self.body {
            SampleBody::Json(_) => Some("application/json"),
            SampleBody::File(file) => Some(&file.media_type),
            SampleBody::Empty | SampleBody::Multipart(_) => None,
        }
    }

    pub(super) fn sends_files(&self) -> bool {
        match &self.body {
            SampleBody::Multipart(parts) => parts.iter().any(|(_, part)| matches!(part, FormPart::File(_))),
            SampleBody::File(_) => true,
            SampleBody::Empty | SampleBody::Json(_) => false,
        }
    }

    pub(super) fn has_cookies(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == COOKIE)
    }

    /// Returns the header fields as curl reads them. It omits a field without a value, unless the name of the field is
    /// followed by a semicolon instead of a colon.
    pub(super) fn curl_headers(&self) -> impl Iterator<Item = String> {
        let format = |(name, value): &(String, String)| {
            if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") }
        };
        self.headers.iter().map(format)
    }

    /// Adds the header field of a parameter, unless the request already has this header field or the body determines
    /// it.
    fn add_header(&mut self, method: &Method, parameter: &Parameter) {
        let is_same = |(name, _): &(String, String)| name.eq_ignore_ascii_case(&parameter.key);
        let is_credential = self.has_password && parameter.key.eq_ignore_ascii_case(AUTHORIZATION);
        if !self.headers.iter().any(is_same) && !is_credential && parameter.key != "content-type" {
            self.headers.push((parameter.key.clone(), single_field_text(method, parameter, Placement::Header)));
        }
    }
}

/// Returns the parameters that the example request contains. If two parameters are read from the same field of a
/// request, only the first of the two is returned.
pub(super) fn parameters_to_send(method: &Method) -> impl Iterator<Item = &Parameter> {
    let mut sent: Vec<&Parameter> = Vec::new();
    for parameter in example::sent_parameters(method) {
        let is_same = |other: &&Parameter| {
            placement(method.http, other) == placement(method.http, parameter) && other.key == parameter.key
        };
        if parameter.key.is_empty() || !sent.iter().any(is_same) {
            sent.push(parameter);
        }
    }
    sent.into_iter()
}

fn is_in_example_request(parameter: &Parameter) -> bool {
    !parameter.optional || parameter.example.is_some()
}

/// Replaces the captures (`{name}`) of a URI template by example values, and appends the example values of positional
/// parameters, which follow the path of the service.
fn sample_path(uri: &str, method: &Method) -> String {
    let captured = |segment: &str| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        method.parameters.iter().find(|parameter| parameter.from == Location::Path && parameter.key == name)
    };
    let fill = |segment| {
        let parameter = captured(segment);
        parameter.map_or(Cow::Borrowed(segment), |parameter| {
            percent_encode(&single_field_text(method, parameter, Placement::Path)).to_string().into()
        })
    };
    let mut path = uri.split('/').map(fill).collect::<Vec<_>>().join("/");
    let positions = method.positions();
    let count = positions.iter().rposition(|position| is_in_example_request(position)).map_or(0, |last| last + 1);
    if count > 0 && path.ends_with('/') {
        path.pop();
    }
    for position in &positions[..count] {
        path.push('/');
        if is_in_example_request(position) {
            path.extend(percent_encode(&single_field_text(method, position, Placement::Path)));
        }
    }
    path
}

fn sample_body(method: &Method, fields: &[&Parameter]) -> SampleBody {
    if fields.is_empty() {
        return SampleBody::Empty;
    }
    if let Some(whole) = fields.iter().find(|field| field.is_whole_body()) {
        return match whole.is_raw_body() {
            true => SampleBody::File(sample_file(whole)),
            false => SampleBody::Json(sample_value(method, whole)),
        };
    }
    if !fields.iter().any(|field| is_file(field)) {
        let members = fields.iter().map(|field| (field.key.clone(), sample_value(method, field)));
        return SampleBody::Json(Json::Object(members.collect::<Map<_, _>>()));
    }
    let parts = fields.iter().flat_map(|field| {
        let parts: Vec<FormPart> = if is_file(field) {
            sample_file_names(field).into_iter().map(FormPart::File).collect()
        } else {
            field_texts(method, field, Placement::Form).into_iter().map(FormPart::Text).collect()
        };
        parts.into_iter().map(|part| (field.key.clone(), part))
    });
    SampleBody::Multipart(parts.collect())
}

pub(super) fn is_file(parameter: &Parameter) -> bool {
    matches!(parameter.r#type.check.arity(), Arity::File | Arity::Files)
}

/// Returns the file that the example sends as the whole body. Its media type is that of its name, or else the first one
/// that the type allows.
fn sample_file(parameter: &Parameter) -> SampleFile {
    let name = sample_file_names(parameter).concat();
    let allowed = parameter.r#type.check.media_types();
    let of_name = mime_guess::from_path(&name).first_raw().filter(|found| includes_media_type(allowed, found));
    let exact = || allowed.iter().map(String::as_str).find(|media_type| !media_type.ends_with("/*"));
    let media_type = of_name.or_else(exact).unwrap_or("application/octet-stream").to_owned();
    SampleFile { name, media_type }
}

/// Returns the names of the files that the example sends for a parameter. Each name has an extension that the
/// parameter's type allows.
pub(super) fn sample_file_names(parameter: &Parameter) -> Vec<String> {
    let attributes = &parameter.r#type.written.attributes;
    let file_attributes = attributes.get("items").and_then(Json::as_object).unwrap_or(attributes);
    let first_string = |name: &str| file_attributes.get(name)?.as_array()?.first()?.as_str();
    let extension_of = |media_type: &str| match media_type {
        "image/*" | "image/png" | "*/*" => Some("png"),
        "text/*" | "text/plain" => Some("txt"),
        other => mime_guess::get_mime_extensions_str(other)?.first().copied(),
    };
    let extension = first_string("ext").or_else(|| extension_of(first_string("range")?)).unwrap_or("txt");
    let bound = |name: &str| attributes.get(name).and_then(Json::as_u64);
    let min = bound("min").unwrap_or(0).clamp(1, 9);
    // If several files are allowed, the example sends two of them.
    let count = bound("max").unwrap_or(2).clamp(min, min.max(2));
    match parameter.r#type.check.arity() {
        Arity::Files => (1..=count).map(|number| format!("file{number}.{extension}")).collect(),
        _ => vec![format!("file.{extension}")],
    }
}

/// Returns the example value of a parameter, or the placeholder `value` if no example can be generated.
pub(super) fn sample_value(method: &Method, parameter: &Parameter) -> Json {
    example::parameter_example(method, parameter).unwrap_or_else(|| "value".into())
}

/// Returns the example value of a parameter as one text. Must only be used for a placement in which a parameter has a
/// single field, such as a header field.
fn single_field_text(method: &Method, parameter: &Parameter, placement: Placement) -> String {
    field_texts(method, parameter, placement).into_iter().next().unwrap_or_default()
}

/// Returns the example value of a parameter as the texts of one or more request fields. The value is serialized in the
/// style that the OpenAPI document describes. If the type would decode these texts to another value, the value is
/// serialized as JSON instead.
fn field_texts(method: &Method, parameter: &Parameter, placement: Placement) -> Vec<String> {
    let value = sample_value(method, parameter);
    let items = || value.as_array().into_iter().flatten().map(json_to_text);
    let texts = match text_style(&parameter.r#type, placement) {
        TextStyle::Plain => vec![json_to_text(&value)],
        TextStyle::Repeated => items().collect(),
        TextStyle::Commas => vec![items().collect::<Vec<_>>().join(",")],
        // The server also reads such an object as JSON, in one field.
        TextStyle::Json | TextStyle::Members => vec![value.to_string()],
    };
    if decodes_to_value(&*parameter.r#type.check, &texts, &value) {
        texts
    } else {
        // Header fields can only carry ASCII characters.
        vec![escape_like_json(&value.to_string(), |character| !character.is_ascii())]
    }
}

fn json_to_text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns `true` if the type with the check `check` decodes `texts` to `value`.
fn decodes_to_value(check: &dyn Check, texts: &[String], value: &Json) -> bool {
    let mut borrowed = texts.iter().map(|text| Cow::Borrowed(text.as_str()));
    let decoded = match (check.arity(), borrowed.len()) {
        (_, 0) => return false,
        (Arity::Many, _) => check.decode_many(borrowed.collect()),
        _ => check.decode(borrowed.next().unwrap_or_default()),
    };
    // If the type also accepts the value before decoding, such as the text `"1"` for an `id`, the decoded value has the
    // same meaning.
    decoded.to_json() == *value || !matches!(value, Json::Array(_)) || check.checked(Value::from(value)).is_err()
}
