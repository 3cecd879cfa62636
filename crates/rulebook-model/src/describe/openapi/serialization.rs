//! Describes how a parameter value is serialized as text in a request, and which values of the parameter's type can be
//! serialized.
//!
//! The server decodes a text according to the type of the parameter. Therefore a schema describes the decoded value. It
//! excludes values that the part of the request cannot carry: null, an empty path segment, and non-ASCII characters in
//! a header field.

use serde_json::{Value as Json, json};
use utoipa::openapi::path::ParameterStyle;

use super::kinds::{accepts_anything, accepts_arrays_or_objects, accepts_text, without_null};
use super::members::schema_of_members;
use super::placement_texts::restrict_to_placement;
use super::{schemas, single_item};
use crate::describe::bracket_name::bracket_name;
use crate::describe::example;
use crate::describe::list_format::{ListFormat, type_attributes};
use crate::model::{Parameter, ParameterType};
use crate::schema::pattern::escape_pattern;
use crate::types::{Arity, schema_without_outer_references};

/// The part of a request that carries a parameter as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::describe) enum Placement {
    Path,
    Query,
    Header,
    Cookie,
    /// The parameter is a field of a form in the request body.
    Form,
}

impl Placement {
    /// Returns the name of the part of the request.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Form => "form",
        }
    }
}

/// The way in which a value is serialized as text.
#[derive(Debug, PartialEq)]
pub(in crate::describe) enum TextStyle {
    Plain,
    /// The value is a list, and each item of the list is sent in a separate field.
    Repeated,
    /// The value is a list, whose items are joined with commas to one text.
    Commas,
    /// The value is an object, and each member is sent in a separate field, whose name has brackets.
    Members,
    Json,
}

impl TextStyle {
    /// Returns the values of `style` and `explode` in OpenAPI. Each of them is `None` if it has OpenAPI's default
    /// value.
    pub(super) fn openapi_style_and_explode(&self, placement: Placement) -> (Option<ParameterStyle>, Option<bool>) {
        let form = matches!(placement, Placement::Query | Placement::Cookie | Placement::Form);
        match self {
            Self::Plain | Self::Json => (None, None),
            Self::Repeated => (Some(ParameterStyle::Form), Some(true)),
            Self::Members => (Some(ParameterStyle::DeepObject), Some(true)),
            Self::Commas if form => (Some(ParameterStyle::Form), Some(false)),
            Self::Commas => (Some(ParameterStyle::Simple), Some(false)),
        }
    }
}

/// Describes how the values of a type are serialized as text.
pub(super) struct TextEncoding {
    /// The schema of the values that can be serialized.
    pub(super) schema: Json,
    pub(super) style: TextStyle,
    /// A sentence for the description of the parameter, with details that the schema and the style do not express.
    pub(super) note: Option<String>,
}

