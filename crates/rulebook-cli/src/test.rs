//! `rulebook test`: runs test files. Each test calls a server of its own, with an empty data folder: it sends the
//! request of each step, and compares the response with what the step expects.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

use clap::Args;
use rulebook::Identity;
use rulebook_model::definition::{JsonData, JsonMember, JsonNode};
use rulebook_model::diagnostic::{Diagnostic, Report, Sources};
use rulebook_model::invisible::replace_invisible;
use rulebook_model::model::{Api, Parameter};
use rulebook_model::span::{Span, Spanned};
use rulebook_model::test_file::{self, Call, Step, Test, fill};
use rulebook_model::types::Arity;
use rulebook_model::uri::percent_encode;
use rulebook_test::{Client, MethodCall, Misuse, TestResponse};
use serde_json::{Map, Value as Json};

use crate::call::caller;
use crate::{AddHandlers, Exit, Settings, log, output};

const EXAMPLES: &str = "\
Examples:
  rulebook test
  rulebook test --filter 'a note'
  rulebook test tests/note.json

Exit codes: 0 all tests passed; 1 a test failed, or the definition or a test file has errors; 2 invalid usage; 3 a \
system error.";

/// Run test files: calls of the API, and what their responses must contain.
///
/// A test file is JSON with comments: `{"a note is added": [{"call": "note.add", "with": {"title": "Milk"}, "expect":
/// {"status": 201}}]}`. Each test begins with an empty data folder, in which databases of SQLite are, and its steps
/// send requests to a server of its own. The first step that fails ends the test.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TestOptions {
    /// Test files, and folders with test files [default: the folder `tests` beside that of --api].
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run only the tests whose names contain this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Also use databases that are not in the data folder of a test. They are not emptied: name databases for tests.
    #[arg(long)]
    shared_databases: bool,
}

/// The default filter of log records, which are shown if a test fails: what workers print, and warnings.
const LOG_FILTER: &str = "warn,rulebook_process=info";

#[derive(Clone, Default)]
struct CapturedLog(Arc<Mutex<Vec<u8>>>);

impl CapturedLog {
    fn take(&self) -> String {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&std::mem::take(&mut *bytes)).into_owned()
    }
}

impl io::Write for CapturedLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct TestFile {
    path: PathBuf,
    tests: Vec<Test>,
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &TestOptions) -> Result<Exit, Exit> {
    // The files of a server must not be changed.
    let settings = &Settings { data: None, files: None, ..settings.clone() };
    let beside = [settings.api.with_file_name("tests")];
    let given = if options.paths.is_empty() { &beside[..] } else { &options.paths };
    let paths = test_paths(given).map_err(output::print_system_error)?;
    let api = settings.load_api(app)?;
    let (sources, mut files) = read_files(paths, &api)?;
    refuse_shared_databases(&api, options)?;
    if let Some(filter) = &options.filter {
        files.iter_mut().for_each(|file| file.tests.retain(|test| test.name.value.contains(filter)));
        files.retain(|file| !file.tests.is_empty());
        if files.is_empty() {
            return Err(output::print_usage_error(format!("--filter: no test has a name that contains `{filter}`")));
        }
    }
    let log = CapturedLog::default();
    let filter = settings.log_filter.as_deref().unwrap_or(LOG_FILTER);
    // A program that has set a logger keeps it.
    let _ = log::start_logging_to(filter, settings.log_format.unwrap_or_default(), Box::new(log.clone()));
    let mut printer = Printer::new(&sources);
    for file in &files {
        printer.begin_file(&file.path);
        let folder = file.path.parent().unwrap_or(Path::new(""));
        for test in &file.tests {
            log.take();
            let client = Client::new(settings.new_rulebook(app)).map_err(|error| {
                output::print_to_stderr(&log.take());
                output::print_system_error(error)
            })?;
            let mut running = Running { client: &client, api: &api, folder, saved: Map::new() };
            let result = test.steps.iter().try_for_each(|step| running.carry_out(step));
            // What the server logs when it stops belongs to this test.
            drop(client);
            printer.print_result(test, result, &log.take())?;
        }
    }
    printer.finish()
}

