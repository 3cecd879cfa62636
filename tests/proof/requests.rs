//! Generates requests for the operations of an OpenAPI document, and determines whether these requests are valid
//! against the document.

mod keys;
mod members;
mod paths;
mod transmission;

use std::collections::BTreeSet;

use rulebook::types::Value;
use rulebook_model::model::{Idempotency, Method};
use rulebook_model::types::Arity;
use serde_json::{Map, Value as Json};

use self::paths::{matches_other_path, percent_encode};
use self::transmission::transmission;
use super::schema_texts::{SchemaCheck, SchemaChecks, SerializationStyle, Validity};
use super::{boundary, constraints};
use crate::client::{Request, multipart};
use crate::openapi::resolved;
use support::generate::Choices;

/// A request, and whether it is valid against the document.
pub struct TestRequest {
    pub request: Request,
    pub validity: Validity,
    /// `true` if the request selects JSONP by its query.
    pub is_jsonp: bool,
    /// `true` if the server may route the request to another operation.
    pub is_ambiguous: bool,
    /// The parts of the request that contain values of parameters, such as `query` and `multipart/form-data`.
    pub places: BTreeSet<&'static str>,
}

/// The media types of request bodies.
const MEDIA_TYPES: [&str; 3] = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];

/// The maximum number of attempts to generate a valid value.
const MAX_TRIES: usize = 6;

/// Generates the parts of a request, and combines their validity.
struct RequestBuilder<'a> {
    schemas: &'a SchemaChecks<'a>,
    method: &'a Method,
    /// `true` if every part should be valid, provided that a valid value is found.
    prefer_valid: bool,
    validity: Validity,
    /// The names of the parameters that the request contains with a value other than null.
    given: BTreeSet<String>,
    /// `true` if the value of a parameter is the text `null`, and the document does not say whether it is a text or
    /// null.
    has_unclear_null: bool,
    /// What follows the name of the current parameter in the names of its fields, if it is sent with a field for each
    /// member.
    suffixes: Vec<String>,
    choices: &'a mut Choices,
}

/// Generates a request for an operation.
pub fn random_request(
    schemas: &SchemaChecks<'_>,
    (path, http, operation): (&str, &str, &Json),
    method: &Method,
    choices: &mut Choices,
) -> TestRequest {
    let prefer_valid = choices.below(4) > 0;
    let document = schemas.document;
    let mut builder = RequestBuilder {
        schemas,
        method,
        prefer_valid,
        validity: Validity::Valid,
        given: BTreeSet::new(),
        has_unclear_null: false,
        suffixes: Vec::new(),
        choices,
    };
    let mut target = path.to_owned();
    let mut query = Vec::new();
    let mut headers = Vec::new();
    let mut cookies = Vec::new();
    let mut cookie_names = Vec::new();
    let mut cookie_validity = Validity::Valid;
    let mut jsonp = false;
    let mut places = BTreeSet::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = resolved(document, parameter);
        let name = parameter["name"].as_str().unwrap_or_default();
        let location = parameter["in"].as_str().unwrap_or_default();
        let before = builder.validity;
        let texts = match name {
            Idempotency::HEADER => builder.idempotency_key(parameter),
            _ => builder.parameter_texts(parameter, location),
        };
        if location == "cookie" {
            cookie_validity = cookie_validity.and(std::mem::replace(&mut builder.validity, before));
        }
        let Some(texts) = texts else { continue };
        places.extend(["path", "query", "header", "cookie"].into_iter().find(|place| *place == location));
        match location {
            _ if builder.is_null_text(name, &texts) => {}
            _ if is_null_in_json(parameter, &texts) => {
                let check = schemas.of(parameter_schema(parameter));
                builder.has_unclear_null |= check.may_give_null();
            }
            "cookie" => cookie_names.push(name.to_owned()),
            _ => {
                builder.given.insert(name.to_owned());
            }
        }
        match location {
            "path" => {
                let segments = texts.iter().map(|text| percent_encode(text)).collect::<Vec<_>>().join("/");
                target = target.replacen(&format!("{{{name}}}"), &segments, 1);
            }
            "query" => {
                // An empty callback is the same as none.
                jsonp |= name == "callback" && texts.iter().any(|text| !text.is_empty()) && method.allows_jsonp(true);
                let suffixes = std::mem::take(&mut builder.suffixes);
                let suffix = |index: usize| suffixes.get(index).map(String::as_str).unwrap_or_default();
                let fields = texts.iter().enumerate();
                query.extend(fields.map(|(index, text)| {
                    format!("{}={}", percent_encode(&format!("{name}{}", suffix(index))), percent_encode(text))
                }));
            }
            "header" => headers.extend(texts.iter().map(|text| (name.to_owned(), text.clone()))),
            _ => cookies.extend(texts.iter().map(|text| format!("{name}={text}"))),
        }
    }
    // For JSONP requests, the server ignores cookies.
    if !jsonp {
        builder.add_validity(cookie_validity);
        builder.given.extend(cookie_names);
    }
    if !query.is_empty() {
        target = format!("{target}?{}", query.join("&"));
    }
    let is_ambiguous = matches_other_path(document, path, &target);
    let mut request = Request::new(http, target);
    for (name, text) in headers {
        request = request.raw_field(&name, text);
    }
    if !cookies.is_empty() {
        request = request.raw_field("cookie", cookies.join("; "));
    }
    if !method.scope.is_public() {
        request = request.scope(&["reader"]);
    }
    if let Some(body) = operation.get("requestBody") {
        request = builder.add_body(request, resolved(document, body), &mut places);
    }
    let has_constraints = operation.get("x-constraints").is_some();
    builder.add_validity(match constraints::are_fulfilled(operation, &builder.given) {
        _ if builder.has_unclear_null && has_constraints => Validity::Unknown,
        true => Validity::Valid,
        false => Validity::Invalid,
    });
    let validity = if is_ambiguous { Validity::Unknown } else { builder.validity };
    TestRequest { request, validity, is_jsonp: jsonp, is_ambiguous, places }
}