/// Returns how values of this type are serialized in the part `placement` of a request. If a list has one field for
/// each item, an empty list has no fields, which is the same as a missing parameter. Therefore such a list needs at
/// least one item if `required` is `true`. An empty list whose items are joined with commas is an empty text.
pub(super) fn text_encoding(r#type: &ParameterType, placement: Placement, required: bool) -> TextEncoding {
    let schema = schema_without_outer_references(&*r#type.check);
    let complete = (!r#type.check.referenced_schemas().is_empty()).then(|| schema.clone());
    let encoding = text_encoding_of_schema(r#type, schema, placement, required);
    // A schema that is not restricted to a part of the request can be a reference.
    if complete.as_ref() == Some(&encoding.schema) {
        return TextEncoding { schema: r#type.check.schema(), ..encoding };
    }
    encoding
}

fn text_encoding_of_schema(r#type: &ParameterType, schema: Json, placement: Placement, required: bool) -> TextEncoding {
    match r#type.check.arity() {
        Arity::File | Arity::Files => TextEncoding { schema, style: TextStyle::Plain, note: None },
        Arity::Many => list_encoding(r#type, schema, placement, required),
        Arity::One if accepts_arrays_or_objects(&schema) => {
            let of_members = (placement == Placement::Query).then(|| schema_of_members(&schema, required)).flatten();
            match of_members {
                Some(schema) => TextEncoding { schema, style: TextStyle::Members, note: None },
                None => json_encoding(schema),
            }
        }
        Arity::One => TextEncoding {
            note: json_text_note(&schema).or_else(|| schemas::description_of(&schema)),
            schema: restrict_to_placement(without_null(schema), placement),
            style: TextStyle::Plain,
        },
    }
}

/// Returns a value in the form in which documents show examples and defaults. If the type accepts every value, this
/// form is a text. Returns `None` if the value cannot be serialized in the style `style`.
pub(super) fn value_for_documents(r#type: &ParameterType, style: &TextStyle, value: Json) -> Option<Json> {
    let schema = schema_without_outer_references(&*r#type.check);
    match (style, value) {
        (_, Json::Null) => None,
        (TextStyle::Plain, value) => Some(if accepts_anything(&schema) { to_json_string(value) } else { value }),
        (TextStyle::Repeated | TextStyle::Commas, Json::Array(items)) => {
            let anything = schema.get("items").is_none_or(accepts_anything);
            let attributes = type_attributes(&*r#type.check);
            let separator = ListFormat::from_attributes(&attributes).map(|format| format.separator);
            let item = |item: Json| {
                Some(if anything || item.is_null() { to_json_string(item) } else { item })
                    .filter(|item| can_be_list_item(item, separator))
            };
            items.into_iter().map(item).collect()
        }
        (TextStyle::Members, Json::Object(mut members)) => {
            members.retain(|_, member| !member.is_null());
            Some(Json::Object(members))
        }
        (_, value) => Some(value),
    }
}

/// Returns the default of a parameter in the form in which documents show it. Returns `None` if the parameter has no
/// default, or if the default cannot be serialized in the style `style`.
pub(super) fn default_for_documents(parameter: &Parameter, style: &TextStyle) -> Option<Json> {
    example::parameter_default(parameter).and_then(|default| value_for_documents(&parameter.r#type, style, default))
}

fn to_json_string(value: Json) -> Json {
    if value.is_string() { value } else { Json::String(value.to_string()) }
}

/// Returns `true` if a value can be an item of a list of texts, by the rules of [`restrict_list_item`].
fn can_be_list_item(item: &Json, separator: Option<&str>) -> bool {
    let is_one = |text: &str| {
        let splits = separator.is_some_and(|separator| text.is_empty() || text.contains(separator));
        !text.trim_start().starts_with('[') && !splits
    };
    item.as_str().map_or(!item.is_null(), is_one)
}

/// Returns the style in which values of this type are serialized in the part `placement` of a request.
pub(in crate::describe) fn text_style(r#type: &ParameterType, placement: Placement) -> TextStyle {
    text_encoding(r#type, placement, true).style
}

fn json_encoding(schema: Json) -> TextEncoding {
    TextEncoding { schema, style: TextStyle::Json, note: None }
}

/// Returns a note for a type that accepts every value, and `None` for other types.
fn json_text_note(schema: &Json) -> Option<String> {
    (*schema == json!({})).then(|| "A text that begins with `[` or `{` is read as JSON.".to_owned())
}

/// Returns a note for a parameter that the part `placement` of a request can also contain in another way than in the
/// style `style`: under names with brackets or, if the members of an object have such names, as JSON. OpenAPI describes
/// only one way to serialize a parameter, and its style `deepObject` allows no nested values.
pub(super) fn alternative_note(parameter: &Parameter, placement: Placement, style: &TextStyle) -> Option<String> {
    if *style == TextStyle::Members {
        return Some("The query can also contain it as JSON.".to_owned());
    }
    let part = match placement {
        Placement::Query => "query",
        Placement::Form => "form",
        Placement::Path | Placement::Header | Placement::Cookie => return None,
    };
    bracket_name(parameter).map(|name| format!("The {part} can also contain it under names such as `{name}`."))
}

/// Returns how a list is serialized. The list is sent as texts if the server can separate the items, and otherwise as
/// JSON.
fn list_encoding(r#type: &ParameterType, schema: Json, placement: Placement, required: bool) -> TextEncoding {
    let attributes = type_attributes(&*r#type.check);
    let format = ListFormat::from_attributes(&attributes);
    let separator = format.map(|format| format.separator);
    if separator.is_none() && attributes.contains_key("format") {
        return json_encoding(schema);
    }
    let style = match (placement, separator) {
        (_, Some(",")) => TextStyle::Commas,
        (Placement::Form | Placement::Query, _) => TextStyle::Repeated,
        (Placement::Path | Placement::Header | Placement::Cookie, _) => TextStyle::Json,
    };
    let Json::Object(mut list) = schema else { return json_encoding(schema) };
    // If the type accepts lists and objects, its schema has `anyOf` instead of `items`.
    let is_list = list.get("type") == Some(&json!("array"));
    let items = without_null(list.get("items").cloned().unwrap_or_else(|| json!({})));
    if style == TextStyle::Json || !is_list || accepts_arrays_or_objects(&items) {
        let list = Json::Object(list);
        let mut singles = single_item::single_item_schemas(&list, &attributes);
        if let Some(separator) = separator {
            singles = single_item::without_separator(singles, separator);
        }
        singles.extend(single_item::word_schema(&*r#type.check, &list, &singles));
        if singles.is_empty() {
            return TextEncoding { note: list_note(format, &TextStyle::Json), ..json_encoding(list) };
        }
        let branches: Vec<_> = std::iter::once(list).chain(singles).collect();
        let note = list_note(format, &TextStyle::Json);
        return TextEncoding { note, ..json_encoding(json!({ "anyOf": branches })) };
    }
    let items = restrict_to_placement(items, placement);
    list.insert("items".to_owned(), restrict_list_item(items, separator));
    // A list without items is sent without fields or as an empty path segment. The server treats such a parameter as
    // missing.
    let min_items = list.get("minItems").and_then(Json::as_u64).unwrap_or(0);
    if min_items == 0 && (required && style == TextStyle::Repeated || placement == Placement::Path) {
        list.insert("minItems".to_owned(), json!(1));
    }
    TextEncoding { schema: Json::Object(list), note: list_note(format, &style), style }
}

/// Returns a note for a list whose items can be sent in one text. Such a list is not always sent in this way: `style`
/// is the way in which it is serialized.
fn list_note(format: Option<ListFormat<'_>>, style: &TextStyle) -> Option<String> {
    let format = format?;
    let separator = format.separator_in_words(|text| format!("`{text}`"));
    let note = match style {
        TextStyle::Commas => format!("The items are separated by {separator}."),
        TextStyle::Plain | TextStyle::Repeated | TextStyle::Members | TextStyle::Json => {
            format!("One text can hold several items, separated by {separator}.")
        }
    };
    Some(if format.trims_items { note + " Blanks around the items are removed." } else { note })
}

/// Restricts the schema of an item in a list of texts. The schema excludes texts that the server would not decode as a
/// single item: it decodes a text that begins with `[` as a whole list in JSON, and a text that contains the separator
/// as several items.
fn restrict_list_item(item: Json, separator: Option<&str>) -> Json {
    if !accepts_text(&item) {
        return item;
    }
    let mut pattern = r"^\s*\[".to_owned();
    if let Some(separator) = separator {
        // The server decodes an empty text as an empty list.
        pattern.push_str("|^$|");
        pattern.push_str(&escape_pattern(separator));
    }
    // Without `type`, every value that is not a text would match the pattern and be excluded. If the schema already has
    // `not`, both schemas are combined with `allOf`.
    let excluded = json!({ "not": { "type": "string", "pattern": pattern } });
    match item {
        Json::Object(mut item) if !item.contains_key("not") => {
            item.insert("not".to_owned(), excluded["not"].clone());
            Json::Object(item)
        }
        item => json!({ "allOf": [item, excluded] }),
    }
}
