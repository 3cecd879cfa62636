//! The request that shows a method, before any language writes it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json};

use super::super::example;
use super::super::openapi::{Place, Style, place, style};
use super::KEY;
use crate::call::{Http, Value};
use crate::model::{From, Method, Parameter};
use crate::types::{Check, Takes};

/// A request.
pub(super) struct Sent {
    pub(super) http: Http,
    /// With server, path and query, all that has to be encoded being so.
    pub(super) url: String,
    /// In order, that of the body not among them.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
    /// Whether the answer is a file.
    pub(super) download: bool,
}

/// What a request has for a body.
pub(super) enum Body {
    Empty,
    Json(Json),
    /// A multipart form.
    Parts(Vec<(String, Part)>),
}

/// A part of a form.
pub(super) enum Part {
    Text(String),
    /// A file of the reader's, of this name.
    File(String),
}

/// What is encoded in a path, a query or a form: all but the unreserved characters (RFC 3986 section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

impl Sent {
    pub(super) fn new(server: &str, uri: &str, method: &Method) -> Self {
        let mut sent = Self {
            http: method.http,
            url: format!("{server}{}", path(uri, method)),
            headers: Vec::new(),
            body: Body::Empty,
            download: method.options.download,
        };
        if !method.scope.is_public() {
            sent.headers.push(("Authorization".to_owned(), format!("Bearer {KEY}")));
        }
        let mut query = Vec::new();
        let mut cookies = Vec::new();
        let mut fields: Vec<&Parameter> = Vec::new();
        for own in shown(method) {
            match place(method.http, own) {
                Some(Place::Query) => {
                    let fields = texts(own, Place::Query).into_iter();
                    query.extend(fields.map(|text| format!("{}={}", encoded(&own.key), encoded(&text))));
                }
                Some(Place::Header) => sent.header(own),
                Some(Place::Cookie) => cookies.push(format!("{}={}", own.key, one_text(own, Place::Cookie))),
                Some(Place::Path | Place::Form) => {}
                None => fields.push(own),
            }
        }
        if !query.is_empty() {
            sent.url.push('?');
            sent.url.push_str(&query.join("&"));
        }
        if !cookies.is_empty() {
            sent.headers.push(("Cookie".to_owned(), cookies.join("; ")));
        }
        sent.body = body(&fields);
        sent
    }

    /// Adds a header field, unless the request says it otherwise.
    fn header(&mut self, own: &Parameter) {
        let said = |(name, _): &(String, String)| name.eq_ignore_ascii_case(&own.key);
        if !self.headers.iter().any(said) && own.key != "content-type" {
            self.headers.push((own.key.clone(), one_text(own, Place::Header)));
        }
    }
}

/// The parameters that are sent: those that are needed, and those that the definition shows. Of two that one field
/// could fill, the first.
fn shown(method: &Method) -> impl Iterator<Item = &Parameter> {
    let all = || method.parameters.iter().filter(|own| is_sent(own));
    let first = move |(index, own): &(usize, &Parameter)| {
        let same = |other: &Parameter| place(method.http, other) == place(method.http, own) && other.key == own.key;
        own.key.is_empty() || !all().take(*index).any(same)
    };
    all().enumerate().filter(first).map(|(_, own)| own)
}

fn is_sent(own: &Parameter) -> bool {
    !own.optional || own.example.is_some()
}

/// The path at this template: its captures filled, and behind it the positions that are sent.
fn path(uri: &str, method: &Method) -> String {
    let captured = |segment: &str| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        method.parameters.iter().find(|own| own.from == From::Path && own.key == name)
    };
    let fill =
        |segment| captured(segment).map_or(Cow::Borrowed(segment), |own| encoded(&one_text(own, Place::Path)).into());
    let mut path = uri.split('/').map(fill).collect::<Vec<_>>().join("/");
    let positions = method.positions();
    let count = positions.iter().rposition(|own| is_sent(own)).map_or(0, |last| last + 1);
    if count > 0 && path.ends_with('/') {
        path.pop();
    }
    for own in &positions[..count] {
        path.push('/');
        if is_sent(own) {
            path.push_str(&encoded(&one_text(own, Place::Path)));
        }
    }
    path
}

