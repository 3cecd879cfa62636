//! Absent, null and empty values are three different things, in every part of a request.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::{Request, TestServer, case, multipart};

/// A parameter and the result for each kind of value: a value, `missing` or `invalid`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The definition of the parameter.
    parameter: Map<String, Value>,
    /// The parameter is absent.
    absent: Ended,
    /// The value is JSON's null.
    null: Ended,
    /// The value is empty.
    empty: Ended,
    /// The value is the text `null`.
    null_text: Ended,
    /// A value as a text.
    text: (String, Ended),
    /// A value as JSON.
    json: (Value, Ended),
}

/// The result for a parameter.
#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Ended {
    Value(Value),
    Missing,
    Invalid,
}

/// A part of a request: the key of a parameter in it, and a function that adds a text to it.
type Place = (&'static str, fn(Request, Option<&str>) -> Request);

const PLACES: [Place; 9] = [
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
    let rows: Vec<Row> = case::read(include_str!("../data/http/presence.json"));
    let mut mismatches = String::new();
    for row in &rows {
        let mut errors = |place: &str, how: &str, request: &Request, server: &TestServer, expected: &Ended| {
            let got = ended(&server.send(request).json());
            if got.as_ref() != Some(expected) {
                let parameter = Value::Object(row.parameter.clone());
                let _ = writeln!(
                    mismatches,
                    "{parameter} in {place}, {how}: expected {expected:?}, got {got:?}\n{request:?}\n"
                );
            }
        };
        let request = || Request::new("POST", "/x");
        for (place, put) in PLACES {
            let server = serve(place, row);
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
            let server = serve(place, row);
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

fn serve(place: &str, row: &Row) -> TestServer {
    let mut parameter = row.parameter.clone();
    parameter.insert("info".to_owned(), "What it is".into());
    parameter.insert("name".to_owned(), "x".into());
    TestServer::echo(&[(
        "site.json",
        json!({ "/": { "x": { "POST": { "info": "Takes x", "in": { place: parameter } } } } }),
    )])
}

fn ended(document: &Value) -> Option<Ended> {
    match document["error"].as_u64()? {
        0 => Some(Ended::Value(document["args"]["x"].clone())),
        400 => Some(Ended::Missing),
        401 => Some(Ended::Invalid),
        _ => None,
    }
}
