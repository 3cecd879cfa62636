//! Parses JSON with comments into a tree of nodes. Each node is a JSON value with its *span*, the range of the file
//! that contains the value.

use std::collections::HashMap;

use jiff::Timestamp;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, ast, parse_to_ast};
use serde_json::{Number, Value as Json};

use super::keys::is_comment_key;
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

/// Returns the offset in a string with escape sequences of the character at an offset in the decoded string.
pub(super) fn escaped_offset(escaped: &str, offset: usize) -> usize {
    let (mut at, mut decoded) = (0, 0);
    while let Some(rest) = escaped.get(at..).filter(|rest| !rest.is_empty()) {
        let (len, decoded_len) = match rest.chars().next().unwrap_or_default() {
            '\\' => escape_len(rest),
            other => (other.len_utf8(), other.len_utf8()),
        };
        decoded += decoded_len;
        if decoded > offset {
            break;
        }
        at = (at + len).min(escaped.len());
    }
    at
}

/// Returns the length of a valid escape sequence at the beginning of a text, and that of its decoded character.
fn escape_len(text: &str) -> (usize, usize) {
    let code_unit = |at: usize| u16::from_str_radix(text.get(at..at + 4)?, 16).ok();
    match code_unit(2).filter(|_| text.starts_with("\\u")) {
        Some(0xD800..=0xDFFF) => ("\\uD834\\uDD1E".len(), 4),
        Some(unit) => ("\\u00E9".len(), char::from_u32(unit.into()).map_or(1, char::len_utf8)),
        None => ("\\n".len(), 1),
    }
}

/// Finds a character that the JSON parser accepts but JSON does not allow (RFC 8259 sections 2 and 7): a control
/// character in a string, or other whitespace than space, tab, line feed and carriage return.
pub(super) fn find_invalid_character_error(file: u32, text: &str) -> Option<Diagnostic> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while let Some(&inside) = bytes.get(at).filter(|byte| **byte != b'"') {
                    if inside < b' ' {
                        return Some(control_character_error(file, at, inside));
                    }
                    at += if inside == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = bytes[at..].iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(bytes.len(), |n| at + n);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = text[at + 2..].find("*/").map_or(bytes.len(), |n| at + 2 + n + 2);
            }
            b' ' | b'\t' | b'\n' | b'\r' | b'!'..=b'~' => at += 1,
            _ => {
                let char = text[at..].chars().next()?;
                let error = Diagnostic::new(
                    DiagnosticCode::Syntax,
                    file_span(file, at, at + char.len_utf8()),
                    format!("unexpected character U+{:04X}", u32::from(char)),
                );
                return Some(error.help("only spaces, tabs and line breaks may stand between values"));
            }
        }
    }
    None
}

fn control_character_error(file: u32, at: usize, byte: u8) -> Diagnostic {
    let span = file_span(file, at, at + 1);
    if matches!(byte, b'\n' | b'\r') {
        Diagnostic::new(DiagnosticCode::Syntax, span, "line break in a string")
            .help("close the string with `\"`, or write the line break as `\\n`")
    } else {
        Diagnostic::new(DiagnosticCode::Syntax, span, format!("control character U+{byte:04X} in a string"))
            .help(format!("write it as `\\u{byte:04x}`"))
    }
}

fn is_digit(char: char) -> bool {
    char.is_ascii_digit()
}

/// Returns the help for a word without quotes: that of another language for one of JSON, or a text.
fn word_help(text: &str) -> String {
    let word: String = text.chars().take_while(|char| char.is_alphanumeric()).collect();
    match word.to_lowercase().as_str() {
        word @ ("true" | "false" | "null") => format!("write `{word}`"),
        "none" | "nil" | "undefined" => "write `null`".to_owned(),
        _ => "write strings in double quotes".to_owned(),
    }
}

