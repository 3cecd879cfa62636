//! How values are serialized as text in a request, and the schema of the values that can be serialized.
//!
//! The server decodes a text by the type of its parameter. Therefore the schema describes the decoded value, without
//! the values that the part of the request cannot carry: null, an empty path segment, or non-ASCII characters in a
//! header field.

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::path::ParameterStyle;

use crate::describe::example;
use crate::model::{Parameter, ParameterType};
use crate::types::Arity;

/// The part of a request that carries a parameter as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::describe) enum Placement {
    /// A segment of the path.
    Path,
    /// A field of the query.
    Query,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
    /// A field of a form.
    Form,
}

/// How a value is serialized as text.
#[derive(Debug, PartialEq)]
pub(in crate::describe) enum TextStyle {
    /// One text.
    Plain,
    /// A list with one field for each item.
    Repeated,
    /// A list in one text, with commas between the items.
    Commas,
    /// JSON.
    Json,
}

impl TextStyle {
    /// Returns the values of `style` and `explode` in OpenAPI, or `None` where they have the default value.
    pub(super) fn style_and_explode(&self, placement: Placement) -> (Option<ParameterStyle>, Option<bool>) {
        let form = matches!(placement, Placement::Query | Placement::Cookie | Placement::Form);
        match self {
            Self::Plain | Self::Json => (None, None),
            Self::Repeated => (Some(ParameterStyle::Form), Some(true)),
            Self::Commas if form => (Some(ParameterStyle::Form), Some(false)),
            Self::Commas => (Some(ParameterStyle::Simple), Some(false)),
        }
    }
}

/// How the values of a type are serialized as text.
pub(super) struct TextEncoding {
    /// The schema of the values that can be serialized.
    pub(super) schema: Json,
    /// How a value is serialized.
    pub(super) style: TextStyle,
    /// A sentence with details that the schema and the style do not express.
    pub(super) note: Option<String>,
}

/// Returns how values of this type are serialized in this part of a request. A required list of repeated fields needs
/// at least one item, because a list without fields is the same as a missing parameter.
pub(super) fn text_encoding(r#type: &ParameterType, placement: Placement, required: bool) -> TextEncoding {
    let schema = r#type.check.schema();
    match r#type.check.arity() {
        Arity::File | Arity::Files => TextEncoding { schema, style: TextStyle::Plain, note: None },
        Arity::Many => list_encoding(r#type, schema, placement, required),
        Arity::One if is_structured(&schema) => as_json(schema),
        Arity::One => TextEncoding {
            note: single_note(&schema),
            schema: restrict_to_placement(without_null(schema), placement),
            style: TextStyle::Plain,
        },
    }
}

