//! Tests cross-origin requests (CORS): the header fields of responses, preflight requests, and settings.

use rulebook::Rulebook;
use serde_json::{Value, json};

use crate::client::{Request, Response, TestServer};

const ALLOWED_ORIGIN: &str = "https://h5.example";
const PREFLIGHT_VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
const ALLOWED_REQUEST_HEADERS: &str =
    "Authorization, Content-Type, X-Request-Id, X-Requested-With, If-None-Match, If-Match, Range";
const EXPOSED_RESPONSE_HEADERS: &str = "ETag, Location, Link, Retry-After, X-Request-Id, RateLimit, RateLimit-Policy, WWW-Authenticate, \
    Allow, Content-Disposition, Content-Range";

/// Starts a server of an API below `/api`. `cors` is the value of the setting `cors`; `None` omits the setting.
fn server_with_cors(cors: Option<Value>) -> TestServer {
    let info = json!({ "info": "I" });
    let header = json!({ "info": "I", "in": {
        "HEADER@X-Trace": { "info": "I", "type": "?string", "name": "trace" },
        "HEADER@range": { "info": "I", "type": "?string", "name": "range" },
        "body": { "info": "I", "type": "?string" }
    } });
    let position = json!({ "info": "I", "in": { "URL#0": { "info": "I", "type": "?string", "name": "p" } } });
    let closed = json!({ "info": "I", "scope": [["reader"]] });
    let mut app = json!({
        "base": "/api",
        "limits": { "body": 40, "uri": 300 },
        "modules": { "site": {
            "GET": info,
            "/": {
                "open": { "GET": info, "POST": header },
                "position": { "GET": position, "DELETE": info },
                "closed": { "GET": closed },
                "above/below": { "GET": info },
                "{id}/x": { "PATCH": { "info": "I", "in": { "{id}": { "info": "I", "type": "string" } } } }
            }
        } }
    });
    if let Some(cors) = cors {
        app["cors"] = cors;
    }
    TestServer::echo(&[("app.json", app)])
}

/// Returns the CORS header fields of a response, sorted by name.
fn cors_fields(response: &Response) -> Vec<(String, String)> {
    let fields = response.head.lines().filter_map(|line| line.split_once(": "));
    let about =
        |name: &str, value: &str| name.starts_with("access-control-") || name == "vary" && value.starts_with("Origin");
    let mut fields: Vec<_> = fields
        .filter(|(name, value)| about(name, value))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    fields.sort();
    fields
}

