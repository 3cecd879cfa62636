//! Tests the examples in the documentation of the ancestors (the earlier frameworks aicra, api 3.0 and PhalApi) on a
//! server.
//!
//! Each file in `data/seeds` contains the examples of one document, section by section. An example consists of what the
//! document shows, and of how a test proves it. If rulebook behaves differently, `differs` contains the reason, which
//! `docs/migration.md` lists.

mod article;
mod greeting;
mod internal_api;
mod parameters;
mod user;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use rulebook::{ApiError, Engine, Module, Rulebook, Unbound};
use rulebook_model::describe::canonical_definition;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use support::WithoutSpans;

use crate::client::case::{self, Case};
use crate::client::{Bearer, Request, Response, TestServer};
use crate::handlers::block_on;
use crate::readme::matches;
use crate::rules::custom_type::EmailType;

/// A section of an ancestor's document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentSection {
    /// The title of the section in the document.
    #[serde(rename = "section")]
    title: String,
    /// The definition for the examples, in one JSON document.
    #[serde(rename = "api")]
    definition: Option<Json>,
    /// The name of a folder in `definitions/good` with the definition, instead of `api`.
    folder: Option<String>,
    /// A definition in the dialect `rules`, instead of `api`.
    rules: Option<Json>,
    /// The content of `app.json`, for a folder without this file or for `rules`.
    settings: Option<Json>,
    /// The name of the Rust module that contains the handlers. Without a name, every method returns its arguments.
    handlers: Option<String>,
    examples: Vec<DocumentExample>,
}

