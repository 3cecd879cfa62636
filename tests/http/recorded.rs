//! Replays requests and permission checks that were recorded from the ancestors (the earlier frameworks aicra and api
//! 3.0), and compares the results.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use rulebook::{Rulebook, Unbound};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::{Bearer, Request, Response, TestServer};

/// The reasons for intended differences from the recorded results, by the id of the case.
type Differences = BTreeMap<String, String>;

#[derive(Deserialize)]
struct RequestCase {
    id: String,
    style: String,
    definition: Value,
    request: RecordedRequest,
    scope: Vec<String>,
    #[serde(rename = "matched")]
    called_method: Option<String>,
    #[serde(rename = "extracted")]
    expected_args: Option<Value>,
    error: Option<String>,
    differs: Option<String>,
}

#[derive(Deserialize)]
struct RecordedRequest {
    method: String,
    uri: String,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
struct ScopeCase {
    id: String,
    #[serde(rename = "service_scope")]
    required_scope: Value,
    #[serde(rename = "vars")]
    variables: Map<String, Value>,
    #[serde(rename = "request_scope")]
    permissions: Vec<String>,
    #[serde(rename = "allowed")]
    is_allowed: bool,
    differs: Option<String>,
}

/// The styles of definitions in the recorded cases, each with `true` if rulebook can read definitions of that style.
const DEFINITION_STYLES: [(&str, bool); 3] = [("aicra-flat", true), ("aicra-tree", true), ("api3", false)];

/// Cases that are listed as different although rulebook agrees with the recorded result.
pub const AGREEING_CASES: [&str; 1] = [
    // The ancestor rejects line ends other than CRLF in a multipart body. Here the result is the same, because the
    // method does not read this body.
    "req-flat-072",
];

#[test]
fn recorded_requests_get_the_recorded_responses() {
    let cases: Vec<RequestCase> = serde_json::from_str(include_str!("../data/vectors/requests.json")).unwrap();
    let intended_differences = serde_json::from_str(include_str!("../data/vectors/requests_differences.json")).unwrap();
    let mut comparison = Comparison::new(intended_differences);
    for case in &cases {
        let (_, is_read) = DEFINITION_STYLES.iter().find(|(name, _)| *name == case.style).unwrap();
        if *is_read {
            comparison.add_case(&case.id, case.differs.as_ref(), request_disagreement(case));
        }
    }
    comparison.assert_agreement(80);
}

/// Sends a recorded request. Returns how the response differs from the recorded response; `None` if they agree.
fn request_disagreement(case: &RequestCase) -> Option<String> {
    let server = match try_serve(&case.definition) {
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
    let agrees = match (&case.error, &case.expected_args) {
        (None, Some(extracted)) => response.status == 200 && args_agree(&got["args"], extracted),
        (Some(error), _) => accepted_errors(error, case).iter().any(|(status, number, parameter)| {
            let error_messages = got["errors"].as_array().map_or(&[][..], Vec::as_slice);
            let is_reported =
                parameter.as_ref().is_none_or(|name| error_messages.iter().any(|error| error["parameter"] == *name));
            response.status == *status && got["error"] == *number && is_reported
        }),
        (None, None) => panic!("{} ends in nothing", case.id),
    };
    (!agrees).then(|| format!("{} {:?}\n  {response:?}", describe_expected(case), case.request.uri))
}

fn describe_expected(case: &RequestCase) -> String {
    let RequestCase { called_method, expected_args, error, .. } = case;
    format!("recorded {error:?} {expected_args:?} at {called_method:?}")
}

/// Compares echoed arguments with the recorded arguments. The echo contains null for each absent argument.
fn args_agree(args: &Value, extracted: &Value) -> bool {
    let Some(args) = args.as_object() else { return false };
    let Some(extracted) = extracted.as_object() else { return false };
    // The ancestor names a parameter of the query without `name` by its whole key.
    let extracted: Map<_, _> =
        extracted.iter().map(|(key, value)| (key.trim_start_matches("GET@").to_owned(), value.clone())).collect();
    extracted.keys().all(|name| args.contains_key(name))
        && args.iter().all(|(name, value)| value == extracted.get(name).unwrap_or(&Value::Null))
}

/// Returns the accepted error responses for a recorded error. Each has the status, the error number, and the name of
/// the invalid parameter if the error names one.
fn accepted_errors(error: &str, case: &RequestCase) -> Vec<(u16, u16, Option<String>)> {
    let (name, kind) = error.rsplit_once(": ").map_or((None, error), |(name, kind)| (Some(name), kind));
    // The ancestor names the parameter by its name in code, but rulebook names it as clients do in requests.
    let parameter = name.map(|name| name_in_requests(&case.definition, name));
    match kind {
        // For the ancestor, a path with another HTTP method or with an invalid value in a segment is an unknown
        // service.
        "unknown service" => vec![(404, 200, None), (405, 201, None)],
        "unknown method" => vec![(405, 201, None), (404, 200, None)],
        "forbidden" | "permission error" if case.scope.is_empty() => vec![(401, 301, None)],
        "forbidden" | "permission error" => vec![(403, 300, None)],
        // For the ancestor, a parameter in a body that cannot be parsed is missing.
        "missing parameter" if name.is_none() => vec![(400, 400, None), (400, 402, None)],
        "missing parameter" => vec![(400, 400, parameter)],
        "invalid parameter" => vec![(400, 401, parameter)],
        other => panic!("{other} is no error"),
    }
}

/// Returns the name of a parameter in requests. `name` is its name in code.
fn name_in_requests(definition: &Value, name: &str) -> String {
    let inputs = definition.as_array().into_iter().flatten().filter_map(|method| method["in"].as_object());
    let mut named = inputs.flatten().filter(|(key, input)| input["name"].as_str().unwrap_or(key) == name);
    let (key, _) = named.next().unwrap();
    let bare = key.rsplit('@').next().unwrap_or(key);
    bare.trim_start_matches('{').trim_end_matches('}').to_owned()
}

#[test]
fn recorded_permission_checks_have_the_recorded_results() {
    let cases: Vec<ScopeCase> = serde_json::from_str(include_str!("../data/vectors/scopes.json")).unwrap();
    let intended_differences = serde_json::from_str(include_str!("../data/vectors/scopes_differences.json")).unwrap();
    let mut comparison = Comparison::new(intended_differences);
    for case in &cases {
        comparison.add_case(&case.id, case.differs.as_ref(), permission_disagreement(case));
    }
    comparison.assert_agreement(35);
}

/// Sends a request with the permissions of a recorded check. Returns how the result differs from the recorded result;
/// `None` if they agree. The variables of permissions become captures of the path.
fn permission_disagreement(case: &ScopeCase) -> Option<String> {
    let mut path = "x".to_owned();
    let mut target = "/x".to_owned();
    let mut input = Map::new();
    for (name, value) in &case.variables {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let _ = write!(path, "/{{{name}}}");
        let _ = write!(target, "/{}", percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC));
        let r#type = if value.is_string() { "string" } else { "any" };
        input.insert(format!("{{{name}}}"), json!({ "info": "A variable", "type": r#type }));
    }
    let method = json!({ "info": "For some", "scope": case.required_scope, "in": input });
    let server = match try_serve(&json!({ "/": { (path): { "GET": method } } })) {
        Ok(server) => server,
        Err(report) => return Some(report),
    };
    let response: Response = server.send(&Request::new("GET", target).scope(&case.permissions));
    let expected = if case.is_allowed { 200 } else { 403 };
    (response.status != expected).then(|| format!("recorded {}, got {response:?}", case.is_allowed))
}

/// Starts a server for a definition, or returns the report of its errors.
fn try_serve(definition: &Value) -> Result<TestServer, String> {
    let files = vec![("site.json".into(), definition.to_string().into_bytes())];
    let built = Rulebook::read(files).authenticator(Bearer).unbound(Unbound::Echo).build();
    built.as_ref().map(TestServer::start).map_err(ToString::to_string)
}

/// Collects unexpected differences between recorded results and results of rulebook.
struct Comparison {
    intended_differences: Differences,
    compared_ids: BTreeSet<String>,
    error_messages: String,
}

impl Comparison {
    fn new(intended_differences: Differences) -> Self {
        Self { intended_differences, compared_ids: BTreeSet::new(), error_messages: String::new() }
    }

    fn add_case(&mut self, id: &str, differs: Option<&String>, disagreement: Option<String>) {
        assert!(self.compared_ids.insert(id.to_owned()), "two cases have the id {id}");
        let differs = differs.or(self.intended_differences.get(id)).filter(|_| !AGREEING_CASES.contains(&id));
        let error = match (disagreement, differs) {
            (Some(disagreement), None) => format!("{id}: {disagreement}"),
            (None, Some(reason)) => format!("{id}: listed as different ({reason}), but agrees"),
            _ => return,
        };
        let _ = writeln!(self.error_messages, "{error}");
    }

    #[track_caller]
    fn assert_agreement(mut self, min_cases: usize) {
        for id in self.intended_differences.keys().filter(|id| !self.compared_ids.contains(*id)) {
            let _ = writeln!(self.error_messages, "{id} is listed as a difference, but was not compared");
        }
        assert!(self.compared_ids.len() >= min_cases, "only {} cases were compared", self.compared_ids.len());
        assert!(self.error_messages.is_empty(), "{}", self.error_messages);
    }
}
