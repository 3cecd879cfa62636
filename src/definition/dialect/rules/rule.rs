//! A rule: one parameter, its words put into the terms of the tree dialect.

use serde_json::{Number, Value as Json};

use super::super::super::keys::rules::{RULE, SOURCES, TYPES, meaning};
use super::super::super::manner::RULES;
use super::super::super::object::Object;
use super::super::super::text::Member;
use super::super::super::written::{Attribute, Parameter, TypeText};
use super::super::method::type_text;
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};

/// PhalApi's source of what the server says of a request, which is none here.
const SERVER: &str = "server";

/// A rule that has been read.
#[derive(Clone)]
pub(super) struct Rule {
    /// Its name in code.
    pub name: String,
    pub parameter: Parameter,
    /// Whether its value can only stand in a body.
    pub in_body: bool,
    /// Where `source` says so.
    pub posted: Option<Place>,
}

/// Reads a rule. None where it is no object, which is told.
pub(super) fn rule(member: &Member, faults: &mut Vec<Diagnostic>) -> Option<Rule> {
    let mut object = Object::open(&member.value, &RULE, faults)?;
    let name = &member.key;
    let written = type_text(&RULES, &mut object, faults);
    let damaged = written.term.is_none() && object.damaged;
    let word = written.term.clone().or((!damaged).then(|| Placed::new("string".to_owned(), name.place)));
    let before = faults.len();
    let r#type = lowered(TypeText { term: word, ..written }, &object, faults);
    let (prefix, source) = source(&object, faults);
    let is_file = r#type.term.as_ref().is_some_and(|term| is_file(&term.value));
    let posted = source.filter(|_| prefix.is_empty());
    let client = object.text("name").unwrap_or_else(|| name.clone());
    let prefix = if prefix.is_empty() && is_key(&client.value) {
        faults.push(other_place(&client));
        "ANY@"
    } else {
        prefix
    };
    let says = |key| object.text(key).filter(|text| !text.value.trim().is_empty());
    let is_blank = name.value.trim().is_empty();
    let parameter = Parameter {
        key: Placed::new(format!("{prefix}{}", client.value), name.place),
        // What has no name at all is told by its key.
        name: (!is_blank || object.has("name")).then(|| name.clone()),
        info: says("desc").or_else(|| (!is_blank).then(|| name.clone())),
        r#type,
        optional: None,
        default: object.json("default"),
        example: object.json("example"),
        message: object.text("message"),
        place: object.place,
        damaged: object.damaged || is_blank || faults.len() > before,
    };
    Some(Rule { name: name.value.clone(), parameter, in_body: is_file || posted.is_some(), posted })
}

/// The type in the terms of the tree dialect, and the attributes beside it as its types have them.
fn lowered(text: TypeText, object: &Object<'_>, faults: &mut Vec<Diagnostic>) -> TypeText {
    let TypeText { term, attributes, items, fields } = text;
    let Some(term) = term else {
        return TypeText { term, attributes, items, fields };
    };
    let marked = term.value.starts_with('?');
    let bare = term.value.trim_start_matches('?');
    let meant = meaning(TYPES, bare).unwrap_or(bare).to_owned();
    let required = object.flag("require").filter(|require| require.value);
    if let Some(require) = required.filter(|_| marked) {
        let fault = Diagnostic::new(Code::BadOption, require.place, "a type with `?` is one that may be left out");
        faults.push(fault.other(term.place, "may be left out").help("leave `require` out, or the `?`"));
    }
    let functions = [callable(&meant, object, faults), after(object, faults)];
    let attributes = attributes.into_iter().filter_map(|(key, value)| {
        let value = match key.value.as_str() {
            "min" | "max" if meant != "datetime" => value.map(number),
            "format" => format(&meant, value, faults)?,
            "items" => value.map(self::items),
            // What is wrong with it is told.
            "callback" if meant != "callable" => return None,
            _ => value,
        };
        Some((key, value))
    });
    let attributes: Vec<_> = attributes.chain(functions.into_iter().flatten()).collect();
    let optional = marked || (required.is_none() && !object.has("default"));
    // A term with more than one `?` is told as it is written.
    let term = if term.value.starts_with("??") {
        term
    } else {
        term.map(|_| if optional { format!("?{meant}") } else { meant })
    };
    TypeText { term: Some(term), attributes, items, fields }
}

