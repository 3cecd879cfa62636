//! Tests of what the pages say about the limits and the allowed origins of an API.

use serde_json::json;

use super::{body_text, get_page, page_content};
use crate::client::TestServer;

#[test]
fn the_page_of_errors_lists_the_limits_that_a_client_can_exceed() {
    let app = json!({ "limits": { "body": "2MiB", "uri": 1000, "parts": 7 } });
    let get = json!({ "info": "Texts" });
    let plain = json!({ "/": { "text": { "GET": get } } });
    let keys = json!({ "/": { "text": { "POST": { "info": "Keep", "options": { "idempotent": "required" } } } } });
    let page = |module| {
        let server = TestServer::echo(&[("app.json", app.clone()), ("texts.json", module)]);
        page_content(&body_text(&get_page(&server, "/docs/errors"))).to_owned()
    };
    let (without, with) = (page(plain), page(keys));
    for (name, value) in [("body", "2 MiB"), ("uri", "1000 bytes"), ("parts", "7 parts"), ("head", "32 KiB")] {
        let (_, row) = without.split_once(&format!("<tr id=\"limit-{name}\">")).expect(name);
        assert!(row.split("</tr>").next().unwrap().contains(value), "{name}: {row}");
    }
    // Limits of what the server stores, and of what this API does not have, are not listed.
    for name in ["callers", "links", "link", "dispatch", "idempotency_key"] {
        assert!(!without.contains(&format!("\"limit-{name}\"")), "{name}");
    }
    assert!(with.contains("\"limit-idempotency_key\"") && !with.contains("\"limit-idempotency_records\""), "{with}");
}

#[test]
fn the_start_page_says_which_pages_may_call_the_api() {
    for (cors, expected) in [
        (None, "web pages of other origins may not call the API"),
        (Some(json!(["*"])), "web pages of all origins may call the API"),
        (
            Some(json!(["https://a.example", "https://b.example"])),
            "web pages of these origins may call the API: `https://a.example`, `https://b.example`",
        ),
    ] {
        let app = cors.map_or(json!({}), |origins| json!({ "cors": { "origins": origins } }));
        let texts = json!({ "/": { "text": { "GET": { "info": "Texts" } } } });
        let server = TestServer::echo(&[("app.json", app), ("texts.json", texts)]);
        let page = body_text(&get_page(&server, "/docs/index.md"));
        assert!(page.contains(expected), "{page}");
    }
}
