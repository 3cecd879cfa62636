//! Requests and permission checks that were recorded from the ancestors, sent to rulebook.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use rulebook::{Rulebook, Unbound};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::{Bearer, Request, Response, TestServer};

/// The reasons for results that differ from the recorded ones, by the id of the case.
type Differences = BTreeMap<String, String>;

#[derive(Deserialize)]
struct RequestCase {
    id: String,
    style: String,
    definition: Value,
    request: Sent,
    scope: Vec<String>,
    matched: Option<String>,
    extracted: Option<Value>,
    error: Option<String>,
    differs: Option<String>,
}

#[derive(Deserialize)]
struct Sent {
    method: String,
    uri: String,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
struct ScopeCase {
    id: String,
    service_scope: Value,
    vars: Map<String, Value>,
    request_scope: Vec<String>,
    allowed: bool,
    differs: Option<String>,
}

/// The styles of definitions in the recorded cases, and whether rulebook reads definitions of that style.
const STYLES: [(&str, bool); 3] = [("aicra-flat", true), ("aicra-tree", true), ("api3", false)];

/// Cases that are listed as different, but agree for another reason.
pub const AGREE: [&str; 1] = [
    // Lines of a multipart body have to end in CRLF, but the method does not read this body.
    "req-flat-072",
];

#[test]
fn recorded_requests_get_the_recorded_responses() {
    let cases: Vec<RequestCase> = serde_json::from_str(include_str!("../data/vectors/requests.json")).unwrap();
    let differences = serde_json::from_str(include_str!("../data/vectors/requests_differences.json")).unwrap();
    let mut comparison = Comparison::new(differences);
    for case in &cases {
        let (_, is_read) = STYLES.iter().find(|(name, _)| *name == case.style).unwrap();
        if *is_read {
            comparison.add(&case.id, case.differs.as_ref(), disagreement(case));
        }
    }
    comparison.end(80);
}

/// Returns how the response to a request differs from the recorded one.
fn disagreement(case: &RequestCase) -> Option<String> {
    let server = match serve(&case.definition) {
        Ok(server) => server,
        Err(report) => return Some(report),
    };
    let mut request = Request::new(&case.request.method, &case.request.uri);
    for (name, value) in &case.request.headers {
        request = request.field(name, value);
    }
    if !case.scope.is_empty() {
        request = request.scope(&case.scope);
    }
    if !case.request.body.is_empty() {
        request = request.body_without_type(case.request.body.clone());
    }
    let response = server.send(&request);
    let got = response.json();
    let agrees = match (&case.error, &case.extracted) {
        (None, Some(extracted)) => response.status == 200 && equals_echo(&got["args"], extracted),
        (Some(error), _) => expected(error, case).iter().any(|(status, number, parameter)| {
            let errors = got["errors"].as_array().map_or(&[][..], Vec::as_slice);
            let is_reported =
                parameter.as_ref().is_none_or(|name| errors.iter().any(|error| error["parameter"] == *name));
            response.status == *status && got["error"] == *number && is_reported
        }),
        (None, None) => panic!("{} ends in nothing", case.id),
    };
    (!agrees).then(|| format!("{} {:?}\n  {response:?}", expectation(case), case.request.uri))
}

fn expectation(case: &RequestCase) -> String {
    let RequestCase { matched, extracted, error, .. } = case;
    format!("recorded {error:?} {extracted:?} at {matched:?}")
}

/// Replaces absent arguments by null, as in an echo.
fn equals_echo(args: &Value, extracted: &Value) -> bool {
    let Some(args) = args.as_object() else { return false };
    let Some(extracted) = extracted.as_object() else { return false };
    extracted.keys().all(|name| args.contains_key(name))
        && args.iter().all(|(name, value)| value == extracted.get(name).unwrap_or(&Value::Null))
}

/// An expected error: status, number, and the invalid parameter if one is named.
fn expected(error: &str, case: &RequestCase) -> Vec<(u16, u16, Option<String>)> {
    let (name, kind) = error.rsplit_once(": ").map_or((None, error), |(name, kind)| (Some(name), kind));
    // The ancestor names parameters as in code; responses here name them as in requests.
    let parameter = name.map(|name| name_for_clients(&case.definition, name));
    match kind {
        // In the ancestor, a service is a method and a path; a path with an invalid value is an unknown service.
        "unknown service" => vec![(404, 200, None), (405, 201, None)],
        "unknown method" => vec![(405, 201, None), (404, 200, None)],
        "forbidden" | "permission error" if case.scope.is_empty() => vec![(401, 301, None)],
        "forbidden" | "permission error" => vec![(403, 300, None)],
        // In the ancestor, an unreadable body is a missing parameter.
        "missing parameter" if name.is_none() => vec![(400, 400, None), (400, 402, None)],
        "missing parameter" => vec![(400, 400, parameter)],
        "invalid parameter" => vec![(400, 401, parameter)],
        other => panic!("{other} is no error"),
    }
}

/// Returns the name of a parameter for clients, by its name in code.
fn name_for_clients(definition: &Value, name: &str) -> String {
    let inputs = definition.as_array().into_iter().flatten().filter_map(|method| method["in"].as_object());
    let mut named = inputs.flatten().filter(|(key, input)| input["name"].as_str().unwrap_or(key) == name);
    let (key, _) = named.next().unwrap();
    let bare = key.rsplit('@').next().unwrap_or(key);
    bare.trim_start_matches('{').trim_end_matches('}').to_owned()
}

#[test]
fn recorded_permission_checks_have_the_recorded_results() {
    let cases: Vec<ScopeCase> = serde_json::from_str(include_str!("../data/vectors/scopes.json")).unwrap();
    let differences = serde_json::from_str(include_str!("../data/vectors/scopes_differences.json")).unwrap();
    let mut comparison = Comparison::new(differences);
    for case in &cases {
        comparison.add(&case.id, case.differs.as_ref(), scope_disagreement(case));
    }
    comparison.end(35);
}

/// Returns how the result of a permission check differs from the recorded one. Variables are captures of the path.
fn scope_disagreement(case: &ScopeCase) -> Option<String> {
    let mut path = "x".to_owned();
    let mut target = "/x".to_owned();
    let mut input = Map::new();
    for (name, value) in &case.vars {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let _ = write!(path, "/{{{name}}}");
        let _ = write!(target, "/{}", percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC));
        let r#type = if value.is_string() { "string" } else { "any" };
        input.insert(format!("{{{name}}}"), json!({ "info": "A variable", "type": r#type }));
    }
    let method = json!({ "info": "For some", "scope": case.service_scope, "in": input });
    let server = match serve(&json!({ "/": { (path): { "GET": method } } })) {
        Ok(server) => server,
        Err(report) => return Some(report),
    };
    let response: Response = server.send(&Request::new("GET", target).scope(&case.request_scope));
    let expected = if case.allowed { 200 } else { 403 };
    (response.status != expected).then(|| format!("recorded {}, got {response:?}", case.allowed))
}

/// Serves the definition, or returns its errors.
fn serve(definition: &Value) -> Result<TestServer, String> {
    let files = vec![("site.json".into(), definition.to_string().into_bytes())];
    let built = Rulebook::read(files).authenticator(Bearer).unbound(Unbound::Echo).build();
    built.as_ref().map(TestServer::start).map_err(ToString::to_string)
}

/// Compares the recorded results with the actual ones.
struct Comparison {
    differences: Differences,
    compared: BTreeSet<String>,
    errors: String,
}

impl Comparison {
    fn new(differences: Differences) -> Self {
        Self { differences, compared: BTreeSet::new(), errors: String::new() }
    }

    fn add(&mut self, id: &str, differs: Option<&String>, disagreement: Option<String>) {
        assert!(self.compared.insert(id.to_owned()), "two cases have the id {id}");
        let differs = differs.or(self.differences.get(id)).filter(|_| !AGREE.contains(&id));
        let error = match (disagreement, differs) {
            (Some(disagreement), None) => format!("{id}: {disagreement}"),
            (None, Some(reason)) => format!("{id}: listed as different ({reason}), but agrees"),
            _ => return,
        };
        let _ = writeln!(self.errors, "{error}");
    }

    #[track_caller]
    fn end(mut self, min_cases: usize) {
        for id in self.differences.keys().filter(|id| !self.compared.contains(*id)) {
            let _ = writeln!(self.errors, "{id} is listed as a difference, but was not compared");
        }
        assert!(self.compared.len() >= min_cases, "only {} cases were compared", self.compared.len());
        assert!(self.errors.is_empty(), "{}", self.errors);
    }
}
