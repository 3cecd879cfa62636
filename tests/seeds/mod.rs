//! The examples in the ancestors' documents, tried on a server.
//!
//! Each file in `data/seeds` contains the examples of one document, section by section. An example says what the
//! document shows, and how a test proves it. If rulebook behaves differently, `differs` has the reason, which
//! `docs/migration.md` lists.

mod article;
mod greeting;
mod internal_api;
mod parameters;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use rulebook::{ApiError, Engine, Module, Rulebook, Unbound};
use rulebook_model::describe::canonical_definition;
use rulebook_model::model::Api;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::client::case::{self, Case};
use crate::client::{Bearer, Request, Response, TestServer};
use crate::handlers::block_on;
use crate::readme::matches;
use crate::rules::custom_type::Email;

/// A section of a document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    /// The title of the section in the document.
    section: String,
    /// The definition for the examples, in one document.
    api: Option<Json>,
    /// Alternatively, the definition in a folder of `definitions/good`.
    folder: Option<String>,
    /// Alternatively, a definition in the dialect `rules`.
    rules: Option<Json>,
    /// The `app.json`, if `folder` has none, or for `rules`.
    settings: Option<Json>,
    /// The name of the module with the handlers. If it is missing, every method returns its arguments.
    handlers: Option<String>,
    examples: Vec<Example>,
}