pub(super) fn json_parse_error(file: u32, text: &str, range: Range, kind: &ParseErrorKind) -> Diagnostic {
    use ParseErrorKind as Kind;
    let at = file_span(file, range.start, range.end);
    let opening = file_span(file, range.start, range.start + 1);
    let end = file_span(file, text.len(), text.len());
    let error = |span, message: &str| Diagnostic::new(DiagnosticCode::Syntax, span, message);
    match kind {
        Kind::TrailingCommasNotAllowed => error(at, "trailing comma").help("remove the comma"),
        // The range is that of the next value; a number that begins with a zero ends behind the zero.
        Kind::ExpectedComma if text[..range.start].ends_with('0') && text[range.start..].starts_with(is_digit) => {
            error(at, "a number begins with a zero").help("remove the zero, or write a text in double quotes")
        }
        Kind::ExpectedComma => error(at, "missing comma").label("expected `,` here"),
        Kind::UnterminatedObject => error(opening, "unclosed object")
            .label("opened here")
            .related(end, "expected `}` before the end of the file"),
        Kind::UnterminatedArray => error(opening, "unclosed array")
            .label("opened here")
            .related(end, "expected `]` before the end of the file"),
        Kind::UnterminatedCommentBlock => error(at, "unclosed comment").help("close it with `*/`"),
        Kind::String(ParseStringErrorKind::UnterminatedStringLiteral) => {
            error(at, "unclosed string").help("close it with `\"`")
        }
        Kind::String(_) => error(at, "invalid escape sequence").help(
            "JSON has the escape sequences `\\\" \\\\ \\/ \\b \\f \\n \\r \\t` and `\\uXXXX`, of which characters \
             beyond U+FFFF need two",
        ),
        Kind::MultipleRootJsonValues => error(at, "unexpected text after the end of the definition"),
        Kind::ExpectedStringObjectProperty => error(at, "key without quotes").help("write the key in double quotes"),
        Kind::SingleQuotedStringsNotAllowed => error(at, "string in single quotes").help("use double quotes"),
        Kind::ExpectedColonAfterObjectKey => error(at, "missing colon after this key").label("expected `:` here"),
        Kind::ExpectedObjectValue => error(at, "missing value after the colon"),
        Kind::UnexpectedWord => error(at, "unexpected word").help(word_help(&text[range.start..])),
        Kind::UnexpectedCloseBrace | Kind::UnexpectedCloseBracket | Kind::UnexpectedColon | Kind::UnexpectedComma => {
            unexpected_character_error(text, at).label("expected a value")
        }
        Kind::UnexpectedTokenInObject => unexpected_character_error(text, at).label("expected a key or `}`"),
        Kind::UnexpectedToken => unexpected_character_error(text, at),
        Kind::BareDecimalPointNumbersNotAllowed
        | Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral
        | Kind::HexadecimalNumbersNotAllowed
        | Kind::NonFiniteNumbersNotAllowed
        | Kind::UnaryPlusNumbersNotAllowed => {
            error(at, "invalid number").help("JSON numbers are written like `10`, `-0.5` or `1e9`")
        }
        Kind::NestingDepthExceeded => too_deep_error(opening),
        // The other kinds of errors cannot occur: they belong to features of the JSON parser that are switched off, and
        // comments are allowed.
        _ => error(at, &kind.to_string()),
    }
}

fn unexpected_character_error(text: &str, span: Span) -> Diagnostic {
    let char = text.get(span.start as usize..).and_then(|rest| rest.chars().next());
    let message = match char {
        Some(char) => format!("unexpected `{char}`"),
        None => "unexpected end of the file".to_owned(),
    };
    Diagnostic::new(DiagnosticCode::Syntax, span, message)
}

pub(super) fn too_deep_error(span: Span) -> Diagnostic {
    let message = format!("objects and arrays are nested more than {MAX_JSON_DEPTH} levels deep");
    Diagnostic::new(DiagnosticCode::Syntax, span, message)
}

/// `offset` is the position of the first byte that is not valid UTF-8.
pub(super) fn not_utf8_error(file: u32, offset: usize) -> Diagnostic {
    let span = file_span(file, offset, offset + char::REPLACEMENT_CHARACTER.len_utf8());
    Diagnostic::new(DiagnosticCode::Syntax, span, format!("byte {offset} of this file is not valid UTF-8"))
        .help("save the file as UTF-8")
}

pub(super) fn duplicate_key_error(key: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::new(DiagnosticCode::DuplicateKey, second, format!("duplicate key `{key}`"))
        .label("second occurrence")
        .related(first, "first occurrence")
        .help("remove one of the two")
}
