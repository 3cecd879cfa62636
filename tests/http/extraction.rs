//! Tests how parameters are read from all parts of a request, and how their errors are reported.

use rulebook_model::call::is_secret_name;
use serde_json::{Value, json};

use crate::client::{Request, TestServer, case};

#[test]
fn parameters_are_read_from_requests_and_their_errors_are_reported() {
    case::run(&case::read(include_str!("../data/http/extraction.json")));
}

#[test]
fn bodies_are_read_by_their_media_type() {
    case::run(&case::read(include_str!("../data/http/bodies.json")));
}

#[test]
fn values_of_secret_parameters_are_never_quoted() {
    case::run(&case::read(include_str!("../data/http/secrets.json")));
}

#[test]
fn the_documented_words_are_those_of_names_of_secret_values() {
    let page = include_str!("../../docs/responses.md");
    let words =
        page.lines().filter(|line| line.starts_with("- a name ")).flat_map(|line| line.split('`').skip(1).step_by(2));
    let mut count = 0;
    for word in words {
        count += 1;
        assert!(is_secret_name(word), "{word}");
        assert!(is_secret_name(&format!("user_{word}")), "{word}");
    }
    assert_eq!(count, 25 + 2);
    for name in ["shipping", "opinion", "author", "compass", "passenger", "key", "monkey"] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn an_error_for_an_exceeded_limit_names_the_limit() {
    case::run(&case::read(include_str!("../data/http/limits.json")));
}

/// Starts a server of an API with one method, which has this number of required parameters. `unknown` is the setting
/// for requests with unknown parameters.
fn server_with_parameters(count: usize, unknown: &str) -> TestServer {
    let parameters = (0..count).map(|n| (format!("p{n:02}"), json!({ "info": "A number", "type": "int" })));
    let input: Value = parameters.collect();
    let module = json!({ "/": { "x": { "POST": { "info": "Takes many", "in": input } } } });
    TestServer::echo(&[("app.json", json!({ "unknown": unknown })), ("site.json", module)])
}

#[test]
fn at_most_fifty_parameter_errors_are_reported_in_the_order_of_the_definition() {
    for (count, truncated) in [(49, false), (50, false), (51, true), (200, true)] {
        let response = server_with_parameters(count, "ignore").send(&Request::new("POST", "/x"));
        let document = response.json();
        let errors = document["errors"].as_array().unwrap();
        let names: Vec<_> = errors.iter().map(|error| error["parameter"].as_str().unwrap().to_owned()).collect();
        let expected: Vec<_> = (0..count.min(50)).map(|n| format!("p{n:02}")).collect();
        assert_eq!(names, expected, "{count}");
        assert_eq!(document["truncated"], if truncated { json!(true) } else { Value::Null }, "{count}");
        assert_eq!((response.status, &document["error"]), (400, &json!(400)));
    }
}

#[test]
fn errors_of_unknown_parameters_follow_those_of_known_parameters() {
    let server = server_with_parameters(2, "refuse");
    let unknown = |count: usize| (0..count).map(|n| format!("u{n}=1")).collect::<Vec<_>>().join("&");
    let form = |body: String| Request::new("POST", "/x").body("application/x-www-form-urlencoded", body);
    for (request, names, truncated) in [
        (form("p01=x&u=1&p00=1&u=2".to_owned()), vec!["p01", "u"], false),
        (form("p00=1&p01=2&u=1".to_owned()), vec!["u"], false),
        (Request::new("POST", "/x?a=1&p00=1"), vec!["p00", "p01", "a", "p00"], false),
    ] {
        let document = server.send(&request).json();
        let errors = document["errors"].as_array().unwrap();
        let got: Vec<_> = errors.iter().map(|error| error["parameter"].as_str().unwrap()).collect();
        assert_eq!(got, names, "{request:?}");
        assert_eq!(document["truncated"], if truncated { json!(true) } else { Value::Null });
        assert_eq!(document["error"], 401, "{request:?}");
    }
    let document = server.send(&form(unknown(49))).json();
    assert_eq!(document["errors"].as_array().map(Vec::len), Some(50));
    assert_eq!(document["truncated"], true);
    let document = server.send(&form(unknown(48))).json();
    assert_eq!((document["errors"].as_array().map(Vec::len), &document["truncated"]), (Some(50), &Value::Null));
}

#[test]
fn errors_quote_at_most_a_hundred_characters_of_a_value() {
    let module = json!({ "/": { "x": { "POST": { "info": "Takes x", "in": {
        "x": { "info": "A number", "type": "int" }, "y": { "info": "A list", "type": "?array<int>" }
    } } } } });
    let server = TestServer::echo(&[("site.json", module)]);
    for (sent, shown) in [
        (json!("é".repeat(98)), format!("\"{}\"", "é".repeat(98))),
        (json!("é".repeat(99)), format!("\"{}…", "é".repeat(99))),
        (json!("é".repeat(100_000)), format!("\"{}…", "é".repeat(99))),
        (json!(vec![0; 50]), format!("[{}…", &"0,".repeat(50)[..99])),
        (json!(vec![0; 10_000]), "10000 items".to_owned()),
        (json!({ "k".repeat(1000): 1 }), format!("{{\"{}…", "k".repeat(98))),
    ] {
        let request = Request::new("POST", "/x").body("application/json", json!({ "x": sent }).to_string());
        assert_eq!(server.send(&request).json()["errors"][0]["got"], shown);
    }
    // In an error of a nested value, the path to the invalid item contains text from the client, and is shortened too.
    let form = format!("x={}", "z".repeat(200));
    let response = server.send(&Request::new("POST", "/x").body("application/x-www-form-urlencoded", form)).json();
    assert_eq!(response["errors"][0]["got"], format!("\"{}…", "z".repeat(99)));
}

#[test]
fn a_method_without_body_parameters_does_not_read_the_body() {
    let module = json!({ "/": { "x": {
        "POST": { "info": "Takes no body", "in": { "GET@q": { "info": "A word", "type": "?string", "name": "q" } } },
        "GET": { "info": "Takes nothing" }
    } } });
    let server = TestServer::echo(&[("app.json", json!({ "unknown": "refuse" })), ("site.json", module)]);
    for method in ["POST", "GET"] {
        for media_type in
            ["application/json", "multipart/form-data", "text/csv", "x", "multipart/form-data; boundary=X"]
        {
            let mut connection = server.connect();
            let request = Request::new(method, "/x").body(media_type, b"\xff{garbage".as_slice());
            assert_eq!(connection.send(&request).status, 200, "{request:?}");
            let request = Request::new(method, "/x").chunked(media_type, &[b"\xff{gar", b"bage"]);
            assert_eq!(connection.send(&request).status, 200, "{request:?}");
        }
    }
}
