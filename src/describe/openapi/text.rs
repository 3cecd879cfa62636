//! How values that come as text are written, and the schema of what can be written so.
//!
//! A text is decoded by its type, so what its schema says is of the decoded
//! value; but for what a place of the request cannot hold: null, an empty
//! segment of a path, letters beyond ASCII in a header field.

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::path::ParameterStyle;

use crate::describe::example;
use crate::model::{Parameter, ParameterType};
use crate::types::Takes;

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::describe) enum Place {
    /// In a segment of the path.
    Path,
    /// In the query.
    Query,
    /// In a header field.
    Header,
    /// In a cookie.
    Cookie,
    /// In a field of a form.
    Form,
}

/// How a value is written.
#[derive(Debug, PartialEq)]
pub(in crate::describe) enum Style {
    /// As one text.
    Plain,
    /// A list as repeated fields.
    Repeated,
    /// A list as one text, commas between its items.
    Commas,
    /// As JSON.
    Json,
}

impl Style {
    /// OpenAPI's words for it, where they are not its default.
    pub(super) fn words(&self, place: Place) -> (Option<ParameterStyle>, Option<bool>) {
        let form = matches!(place, Place::Query | Place::Cookie | Place::Form);
        match self {
            Self::Plain | Self::Json => (None, None),
            Self::Repeated => (Some(ParameterStyle::Form), Some(true)),
            Self::Commas if form => (Some(ParameterStyle::Form), Some(false)),
            Self::Commas => (Some(ParameterStyle::Simple), Some(false)),
        }
    }
}

/// A type as text.
pub(super) struct Text {
    /// What can be written.
    pub(super) schema: Json,
    /// How.
    pub(super) style: Style,
    /// What else there is to know about it, in a sentence.
    pub(super) note: Option<String>,
}

/// How values of this type are written as text in this place. `required`: whether it cannot be left out, so that a
/// list of repeated fields has one item at least.
pub(super) fn text(r#type: &ParameterType, place: Place, required: bool) -> Text {
    let schema = r#type.check.schema();
    match r#type.check.takes() {
        Takes::File | Takes::Files => Text { schema, style: Style::Plain, note: None },
        Takes::Many => many(r#type, schema, place, required),
        Takes::One if is_structured(&schema) => as_json(schema),
        Takes::One => {
            Text { note: one_note(&schema), schema: confined(without_null(schema), place), style: Style::Plain }
        }
    }
}

