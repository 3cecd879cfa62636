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

/// What a body contains is unknown to a method without parameters in the body.
#[test]
fn the_setting_unknown_decides_about_the_body_of_a_method_without_body_parameters() {
    let module = json!({ "/": { "x": {
        "POST": { "info": "Takes no body", "in": { "GET@q": { "info": "A word", "type": "?string", "name": "q" } } },
        "GET": { "info": "Takes nothing" }
    } } });
    let bodies: [(&str, &[u8], u16); 10] = [
        ("application/json", b"{}", 200),
        ("application/json", b"{\"a\": 1}", 400),
        ("application/json", b"\xff{garbage", 400),
        ("application/x-www-form-urlencoded", b"a=1", 400),
        ("application/x-www-form-urlencoded", b"{\"a\": 1}", 415),
        ("multipart/form-data", b"\xff{garbage", 400),
        ("multipart/form-data; boundary=X", b"--X\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--X--", 400),
        ("text/csv", b"\xff{garbage", 415),
        ("x", b"a=1", 415),
        ("", b"a=1", 415),
    ];
    for unknown in ["ignore", "warn", "refuse"] {
        let server = TestServer::echo(&[("app.json", json!({ "unknown": unknown })), ("site.json", module.clone())]);
        for (media_type, body, refused) in bodies {
            for method in ["POST", "GET"] {
                let status = match unknown {
                    "ignore" => 200,
                    // Only unknown parameters are accepted.
                    "warn" if media_type.starts_with("application/") && body.starts_with(b"a=1") => 200,
                    "warn" if body.starts_with(b"{\"a\"") && refused == 400 || body.starts_with(b"--X") => 200,
                    _ => refused,
                };
                let (first, second) = body.split_at(1);
                let announced = Request::new(method, "/x").body(media_type, body);
                for request in [announced, Request::new(method, "/x").chunked(media_type, &[first, second])] {
                    assert_eq!(server.send(&request).status, status, "{unknown}: {request:?}");
                }
            }
        }
    }
}

/// Each body would otherwise be a form with a single field, which is not a parameter.
#[test]
fn no_body_is_lost_if_its_media_type_is_missing_or_wrong() {
    let parameters =
        json!({ "a": { "info": "A number", "type": "?int" }, "b": { "info": "A list", "type": "?array<int>" } });
    let methods = ["POST", "PUT", "PATCH"].map(|method| (method.to_owned(), json!({ "info": "I", "in": parameters })));
    let module = json!({ "/": { "x": methods.into_iter().collect::<serde_json::Map<_, _>>() } });
    let form = "application/x-www-form-urlencoded";
    let (none, json) = (json!({ "a": null, "b": null }), "send application/json");
    let (without, in_form) = ("application/octet-stream (without Content-Type)", format!("{form} that contains JSON"));
    let server = TestServer::echo(&[("site.json", module)]);
    for method in ["POST", "PUT", "PATCH"] {
        for body in ["{\"a\":1}", " \r\n{\"a\": \"x&a=1\"}", "[1]", "{\"a\":1", "{}"] {
            let request = Request::new(method, "/x").body(form, body);
            server.send(&request).assert_error(415, &format!("a body of type {in_form} is not supported; {json}"));
        }
        for body in ["{\"a\":1}", "[]", "hello", "<a b=\"1\"/>", "A=1&aa=2", "\u{1f8b}", "=1", "c[a]=1"] {
            for request in [Request::new(method, "/x"), Request::new(method, "/x").field("content-type", "")] {
                let response = server.send(&request.body_without_type(body));
                response.assert_error(415, &format!("a body of type {without} is not supported; {json}"));
            }
        }
        // A form with a parameter needs no media type, and blanks are no body.
        let typeless = |body: &str| server.send(&Request::new(method, "/x").body_without_type(body));
        typeless("z=1&a=1").assert_args(&json!({ "a": 1, "b": null }));
        typeless("b[]=1&b[]=2").assert_args(&json!({ "a": null, "b": [1, 2] }));
        typeless("\r\n").assert_args(&none);
        server.send(&Request::new(method, "/x").body(form, "%7B%22a%22:1%7D")).assert_args(&none);
        let coded = Request::new(method, "/x").field("content-encoding", "gzip").body_without_type("a=1");
        server.send(&coded).assert_error(415, &format!("{without} with the content coding gzip"));
    }
}

#[test]
fn an_error_says_that_a_plus_was_read_as_a_blank() {
    let parameter = |kind: &str| json!({ "info": "I", "type": kind });
    let module = json!({ "/": { "x": { "POST": { "info": "I", "in": {
        "ANY@at": parameter("?datetime"), "ANY@days": { "info": "I", "type": "?array<datetime>", "min": 1 },
        "ANY@mail": parameter("?mail"), "ANY@n": parameter("?float"), "ANY@by_day": parameter("?map<datetime>"),
        "ANY@o": { "info": "I", "type": "?object", "fields": {
            "at": parameter("?datetime"), "days": parameter("?array<datetime>")
        } },
        "HEADER@since": { "info": "I", "type": "?datetime", "name": "since" }
    } } } } });
    let server = TestServer::echo(&[("site.json", module)]);
    let (plus, form) = ("+ is written as %2B", "application/x-www-form-urlencoded");
    let cases = [
        ("at=2026-03-29T12:00:00+02:00", true),
        ("at=2026-03-29T12:00:00%2002:00", true),
        ("days=2026-03-29T12:00:00+02:00", true),
        ("days=2026-01-01&days=2026-03-29T12:00:00+02:00", true),
        ("days[]=2026-03-29T12:00:00+02:00", true),
        ("days[0]=2026-01-01&days[1]=2026-03-29T12:00:00+02:00", true),
        ("days=[\"2026-03-29T12:00:00+02:00\"]", true),
        ("o[at]=2026-03-29T12:00:00+02:00", true),
        ("o[days][]=2026-03-29T12:00:00+02:00", true),
        ("o={\"at\":\"2026-03-29T12:00:00+02:00\"}", true),
        ("by_day[a]=2026-03-29T12:00:00+02:00", true),
        ("o[at]=2026-03-29T12:00:00+99:00", false),
        ("mail=a+b@example.org", true),
        ("n=1e+5", true),
        ("at=2026-03-29T12:00:00+99:00", false),
        ("at=2026-03-29T12:00:00", false),
        ("at=a+b", false),
    ];
    for (fields, has_plus) in cases {
        let query = server.send(&Request::new("POST", format!("/x?{fields}")));
        let body = server.send(&Request::new("POST", "/x").body(form, fields));
        for response in [query, body] {
            response.assert_error(400, "expected");
            assert_eq!(String::from_utf8_lossy(&response.body).contains(plus), has_plus, "{fields}: {response:?}");
        }
        let encoded = fields.replace('+', "%2B");
        if has_plus && encoded != fields {
            assert_eq!(server.send(&Request::new("POST", format!("/x?{encoded}"))).status, 200, "{encoded}");
        }
    }
    let in_json = Request::new("POST", "/x").body("application/json", r#"{"at": "2026-03-29T12:00:00 02:00"}"#);
    let in_header = Request::new("POST", "/x").field("since", "2026-03-29T12:00:00 02:00");
    for request in [in_json, in_header] {
        let response = server.send(&request);
        response.assert_error(400, "expected");
        assert!(!String::from_utf8_lossy(&response.body).contains(plus), "{response:?}");
    }
}
