//! Parses JSON with comments into a tree of nodes. Each node is a JSON value with its *span*, the range of the file
//! that contains the value.

use std::collections::HashMap;

use jiff::Timestamp;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, ast, parse_to_ast};
use serde_json::{Number, Value as Json};

use super::escaped_string::escaped_offset;
use super::keys::is_comment_key;
use super::syntax_error::{duplicate_key_error, find_invalid_character_error, json_parse_error, too_deep_error};
use crate::byte_size;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::parse_date_or_time;
use crate::span::{Span, Spanned};
use crate::variables::ExpandedText;

pub(super) const MAX_FILE_BYTES: usize = 8 << 20;

/// The maximum nesting depth of objects and arrays in a file. The limit allows functions to recurse over the tree.
pub(super) const MAX_JSON_DEPTH: usize = 128;

/// A JSON value and its span. The span of a string excludes its quotes, so that a part of the string can be located.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonNode {
    /// The value.
    pub data: JsonData,
    /// The range of the file that contains the value.
    pub span: Span,
    /// The text of a string as the file contains it, if it contains escape sequences; `None` for all other values.
    pub escaped: Option<Box<str>>,
    /// The text of a string with environment variables in the settings, before they were replaced; `None` for all other
    /// values.
    pub expanded: Option<Box<ExpandedText>>,
}

/// A JSON value without its own span; the values that it contains have spans.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonData {
    /// The value `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, without escape sequences.
    String(String),
    /// The items of an array.
    Array(Vec<JsonNode>),
    /// The members of an object.
    Object(JsonMembers),
}

/// The members of an object in the order of the text. No two members have the same key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JsonMembers {
    /// The members.
    pub list: Vec<JsonMember>,
    /// `true` if the object in the file has further members, which were omitted because their keys are duplicates.
    pub is_incomplete: bool,
}

/// A member of an object: its key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonMember {
    /// The name of the member.
    pub key: Spanned<String>,
    /// The value of the member.
    pub value: JsonNode,
}

impl JsonMember {
    /// Returns `true` if the name begins with the prefix of a comment, so that the parser ignores the member.
    #[must_use]
    pub fn is_comment(&self) -> bool {
        is_comment_key(&self.key.value)
    }
}

impl JsonNode {
    /// Returns a description of the value, such as "a string", which a message inserts after "but this is".
    pub fn describe_kind(&self) -> String {
        match &self.data {
            JsonData::Null => "null".to_owned(),
            JsonData::Bool(value) => value.to_string(),
            JsonData::Number(value) => format!("the number {value}"),
            JsonData::String(_) => "a string".to_owned(),
            JsonData::Array(_) => "an array".to_owned(),
            JsonData::Object(_) => "an object".to_owned(),
        }
    }

