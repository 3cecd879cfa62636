//! Compares rulebook with responses that were recorded from PhalApi: for valid and invalid names of services, sources
//! of parameters, results and exceptions of handlers, JSONP, and XML.
//!
//! The status, the media type and the body must equal the recorded ones. `phalapi_http_differences.json` lists the
//! intended differences with their reasons. `data/service/differences.txt` contains the responses of rulebook in these
//! cases.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::sample_services;
use crate::client::{Request, Response, TestServer};
use support::golden;

#[derive(Deserialize)]
struct RecordedCase {
    id: String,
    config: Json,
    request: RecordedRequest,
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
struct RecordedRequest {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

impl RecordedCase {
    /// Returns the settings in `app.json` that correspond to PhalApi's configuration in this case.
    fn settings(&self) -> Json {
        let catalogue = if self.config["language"] == "zh_cn" { "zh" } else { "2.x" };
        let mut settings = json!({ "envelope": "phalapi", "catalogue": catalogue, "service": { "on": true, "default": "Site.Index" } });
        match self.config["response"].as_str() {
            Some("jsonp") => settings["jsonp"] = true.into(),
            Some("xml") => settings["formats"] = json!(["xml"]),
            _ => {}
        }
        let common = &self.config["config"]["app"]["apiCommonRules"];
        if common.is_object() {
            settings["common"] = common.clone();
        }
        settings
    }

    fn request(&self) -> Request {
        let RecordedRequest { method, target, headers, body } = &self.request;
        let request = headers.iter().filter(|(name, _)| *name != "Content-Type");
        let request = request.fold(Request::new(method, target), |request, (name, value)| request.field(name, value));
        let request =
            if self.config["response"] == "xml" { request.field("accept", "application/xml") } else { request };
        match body {
            None => request,
            Some(body) => request.body(&headers["Content-Type"], body.as_str()),
        }
    }

    fn agrees_with(&self, response: &Response) -> bool {
        let same_head = response.status == self.status
            && response.field("content-type") == self.headers.get("Content-Type").map(String::as_str);
        same_head
            && match serde_json::from_str::<Json>(&self.body) {
                Ok(recorded) => serde_json::from_slice(&response.body).is_ok_and(|actual: Json| actual == recorded),
                Err(_) => self.body.as_bytes() == response.body,
            }
    }
}

/// Returns the status, the media type and the beginning of the body. The request id is replaced by a fixed text.
fn response_summary(response: &Response) -> String {
    let body = String::from_utf8_lossy(&response.body).into_owned();
    let body = response.field("x-request-id").map_or(body.clone(), |id| body.replace(id, "REQUEST-ID"));
    let body: String = body.replace('\n', " ").chars().take(160).collect();
    format!("{} {} {body}", response.status, response.field("content-type").unwrap_or("-"))
}

#[test]
fn responses_equal_those_of_phalapi_except_for_the_listed_differences() {
    let rows: Vec<RecordedCase> = serde_json::from_str(include_str!("../data/vectors/phalapi_http.json")).unwrap();
    let mut differences: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../data/vectors/phalapi_http_differences.json")).unwrap();
    let mut servers: BTreeMap<String, TestServer> = BTreeMap::new();
    let mut mismatches = String::new();
    let mut responses = String::new();
    for row in &rows {
        let settings = row.settings();
        let server = servers.entry(settings.to_string()).or_insert_with(|| sample_services::sample_server(&settings));
        let response = server.send(&row.request());
        let reason = differences.remove(&row.id);
        if reason.is_some() {
            writeln!(responses, "{}: {}", row.id, response_summary(&response)).unwrap();
        }
        if row.agrees_with(&response) == reason.is_some() {
            let RecordedCase { id, status, headers, body, .. } = row;
            let reason = reason.map_or(String::new(), |reason| format!(", although: {reason}"));
            writeln!(
                mismatches,
                "{id}: recorded {status} {headers:?} {body}\nhere {}{reason}\n",
                response_summary(&response)
            )
            .unwrap();
        }
    }
    assert!(mismatches.is_empty(), "{mismatches}");
    assert!(differences.is_empty(), "no such cases: {differences:?}");
    golden::compare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/service/differences.txt"), &responses);
}
