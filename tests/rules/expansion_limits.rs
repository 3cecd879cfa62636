//! Tests that short texts are rejected if they would be decoded to huge values.

use serde_json::{Value as Json, json};

use super::try_echo_engine;
use crate::client::{Request, TestServer};

#[test]
fn texts_that_decode_to_too_many_items_or_levels_are_rejected() {
    let list = json!({ "type": "array", "format": "explode", "separator": ",", "on_after_parse": "array_unique" });
    let rules = json!({ "C": { "m": { "list": list, "json": { "type": "array", "format": "json" }, "any": { "type": "any" } } } });
    let engine = try_echo_engine(&json!({ "envelope": "phalapi", "limits": { "items": 1_000 } }), &rules)
        .unwrap_or_else(|report| panic!("{report}"));
    let server = TestServer::start(&engine);
    let form = |field: &str, value: &str| {
        let encoded: String = form_urlencoded::Serializer::new(String::new()).append_pair(field, value).finish();
        Request::new("POST", "/c/m").body("application/x-www-form-urlencoded", encoded)
    };
    let object =
        |members: u32| Json::Object((0..members).map(|number| (number.to_string(), json!(0))).collect()).to_string();
    for (case, request, ret, message) in [
        (
            "a million items",
            Request::new("POST", "/c/m")
                .body("application/x-www-form-urlencoded", format!("list={}", ",".repeat(1_000_000))),
            400,
            "list should be an array",
        ),
        ("one item too many", form("list", &",".repeat(1_000)), 413, "`items`"),
        ("one member too many", form("json", &object(1_001)), 413, "`items`"),
        ("deep JSON in the query", Request::new("GET", format!("/c/m?json={}", "%5B".repeat(2_000))), 400, "json"),
        (
            "deep JSON in the query, closed",
            Request::new("GET", format!("/c/m?json={}{}", "[".repeat(33), "]".repeat(33))),
            413,
            "nesting",
        ),
        (
            "deep JSON of the type any",
            Request::new("GET", format!("/c/m?any={}{}", "[".repeat(33), "]".repeat(33))),
            413,
            "nesting",
        ),
        ("far too many members", form("json", &object(50_000)), 400, "json"),
        ("a long query", Request::new("GET", format!("/c/m?list={}", ",".repeat(9_000))), 414, "uri"),
    ] {
        let body = server.send(&request).json();
        assert_eq!(body["ret"], ret, "{case}: {body}");
        let got = body["msg"].as_str().unwrap_or_default();
        assert!(got.contains(message) && got.len() < 300, "{case}: {got}");
    }
    let at_limit = server.send(&form("list", &",".repeat(999))).json();
    assert_eq!(at_limit["data"]["args"]["list"], json!([""]), "1000 items are allowed");
}
