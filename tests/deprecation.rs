//! Tests how responses and documents show that methods are deprecated, and that methods end at their
//! `sunset`.

use rulebook::Rulebook;
use rulebook_model::describe;
use serde_json::{Value, json};

use crate::client::{Request, Response, TestServer};

/// The definition of an API below `/v1`, whose old methods have ended, end later, or have no end.
fn definition(settings: &Value) -> Vec<(&'static str, Value)> {
    let old = |options: Value| json!({ "info": "Old", "options": options });
    let closed = |options: Value| json!({ "info": "Old", "scope": [["reader"]], "options": options });
    let text = json!({ "text": { "info": "A text", "type": "string" } });
    let id = json!({ "{id}": { "info": "The id", "type": "id" } });
    let mut app = json!({ "base": "/v1", "envelope": "plain" });
    app.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let site = json!({ "/": {
        "new list": { "GET": { "id": "new.list", "info": "New" } },
        "new": { "/": { "{id}": { "GET": { "id": "new.read", "info": "New", "in": id } } } },
        "secret": { "GET": { "id": "secret", "info": "Secret", "scope": [["admin"]] } },
        "flag": { "GET": old(json!({ "deprecated": true })) },
        "dated": { "GET": old(json!({ "deprecated": "2026-12-01", "successor": "new.list" })) },
        "ending": {
            "GET": old(json!({ "deprecated": true, "sunset": "2999-01-01T12:00:00Z", "successor": "new.read" })),
            "DELETE": closed(json!({ "deprecated": true, "sunset": "2999-01-01", "successor": "secret" }))
        },
        "ended": {
            "GET": old(json!({ "deprecated": "2000-06-01", "sunset": "2001-01-01", "successor": "new.list" })),
            "POST": { "info": "Old", "in": text, "options": { "deprecated": true, "sunset": "2001-01-01" } },
            "DELETE": closed(json!({ "deprecated": true, "sunset": "2001-01-01", "successor": "new.read" }))
        }
    } });
    vec![("app.json", app), ("site.json", site)]
}

fn server(settings: &Value) -> TestServer {
    TestServer::echo(&definition(settings))
}

/// Returns the fields of a response that clients of deprecated methods read, sorted by name.
fn fields(response: &Response) -> Vec<(&str, &str)> {
    let fields = response.head.lines().filter_map(|line| line.split_once(": "));
    let mut fields: Vec<_> = fields.filter(|(name, _)| ["deprecation", "sunset", "link"].contains(name)).collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
}

fn page(method: &str, relation: &str) -> String {
    format!("</docs/methods/{method}>; rel=\"{relation}\"; type=\"text/html\"")
}

#[test]
fn responses_of_deprecated_methods_have_the_dates_and_links() {
    let server = server(&json!({}));
    let next = "</v1/new%20list>; rel=\"successor-version\"";
    let (flag, dated) = (page("flag.get", "deprecation"), page("dated.get", "deprecation"));
    let (read, remove) = (page("ending.get", "deprecation sunset"), page("ending.delete", "deprecation sunset"));
    let cases = [
        ("GET", "/v1/new%20list", 200, vec![]),
        ("GET", "/v1/flag", 200, vec![("link", &*flag)]),
        ("GET", "/v1/flag?callback=1x", 200, vec![("link", &*flag)]),
        ("HEAD", "/v1/dated", 200, vec![("deprecation", "@1796083200"), ("link", &*dated), ("link", next)]),
        // A link cannot contain the path of the method that replaces this one, which has a capture.
        ("GET", "/v1/ending", 200, vec![("link", &*read), ("sunset", "Tue, 01 Jan 2999 12:00:00 GMT")]),
        ("DELETE", "/v1/ending", 401, vec![]),
        ("PUT", "/v1/ending", 405, vec![]),
    ];
    for (method, target, status, expected) in cases {
        let response = server.send(&Request::new(method, target));
        assert_eq!((response.status, fields(&response)), (status, expected), "{method} {target}");
    }
    let permitted = server.send(&Request::new("DELETE", "/v1/ending").scope(&["reader"]));
    let expected = vec![
        ("link", &*remove),
        ("link", "</v1/secret>; rel=\"successor-version\""),
        ("sunset", "Tue, 01 Jan 2999 00:00:00 GMT"),
    ];
    assert_eq!((permitted.status, fields(&permitted)), (200, expected));
}