/// Returns the paths of all test files: of a folder, those that end in `.json` or `.jsonc`, sorted by name.
/// Fails if a path does not exist, or a folder contains no test file. The error is a message.
fn test_paths(given: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in given {
        let error = |error: io::Error| format!("{}: {error}", path.display());
        if !path.metadata().map_err(error)?.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = path.read_dir().map_err(error)?.map(|entry| entry.map(|entry| entry.path()));
        let mut found = entries.collect::<Result<Vec<_>, _>>().map_err(error)?;
        found.retain(|file| file.extension().is_some_and(|it| it == "json" || it == "jsonc") && file.is_file());
        if found.is_empty() {
            return Err(format!("{}: the folder contains no test files (`*.json`)", path.display()));
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

/// Reads the test files, and compares them with the API. If they have errors, prints them and returns the exit code.
fn read_files(paths: Vec<PathBuf>, api: &Api) -> Result<(Sources, Vec<TestFile>), Exit> {
    let (mut sources, mut diagnostics) = (Sources::default(), Vec::new());
    let read = paths.into_iter().map(|path| {
        let tests = test_file::read(&path, &mut sources, &mut diagnostics);
        diagnostics.extend(test_file::check(&tests, api));
        TestFile { path, tests }
    });
    let files = read.collect();
    match diagnostics.is_empty() {
        true => Ok((sources, files)),
        false => Err(output::print_report(&Report::new(sources, diagnostics))),
    }
}

/// Fails if the API uses a database that other programs can use, too: a test must not change its data by accident.
#[cfg(feature = "sql")]
fn refuse_shared_databases(api: &Api, options: &TestOptions) -> Result<(), Exit> {
    let shared = rulebook_sql::databases_outside_data_folder(api);
    if shared.is_empty() || options.shared_databases {
        return Ok(());
    }
    Err(output::print_usage_error(format!(
        "the tests would change data that is not theirs: the database `{}` is not a file in their data folder\nUnset \
         the environment variable in its `url`, or name an empty database for tests and add --shared-databases.",
        shared.join("`, `")
    )))
}

#[cfg(not(feature = "sql"))]
fn refuse_shared_databases(_: &Api, _: &TestOptions) -> Result<(), Exit> {
    Ok(())
}

/// Why a step has failed: a message, and the place in the test file that the response does not match.
struct Failure {
    pub span: Span,
    pub message: String,
}

impl Failure {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }
}

impl From<Diagnostic> for Failure {
    fn from(error: Diagnostic) -> Self {
        Self::new(error.span, error.message)
    }
}

/// The failures of the last step that was carried out, and its response, if one arrived.
struct Failed {
    pub call: String,
    pub failures: Vec<Failure>,
    pub response: Option<TestResponse>,
}

struct Running<'a> {
    client: &'a Client,
    api: &'a Api,
    folder: &'a Path,
    saved: Map<String, Json>,
}

impl Running<'_> {
    fn carry_out(&mut self, step: &Step) -> Result<(), Box<Failed>> {
        let failed = |failures, response| Box::new(Failed { call: step.call.text(), failures, response });
        let response = self.send(step).map_err(|failure| failed(vec![failure], None))?;
        let mut failures = check_response(step, &response, &self.saved);
        if failures.is_empty() {
            for member in &step.save {
                match saved_value(member, &response) {
                    Ok(value) => drop(self.saved.insert(member.key.value.clone(), value)),
                    Err(failure) => failures.push(failure),
                }
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(failed(failures, Some(response))) }
    }

    fn send(&self, step: &Step) -> Result<TestResponse, Failure> {
        let identity = self.caller(step)?;
        let mut headers = Vec::new();
        for member in &step.headers {
            headers.push((member.key.value.as_str(), text(self.fill(&member.value)?)));
        }
        match &step.call {
            Call::Method(id) => {
                let misuse = |error: Misuse| Failure::new(id.span, error.to_string());
                let mut call = self.client.try_call(&id.value).map_err(misuse)?;
                for argument in &step.with {
                    call = self.add_argument(call, id, &argument.key, &argument.value)?;
                }
                call = headers.into_iter().fold(call, |call, (name, value)| call.header(name, value));
                if let Some(identity) = identity {
                    call = call.caller(identity);
                }
                call.try_send().map_err(misuse)
            }
            Call::Request(method, target) => {
                let path = text(fill(target, &self.saved, |text| percent_encode(text).collect())?);
                let mut request = self.client.request(method, &path);
                if let Some(body) = &step.body {
                    let at = headers.iter().position(|(name, _)| name.eq_ignore_ascii_case("content-type"));
                    let media_type = at.map(|at| headers.remove(at).1);
                    let media_type = media_type.as_deref().unwrap_or("application/json");
                    request = request.body(media_type, text(self.fill(body)?));
                }
                request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
                if let Some(identity) = identity {
                    request = request.caller(identity);
                }
                request.try_send().map_err(|error| Failure::new(target.span, error.to_string()))
            }
        }
    }

    fn caller(&self, step: &Step) -> Result<Option<Identity>, Failure> {
        let [name, scope, claims] = &step.caller;
        let filled = |node: &Option<JsonNode>| node.as_ref().map(|node| self.fill(node)).transpose();
        let scope = filled(scope)?.map(|scope| match scope {
            Json::Array(items) => items.into_iter().map(text).collect(),
            single => vec![text(single)],
        });
        let claims_object = filled(claims)?.and_then(|value| value.as_object().cloned());
        let span = claims.as_ref().map_or_else(Span::default, |node| node.span);
        let name = filled(name)?.map(text);
        caller(self.api, "test", name.as_deref(), scope, claims_object).map_err(|message| Failure::new(span, message))
    }

    fn add_argument<'c>(
        &self,
        call: MethodCall<'c>,
        id: &Spanned<String>,
        name: &Spanned<String>,
        value: &JsonNode,
    ) -> Result<MethodCall<'c>, Failure> {
        let misuse = |error: Misuse| Failure::new(name.span, error.to_string());
        let filled = self.fill(value)?;
        let arity = self.parameter(&id.value, &name.value).map(|parameter| parameter.r#type.check.arity());
        let paths = match (arity, filled) {
            (Some(Arity::File | Arity::Files), Json::String(path)) => vec![path],
            (Some(Arity::Files), Json::Array(paths)) => paths.into_iter().map(text).collect(),
            (_, filled) => return call.try_arg(&name.value, filled).map_err(misuse),
        };
        paths.into_iter().try_fold(call, |call, path| {
            let file = self.folder.join(&path);
            let content = fs::read(&file);
            let content = content.map_err(|error| Failure::new(value.span, format!("{}: {error}", file.display())))?;
            let file_name = file.file_name().unwrap_or_default().to_string_lossy();
            call.try_file(&name.value, &file_name, content).map_err(misuse)
        })
    }

    fn parameter(&self, id: &str, name: &str) -> Option<&Parameter> {
        let (.., method) = self.api.methods().find(|(.., method)| method.id == id)?;
        method.parameters.iter().find(|parameter| parameter.name == name)
    }

    fn fill(&self, node: &JsonNode) -> Result<Json, Diagnostic> {
        fill(node, &self.saved, str::to_owned)
    }
}

