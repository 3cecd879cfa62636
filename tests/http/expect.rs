//! `100 Continue` is sent where a body will be read, and nowhere else.

use std::time::{Duration, Instant};

use serde_json::json;

use super::echo;
use crate::client::{Connection, Request, Site};

const FORM: &str = "application/x-www-form-urlencoded";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

fn asking(method: &str, target: &str, media_type: &str, length: u64) -> Request {
    Request::new(method, target)
        .field("content-type", media_type)
        .field("content-length", length)
        .field("expect", "100-continue")
}

/// Sends a head, and waits for what the server says to it.
fn ask(site: &Site, request: &Request) -> Connection {
    let mut connection = site.connect();
    connection.write(&request.head());
    connection
}

#[test]
fn a_permitted_client_is_told_to_go_on() {
    let site = echo(&json!({}));
    let request = asking("POST", "/locked", FORM, 9).field("authorization", r#"Bearer ["writer"]"#);
    let mut connection = ask(&site, &request);
    let interim = connection.answer(false);
    assert_eq!((interim.status, interim.head.as_str()), (100, CONTINUE));
    assert!(connection.is_silent());
    connection.write(b"text=word");
    connection.answer(false).assert_args(&json!({ "text": "word" }));
    connection.assert_usable();
}

#[test]
fn a_refusal_comes_instead() {
    let site = echo(&json!({}));
    let keyed = |key: &str| asking("POST", "/locked", FORM, 9).field("authorization", format!("Bearer {key}"));
    let cases = [
        (asking("POST", "/nowhere", FORM, 9), 404, "no service has this URI"),
        (asking("PUT", "/echo", FORM, 9), 405, "GET, HEAD, POST, OPTIONS"),
        (asking("POST", "/locked", FORM, 9), 401, "a credential is needed"),
        (keyed("nobody"), 401, "the credential is not valid"),
        (asking("POST", "/echo", FORM, 2_000_000), 413, "over the limit `body`"),
        (asking("POST", "/echo", "text/csv", 9), 415, "text/csv"),
        (asking("POST", "/file", "multipart/form-data", 9), 400, "boundary"),
        (asking("POST", "/file", "multipart/form-data; boundary=XX", 100_000_000), 413, "over the limit `multipart`"),
    ];
    let asked = cases.map(|(request, status, words)| {
        let mut connection = ask(&site, &request);
        let answer = connection.answer(false);
        answer.assert_refused(status, words);
        assert_eq!(answer.field("connection"), Some("close"), "the body was not read");
        connection
    });
    asked.into_iter().for_each(Connection::assert_closed);
}

#[test]
fn what_is_no_service_is_read_all_the_same() {
    let site = echo(&json!({}));
    for path in ["/index.html", "/static/", "/docs/swagger/", "/openapi.json", "/healthz"] {
        let mut connection = ask(&site, &Request::new("GET", path).field("expect", "100-continue"));
        let mut answer = connection.answer(false);
        if answer.status == 100 {
            answer = connection.answer(false);
        }
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    let mut connection = ask(&site, &asking("POST", "/docs/none", FORM, 9));
    connection.answer(false).assert_refused(404, "no service has this URI");
}

#[test]
fn a_refused_client_with_a_body_in_chunks_is_left() {
    let site = echo(&json!({}));
    let request = Request::new("POST", "/locked")
        .field("content-type", FORM)
        .field("transfer-encoding", "chunked")
        .field("expect", "100-continue");
    let mut connection = ask(&site, &request);
    connection.answer(false).assert_refused(401, "a credential is needed");
    connection.assert_closed();
}

#[test]
fn a_huge_upload_with_a_bad_key_costs_nothing() {
    let site = echo(&json!({}));
    let request = asking("PUT", "/vault", "multipart/form-data; boundary=XX", 10_000_000_000)
        .field("authorization", "Bearer nobody");
    let started = Instant::now();
    let mut connection = ask(&site, &request);
    connection.answer(false).assert_refused(401, "the credential is not valid");
    assert!(started.elapsed() < Duration::from_secs(5));
    connection.assert_closed();
    assert_eq!(site.temporary(), 0);
}

#[test]
fn another_expectation_is_refused() {
    let site = echo(&json!({}));
    for expectation in ["200-ok", "100-continue, more=1", "100-continues"] {
        let request = Request::new("POST", "/echo").field("expect", expectation).body(FORM, "text=word");
        site.send(&request).assert_refused(417, "the only expectation that is met is 100-continue");
    }
    let request = Request::new("POST", "/echo").field("expect", "100-Continue").body(FORM, "text=word");
    let mut connection = site.connect();
    connection.write(&request.bytes());
    assert_eq!(connection.answer(false).status, 100);
    connection.answer(false).assert_args(&json!({ "text": "word" }));
}

#[test]
fn a_client_that_expects_nothing_is_told_nothing() {
    let site = echo(&json!({}));
    let mut connection = site.connect();
    let request = Request::new("POST", "/echo").body(FORM, "text=word");
    connection.write(&request.head());
    assert!(connection.is_silent());
    connection.write(&request.body);
    connection.answer(false).assert_args(&json!({ "text": "word" }));
}
