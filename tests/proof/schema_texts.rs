//! Serializes values as texts in the way that OpenAPI describes, and determines whether the texts are valid against the
//! schema.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jsonschema::Validator;
use serde_json::{Map, Value as Json, json};

use support::schema_validator::validator;

/// Whether a request, or a part of it, is valid against an OpenAPI document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// The request matches the schema.
    Valid,
    /// The request does not match the schema, however its texts are decoded.
    Invalid,
    /// It is undefined whether the request is valid. This part of a request cannot carry the value unchanged, or the
    /// texts can be decoded as several values.
    Unknown,
}

impl Validity {
    /// Returns the validity of a request with two parts.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Invalid, _) | (_, Self::Invalid) => Self::Invalid,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            _ => Self::Valid,
        }
    }
}

/// How a value is serialized as texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SerializationStyle {
    /// The value is one text.
    SingleText,
    /// The value is an array, and is one text with a comma between two items.
    CommaSeparated,
    /// The value is an array, with one text for each item.
    RepeatedTexts,
    /// The value is an object, with a field for each member.
    Members,
    /// The value is one text in JSON.
    Json,
}

impl SerializationStyle {
    /// Returns the style that a Parameter Object or an Encoding Object of OpenAPI selects.
    pub fn from_object(object: &Json) -> Self {
        match (object.get("content"), &object["contentType"], &object["style"], &object["explode"]) {
            (Some(_), ..) => Self::Json,
            (_, kind, ..) if kind == "application/json" => Self::Json,
            (_, _, style, _) if style == "deepObject" => Self::Members,
            (_, _, style, explode) if style == "form" && explode != false => Self::RepeatedTexts,
            (_, _, style, _) if style == "form" || style == "simple" => Self::CommaSeparated,
            _ => Self::SingleText,
        }
    }
}

/// The schemas of an OpenAPI document. Their validators are created once, because this takes much longer than to use
/// them.
pub struct SchemaChecks<'d> {
    pub document: &'d Json,
    /// The checks by the text of their schemas.
    known: RefCell<HashMap<String, Rc<SchemaCheck>>>,
}

impl<'d> SchemaChecks<'d> {
    pub fn new(document: &'d Json) -> Self {
        Self { document, known: RefCell::default() }
    }

    pub fn of(&self, schema: &Json) -> Rc<SchemaCheck> {
        let mut known = self.known.borrow_mut();
        let check = known.entry(schema.to_string()).or_insert_with(|| Rc::new(SchemaCheck::new(self.document, schema)));
        Rc::clone(check)
    }
}

/// A schema of an OpenAPI document, and its validator.
pub struct SchemaCheck {
    /// The schema without references, except within recursive schemas.
    pub schema: Json,
    validator: Validator,
}

impl SchemaCheck {
    pub fn new(document: &Json, schema: &Json) -> Self {
        // The validator follows the references, which can be recursive.
        let complete = json!({ "allOf": [schema], "components": { "schemas": document["components"]["schemas"] } });
        Self { schema: resolve_references(document, schema), validator: validator(&complete) }
    }

    pub fn is_valid(&self, value: &Json) -> bool {
        self.validator.is_valid(value)
    }

    /// Returns `true` if the server can read the text `null` as another value than null: as a text, or as the only item
    /// of a list, which is a text or null.
    pub fn may_give_null(&self) -> bool {
        let is_item = |item: &Json| may_be_kind("string", item) || may_be_kind("null", item);
        allows_texts(&self.schema) || allows_items(&self.schema, &is_item)
    }

    /// Returns why a value does not match the schema; `None` if it matches.
    pub fn error(&self, value: &Json) -> Option<String> {
        self.validator.validate(value).err().map(|error| error.to_string())
    }