/// Returns the content of a string, and any other value as JSON.
fn text(value: Json) -> String {
    match value {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

const MAX_SHOWN: usize = 300;

fn check_response(step: &Step, response: &TestResponse, saved: &Map<String, Json>) -> Vec<Failure> {
    let expect = &step.expect;
    let mut failures = Vec::new();
    let status = response.status();
    if expect.status.is_none() && expect.error.is_none() && response.is_error() {
        let span = match &step.call {
            Call::Method(id) => id.span,
            Call::Request(_, target) => target.span,
        };
        failures
            .push(Failure::new(span, format!("expected a success, got the status {status}{}", error_name(response))));
    }
    if let Some(expected) = expect.status.as_ref().filter(|expected| expected.value != u64::from(status)) {
        let message = format!("status: expected {}, got {status}{}", expected.value, error_name(response));
        failures.push(Failure::new(expected.span, message));
    }
    if let Some(expected) = expect.error.as_ref().filter(|expected| response.code() != Some(&*expected.value)) {
        let got = match response.code() {
            Some(code) => format!("`{code}`"),
            None if response.is_error() => format!("an error without a name, with the status {status}"),
            None => format!("a success with the status {status}"),
        };
        failures.push(Failure::new(expected.span, format!("error: expected `{}`, got {got}", expected.value)));
    }
    if let Some(expected) = &expect.parameters {
        let got = response.invalid_parameters();
        if got != expected.value {
            let message = format!("parameters: expected {}, got {}", shown(&expected.value), shown(&got));
            failures.push(Failure::new(expected.span, message));
        }
    }
    let is_unexpected_error = response.is_error() && !failures.is_empty();
    let mut comparison = Comparison { saved, failures };
    if let Some(out) = &expect.out {
        match response.result() {
            Some(result) => comparison.compare("out", out, &result),
            // That an unexpected error has no outputs, too, says nothing new.
            None if is_unexpected_error => {}
            None => comparison.fail(out.span, "out: the response has no outputs".to_owned()),
        }
    }
    for field in &expect.headers {
        comparison.compare_header(field, response);
    }
    if let Some(body) = &expect.body {
        let document: Option<Json> = serde_json::from_slice(response.body()).ok();
        match (&body.data, document) {
            (JsonData::String(_), _) => {
                let got = String::from_utf8_lossy(response.body()).into_owned();
                comparison.compare("body", body, &Json::String(got));
            }
            (_, Some(document)) => comparison.compare("body", body, &document),
            (_, None) => comparison.fail(body.span, "body: the body is not JSON".to_owned()),
        }
    }
    comparison.failures
}

fn saved_value(member: &JsonMember, response: &TestResponse) -> Result<Json, Failure> {
    let node = &member.value;
    let name = &member.key.value;
    if let Some(field) = node.member("header").and_then(JsonNode::string) {
        let missing = || Failure::new(node.span, format!("save `{name}`: the response has no field `{}`", field.value));
        return response.header(&field.value).map(Json::from).ok_or_else(missing);
    }
    let path = node.string().map(|path| path.value).unwrap_or_default();
    let missing = || Failure::new(node.span, format!("save `{name}`: the response has no output `{path}`"));
    let result = response.result().ok_or_else(missing)?;
    if path == "*" {
        return Ok(result);
    }
    let found = path.split('.').try_fold(&result, |value, part| match value {
        Json::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => value.get(part),
    });
    found.cloned().ok_or_else(missing)
}

struct Comparison<'s> {
    saved: &'s Map<String, Json>,
    failures: Vec<Failure>,
}

impl Comparison<'_> {
    fn fail(&mut self, span: Span, message: String) {
        self.failures.push(Failure::new(span, message));
    }

    /// Compares a value with the expected one. Objects can have more members than expected; arrays must have as many
    /// items.
    fn compare(&mut self, path: &str, expected: &JsonNode, got: &Json) {
        match (&expected.data, got) {
            (JsonData::Object(members), Json::Object(found)) => {
                for member in &members.list {
                    let path = format!("{path}.{}", member.key.value);
                    match found.get(&member.key.value) {
                        Some(value) => self.compare(&path, &member.value, value),
                        None => {
                            let names: Vec<_> = found.keys().collect();
                            self.fail(member.key.span, format!("{path}: it is missing; there is {}", shown(&names)));
                        }
                    }
                }
            }
            (JsonData::Array(items), Json::Array(found)) if items.len() == found.len() => {
                for (index, (item, value)) in items.iter().zip(found).enumerate() {
                    self.compare(&format!("{path}.{index}"), item, value);
                }
            }
            (JsonData::Array(items), Json::Array(found)) => {
                let message = format!("{path}: expected {} items, got {}: {}", items.len(), found.len(), shown(got));
                self.fail(expected.span, message);
            }
            _ => match fill(expected, self.saved, str::to_owned) {
                Ok(value) if is_equal(&value, got) => {}
                Ok(value) => {
                    self.fail(expected.span, format!("{path}: expected {}, got {}", shown(&value), shown(got)));
                }
                Err(error) => self.failures.push(error.into()),
            },
        }
    }

    fn compare_header(&mut self, field: &JsonMember, response: &TestResponse) {
        let name = field.key.value.as_str();
        let got = response.header(name);
        let message = match (&field.value.data, got) {
            (JsonData::Bool(true), Some(_)) | (JsonData::Bool(false), None) => return,
            (JsonData::Bool(false), Some(got)) => format!("headers.{name}: expected no such field, got {}", shown(got)),
            (_, None) => format!("headers.{name}: the response has no such field"),
            (_, Some(got)) => match fill(&field.value, self.saved, str::to_owned).map(text) {
                Ok(value) if value == got => return,
                Ok(value) => format!("headers.{name}: expected {}, got {}", shown(&value), shown(got)),
                Err(error) => error.message,
            },
        };
        self.fail(field.value.span, message);
    }
}

