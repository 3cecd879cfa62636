//! Tests request targets with characters that are not percent-encoded, as browsers, curl and other programs send them.

use std::cell::RefCell;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::client::{Request, TestServer};

/// A server that returns the text `x` of a query, or the last segment of the path.
fn echo_server() -> TestServer {
    let x = json!({ "GET@x": { "info": "A text", "type": "?string", "name": "x" } });
    let item = json!({ "{item}": { "info": "A text", "type": "string" } });
    TestServer::echo(&[(
        "site.json",
        json!({ "/": {
            "q": { "GET": { "info": "Returns a text", "in": x } },
            "item/{item}": { "GET": { "info": "Returns a text", "in": item } },
            "größe": { "GET": { "info": "Has a path that is not ASCII" } }
        } }),
    )])
}

#[test]
fn targets_are_read_as_clients_mean_them() {
    let server = echo_server();
    let x = |text: &str| json!({ "x": text });
    let item = |text: &str| json!({ "item": text });
    let cases: [(&str, Value); 15] = [
        ("/q?x=café", x("café")),
        ("/q?x=\u{1f980}", x("\u{1f980}")),
        ("/q?x=\"a\"", x("\"a\"")),
        ("/q?x=<a>", x("<a>")),
        ("/q?x={\"username\":\"test\"}", x("{\"username\":\"test\"}")),
        ("/q?x=[1]|\\^`'", x("[1]|\\^`'")),
        ("/q?x=é%C3%A9+é", x("éé é")),
        ("/q?é=\"&x=1", x("1")),
        ("/q?x=é#fragment", x("é")),
        ("http://test/q?x=é", x("é")),
        ("/item/café", item("café")),
        ("/item/\"<a>\"", item("\"<a>\"")),
        ("/item/{a}|[b]\\^`'", item("{a}|[b]\\^`'")),
        ("/item/é%2Fé", item("é/é")),
        ("/größe", json!({})),
    ];
    for (target, args) in cases {
        let request = Request::new("GET", target);
        assert_eq!(server.send(&request).json()["args"], args, "{target}");
        // However the bytes come, and whatever follows them.
        let both = [request.bytes(), Request::new("GET", "/q?x=<next>").bytes()].concat();
        for split in 1..request.line.len() + 3 {
            let mut connection = server.connect();
            connection.write(&both[..split]);
            connection.write(&both[split..]);
            assert_eq!(connection.read_response(false).json()["args"], args, "{target}: {split}");
            assert_eq!(connection.read_response(false).json()["args"], x("<next>"), "{target}: {split}");
        }
    }
    for target in [&b"/q?x=caf\xe9"[..], b"/q?x=%E9"] {
        server.send(&Request::new("GET", target)).assert_error(400, "bytes that are not UTF-8");
    }
    let [raw, encoded] =
        [&b"/item/caf\xe9"[..], b"/item/caf%E9"].map(|target| server.send(&Request::new("GET", target)));
    assert_eq!((raw.status, &raw.body), (encoded.status, &encoded.body));
    // A target ends at a blank, and a method is not encoded.
    for line in
        [&b"GET /q?x=a b HTTP/1.1"[..], b"GET /q?x=\x01 HTTP/1.1", b"G\xc3\x89T /q HTTP/1.1", b"\"GET\" /q HTTP/1.1"]
    {
        let mut request = Request::new("GET", "/q");
        request.line = line.to_vec();
        let response = server.send(&request);
        assert_eq!((response.status, &response.body[..]), (400, &b""[..]), "{request:?}");
    }
}

#[test]
fn the_length_of_a_target_is_that_of_the_percent_encoded_one() {
    let server = TestServer::echo(&[
        ("app.json", json!({ "limits": { "uri": 100 } })),
        ("site.json", json!({ "/": { "q": { "GET": { "info": "Takes nothing" } } } })),
    ]);
    for (length, status) in [(16, 200), (17, 414)] {
        assert_eq!(server.send(&Request::new("GET", format!("/q?{}", "é".repeat(length)))).status, status);
    }
}

#[test]
fn raw_and_percent_encoded_targets_are_equal() {
    let server = echo_server();
    let connection = RefCell::new(server.connect());
    // All bytes except those with a meaning in a query, blanks and control characters.
    let is_data = |byte: &u8| *byte > b' ' && !b"#%&+=/?\x7f".contains(byte);
    let text = prop::collection::vec(any::<u8>().prop_filter("data", is_data), 1..20);
    proptest!(support::random::cases(500), |(text in text)| {
        let encoded: String = text.iter().map(|byte| format!("%{byte:02X}")).collect();
        for path in ["/q?x=", "/item/"] {
            let send = |text: &[u8]| {
                let response = connection.borrow_mut().send(&Request::new("GET", [path.as_bytes(), text].concat()));
                (response.status, response.json()["args"].clone())
            };
            prop_assert_eq!(send(&text), send(encoded.as_bytes()), "{}", path);
        }
    });
}
