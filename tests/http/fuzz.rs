//! Fuzz targets of bodies over HTTP: a body has the same meaning in whatever pieces it arrives, and the arguments of a
//! JSON body are those that `serde_json` finds.

use std::sync::OnceLock;

use serde_json::{Value as Json, json};
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use crate::client::{Connection, Request, Response, TestServer};

/// A server that echoes arguments. It serves all targets until the process ends.
fn server() -> &'static TestServer {
    static SERVER: OnceLock<TestServer> = OnceLock::new();
    SERVER.get_or_init(|| {
        let parameters = json!({
            "a": { "info": "A value", "type": "?any", "name": "a" },
            "b": { "info": "A text", "type": "?string(0,20)", "name": "b" },
        });
        let upload = json!({
            "a": { "info": "A text", "type": "?string", "name": "a" },
            "file": { "info": "A file", "type": "?file", "name": "file", "max": 1000 },
        });
        let post = |parameters: Json| json!({ "POST": { "info": "Echoes its arguments", "in": parameters } });
        let definition = json!({ "/": { "json": post(parameters), "upload": post(upload) } });
        TestServer::echo(&[("a.json", definition)])
    })
}

/// Sends a body with the chunked coding. Each chunk has `length` bytes.
fn send_in_chunks(target: &str, media_type: &str, body: &[u8], length: usize) -> Response {
    let chunks: Vec<_> = body.chunks(length.max(1)).collect();
    let mut connection = Connection::open(server().address()).reset_on_drop();
    connection.send(&Request::new("POST", target).chunked(media_type, &chunks))
}

/// Asserts that the response is the same in whatever pieces the body arrives, and returns the response.
fn send_in_pieces(target: &str, media_type: &str, body: &[u8]) -> Response {
    let whole = send_in_chunks(target, media_type, body, body.len());
    assert!(whole.status < 500, "{whole:?}");
    for length in [1, 3] {
        let response = send_in_chunks(target, media_type, body, length);
        assert_eq!((response.status, &response.body), (whole.status, &whole.body), "pieces of {length}");
    }
    whole
}

fn check_json_body(body: &[u8]) {
    let response = send_in_pieces("/json", "application/json", body);
    if response.status != 200 {
        return;
    }
    let expected: Json = match body.trim_ascii() {
        b"" => json!({}),
        _ => serde_json::from_slice(body).unwrap_or_else(|error| panic!("{error}: {response:?}")),
    };
    let args = &response.json()["args"];
    for name in ["a", "b"] {
        assert_eq!(args[name], expected[name], "{name}");
    }
}

#[test]
fn fuzz_json_body() {
    const TOKENS: &[&str] = &[
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"", "\\u0061", "\\ud800", "1", "-0", "1.5", "1e5", "null",
        "true", "\"x\"", " ", "é", "\u{0}", "18446744073709551616",
    ];
    let inputs = Inputs::check_corpus("json_body", TOKENS, check_json_body);
    check!()
        .with_iterations(TEXTS / 10)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_json_body));
}

/// The first line of the text is the value of `Content-Type`, the rest is the body.
fn check_multipart_body(text: &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (media_type, body) = (&text[..end], text.get(end + 1..).unwrap_or_default());
    let Some(media_type) = std::str::from_utf8(media_type).ok().filter(|text| !text.contains(['\r', '\0'])) else {
        return;
    };
    send_in_pieces("/upload", media_type, body);
}

#[test]
fn fuzz_multipart_body() {
    const TOKENS: &[&str] = &[
        "multipart/form-data; boundary=XX", "\"", ";", "=", "\r\n", "\n", "\r", "--XX", "--XX--", "--XX\r\n", "--", "XX",
        "Content-Disposition: form-data; name=\"a\"\r\n\r\n", "; filename=\"x.gif\"", "filename*=UTF-8''%C3%A9",
        "Content-Type: image/gif\r\n", "name=", "\\\"", "é", "\u{0}", "GIF89a",
    ];
    let inputs = Inputs::check_corpus("multipart_body", TOKENS, check_multipart_body);
    check!()
        .with_iterations(TEXTS / 10)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_multipart_body));
}
