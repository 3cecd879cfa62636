//! Test files: calls of an API, and what their responses must contain. The command `rulebook test` runs them.
//!
//! A test file is written as a definition file is: JSON with comments. This module reads the files and compares them
//! with the API. It must not send requests.
//!
//! ```
//! use rulebook_model::diagnostic::Sources;
//! use rulebook_model::test_file;
//!
//! let text = br#"{ "a greeting has a name": { "call": "greeting.greet", "with": { "name": "Ada" } } }"#;
//! let (mut sources, mut diagnostics) = (Sources::default(), Vec::new());
//! let tests = test_file::parse("tests/greeting.json".into(), text.to_vec(), &mut sources, &mut diagnostics);
//! assert_eq!((tests[0].name.value.as_str(), diagnostics.len()), ("a greeting has a name", 0));
//! ```

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use crate::definition::keys::{JsonKind, KeyTable, key, key_table, required_key};
use crate::definition::{CheckedObject, JsonData, JsonMember, JsonMembers, JsonNode, parse_document, read_document};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Sources};
use crate::error::codes::ERROR_CODES;
use crate::model::{Api, Method};
use crate::span::Spanned;

/// A test: its name, and its steps, which are carried out one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// The name, which is a sentence.
    pub name: Spanned<String>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// A request, and what its response must contain. The values are as they are written: [`fill`] inserts saved values.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is called.
    pub call: Call,
    /// The arguments of a method, by the names of its parameters in code.
    pub with: Vec<JsonMember>,
    /// The name, the permissions and the claims of the caller, who is anonymous if all are `None`.
    pub caller: [Option<JsonNode>; 3],
    /// The header fields that are not parameters.
    pub headers: Vec<JsonMember>,
    /// The body of a request with a path.
    pub body: Option<JsonNode>,
    /// What the response must contain.
    pub expect: Expectation,
    /// The names of values of the response, each with the place of its value.
    pub save: Vec<JsonMember>,
}

/// What a step calls.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// The method with this id.
    Method(Spanned<String>),
    /// A request with this HTTP method and this target: a path, and a query.
    Request(String, JsonNode),
}

/// What a response must contain.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expectation {
    /// The HTTP status.
    pub status: Option<Spanned<u64>>,
    /// The name of the error.
    pub error: Option<Spanned<String>>,
    /// The parameters that the error reports, by their names in requests.
    pub parameters: Option<Spanned<Vec<String>>>,
    /// The outputs, or some of them.
    pub out: Option<JsonNode>,
    /// The values of header fields.
    pub headers: Vec<JsonMember>,
    /// The whole body as text, or members of a JSON body.
    pub body: Option<JsonNode>,
}

impl Call {
    /// Returns what is called, as it is written.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Method(id) => id.value.clone(),
            Self::Request(method, target) => format!("{method} {}", target.string().unwrap_or_default().value),
        }
    }
}

