//! The constraint `equal` compares values as JSON Schema does.

use rulebook_model::call::Value;
use serde_json::json;

use super::compile;

#[test]
fn equal_values_may_be_written_in_different_ways() {
    let any = json!({ "info": "Any value", "type": "?any" });
    let attributes = json!({ "fields": { "a": any, "b": any }, "constraints": [{ "equal": ["a", "b"] }] });
    let check = compile("object", attributes.as_object().unwrap()).unwrap();
    for (a, b, are_equal) in [
        (r#"{"x":1,"y":2}"#, r#"{"y":2,"x":1}"#, true),
        (r#"{"x":1,"y":2}"#, r#"{"y":2}"#, false),
        (r#"{"x":1,"y":2}"#, r#"{"y":2,"z":1}"#, false),
        ("[1, 2.0, -0.0]", "[1.0, 2, 0]", true),
        ("[1, 2]", "[2, 1]", false),
        ("[1]", "[1, 1]", false),
        ("9007199254740993", "9007199254740992.0", false),
        ("18446744073709551615", "18446744073709551615", true),
        ("1", "\"1\"", false),
        ("1", "true", false),
    ] {
        let value: serde_json::Value = serde_json::from_str(&format!(r#"{{"a":{a},"b":{b}}}"#)).unwrap();
        assert_eq!(check.checked(Value::from(&value)).is_ok(), are_equal, "{value}");
    }
}