/// An example in a document, and how a test proves it.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct DocumentExample {
    /// The text in the document.
    #[serde(rename = "shows")]
    shown_text: String,
    /// The reason why rulebook differs from the document, if it does.
    #[serde(rename = "differs")]
    difference_reason: Option<String>,
    /// A request and its expected response.
    #[serde(rename = "case")]
    http_case: Option<Case>,
    /// A request line, and the status line of its response. With a `case`, they belong to the request and the response
    /// of the case.
    #[serde(rename = "line")]
    request_and_status_line: Option<(String, String)>,
    /// A GET request, and the exact text of its response.
    #[serde(rename = "letters")]
    exact_response: Option<ExactResponse>,
    /// A call from Rust code.
    #[serde(rename = "call")]
    code_call: Option<CodeCall>,
    /// A definition that is checked.
    #[serde(rename = "definition")]
    checked_definition: Option<CheckedDefinition>,
    /// Another test that proves the example: its file in `tests/`, and its name.
    #[serde(rename = "test")]
    proving_test: Option<(String, String)>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct ExactResponse {
    target: String,
    /// The header fields of the request.
    #[serde(default, rename = "headers")]
    request_fields: BTreeMap<String, String>,
    /// The expected header fields of the response. Null means that the field must be missing.
    #[serde(rename = "fields")]
    response_fields: BTreeMap<String, Json>,
    /// The expected body, in which `[..]` matches any text within a line.
    body: String,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct CodeCall {
    target: String,
    #[serde(default)]
    args: Map<String, Json>,
    #[serde(default)]
    scope: Vec<String>,
    /// All expected outputs; `None` if the call fails.
    #[serde(rename = "all")]
    expected_outputs: Option<Json>,
    /// The name and the expected value of one output.
    #[serde(rename = "get")]
    expected_output: Option<(String, Json)>,
    /// The expected error code.
    #[serde(rename = "error")]
    error_code: Option<String>,
    /// The expected HTTP status and the whole expected body.
    #[serde(rename = "serialize")]
    serialized_response: Option<(u16, Json)>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct CheckedDefinition {
    /// The definition as a text, if it is not valid JSON.
    text: Option<String>,
    json: Option<Json>,
    /// The codes of the expected errors in the definition.
    #[serde(default, rename = "codes")]
    expected_codes: Vec<String>,
}

#[test]
fn examples_in_aicras_documentation_work() {
    check_document("aicra", 60);
}

#[test]
fn examples_in_the_documentation_of_api_3_work() {
    check_document("api3", 80);
}

#[test]
fn examples_in_phalapis_documentation_of_responses_work() {
    check_document("phalapi_responses", 30);
}

#[test]
fn examples_in_phalapis_documentation_of_parameters_work() {
    check_document("phalapi_parameters", 125);
}

/// Returns the differences from a document. Each has the title of the section, what the document shows, and the reason.
pub fn document_differences(document: &str) -> Vec<(String, String, String)> {
    let sections = read_sections(document).into_iter();
    let differences = |DocumentSection { title, examples, .. }| {
        examples.into_iter().filter_map(move |example: DocumentExample| {
            Some((title.clone(), example.shown_text, example.difference_reason?))
        })
    };
    sections.flat_map(differences).collect()
}

fn read_sections(document: &str) -> Vec<DocumentSection> {
    case::read(&fs::read_to_string(tests_folder().join(format!("data/seeds/{document}.json"))).unwrap())
}

/// Checks every example of a document, and reports all examples that fail.
fn check_document(document: &str, min_count: usize) {
    let mut mismatches = String::new();
    let mut count = 0;
    for section in read_sections(document) {
        let running = OnceCell::new();
        let server = || running.get_or_init(|| section.start_server());
        for example in &section.examples {
            let proofs = [
                example
                    .http_case
                    .as_ref()
                    .map(|case| check_case(&server().1, case, example.request_and_status_line.as_ref())),
                example
                    .request_and_status_line
                    .as_ref()
                    .filter(|_| example.http_case.is_none())
                    .map(|line| check_line(&server().1, line)),
                example.exact_response.as_ref().map(|response| response.check(&server().1)),
                example.code_call.as_ref().map(|call| call.check(&server().0)),
                example.checked_definition.as_ref().map(CheckedDefinition::check),
                example.proving_test.as_ref().map(|(file, name)| check_test_exists(file, name)),
            ];
            let mut proofs = proofs.into_iter().flatten().peekable();
            if example.difference_reason.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
                let _ = writeln!(
                    mismatches,
                    "{}: {}: the reason of the difference is empty",
                    section.title, example.shown_text
                );
            }
            if proofs.peek().is_none() {
                let _ = writeln!(mismatches, "{}: {}: no test proves it", section.title, example.shown_text);
            }
            for error in proofs.flatten() {
                let _ = writeln!(mismatches, "{}: {}: {error}", section.title, example.shown_text);
            }
            count += 1;
        }
        if let Some((_, server)) = running.get() {
            server.assert_no_temporary_files();
        }
    }
    assert!(mismatches.is_empty(), "{mismatches}");
    assert!(count >= min_count, "{count} examples only");
}

impl DocumentSection {
    /// Returns the definition files of a folder, and the files with the settings and the rules of this section.
    fn folder_files(&self, folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        files.extend(self.own_files());
        files
    }

    /// Returns files with the settings and the rules of this section.
    fn own_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = [("app.json", &self.settings), ("rules.json", &self.rules)];
        let generated =
            |(name, json): (&str, &Option<Json>)| Some((name.into(), json.as_ref()?.to_string().into_bytes()));
        files.into_iter().filter_map(generated).collect()
    }

    fn read_definition(&self) -> Rulebook {
        match (&self.definition, &self.folder) {
            (None, None) => Rulebook::read(self.own_files()),
            (Some(api), None) => Rulebook::read(vec![(PathBuf::from("app.json"), api.to_string().into_bytes())]),
            (None, Some(folder)) => {
                Rulebook::read(self.folder_files(&model_tests_folder().join("definitions/good").join(folder)))
            }
            _ => panic!("{} has no definition, or several", self.title),
        }
    }

    fn start_server(&self) -> (Engine, TestServer) {
        let bound = match self.handlers.as_deref() {
            None => self.read_definition().unbound(Unbound::Echo),
            Some("article") => self.read_definition().module(article::article_module()),
            Some("user") => self.read_definition().module(user::user_module()),
            Some("greeting") => with_modules(self.read_definition(), greeting::greeting_modules()),
            Some("parameters") => parameters::bind_echo_handlers(|| self.read_definition()),
            Some(other) => panic!("there are no handlers called {other}"),
        };
        match bound.authenticator(Bearer).build() {
            Ok(engine) => {
                // The definition that `rulebook check --print` prints is equivalent to the definition of the section.
                let printed = format!("{:#}", canonical_definition(engine.api()));
                let again = Rulebook::read(vec![("api.json".into(), printed.clone().into_bytes())]);
                let again = again.add_type(EmailType).check();
                let expected = engine.api().clone().without_spans();
                assert_eq!(again.ok().map(WithoutSpans::without_spans), Some(expected), "{}: {printed}", self.title);
                let server = TestServer::start(&engine);
                (engine, server)
            }
            Err(report) => panic!("{}: {report}", self.title),
        }
    }
}

fn with_modules(rulebook: Rulebook, modules: impl IntoIterator<Item = Module>) -> Rulebook {
    modules.into_iter().fold(rulebook, Rulebook::module)
}

