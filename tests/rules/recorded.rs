//! Compares rulebook with cases that were recorded from PhalApi: a rule, the received parameters, and the result.
//!
//! A case with the member `differs` intentionally has another result in rulebook, for the reason in `differs`. Further
//! intended differences are in `phalapi_params_differences.json`. Most recorded results in them are side effects of
//! PHP, and rulebook rejects such values.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::try_echo_engine;
use crate::client::{Request, TestServer};

#[derive(Deserialize)]
struct RecordedCase {
    id: String,
    r#type: String,
    rule: Map<String, Json>,
    params: Map<String, Json>,
    #[serde(rename = "ok")]
    expected_value: Option<Json>,
    #[serde(rename = "err")]
    expected_error: Option<Json>,
    #[serde(rename = "differs")]
    difference_reason: Option<String>,
    #[serde(rename = "tz")]
    time_zone: Option<String>,
}

/// The result of a case: a value, an error response, or an invalid rule.
#[derive(Debug, PartialEq)]
enum Outcome {
    Value(Json),
    /// An error response with this message.
    Error(String),
    InvalidRule,
}

/// Returns the results of the cases of one time zone, in the order of `rows`. All cases with a valid rule are sent to
/// one server, which has a method for each case.
fn case_outcomes(zone: Option<&str>, rows: &[&RecordedCase]) -> Vec<Outcome> {
    let app = json!({ "catalogue": "2.x", "timezone": zone.unwrap_or("UTC") });
    let is_invalid =
        |row: &&RecordedCase| try_echo_engine(&app, &json!({ "C": { "m": { "value": row.rule } } })).is_err();
    let invalid: Vec<bool> = rows.iter().map(is_invalid).collect();
    let valid = rows.iter().zip(&invalid).filter(|(_, invalid)| !**invalid);
    let methods: Map<String, Json> = valid.map(|(row, _)| (row.id.clone(), json!({ "value": row.rule }))).collect();
    let engine = try_echo_engine(&app, &json!({ "C": methods })).unwrap_or_else(|report| panic!("{report}"));
    let server = TestServer::start(&engine);
    rows.iter()
        .zip(invalid)
        .map(|(row, invalid)| if invalid { Outcome::InvalidRule } else { case_outcome(row, &server) })
        .collect()
}

/// Returns the bytes of a form field, which may be invalid UTF-8; `None` if the value is not a text.
fn form_bytes(value: &Json) -> Option<Vec<u8>> {
    let bytes = |text: &str| hex::decode(text).unwrap();
    value["$hex"].as_str().map(bytes).or_else(|| Some(value.as_str()?.into()))
}

fn case_outcome(row: &RecordedCase, server: &TestServer) -> Outcome {
    let form = || {
        let pair = |(name, value): (&String, &Json)| {
            let encoded = |text: &[u8]| form_urlencoded::byte_serialize(text).collect::<String>();
            Some(format!("{}={}", encoded(name.as_bytes()), encoded(&form_bytes(value)?)))
        };
        Some(row.params.iter().map(pair).collect::<Option<Vec<_>>>()?.join("&"))
    };
    let request = Request::new("POST", format!("/c/{}", row.id));
    let response = server.send(&match form() {
        Some(form) => request.body("application/x-www-form-urlencoded", form),
        None => request.body("application/json", Json::Object(row.params.clone()).to_string()),
    });
    let body = response.json();
    match body["ret"].as_u64() {
        Some(200) => Outcome::Value(body["data"]["args"]["value"].clone()),
        Some(400) => Outcome::Error(body["msg"].as_str().unwrap().to_owned()),
        _ => panic!("{}: {response:?}", row.id),
    }
}

/// Returns `true` if the outcome equals the recorded one. Numbers are compared by their value, so that 1 equals 1.0.
fn agrees_with_recorded(row: &RecordedCase, outcome: &Outcome) -> bool {
    let number = |json: &Json| json.as_f64();
    match outcome {
        Outcome::Value(value) if row.expected_error.is_none() => {
            let recorded = row.expected_value.as_ref().unwrap_or(&Json::Null);
            value == recorded || number(value).is_some_and(|value| number(recorded) == Some(value))
        }
        Outcome::Value(_) => false,
        // PhalApi reports an invalid rule on each request, with code 500. In rulebook, an invalid rule is an error at
        // start.
        Outcome::InvalidRule => row.expected_error.as_ref().is_some_and(|error| error["code"] == 500),
        Outcome::Error(message) => row.expected_error.as_ref().is_some_and(|error| error["msg"] == **message),
    }
}

#[test]
fn rules_agree_with_phalapi_except_for_listed_differences() {
    let rows: Vec<RecordedCase> = serde_json::from_str(include_str!("../data/vectors/phalapi_params.json")).unwrap();
    let mut differences: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../data/vectors/phalapi_params_differences.json")).unwrap();
    // Uploads are tested in the Rust module `uploads`.
    let is_tested = |row: &&RecordedCase| row.r#type != "file";
    let mut by_zone: BTreeMap<Option<&str>, Vec<&RecordedCase>> = BTreeMap::new();
    for row in rows.iter().filter(is_tested) {
        by_zone.entry(row.time_zone.as_deref()).or_default().push(row);
    }
    let count: usize = by_zone.values().map(Vec::len).sum();
    assert!(count > 310, "only {count} cases were tested");
    let mut mismatches = Vec::new();
    for (zone, rows) in by_zone {
        for (row, outcome) in rows.iter().zip(case_outcomes(zone, &rows)) {
            let named = differences.remove(&row.id).or(row.difference_reason.clone());
            if agrees_with_recorded(row, &outcome) == named.is_some() {
                let RecordedCase { id, rule, params, expected_value, expected_error, .. } = row;
                let named = named.map_or(String::new(), |reason| format!(", although: {reason}"));
                mismatches
                    .push(format!("{id}: {rule:?} of {params:?}: recorded {expected_value:?} {expected_error:?}, here {outcome:?}{named}"));
            }
        }
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
    assert!(differences.is_empty(), "no such cases: {differences:?}");
}
