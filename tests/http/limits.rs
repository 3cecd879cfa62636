//! Tests the limits of requests: exceeding a limit is an error that names the limit, as soon as the limit is exceeded.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use super::echo_server;
use crate::client::{self, Request};

const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

fn text_field_of_length(length: usize) -> Vec<u8> {
    let mut body = b"text=".to_vec();
    body.resize(length, b'x');
    body
}

#[test]
fn a_body_over_its_limit_is_refused() {
    let server = echo_server(&json!({}));
    let most = 1 << 20;
    let whole = text_field_of_length(most);
    let response = server.send(&Request::new("POST", "/echo").body(FORM_MEDIA_TYPE, whole.clone()));
    assert_eq!(response.json()["args"]["text"].as_str().map(str::len), Some(most - 5));
    let chunks: Vec<_> = whole.chunks(100_000).collect();
    let response = server.send(&Request::new("POST", "/echo").chunked(FORM_MEDIA_TYPE, &chunks));
    assert_eq!(response.json()["args"]["text"].as_str().map(str::len), Some(most - 5));

    let over = "over the limit `body` of 1048576 bytes";
    server
        .send(&Request::new("POST", "/echo").body(FORM_MEDIA_TYPE, text_field_of_length(most + 1)))
        .assert_error(413, over);
    let long = text_field_of_length(most + 1);
    let chunks: Vec<_> = long.chunks(100_000).collect();
    server.send(&Request::new("POST", "/echo").chunked(FORM_MEDIA_TYPE, &chunks)).assert_error(413, over);
}

