//! Describes how a parameter value is serialized as text in a request, and which values of the parameter's type can be
//! serialized.
//!
//! The server decodes a text according to the type of the parameter. Therefore a schema describes the decoded value. It
//! excludes values that the part of the request cannot carry: null, an empty path segment, and non-ASCII characters in
//! a header field.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value as Json, json};
use utoipa::openapi::path::ParameterStyle;

use super::schemas;
use crate::describe::example;
use crate::describe::parameter_format::{ListFormat, bracket_name, type_attributes};
use crate::distinct_names::is_one_of;
use crate::model::{Parameter, ParameterType};
use crate::schema::pattern::escape_pattern;
use crate::types::{Arity, Check, branches, kinds, schema_without_outer_references, schemas_in};

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
    /// `None` stands for OpenAPI's default value.
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

/// If the type accepts every value, the form is a text. `None` if the value cannot be serialized in this style.
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

/// `None` without a default, or if it cannot be serialized in this style.
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

/// Texts if the server can separate the items, and otherwise JSON.
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
    let is_list = list.get("type").is_some_and(|kind| kind == "array");
    let items = without_null(list.get("items").cloned().unwrap_or_else(|| json!({})));
    if style == TextStyle::Json || !is_list || accepts_arrays_or_objects(&items) {
        let list = Json::Object(list);
        let mut singles = single_item_schemas(&list, &attributes);
        if let Some(separator) = separator {
            singles = without_separator(singles, separator);
        }
        singles.extend(word_schema(&*r#type.check, &list, &singles));
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

/// Says that the items can be sent in one text. `style` is the way in which the list is serialized.
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

/// Excludes texts that the server would not decode as a single item: it decodes a text that begins with `[` as a whole
/// list in JSON, and a text that contains the separator as several items.
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

// Objects that a query contains with a field for each member, such as `place[city]=Paris` (`style: deepObject` in
// OpenAPI). Most generators of code can send such objects, but not objects in JSON.

const KEYWORDS: &str = "type properties required additionalProperties description minProperties maxProperties examples";

/// `None` if a member can be an array or an object, which OpenAPI does not define for this style. An object without
/// members has no fields, which is the same as a missing parameter. Therefore it needs a member if it is required.
fn schema_of_members(schema: &Json, required: bool) -> Option<Json> {
    let Json::Object(mut object) = without_null(schema.clone()) else { return None };
    let is_plain = object.get("type")? == "object" && object.keys().all(|keyword| is_one_of(KEYWORDS, keyword));
    let is_closed = object.get("additionalProperties").is_none_or(Json::is_boolean);
    let members = object.get_mut("properties")?.as_object_mut()?;
    let can_be_field = |(name, member): (&String, &Json)| {
        // A member without a type, which has at most a description, can be anything.
        let has_type = ["type", "enum", "const", "anyOf", "oneOf"].iter().any(|keyword| member.get(*keyword).is_some());
        let is_scalar = has_type && !accepts_arrays_or_objects(member);
        is_scalar && !name.is_empty() && !name.contains(['[', ']'])
    };
    if !is_plain || !is_closed || members.is_empty() || !members.iter().all(can_be_field) {
        return None;
    }
    members.values_mut().for_each(|member| *member = without_null(member.take()));
    let min = object.get("minProperties").and_then(Json::as_u64).unwrap_or(0);
    if required && min == 0 && !object.contains_key("required") {
        object.insert("minProperties".to_owned(), json!(1));
    }
    Some(Json::Object(object))
}

// The only item of a list: if a list is serialized as JSON, a client can also send a single item instead of the list.

/// The values that the server decodes as a list with a single item if their JSON text is the text of the parameter. A
/// text in JSON has quotes, which become part of the item. Few types of items accept such a text, so that these schemas
/// contain no texts unless the items can be any text.
fn single_item_schemas(list: &Json, attributes: &Map<String, Json>) -> Vec<Json> {
    let branches = schemas_in(list, "anyOf");
    // If the type accepts lists and objects, its schema has `anyOf`.
    let (array, accepts_objects) = match branches {
        [array, _] => (array, true),
        _ => (list, false),
    };
    let count = |keyword: &str| array.get(keyword).and_then(Json::as_u64);
    // Each text of a list with the format `json` is a list.
    let is_json = attributes.get("format").is_some_and(|format| format == "json");
    if is_json || count("minItems").is_some_and(|min| min > 1) || count("maxItems") == Some(0) {
        return Vec::new();
    }
    let items = array.get("items").cloned().unwrap_or_else(|| json!({}));
    if accepts_anything(&items) || items == json!({ "type": "string" }) {
        let mut kinds = vec!["string", "number", "boolean", "null"];
        if !accepts_objects {
            kinds.push("object");
        }
        return vec![json!({ "type": kinds })];
    }
    let empty = Map::new();
    let item_attributes = attributes.get("items").and_then(Json::as_object).unwrap_or(&empty);
    item_schemas(&items, item_attributes, accepts_objects)
}

/// Keeps, of the schemas of single items, the numbers and words, whose texts do not contain the separator of the list.
fn without_separator(schemas: Vec<Json>, separator: &str) -> Vec<Json> {
    if separator.contains(|char: char| char.is_ascii_alphanumeric() || "+-.".contains(char)) {
        return Vec::new();
    }
    let is_scalar = |kind: &Json| matches!(kind.as_str(), Some("integer" | "number" | "boolean" | "null"));
    let keep = |mut schema: Json| {
        if let Some(Json::Array(kinds)) = schema.get_mut("type") {
            kinds.retain(is_scalar);
            return (!kinds.is_empty()).then_some(schema);
        }
        schema.get("type").is_none_or(is_scalar).then_some(schema)
    };
    schemas.into_iter().filter_map(keep).collect()
}

/// The words of JSON that the server decodes as a list with a single item, because an item can be a text and such a
/// word has no quotes: `true`, `false`, `null`, and the integers of an enumeration of texts. `described` contains the
/// schemas of other single items.
fn word_schema(check: &dyn Check, list: &Json, described: &[Json]) -> Option<Json> {
    let is_described = |expected: &[&str]| {
        described.iter().any(|schema| kinds(schema.get("type")).iter().any(|kind| expected.contains(kind)))
    };
    let mut words = Vec::new();
    if !is_described(&["null"]) {
        words.push(Json::Null);
    }
    if !is_described(&["boolean"]) {
        words.extend([json!(true), json!(false)]);
    }
    let enumeration = list.pointer("/items/enum").and_then(Json::as_array);
    let texts = enumeration.into_iter().flatten().filter_map(Json::as_str);
    let integers = texts.filter_map(|text| text.parse::<i64>().ok().filter(|number| number.to_string() == text));
    if !is_described(&["integer", "number"]) {
        words.extend(integers.map(|number| json!(number)));
    }
    words.retain(|word| check.checked(check.decode(word.to_string().into())).is_ok());
    (!words.is_empty()).then(|| json!({ "enum": words }))
}

/// Returns the schemas of the items whose JSON text the server decodes as this item. If `skips_objects` is `true`, the
/// text of an object is not an item.
fn item_schemas(item: &Json, attributes: &Map<String, Json>, skips_objects: bool) -> Vec<Json> {
    // The text of an item that is a union is never the only item of a list inside the union.
    let of_union = schemas_in(item, "oneOf").iter().filter(|branch| !is_of_type(branch, "array"));
    let mut schemas: Vec<Json> = of_union.flat_map(|branch| item_schemas(branch, &Map::new(), skips_objects)).collect();
    if !schemas.is_empty() || item.get("oneOf").is_some() {
        schemas.dedup();
        return schemas;
    }
    let branches = schemas_in(item, "anyOf");
    if !branches.is_empty() {
        let is_loose_array = branches.iter().any(|branch| branch.get("type") == Some(&json!("array")));
        if is_loose_array && !branches.iter().any(|branch| branch.get("type") == Some(&json!("null"))) {
            let mut schemas = single_item_schemas(item, attributes);
            schemas.extend(branches.iter().filter(|branch| is_of_type(branch, "object") && !skips_objects).cloned());
            return schemas;
        }
        return branches.iter().flat_map(|branch| item_schemas(branch, attributes, skips_objects)).collect();
    }
    if is_tagged_object(item) {
        return if skips_objects { Vec::new() } else { vec![item.clone()] };
    }
    match item.get("type") {
        Some(Json::String(kind)) => match kind.as_str() {
            "array" => single_item_schemas(item, attributes),
            "object" if skips_objects => Vec::new(),
            "string" | "null" => Vec::new(),
            _ => vec![item.clone()],
        },
        // The type `?T`, or a type that accepts several kinds of values.
        Some(Json::Array(kinds)) => kinds
            .iter()
            .flat_map(|kind| {
                let mut one = item.clone();
                one["type"] = kind.clone();
                item_schemas(&one, attributes, skips_objects)
            })
            .collect(),
        _ if item.get("enum").and_then(Json::as_array).is_some_and(|values| !values.iter().any(Json::is_string)) => {
            vec![item.clone()]
        }
        _ => Vec::new(),
    }
}

/// A branch of a union with a tag whose schema does not contain the tag consists of the schema and the tag.
fn is_tagged_object(schema: &Json) -> bool {
    schema.get("type").is_none() && schema.get("allOf").is_some()
}

fn is_of_type(schema: &Json, kind: &str) -> bool {
    schema.get("type") == Some(&json!(kind))
}

// The kinds of values that a schema accepts. Null is excluded, because no text is decoded as null.

fn accepts_arrays_or_objects(schema: &Json) -> bool {
    let by_type = kinds(schema.get("type")).iter().any(|kind| matches!(*kind, "array" | "object"));
    by_type || is_tagged_object(schema) || branches(schema).into_iter().flatten().any(accepts_arrays_or_objects)
}

/// Returns `true` if a schema accepts any value, or any value except null.
fn accepts_anything(schema: &Json) -> bool {
    *schema == json!({}) || *schema == json!({ "not": { "type": "null" } })
}

fn accepts_text(schema: &Json) -> bool {
    match schema.get("type") {
        None => branches(schema).is_none_or(|branches| branches.is_empty() || branches.iter().any(accepts_text)),
        kind => kinds(kind).contains(&"string"),
    }
}

/// Removes null from the values that a schema accepts, because no text is decoded as null, except for the text `null`
/// in a union that contains the type `null`. A schema that accepts every value is replaced by the schema of texts.
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
    if let Some(Json::Array(branches)) = schema.remove("oneOf") {
        let is_null = |branch: &Json| branch.get("type") == Some(&null);
        // The text `null` can also be a value of another branch.
        let keyword = if branches.iter().any(is_null) { "anyOf" } else { "oneOf" };
        let of_texts = |branch: Json| if is_null(&branch) { json!({ "const": "null" }) } else { without_null(branch) };
        schema.insert(keyword.to_owned(), branches.into_iter().map(of_texts).collect());
    }
    Json::Object(schema)
}

// The texts that a part of a request can carry.

/// Visible ASCII characters, between which spaces and tabs are allowed (RFC 9110 section 5.5).
const HEADER_VALUE_PATTERN: &str = r"^(?:[!-~](?:[\t -~]*[!-~])?)?$";
/// The pattern of cookie values (RFC 6265 section 4.1.1).
const COOKIE_VALUE_PATTERN: &str = r"^[!#-+\--:<-\[\]-~]*$";

fn restrict_to_placement(schema: Json, placement: Placement) -> Json {
    let Json::Object(mut schema) = schema else { return schema };
    for keyword in ["anyOf", "oneOf"] {
        if let Some(Json::Array(branches)) = schema.get_mut(keyword) {
            let all = std::mem::take(branches).into_iter().map(|branch| restrict_to_placement(branch, placement));
            branches.extend(all);
        }
    }
    if schema.get("type") != Some(&json!("string")) {
        return Json::Object(schema);
    }
    if let Some(Json::Array(words)) = schema.get_mut("enum") {
        let can_be_sent = |word: &&Json| word.as_str().is_some_and(|word| can_carry(placement, word));
        let sent: Vec<_> = words.iter().filter(can_be_sent).cloned().collect();
        // A schema must have at least one value.
        if !sent.is_empty() {
            *words = sent;
        }
        return Json::Object(schema);
    }
    match placement {
        Placement::Query | Placement::Form => Json::Object(schema),
        Placement::Path => {
            let min_length = schema.get("minLength").and_then(Json::as_u64).unwrap_or(0);
            schema.insert("minLength".to_owned(), json!(min_length.max(1)));
            Json::Object(schema)
        }
        Placement::Header => with_pattern_if_unrestricted(schema, HEADER_VALUE_PATTERN),
        Placement::Cookie => with_pattern_if_unrestricted(schema, COOKIE_VALUE_PATTERN),
    }
}

fn can_carry(placement: Placement, text: &str) -> bool {
    static PATTERNS: LazyLock<[Option<Regex>; 2]> =
        LazyLock::new(|| [HEADER_VALUE_PATTERN, COOKIE_VALUE_PATTERN].map(|pattern| Regex::new(pattern).ok()));
    let matches = |pattern: &Option<Regex>| pattern.as_ref().is_some_and(|pattern| pattern.is_match(text));
    match placement {
        Placement::Query | Placement::Form => true,
        Placement::Path => !text.is_empty(),
        Placement::Header => matches(&PATTERNS[0]),
        Placement::Cookie => matches(&PATTERNS[1]),
    }
}

/// Not if the schema already restricts the characters of its texts: most restrictions only allow ASCII characters.
fn with_pattern_if_unrestricted(mut schema: Map<String, Json>, pattern: &str) -> Json {
    let is_unrestricted = ["pattern", "format", "allOf"].iter().all(|keyword| !schema.contains_key(*keyword));
    if is_unrestricted {
        schema.insert("pattern".to_owned(), json!(pattern));
    }
    Json::Object(schema)
}