/// Reads a test file. Its errors are added to `diagnostics`, and its erroneous parts are omitted.
pub fn read(path: &Path, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Vec<Test> {
    let node = read_document(path, sources, diagnostics);
    node.map(|node| tests(&node, diagnostics)).unwrap_or_default()
}

/// Reads a test file in memory, as [`read`] does.
pub fn parse(path: PathBuf, bytes: Vec<u8>, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Vec<Test> {
    let node = parse_document(path, bytes, sources, diagnostics);
    node.map(|node| tests(&node, diagnostics)).unwrap_or_default()
}

fn tests(node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Vec<Test> {
    let JsonData::Object(members) = &node.data else {
        let error = test_error(node, "a test file must be an object".to_owned());
        diagnostics
            .push(error.help("write the name of each test, and its steps: `{\"a note is added\": [{\"call\": …}]}`"));
        return Vec::new();
    };
    let is_test = |member: &&JsonMember| {
        !member.is_comment() || matches!(member.value.data, JsonData::Object(_) | JsonData::Array(_))
    };
    let read = members.list.iter().filter(is_test).map(|member| {
        let steps = match &member.value.data {
            JsonData::Array(steps) => steps.as_slice(),
            _ => std::slice::from_ref(&member.value),
        };
        Test { name: member.key.clone(), steps: steps.iter().filter_map(|step| read_step(step, diagnostics)).collect() }
    });
    read.collect()
}

fn read_step(node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Option<Step> {
    let mut object = CheckedObject::new(node, &STEP, diagnostics)?;
    let expect = object.object("expect", &EXPECT, diagnostics);
    let Some(call) = object.get("call") else {
        if !object.is_incomplete {
            diagnostics.push(test_error(node, "this step has no `call`".to_owned()).help(CALL_HELP));
        }
        return None;
    };
    let expect = expect.map(|expect| Expectation {
        status: expect.integer("status"),
        error: expect.string("error"),
        parameters: expect
            .strings("parameters")
            .map(|names| names.map(|it| it.into_iter().map(|it| it.value).collect())),
        out: expect.get("out").cloned(),
        headers: members(expect.get("headers")),
        body: expect.get("body").cloned(),
    });
    Some(Step {
        call: read_call(call),
        with: members(object.get("with")),
        caller: ["as", "scope", "claims"].map(|key| object.get(key).cloned()),
        headers: members(object.get("headers")),
        body: object.get("body").cloned(),
        expect: expect.unwrap_or_default(),
        save: members(object.get("save")),
    })
}

/// Reads what is called: `order.list`, `GET /orders` or `/orders`.
fn read_call(node: &JsonNode) -> Call {
    let id = node.string().unwrap_or_else(|| Spanned::new(String::new(), node.span));
    let (method, start) = match id.value.split_once(' ') {
        Some((method, _)) => (method, method.len() + 1),
        None if id.value.starts_with('/') => ("GET", 0),
        None => return Call::Method(id),
    };
    let target = JsonNode {
        data: JsonData::String(id.value[start..].to_owned()),
        span: node.part(start, id.value.len()),
        ..node.clone()
    };
    Call::Request(method.to_ascii_uppercase(), target)
}

fn members(node: Option<&JsonNode>) -> Vec<JsonMember> {
    match node.map(|node| &node.data) {
        Some(JsonData::Object(JsonMembers { list, .. })) => list.clone(),
        _ => Vec::new(),
    }
}

fn test_error(node: &JsonNode, message: String) -> Diagnostic {
    Diagnostic::new(DiagnosticCode::BadTest, node.span, message)
}

const CALL_HELP: &str =
    "write the id of a method, which `rulebook routes` lists, or an HTTP method and a path: `GET /orders?limit=5`";

/// The keys of a step: a request, and what its response must contain.
pub(crate) static STEP: KeyTable = key_table(
    "a step of a test",
    &[
        required_key(
            "call",
            JsonKind::String,
            "What is called: the id of a method, or an HTTP method and a path, such as `GET /orders?limit=5`.",
        ),
        key(
            "with",
            JsonKind::AnyObject,
            "The arguments of the method, by the names of its parameters in code. That of a file is the path of a \
             file, relative to the test file.",
        ),
        key("as", JsonKind::String, "The name of the caller."),
        key("scope", JsonKind::StringOrStrings, "The permissions of the caller."),
        key("claims", JsonKind::AnyObject, "The claims of the caller, as those of a token."),
        key("headers", JsonKind::AnyObject, "Header fields of the request that are not parameters."),
        key(
            "body",
            JsonKind::Any,
            "The body of a request with a path: a JSON value, or a string, which is sent as it is.",
        ),
        key(
            "expect",
            JsonKind::Object(&EXPECT),
            "What the response must contain. Without `status` and `error`, it must be a success.",
        ),
        key(
            "save",
            JsonKind::AnyObject,
            "Names for values of the response: the name of an output, a path such as `notes.0.id`, or \
             `{\"header\": \"etag\"}`. Later steps of the test refer to a value with its name in braces.",
        ),
    ],
);

static EXPECT: KeyTable = key_table(
    "what a response must contain",
    &[
        key("status", JsonKind::Integer, "The HTTP status."),
        key("error", JsonKind::String, "The name of the error: `forbidden`, or an error that the method declares."),
        key("parameters", JsonKind::Strings, "The parameters that the error reports, by their names in requests."),
        key("out", JsonKind::Any, "Outputs. An object can have further members; an array has as many items."),
        key(
            "headers",
            JsonKind::AnyObject,
            "Header fields with their values; `true` for any value, and `false` for a field that is missing.",
        ),
        key("body", JsonKind::Any, "The whole body if it is a string; otherwise, members of the JSON body."),
    ],
);

/// Returns the errors in tests that can be found without calling the API.
#[must_use]
pub fn check(tests: &[Test], api: &Api) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for test in tests {
        let mut saved: Vec<String> = Vec::new();
        for step in &test.steps {
            check_call(step, api, &mut errors);
            for node in texts_before_response(step) {
                check_names(node, &saved, &mut errors);
            }
            saved.extend(step.save.iter().map(|member| member.key.value.clone()));
            errors.extend(step.save.iter().filter_map(wrong_place));
        }
    }
    errors
}

fn check_call(step: &Step, api: &Api, errors: &mut Vec<Diagnostic>) {
    match &step.call {
        Call::Request(_, target) => {
            if let Some(argument) = step.with.first() {
                let message = "`with` is for the methods of the API, which have parameters";
                let help = "write the arguments in the path, its query, `headers` or `body`, or the id of the method in \
                            `call`";
                errors.push(Diagnostic::new(DiagnosticCode::BadTest, argument.key.span, message).help(help));
            }
            if !target.string().is_some_and(|target| target.value.starts_with('/')) {
                errors.push(test_error(target, "a path must begin with `/`".to_owned()).help(CALL_HELP));
            }
        }
        Call::Method(id) => {
            let methods = || api.methods().map(|(.., method)| method);
            let Some(method) = methods().find(|method| method.id == id.value) else {
                let message = format!("the API has no method with the id `{}`", id.value);
                let error = Diagnostic::new(DiagnosticCode::BadTest, id.span, message).help(CALL_HELP);
                errors.push(error.suggest(&id.value, methods().map(|method| method.id.as_str())));
                return;
            };
            errors.extend(step.with.iter().filter_map(|argument| unknown_parameter(argument, method)));
            errors.extend(unknown_error(step, method, api));
            errors.extend(unknown_outputs(step, method));
            if let Some(body) = &step.body {
                let error = test_error(body, "`body` is for requests with a path".to_owned());
                errors.push(error.help("write the arguments of the method in `with`"));
            }
        }
    }
}

fn unknown_parameter(argument: &JsonMember, method: &Method) -> Option<Diagnostic> {
    let known = || method.parameters.iter().map(|parameter| parameter.name.as_str());
    let name = argument.key.value.as_str();
    if known().any(|known| known == name) {
        return None;
    }
    let message = format!("the method `{}` has no parameter `{name}`", method.id);
    let list: Vec<_> = known().map(|name| format!("`{name}`")).collect();
    let help = if list.is_empty() { "it has no parameters".to_owned() } else { format!("it has {}", list.join(", ")) };
    let error = Diagnostic::new(DiagnosticCode::BadTest, argument.key.span, message).help(help);
    Some(error.suggest(name, known()))
}

fn unknown_error(step: &Step, method: &Method, api: &Api) -> Option<Diagnostic> {
    let expected = step.expect.error.as_ref()?;
    let declared = || method.errors_of_call(&api.auth_errors).map(|error| error.name.as_str());
    let known = || declared().chain(ERROR_CODES.iter().map(|row| row.name));
    let message = format!("the method `{}` declares no error `{}`", method.id, expected.value);
    let error = Diagnostic::new(DiagnosticCode::BadTest, expected.span, message);
    let help =
        format!("add it to the errors of the method, or write one of {}", known().collect::<Vec<_>>().join(", "));
    known().all(|name| name != expected.value).then(|| error.help(help).suggest(&expected.value, known()))
}

fn unknown_outputs(step: &Step, method: &Method) -> Vec<Diagnostic> {
    let names = || method.outputs.iter().map(|output| output.name.as_str());
    let unknown = |member: &&JsonMember| !member.is_comment() && names().all(|name| name != member.key.value);
    let expected = match step.expect.out.as_ref().map(|node| &node.data) {
        Some(JsonData::Object(members)) if method.whole().is_none() => members.list.as_slice(),
        _ => &[],
    };
    let error = |name: &str, span| {
        let message = format!("the method `{}` has no output `{name}`", method.id);
        let error = Diagnostic::new(DiagnosticCode::BadTest, span, message);
        error.help(format!("it has {}", names().collect::<Vec<_>>().join(", "))).suggest(name, names())
    };
    let unknown_outputs = expected.iter().filter(unknown).map(|member| error(&member.key.value, member.key.span));
    let saved = step.save.iter().filter_map(|member| {
        let place = member.value.string().filter(|place| method.whole().is_none() && place.value != "*")?;
        let first = place.value.split('.').next().unwrap_or_default();
        names().all(|name| name != first).then(|| error(first, place.span))
    });
    unknown_outputs.chain(saved).collect()
}

/// Returns all values of a step that can contain the names of saved values.
fn texts_before_response(step: &Step) -> impl Iterator<Item = &JsonNode> {
    let target = if let Call::Request(_, target) = &step.call { Some(target) } else { None };
    let expect = &step.expect;
    let members = step.with.iter().chain(&step.headers).chain(&expect.headers).map(|member| &member.value);
    let single = target.into_iter().chain(step.caller.iter().flatten()).chain(&step.body);
    single.chain(&expect.out).chain(&expect.body).chain(members)
}

fn check_names(node: &JsonNode, saved: &[String], errors: &mut Vec<Diagnostic>) {
    match &node.data {
        JsonData::String(text) => {
            let unknown = names(text).filter(|found| !saved.iter().any(|known| known == found.name));
            errors.extend(unknown.map(|found| unknown_name(node, found.name, &found.range, saved)));
        }
        JsonData::Array(items) => items.iter().for_each(|item| check_names(item, saved, errors)),
        JsonData::Object(members) => {
            members.list.iter().for_each(|member| check_names(&member.value, saved, errors));
        }
        _ => {}
    }
}

fn wrong_place(member: &JsonMember) -> Option<Diagnostic> {
    let node = &member.value;
    let is_place = node.string().is_some() || node.member("header").is_some_and(|field| field.string().is_some());
    let message = format!("`{}` must be saved from an output or a header field", member.key.value);
    let help = "write the name of an output, a path such as `notes.0.id`, `*` for all, or `{\"header\": \"etag\"}`";
    (!is_place).then(|| test_error(node, message).help(help))
}

// Values of earlier responses, which texts of a test file refer to by a name in braces.

/// A name in braces in a text.
struct Reference<'t> {
    /// The name, without its braces.
    pub name: &'t str,
    /// The bytes of the text that the name and its braces occupy.
    pub range: Range<usize>,
    /// `true` if the braces are doubled, so that they are part of the text.
    is_escaped: bool,
}

/// Returns the names in braces in a text: `{note}`. Other braces are ordinary characters.
fn references(text: &str) -> Vec<Reference<'_>> {
    let mut found: Vec<Reference<'_>> = Vec::new();
    for (start, _) in text.match_indices('{') {
        let inner = &text[start + 1..];
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let begins_with_letter = inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !begins_with_letter || !inner[end..].starts_with('}') {
            continue;
        }
        let is_escaped = text[..start].ends_with('{') && inner[end..].starts_with("}}");
        let more = usize::from(is_escaped);
        found.push(Reference { name: &inner[..end], range: start - more..start + end + 2 + more, is_escaped });
    }
    found
}

/// Returns the names in a text that are not escaped.
fn names(text: &str) -> impl Iterator<Item = Reference<'_>> {
    references(text).into_iter().filter(|reference| !reference.is_escaped)
}