/// Returns `true` if texts are the JSON value null, with which a parameter is not given. `object` is the Parameter
/// Object or the Encoding Object.
fn is_null_in_json(object: &Json, texts: &[String]) -> bool {
    SerializationStyle::from_object(object) == SerializationStyle::Json && texts == ["null"]
}

/// Returns the schema of a Parameter Object.
fn parameter_schema(parameter: &Json) -> &Json {
    parameter.get("schema").unwrap_or_else(|| &parameter["content"]["application/json"]["schema"])
}

/// Returns the validity of a request that omits a parameter or a body.
fn validity_of_omission(is_required: bool) -> Validity {
    if is_required { Validity::Invalid } else { Validity::Valid }
}

impl RequestBuilder<'_> {
    /// Generates the texts of a parameter at a location; `None` if the parameter is omitted.
    fn parameter_texts(&mut self, parameter: &Json, location: &str) -> Option<Vec<String>> {
        let schema = parameter_schema(parameter);
        let is_required = parameter["required"] == true;
        let name = parameter["name"].as_str().unwrap_or_default();
        let omit = if self.prefer_valid { !is_required && self.choices.once_in(3) } else { self.choices.once_in(5) };
        if omit && location != "path" {
            self.add_validity(validity_of_omission(is_required));
            return None;
        }
        let check = self.schemas.of(schema);
        let boundary_values = self.boundary_values(name);
        let style = SerializationStyle::from_object(parameter);
        if style == SerializationStyle::Members {
            return self.member_texts(&check, &boundary_values, is_required);
        }
        let (texts, validity) =
            self.random_texts(&check, style, &boundary_values, |texts| transmission(location, texts));
        // An empty array is sent as no text, which is the same as an omitted parameter.
        if texts.is_empty() {
            self.add_validity(validity_of_omission(is_required));
            return None;
        }
        self.add_validity(validity);
        Some(texts)
    }

    /// Combines the validity of a part with the validity of the request.
    fn add_validity(&mut self, validity: Validity) {
        self.validity = self.validity.and(validity);
    }

    fn boundary_values(&self, name: &str) -> Vec<Value<'static>> {
        let parameter = self.method.parameters.iter().find(|parameter| parameter.key == name || parameter.name == name);
        parameter.map_or(Vec::new(), |parameter| parameter.r#type.check.boundary_values())
    }

    /// Returns `true` if texts are the text `null`, perhaps as a JSON string, and the type of the parameter is
    /// `numeric` or a union with it, so that it is null.
    fn is_null_text(&self, name: &str, texts: &[String]) -> bool {
        let parameter = self.method.parameters.iter().find(|parameter| parameter.key == name || parameter.name == name);
        let is_numeric = parameter.is_some_and(|parameter| {
            let written = &parameter.r#type.written;
            let branches = written.attributes.get("of").and_then(Json::as_array);
            written.term == "numeric" || branches.is_some_and(|branches| branches.contains(&"numeric".into()))
        });
        is_numeric && (texts == ["null"] || texts == ["\"null\""])
    }

    /// Generates the texts of a value, and determines their validity. `transmission` returns whether a part of the
    /// request can carry the texts, and whether they arrive unchanged.
    fn random_texts(
        &mut self,
        check: &SchemaCheck,
        style: SerializationStyle,
        boundary_values: &[Value<'static>],
        transmission: impl Fn(&[String]) -> (bool, bool),
    ) -> (Vec<String>, Validity) {
        let tries = if self.prefer_valid { MAX_TRIES } else { 1 };
        let mut found = None;
        for number in 0..MAX_TRIES + 4 {
            let value = boundary::random_value(&check.schema, boundary_values, self.choices);
            let (texts, validity) = check.serialize_value(style, &value);
            let (is_sendable, is_unchanged) = transmission(&texts);
            if !is_sendable {
                continue;
            }
            let is_beyond_schemas = validity == Validity::Valid && may_be_beyond_schemas(&value);
            let validity = if is_unchanged && !is_beyond_schemas { validity } else { Validity::Unknown };
            let is_done = validity == Validity::Valid || number + 1 >= tries;
            found = Some((texts, validity));
            if is_done {
                break;
            }
        }
        // Every part of a request can carry a letter.
        found.unwrap_or_else(|| (vec!["x".to_owned()], Validity::Unknown))
    }

    fn add_body(&mut self, request: Request, body: &Json, places: &mut BTreeSet<&'static str>) -> Request {
        let contents: Vec<_> = body["content"].as_object().into_iter().flatten().collect();
        let is_required = body["required"] == true;
        if contents.is_empty() || self.choices.once_in(10) {
            self.add_validity(validity_of_omission(is_required));
            return request;
        }
        let (media_type, content) = contents[self.choices.below(contents.len())];
        places.extend(MEDIA_TYPES.into_iter().find(|known| *known == media_type));
        let check = self.schemas.of(&content["schema"]);
        let schema = &check.schema;
        if media_type == "application/json" {
            let json = self.random_json_body(schema);
            self.add_validity(match check.is_valid(&json) {
                true if may_be_beyond_schemas(&json) => Validity::Unknown,
                true => Validity::Valid,
                false => Validity::Invalid,
            });
            return request.body(media_type, json.to_string());
        }
        let fields = self.random_form_fields(schema, &content["encoding"]);
        let is_null =
            |name: &str, text: &String| is_null_in_json(&content["encoding"][name], std::slice::from_ref(text));
        let is_unclear = |name: &str, text: &String| {
            is_null(name, text) && self.schemas.of(&schema["properties"][name]).may_give_null()
        };
        self.has_unclear_null |= fields.iter().any(|(name, text, _)| is_unclear(name, text));
        let is_null =
            |name: &str, text: &String| is_null(name, text) || self.is_null_text(name, std::slice::from_ref(text));
        let given = fields.iter().filter(|(name, text, _)| !is_null(name, text));
        let given: Vec<String> = given.map(|(name, ..)| name.clone()).collect();
        self.given.extend(given);
        if media_type == "multipart/form-data" {
            let parts: Vec<_> = fields
                .iter()
                .map(|(name, text, is_file)| {
                    let file = if *is_file { "; filename=\"a.txt\"" } else { "" };
                    (format!("name=\"{}\"{file}", name.replace('"', "%22")), text.as_bytes())
                })
                .collect();
            let parts: Vec<_> = parts.iter().map(|(name, content)| (name.as_str(), *content)).collect();
            return request.body("multipart/form-data; boundary=XX", multipart(&parts));
        }
        let pairs: Vec<_> =
            fields.iter().map(|(name, text, _)| format!("{}={}", percent_encode(name), percent_encode(text))).collect();
        request.body(media_type, pairs.join("&"))
    }

    /// Generates a JSON body, and adds the parameters in it to those that are given.
    fn random_json_body(&mut self, schema: &Json) -> Json {
        let whole = self.method.parameters.iter().find(|parameter| parameter.is_whole_body());
        let json = match whole {
            _ if !self.prefer_valid && self.choices.once_in(6) => boundary::unrelated_value(self.choices),
            Some(whole) => self.random_json_value(schema, &whole.r#type.check.boundary_values()),
            None => self.random_json_object(schema),
        };
        match whole {
            Some(whole) => self.given.extend((!json.is_null()).then(|| whole.name.clone())),
            None => {
                let is_null = |name: &str, value: &Json| {
                    let text = value.as_str().map(str::to_owned);
                    value.is_null() || text.is_some_and(|text| self.is_null_text(name, &[text]))
                };
                let members = json.as_object().into_iter().flatten().filter(|(name, value)| !is_null(name, value));
                let members: Vec<String> = members.map(|(name, _)| name.clone()).collect();
                self.given.extend(members);
            }
        }
        json
    }

    /// Generates a value for a schema. If it should be valid, several values are tried.
    fn random_json_value(&mut self, schema: &Json, boundary_values: &[Value<'static>]) -> Json {
        let check = self.schemas.of(schema);
        let mut value = boundary::random_value(schema, boundary_values, self.choices);
        for _ in 0..if self.prefer_valid { MAX_TRIES } else { 0 } {
            if check.is_valid(&value) {
                break;
            }
            value = boundary::random_value(schema, boundary_values, self.choices);
        }
        value
    }

    fn random_json_object(&mut self, schema: &Json) -> Json {
        let mut object = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if self.choices.once_in(4) && !(self.prefer_valid && is_required(schema, name)) {
                continue;
            }
            let boundary_values = self.boundary_values(name);
            let value = self.random_json_value(property, &boundary_values);
            object.insert(name.clone(), value);
        }
        Json::Object(object)
    }

    /// Generates the fields of a form. Each field has a name, a text, and `true` if it is a file.
    fn random_form_fields(&mut self, schema: &Json, encoding: &Json) -> Vec<(String, String, bool)> {
        let mut fields = Vec::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = is_required(schema, name);
            let parameter = self.method.parameters.iter().find(|parameter| parameter.key == *name);
            let arity = parameter.map(|parameter| parameter.r#type.check.arity());
            let is_file = matches!(arity, Some(Arity::File | Arity::Files));
            if self.choices.once_in(4) && !(self.prefer_valid && is_required) {
                self.add_validity(validity_of_omission(is_required));
                continue;
            }
            if is_file {
                // Schemas do not describe files, so that the validity is unknown.
                self.add_validity(Validity::Unknown);
                fields.push((name.clone(), "content".to_owned(), true));
                continue;
            }
            let check = self.schemas.of(property);
            let boundary_values = self.boundary_values(name);
            let style = SerializationStyle::from_object(&encoding[name]);
            let (texts, validity) = self.random_texts(&check, style, &boundary_values, |_| (true, true));
            // An empty array is sent as no field, which is the same as an omitted field.
            self.add_validity(if texts.is_empty() { validity_of_omission(is_required) } else { validity });
            fields.extend(texts.into_iter().map(|text| (name.clone(), text, false)));
        }
        fields
    }
}

/// Returns `true` if a value contains a text that a schema cannot check completely: a time with a leap second.
fn may_be_beyond_schemas(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains(":60"),
        Json::Array(items) => items.iter().any(may_be_beyond_schemas),
        Json::Object(members) => members.values().any(may_be_beyond_schemas),
        _ => false,
    }
}

fn is_required(schema: &Json, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.contains(&name.into()))
}
