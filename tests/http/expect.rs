//! Tests requests with the field `Expect`. actix sends `100 Continue` before the stages of a request run.

use rulebook::{Authenticate, Authentication, Head, Rulebook, Unbound};
use serde_json::json;

use super::echo_server;
use crate::client::{Request, TestServer};

const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

fn expecting(method: &str, target: &str, media_type: &str, length: u64) -> Request {
    Request::new(method, target)
        .field("content-type", media_type)
        .field("content-length", length)
        .field("expect", "100-continue")
}

#[test]
fn a_client_that_waits_for_100_continue_can_send_its_body() {
    let server = echo_server(&json!({}));
    let mut connection = server.connect();
    let request = expecting("POST", "/locked", FORM_MEDIA_TYPE, 9).field("authorization", r#"Bearer ["writer"]"#);
    connection.write(&request.head());
    assert!(connection.read_more());
    assert_eq!(connection.unread, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert!(connection.is_silent());
    connection.write(b"text=word");
    connection.read_response(false).assert_args(&json!({ "text": "word" }));
    connection.assert_usable();
}

#[test]
fn a_refused_client_gets_the_error_before_it_sends_its_body() {
    let server = echo_server(&json!({}));
    let vault = "multipart/form-data; boundary=XX";
    let keyed = expecting("PUT", "/vault", vault, 10_000_000_000).field("authorization", "Bearer nobody");
    let cases = [
        (expecting("POST", "/nowhere", FORM_MEDIA_TYPE, 9), 404, "no service has this URI"),
        (expecting("PUT", "/echo", FORM_MEDIA_TYPE, 9), 405, "GET, HEAD, POST, OPTIONS"),
        (expecting("POST", "/locked", FORM_MEDIA_TYPE, 9), 401, "a credential is required"),
        (keyed, 401, "the credential is invalid"),
        (expecting("POST", "/echo", FORM_MEDIA_TYPE, 2_000_000), 413, "over the limit `body`"),
        (expecting("POST", "/echo", "text/csv", 9), 415, "text/csv"),
        (expecting("POST", "/file", vault, 100_000_000), 413, "over the limit `multipart`"),
    ];
    for (request, status, words) in cases {
        let mut connection = server.connect();
        connection.write(&request.head());
        let response = connection.read_response(false);
        response.assert_error(status, words);
        assert_eq!(response.field("connection"), Some("close"), "the body was not read");
        connection.assert_closed();
    }
    assert_eq!(server.temporary_files(), 0);
}

#[test]
fn expectations_other_than_100_continue_are_refused() {
    let server = echo_server(&json!({}));
    for expectation in ["200-ok", "100-continue, more=1", "100-continues"] {
        let request = Request::new("POST", "/echo").field("expect", expectation).body(FORM_MEDIA_TYPE, "text=word");
        server.send(&request).assert_error(417, "the only supported expectation is 100-continue");
    }
    let request = Request::new("POST", "/echo").field("expect", "100-Continue").body(FORM_MEDIA_TYPE, "text=word");
    server.send(&request).assert_args(&json!({ "text": "word" }));
}

#[test]
fn a_document_is_compressed_for_a_client_that_expects_100_continue() {
    let server = echo_server(&json!({}));
    let request = Request::new("GET", "/openapi.json").field("accept-encoding", "gzip");
    let (expecting, plain) = (server.send(&request.clone().field("expect", "100-continue")), server.send(&request));
    assert_eq!(expecting.field("content-encoding"), Some("gzip"));
    assert_eq!((expecting.status, &expecting.body), (200, &plain.body));
}

/// An authenticator that always panics.
struct PanickingAuthenticator;

impl Authenticate for PanickingAuthenticator {
    async fn authenticate(&self, _: &Head) -> Authentication {
        panic!("the authenticator panicked");
    }
}

#[test]
fn a_panic_while_a_document_is_generated_is_reported_in_json_and_not_in_jsonp() {
    let definition = json!({ "jsonp": true, "modules": { "site": { "GET": { "info": "Nothing" } } } });
    let rulebook = Rulebook::read(vec![("app.json".into(), definition.to_string().into_bytes())]);
    let engine = rulebook.authenticator(PanickingAuthenticator).unbound(Unbound::Echo).build();
    let server = TestServer::start(&engine.unwrap_or_else(|report| panic!("{report}")));
    let request = Request::new("GET", "/openapi.json?as=me&callback=cb");
    for request in [request.clone(), request.field("expect", "100-continue")] {
        let response = server.send(&request);
        response.assert_error(500, "the log has the reason under ");
        assert_eq!(response.field("content-type"), Some("application/json"), "{response:?}");
    }
}
