//! JSON with comments, read into a small tree whose every part knows its place.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, ast, parse_to_ast};
use serde_json::{Number, Value as Json};

use super::syntax::{duplicate, refusal, stray, too_deep};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};

/// The most bytes that a file may have.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// The most levels of objects and lists. Readers of the tree may recurse.
pub(super) const MAX_DEPTH: usize = 128;

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
    /// What it is, as read behind "this is".
    pub fn kind(&self) -> String {
        match &self.data {
            Data::Null => "null".to_owned(),
            Data::Bool(value) => value.to_string(),
            Data::Number(value) => format!("the number {value}"),
            Data::Text(_) => "a string".to_owned(),
            Data::List(_) => "a list".to_owned(),
            Data::Object(_) => "an object".to_owned(),
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

pub(super) fn place(file: u32, start: usize, end: usize) -> Place {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Place { file, start: offset(start), end: offset(end) }
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
        let mut list = Vec::with_capacity(object.properties.len());
        for property in object.properties {
            let place = self.inside(property.name.range());
            let key = Placed::new(property.name.into_string(), place);
            let value = self.node(property.value, depth + 1)?;
            list.push(Member { key, value });
        }
        let again = again(&list, &mut self.faults);
        let damaged = !again.is_empty();
        let mut again = again.into_iter().peekable();
        let mut index = 0..;
        list.retain(|_| index.next().is_none_or(|index| again.next_if_eq(&index).is_none()));
        Ok(Members { list, damaged })
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

/// Tells the keys that stood there before, and gives where in the list they stand again.
fn again(list: &[Member], faults: &mut Vec<Diagnostic>) -> Vec<usize> {
    let mut first: HashMap<&str, Place> = HashMap::with_capacity(list.len());
    let mut again = Vec::new();
    for (index, Member { key, .. }) in list.iter().enumerate() {
        match first.entry(&key.value) {
            Entry::Occupied(first) => {
                faults.push(duplicate(&key.value, key.place, *first.get()));
                again.push(index);
            }
            Entry::Vacant(free) => {
                free.insert(key.place);
            }
        }
    }
    again
}

/// A number of JSON; integers beyond 64 bits become floats.
fn number(text: &str, place: Place) -> Result<Number, Diagnostic> {
    text.parse().map_err(|_| Diagnostic::new(Code::Syntax, place, "this number is too large"))
}
