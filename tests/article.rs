//! Tests an article API that uses every type: its definition is valid, and requests over HTTP have the recorded
//! responses.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rulebook::Rulebook;
use rulebook_model::types::{Type, Types};
use serde_json::{Map, Value};

use crate::client::{Connection, Request, Response};
use crate::server_process::{ServerProcess, copy_files, free_address, program};

/// The folder with the definition of the article API.
const ARTICLE_DEFINITION: &str = "crates/rulebook-model/tests/definitions/good/site";

#[test]
fn the_article_definition_is_valid() {
    if let Err(report) = Rulebook::load(repository_root().join(ARTICLE_DEFINITION)).check() {
        panic!("{}", report.render(false));
    }
}

/// Types that the article API need not use: synonyms of other types, two types that require a program with functions or
/// with stored files, and one for amounts of money.
const OPTIONAL_TYPES: [&str; 8] =
    ["mixed", "float64", "FILE", "filled_array", "filled_object", "callable", "filename", "decimal"];

#[test]
fn the_article_api_uses_every_type() {
    let text = ["article", "user"]
        .map(|name| fs::read_to_string(repository_root().join(format!("{ARTICLE_DEFINITION}/{name}.json"))).unwrap());
    let types = text.iter().flat_map(|text| text.split("\"type\": \"").skip(1));
    let types = types.filter_map(|term| term.split_once('"'));
    let in_unions = text.iter().flat_map(|text| text.split("\"of\": [").skip(1));
    let terms: Vec<_> = types.chain(in_unions.filter_map(|terms| terms.split_once(']'))).collect();
    let used = |name: &str| {
        terms
            .iter()
            .any(|(term, _)| term.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| word == name))
    };
    let types = Types::builtin();
    let unused: Vec<_> =
        types.iter().map(Type::name).filter(|name| !OPTIONAL_TYPES.contains(name) && !used(name)).collect();
    assert!(types.iter().count() > 20, "there are too few types");
    assert!(unused.is_empty(), "no parameter has the type {}", unused.join(", "));
}

#[test]
fn article_requests_get_the_recorded_responses() {
    let cases: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(repository_root().join("tests/data/article.json")).unwrap()).unwrap();
    let server = TestServer::start(&cases);
    let failures: Vec<_> = cases
        .iter()
        .filter_map(|case| {
            let response = server.send(case);
            let mismatches = response_differences(case, &response);
            (!mismatches.is_empty())
                .then(|| format!("{}\n  {}\n  {response:?}", case["title"], mismatches.join("\n  ")))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Returns a message for each difference between a response and the expected response of its case.
fn response_differences(case: &Value, response: &Response) -> Vec<String> {
    let mut mismatches = Vec::new();
    let mut expect = |what: &str, expected: Value, got: Value| {
        if expected != got {
            mismatches.push(format!("{what}: expected {expected}, got {got}"));
        }
    };
    let status = case["status"].as_u64().unwrap_or(200);
    expect("status", status.into(), response.status.into());
    if let Some(allow) = case["allow"].as_str() {
        expect("Allow", allow.into(), response.field("allow").into());
    }
    let response: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if status < 300 {
        expect("error", 0.into(), response["error"].clone());
    } else if case["error"].is_null() {
        expect("error", 401.into(), response["error"].clone());
    } else {
        expect("error", case["error"].clone(), response["error"].clone());
    }
    for (name, value) in case["args"].as_object().into_iter().flatten() {
        expect(name, value.clone(), response["args"].get(name).cloned().unwrap_or("nothing".into()));
    }
    if let Some(errors) = case["parameter_errors"].as_array() {
        let got = response["errors"].as_array().into_iter().flatten();
        let got: Vec<Value> = got.map(|error| vec![error["parameter"].clone(), error["in"].clone()].into()).collect();
        expect("parameter errors", errors.clone().into(), got.into());
    }
    if let Some(words) = case["message"].as_str() {
        let message = response["ErrorDescription"].as_str().unwrap_or_default();
        expect("words", true.into(), message.contains(words).into());
    }
    mismatches
}

/// A server of the article API in a temporary folder. The server has an API key for each scope that occurs in the
/// cases.
struct TestServer {
    _server_process: ServerProcess,
    _folder: tempfile::TempDir,
    address: String,
    api_keys: BTreeMap<String, String>,
}

impl TestServer {
    fn start(cases: &[Value]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_files(&repository_root().join(ARTICLE_DEFINITION), &folder.path().join("api"));
        let mut api_keys = BTreeMap::new();
        for scope in cases.iter().filter_map(scope_argument) {
            api_keys.entry(scope).or_insert_with_key(|scope| {
                let mut add = program(folder.path());
                let added = add.args(["keys", "add", "--name", "test", "--force", "--scope", scope]).output().unwrap();
                assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
                String::from_utf8(added.stdout).unwrap().trim_end().to_owned()
            });
        }
        let address = free_address();
        let _server_process = ServerProcess::start(folder.path(), &address, &["--unbound", "echo"]);
        Self { _server_process, _folder: folder, address, api_keys }
    }

    fn send(&self, case: &Value) -> Response {
        let (method, target) = case["send"].as_str().unwrap().split_once(' ').unwrap();
        let mut request = Request::new(method, target);
        for (name, value) in case["headers"].as_object().unwrap_or(&Map::new()) {
            request = request.field(name, value.as_str().unwrap());
        }
        if let Some(scope) = scope_argument(case) {
            request = request.field("authorization", format_args!("Bearer {}", self.api_keys[&scope]));
        }
        if let Some((media_type, body)) = request_body(case) {
            request = request.body(&media_type, body);
        }
        Connection::open(self.address.parse().unwrap()).send(&request)
    }
}

/// Returns the permissions in `scope` of a case, separated by commas as on the command line; `None` without `scope`.
fn scope_argument(case: &Value) -> Option<String> {
    let scope: Vec<_> = case["scope"].as_array()?.iter().map(|one| one.as_str().unwrap()).collect();
    Some(scope.join(","))
}

/// Returns the media type and the bytes of the request body of a case; `None` if the request has no body.
fn request_body(case: &Value) -> Option<(String, Vec<u8>)> {
    if let Some(form) = case["form"].as_str() {
        return Some(("application/x-www-form-urlencoded".to_owned(), form.into()));
    }
    if let Some(text) = case["text"].as_str() {
        return Some((case["type"].as_str().unwrap().to_owned(), text.into()));
    }
    if let Some(json) = case.get("json") {
        return Some(("application/json".to_owned(), json.to_string().into_bytes()));
    }
    let parts = case["parts"].as_array()?;
    let mut body = Vec::new();
    for part in parts {
        let name = part["name"].as_str().unwrap();
        let file = part["filename"].as_str().map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        body.extend(format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").into_bytes());
        match part["hex"].as_str() {
            Some(bytes) => body.extend(hex::decode(bytes).unwrap()),
            None => body.extend(part["text"].as_str().unwrap().bytes()),
        }
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--\r\n");
    Some(("multipart/form-data; boundary=edge".to_owned(), body))
}

fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
