//! Tests that the server sends `100 Continue` if it will read the body, and in no other case.

use std::time::{Duration, Instant};

use rulebook::{Authenticate, Authentication, Head, Rulebook, Unbound};
use serde_json::json;

use super::echo_server;
use crate::client::{Connection, Request, TestServer};

const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";
const CONTINUE_RESPONSE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

fn request_expecting_continue(method: &str, target: &str, media_type: &str, length: u64) -> Request {
    Request::new(method, target)
        .field("content-type", media_type)
        .field("content-length", length)
        .field("expect", "100-continue")
}

/// Opens a connection and sends the head of a request, without its body.
fn send_head(server: &TestServer, request: &Request) -> Connection {
    let mut connection = server.connect();
    connection.write(&request.head());
    connection
}

#[test]
fn a_permitted_client_gets_100_continue() {
    let server = echo_server(&json!({}));
    let request = request_expecting_continue("POST", "/locked", FORM_MEDIA_TYPE, 9)
        .field("authorization", r#"Bearer ["writer"]"#);
    let mut connection = send_head(&server, &request);
    let interim = connection.read_response(false);
    assert_eq!((interim.status, interim.head.as_str()), (100, CONTINUE_RESPONSE));
    assert!(connection.is_silent());
    connection.write(b"text=word");
    connection.read_response(false).assert_args(&json!({ "text": "word" }));
    connection.assert_usable();
}

#[test]
fn a_refused_client_gets_the_error_instead_of_100_continue() {
    let server = echo_server(&json!({}));
    let keyed = |key: &str| {
        request_expecting_continue("POST", "/locked", FORM_MEDIA_TYPE, 9)
            .field("authorization", format!("Bearer {key}"))
    };
    let cases = [
        (request_expecting_continue("POST", "/nowhere", FORM_MEDIA_TYPE, 9), 404, "no service has this URI"),
        (request_expecting_continue("PUT", "/echo", FORM_MEDIA_TYPE, 9), 405, "GET, HEAD, POST, OPTIONS"),
        (request_expecting_continue("POST", "/locked", FORM_MEDIA_TYPE, 9), 401, "a credential is required"),
        (keyed("nobody"), 401, "the credential is invalid"),
        (request_expecting_continue("POST", "/echo", FORM_MEDIA_TYPE, 2_000_000), 413, "over the limit `body`"),
        (request_expecting_continue("POST", "/echo", "text/csv", 9), 415, "text/csv"),
        (request_expecting_continue("POST", "/file", "multipart/form-data", 9), 400, "boundary"),
        (
            request_expecting_continue("POST", "/file", "multipart/form-data; boundary=XX", 100_000_000),
            413,
            "over the limit `multipart`",
        ),
    ];
    let asked = cases.map(|(request, status, words)| {
        let mut connection = send_head(&server, &request);
        let response = connection.read_response(false);
        response.assert_error(status, words);
        assert_eq!(response.field("connection"), Some("close"), "the body was not read");
        connection
    });
    asked.into_iter().for_each(Connection::assert_closed);
}

#[test]
fn pages_and_documents_respond_to_clients_that_expect_100_continue() {
    let server = echo_server(&json!({}));
    for path in ["/docs/", "/static/theme.css", "/docs/swagger/", "/openapi.json", "/healthz"] {
        let mut connection = send_head(&server, &Request::new("GET", path).field("expect", "100-continue"));
        let mut response = connection.read_response(false);
        if response.status == 100 {
            response = connection.read_response(false);
        }
        assert_eq!(response.status, 200, "{path}: {response:?}");
    }
    let mut connection = send_head(&server, &request_expecting_continue("POST", "/docs/none", FORM_MEDIA_TYPE, 9));
    connection.read_response(false).assert_error(404, "no service has this URI");
}

#[test]
fn the_connection_of_a_refused_client_with_a_chunked_body_is_closed() {
    let server = echo_server(&json!({}));
    let request = Request::new("POST", "/locked")
        .field("content-type", FORM_MEDIA_TYPE)
        .field("transfer-encoding", "chunked")
        .field("expect", "100-continue");
    let mut connection = send_head(&server, &request);
    connection.read_response(false).assert_error(401, "a credential is required");
    connection.assert_closed();
}

#[test]
fn a_huge_upload_with_an_invalid_key_is_refused_before_it_is_sent() {
    let server = echo_server(&json!({}));
    let request = request_expecting_continue("PUT", "/vault", "multipart/form-data; boundary=XX", 10_000_000_000)
        .field("authorization", "Bearer nobody");
    let started = Instant::now();
    let mut connection = send_head(&server, &request);
    connection.read_response(false).assert_error(401, "the credential is invalid");
    assert!(started.elapsed() < Duration::from_secs(5));
    connection.assert_closed();
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
    let mut connection = server.connect();
    connection.write(&request.bytes());
    assert_eq!(connection.read_response(false).status, 100);
    connection.read_response(false).assert_args(&json!({ "text": "word" }));
}

#[test]
fn a_client_without_an_expectation_gets_no_100_continue() {
    let server = echo_server(&json!({}));
    let mut connection = server.connect();
    let request = Request::new("POST", "/echo").body(FORM_MEDIA_TYPE, "text=word");
    connection.write(&request.head());
    assert!(connection.is_silent());
    connection.write(&request.body);
    connection.read_response(false).assert_args(&json!({ "text": "word" }));
}

#[test]
fn a_method_that_reads_no_body_responds_without_100_continue() {
    let server = echo_server(&json!({}));
    let mut connection = send_head(&server, &request_expecting_continue("GET", "/echo?word=a", FORM_MEDIA_TYPE, 9));
    let response = connection.read_response(false);
    response.assert_args(&json!({ "word": "a" }));
    assert_eq!(response.field("connection"), Some("close"), "the body was not read");
    // The request has no body, so that the connection can be used again.
    let mut connection = send_head(&server, &Request::new("GET", "/echo?word=a").field("expect", "100-continue"));
    connection.read_response(false).assert_args(&json!({ "word": "a" }));
    connection.assert_usable();
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