/// Returns `true` for equal values. Numbers are equal if they have the same value: `1` and `1.0`.
fn is_equal(expected: &Json, got: &Json) -> bool {
    match (expected, got) {
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Json::Array(items), Json::Array(found)) => {
            items.len() == found.len() && items.iter().zip(found).all(|(one, other)| is_equal(one, other))
        }
        (Json::Object(members), Json::Object(found)) => {
            members.iter().all(|(name, value)| found.get(name).is_some_and(|other| is_equal(value, other)))
        }
        _ => expected == got,
    }
}

fn error_name(response: &TestResponse) -> String {
    let code = response.code().map(|code| format!(", `{code}`"));
    let message = response.message().map(|message| format!(": {message}"));
    code.unwrap_or_default() + &message.unwrap_or_default()
}

/// Returns a value as JSON, without its end if it is long.
fn shown(value: impl serde::Serialize) -> String {
    shortened(&serde_json::to_string(&value).unwrap_or_default(), MAX_SHOWN)
}

/// Returns the beginning of a text, with an ellipsis if the text has more characters than `max`.
fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

const MAX_BODY: usize = 2_000;

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[1;31m";
const RESET: &str = "\x1b[0m";

struct Printer<'s> {
    sources: &'s Sources,
    has_color: bool,
    count: usize,
    failed: usize,
}