#[test]
fn each_exceeded_limit_is_named_in_its_error() {
    let limits = json!({
        "head": 400, "uri": 100, "body": 50, "multipart": 1000, "part": 200, "parts": 3,
        "fields": 3, "nesting": 3, "items": 3
    });
    let server = echo_server(&limits);
    let post = |target: &str| Request::new("POST", target);
    let long = "x".repeat(300);
    let parts = |count: usize| vec![("name=\"note\"", b"".as_slice()); count];
    let cases = [
        ("uri", 414, Request::new("GET", format!("/echo?word={long}"))),
        ("head", 431, Request::new("GET", "/echo").field("x-long", "x".repeat(400))),
        ("body", 413, post("/echo").body(FORM_MEDIA_TYPE, text_field_of_length(51))),
        ("fields", 413, post("/echo").body(FORM_MEDIA_TYPE, "a=1&b=2&c=3&d=4")),
        ("nesting", 413, post("/echo").body("application/json", r#"{"text": [[[1]]]}"#)),
        ("items", 413, post("/echo").body("application/json", r#"{"text": [1, 2, 3, 4]}"#)),
        ("multipart", 413, post("/file").multipart(&[("name=\"file\"; filename=\"a\"", "x".repeat(1000).as_bytes())])),
        ("part", 413, post("/file").multipart(&[("name=\"file\"; filename=\"a\"", "x".repeat(201).as_bytes())])),
        ("part", 413, post("/file").multipart(&[("name=\"note\"", "x".repeat(201).as_bytes())])),
        ("body", 413, post("/file").multipart(&[("name=\"note\"", "x".repeat(51).as_bytes())])),
        ("parts", 413, post("/file").multipart(&parts(4))),
    ];
    for (name, status, request) in cases {
        server.send(&request).assert_error(status, &format!("over the limit `{name}` of "));
    }
    server.assert_no_temporary_files();
}

#[test]
fn limits_of_the_request_head_apply_to_built_in_paths_too() {
    let server = echo_server(&json!({ "head": 400, "uri": 100 }));
    for path in ["/healthz", "/metrics", "/openapi.json", "/llms.txt", "/docs/", "/static/", "/-/downloads/x"] {
        let long = Request::new("GET", format!("{path}?{}", "x".repeat(100)));
        server.send(&long).assert_error(414, "over the limit `uri` of ");
        let large = Request::new("GET", path).field("x-long", "x".repeat(400));
        server.send(&large).assert_error(431, "over the limit `head` of ");
    }
}

#[test]
fn json_nested_as_deep_as_the_highest_limit_is_accepted() {
    let server = echo_server(&json!({ "nesting": 126 }));
    let nested = |levels| format!(r#"{{"text": {}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    let post = |body: String| server.send(&Request::new("POST", "/echo").body("application/json", body));
    post(nested(125)).assert_error(400, "text in the body: expected a string");
    post(nested(126)).assert_error(413, "over the limit `nesting` of 126 levels");
}

#[test]
fn requests_within_all_limits_succeed() {
    let server = echo_server(&json!({ "body": 50, "multipart": 1000, "part": 200, "parts": 3 }));
    let content = "x".repeat(200);
    let request = Request::new("POST", "/file").multipart(&[
        ("name=\"file\"; filename=\"a.txt\"", content.as_bytes()),
        ("name=\"note\"", "n".repeat(50).as_bytes()),
        ("name=\"other\"", b""),
    ]);
    let file = json!({ "filename": "a.txt", "size": 200, "media_type": "text/plain" });
    server.send(&request).assert_args(&json!({ "file": file, "note": "n".repeat(50) }));
}

#[test]
fn an_error_names_the_multipart_part_that_exceeds_a_limit() {
    let server = echo_server(&json!({ "part": 10 }));
    let request = Request::new("POST", "/file").multipart(&[("name=\"file\"; filename=\"a\"", b"12345678901")]);
    server.send(&request).assert_error(413, "file: over the limit `part` of 10 bytes");
}

#[test]
fn all_text_fields_of_a_multipart_body_count_for_the_body_limit() {
    let server = echo_server(&json!({ "body": 50 }));
    let request = Request::new("POST", "/file")
        .multipart(&[("name=\"note\"", "x".repeat(40).as_bytes()), ("name=\"more\"", "x".repeat(11).as_bytes())]);
    server.send(&request).assert_error(413, "more: over the limit `body` of 50 bytes");
}

#[test]
fn bytes_between_multipart_parts_are_limited() {
    let server = echo_server(&json!({ "multipart": 100_000 }));
    let mut body = vec![b'-'; 60_000];
    body.extend(client::multipart(&[("name=\"note\"", b"a")]));
    let multipart = "multipart/form-data; boundary=XX";
    // Bytes in front of the first part count for a limit too, in whatever pieces they arrive. The request is refused as
    // soon as the limit is exceeded.
    let pieces: Vec<_> = body.chunks(1000).collect();
    let mut connection = server.connect();
    let request = Request::new("POST", "/file").chunked(multipart, &pieces);
    connection.write(&request.head());
    for piece in request.body.chunks(5000) {
        // Writing fails if the server has already closed the connection.
        let _ = connection.stream.write_all(piece);
        std::thread::sleep(Duration::from_millis(5));
    }
    connection.read_response(false).assert_error(400, "no part begins within 16384 bytes");

    let mut body = client::multipart(&[("name=\"note\"", b"a")]);
    body.resize(100_001, b'-');
    let pieces: Vec<_> = body.chunks(1000).collect();
    let request = Request::new("POST", "/file").chunked(multipart, &pieces);
    server.send(&request).assert_error(413, "over the limit `multipart` of 100000 bytes");
    body.truncate(100_000);
    server
        .send(&Request::new("POST", "/file").body(multipart, body))
        .assert_args(&json!({ "file": null, "note": "a" }));
}

#[test]
fn an_announced_length_over_a_limit_is_refused_before_anything_is_read() {
    let server = echo_server(&json!({}));
    let mut connection = server.connect();
    let started = Instant::now();
    connection.write(&Request::new("POST", "/echo").field("content-length", 10_000_000_000_u64).head());
    connection.read_response(false).assert_error(413, "over the limit `body` of 1048576 bytes");
    assert!(started.elapsed() < Duration::from_secs(5));
    let mut connection = server.connect();
    let head = Request::new("POST", "/file")
        .field("content-type", "multipart/form-data; boundary=XX")
        .field("content-length", 10_000_000_000_u64);
    connection.write(&head.head());
    let response = connection.read_response(false);
    response.assert_error(413, "over the limit `multipart` of 67108864 bytes");
    assert_eq!(response.field("connection"), Some("close"));
    connection.assert_closed();
}

#[test]
fn a_body_that_does_not_arrive_in_time_is_refused() {
    let server = echo_server(&json!({ "seconds": 1 }));
    for request in [
        Request::new("POST", "/echo").field("content-length", 100),
        Request::new("POST", "/file")
            .field("content-type", "multipart/form-data; boundary=XX")
            .field("content-length", 1000),
    ] {
        let mut connection = server.connect();
        connection.write(&request.head());
        connection.write(b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n");
        let started = Instant::now();
        // A client that sends single bytes does not get more time.
        for _ in 0..30 {
            if !connection.is_silent() {
                break;
            }
            let _ = connection.stream.write_all(b"x");
        }
        let response = connection.read_response(false);
        response.assert_error(408, "the body did not arrive in time");
        assert!((900..9000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
        assert_eq!(response.field("connection"), Some("close"));
        connection.assert_closed();
    }
    server.assert_no_temporary_files();
}
