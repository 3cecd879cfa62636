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

mod check;
mod keys;
mod saved;

use std::path::{Path, PathBuf};

pub use check::check;
pub(crate) use keys::STEP;
pub use saved::fill;

use crate::definition::{CheckedObject, JsonData, JsonMember, JsonMembers, JsonNode, parse_document, read_document};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Sources};
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
    let expect = object.object("expect", &keys::EXPECT, diagnostics);
    let Some(call) = object.get("call") else {
        if !object.is_incomplete {
            diagnostics.push(test_error(node, "this step has no `call`".to_owned()).help(keys::CALL_HELP));
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