#[test]
fn a_method_is_gone_after_its_sunset_before_the_body_is_read() {
    let server = server(&json!({}));
    let response = server.send(&Request::new("GET", "/v1/ended"));
    assert_eq!(response.status, 410);
    let message = "this method is no longer available since 2001-01-01; use GET /v1/new list instead";
    let body = response.json();
    assert_eq!((&body["code"], &body["detail"]), (&json!("method-gone"), &json!(message)), "{body}");
    assert_eq!(body["successor"], "GET /v1/new list");
    let names: Vec<_> = fields(&response).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["deprecation", "link", "link", "sunset"]);
    // The body never arrives.
    let waiting = Request::new("POST", "/v1/ended").field("content-type", "application/json");
    let response = server.send(&waiting.field("content-length", 100).field("expect", "100-continue"));
    response.assert_error(410, "this method is no longer available since 2001-01-01");
    // Also a client without the permission learns that the method is gone, but not with an invalid credential.
    for (request, status) in [
        (Request::new("DELETE", "/v1/ended"), 410),
        (Request::new("DELETE", "/v1/ended").scope(&["other"]), 410),
        (Request::new("DELETE", "/v1/ended").field("authorization", "Bearer x"), 401),
    ] {
        assert_eq!(server.send(&request).status, status, "{request:?}");
    }
}

#[test]
fn what_is_hidden_from_a_caller_stays_hidden() {
    let server = server(&json!({ "options": "own" }));
    for (request, status) in [
        (Request::new("DELETE", "/v1/ended"), 401),
        (Request::new("DELETE", "/v1/ended").scope(&["other"]), 403),
        (Request::new("DELETE", "/v1/ended").scope(&["reader"]), 410),
        (Request::new("GET", "/v1/ended"), 410),
    ] {
        let response = server.send(&request);
        assert_eq!(response.status, status, "{request:?}");
        assert_eq!(fields(&response).is_empty(), status != 410, "{request:?}");
    }
    let response = server.send(&Request::new("DELETE", "/v1/ending").scope(&["reader"]));
    assert!(!response.head.contains("secret"), "{}", response.head);
}

#[test]
fn every_envelope_can_send_the_error_of_a_method_that_is_gone() {
    for (envelope, status, member, value) in [
        ("plain", 410, "code", json!("method-gone")),
        ("aicra", 410, "error", json!(203)),
        ("phalapi", 200, "ret", json!(410)),
    ] {
        let response = server(&json!({ "envelope": envelope })).send(&Request::new("GET", "/v1/ended"));
        assert_eq!((response.status, &response.json()[member]), (status, &value), "{envelope}");
    }
}

#[test]
fn pages_of_other_origins_can_read_the_fields() {
    let server = server(&json!({ "cors": { "origins": ["*"] } }));
    let response = server.send(&Request::new("GET", "/v1/dated").field("origin", "https://a.example"));
    let exposed = response.field("access-control-expose-headers").unwrap();
    for name in ["Deprecation", "Sunset", "Link"] {
        assert!(exposed.split(", ").any(|field| field == name), "{exposed}");
    }
}

#[test]
fn documents_name_the_dates_and_the_successor() {
    let files = definition(&json!({})).into_iter();
    let files = files.map(|(name, json)| (name.into(), json.to_string().into_bytes())).collect();
    let api = Rulebook::read(files).check().unwrap_or_else(|report| panic!("{report}"));
    let document = describe::openapi(&api);
    let operation = &document["paths"]["/v1/ended"]["get"];
    assert_eq!((&operation["deprecated"], &operation["x-sunset"]), (&json!(true), &json!("2001-01-01")));
    let description = "Deprecated since 2000-06-01, available until 2001-01-01; use `new.list` instead.";
    assert_eq!(operation["description"], description);
    assert!(operation["responses"]["410"].is_object(), "{operation:#}");
    let declarations = describe::typescript(&api);
    let tag = "@deprecated since 2000-06-01, available until 2001-01-01; use new.list instead";
    assert!(declarations.contains(tag), "{declarations}");
}