    /// Serializes a value in a style. Returns the texts and their validity.
    pub fn serialize_value(&self, style: SerializationStyle, value: &Json) -> (Vec<String>, Validity) {
        let texts = match (style, value) {
            (SerializationStyle::Json, value) => {
                // A single number can be decoded as the only item of an array, and the item can be decoded as a text.
                let text = if value.is_number() { plain_text(value) } else { value.to_string() };
                let validity = match self.is_valid(value) {
                    true => Validity::Valid,
                    // A text that is not an array can be decoded as an item unchanged, including its quotes. The text
                    // of a number or an object can be such an item only if the items are texts.
                    false if allows_arrays(&self.schema) && value.is_string() => Validity::Unknown,
                    false if allows_text_items(&self.schema) && (value.is_number() || value.is_object()) => {
                        Validity::Unknown
                    }
                    // JSON of another kind can be decoded as a text that is not quoted.
                    false if allows_texts(&self.schema) && !value.is_string() => Validity::Unknown,
                    false => Validity::Invalid,
                };
                return (vec![text], validity);
            }
            (SerializationStyle::RepeatedTexts, Json::Array(items)) => items.iter().map(plain_text).collect(),
            (SerializationStyle::CommaSeparated, Json::Array(items)) => {
                vec![items.iter().map(plain_text).collect::<Vec<_>>().join(",")]
            }
            (_, value) => vec![plain_text(value)],
        };
        let is_array = style != SerializationStyle::SingleText && value.is_array();
        let is_scalar = |value: &Json| !matches!(value, Json::Null | Json::Array(_) | Json::Object(_));
        let is_lossless =
            is_scalar(value) || is_array && value.as_array().is_some_and(|items| items.iter().all(is_scalar));
        if is_lossless && self.is_valid(value) {
            return (texts, Validity::Valid);
        }
        // Types that accept several kinds of values decode a text as JSON if it begins like JSON. A text in a repeated
        // field may be decoded as several items, or as none. Empty items between commas are not described.
        let splits = |text: &str| match style {
            SerializationStyle::RepeatedTexts => text.is_empty() || text.contains(';'),
            SerializationStyle::CommaSeparated => text.split(',').any(str::is_empty),
            _ => false,
        };
        let is_plain = |text: &String| !text.trim_start().starts_with(['[', '{']) && !splits(text);
        let is_invalid =
            texts.iter().all(is_plain) && !possible_decodings(style, &texts).iter().any(|value| self.is_valid(value));
        (texts, if is_invalid { Validity::Invalid } else { Validity::Unknown })
    }
}

/// Returns `true` if a text can be read as a value that matches a schema, or as an array, an object or the only item of
/// an array.
pub fn may_accept_text(schema: &Json, validator: &Validator, text: &str) -> bool {
    text.trim_start().starts_with(['[', '{'])
        || allows_arrays(schema)
        || possible_scalars(text).iter().any(|value| validator.is_valid(value))
}

/// Returns the members of an object as the names and the texts of fields. Returns `None` if the value is not an object,
/// or if a member cannot be sent in a field.
pub fn member_fields(value: &Json) -> Option<Vec<(String, String)>> {
    let field = |(name, member): (&String, &Json)| {
        let can_be_field = !name.is_empty() && !name.contains(['[', ']']);
        let is_scalar = !matches!(member, Json::Null | Json::Array(_) | Json::Object(_));
        (can_be_field && is_scalar).then(|| (format!("[{name}]"), plain_text(member)))
    };
    value.as_object()?.iter().map(field).collect()
}

/// Returns `true` if a schema accepts arrays.
fn allows_arrays(schema: &Json) -> bool {
    let is_array =
        |kind: &Json| kind == "array" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("array")));
    let branches = ["anyOf", "allOf", "oneOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
    schema.get("type").is_some_and(is_array) || branches.into_iter().any(allows_arrays)
}

/// Returns `true` if a schema accepts texts.
fn allows_texts(schema: &Json) -> bool {
    let is_text =
        |kind: &Json| kind == "string" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("string")));
    let branches = ["anyOf", "allOf", "oneOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
    schema.get("type").is_some_and(is_text) || branches.into_iter().any(allows_texts)
}

