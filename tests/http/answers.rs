//! Responses as they are sent.

use serde_json::{Value, json};

use super::echo;
use crate::client::{Request, frame};

#[test]
fn head_returns_the_head_of_get_without_the_body() {
    let site = echo(&json!({}));
    for target in ["/echo?word=some", "/nowhere", "/echo?word=a&word=b"] {
        let mut connection = site.connect();
        let got = connection.ask(&Request::new("GET", target));
        let headed = connection.ask(&Request::new("HEAD", target));
        assert_eq!(headed.status, got.status, "{target}");
        for name in ["content-length", "content-type", "x-content-type-options"] {
            assert_eq!(headed.field(name), got.field(name), "{target}: {name}");
        }
        assert_eq!(got.field("content-length"), Some(got.body.len().to_string().as_str()));
        connection.assert_usable();
    }
    // Without GET there is no HEAD.
    let headed = site.send(&Request::new("HEAD", "/locked"));
    assert_eq!((headed.status, headed.field("allow")), (405, Some("POST, OPTIONS")));
}

#[test]
fn json_responses_have_the_plain_media_type() {
    let site = echo(&json!({}));
    let answer = site.send(&Request::new("GET", "/echo?word=%C3%A9"));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.field("content-type"), Some("application/json"));
    assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
}

#[test]
fn options_returns_the_definition() {
    let site = echo(&json!({}));
    let answer = site.send(&Request::new("OPTIONS", "/echo"));
    assert_eq!((answer.status, answer.field("allow")), (200, Some("GET, HEAD, POST, OPTIONS")));
    assert_eq!(answer.field("content-type"), Some("application/json"));
    let definition: Value = answer.json();
    assert!(definition.to_string().contains("A word in the query"), "{definition}");
    assert!(!definition.to_string().contains("For writers"), "it holds this service alone");
    for target in ["*", "/"] {
        let answer = site.send(&Request::new("OPTIONS", target));
        assert!(answer.json().to_string().contains("For writers"), "{target}");
    }
    site.send(&Request::new("OPTIONS", "/nowhere")).assert_refused(404, "no service has this URI");
}

#[test]
fn methods_of_a_service_are_distinguished() {
    let site = echo(&json!({}));
    for method in ["PUT", "DELETE", "PATCH", "TRACE", "get", "PROPFIND"] {
        let answer = site.send(&Request::new(method, "/echo"));
        answer.assert_refused(405, "the service does not support this method");
        assert_eq!(answer.field("allow"), Some("GET, HEAD, POST, OPTIONS"));
    }
}

#[test]
fn a_panic_of_the_program_is_an_internal_error() {
    let site = echo(&json!({}));
    let mut connection = site.connect();
    let answer = connection.ask(&Request::new("GET", "/echo").field("authorization", "Bearer panic"));
    answer.assert_refused(500, "the log has the reason under ");
    assert!(!String::from_utf8_lossy(&answer.body).contains("panic"), "{answer:?}");
    connection.assert_usable();
    let asking = Request::new("POST", "/echo")
        .field("authorization", "Bearer panic")
        .field("expect", "100-continue")
        .field("content-length", 9);
    site.send(&asking).assert_refused(500, "the log has the reason under ");
}

#[test]
fn http2_clients_get_http2_responses() {
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    let site = echo(&json!({}));
    let mut connection = site.connect();
    connection.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    connection.write(&frame(SETTINGS, 0, 0, &[]));
    // POST, http, and the path `/echo` as a literal (RFC 7541 section 6), without a length.
    let fields = [&[0x83, 0x86, 0x44, 5][..], b"/echo", &[0x41, 4], b"test"].concat();
    connection.write(&frame(HEADERS, 0x4, 1, &fields));
    connection.write(&frame(DATA, 0, 1, b"text="));
    connection.write(&frame(DATA, 0x1, 1, b"word"));
    let (mut status, mut body) = (None, Vec::new());
    loop {
        while connection.ahead.len() < 9 {
            assert!(connection.more());
        }
        let length = usize::from(connection.ahead[1]) << 8 | usize::from(connection.ahead[2]);
        while connection.ahead.len() < 9 + length {
            assert!(connection.more());
        }
        let frame: Vec<u8> = connection.ahead.drain(..9 + length).collect();
        match frame[3] {
            HEADERS => status = Some(frame[9]),
            DATA => body.extend(&frame[9..]),
            _ => {}
        }
        if frame[8] == 1 && frame[4] & 1 == 1 {
            break;
        }
    }
    assert_eq!(status, Some(0x88), "`:status 200` of the static table");
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(answer["args"]["text"], "word");
}
