//! The header fields of requests to the upstream.

use serde_json::json;

use super::fake::{self, field, request_line};
use super::{json_response, note_method, rulebook, serve, serve_note};
use rulebook_test::Client;

#[test]
fn the_id_of_the_request_and_its_trace_are_passed_on() {
    let fake = fake::respond(|_| json_response(r#"{"text":"a"}"#));
    let client = serve_note(&json!({ "http": fake.url("/") }));
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let response = client.get("/note").header("traceparent", trace).header("tracestate", "a=1").send();
    let request = fake.last_request();
    assert_eq!(field(&request, "x-request-id"), response.request_id());
    assert_eq!(field(&request, "traceparent"), Some(trace));
    assert_eq!(field(&request, "tracestate"), Some("a=1"));
    client.get("/note").send();
    assert_eq!(field(&fake.last_request(), "traceparent"), None);
}

#[test]
fn only_the_named_header_fields_are_forwarded() {
    let fake = fake::respond(|_| json_response(r#"{"text":"a"}"#));
    let client = serve_note(&json!({ "http": fake.url("/"), "forward": ["Accept-Language", "x-tenant", "X-Hop"] }));
    client
        .get("/note")
        .header("accept-language", "de")
        .header("X-Tenant", "one")
        .header("X-Other", "no")
        .header("Cookie", "session=secret")
        .header("X-Hop", "no")
        .header("Connection", "close, x-hop")
        .header("Keep-Alive", "timeout=5")
        .header("TE", "trailers")
        .header("Upgrade", "websocket")
        .header("X-Rulebook-Identity", "{\"name\":\"root\"}")
        .header("X-Forwarded-For", "1.2.3.4")
        .send();
    let request = fake.last_request();
    assert_eq!(field(&request, "accept-language"), Some("de"));
    assert_eq!(field(&request, "x-tenant"), Some("one"));
    let absent = [
        "x-other",
        "cookie",
        "x-hop",
        "connection",
        "keep-alive",
        "te",
        "upgrade",
        "x-rulebook-identity",
        "x-forwarded-for",
        "authorization",
    ];
    for name in absent {
        assert_eq!(field(&request, name), None, "{name}");
    }
    assert_eq!(field(&request, "host"), Some(fake.address.to_string().as_str()));
    assert_eq!(field(&request, "accept"), Some("application/json"));
}

#[test]
fn fixed_header_fields_replace_those_of_the_request_and_of_all_handlers() {
    let fake = fake::respond(|_| json_response(r#"{"text":"a"}"#));
    let handler = json!({
        "http": fake.url("/"), "forward": ["X-Tenant"], "headers": { "X-Tenant": "fixed", "X-Key": "own", "Host": "notes" }
    });
    let shared = json!({ "headers": { "$comment": "a key", "x-key": "shared", "X-All": "yes" } });
    let client = Client::new(rulebook(&json!({ "note": { "GET": note_method(&handler) } }), &shared)).unwrap();
    client.get("/note").header("X-Tenant", "other").send();
    let request = fake.last_request();
    for (name, value) in [("x-tenant", "fixed"), ("x-key", "own"), ("x-all", "yes"), ("host", "notes")] {
        assert_eq!(field(&request, name), Some(value), "{name}");
        assert_eq!(request.to_lowercase().matches(&format!("\r\n{name}:")).count(), 1, "{name}");
    }
}

#[test]
fn header_fields_and_the_base_can_contain_environment_variables() {
    let fake = fake::respond(|_| json_response(r#"{"text":"a"}"#));
    // cargo sets this variable for tests.
    let headers = json!({ "X-Package": "Name ${CARGO_PKG_NAME}", "X-Default": "${NO_SUCH_VARIABLE:-default}" });
    let shared = json!({ "base": fake.url("/${CARGO_PKG_NAME}"), "headers": headers });
    let services = json!({ "note": { "GET": note_method(&json!({ "http": "/notes" })) } });
    Client::new(rulebook(&services, &shared)).unwrap().get("/note").send();
    let request = fake.last_request();
    assert_eq!(request_line(&request), "GET /rulebook-http/notes HTTP/1.1");
    assert_eq!(field(&request, "x-package"), Some("Name rulebook-http"));
    assert_eq!(field(&request, "x-default"), Some("default"));
}

#[test]
fn the_identity_is_sent_only_if_the_definition_says_so() {
    let fake = fake::respond(|_| json_response(r#"{"text":"a"}"#));
    let method = |identity: bool| note_method(&json!({ "http": fake.url("/"), "identity": identity }));
    let client = serve(&json!({ "with": { "GET": method(true) }, "without": { "GET": method(false) } }));
    let name = "Ada \"é\u{1f600}\r\nX-Evil: 1\u{7f}";
    client.get("/with").identity(name, ["user[7]", "admin"]).header("X-Rulebook-Identity", "{}").send();
    let request = fake.last_request();
    let identity = field(&request, "x-rulebook-identity").unwrap();
    assert!(identity.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{identity}");
    let identity: serde_json::Value = serde_json::from_str(identity).unwrap();
    assert_eq!(identity, json!({ "name": name, "permissions": ["user[7]", "admin"] }));
    assert_eq!(field(&request, "x-evil"), None);
    for (path, is_anonymous) in [("/with", true), ("/without", false)] {
        let call = client.get(path).header("X-Rulebook-Identity", "{}");
        let call = if is_anonymous { call } else { call.identity("ada", ["admin"]) };
        assert_eq!(call.send().status(), 200);
        assert_eq!(field(&fake.last_request(), "x-rulebook-identity"), None, "{path}");
    }
}