/// Returns `true` if a schema accepts arrays, at any depth, whose items can be texts.
fn allows_text_items(schema: &Json) -> bool {
    allows_items(schema, &|item| may_be_kind("string", item))
}

/// Returns `true` if a schema accepts arrays, at any depth, that have an item whose schema `is_item`.
fn allows_items(schema: &Json, is_item: &dyn Fn(&Json) -> bool) -> bool {
    let branches = |schema: &Json| -> Vec<Json> {
        let all = ["anyOf", "allOf", "oneOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
        all.cloned().collect()
    };
    let of_items = |items: &Json| is_item(items) || allows_items(items, is_item);
    schema.get("items").map_or(allows_arrays(schema) && branches(schema).is_empty(), of_items)
        || branches(schema).iter().any(|branch| allows_items(branch, is_item))
}

/// Returns `true` unless it is certain that a schema accepts no value of a kind, such as `string`.
fn may_be_kind(kind: &str, schema: &Json) -> bool {
    let list = |key: &str| schema.get(key).and_then(Json::as_array);
    match (schema.get("type"), list("allOf"), list("anyOf").or_else(|| list("oneOf"))) {
        (Some(Json::Array(kinds)), ..) => kinds.contains(&json!(kind)),
        (Some(name), ..) => name == kind,
        (None, Some(parts), _) => parts.iter().all(|part| may_be_kind(kind, part)),
        (None, None, Some(branches)) => branches.iter().any(|branch| may_be_kind(kind, branch)),
        (None, None, None) => true,
    }
}

/// Returns all values that these texts can be decoded as.
fn possible_decodings(style: SerializationStyle, texts: &[String]) -> Vec<Json> {
    let items: Vec<&str> = match (style, texts) {
        (SerializationStyle::CommaSeparated, [one]) => one.split(',').collect(),
        _ => texts.iter().map(String::as_str).collect(),
    };
    let mut all: Vec<Json> = match texts {
        [one] => possible_scalars(one),
        _ => Vec::new(),
    };
    if style != SerializationStyle::SingleText {
        let mut arrays = vec![Vec::new()];
        for item in items.into_iter().take(8) {
            let scalars = possible_scalars(item);
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

/// Returns a text as a string, and also as a number, Boolean or null if the text can be read as one.
fn possible_scalars(text: &str) -> Vec<Json> {
    let parsed = serde_json::from_str::<Json>(text).ok().filter(|json| !json.is_string());
    [Json::from(text)].into_iter().chain(parsed).collect()
}

/// Serializes a value as one text. Numbers are written as JavaScript writes them.
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

/// Replaces all references in a schema by the schemas that they refer to. This terminates because no type contains
/// itself.
pub fn resolve_references(document: &Json, schema: &Json) -> Json {
    unfold_references(document, schema, MAX_REFERENCES)
}

/// The maximum number of references that lead from one to the next. Recursive schemas have no end.
const MAX_REFERENCES: usize = 4;

/// Replaces the references in a schema by their targets. A reference within `depth` other references becomes a schema
/// that accepts everything.
pub fn unfold_references(document: &Json, schema: &Json, depth: usize) -> Json {
    match schema {
        Json::Object(members) => {
            let mut all: Map<_, _> =
                members.iter().map(|(key, member)| (key.clone(), unfold_references(document, member, depth))).collect();
            let Some(Json::String(reference)) = members.get("$ref") else { return Json::Object(all) };
            let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
            let target = match depth.checked_sub(1) {
                Some(depth) => unfold_references(document, target.unwrap_or(&Json::Bool(false)), depth),
                None => json!({}),
            };
            all.remove("$ref");
            if all.is_empty() { target } else { json!({ "allOf": [target, all] }) }
        }
        Json::Array(items) => items.iter().map(|item| unfold_references(document, item, depth)).collect(),
        other => other.clone(),
    }
}
