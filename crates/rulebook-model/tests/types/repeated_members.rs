//! Two members of an object with the same name are refused, at any depth.

use rulebook_model::call::{JsonLimits, value_from_json};
use serde_json::{Value as Json, json};

use super::compile;

/// Returns the path of the member that the check of a value refuses because its name occurs several times, or the value
/// as text.
fn checked(term: &str, attributes: &Json, text: &str, keeps_last: bool) -> String {
    let limits = JsonLimits::new(64, 100_000).keeping_last(keeps_last);
    let value = value_from_json(text, &limits).unwrap();
    match compile(term, attributes.as_object().unwrap()).unwrap().checked(value) {
        Ok(value) => serde_json::to_string(&value).unwrap(),
        Err(mismatch) if mismatch.got == "several" => mismatch.path.clone(),
        Err(mismatch) => format!("{}: {}", mismatch.path, mismatch.expected),
    }
}

fn pair() -> Json {
    json!({ "fields": {
        "a": { "info": "The first", "type": "int(0,9)" },
        "b": { "info": "The second", "type": "?any" },
    } })
}

#[test]
fn two_members_with_the_same_name_are_refused() {
    for (term, attributes, text, refused) in [
        ("object", pair(), r#"{"a": 1, "a": 2}"#, ".a"),
        ("object", pair(), r#"{"a": 1, "b": 1, "b": null}"#, ".b"),
        ("object", pair(), r#"{"b": 1, "a": 1, "\u0062": 2}"#, ".b"),
        ("object", pair(), r#"{"a": 1, "x": 1, "x": 2}"#, ".x"),
        ("object", pair(), r#"{"a": 1, "b": [1, {"y": {"z": 1, "z": 2}}]}"#, ".b[1].y.z"),
        ("object", pair(), r#"{"a": 1, "x": {"z": 1, "z": 2}}"#, ".x.z"),
        ("object", json!({ "max": 1 }), r#"{"x": 1, "x": 2}"#, ".x"),
        ("map<int>", json!({}), r#"{"x": 1, "x": 1}"#, ".x"),
        ("map<any>", json!({}), r#"{"y": {"x": 1, "x": 1}}"#, ".y.x"),
        ("array<map<int>>", json!({}), r#"[{}, {"x": 1, "x": 1}]"#, "[1].x"),
        ("any", json!({}), r#"{"y": [{"x": 1, "x": 1}]}"#, ".y[0].x"),
        ("loose_array", json!({}), r#"{"x": 1, "x": 1}"#, ".x"),
        ("any", json!({}), r#"{"y":{"x":1},"x":2}"#, r#"{"y":{"x":1},"x":2}"#),
    ] {
        assert_eq!(checked(term, &attributes, text, false), refused, "{term} {text}");
    }
}

#[test]
fn the_last_member_of_each_name_can_be_kept() {
    let text = r#"{ "x": [1, { "y": 1, "\u0079": { "z": 1, "z": 2 } }], "a": "x", "a": 5, "x2": { "y": 1, "y": 2 } }"#;
    let kept = r#"{"x":[1,{"y":{"z":2}}],"a":5,"x2":{"y":2}}"#;
    for (term, attributes) in
        [("any", json!({})), ("map<any>", json!({})), ("object", pair()), ("loose_array", json!({}))]
    {
        assert_eq!(checked(term, &attributes, text, true), kept, "{term} {attributes}");
    }
}

#[test]
fn thousands_of_members_are_compared() {
    let members = |last: &str| (0..20_000).map(|n| format!("\"m{n}\": 1, ")).collect::<String>() + last;
    assert_eq!(checked("any", &json!({}), &format!("{{{}}}", members("\"m7\": 2")), false), ".m7");
    assert!(checked("any", &json!({}), &format!("{{{}}}", members("\"n\": 2")), false).starts_with('{'));
}
