//! Fuzz targets of bodies over HTTP: a body has the same meaning in whatever pieces it arrives, and the arguments of a
//! JSON body are those that `serde_json` finds.

use std::panic::AssertUnwindSafe;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::HeaderValue;
use actix_web::{App, test};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use rulebook::{Settings, Unbound};
use serde_json::{Value as Json, json};
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use crate::client::engine;

/// The status and the body of a response.
type Reply = (u16, Vec<u8>);

/// Sends a body with a media type to a path. The body arrives in pieces with the given length.
type Send = AssertUnwindSafe<Box<dyn Fn(&str, &HeaderValue, &[u8], usize) -> Reply>>;

/// Serves an API that echoes arguments in an `App` of actix, whose requests need no sockets.
fn serve_without_sockets() -> Send {
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
    let api = engine(&[("a.json", definition)], |rulebook| rulebook.unbound(Unbound::Echo));
    let api = api.services(&Settings::new()).unwrap();
    let runtime = actix_rt::System::new();
    let app = runtime.block_on(test::init_service(App::new().configure(|app| api.configure(app))));
    AssertUnwindSafe(Box::new(move |path, media_type, body, piece| {
        let pieces: Vec<_> = body.chunks(piece.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let arriving = stream::iter(pieces).then(|piece: Result<Bytes, PayloadError>| async {
            // The server must wait for each piece.
            tokio::task::yield_now().await;
            piece
        });
        let request = test::TestRequest::post().uri(path).insert_header(("content-type", media_type.clone()));
        let request = request.insert_header(("content-length", body.len())).to_request();
        let payload: Payload = Payload::Stream { payload: Box::pin(arriving) };
        let (request, _) = request.replace_payload(payload);
        runtime.block_on(async {
            let response = test::call_service(&app, request).await;
            (response.status().as_u16(), test::read_body(response).await.to_vec())
        })
    }))
}

/// Asserts that the response is the same in whatever pieces the body arrives, and returns the response.
fn send_in_pieces(send: &Send, path: &str, media_type: &HeaderValue, body: &[u8]) -> Reply {
    let whole = send(path, media_type, body, body.len());
    assert!(whole.0 < 500, "{whole:?}");
    for length in [1, 3, 50] {
        assert_eq!(send(path, media_type, body, length), whole, "pieces of {length}");
    }
    whole
}

fn check_json_body(send: &Send, body: &[u8]) {
    let (status, response) = send_in_pieces(send, "/json", &HeaderValue::from_static("application/json"), body);
    if status != 200 {
        return;
    }
    let expected: Json = match body.trim_ascii() {
        b"" => json!({}),
        _ => serde_json::from_slice(body).unwrap(),
    };
    let response: Json = serde_json::from_slice(&response).unwrap();
    for name in ["a", "b"] {
        assert_eq!(response["args"][name], expected[name], "{name}");
    }
}

#[test]
fn fuzz_json_body() {
    const TOKENS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\"",
        "\"",
        "\\u0061",
        "\\ud800",
        "1",
        "-0",
        "1.5",
        "1e5",
        "null",
        "true",
        "\"x\"",
        " ",
        "é",
        "\u{0}",
        "18446744073709551616",
    ];
    let send = serve_without_sockets();
    let media_type = HeaderValue::from_static("application/json");
    assert_eq!(send_in_pieces(&send, "/json", &media_type, br#"{"b":"x"}"#).0, 200);
    let property = |text: &[u8]| check_json_body(&send, text);
    let inputs = Inputs::check_corpus("json_body", TOKENS, property);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, property));
}

/// The first line of the text is the value of `Content-Type`, the rest is the body.
fn check_multipart_body(send: &Send, text: &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (media_type, body) = (&text[..end], text.get(end + 1..).unwrap_or_default());
    let Ok(media_type) = HeaderValue::from_bytes(media_type) else { return };
    send_in_pieces(send, "/upload", &media_type, body);
}

#[test]
fn fuzz_multipart_body() {
    const TOKENS: &[&str] = &[
        "multipart/form-data; boundary=XX",
        "\"",
        ";",
        "=",
        "\r\n",
        "\n",
        "\r",
        "--XX",
        "--XX--",
        "--XX\r\n",
        "--",
        "XX",
        "Content-Disposition: form-data; name=\"a\"\r\n\r\n",
        "; filename=\"x.gif\"",
        "filename*=UTF-8''%C3%A9",
        "Content-Type: image/gif\r\n",
        "name=",
        "\\\"",
        "é",
        "\u{0}",
        "GIF89a",
    ];
    let send = serve_without_sockets();
    let media_type = HeaderValue::from_static("multipart/form-data; boundary=X");
    let body = b"--X\r\ncontent-disposition: form-data; name=a\r\n\r\nx\r\n--X--";
    assert_eq!(send_in_pieces(&send, "/upload", &media_type, body).0, 200);
    let property = |text: &[u8]| check_multipart_body(&send, text);
    let inputs = Inputs::check_corpus("multipart_body", TOKENS, property);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, property));
}
