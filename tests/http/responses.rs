//! Tests responses as they are sent: status, header fields and bytes.

use serde_json::{Value, json};

use super::echo_server;
use crate::client::Request;

#[test]
fn a_head_request_gets_the_head_of_the_get_response_without_the_body() {
    let server = echo_server(&json!({}));
    for target in ["/echo?word=some", "/nowhere", "/echo?word=a&word=b"] {
        let mut connection = server.connect();
        let got = connection.send(&Request::new("GET", target));
        let headed = connection.send(&Request::new("HEAD", target));
        assert_eq!(headed.status, got.status, "{target}");
        for name in ["content-length", "content-type", "x-content-type-options"] {
            assert_eq!(headed.field(name), got.field(name), "{target}: {name}");
        }
        assert_eq!(got.field("content-length"), Some(got.body.len().to_string().as_str()));
        connection.assert_usable();
    }
    // A service without GET does not support HEAD.
    let headed = server.send(&Request::new("HEAD", "/locked"));
    assert_eq!((headed.status, headed.field("allow")), (405, Some("POST, OPTIONS")));
}

#[test]
fn json_responses_have_the_media_type_without_parameters() {
    let server = echo_server(&json!({}));
    let response = server.send(&Request::new("GET", "/echo?word=%C3%A9"));
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.field("content-type"), Some("application/json"));
    assert_eq!(response.field("x-content-type-options"), Some("nosniff"));
}

#[test]
fn an_options_request_gets_the_definition() {
    let server = echo_server(&json!({}));
    let response = server.send(&Request::new("OPTIONS", "/echo"));
    assert_eq!((response.status, response.field("allow")), (200, Some("GET, HEAD, POST, OPTIONS")));
    assert_eq!(response.field("content-type"), Some("application/json"));
    let definition: Value = response.json();
    assert!(definition.to_string().contains("A word in the query"), "{definition}");
    assert!(!definition.to_string().contains("For writers"), "it holds this service alone");
    for target in ["*", "/"] {
        let response = server.send(&Request::new("OPTIONS", target));
        assert!(response.json().to_string().contains("For writers"), "{target}");
    }
    server.send(&Request::new("OPTIONS", "/nowhere")).assert_error(404, "no service has this URI");
}

#[test]
fn a_method_that_the_service_does_not_have_gets_405_with_allow() {
    let server = echo_server(&json!({}));
    for method in ["PUT", "DELETE", "PATCH", "TRACE", "get", "PROPFIND"] {
        let response = server.send(&Request::new(method, "/echo"));
        response.assert_error(405, "the service does not support this method");
        assert_eq!(response.field("allow"), Some("GET, HEAD, POST, OPTIONS"));
    }
}

#[test]
fn a_panic_in_a_handler_is_an_internal_error() {
    let server = echo_server(&json!({}));
    let mut connection = server.connect();
    let response = connection.send(&Request::new("GET", "/echo").field("authorization", "Bearer panic"));
    response.assert_error(500, "the log has the reason under ");
    assert!(!String::from_utf8_lossy(&response.body).contains("panic"), "{response:?}");
    connection.assert_usable();
    let asking = Request::new("POST", "/echo")
        .field("authorization", "Bearer panic")
        .field("expect", "100-continue")
        .field("content-length", 9);
    server.send(&asking).assert_error(500, "the log has the reason under ");
}