/// Returns a value as examples and defaults show it. For a type that accepts every value, it is shown as text. Returns
/// `None` if the value cannot be serialized in this style.
pub(super) fn document_value(r#type: &ParameterType, style: &TextStyle, value: Json) -> Option<Json> {
    let schema = r#type.check.schema();
    match (style, value) {
        (_, Json::Null) => None,
        (TextStyle::Plain, value) => Some(if accepts_anything(&schema) { as_text(value) } else { value }),
        (TextStyle::Repeated | TextStyle::Commas, Json::Array(items)) => {
            let anything = schema.get("items").is_none_or(accepts_anything);
            let separator = separator(r#type);
            let item = |item| Some(if anything { as_text(item) } else { item }).filter(|item| is_item(item, separator));
            items.into_iter().map(item).collect()
        }
        (_, value) => Some(value),
    }
}

/// Returns the default of a parameter, as documents show it for this style.
pub(super) fn default(parameter: &Parameter, style: &TextStyle) -> Option<Json> {
    example::default_of_parameter(parameter).and_then(|default| document_value(&parameter.r#type, style, default))
}

fn as_text(value: Json) -> Json {
    if value.is_string() { value } else { Json::String(value.to_string()) }
}

/// Returns `true` if a value can be an item of a list of texts, by the rules of [`list_item`].
fn is_item(item: &Json, separator: Option<&str>) -> bool {
    let is_one = |text: &str| {
        let splits = separator.is_some_and(|separator| text.is_empty() || text.contains(separator));
        !text.trim_start().starts_with('[') && !splits
    };
    item.as_str().map_or(!item.is_null(), is_one)
}

/// Returns the style of values of this type in this part of a request.
pub(in crate::describe) fn text_style(r#type: &ParameterType, placement: Placement) -> TextStyle {
    text_encoding(r#type, placement, true).style
}

fn as_json(schema: Json) -> TextEncoding {
    TextEncoding { schema, style: TextStyle::Json, note: None }
}

/// Returns the note about a single value.
fn single_note(schema: &Json) -> Option<String> {
    (*schema == json!({})).then(|| "A text that begins with `[` or `{` is read as JSON.".to_owned())
}

/// Returns the separator between the items of a list in one text, or `None` if each item is a separate text.
fn separator(r#type: &ParameterType) -> Option<&str> {
    let attribute = |name: &str| r#type.written.attributes.get(name).and_then(Json::as_str);
    (attribute("format") == Some("explode")).then(|| attribute("separator").unwrap_or(","))
}

/// Returns how a list is serialized: as several texts if the server can separate the items, otherwise as JSON.
fn list_encoding(r#type: &ParameterType, schema: Json, placement: Placement, required: bool) -> TextEncoding {
    let separator = separator(r#type);
    if separator.is_none() && r#type.written.attributes.contains_key("format") {
        return as_json(schema);
    }
    let style = match (placement, separator) {
        (_, Some(",")) => TextStyle::Commas,
        (Placement::Form | Placement::Query, _) => TextStyle::Repeated,
        (Placement::Path | Placement::Header | Placement::Cookie, _) => TextStyle::Json,
    };
    let Json::Object(mut list) = schema else { return as_json(schema) };
    // If the type also accepts objects, its schema has `anyOf` instead of `items`.
    let is_list = list.get("type") == Some(&json!("array"));
    let items = without_null(list.get("items").cloned().unwrap_or_else(|| json!({})));
    if is_structured(&items) {
        return as_json(Json::Object(list));
    }
    if style == TextStyle::Json || !is_list {
        // A text that is not JSON is decoded as a single item. Written as JSON it would have quotes, which few types
        // accept.
        let single = if is_list { items } else { json!({ "type": ["string", "number", "boolean"] }) };
        let list = Json::Object(list);
        let quoted = is_list && accepts_text(&single) && single != json!({ "type": "string" });
        return as_json(if quoted { list } else { json!({ "anyOf": [list, single] }) });
    }
    let items = restrict_to_placement(items, placement);
    list.insert("items".to_owned(), list_item(items, separator));
    // A list without fields is the same as a missing parameter, and so is an empty path segment.
    let min_items = list.get("minItems").and_then(Json::as_u64).unwrap_or(0);
    if min_items == 0 && (required || placement == Placement::Path) {
        list.insert("minItems".to_owned(), json!(1));
    }
    let note = separator.filter(|separator| *separator != ",");
    let note = note.map(|separator| format!("One text can hold several items, separated by `{separator}`."));
    TextEncoding { schema: Json::Object(list), style, note }
}

/// Restricts the schema of an item in a list of texts. The server decodes a single text that begins with `[` as the
/// whole list in JSON, and a text that contains the separator as several items.
fn list_item(item: Json, separator: Option<&str>) -> Json {
    if !accepts_text(&item) {
        return item;
    }
    let mut pattern = r"^\s*\[".to_owned();
    if let Some(separator) = separator {
        // The server decodes an empty text as an empty list.
        pattern.push_str("|^$|");
        pattern.push_str(&regex_syntax::escape(separator));
    }
    // Without `type`, values other than texts would match the pattern. `allOf` is used because the schema may have
    // `not`.
    let excluded = json!({ "not": { "type": "string", "pattern": pattern } });
    match item {
        Json::Object(mut item) if !item.contains_key("not") => {
            item.insert("not".to_owned(), excluded["not"].clone());
            Json::Object(item)
        }
        item => json!({ "allOf": [item, excluded] }),
    }
}

/// Returns `true` if a schema accepts arrays or objects.
fn is_structured(schema: &Json) -> bool {
    let structured = |name: &Json| matches!(name.as_str(), Some("array" | "object"));
    let by_type = match schema.get("type") {
        Some(Json::Array(names)) => names.iter().any(structured),
        Some(name) => structured(name),
        None => false,
    };
    by_type || branches(schema).iter().any(is_structured)
}

/// Returns `true` if a schema accepts any value, or any value except null.
fn accepts_anything(schema: &Json) -> bool {
    *schema == json!({}) || *schema == json!({ "not": { "type": "null" } })
}

/// Returns `true` if a schema accepts texts.
fn accepts_text(schema: &Json) -> bool {
    match schema.get("type") {
        Some(Json::Array(names)) => names.contains(&json!("string")),
        Some(name) => name == "string",
        None => branches(schema).is_empty() || branches(schema).iter().any(accepts_text),
    }
}

fn branches(schema: &Json) -> &[Json] {
    schema.get("anyOf").and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the schema without null, which no text denotes. A schema that accepts every value becomes that of a text.
fn without_null(schema: Json) -> Json {
    if accepts_anything(&schema) {
        return json!({ "type": "string" });
    }
    let null = json!("null");
    let Json::Object(mut schema) = schema else { return schema };
    if let Some(Json::Array(names)) = schema.get_mut("type") {
        names.retain(|name| *name != null);
        if let [name] = names.as_slice() {
            let name = name.clone();
            schema.insert("type".to_owned(), name);
        }
    }
    if let Some(Json::Array(branches)) = schema.get_mut("anyOf") {
        branches.retain(|branch| branch.get("type") != Some(&null));
        let all = std::mem::take(branches).into_iter().map(without_null);
        branches.extend(all);
        if schema.len() == 1
            && let Some(Json::Array(branches)) = schema.get_mut("anyOf")
            && branches.len() == 1
        {
            return branches.swap_remove(0);
        }
    }
    Json::Object(schema)
}

/// The pattern of header field values: visible ASCII characters, and spaces and tabs between them (RFC 9110 section
/// 5.5).
const HEADER_PATTERN: &str = r"^(?:[!-~](?:[\t -~]*[!-~])?)?$";
/// The pattern of cookie values (RFC 6265 section 4.1.1).
const COOKIE_PATTERN: &str = r"^[!#-+\--:<-\[\]-~]*$";

/// Restricts a schema to the texts that a part of a request can carry.
fn restrict_to_placement(schema: Json, placement: Placement) -> Json {
    let Json::Object(mut schema) = schema else { return schema };
    if let Some(Json::Array(branches)) = schema.get_mut("anyOf") {
        let all = std::mem::take(branches).into_iter().map(|branch| restrict_to_placement(branch, placement));
        branches.extend(all);
    }
    if schema.get("type") != Some(&json!("string")) || schema.contains_key("enum") {
        return Json::Object(schema);
    }
    match placement {
        Placement::Query | Placement::Form => Json::Object(schema),
        Placement::Path => {
            let min_length = schema.get("minLength").and_then(Json::as_u64).unwrap_or(0);
            schema.insert("minLength".to_owned(), json!(min_length.max(1)));
            Json::Object(schema)
        }
        Placement::Header => with_pattern(schema, HEADER_PATTERN),
        Placement::Cookie => with_pattern(schema, COOKIE_PATTERN),
    }
}

/// Adds a pattern, unless the schema already restricts its texts. Texts that are restricted are ASCII in most cases.
fn with_pattern(mut schema: Map<String, Json>, pattern: &str) -> Json {
    let is_unrestricted = ["pattern", "format", "allOf"].iter().all(|keyword| !schema.contains_key(*keyword));
    if is_unrestricted {
        schema.insert("pattern".to_owned(), json!(pattern));
    }
    Json::Object(schema)
}
