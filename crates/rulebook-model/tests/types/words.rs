//! Tests the descriptions of types in words, for readers of the documentation.

use serde_json::{Value as Json, json};

use super::compile;

#[test]
fn types_are_described_in_words_without_the_terms_of_definitions() {
    for (term, attributes, words) in [
        ("varchar(1,30,alphanumeric)", json!({}), "1 to 30 letters or digits (also _, - and .)"),
        ("varchar(5,5,letters)", json!({}), "5 letters (also - and spaces)"),
        ("varchar(1,99,mail)", json!({}), "text of 1 to 99 characters that is also an email address"),
        ("string", json!({}), "text"),
        (
            "string(1,120)",
            json!({ "regex": r"/^[^\x00-\x1F]*$/" }),
            "text of 1 to 120 characters, without control characters",
        ),
        ("string(2)", json!({ "regex": "/^[a-z]+$/" }), "text of 2 characters, only lower-case letters (a-z)"),
        ("string", json!({ "regex": "/a|b/" }), "text that matches /a|b/"),
        ("string", json!({ "regex": "/^[a-z]+$/i" }), "text that matches /^[a-z]+$/i"),
        ("string", json!({ "regex": "/^[a-z]{2}$/" }), "text that matches /^[a-z]{2}$/"),
        ("int(1,5)", json!({}), "a whole number from 1 to 5"),
        ("array<int(1,5)>", json!({}), "a list, each item a whole number from 1 to 5"),
        (
            "array<varchar(1,9,letters)>",
            json!({ "max": 3 }),
            "a list of at most 3 items, each 1 to 9 letters (also - and spaces)",
        ),
        ("array<?int>", json!({}), "a list, each item a whole number of 64 bits or null"),
        ("array", json!({}), "a list"),
        ("object", json!({ "min": 1 }), "an object of at least 1 member"),
        ("enum(a|b)", json!({}), "one of a, b"),
        ("file", json!({ "max": 5_242_880, "range": ["image/png"] }), "a file of at most 5 MiB of the type image/png"),
        ("file", json!({ "min": 1, "max": 1500 }), "a file of 1 byte to 1500 bytes"),
    ] {
        let Json::Object(attributes) = attributes else { panic!("{attributes}") };
        let check = compile(term, &attributes).unwrap_or_else(|errors| panic!("{term}: {errors:?}"));
        assert_eq!(check.in_words(), words, "{term}");
    }
}

#[test]
fn a_list_has_the_members_of_its_objects() {
    let fields = json!({ "fields": { "title": { "info": "It", "type": "string(1,9)" } } });
    let Json::Object(fields) = fields else { panic!() };
    for term in ["object", "array<object>", "array<?object>"] {
        let check = compile(term, &fields).unwrap_or_else(|errors| panic!("{term}: {errors:?}"));
        let names: Vec<_> = check.members().iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["title"], "{term}");
    }
}
