//! Values as texts, in the way that OpenAPI says, and whether it lets them pass.

use jiff::tz::TimeZone;
use jsonschema::Validator;
use serde_json::{Map, Value as Json, json};

use crate::types::generated::knowing_judge;

/// What OpenAPI says of a request or of a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is of the schema.
    Allowed,
    /// However it is read, it is not of the schema.
    Forbidden,
    /// It is not said: a place cannot hold it, or it is read in more than one way.
    Unsure,
}

impl Verdict {
    /// Of two parts together.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Forbidden, _) | (_, Self::Forbidden) => Self::Forbidden,
            (Self::Unsure, _) | (_, Self::Unsure) => Self::Unsure,
            _ => Self::Allowed,
        }
    }
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As one text.
    Text,
    /// A list as one text with commas.
    Commas,
    /// A list as several texts.
    Repeated,
    /// As JSON.
    Json,
}

impl Style {
    /// What a parameter, or the encoding of a field, says.
    pub fn of(said: &Json) -> Self {
        match (said.get("content"), &said["contentType"], &said["style"], &said["explode"]) {
            (Some(_), ..) => Self::Json,
            (_, kind, ..) if kind == "application/json" => Self::Json,
            (_, _, style, explode) if style == "form" && explode != false => Self::Repeated,
            (_, _, style, _) if style == "form" || style == "simple" => Self::Commas,
            _ => Self::Text,
        }
    }
}

/// A schema of a document, ready to judge.
pub struct Judge {
    /// It, with nothing left in it that refers elsewhere.
    pub schema: Json,
    validator: Validator,
}

impl Judge {
    pub fn new(document: &Json, schema: &Json) -> Self {
        let schema = whole(document, schema);
        let timezone = document["x-timezone"].as_str().map_or(TimeZone::UTC, |name| TimeZone::get(name).unwrap());
        let validator = knowing_judge(&schema, &timezone);
        Self { schema, validator }
    }

    pub fn allows(&self, value: &Json) -> bool {
        self.validator.is_valid(value)
    }

    /// Why a value is not of the schema.
    pub fn flaw(&self, value: &Json) -> Option<String> {
        self.validator.validate(value).err().map(|error| error.to_string())
    }

    /// The texts of a value, and whether it is allowed.
    pub fn write(&self, style: Style, value: &Json) -> (Vec<String>, Verdict) {
        let texts = match (style, value) {
            (Style::Json, value) => {
                // A number alone may be read as the one item of a list, and so as a text.
                let text = if value.is_number() { plain(value) } else { value.to_string() };
                let verdict = match self.allows(value) {
                    true => Verdict::Allowed,
                    // What is no list may be an item as it stands, with its quotes.
                    false if takes_lists(&self.schema) && !value.is_array() => Verdict::Unsure,
                    false => Verdict::Forbidden,
                };
                return (vec![text], verdict);
            }
            (Style::Repeated, Json::Array(items)) => items.iter().map(plain).collect(),
            (Style::Commas, Json::Array(items)) => vec![items.iter().map(plain).collect::<Vec<_>>().join(",")],
            (_, value) => vec![plain(value)],
        };
        let is_list = style != Style::Text && value.is_array();
        let flat = |value: &Json| !matches!(value, Json::Null | Json::Array(_) | Json::Object(_));
        let sayable = flat(value) || is_list && value.as_array().is_some_and(|items| items.iter().all(flat));
        if sayable && self.allows(value) {
            return (texts, Verdict::Allowed);
        }
        // A text that begins so is read as JSON where several values are taken, or any; one of several may be several
        // itself, or none.
        let splits = |text: &str| style == Style::Repeated && (text.is_empty() || text.contains(';'));
        let is_plain = |text: &String| !text.trim_start().starts_with(['[', '{']) && !splits(text);
        let forbidden = texts.iter().all(is_plain) && !readings(style, &texts).iter().any(|one| self.allows(one));
        (texts, if forbidden { Verdict::Forbidden } else { Verdict::Unsure })
    }
}

/// Whether a schema lets lists pass.
fn takes_lists(schema: &Json) -> bool {
    let named = |kind: &Json| kind == "array" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("array")));
    let branches = ["anyOf", "allOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
    schema.get("type").is_some_and(named) || branches.into_iter().any(takes_lists)
}

/// What texts may stand for.
fn readings(style: Style, texts: &[String]) -> Vec<Json> {
    let items: Vec<&str> = match (style, texts) {
        (Style::Commas, [one]) => one.split(',').collect(),
        _ => texts.iter().map(String::as_str).collect(),
    };
    let mut all: Vec<Json> = match texts {
        [one] => scalar(one),
        _ => Vec::new(),
    };
    if style != Style::Text {
        let mut lists = vec![Vec::new()];
        for item in items.into_iter().take(8) {
            let read = scalar(item);
            let longer = |list: &Vec<Json>| {
                read.iter().map(|item| [&list[..], std::slice::from_ref(item)].concat()).collect::<Vec<_>>()
            };
            lists = lists.iter().flat_map(longer).collect();
        }
        all.extend(lists.into_iter().map(Json::Array));
        all.push(json!([]));
    }
    all
}

/// A text as itself, and as the number or word that it says.
fn scalar(text: &str) -> Vec<Json> {
    let read = serde_json::from_str::<Json>(text).ok().filter(|json| !json.is_string());
    [Json::from(text)].into_iter().chain(read).collect()
}

/// A value as one text, numbers as JavaScript writes them.
fn plain(value: &Json) -> String {
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

/// A schema with what it refers to in its place: no type holds itself.
pub fn whole(document: &Json, schema: &Json) -> Json {
    match schema {
        Json::Object(members) => {
            let mut all: Map<_, _> = members.iter().map(|(key, own)| (key.clone(), whole(document, own))).collect();
            let Some(Json::String(reference)) = members.get("$ref") else { return Json::Object(all) };
            let found = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
            let found = whole(document, found.unwrap_or(&Json::Bool(false)));
            all.remove("$ref");
            if all.is_empty() { found } else { json!({ "allOf": [found, all] }) }
        }
        Json::Array(items) => items.iter().map(|item| whole(document, item)).collect(),
        other => other.clone(),
    }
}
