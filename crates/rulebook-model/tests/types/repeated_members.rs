//! If the name of a member occurs several times in an object, only the last member with this name counts.

use std::borrow::Cow;

use rulebook_model::call::{JsonLimits, Value, value_from_json};
use serde_json::{Value as Json, json};

use super::compile;

/// Returns the names and values of the members that the check of an object returns.
fn checked(attributes: &Json, members: &[(&str, Json)]) -> Result<Json, String> {
    let attributes = attributes.as_object().unwrap();
    let check = compile("object", attributes).unwrap();
    let members = members.iter().map(|(name, value)| (Cow::Borrowed(*name), Value::from(value))).collect();
    let checked = check.checked(Value::Map(members)).map_err(|mismatch| format!("{mismatch:?}"))?;
    let Value::Map(members) = checked else { panic!("not an object") };
    Ok(members.iter().map(|(name, value)| json!([name, value.to_json()])).collect())
}

fn pair() -> Json {
    json!({ "fields": {
        "a": { "info": "The first", "type": "int(0,9)" },
        "b": { "info": "The second", "type": "?int(0,9)" },
        "day": { "info": "A day", "type": "?date", "format": "timestamp" },
    } })
}

#[test]
fn the_last_member_of_a_name_is_kept_and_the_others_may_be_invalid() {
    let day = json!("1970-01-02");
    for (members, kept) in [
        (vec![("a", json!(1)), ("a", json!(2))], json!([["a", 2]])),
        (vec![("a", json!("x")), ("a", json!(2))], json!([["a", 2]])),
        (vec![("a", json!(1)), ("b", json!(99)), ("b", json!(3))], json!([["a", 1], ["b", 3]])),
        (vec![("b", json!(1)), ("a", json!(2)), ("b", Json::Null)], json!([["a", 2], ["b", null]])),
        (vec![("day", day.clone()), ("a", json!(2)), ("day", day)], json!([["a", 2], ["day", 86_400]])),
        (vec![("a", json!(1)), ("x", json!(1)), ("x", json!(2))], json!([["a", 1], ["x", 2]])),
    ] {
        assert_eq!(checked(&pair(), &members).as_ref(), Ok(&kept), "{members:?}");
    }
    for members in [
        vec![("a", json!(1)), ("a", json!("x"))],
        vec![("b", json!(1)), ("b", json!(1))],
        vec![("b", json!("x")), ("a", json!(1)), ("b", json!(2)), ("b", json!("y"))],
    ] {
        assert!(checked(&pair(), &members).is_err(), "{members:?}");
    }
}

#[test]
fn repeated_members_are_counted_once() {
    let mut two = pair();
    two["min"] = json!(2);
    two["max"] = json!(2);
    assert!(checked(&two, &[("a", json!(1)), ("a", json!(2))]).is_err(), "one member");
    assert!(checked(&two, &[("a", json!(1)), ("b", json!(2)), ("a", json!(3))]).is_ok());
    assert!(checked(&two, &[("a", json!(1)), ("b", json!(2)), ("x", json!(3)), ("a", json!(4))]).is_err(), "three");
}

#[test]
fn thousands_of_repeated_members_are_checked() {
    let mut members: Vec<_> = (0..20_000).map(|n| (["a", "b"][n % 2], json!("x"))).collect();
    assert!(checked(&pair(), &members).is_err());
    members.extend([("b", json!(1)), ("a", json!(2))]);
    assert_eq!(checked(&pair(), &members), Ok(json!([["b", 1], ["a", 2]])));
}

#[test]
fn repeated_members_are_removed_within_values_that_no_type_describes() {
    let text = r#"{ "x": [1, { "y": 1, "\u0079": { "z": 1, "z": 2 } }], "a": 5, "x2": { "y": 1, "y": 2 } }"#;
    let kept = r#"{"x":[1,{"y":{"z":2}}],"a":5,"x2":{"y":2}}"#;
    for (term, attributes) in [
        ("any", json!({})),
        ("map<any>", json!({})),
        ("object", json!({})),
        ("object", pair()),
        ("loose_array", json!({})),
    ] {
        let check = compile(term, attributes.as_object().unwrap()).unwrap();
        let value = value_from_json(text, &JsonLimits::new(64, 100)).unwrap();
        assert_eq!(serde_json::to_string(&check.checked(value).unwrap()).unwrap(), kept, "{term} {attributes}");
    }
}
