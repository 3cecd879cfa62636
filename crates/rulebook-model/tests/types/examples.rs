//! Tests that the generated examples of types are valid and readable.

use proptest::prelude::*;
use rulebook_model::types::Check;
use serde_json::{Value as Json, json};

use super::generated::type_strategy;
use super::{compile, validator};
use support::generate::{choices_up_to, type_case};

/// Returns the generated example of a type. Fails if the example is not valid for the type.
fn valid_example(term: &str, attributes: &Json) -> Option<Json> {
    let check = compile(term, attributes.as_object().unwrap())
        .unwrap_or_else(|errors| panic!("{term} {attributes}: {errors:?}"));
    let example = check.example();
    if let Some(example) = &example {
        assert!(is_valid(&*check, example.reborrow()), "{term} {attributes}: {example:?}");
    }
    example.map(|example| example.to_json())
}

fn is_valid(check: &dyn Check, value: rulebook_model::call::Value<'_>) -> bool {
    check.checked(value).is_ok()
}

#[test]
fn each_type_has_the_expected_readable_example() {
    for (term, attributes, expected) in [
        ("any", json!({}), json!("anything")),
        ("int", json!({}), json!(1)),
        ("int(1,5)", json!({}), json!(3)),
        ("int(1,100)", json!({}), json!(42)),
        ("int(7,7)", json!({}), json!(7)),
        ("int(2000,3000)", json!({}), json!(2500)),
        ("int", json!({ "max": -5 }), json!(-10)),
        ("int", json!({ "min": 5000 }), json!(5001)),
        ("uint", json!({ "min": 18_446_744_073_709_551_615_u64 }), json!(18_446_744_073_709_551_615_u64)),
        ("id", json!({}), json!(1)),
        ("text_id", json!({}), json!(1)),
        ("loose_int", json!({ "min": 1 }), json!(42)),
        ("float", json!({}), json!(1.5)),
        ("float(0,1)", json!({}), json!(0.5)),
        ("float(7,8)", json!({}), json!(7.5)),
        ("float(8,8)", json!({}), json!(8)),
        ("bool", json!({}), json!(true)),
        ("truthy", json!({}), json!(true)),
        ("numeric", json!({}), json!(42)),
        ("string", json!({}), json!("text")),
        ("string(0)", json!({}), json!("")),
        ("string(2)", json!({}), json!("ab")),
        ("string(10,20)", json!({}), json!("a text of.")),
        ("string(24)", json!({}), json!("a text of several words.")),
        ("string", json!({ "regex": "/^[a-z]+$/" }), json!("text")),
        ("string", json!({ "regex": "^[a-z]+-[a-z]+$" }), json!("abc-def")),
        ("string", json!({ "regex": "^[A-Z]{2}-[0-9]{4}$" }), json!("AB-1234")),
        ("string(6,9)", json!({ "regex": "/^[a-z]+$/i" }), json!("abcdef")),
        ("string(5,9)", json!({ "regex": r"\d" }), json!("1 a t")),
        ("string", json!({ "regex": "^(cat|dog)s?$" }), json!("cats")),
        ("varchar(2,9,alphanumeric)", json!({}), json!("text")),
        ("varchar(5,30,mail)", json!({}), json!("ada@example.org")),
        ("loose_string(3)", json!({}), json!("abc")),
        ("digest(8)", json!({}), json!("e3b0c442")),
        ("letters", json!({}), json!("Ada Lovelace")),
        ("mail", json!({}), json!("ada@example.org")),
        ("phone", json!({}), json!("0612345678")),
        ("url", json!({}), json!("https://example.org/page")),
        ("ip", json!({}), json!("192.0.2.1")),
        ("date", json!({}), json!("2026-05-17")),
        ("date", json!({ "min": "2030-01-01" }), json!("2030-01-01")),
        ("datetime", json!({ "format": "timestamp" }), json!("2026-05-17T14:30:00Z")),
        ("time", json!({}), json!("14:30")),
        ("enum(small|large)", json!({}), json!("small")),
        ("enum", json!({ "range": ["", "one"] }), json!("one")),
        ("filename", json!({}), json!("folder/report.txt")),
        ("filename(public/**|*.json)", json!({}), json!("public/report.txt")),
        ("filename(cache/*.json)", json!({}), json!("cache/report.json")),
        ("array<int>", json!({}), json!([1])),
        ("array<int>", json!({ "min": 2 }), json!([1, 1])),
        ("array<int>", json!({ "max": 0 }), json!([])),
        ("array<?enum(a|b)>", json!({}), json!(["a"])),
        ("loose_array", json!({}), json!(["anything"])),
        ("object", json!({}), json!({ "key": "value" })),
        ("filled_object", json!({}), json!({ "key": "value" })),
        ("object", json!({ "min": 2 }), json!({ "key": "value", "key2": "value" })),
        (
            "array<object>",
            json!({ "fields": {
                "id": { "info": "I", "type": "id", "example": 23 }, "name": { "info": "I", "type": "?string" }
            } }),
            json!([{ "id": 23, "name": "text" }]),
        ),
        (
            "object",
            json!({ "max": 1, "fields": {
                "id": { "info": "I", "type": "id" }, "name": { "info": "I", "type": "?string" }
            } }),
            json!({ "id": 1 }),
        ),
        ("string", json!({ "after": ["trim"] }), json!("text")),
        // If the program has not registered the function of a `callable`, every value is valid.
        ("callable", json!({ "callback": "Class::method" }), json!("anything")),
    ] {
        assert_eq!(valid_example(term, &attributes), Some(expected), "{term} {attributes}");
    }
    for (term, attributes) in [
        ("file", json!({})),
        ("array<file>", json!({ "min": 1 })),
        ("array<file>", json!({})),
        ("string(5)", json!({ "regex": r"^a\b\Ba{4}$" })),
    ] {
        assert_eq!(valid_example(term, &attributes), None, "{term} {attributes}");
    }
}

proptest! {
    #![proptest_config(support::random::cases(256))]

    /// Every generated type has an example. The check and the schema accept the example, and every call returns the
    /// same example.
    #[test]
    fn examples_of_generated_types_are_valid((term, attributes) in type_strategy(), mut choices in choices_up_to(60)) {
        let case = type_case(2, false, &mut choices);
        for (term, attributes) in [(term, attributes), (case.term, case.attributes)] {
            let check = compile(&term, &attributes).unwrap();
            let example = check.example();
            prop_assert!(example.is_some(), "{term} {attributes:?}");
            if let Some(example) = example {
                prop_assert!(is_valid(&*check, example.reborrow()), "{term} {attributes:?}: {example:?}");
                prop_assert!(validator(&check.schema()).is_valid(&example.to_json()), "{term} {attributes:?}: {example:?}");
                prop_assert_eq!(Some(example), check.example());
            }
        }
    }
}
