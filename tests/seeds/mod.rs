//! The documents of the ancestors, line by line: every example in them, asked of a server.
//!
//! `data/seeds/*.json` hold a list for each document, section by section. What an example shows is told in its own
//! words, then what becomes of it here. Where that is something else, `differs` has the reason, and the page about
//! moving lists it.

mod article;
mod greeting;
mod internal_api;
mod parameters;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use rulebook::describe::canonical;
use rulebook::{Engine, Module, Refusal, Rulebook, Unbound};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::client::case::{self, Case};
use crate::client::{Answer, Bearer, Request, Site};
use crate::handlers::wait;
use crate::readme::matches;
use crate::rules::own_type::Email;

/// A section of a document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    /// What it is called there.
    section: String,
    /// One document with what the examples need.
    api: Option<Json>,
    /// Or a folder in `definitions/good`.
    folder: Option<String>,
    /// Or a file of rules.
    rules: Option<Json>,
    /// Its `app.json`, where it has none.
    settings: Option<Json>,
    /// Whose handlers answer; every method echoes its arguments where none is named.
    handlers: Option<String>,
    examples: Vec<Example>,
}

/// An example, and what proves that it holds.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Example {
    /// The document's words.
    shows: String,
    /// Why what becomes of it here is not what it shows.
    differs: Option<String>,
    /// A request, and its answer.
    case: Option<Case>,
    /// A request line and that of the answer: where a case cannot say them, or as all that there is.
    line: Option<(String, String)>,
    /// A request of GET, and its answer letter for letter.
    letters: Option<Letters>,
    /// A call from code.
    call: Option<Call>,
    /// A definition.
    definition: Option<Definition>,
    /// Another test: its file in `tests/`, and its name.
    test: Option<(String, String)>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Letters {
    target: String,
    /// Header fields of the request.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Of the answer; null: not there.
    fields: BTreeMap<String, Json>,
    /// `[..]` stands for anything.
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
    /// All outputs; none where it is refused.
    all: Option<Json>,
    /// What one output is.
    get: Option<(String, Json)>,
    /// The refusal's code.
    error: Option<String>,
    /// The whole body, and the HTTP status.
    serialize: Option<(u16, Json)>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Definition {
    /// As a text, where it is no JSON.
    text: Option<String>,
    json: Option<Json>,
    /// The codes of its faults.
    #[serde(default)]
    faults: Vec<String>,
}

#[test]
fn examples_of_aicra_hold() {
    hold("aicra", 60);
}

#[test]
fn examples_of_api_3_hold() {
    hold("api3", 80);
}

#[test]
fn examples_of_phalapis_responses_hold() {
    hold("phalapi_responses", 30);
}

#[test]
fn examples_of_phalapis_parameters_hold() {
    hold("phalapi_parameters", 125);
}

/// What is decided otherwise than a document shows: section, what it shows, and why.
pub fn differences(document: &str) -> Vec<(String, String, String)> {
    let sections = sections(document).into_iter();
    let of = |Section { section, examples, .. }| {
        examples
            .into_iter()
            .filter_map(move |example: Example| Some((section.clone(), example.shows, example.differs?)))
    };
    sections.flat_map(of).collect()
}

fn sections(document: &str) -> Vec<Section> {
    case::read(&fs::read_to_string(root().join(format!("data/seeds/{document}.json"))).unwrap())
}

/// Tries every example of a document, and tells all that do not hold.
fn hold(document: &str, least: usize) {
    let mut wrong = String::new();
    let mut count = 0;
    for section in sections(document) {
        let running = OnceCell::new();
        let site = || running.get_or_init(|| section.serve());
        for example in &section.examples {
            let proofs = [
                example.case.as_ref().map(|case| ask(&site().1, case, example.line.as_ref())),
                example.line.as_ref().filter(|_| example.case.is_none()).map(|line| begin(&site().1, line)),
                example.letters.as_ref().map(|letters| letters.ask(&site().1)),
                example.call.as_ref().map(|call| call.run(&site().0)),
                example.definition.as_ref().map(Definition::judge),
                example.test.as_ref().map(|(file, name)| find(file, name)),
            ];
            let mut proofs = proofs.into_iter().flatten().peekable();
            if example.differs.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
                let _ = writeln!(wrong, "{}: {}: no reason why it differs", section.section, example.shows);
            }
            if proofs.peek().is_none() {
                let _ = writeln!(wrong, "{}: {}: nothing proves it", section.section, example.shows);
            }
            for flaw in proofs.flatten() {
                let _ = writeln!(wrong, "{}: {}: {flaw}", section.section, example.shows);
            }
            count += 1;
        }
        if let Some((_, site)) = running.get() {
            site.assert_no_temporary();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= least, "{count} examples only");
}

impl Section {
    /// The files of a folder, and the settings.
    fn files(&self, folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        files.extend(self.written());
        files
    }

    /// The settings and the rules.
    fn written(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = [("app.json", &self.settings), ("rules.json", &self.rules)];
        let written =
            |(name, json): (&str, &Option<Json>)| Some((name.into(), json.as_ref()?.to_string().into_bytes()));
        files.into_iter().filter_map(written).collect()
    }

    fn read(&self) -> Rulebook {
        match (&self.api, &self.folder) {
            (None, None) => Rulebook::read(self.written()),
            (Some(api), None) => Rulebook::read(vec![(PathBuf::from("app.json"), api.to_string().into_bytes())]),
            (None, Some(folder)) => Rulebook::read(self.files(&root().join("definitions/good").join(folder))),
            _ => panic!("{} has no definition, or two", self.section),
        }
    }

    fn serve(&self) -> (Engine, Site) {
        let bound = match self.handlers.as_deref() {
            None => self.read().unbound(Unbound::Echo),
            Some("article") => self.read().module(article::module()),
            Some("greeting") => modules(self.read(), greeting::modules()),
            Some("parameters") => parameters::bind(|| self.read()),
            Some(other) => panic!("{other} are no handlers"),
        };
        match bound.inspect(Bearer).build() {
            Ok(engine) => {
                // What `check --print` prints means the same.
                let printed = format!("{:#}", canonical(engine.api()));
                let again = Rulebook::read(vec![("api.json".into(), printed.clone().into_bytes())]);
                let again = again.add_type(Email).check();
                assert_eq!(again.as_ref().ok(), Some(engine.api()), "{}: {printed}", self.section);
                let site = Site::start(&engine);
                (engine, site)
            }
            Err(report) => panic!("{}: {report}", self.section),
        }
    }
}

fn modules(rulebook: Rulebook, modules: impl IntoIterator<Item = Module>) -> Rulebook {
    modules.into_iter().fold(rulebook, Rulebook::module)
}

/// In which way the answer to a request is not the one that is to come.
fn ask(site: &Site, case: &Case, line: Option<&(String, String)>) -> Option<String> {
    let mut request = case.request();
    if let Some((line, _)) = line {
        request.line = line.clone().into_bytes();
    }
    let answer = site.send(&request);
    let mut differences = case.differences(&answer);
    differences.extend(unsaid(case, &answer));
    if let Some((_, status)) = line
        && answer.head.lines().next() != Some(status)
    {
        differences.push(format!("expected {status:?}"));
    }
    (!differences.is_empty()).then(|| format!("{}\n{answer:?}", differences.join("\n")))
}

/// What a case need not say: which type the answer has, and that members of a JSON body are echoed as they came.
fn unsaid(case: &Case, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    let media_type = match case.shape.as_deref() {
        Some("phalapi") => "application/json;charset=utf-8",
        _ => "application/json",
    };
    if !answer.body.is_empty()
        && !case.fields.contains_key("content-type")
        && answer.field("content-type") != Some(media_type)
    {
        wrong.push(format!("it is not of the type {media_type}"));
    }
    let sent = case.json.as_ref().and_then(Json::as_object).filter(|_| answer.status == 200);
    if let (Some(sent), None, None) = (sent, &case.args, &case.body) {
        let args = &answer.json()["args"];
        let other = sent.iter().filter(|(name, value)| args[*name] != **value);
        wrong.extend(other.map(|(name, value)| format!("{name}: sent {value}, echoed {}", args[name])));
    }
    wrong
}

/// In which way the answer to a request of one line does not begin as it should.
fn begin(site: &Site, (line, status): &(String, String)) -> Option<String> {
    let mut request = Request::new("GET", "/");
    request.line = line.clone().into_bytes();
    let answer = site.send(&request);
    (answer.head.lines().next() != Some(status)).then(|| format!("expected {status:?}\n{answer:?}"))
}

impl Letters {
    fn ask(&self, site: &Site) -> Option<String> {
        let request = Request::new("GET", &self.target);
        let request = self.headers.iter().fold(request, |request, (name, value)| request.field(name, value));
        let answer = site.send(&request);
        let agrees = answer.status == 200
            && self.fields.iter().all(|(name, value)| Json::from(answer.field(name)) == *value)
            && matches(&self.body, &String::from_utf8_lossy(&answer.body));
        (!agrees).then(|| format!("expected {:?} {:?}\n{answer:?}", self.fields, self.body))
    }
}

impl Call {
    fn run(&self, engine: &Engine) -> Option<String> {
        let call = engine.call(&self.target).args(self.args.clone());
        let call = if self.scope.is_empty() { call } else { call.scope(self.scope.iter().cloned()) };
        let response = wait(call.send());
        let all = response.all().cloned().map(Json::Object);
        let serialized: Json = serde_json::from_str(&response.serialize()).unwrap();
        let error = response.error().map(Refusal::code).map(|code| code.to_string());
        let agrees = error == self.error
            && self.all.as_ref().is_none_or(|wanted| all.as_ref() == Some(wanted))
            && self.get.as_ref().is_none_or(|(name, wanted)| response.get(name).unwrap_or(&Json::Null) == wanted)
            && self
                .serialize
                .as_ref()
                .is_none_or(|(status, wanted)| (*status, wanted) == (response.status(), &serialized));
        (!agrees).then(|| format!("{self:?}: {response:?}\n{serialized}"))
    }
}

impl Definition {
    fn judge(&self) -> Option<String> {
        let text = match (&self.text, &self.json) {
            (Some(text), None) => text.clone(),
            (None, Some(json)) => format!("{json:#}"),
            _ => panic!("{self:?}: a text or JSON"),
        };
        let files = vec![(PathBuf::from("api/site.json"), text.into_bytes())];
        let report = Rulebook::read(files).check().err();
        let found: Vec<_> =
            report.iter().flat_map(|report| &report.diagnostics).map(|fault| fault.code.to_string()).collect();
        (found != self.faults).then(|| format!("expected {:?}, got {found:?}", self.faults))
    }
}

/// Whether a test of this name stands in a file.
fn find(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(root().join(file)).unwrap_or_default();
    (!text.contains(&format!("#[test]\nfn {name}()"))).then(|| format!("{file} has no test {name}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}
