//! The errors of the upstream that become errors of the method.

use serde_json::json;

use super::fake::{self, Fake};
use super::serve_note;

fn respond_with(status: u16, body: &'static str) -> Fake {
    fake::respond(move |_| format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

#[test]
fn an_error_that_the_body_names_is_the_declared_error() {
    let fake = respond_with(400, r#"{"error":"locked","secret":"x"}"#);
    let response = serve_note(&json!({ "http": fake.url("/"), "errors": { "400": "no_note" } })).get("/note").send();
    assert_eq!((response.status(), response.json()["name"].as_str()), (423, Some("locked")));
    assert!(!response.text().contains("secret"));
}

#[test]
fn an_error_for_a_status_is_the_declared_error() {
    for body in ["", "not JSON", r#"{"error":"unknown"}"#, r#"{"error":5}"#, "[]"] {
        let fake = respond_with(410, body);
        let handler = json!({ "http": fake.url("/"), "errors": { "410": "no_note" } });
        let response = serve_note(&handler).get("/note").send();
        assert_eq!((response.status(), response.json()["name"].as_str()), (404, Some("no_note")), "{body}");
    }
}

#[test]
fn a_success_that_names_an_error_is_a_success() {
    let fake = respond_with(200, r#"{"text":"a","error":"locked"}"#);
    assert_eq!(serve_note(&json!({ "http": fake.url("/") })).get("/note").send().output("text"), "a");
}

#[test]
fn all_other_statuses_are_a_bad_gateway_without_details() {
    for status in [300, 302, 304, 400, 401, 404, 418, 429, 500, 502, 503, 504, 599] {
        let fake = respond_with(status, if status == 304 { "" } else { r#"{"error":"secret"}"# });
        let client = serve_note(&json!({ "http": fake.url("/hidden") }));
        let response = client.get("/note").send();
        assert_eq!((response.status(), response.code()), (502, Some("bad-gateway")), "{status}");
        for hidden in ["secret", "hidden", "127.0.0.1", &fake.address.port().to_string()] {
            assert!(!response.text().contains(hidden), "{}", response.text());
        }
        client.get("/note").send();
        assert_eq!(fake.opened(), 1, "the connection is used again after the status {status}");
    }
}

#[test]
fn redirects_are_not_followed() {
    let other = fake::respond(|_| super::json_response(r#"{"text":"other"}"#));
    let location = other.url("/");
    let fake = fake::respond(move |_| {
        format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
    });
    let response = serve_note(&json!({ "http": fake.url("/") })).get("/note").send();
    assert_eq!((response.status(), response.header("location")), (502, None));
    assert_eq!(other.opened(), 0);
}

#[test]
fn an_upstream_that_refuses_connections_is_unavailable() {
    let (_socket, refusing) = fake::refuse_connections();
    let client = serve_note(&json!({ "http": format!("http://{refusing}/") }));
    let response = client.get("/note").send();
    assert_eq!((response.status(), response.code()), (503, Some("unavailable")));
    assert!(!response.text().contains(&refusing.port().to_string()));
    let client = serve_note(&json!({ "http": "http://host.invalid/" }));
    assert_eq!(client.get("/note").send().status(), 503);
}