/// A value as documents show it where it is written so: what may be anything is a text there. None where it cannot be
/// written so.
pub(super) fn shown(r#type: &ParameterType, style: &Style, value: Json) -> Option<Json> {
    let schema = r#type.check.schema();
    match (style, value) {
        (_, Json::Null) => None,
        (Style::Plain, value) => Some(if takes_anything(&schema) { as_text(value) } else { value }),
        (Style::Repeated | Style::Commas, Json::Array(items)) => {
            let anything = schema.get("items").is_none_or(takes_anything);
            let separator = separator(r#type);
            let item = |item| Some(if anything { as_text(item) } else { item }).filter(|item| is_item(item, separator));
            items.into_iter().map(item).collect()
        }
        (_, value) => Some(value),
    }
}

/// What a parameter holds when it is left out, as documents show it where it is written so.
pub(super) fn default(own: &Parameter, style: &Style) -> Option<Json> {
    example::default(own).and_then(|default| shown(&own.r#type, style, default))
}

fn as_text(value: Json) -> Json {
    if value.is_string() { value } else { Json::String(value.to_string()) }
}

/// Whether a value can be an item of a list of texts: what [`one_of_many`] says.
fn is_item(item: &Json, separator: Option<&str>) -> bool {
    let is_one = |text: &str| {
        let splits = separator.is_some_and(|separator| text.is_empty() || text.contains(separator));
        !text.trim_start().starts_with('[') && !splits
    };
    item.as_str().map_or(!item.is_null(), is_one)
}

/// How values of this type are written as text in this place.
pub(in crate::describe) fn style(r#type: &ParameterType, place: Place) -> Style {
    text(r#type, place, true).style
}

fn as_json(schema: Json) -> Text {
    Text { schema, style: Style::Json, note: None }
}

/// What is to know of anything at all as text.
fn one_note(schema: &Json) -> Option<String> {
    (*schema == json!({})).then(|| "A text that begins with `[` or `{` is read as JSON.".to_owned())
}

/// What stands between the items of a list in one text.
fn separator(r#type: &ParameterType) -> Option<&str> {
    let attribute = |name: &str| r#type.written.attributes.get(name).and_then(Json::as_str);
    (attribute("format") == Some("explode")).then(|| attribute("separator").unwrap_or(","))
}

/// A list: of several texts where they can be told apart, else as JSON.
fn many(r#type: &ParameterType, schema: Json, place: Place, required: bool) -> Text {
    let separator = separator(r#type);
    if separator.is_none() && r#type.written.attributes.contains_key("format") {
        return as_json(schema);
    }
    let style = match (place, separator) {
        (_, Some(",")) => Style::Commas,
        (Place::Form | Place::Query, _) => Style::Repeated,
        (Place::Path | Place::Header | Place::Cookie, _) => Style::Json,
    };
    let Json::Object(mut list) = schema else { return as_json(schema) };
    // A list that may be an object too has no `items` here.
    let is_list = list.get("type") == Some(&json!("array"));
    let items = without_null(list.get("items").cloned().unwrap_or_else(|| json!({})));
    if is_structured(&items) {
        return as_json(Json::Object(list));
    }
    if style == Style::Json || !is_list {
        // A text that is no JSON is an item as it stands; one in JSON would have its quotes, which few types of texts take.
        let alone = if is_list { items } else { json!({ "type": ["string", "number", "boolean"] }) };
        let list = Json::Object(list);
        let quoted = is_list && takes_text(&alone) && alone != json!({ "type": "string" });
        return as_json(if quoted { list } else { json!({ "anyOf": [list, alone] }) });
    }
    let items = confined(items, place);
    list.insert("items".to_owned(), one_of_many(items, separator));
    // No field at all is a list that is left out, and so is an empty segment.
    let least = list.get("minItems").and_then(Json::as_u64).unwrap_or(0);
    if least == 0 && (required || place == Place::Path) {
        list.insert("minItems".to_owned(), json!(1));
    }
    let note = separator.filter(|separator| *separator != ",");
    let note = note.map(|separator| format!("One text may hold several items with `{separator}` between them."));
    Text { schema: Json::Object(list), style, note }
}

/// An item of a list of texts: a text alone that begins with `[` is the whole list in JSON, and one that holds the
/// separator is several.
fn one_of_many(item: Json, separator: Option<&str>) -> Json {
    if !takes_text(&item) {
        return item;
    }
    let mut unlike = r"^\s*\[".to_owned();
    if let Some(separator) = separator {
        // An empty text is an empty list.
        unlike.push_str("|^$|");
        unlike.push_str(&regex_syntax::escape(separator));
    }
    // Without its type the pattern would hold of whatever is no text. Beside `not`, `allOf` keeps what the item's own
    // schema may say by the same keyword.
    let unlike = json!({ "not": { "type": "string", "pattern": unlike } });
    match item {
        Json::Object(mut item) if !item.contains_key("not") => {
            item.insert("not".to_owned(), unlike["not"].clone());
            Json::Object(item)
        }
        item => json!({ "allOf": [item, unlike] }),
    }
}

/// Whether a schema lets arrays or objects pass that it knows more of than that they are values.
fn is_structured(schema: &Json) -> bool {
    let structured = |name: &Json| matches!(name.as_str(), Some("array" | "object"));
    let own = match schema.get("type") {
        Some(Json::Array(names)) => names.iter().any(structured),
        Some(name) => structured(name),
        None => false,
    };
    own || branches(schema).iter().any(is_structured)
}

/// Whether a schema lets anything pass, or anything but null.
fn takes_anything(schema: &Json) -> bool {
    *schema == json!({}) || *schema == json!({ "not": { "type": "null" } })
}

/// Whether a schema lets texts pass.
fn takes_text(schema: &Json) -> bool {
    match schema.get("type") {
        Some(Json::Array(names)) => names.contains(&json!("string")),
        Some(name) => name == "string",
        None => branches(schema).is_empty() || branches(schema).iter().any(takes_text),
    }
}

fn branches(schema: &Json) -> &[Json] {
    schema.get("anyOf").and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// The schema less null, which no text says; anything at all is a text.
fn without_null(schema: Json) -> Json {
    if takes_anything(&schema) {
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

/// What a header field can hold: visible ASCII, blanks only inside (RFC 9110 section 5.5).
const FIELD: &str = r"^(?:[!-~](?:[\t -~]*[!-~])?)?$";
/// What a cookie can hold (RFC 6265 section 4.1.1).
const COOKIE: &str = r"^[!#-+\--:<-\[\]-~]*$";

/// The schema of the texts that a place can hold.
fn confined(schema: Json, place: Place) -> Json {
    let Json::Object(mut schema) = schema else { return schema };
    if let Some(Json::Array(branches)) = schema.get_mut("anyOf") {
        let all = std::mem::take(branches).into_iter().map(|branch| confined(branch, place));
        branches.extend(all);
    }
    if schema.get("type") != Some(&json!("string")) || schema.contains_key("enum") {
        return Json::Object(schema);
    }
    match place {
        Place::Query | Place::Form => Json::Object(schema),
        Place::Path => {
            let least = schema.get("minLength").and_then(Json::as_u64).unwrap_or(0);
            schema.insert("minLength".to_owned(), json!(least.max(1)));
            Json::Object(schema)
        }
        Place::Header => patterned(schema, FIELD),
        Place::Cookie => patterned(schema, COOKIE),
    }
}

/// The schema and a pattern. What has a shape already keeps it alone: it is of ASCII mostly.
fn patterned(mut schema: Map<String, Json>, pattern: &str) -> Json {
    let free = ["pattern", "format", "allOf"].iter().all(|keyword| !schema.contains_key(*keyword));
    if free {
        schema.insert("pattern".to_owned(), json!(pattern));
    }
    Json::Object(schema)
}