/// `callable`, as `callback` says it. Where the type calls no function, both are told in the words of rules.
fn callable(meant: &str, object: &Object<'_>, faults: &mut Vec<Diagnostic>) -> Option<Attribute> {
    let said = |key| object.members().find(|member| member.key.value == key);
    let (callback, callable) = (said("callback"), said("callable"));
    let first = callback.or(callable)?;
    if meant != "callable" {
        let message = format!("`{}` names a function, and this type calls none", first.key.value);
        let fault = Diagnostic::new(Code::BadOption, first.key.place, message);
        faults.push(fault.label("not called").help("write `\"type\": \"callable\"` beside it"));
        return None;
    }
    let second = callable?;
    if callback.is_some() {
        let fault = Diagnostic::new(Code::BadOption, second.key.place, "`callback` and `callable` are the same");
        faults
            .push(fault.label("the second one").other(first.key.place, "the first one").help("leave one of them out"));
        return None;
    }
    Some((Placed::new("callback".to_owned(), second.key.place), Placed::new(second.value.json(), second.value.place)))
}

/// `on_after_parse` as `after` says it. A list is a class and a method of PHP, and so one function.
fn after(object: &Object<'_>, faults: &mut Vec<Diagnostic>) -> Option<Attribute> {
    let written = object.members().find(|member| member.key.value == "on_after_parse")?;
    let place = written.value.place;
    let names = match object.texts("on_after_parse").map(|names| names.value) {
        None => written.value.json(),
        Some(names) => match &names[..] {
            [class, method] => vec![format!("{}::{}", class.value, method.value)].into(),
            _ => {
                let fault = Diagnostic::new(Code::BadOption, place, "a list names one function, by class and method");
                faults.push(fault.help("write names with `|` between them: `\"trim|strtolower\"`"));
                return None;
            }
        },
    };
    Some((Placed::new("after".to_owned(), written.key.place), Placed::new(names, place)))
}

/// A bound that is written as a text.
fn number(bound: Json) -> Json {
    let Json::String(text) = &bound else { return bound };
    text.trim().parse::<Number>().map_or(bound, Json::Number)
}

/// What stands beside items: their bounds may be texts too.
fn items(written: Json) -> Json {
    let Json::Object(written) = written else { return written };
    let read = |(key, value): (String, Json)| {
        let value = match key.as_str() {
            "min" | "max" => number(value),
            "items" => items(value),
            _ => value,
        };
        (key, value)
    };
    Json::Object(written.into_iter().map(read).collect())
}

/// The `format` beside a type; none where it goes without saying, or is told.
fn format(meant: &str, value: Placed<Json>, faults: &mut Vec<Diagnostic>) -> Option<Placed<Json>> {
    let Json::String(text) = &value.value else { return Some(value) };
    let small = text.to_ascii_lowercase();
    if meant != "loose_string" {
        return Some(Placed::new(small.into(), value.place));
    }
    if !matches!(small.as_str(), "utf8" | "utf-8") {
        let message = format!("`{}` is no `format` of a text here", text.escape_debug());
        let fault = Diagnostic::new(Code::BadOption, value.place, message).label("expected `utf8`");
        faults.push(fault.help("all texts are UTF-8, and their lengths count characters"));
    }
    None
}

/// What stands before the name in the key of a parameter, and where `source` says it.
fn source(object: &Object<'_>, faults: &mut Vec<Diagnostic>) -> (&'static str, Option<Place>) {
    let Some(source) = object.text("source") else {
        return ("ANY@", None);
    };
    if let Some(prefix) = meaning(SOURCES, &source.value) {
        return (prefix, Some(source.place));
    }
    let names = || SOURCES.iter().map(|word| word.name);
    let list: Vec<String> = names().map(|name| format!("`{name}`")).collect();
    let message = format!("`{}` is no source", source.value.escape_debug());
    let fault = Diagnostic::new(Code::BadOption, source.place, message).label("unknown word");
    faults.push(if source.value.eq_ignore_ascii_case(SERVER) {
        fault.help("what PHP's server knows of a request is no input of clients; handlers ask their `Context` for it")
    } else {
        fault.help(format!("it is one of {}", list.join(", "))).suggest(&source.value, names())
    });
    ("ANY@", None)
}

/// Whether a term is that of a file, or of files.
fn is_file(term: &str) -> bool {
    let inner = term.trim_end_matches('>').rsplit(['<', ']', '?']).next();
    inner.is_some_and(|name| name.eq_ignore_ascii_case("file"))
}

fn other_place(client: &Placed<String>) -> Diagnostic {
    let message = format!("`{}` is no name of a value in the body", client.value.escape_debug());
    Diagnostic::new(Code::BadName, client.place, message)
        .label("says another place")
        .help("leave out what stands before the name; `source` says where it stands")
}

/// Whether a name would be read as the key of a parameter that stands elsewhere than in the body.
pub(super) fn is_key(name: &str) -> bool {
    let begins = |prefix: &str| !prefix.is_empty() && name.starts_with(prefix);
    SOURCES.iter().any(|word| begins(word.means))
        || begins(RULES.position)
        || (name.starts_with('{') && name.ends_with('}'))
}
