//! Serializes values as OpenAPI describes it, and returns whether they are valid by the schema.

use jiff::tz::TimeZone;
use jsonschema::Validator;
use serde_json::{Map, Value as Json, json};

use support::schema_validator::complete_validator;

/// Whether a request, or a part of one, is valid by an OpenAPI document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Matches its schema.
    Valid,
    /// Does not match its schema, in whichever way it is decoded.
    Invalid,
    /// Undefined: this part of a request cannot carry the value unchanged, or the value can be decoded in several ways.
    Unknown,
}

impl Validity {
    /// Returns the validity of two parts together.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Invalid, _) | (_, Self::Invalid) => Self::Invalid,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            _ => Self::Valid,
        }
    }
}

/// How a value is serialized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As one text.
    Text,
    /// An array as one text with commas.
    Commas,
    /// An array as several texts.
    Repeated,
    /// As JSON.
    Json,
}

impl Style {
    /// Returns the style that a Parameter Object or an Encoding Object sets.
    pub fn of(object: &Json) -> Self {
        match (object.get("content"), &object["contentType"], &object["style"], &object["explode"]) {
            (Some(_), ..) => Self::Json,
            (_, kind, ..) if kind == "application/json" => Self::Json,
            (_, _, style, explode) if style == "form" && explode != false => Self::Repeated,
            (_, _, style, _) if style == "form" || style == "simple" => Self::Commas,
            _ => Self::Text,
        }
    }
}

/// A schema of an OpenAPI document, with its validator.
pub struct SchemaCheck {
    /// The schema without references.
    pub schema: Json,
    validator: Validator,
}

impl SchemaCheck {
    pub fn new(document: &Json, schema: &Json) -> Self {
        let schema = resolve_all(document, schema);
        let timezone = document["x-timezone"].as_str().map_or(TimeZone::UTC, |name| TimeZone::get(name).unwrap());
        let validator = complete_validator(&schema, &timezone);
        Self { schema, validator }
    }

    pub fn is_valid(&self, value: &Json) -> bool {
        self.validator.is_valid(value)
    }

    /// Returns the reason why a value does not match the schema.
    pub fn error(&self, value: &Json) -> Option<String> {
        self.validator.validate(value).err().map(|error| error.to_string())
    }

    /// Serializes a value, and returns its validity too.
    pub fn write(&self, style: Style, value: &Json) -> (Vec<String>, Validity) {
        let texts = match (style, value) {
            (Style::Json, value) => {
                // A lone number can be decoded as the only item of an array, and that item as text.
                let text = if value.is_number() { plain_text(value) } else { value.to_string() };
                let validity = match self.is_valid(value) {
                    true => Validity::Valid,
                    // If it is not an array, it can be an item as it is, with its quotes.
                    false if allows_arrays(&self.schema) && !value.is_array() => Validity::Unknown,
                    false => Validity::Invalid,
                };
                return (vec![text], validity);
            }
            (Style::Repeated, Json::Array(items)) => items.iter().map(plain_text).collect(),
            (Style::Commas, Json::Array(items)) => vec![items.iter().map(plain_text).collect::<Vec<_>>().join(",")],
            (_, value) => vec![plain_text(value)],
        };
        let is_array = style != Style::Text && value.is_array();
        let is_scalar = |value: &Json| !matches!(value, Json::Null | Json::Array(_) | Json::Object(_));
        let is_lossless =
            is_scalar(value) || is_array && value.as_array().is_some_and(|items| items.iter().all(is_scalar));
        if is_lossless && self.is_valid(value) {
            return (texts, Validity::Valid);
        }
        // Types that accept several values, or any, decode a text with such a beginning as JSON. A text of a repeated
        // field may be several values itself, or none.
        let splits = |text: &str| style == Style::Repeated && (text.is_empty() || text.contains(';'));
        let is_plain = |text: &String| !text.trim_start().starts_with(['[', '{']) && !splits(text);
        let is_invalid =
            texts.iter().all(is_plain) && !decodings(style, &texts).iter().any(|value| self.is_valid(value));
        (texts, if is_invalid { Validity::Invalid } else { Validity::Unknown })
    }
}

/// Returns `true` if a schema allows arrays.
fn allows_arrays(schema: &Json) -> bool {
    let is_array =
        |kind: &Json| kind == "array" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("array")));
    let branches = ["anyOf", "allOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
    schema.get("type").is_some_and(is_array) || branches.into_iter().any(allows_arrays)
}

/// Returns the values that texts can be decoded as.
fn decodings(style: Style, texts: &[String]) -> Vec<Json> {
    let items: Vec<&str> = match (style, texts) {
        (Style::Commas, [one]) => one.split(',').collect(),
        _ => texts.iter().map(String::as_str).collect(),
    };
    let mut all: Vec<Json> = match texts {
        [one] => scalars(one),
        _ => Vec::new(),
    };
    if style != Style::Text {
        let mut arrays = vec![Vec::new()];
        for item in items.into_iter().take(8) {
            let scalars = scalars(item);
            let extended = |array: &Vec<Json>| {
                scalars.iter().map(|item| [&array[..], std::slice::from_ref(item)].concat()).collect::<Vec<_>>()
            };
            arrays = arrays.iter().flat_map(extended).collect();
        }
        all.extend(arrays.into_iter().map(Json::Array));
        all.push(json!([]));
    }
    all
}

/// Returns a text as a string, and as the number or the keyword that it may be.
fn scalars(text: &str) -> Vec<Json> {
    let parsed = serde_json::from_str::<Json>(text).ok().filter(|json| !json.is_string());
    [Json::from(text)].into_iter().chain(parsed).collect()
}

/// Serializes a value as one text, with numbers as JavaScript writes them.
fn plain_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e21 => {
                format!("{:.0}", float + 0.0)
            }
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// Replaces all references in a schema. This ends because no type contains itself.
pub fn resolve_all(document: &Json, schema: &Json) -> Json {
    match schema {
        Json::Object(members) => {
            let mut all: Map<_, _> =
                members.iter().map(|(key, member)| (key.clone(), resolve_all(document, member))).collect();
            let Some(Json::String(reference)) = members.get("$ref") else { return Json::Object(all) };
            let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
            let target = resolve_all(document, target.unwrap_or(&Json::Bool(false)));
            all.remove("$ref");
            if all.is_empty() { target } else { json!({ "allOf": [target, all] }) }
        }
        Json::Array(items) => items.iter().map(|item| resolve_all(document, item)).collect(),
        other => other.clone(),
    }
}
