//! Fuzz targets of the parsers of queries, urlencoded bodies and paths.

use std::sync::Mutex;

use form_urlencoded::byte_serialize;
use rulebook_model::uri::percent_decode;
use serde_json::{Value as Json, json};
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use crate::client::{Connection, Request, TestServer};

/// A server that returns the texts `a` and `b` of a body, and the last segment of a path below `/api/v 1/item`.
fn echo_server() -> TestServer {
    let text = json!({ "info": "A text", "type": "?string" });
    let item = json!({ "info": "A text", "type": "string", "name": "item" });
    let services = json!({
        "texts": { "POST": { "info": "Returns texts", "in": { "a": text, "b": text } } },
        "item/{item}": { "GET": { "info": "Returns a text", "in": { "{item}": item } } }
    });
    TestServer::echo(&[("app.json", json!({ "base": "/api/v 1" })), ("site.json", json!({ "/": services }))])
}

/// The value of a field is the one that the crate `form_urlencoded` finds. It replaces invalid UTF-8, which is an error
/// here, and so are several values.
fn check_fields(connection: &Mutex<Connection>, text: &[u8]) {
    let encoded = [b"a=", byte_serialize(text).collect::<String>().as_bytes()].concat();
    for body in [text, &encoded] {
        let request = Request::new("POST", "/api/v%201/texts").body("application/x-www-form-urlencoded", body);
        let response = connection.lock().unwrap().send(&request);
        let fields: Vec<_> = form_urlencoded::parse(body).collect();
        let values = |name: &str| -> Vec<_> {
            fields.iter().filter(|(known, _)| known.split('[').next() == Some(name)).map(|(_, value)| value).collect()
        };
        let is_accepted = ["a", "b"].iter().all(|name| match &values(name)[..] {
            [] => true,
            [value] => !value.contains('\u{FFFD}'),
            _ => false,
        });
        let has_arrays = fields.iter().any(|(name, _)| name.starts_with(['a', 'b']) && name.contains('['));
        match response.status {
            200 => {
                for name in ["a", "b"] {
                    let expected = values(name).first().map_or(Json::Null, |value| json!(value));
                    assert!(has_arrays || response.json()["args"][name] == expected, "{response:?}");
                }
            }
            415 => assert!(body.trim_ascii_start().starts_with(b"[") || body.trim_ascii_start().starts_with(b"{")),
            status => assert!(status == 400 && (has_arrays || !is_accepted), "{response:?}"),
        }
    }
}

#[test]
fn fuzz_urlencoded() {
    const TOKENS: &[&str] =
        &["a=b", "&", "=", "+", "%20", "%", "%2", "%zz", "%00", "%C3%A9", "%ff", "%26", "%3D", ";", "[]", "b=", " "];
    let server = echo_server();
    let connection = Mutex::new(server.connect());
    let check_text = |text: &[u8]| check_fields(&connection, text);
    let inputs = Inputs::check_corpus("urlencoded", TOKENS, check_text);
    check!()
        .with_iterations(TEXTS / 10)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_text));
}

/// A path selects the method exactly if its decoded segments are those of the base path, of the service and the value.
fn check_path(connection: &Mutex<Connection>, text: &[u8]) {
    let is_path_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"/%._~-".contains(byte);
    let Some(path) = std::str::from_utf8(text).ok().filter(|path| path.bytes().all(|byte| is_path_byte(&byte))) else {
        return;
    };
    let path = format!("/{}", path.trim_start_matches('/'));
    let segments = path.strip_suffix('/').unwrap_or(&path).split('/').skip(1).map(percent_decode);
    let segments: Option<Vec<_>> = segments.map(Result::ok).collect();
    let response = connection.lock().unwrap().send(&Request::new("GET", &path));
    match segments.as_deref() {
        Some([api, version, service, item])
            if api == "api" && version == "v 1" && service == "item" && !item.is_empty() =>
        {
            assert_eq!((response.status, &response.json()["args"]["item"]), (200, &json!(item)), "{path}");
        }
        _ => assert_ne!(response.status, 200, "{path}: {response:?}"),
    }
}

#[test]
fn fuzz_path() {
    const TOKENS: &[&str] = &["/", "api", "v%201", "item", "%2F", "%61pi", "%", "%C3%A9", "%ff", "..", ".", "//", "x"];
    let server = echo_server();
    let connection = Mutex::new(server.connect());
    let check_text = |text: &[u8]| {
        check_path(&connection, text);
        check_path(&connection, &[b"/api/v%201/item/", text].concat());
    };
    let inputs = Inputs::check_corpus("path", TOKENS, check_text);
    check!()
        .with_iterations(TEXTS / 10)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_text));
}