/// Returns a value of a test file with the values that earlier steps have saved. A text that consists of a name in
/// braces becomes the value itself, and not its text. With `{{name}}`, the text contains the braces. `write` writes a
/// value in a text.
///
/// # Errors
/// Fails if no step has saved a value with a name.
pub fn fill(node: &JsonNode, saved: &Map<String, Json>, write: fn(&str) -> String) -> Result<Json, Diagnostic> {
    match &node.data {
        JsonData::String(text) => fill_text(node, text, saved, write),
        JsonData::Array(items) => items.iter().map(|item| fill(item, saved, write)).collect(),
        JsonData::Object(members) => {
            let filled =
                members.list.iter().map(|member| Ok((member.key.value.clone(), fill(&member.value, saved, write)?)));
            filled.collect::<Result<Map<_, _>, _>>().map(Json::Object)
        }
        _ => Ok(node.json()),
    }
}

fn fill_text(
    node: &JsonNode,
    text: &str,
    saved: &Map<String, Json>,
    write: fn(&str) -> String,
) -> Result<Json, Diagnostic> {
    let (mut filled, mut end) = (String::with_capacity(text.len()), 0);
    for Reference { name, range, is_escaped } in references(text) {
        filled += &text[end..range.start];
        end = range.end;
        if is_escaped {
            filled += &text[range.start + 1..range.end - 1];
            continue;
        }
        let value = saved.get(name).ok_or_else(|| unknown_name(node, name, &range, saved.keys()))?;
        match value {
            value if range.len() == text.len() => return Ok(value.clone()),
            Json::String(value) => filled += &write(value),
            value => filled += &write(&value.to_string()),
        }
    }
    Ok(Json::String(filled + &text[end..]))
}

fn unknown_name<'a>(
    node: &JsonNode,
    name: &str,
    range: &Range<usize>,
    known: impl IntoIterator<Item = &'a String>,
) -> Diagnostic {
    let mut error = test_error(node, format!("no earlier step of this test saves `{name}`"));
    error.span = node.part(range.start, range.end);
    let help = format!("save it with `\"save\": {{\"{name}\": …}}`, or write `{{{{{name}}}}}` for a text with braces");
    error.help(help).suggest(name, known.into_iter().map(String::as_str))
}
