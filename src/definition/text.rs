//! JSON with comments, read into a small tree whose every part knows its place.

use std::collections::HashMap;

use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, ast, parse_to_ast};
use serde_json::{Number, Value as Json};

use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};

/// The most bytes that a file may have.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// The most levels of objects and lists. Readers of the tree may recurse.
const MAX_DEPTH: usize = 128;

/// A value and where it stands. The place of a string is what stands between
/// its quotes, so that a part of it can be pointed at.
#[derive(Debug)]
pub(super) struct Node {
    pub data: Data,
    pub place: Place,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Data {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Object(Members),
}

/// The members of an object, in the order of the text, each key once.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub list: Vec<Member>,
    /// Whether a member was left out because its key stood there before.
    pub damaged: bool,
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct Member {
    pub key: Placed<String>,
    pub value: Node,
}

impl Node {
    /// Its kind, as read behind "this is".
    pub fn kind(&self) -> &'static str {
        match &self.data {
            Data::Null => "null",
            Data::Bool(true) => "true",
            Data::Bool(false) => "false",
            Data::Number(_) => "a number",
            Data::Text(_) => "a string",
            Data::List(_) => "a list",
            Data::Object(_) => "an object",
        }
    }

    /// The value without places.
    pub fn json(&self) -> Json {
        match &self.data {
            Data::Null => Json::Null,
            Data::Bool(value) => Json::Bool(*value),
            Data::Number(value) => Json::Number(value.clone()),
            Data::Text(value) => Json::String(value.clone()),
            Data::List(items) => Json::Array(items.iter().map(Self::json).collect()),
            Data::Object(members) => Json::Object(
                members.list.iter().map(|member| (member.key.value.clone(), member.value.json())).collect(),
            ),
        }
    }
}

/// Takes the text of a file out of its bytes, a byte order mark cut and bytes
/// that are no UTF-8 replaced, and gives the offset of the first of those.
pub(super) fn decode(bytes: &[u8]) -> (String, Option<usize>) {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        // Everything before the first bad byte is the same in the replaced text.
        Err(error) => (String::from_utf8_lossy(bytes).into_owned(), Some(error.valid_up_to())),
    }
}

/// The fault that the byte at `offset` is no UTF-8.
pub(super) fn not_utf8(file: u32, offset: usize) -> Diagnostic {
    let place = place(file, offset, offset + char::REPLACEMENT_CHARACTER.len_utf8());
    Diagnostic::new(Code::Syntax, place, format!("byte {offset} of this file is not UTF-8"))
        .help("save the file as UTF-8")
}

/// Reads a text as one JSON value with comments. The first fault of the syntax
/// ends the reading and gives nothing; of keys that stand twice, all are told.
pub(super) fn parse(file: u32, text: &str, faults: &mut Vec<Diagnostic>) -> Option<Node> {
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
    let refused = parsed.as_ref().err().map(|error| refusal(file, text, error.range(), error.kind()));
    // An unclosed string swallows lines, so the line break in it is the truer
    // fault: the earlier one is told.
    let stray = stray(file, text);
    let first = match (refused, stray) {
        (Some(refused), Some(stray)) if refused.place.start < stray.place.start => Some(refused),
        (refused, stray) => stray.or(refused),
    };
    if let Some(fault) = first {
        faults.push(fault);
        return None;
    }
    let value = parsed.ok()?.value;
    let mut reader = Reader { file, text, faults: Vec::new() };
    let node = match value {
        Some(value) => reader.node(value, 1),
        None => {
            let fault = Diagnostic::new(Code::Syntax, place(file, 0, 0), "there is nothing in this file");
            Err(fault.help("an empty definition is `{}`"))
        }
    };
    match node {
        Ok(node) => {
            faults.append(&mut reader.faults);
            Some(node)
        }
        Err(fault) => {
            faults.push(fault);
            None
        }
    }
}

fn place(file: u32, start: usize, end: usize) -> Place {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Place { file, start: offset(start), end: offset(end) }
}

/// Tells what the parser lets pass and JSON does not (RFC 8259, sections 2 and
/// 7): control characters in strings, and blanks between tokens that are none
/// of its four.
fn stray(file: u32, text: &str) -> Option<Diagnostic> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while let Some(&inside) = bytes.get(at).filter(|byte| **byte != b'"') {
                    if inside < b' ' {
                        return Some(control(file, at, inside));
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
                let fault = Diagnostic::new(
                    Code::Syntax,
                    place(file, at, at + char.len_utf8()),
                    format!("the character U+{:04X} does not belong here", u32::from(char)),
                );
                return Some(fault.help("between values JSON knows blanks, tabs and line breaks"));
            }
        }
    }
    None
}

fn control(file: u32, at: usize, byte: u8) -> Diagnostic {
    let place = place(file, at, at + 1);
    if matches!(byte, b'\n' | b'\r') {
        Diagnostic::new(Code::Syntax, place, "this string does not end on its line")
            .help("close it with `\"`, or write a line break in it as `\\n`")
    } else {
        Diagnostic::new(Code::Syntax, place, format!("the control character U+{byte:04X} stands in a string"))
            .help(format!("write it as `\\u{byte:04x}`"))
    }
}