/// An example, and how a test proves it.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Example {
    /// The text of the document.
    shows: String,
    /// The reason, if rulebook differs from the document.
    differs: Option<String>,
    /// A request and its response.
    case: Option<Case>,
    /// A request line and the status line of the response, next to a `case` or alone.
    line: Option<(String, String)>,
    /// A GET request and the exact text of its response.
    letters: Option<ExactResponse>,
    /// A call from code.
    call: Option<Call>,
    /// A definition to check.
    definition: Option<Definition>,
    /// A test elsewhere: its file in `tests/`, and its name.
    test: Option<(String, String)>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct ExactResponse {
    target: String,
    /// Header fields of the request.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Header fields of the response; null if the field must be missing.
    fields: BTreeMap<String, Json>,
    /// The body; `[..]` matches any text within a line.
    body: String,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Call {
    target: String,
    #[serde(default)]
    args: Map<String, Json>,
    #[serde(default)]
    scope: Vec<String>,
    /// All outputs; `None` if the call fails.
    all: Option<Json>,
    /// The name and the value of one output.
    get: Option<(String, Json)>,
    /// The error code.
    error: Option<String>,
    /// The HTTP status and the whole body.
    serialize: Option<(u16, Json)>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Definition {
    /// The definition as a text, if it is not valid JSON.
    text: Option<String>,
    json: Option<Json>,
    /// The codes of the errors in it.
    #[serde(default)]
    codes: Vec<String>,
}

#[test]
fn examples_of_aicra_work() {
    check("aicra", 60);
}

#[test]
fn examples_of_api_3_work() {
    check("api3", 80);
}

#[test]
fn examples_of_phalapis_responses_work() {
    check("phalapi_responses", 30);
}

#[test]
fn examples_of_phalapis_parameters_work() {
    check("phalapi_parameters", 125);
}

/// Returns the differences from a document: the section, what the document shows, and the reason.
pub fn differences(document: &str) -> Vec<(String, String, String)> {
    let sections = sections(document).into_iter();
    let differences = |Section { section, examples, .. }| {
        examples
            .into_iter()
            .filter_map(move |example: Example| Some((section.clone(), example.shows, example.differs?)))
    };
    sections.flat_map(differences).collect()
}

fn sections(document: &str) -> Vec<Section> {
    case::read(&fs::read_to_string(root().join(format!("data/seeds/{document}.json"))).unwrap())
}

/// Tries every example of a document and reports all that fail.
fn check(document: &str, min_count: usize) {
    let mut mismatches = String::new();
    let mut count = 0;
    for section in sections(document) {
        let running = OnceCell::new();
        let server = || running.get_or_init(|| section.serve());
        for example in &section.examples {
            let proofs = [
                example.case.as_ref().map(|case| check_case(&server().1, case, example.line.as_ref())),
                example.line.as_ref().filter(|_| example.case.is_none()).map(|line| check_line(&server().1, line)),
                example.letters.as_ref().map(|response| response.check(&server().1)),
                example.call.as_ref().map(|call| call.check(&server().0)),
                example.definition.as_ref().map(Definition::check),
                example.test.as_ref().map(|(file, name)| check_exists(file, name)),
            ];
            let mut proofs = proofs.into_iter().flatten().peekable();
            if example.differs.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
                let _ = writeln!(
                    mismatches,
                    "{}: {}: the reason of the difference is empty",
                    section.section, example.shows
                );
            }
            if proofs.peek().is_none() {
                let _ = writeln!(mismatches, "{}: {}: no test proves it", section.section, example.shows);
            }
            for error in proofs.flatten() {
                let _ = writeln!(mismatches, "{}: {}: {error}", section.section, example.shows);
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

impl Section {
    /// Returns the files of a folder, with the settings and the rules of this section.
    fn files(&self, folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        files.extend(self.generated());
        files
    }

    /// Returns the settings and the rules of this section as files.
    fn generated(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = [("app.json", &self.settings), ("rules.json", &self.rules)];
        let generated =
            |(name, json): (&str, &Option<Json>)| Some((name.into(), json.as_ref()?.to_string().into_bytes()));
        files.into_iter().filter_map(generated).collect()
    }

    fn read(&self) -> Rulebook {
        match (&self.api, &self.folder) {
            (None, None) => Rulebook::read(self.generated()),
            (Some(api), None) => Rulebook::read(vec![(PathBuf::from("app.json"), api.to_string().into_bytes())]),
            (None, Some(folder)) => Rulebook::read(self.files(&model_tests().join("definitions/good").join(folder))),
            _ => panic!("{} has no definition, or several", self.section),
        }
    }

    fn serve(&self) -> (Engine, TestServer) {
        let bound = match self.handlers.as_deref() {
            None => self.read().unbound(Unbound::Echo),
            Some("article") => self.read().module(article::module()),
            Some("greeting") => modules(self.read(), greeting::modules()),
            Some("parameters") => parameters::bind(|| self.read()),
            Some(other) => panic!("there are no handlers called {other}"),
        };
        match bound.authenticator(Bearer).build() {
            Ok(engine) => {
                // The definition that `check --print` prints is equivalent.
                let printed = format!("{:#}", canonical_definition(engine.api()));
                let again = Rulebook::read(vec![("api.json".into(), printed.clone().into_bytes())]);
                let again = again.add_type(Email).check();
                let expected = engine.api().clone().without_spans();
                assert_eq!(again.ok().map(Api::without_spans), Some(expected), "{}: {printed}", self.section);
                let server = TestServer::start(&engine);
                (engine, server)
            }
            Err(report) => panic!("{}: {report}", self.section),
        }
    }
}

fn modules(rulebook: Rulebook, modules: impl IntoIterator<Item = Module>) -> Rulebook {
    modules.into_iter().fold(rulebook, Rulebook::module)
}

/// Sends the request of a case; returns the differences from the expected response.
fn check_case(server: &TestServer, case: &Case, line: Option<&(String, String)>) -> Option<String> {
    let mut request = case.request();
    if let Some((line, _)) = line {
        request.line = line.clone().into_bytes();
    }
    let response = server.send(&request);
    let mut differences = case.differences(&response);
    differences.extend(check_implicit(case, &response));
    if let Some((_, status)) = line
        && response.head.lines().next() != Some(status)
    {
        differences.push(format!("expected {status:?}"));
    }
    (!differences.is_empty()).then(|| format!("{}\n{response:?}", differences.join("\n")))
}

/// Checks what every case expects implicitly: the media type of the response, and that a JSON body is echoed unchanged.
fn check_implicit(case: &Case, response: &Response) -> Vec<String> {
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

/// Sends a request that consists of a request line; returns the difference from the expected status line.
fn check_line(server: &TestServer, (line, status): &(String, String)) -> Option<String> {
    let mut request = Request::new("GET", "/");
    request.line = line.clone().into_bytes();
    let response = server.send(&request);
    (response.head.lines().next() != Some(status)).then(|| format!("expected {status:?}\n{response:?}"))
}

impl ExactResponse {
    fn check(&self, server: &TestServer) -> Option<String> {
        let request = Request::new("GET", &self.target);
        let request = self.headers.iter().fold(request, |request, (name, value)| request.field(name, value));
        let response = server.send(&request);
        let agrees = response.status == 200
            && self.fields.iter().all(|(name, value)| Json::from(response.field(name)) == *value)
            && matches(&self.body, &String::from_utf8_lossy(&response.body));
        (!agrees).then(|| format!("expected {:?} {:?}\n{response:?}", self.fields, self.body))
    }
}

impl Call {
    fn check(&self, engine: &Engine) -> Option<String> {
        let call = engine.call(&self.target).args(self.args.clone());
        let call = if self.scope.is_empty() { call } else { call.scope(self.scope.iter().cloned()) };
        let response = block_on(call.send());
        let all = response.output_map().cloned().map(Json::Object);
        let serialized: Json = serde_json::from_str(&response.serialize()).unwrap();
        let error = response.error().map(ApiError::code).map(|code| code.to_string());
        let agrees = error == self.error
            && self.all.as_ref().is_none_or(|expected| all.as_ref() == Some(expected))
            && self.get.as_ref().is_none_or(|(name, expected)| response.get(name).unwrap_or(&Json::Null) == expected)
            && self
                .serialize
                .as_ref()
                .is_none_or(|(status, expected)| (*status, expected) == (response.status(), &serialized));
        (!agrees).then(|| format!("{self:?}: {response:?}\n{serialized}"))
    }
}

impl Definition {
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
        (codes != self.codes).then(|| format!("expected {:?}, got {codes:?}", self.codes))
    }
}

/// Checks that a file contains a test with this name.
fn check_exists(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(root().join(file)).or_else(|_| fs::read_to_string(model_tests().join(file)));
    let text = text.unwrap_or_default();
    (!text.contains(&format!("#[test]\nfn {name}()"))).then(|| format!("{file} has no test {name}"))
}

/// The tests of the crate `rulebook-model`.
fn model_tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rulebook-model/tests")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}