    /// Returns the value of the member `key`. Returns `None` if this value is not an object or has no such member.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&Self> {
        let JsonData::Object(members) = &self.data else { return None };
        members.list.iter().find(|member| member.key.value == key).map(|member| &member.value)
    }

    /// Returns the text and the span of this value if the value is a string.
    pub fn string(&self) -> Option<Spanned<String>> {
        match &self.data {
            JsonData::String(text) => Some(Spanned::new(text.clone(), self.span)),
            _ => None,
        }
    }

    /// Returns the span of a part of this value if the value is a string. `start` and `end` are byte offsets in the
    /// decoded string; an offset beyond its end is replaced by the end.
    #[must_use]
    pub fn part(&self, start: usize, end: usize) -> Span {
        match (&self.data, &self.escaped) {
            // The offsets are those of the replaced text.
            _ if self.expanded.is_some() => self.span,
            (JsonData::String(_), Some(escaped)) => {
                self.span.slice(escaped_offset(escaped, start), escaped_offset(escaped, end))
            }
            (JsonData::String(text), None) if !text.is_empty() => self.span.slice(start, end),
            _ => self.span,
        }
    }

    /// Returns all keys and strings in this value, each with its span, in the order of the text.
    pub(crate) fn texts(&self) -> Vec<(&str, Span)> {
        match &self.data {
            JsonData::String(text) => vec![(text, self.span)],
            JsonData::Array(items) => items.iter().flat_map(Self::texts).collect(),
            JsonData::Object(members) => {
                let mut texts = Vec::new();
                for JsonMember { key, value } in &members.list {
                    texts.push((&*key.value, key.span));
                    texts.extend(value.texts());
                }
                texts
            }
            _ => Vec::new(),
        }
    }

    /// Returns the strings in this value if the value is an array. Items of other kinds are omitted.
    pub fn strings(&self) -> Option<Spanned<Vec<Spanned<String>>>> {
        let JsonData::Array(items) = &self.data else { return None };
        Some(Spanned::new(items.iter().filter_map(Self::string).collect(), self.span))
    }

    /// Returns this value as a Boolean value. The strings "true" and "false" are converted too; the caller must have
    /// checked whether the key allows strings.
    pub fn bool(&self) -> Option<Spanned<bool>> {
        let value = match &self.data {
            JsonData::Bool(value) => Some(*value),
            JsonData::String(text) => text.parse().ok(),
            _ => None,
        };
        value.map(|value| Spanned::new(value, self.span))
    }

    /// Returns this value as an integer from 0 if it is a whole number in any JSON notation: `10`, `10.0`, `1e1`.
    pub fn integer(&self) -> Option<Spanned<u64>> {
        let JsonData::Number(number) = &self.data else { return None };
        // A float represents every integer exactly up to 2^53.
        let is_exact = |float: &f64| float.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(float);
        let value = number.as_u64().or_else(|| number.as_f64().filter(is_exact).map(|float| float as u64));
        value.map(|value| Spanned::new(value, self.span))
    }

    /// Returns the number of bytes if this value is an integer that is not negative, or a string with a unit, such as
    /// `5MB`.
    pub fn byte_size(&self) -> Option<Spanned<u64>> {
        let text = self.string().and_then(|text| byte_size::parse(&text.value));
        text.map(|bytes| Spanned::new(bytes, self.span)).or_else(|| self.integer())
    }

    /// Returns the point in time if this value is a text of the type `datetime` from 1970 on.
    pub fn moment(&self) -> Option<Spanned<Timestamp>> {
        Some(Spanned::new(parse_date_or_time(&self.string()?.value)?, self.span))
    }

    /// Returns this value as a `serde_json` value, which has no spans.
    pub fn json(&self) -> Json {
        self.to_json(&|node| node.string().map(|text| text.value))
    }

    /// Returns this value as it is written, before environment variables were replaced.
    pub(crate) fn written_json(&self) -> Json {
        self.to_json(&|node| node.written_text().map(str::to_owned))
    }

    fn to_json(&self, text_of: &impl Fn(&Self) -> Option<String>) -> Json {
        match &self.data {
            JsonData::Null => Json::Null,
            JsonData::Bool(value) => Json::Bool(*value),
            JsonData::Number(value) => Json::Number(value.clone()),
            JsonData::String(_) => Json::String(text_of(self).unwrap_or_default()),
            JsonData::Array(items) => Json::Array(items.iter().map(|item| item.to_json(text_of)).collect()),
            JsonData::Object(members) => Json::Object(
                members.list.iter().map(|member| (member.key.value.clone(), member.value.to_json(text_of))).collect(),
            ),
        }
    }
}

/// Removes a byte order mark and replaces invalid UTF-8. The second result is the offset of the first invalid byte.
pub(super) fn decode_utf8(bytes: &[u8]) -> (String, Option<usize>) {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        // The offset is correct in the decoded text too, because the text before it is unchanged.
        Err(error) => (String::from_utf8_lossy(bytes).into_owned(), Some(error.valid_up_to())),
    }
}