impl<'s> Printer<'s> {
    fn new(sources: &'s Sources) -> Self {
        Self { sources, has_color: output::has_color(&io::stdout()), count: 0, failed: 0 }
    }

    fn begin_file(&self, path: &Path) {
        let _ = output::print_to_stdout(&format!("{}\n", replace_invisible(&path.display().to_string())));
    }

    /// Prints the result of a test; if the test has failed, with the response and the log of the failed step.
    fn print_result(&mut self, test: &Test, result: Result<(), Box<Failed>>, log: &str) -> Result<(), Exit> {
        self.count += 1;
        let name = replace_invisible(&test.name.value);
        let text = match result {
            Ok(()) => format!("  {}  {name}\n", self.colored(GREEN, "ok  ")),
            Err(failed) => {
                self.failed += 1;
                format!("  {}  {name}\n{}", self.colored(RED, "FAIL"), self.describe(&failed, log))
            }
        };
        match output::print_to_stdout(&text) {
            Exit::Success => Ok(()),
            exit => Err(exit),
        }
    }

    fn describe(&self, failed: &Failed, log: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        for failure in &failed.failures {
            lines.push(format!("{}: {}", self.position(failure.span), failure.message));
        }
        if let Some(response) = &failed.response {
            lines.push(format!("{}: {}", failed.call, describe_response(response)));
        }
        lines.extend(log.lines().map(str::to_owned));
        lines.iter().map(|line| format!("        {}\n", replace_invisible(line))).collect()
    }

    /// Returns the position of a part of a test file, as editors read it: `tests/note.json:7:12`.
    fn position(&self, span: Span) -> String {
        self.sources.get(span.file).map_or_else(String::new, |source| {
            let position = source.locate(span);
            format!("{}:{}:{}", source.path.display(), position.line, position.column)
        })
    }

    fn colored(&self, color: &str, text: &str) -> String {
        if self.has_color { format!("{color}{text}{RESET}") } else { text.to_owned() }
    }

    fn finish(&self) -> Result<Exit, Exit> {
        let count = output::count_with_noun(self.count, "test");
        let text = match self.failed {
            0 => self.colored(GREEN, &format!("{count} passed")),
            failed => self.colored(RED, &format!("{count}, {failed} failed")),
        };
        match output::print_to_stdout(&format!("\n{text}\n")) {
            Exit::Success if self.failed > 0 => Err(Exit::ErrorsReported),
            exit => Ok(exit),
        }
    }
}

fn describe_response(response: &TestResponse) -> String {
    let body = match std::str::from_utf8(response.body()) {
        Ok(text) => shortened(text, MAX_BODY),
        Err(_) => output::count_with_noun(response.body().len(), "byte"),
    };
    format!("{} {body}", response.status()).trim_end().to_owned()
}