fn owned_fields(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn preflight_request(target: &str, origin: &str, method: &str) -> Request {
    Request::new("OPTIONS", target).field("origin", origin).field("access-control-request-method", method)
}

/// Returns requests that lead to every kind of response, each with the expected status.
fn requests_of_all_outcomes() -> Vec<(Request, u16)> {
    vec![
        (Request::new("GET", "/api/open"), 200),
        (Request::new("HEAD", "/api/open"), 200),
        (Request::new("OPTIONS", "/api/open"), 200),
        (Request::new("GET", "/api/nothing"), 404),
        (Request::new("GET", "/elsewhere"), 404),
        (Request::new("GET", "/openapi.json"), 200),
        (Request::new("GET", "/healthz"), 200),
        (Request::new("PUT", "/api/open"), 405),
        (Request::new("GET", "/api/%FF"), 400),
        (Request::new("GET", "/api/closed"), 401),
        (Request::new("GET", "/api/open").field("authorization", "Bearer x"), 401),
        (Request::new("GET", "/api/open").field("authorization", "Bearer panic"), 500),
        (Request::new("GET", "/api/closed").scope(&["writer"]), 403),
        (Request::new("POST", "/api/open").body("application/json", "x".repeat(41)), 413),
        (Request::new("POST", "/api/open").body("text/csv", "x"), 415),
        (Request::new("GET", format!("/api/{}", "x".repeat(300))), 414),
        (Request::new("POST", "/api/closed").field("expect", "100-continue").field("content-length", "3"), 405),
        (Request::new("GET", "/api/open").field("expect", "more"), 417),
    ]
}

#[test]
fn responses_have_cors_fields_that_depend_on_the_origin() {
    let any = server_with_cors(Some(json!({ "origins": ["*"] })));
    let some = server_with_cors(Some(json!({
        "origins": [ALLOWED_ORIGIN, "HTTP://LocalHost:3000", "null"], "expose": ["X-Left", "etag"]
    })));
    let with_credentials = server_with_cors(Some(json!({ "origins": [ALLOWED_ORIGIN], "credentials": true })));
    let without = server_with_cors(None);
    let (allow, read) = ("access-control-allow-origin", "access-control-expose-headers");
    let vary = ("vary", "Origin");
    let more = format!("{EXPOSED_RESPONSE_HEADERS}, X-Left");
    for (request, status) in requests_of_all_outcomes() {
        let from = |server: &TestServer, origin: &str| {
            let response = server.send(&request.clone().field("origin", origin));
            assert_eq!(response.status, status, "{request:?}: {response:?}");
            cors_fields(&response)
        };
        for origin in [ALLOWED_ORIGIN, "https://other.example", "null", "", "\u{e9}"] {
            assert_eq!(
                from(&any, origin),
                owned_fields(&[(allow, "*"), (read, EXPOSED_RESPONSE_HEADERS)]),
                "{request:?} {origin}"
            );
            assert_eq!(from(&without, origin), [], "{request:?} {origin}");
        }
        for origin in [ALLOWED_ORIGIN, "HTTPS://H5.Example", "http://localhost:3000", "null"] {
            let own = owned_fields(&[(allow, origin), (read, &more), vary]);
            assert_eq!(from(&some, origin), own, "{request:?} {origin}");
        }
        let others = [
            "https://other.example",
            "http://h5.example",
            "https://h5.example:444",
            "https://h5.example/",
            "https://h5.example.org",
            "https://a.h5.example",
            "http://localhost",
            "NULL, null",
            "*",
            "",
        ];
        for origin in others {
            assert_eq!(from(&some, origin), owned_fields(&[vary]), "{request:?} {origin}");
        }
        let own = owned_fields(&[
            ("access-control-allow-credentials", "true"),
            (allow, ALLOWED_ORIGIN),
            (read, EXPOSED_RESPONSE_HEADERS),
            vary,
        ]);
        assert_eq!(from(&with_credentials, ALLOWED_ORIGIN), own, "{request:?}");
        assert_eq!(from(&with_credentials, "null"), owned_fields(&[vary]), "{request:?}");
        // If the setting lists origins, a response to a request without an origin has `Vary` too, so that a cache does
        // not use the response for requests from an origin.
        assert_eq!(cors_fields(&any.send(&request)), [], "{request:?}");
        assert_eq!(cors_fields(&some.send(&request)), owned_fields(&[vary]), "{request:?}");
        let twice = request.clone().field("origin", ALLOWED_ORIGIN).field("origin", ALLOWED_ORIGIN);
        assert_eq!(cors_fields(&some.send(&twice)), owned_fields(&[vary]), "{request:?}");
    }
}

#[test]
fn a_preflight_response_lists_the_methods_of_its_target() {
    let some =
        server_with_cors(Some(json!({ "origins": [ALLOWED_ORIGIN], "headers": ["X-App", "range"], "max_age": 60 })));
    let without = server_with_cors(None);
    let sent = format!("{ALLOWED_REQUEST_HEADERS}, X-App");
    let trace = format!("{sent}, x-trace");
    // Each case: the request target, the requested method, the expected list of allowed methods, and the expected list
    // of header fields that the page may send.
    let cases = [
        ("/api/open", "GET", "GET, HEAD, POST, OPTIONS", &sent),
        ("/api/open", "HEAD", "GET, HEAD, POST, OPTIONS", &sent),
        ("/api/open", "POST", "GET, HEAD, POST, OPTIONS", &trace),
        ("/api/open/", "POST", "GET, HEAD, POST, OPTIONS", &trace),
        ("/api/open?x=1", "POST", "GET, HEAD, POST, OPTIONS", &trace),
        ("/api/open", "PUT", "GET, HEAD, POST, OPTIONS", &sent),
        ("/api/open", "post", "GET, HEAD, POST, OPTIONS", &sent),
        ("/api/open", "a b", "GET, HEAD, POST, OPTIONS", &sent),
        ("/api/open", "", "GET, HEAD, POST, OPTIONS", &sent),
        ("/api/closed", "GET", "GET, HEAD, OPTIONS", &sent),
        ("/api/position", "DELETE", "GET, HEAD, DELETE, OPTIONS", &sent),
        ("/api/position/7", "DELETE", "GET, HEAD, OPTIONS", &sent),
        ("/api/7/x", "PATCH", "PATCH, OPTIONS", &sent),
        ("*", "GET", "OPTIONS", &sent),
        ("/api", "GET", "GET, HEAD, OPTIONS", &sent),
        ("/api/above", "GET", "OPTIONS", &sent),
        ("/openapi.json", "GET", "GET, HEAD, OPTIONS", &sent),
    ];
    for (target, method, allow, headers) in cases {
        let own = owned_fields(&[
            ("access-control-allow-headers", headers),
            ("access-control-allow-methods", allow),
            ("access-control-allow-origin", ALLOWED_ORIGIN),
            ("access-control-max-age", "60"),
            ("vary", PREFLIGHT_VARY),
        ]);
        for (server, origin, fields_told) in [
            (&some, ALLOWED_ORIGIN, own),
            (&some, "https://other.example", owned_fields(&[("vary", PREFLIGHT_VARY)])),
            (&without, ALLOWED_ORIGIN, Vec::new()),
        ] {
            let request = preflight_request(target, origin, method);
            // The server ignores the credential of a preflight.
            for request in [request.clone(), request.field("authorization", "Bearer panic")] {
                let response = server.send(&request);
                assert_eq!((response.status, response.body.len()), (204, 0), "{request:?}: {response:?}");
                assert_eq!(response.field("allow"), Some(allow), "{request:?}");
                assert_eq!(response.field("content-type").or(response.field("etag")), None, "{request:?}");
                assert_eq!(cors_fields(&response), fields_told, "{request:?}");
            }
        }
    }
}

#[test]
fn a_preflight_for_an_unknown_path_lists_no_methods() {
    for cors in [json!({ "origins": [ALLOWED_ORIGIN] }), json!({ "origins": ["*"] })] {
        let server = server_with_cors(Some(cors));
        for (target, status) in
            [("/api/no/such/uri", 404), ("/elsewhere", 404), ("/api/open/7", 404), ("/api/%FF", 400)]
        {
            let response = server.send(&preflight_request(target, ALLOWED_ORIGIN, "GET"));
            assert_eq!(
                (response.status, cors_fields(&response)),
                (status, owned_fields(&[("vary", PREFLIGHT_VARY)])),
                "{target}"
            );
        }
    }
}

#[test]
fn a_preflight_for_a_built_in_path_does_not_match_a_capture() {
    let header = json!({ "HEADER@X-Trace": { "info": "I", "type": "?string", "name": "trace" } });
    let capture = json!({ "{what}": { "info": "I", "type": "string" } });
    let input = |own: &Value| {
        let mut all = own.as_object().unwrap().clone();
        all.extend(capture.as_object().unwrap().clone());
        Value::Object(all)
    };
    let any = json!({ "{what}": { "GET": { "info": "I", "in": input(&header) } } });
    let app = json!({ "cors": { "origins": [ALLOWED_ORIGIN] }, "modules": { "any": { "/": any } } });
    let server = TestServer::echo(&[("app.json", app)]);
    let sent = |target: &str| {
        let response = server.send(&preflight_request(target, ALLOWED_ORIGIN, "GET"));
        response.field("access-control-allow-headers").unwrap().to_owned()
    };
    assert_eq!(sent("/captured"), format!("{ALLOWED_REQUEST_HEADERS}, x-trace"));
    for path in ["/openapi.json", "/healthz", "/docs"] {
        assert_eq!(sent(path), ALLOWED_REQUEST_HEADERS, "{path}");
    }
}

#[test]
fn pages_may_send_the_name_of_a_file_that_is_the_body() {
    let picture = json!({ "PUT": { "info": "I", "in": { "*": { "info": "I", "type": "file" } } } });
    let app = json!({ "cors": { "origins": [ALLOWED_ORIGIN] }, "modules": { "any": { "/": { "picture": picture } } } });
    let server = TestServer::echo(&[("app.json", app)]);
    let response = server.send(&preflight_request("/picture", ALLOWED_ORIGIN, "PUT"));
    let allowed = format!("{ALLOWED_REQUEST_HEADERS}, Content-Disposition");
    assert_eq!(response.field("access-control-allow-headers"), Some(&*allowed));
}

#[test]
fn requests_with_only_some_preflight_fields_are_not_preflights() {
    let server = server_with_cors(Some(json!({ "origins": [ALLOWED_ORIGIN] })));
    let asked = |request: Request| request.field("access-control-request-method", "GET");
    // A request without `Origin`, or with a method other than OPTIONS, is not a preflight.
    for (request, expected) in [
        (asked(Request::new("OPTIONS", "/api/open")), Request::new("OPTIONS", "/api/open")),
        (asked(Request::new("GET", "/api/open")), Request::new("GET", "/api/open")),
        (Request::new("OPTIONS", "/api/open").field("origin", ALLOWED_ORIGIN), Request::new("OPTIONS", "/api/open")),
    ] {
        let (response, expected) = (server.send(&request), server.send(&expected));
        assert_eq!((response.status, &response.body), (200, &expected.body), "{request:?}");
        assert!(!response.body.is_empty());
        assert_eq!(response.field("access-control-allow-methods"), None, "{request:?}");
    }
}

#[test]
fn cors_settings_without_effect_are_refused() {
    let report_of = |cors: &Value| {
        let app = json!({ "cors": cors, "modules": {} });
        match Rulebook::read(vec![("app.json".into(), app.to_string().into_bytes())]).check() {
            Ok(_) => String::new(),
            Err(report) => report.json_lines(),
        }
    };
    for good in [
        json!({ "origins": ["*"] }),
        json!({ "origins": ["null"] }),
        json!({ "origins": ["*"], "credentials": false, "max_age": 0 }),
        json!({ "origins": ["https://a.example", "http://127.0.0.1:8080", "http://[::1]:3000", "HTTPS://B.Example"] }),
        json!({ "origins": ["https://xn--bcher-kva.example", "capacitor://localhost"], "credentials": true }),
    ] {
        assert_eq!(report_of(&good), "", "{good}");
    }
    let cases = [
        (json!({}), "`cors` has no `origins`", "`\\\"origins\\\": [\\\"*\\\"]`"),
        (json!({ "origins": [] }), "`origins` is empty", "remove `cors`"),
        (json!({ "origins": ["*"], "credentials": true }), "pages of every origin", "list the origins"),
        (
            json!({ "origins": [ALLOWED_ORIGIN, "null"], "credentials": true }),
            "pages of every origin",
            "list the origins",
        ),
        (json!({ "origins": ["*", ALLOWED_ORIGIN] }), "`*` includes the other origins", "remove the other origins"),
        (json!({ "origins": ["https://a.example/"] }), "is not a valid origin", "write `https://a.example`"),
        (json!({ "origins": ["https://a.example/path?x#y"] }), "is not a valid origin", "write `https://a.example`"),
        (json!({ "origins": ["https://a.example:443"] }), "is not a valid origin", "write `https://a.example`"),
        (json!({ "origins": ["https://u:p@a.example"] }), "is not a valid origin", "write `https://a.example`"),
        (
            json!({ "origins": ["https://bücher.example"] }),
            "is not a valid origin",
            "write `https://xn--bcher-kva.example`",
        ),
        (json!({ "origins": ["a.example"] }), "is not a valid origin", "write for example"),
        (json!({ "origins": ["https://*.example"] }), "is not a valid origin", "write for example"),
        (json!({ "origins": ["file:///x"] }), "is not a valid origin", "write for example"),
        (json!({ "origins": [""] }), "is not a valid origin", "write for example"),
        (json!({ "origins": ["*"], "headers": ["X App"] }), "`X App` is not a valid header name", ""),
        (json!({ "origins": ["*"], "expose": ["*"] }), "`*` is not a valid header name", ""),
        (json!({ "origins": ["*"], "headers": ["X-A\r\nX-B: 1"] }), "is not a valid header name", ""),
    ];
    for (cors, message, help) in cases {
        let report = report_of(&cors);
        assert_eq!(report.lines().count(), 1, "{cors}: {report}");
        assert!(
            report.contains("\"bad-option\"") && report.contains(message) && report.contains(help),
            "{cors}: {report}"
        );
    }
    for (cors, message) in [
        (json!({ "origins": "*" }), "`origins` must be an array of strings, but this is a string"),
        (json!({ "origins": ["*", 1] }), "each item of `origins` must be a string, but this is the number 1"),
        (json!({ "origins": ["*"], "max_age": -1 }), "`max_age` must be an integer"),
    ] {
        let report = report_of(&cors);
        assert_eq!(report.lines().count(), 1, "{cors}: {report}");
        assert!(report.contains("\"wrong-kind\"") && report.contains(message), "{cors}: {report}");
    }
}
