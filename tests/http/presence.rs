//! Tests that absent, null and empty values of a parameter are distinguished, in every part of a request.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::{Request, TestServer, case, multipart};

/// A parameter, and for each way to send a value the expected result: a value, `missing` or `invalid`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresenceCase {
    /// The definition of the parameter.
    parameter: Map<String, Value>,
    /// The result if the request does not contain the parameter.
    absent: ParameterResult,
    /// The result if the value is `null` in JSON.
    null: ParameterResult,
    /// The result if the value is an empty text.
    empty: ParameterResult,
    /// The result if the value is the text `null`.
    null_text: ParameterResult,
    /// A valid or invalid value as a text, and its result.
    text: (String, ParameterResult),
    /// A value as JSON, and its result.
    json: (Value, ParameterResult),
}

/// The result for a parameter: its checked value, or the kind of its error.
#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum ParameterResult {
    Value(Value),
    Missing,
    Invalid,
}

/// A location of a parameter: the key that a parameter at this location has in a definition, and a function that adds a
/// text to the request.
type ParameterLocation = (&'static str, fn(Request, Option<&str>) -> Request);

const PARAMETER_LOCATIONS: [ParameterLocation; 9] = [
    ("GET@x", in_query),
    ("x", in_form),
    ("x", in_chunked_form),
    ("x", in_parts),
    ("ANY@x", in_query),
    ("ANY@x", in_form),
    ("ANY@x", in_parts),
    ("HEADER@x", |request, text| match text {
        None => request,
        Some(text) => request.field("x", text),
    }),
    ("COOKIE@x", |request, text| match text {
        None => request.field("cookie", "y=1"),
        Some(text) => request.field("cookie", format_args!("y=1; x={text}; z=2")),
    }),
];

fn in_query(mut request: Request, text: Option<&str>) -> Request {
    let target = text.map_or("/x?y=1".to_owned(), |text| format!("/x?y=1&x={text}&z="));
    request.line = format!("POST {target} HTTP/1.1").into_bytes();
    request
}

fn in_form(request: Request, text: Option<&str>) -> Request {
    let form = text.map_or("y=1".to_owned(), |text| format!("y=1&x={text}"));
    request.body("application/x-www-form-urlencoded", form)
}

fn in_chunked_form(request: Request, text: Option<&str>) -> Request {
    let form = text.map_or("y=1".to_owned(), |text| format!("y=1&x={text}"));
    let (first, second) = form.as_bytes().split_at(2);
    request.chunked("application/x-www-form-urlencoded", &[first, second])
}

fn in_parts(request: Request, text: Option<&str>) -> Request {
    let mut parts: Vec<(&str, &[u8])> = vec![("name=\"y\"", b"1")];
    parts.extend(text.map(|text| ("name=\"x\"", text.as_bytes())));
    request.body("multipart/form-data; boundary=XX", multipart(&parts))
}

fn in_json(request: Request, json: Option<&Value>) -> Request {
    let body = match json {
        Some(json) => json!({ "y": 1, "x": json }),
        None => json!({ "y": 1 }),
    };
    request.body("application/json", body.to_string())
}

#[test]
fn absent_null_and_empty_values_are_distinguished() {
    let rows: Vec<PresenceCase> = case::read(include_str!("../data/http/presence.json"));
    let mut mismatches = String::new();
    for row in &rows {
        let mut errors =
            |place: &str, how: &str, request: &Request, server: &TestServer, expected: &ParameterResult| {
                let got = parameter_result(&server.send(request).json());
                if got.as_ref() != Some(expected) {
                    let parameter = Value::Object(row.parameter.clone());
                    let _ = writeln!(
                        mismatches,
                        "{parameter} in {place}, {how}: expected {expected:?}, got {got:?}\n{request:?}\n"
                    );
                }
            };
        let request = || Request::new("POST", "/x");
        for (place, put) in PARAMETER_LOCATIONS {
            let server = server_with_parameter(place, row);
            let (text, value) = &row.text;
            for (how, text, expected) in [
                ("absent", None, &row.absent),
                ("empty", Some(""), &row.empty),
                ("the text null", Some("null"), &row.null_text),
                ("a text", Some(text.as_str()), value),
            ] {
                errors(place, how, &put(request(), text), &server, expected);
            }
        }
        for place in ["x", "ANY@x"] {
            let server = server_with_parameter(place, row);
            let (value, expected) = &row.json;
            errors(place, "absent from JSON", &in_json(request(), None), &server, &row.absent);
            errors(place, "null", &in_json(request(), Some(&Value::Null)), &server, &row.null);
            errors(place, "a value", &in_json(request(), Some(value)), &server, expected);
            errors(place, "no body at all", &request(), &server, &row.absent);
        }
    }
    assert!(rows.len() > 10, "there are few rows");
    assert!(mismatches.is_empty(), "{mismatches}");
}

fn server_with_parameter(place: &str, row: &PresenceCase) -> TestServer {
    let mut parameter = row.parameter.clone();
    parameter.insert("info".to_owned(), "What it is".into());
    parameter.insert("name".to_owned(), "x".into());
    TestServer::echo(&[(
        "site.json",
        json!({ "/": { "x": { "POST": { "info": "Takes x", "in": { place: parameter } } } } }),
    )])
}

fn parameter_result(document: &Value) -> Option<ParameterResult> {
    match document["error"].as_u64()? {
        0 => Some(ParameterResult::Value(document["args"]["x"].clone())),
        400 => Some(ParameterResult::Missing),
        401 => Some(ParameterResult::Invalid),
        _ => None,
    }
}