fn body(fields: &[&Parameter]) -> Body {
    let is_file = |own: &Parameter| matches!(own.r#type.check.takes(), Takes::File | Takes::Files);
    if fields.is_empty() {
        return Body::Empty;
    }
    if !fields.iter().any(|own| is_file(own)) {
        let members = fields.iter().map(|own| (own.key.clone(), value(own)));
        return Body::Json(Json::Object(members.collect::<Map<_, _>>()));
    }
    let parts = fields.iter().flat_map(|own| {
        let parts: Vec<Part> = if is_file(own) {
            files(own).into_iter().map(Part::File).collect()
        } else {
            texts(own, Place::Form).into_iter().map(Part::Text).collect()
        };
        parts.into_iter().map(|part| (own.key.clone(), part))
    });
    Body::Parts(parts.collect())
}

/// The names of the files that are sent for a parameter: of an extension and a media type that it takes, if it says any.
fn files(own: &Parameter) -> Vec<String> {
    let attributes = &own.r#type.written.attributes;
    let of_file = attributes.get("items").and_then(Json::as_object).unwrap_or(attributes);
    let first = |name: &str| of_file.get(name)?.as_array()?.first()?.as_str();
    let of_type = |media_type: &str| match media_type {
        "image/*" | "image/png" | "*/*" => Some("png"),
        "text/*" | "text/plain" => Some("txt"),
        other => mime_guess::get_mime_extensions_str(other)?.first().copied(),
    };
    let extension = first("ext").or_else(|| of_type(first("range")?)).unwrap_or("txt");
    let bound = |name: &str| attributes.get(name).and_then(Json::as_u64);
    let least = bound("min").unwrap_or(0).clamp(1, 9);
    // That there may be several is seen where there are.
    let count = bound("max").unwrap_or(2).clamp(least, least.max(2));
    match own.r#type.check.takes() {
        Takes::Files => (1..=count).map(|number| format!("file{number}.{extension}")).collect(),
        _ => vec![format!("file.{extension}")],
    }
}

/// The value of a parameter. Where none can be made, a word that says so.
fn value(own: &Parameter) -> Json {
    example::of_parameter(own).unwrap_or_else(|| "value".into())
}

/// The value of a parameter as the text of the one field that there is in this place.
fn one_text(own: &Parameter, place: Place) -> String {
    texts(own, place).into_iter().next().unwrap_or_default()
}

/// The value of a parameter as the texts of its fields: as OpenAPI says that they are written, and as JSON where the
/// type would read that differently.
fn texts(own: &Parameter, place: Place) -> Vec<String> {
    let value = value(own);
    let items = || value.as_array().into_iter().flatten().map(text);
    let texts = match style(&own.r#type, place) {
        Style::Plain => vec![text(&value)],
        Style::Repeated => items().collect(),
        Style::Commas => vec![items().collect::<Vec<_>>().join(",")],
        Style::Json => vec![value.to_string()],
    };
    if reads(&*own.r#type.check, &texts, &value) { texts } else { vec![ascii(&value.to_string())] }
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a type reads these texts as the value.
fn reads(check: &dyn Check, texts: &[String], value: &Json) -> bool {
    let mut borrowed = texts.iter().map(|text| Cow::Borrowed(text.as_str()));
    let decoded = match (check.takes(), borrowed.len()) {
        (_, 0) => return false,
        (Takes::Many, _) => check.decode_many(borrowed.collect()),
        _ => check.decode(borrowed.next().unwrap_or_default()),
    };
    // A text that a type reads as something else and lets pass all the same (`"1"` of an `id`) means that.
    decoded.to_json() == *value || !matches!(value, Json::Array(_)) || check.check(Value::from(value)).is_err()
}

/// JSON with nothing beyond ASCII in it, as header fields need it.
fn ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            // Only strings hold others, so an escape is always allowed (RFC 8259 section 7).
            let escaped = character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}"));
            ascii.extend(escaped);
        }
    }
    ascii
}