/// Parses the text of a file, which must be one JSON value with comments. Reports the first syntax error and returns
/// `None`. Reports duplicate keys, and keeps only the first member.
pub(super) fn parse_json(file: u32, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<JsonNode> {
    let options = ParseOptions {
        allow_comments: true,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options);
    let parse_error = parsed.as_ref().err().map(|error| json_parse_error(file, text, error.range(), error.kind()));
    // If a string is not closed, the JSON parser reports an error at the end of the string, but the line break within
    // the string is a better position. So the error with the earlier position is reported.
    let invalid_character = find_invalid_character_error(file, text);
    let first = match (parse_error, invalid_character) {
        (Some(error), Some(invalid)) if error.span.start < invalid.span.start => Some(error),
        (error, invalid) => invalid.or(error),
    };
    if let Some(error) = first {
        diagnostics.push(error);
        return None;
    }
    let value = parsed.ok()?.value;
    let mut converter = NodeConverter { file, text, diagnostics: Vec::new() };
    let node = match value {
        Some(value) => converter.convert_value(value, 1),
        None => {
            let error = Diagnostic::new(DiagnosticCode::Syntax, file_span(file, 0, 0), "the file is empty");
            Err(error.help("an empty definition is `{}`"))
        }
    };
    match node {
        Ok(node) => {
            diagnostics.append(&mut converter.diagnostics);
            Some(node)
        }
        Err(error) => {
            diagnostics.push(error);
            None
        }
    }
}

pub(super) fn file_span(file: u32, start: usize, end: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { file, start: offset(start), end: offset(end) }
}

struct NodeConverter<'a> {
    file: u32,
    text: &'a str,
    diagnostics: Vec<Diagnostic>,
}

impl NodeConverter<'_> {
    fn convert_value(&mut self, value: ast::Value<'_>, depth: usize) -> Result<JsonNode, Diagnostic> {
        let range = value.range();
        let whole = file_span(self.file, range.start, range.end);
        if depth > MAX_JSON_DEPTH {
            return Err(too_deep_error(whole));
        }
        let mut escaped = None;
        let (data, span) = match value {
            ast::Value::NullKeyword(_) => (JsonData::Null, whole),
            ast::Value::BooleanLit(literal) => (JsonData::Bool(literal.value), whole),
            ast::Value::NumberLit(literal) => (JsonData::Number(parse_json_number(literal.value, whole)?), whole),
            ast::Value::StringLit(literal) => {
                let span = self.span_without_quotes(range);
                let text = self.text.get(span.start as usize..span.end as usize);
                escaped = text.filter(|text| text.contains('\\')).map(Into::into);
                (JsonData::String(literal.value.into_owned()), span)
            }
            ast::Value::Array(array) => {
                let items = array.elements.into_iter().map(|item| self.convert_value(item, depth + 1));
                (JsonData::Array(items.collect::<Result<_, _>>()?), whole)
            }
            ast::Value::Object(object) => (JsonData::Object(self.convert_members(object, depth)?), whole),
        };
        Ok(JsonNode { data, span, escaped, expanded: None })
    }

    fn convert_members(&mut self, object: ast::Object<'_>, depth: usize) -> Result<JsonMembers, Diagnostic> {
        let mut list = Vec::with_capacity(object.properties.len());
        let mut first: HashMap<String, Span> = HashMap::with_capacity(object.properties.len());
        let mut is_incomplete = false;
        for property in object.properties {
            let span = self.span_without_quotes(property.name.range());
            let key = Spanned::new(property.name.into_string(), span);
            let value = self.convert_value(property.value, depth + 1)?;
            if let Some(first) = first.get(&key.value) {
                self.diagnostics.push(duplicate_key_error(&key.value, span, *first));
                is_incomplete = true;
            } else {
                first.insert(key.value.clone(), span);
                list.push(JsonMember { key, value });
            }
        }
        Ok(JsonMembers { list, is_incomplete })
    }

    /// Returns the span of a string without its quotes. The span of an empty string includes the quotes.
    fn span_without_quotes(&self, range: Range) -> Span {
        let is_quoted = self.text.as_bytes().get(range.start) == Some(&b'"');
        if is_quoted && range.end > range.start + 2 {
            file_span(self.file, range.start + 1, range.end - 1)
        } else {
            file_span(self.file, range.start, range.end)
        }
    }
}

/// Parses a JSON number. An integer of more than 64 bits becomes a float.
fn parse_json_number(text: &str, span: Span) -> Result<Number, Diagnostic> {
    text.parse().map_err(|_| Diagnostic::new(DiagnosticCode::Syntax, span, "the number is too large"))
}