/// The words for what the parser refuses.
fn refusal(file: u32, text: &str, range: Range, kind: &ParseErrorKind) -> Diagnostic {
    use ParseErrorKind as Kind;
    let at = place(file, range.start, range.end);
    let opening = place(file, range.start, range.start + 1);
    let end = place(file, text.len(), text.len());
    let fault = |place, words: &str| Diagnostic::new(Code::Syntax, place, words);
    match kind {
        Kind::TrailingCommasNotAllowed => fault(at, "a comma with nothing behind it").help("remove the comma"),
        Kind::ExpectedComma => fault(at, "a comma is missing").label("expected `,` here"),
        Kind::UnterminatedObject => {
            fault(opening, "this object is not closed").label("opened here").other(end, "expected `}` before the end")
        }
        Kind::UnterminatedArray => {
            fault(opening, "this list is not closed").label("opened here").other(end, "expected `]` before the end")
        }
        Kind::UnterminatedCommentBlock => fault(at, "this comment is not closed").help("close it with `*/`"),
        Kind::String(ParseStringErrorKind::UnterminatedStringLiteral) => {
            fault(at, "this string is not closed").help("close it with `\"`")
        }
        Kind::String(_) => fault(at, "this is no escape of JSON")
            .help("the escapes are `\\\" \\\\ \\/ \\b \\f \\n \\r \\t` and `\\uXXXX`, in pairs beyond U+FFFF"),
        Kind::MultipleRootJsonValues => fault(at, "text behind the end of the definition"),
        Kind::ExpectedStringObjectProperty => fault(at, "a key without quotes").help("write it in double quotes"),
        Kind::SingleQuotedStringsNotAllowed => fault(at, "a string in single quotes").help("use double quotes"),
        Kind::ExpectedColonAfterObjectKey => fault(at, "a colon is missing behind this key").label("expected `:` here"),
        Kind::ExpectedObjectValue => fault(at, "a value is missing behind the colon"),
        Kind::UnexpectedWord => fault(at, "this word is no value").help("strings are written in double quotes"),
        Kind::UnexpectedCloseBrace
        | Kind::UnexpectedCloseBracket
        | Kind::UnexpectedColon
        | Kind::UnexpectedComma
        | Kind::UnexpectedToken
        | Kind::UnexpectedTokenInObject => fault(at, "this does not belong here"),
        Kind::BareDecimalPointNumbersNotAllowed
        | Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral
        | Kind::HexadecimalNumbersNotAllowed
        | Kind::NonFiniteNumbersNotAllowed
        | Kind::UnaryPlusNumbersNotAllowed => fault(at, "this is no number of JSON"),
        Kind::NestingDepthExceeded => too_deep(opening),
        // Comments are allowed; other kinds are of parts of the crate that are not used.
        _ => fault(at, &kind.to_string()),
    }
}

fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::new(Code::Syntax, place, format!("more than {MAX_DEPTH} levels of objects and lists"))
}

/// Turns the parser's tree into ours.
struct Reader<'a> {
    file: u32,
    text: &'a str,
    faults: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn node(&mut self, value: ast::Value<'_>, depth: usize) -> Result<Node, Diagnostic> {
        let range = value.range();
        let whole = place(self.file, range.start, range.end);
        if depth > MAX_DEPTH {
            return Err(too_deep(whole));
        }
        let (data, place) = match value {
            ast::Value::NullKeyword(_) => (Data::Null, whole),
            ast::Value::BooleanLit(literal) => (Data::Bool(literal.value), whole),
            ast::Value::NumberLit(literal) => (Data::Number(number(literal.value, whole)?), whole),
            ast::Value::StringLit(literal) => (Data::Text(literal.value.into_owned()), self.inside(range)),
            ast::Value::Array(array) => {
                let items = array.elements.into_iter().map(|item| self.node(item, depth + 1));
                (Data::List(items.collect::<Result<_, _>>()?), whole)
            }
            ast::Value::Object(object) => (Data::Object(self.members(object, depth)?), whole),
        };
        Ok(Node { data, place })
    }

    fn members(&mut self, object: ast::Object<'_>, depth: usize) -> Result<Members, Diagnostic> {
        let mut members = Members::default();
        let mut places: HashMap<String, Place> = HashMap::new();
        for property in object.properties {
            let place = self.inside(property.name.range());
            let key = property.name.into_string();
            let value = self.node(property.value, depth + 1)?;
            if let Some(first) = places.get(&key) {
                members.damaged = true;
                self.faults.push(duplicate(&key, place, *first));
                continue;
            }
            places.insert(key.clone(), place);
            members.list.push(Member { key: Placed::new(key, place), value });
        }
        Ok(members)
    }

    /// What stands between the quotes; the quotes where nothing does.
    fn inside(&self, range: Range) -> Place {
        let quoted = self.text.as_bytes().get(range.start) == Some(&b'"');
        if quoted && range.end > range.start + 2 {
            place(self.file, range.start + 1, range.end - 1)
        } else {
            place(self.file, range.start, range.end)
        }
    }
}

/// The fault that `key` stands twice.
pub(super) fn duplicate(key: &str, second: Place, first: Place) -> Diagnostic {
    Diagnostic::new(Code::DuplicateKey, second, format!("`{key}` stands here twice"))
        .label("again")
        .other(first, "first here")
        .help("keep one of the two")
}

/// A number of JSON; integers beyond 64 bits become floats.
fn number(text: &str, place: Place) -> Result<Number, Diagnostic> {
    text.parse().map_err(|_| Diagnostic::new(Code::Syntax, place, "this number is too large"))
}
