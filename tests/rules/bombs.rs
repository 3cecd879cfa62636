//! Short texts that would become huge values are refused: by the name of a limit, or as no value of their type where
//! they are beyond all limits.

use serde_json::{Value as Json, json};

use super::echo;
use crate::client::{Request, Site};

#[test]
fn texts_that_explode_are_over_a_limit() {
    let list = json!({ "type": "array", "format": "explode", "separator": ",", "on_after_parse": "array_unique" });
    let rules = json!({ "C": { "m": { "list": list, "json": { "type": "array", "format": "json" }, "any": { "type": "any" } } } });
    let engine = echo(&json!({ "envelope": "phalapi", "limits": { "items": 1_000 } }), &rules)
        .unwrap_or_else(|report| panic!("{report}"));
    let site = Site::start(&engine);
    let form = |field: &str, value: &str| {
        let encoded: String = form_urlencoded::Serializer::new(String::new()).append_pair(field, value).finish();
        Request::new("POST", "/c/m").body("application/x-www-form-urlencoded", encoded)
    };
    let object =
        |members: u32| Json::Object((0..members).map(|number| (number.to_string(), json!(0))).collect()).to_string();
    for (what, request, ret, says) in [
        (
            "a million items",
            Request::new("POST", "/c/m")
                .body("application/x-www-form-urlencoded", format!("list={}", ",".repeat(1_000_000))),
            400,
            "list should be an array",
        ),
        ("an item too many", form("list", &",".repeat(1_000)), 413, "`items`"),
        ("a member too many", form("json", &object(1_001)), 413, "`items`"),
        ("deep JSON in the query", Request::new("GET", format!("/c/m?json={}", "%5B".repeat(2_000))), 400, "json"),
        (
            "deep JSON in the query, closed",
            Request::new("GET", format!("/c/m?json={}{}", "[".repeat(33), "]".repeat(33))),
            413,
            "nesting",
        ),
        (
            "deep JSON where anything may stand",
            Request::new("GET", format!("/c/m?any={}{}", "[".repeat(33), "]".repeat(33))),
            413,
            "nesting",
        ),
        ("far too many members", form("json", &object(50_000)), 400, "json"),
        ("a long query", Request::new("GET", format!("/c/m?list={}", ",".repeat(9_000))), 414, "uri"),
    ] {
        let body = site.send(&request).json();
        assert_eq!(body["ret"], ret, "{what}: {body}");
        let words = body["msg"].as_str().unwrap_or_default();
        assert!(words.contains(says) && words.len() < 300, "{what}: {words}");
    }
    let most = site.send(&form("list", &",".repeat(999))).json();
    assert_eq!(most["data"]["args"]["list"], json!([""]), "as many items as there may be");
}