/// Sends the request of a case, and returns the differences from the expected response; `None` if they are equal.
fn check_case(server: &TestServer, case: &Case, line: Option<&(String, String)>) -> Option<String> {
    let mut request = case.request();
    if let Some((line, _)) = line {
        request.line = line.clone().into_bytes();
    }
    let response = server.send(&request);
    let mut differences = case.differences(&response);
    differences.extend(check_media_type_and_echo(case, &response));
    if let Some((_, status)) = line
        && response.head.lines().next() != Some(status)
    {
        differences.push(format!("expected {status:?}"));
    }
    (!differences.is_empty()).then(|| format!("{}\n{response:?}", differences.join("\n")))
}

/// Checks what is expected of every response: the usual media type, and that the members of a JSON body are echoed
/// unchanged.
fn check_media_type_and_echo(case: &Case, response: &Response) -> Vec<String> {
    let mut mismatches = Vec::new();
    let media_type = match case.envelope.as_deref() {
        Some("phalapi") => "application/json;charset=utf-8",
        _ => "application/json",
    };
    if !response.body.is_empty()
        && !case.fields.contains_key("content-type")
        && response.field("content-type") != Some(media_type)
    {
        mismatches.push(format!("its media type is not {media_type}"));
    }
    let sent = case.json.as_ref().and_then(Json::as_object).filter(|_| response.status == 200);
    if let (Some(sent), None, None) = (sent, &case.args, &case.body) {
        let args = &response.json()["args"];
        let other = sent.iter().filter(|(name, value)| args[*name] != **value);
        mismatches.extend(other.map(|(name, value)| format!("{name}: sent {value}, echoed {}", args[name])));
    }
    mismatches
}

/// Sends a request that consists of a request line, and returns the difference from the expected status line; `None` if
/// both are equal.
fn check_line(server: &TestServer, (line, status): &(String, String)) -> Option<String> {
    let mut request = Request::new("GET", "/");
    request.line = line.clone().into_bytes();
    let response = server.send(&request);
    (response.head.lines().next() != Some(status)).then(|| format!("expected {status:?}\n{response:?}"))
}

impl ExactResponse {
    fn check(&self, server: &TestServer) -> Option<String> {
        let request = Request::new("GET", &self.target);
        let request = self.request_fields.iter().fold(request, |request, (name, value)| request.field(name, value));
        let response = server.send(&request);
        let agrees = response.status == 200
            && self.response_fields.iter().all(|(name, value)| Json::from(response.field(name)) == *value)
            && matches(&self.body, &String::from_utf8_lossy(&response.body));
        (!agrees).then(|| format!("expected {:?} {:?}\n{response:?}", self.response_fields, self.body))
    }
}

impl CodeCall {
    fn check(&self, engine: &Engine) -> Option<String> {
        let call = engine.call(&self.target).args(self.args.clone());
        let call = if self.scope.is_empty() { call } else { call.scope(self.scope.iter().cloned()) };
        let response = block_on(call.send());
        let all = response.output_map().cloned().map(Json::Object);
        let serialized: Json = serde_json::from_str(&response.serialize()).unwrap();
        let error = response.error().map(ApiError::code).map(|code| code.to_string());
        let agrees = error == self.error_code
            && self.expected_outputs.as_ref().is_none_or(|expected| all.as_ref() == Some(expected))
            && self
                .expected_output
                .as_ref()
                .is_none_or(|(name, expected)| response.get(name).unwrap_or(&Json::Null) == expected)
            && self
                .serialized_response
                .as_ref()
                .is_none_or(|(status, expected)| (*status, expected) == (response.status(), &serialized));
        (!agrees).then(|| format!("{self:?}: {response:?}\n{serialized}"))
    }
}

impl CheckedDefinition {
    fn check(&self) -> Option<String> {
        let text = match (&self.text, &self.json) {
            (Some(text), None) => text.clone(),
            (None, Some(json)) => format!("{json:#}"),
            _ => panic!("{self:?}: a text or JSON"),
        };
        let files = vec![(PathBuf::from("api/site.json"), text.into_bytes())];
        let report = Rulebook::read(files).check().err();
        let diagnostics = report.iter().flat_map(|report| &report.diagnostics);
        let codes: Vec<_> = diagnostics.map(|diagnostic| diagnostic.code.to_string()).collect();
        (codes != self.expected_codes).then(|| format!("expected {:?}, got {codes:?}", self.expected_codes))
    }
}

/// Checks that a file contains a test with this name.
fn check_test_exists(file: &str, name: &str) -> Option<String> {
    let text =
        fs::read_to_string(tests_folder().join(file)).or_else(|_| fs::read_to_string(model_tests_folder().join(file)));
    let text = text.unwrap_or_default();
    (!text.contains(&format!("#[test]\nfn {name}()"))).then(|| format!("{file} has no test {name}"))
}

/// Returns the folder with the tests of the crate `rulebook-model`.
fn model_tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rulebook-model/tests")
}

fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}
