//! Recorded responses of PhalApi: valid and invalid names of services, sources of parameters, results and exceptions of
//! handlers, JSONP, XML.
//!
//! Status, media type and body must equal the recorded ones. `phalapi_http_differences.json` lists the intended differences
//! with their reasons, and `data/service/instead.txt` has the responses in these cases.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::sample;
use crate::client::{Answer, Request, Site};
use support::golden;

#[derive(Deserialize)]
struct Row {
    id: String,
    config: Json,
    request: Asked,
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
struct Asked {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

impl Row {
    /// The settings of `app.json` that correspond to PhalApi's configuration.
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
        let Asked { method, target, headers, body } = &self.request;
        let request = headers.iter().filter(|(name, _)| *name != "Content-Type");
        let request = request.fold(Request::new(method, target), |request, (name, value)| request.field(name, value));
        let request =
            if self.config["response"] == "xml" { request.field("accept", "application/xml") } else { request };
        match body {
            None => request,
            Some(body) => request.body(&headers["Content-Type"], body.as_str()),
        }
    }

    fn agrees(&self, answer: &Answer) -> bool {
        let same_head = answer.status == self.status
            && answer.field("content-type") == self.headers.get("Content-Type").map(String::as_str);
        same_head
            && match serde_json::from_str::<Json>(&self.body) {
                Ok(recorded) => serde_json::from_slice(&answer.body).is_ok_and(|here: Json| here == recorded),
                Err(_) => self.body.as_bytes() == answer.body,
            }
    }
}

/// The response without the parts that change each time.
fn shown(answer: &Answer) -> String {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    let body = answer.field("x-request-id").map_or(body.clone(), |id| body.replace(id, "REQUEST-ID"));
    let body: String = body.replace('\n', " ").chars().take(160).collect();
    format!("{} {} {body}", answer.status, answer.field("content-type").unwrap_or("-"))
}

#[test]
fn responses_equal_the_recorded_ones_except_for_the_listed_differences() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../data/vectors/phalapi_http.json")).unwrap();
    let mut differences: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../data/vectors/phalapi_http_differences.json")).unwrap();
    let mut sites: BTreeMap<String, Site> = BTreeMap::new();
    let mut wrong = String::new();
    let mut instead = String::new();
    for row in &rows {
        let settings = row.settings();
        let site = sites.entry(settings.to_string()).or_insert_with(|| sample::site(&settings));
        let answer = site.send(&row.request());
        let named = differences.remove(&row.id);
        if named.is_some() {
            writeln!(instead, "{}: {}", row.id, shown(&answer)).unwrap();
        }
        if row.agrees(&answer) == named.is_some() {
            let Row { id, status, headers, body, .. } = row;
            let named = named.map_or(String::new(), |reason| format!(", although: {reason}"));
            writeln!(wrong, "{id}: recorded {status} {headers:?} {body}\nhere {}{named}\n", shown(&answer)).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(differences.is_empty(), "no such cases: {differences:?}");
    golden::compare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/service/instead.txt"), &instead);
}
