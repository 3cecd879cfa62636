//! Tests of the errors that are reported for invalid arguments and attributes of types.

use rulebook_model::types::{ArgumentErrorKind, TermErrorKind};
use serde_json::{Value as Json, json};

use super::compile;

#[test]
fn each_invalid_type_argument_is_reported() {
    use ArgumentErrorKind::{Bounds, Invalid, MissingRange, UnknownAttribute};
    for (term, attributes, kind, attribute) in [
        ("int(1)", json!({}), Invalid, None),
        ("int(1,2,3)", json!({}), Invalid, None),
        ("int(a,b)", json!({}), Invalid, None),
        ("int(01,2)", json!({}), Invalid, None),
        ("int(1.5,2)", json!({}), Invalid, None),
        ("int(5,1)", json!({}), Bounds, None),
        ("int", json!({"min": 5, "max": 1}), Bounds, Some("min")),
        ("int", json!({"min": "1"}), Invalid, Some("min")),
        ("int", json!({"min": 1.5}), Invalid, Some("min")),
        ("int", json!({"max": 9_223_372_036_854_775_808_u64}), Invalid, None),
        ("int(1,5)", json!({"max": 3}), Bounds, Some("max")),
        ("uint", json!({"min": -1}), Invalid, None),
        ("id", json!({"max": 2_147_483_648_u64}), Invalid, None),
        ("int", json!({"regex": "a"}), UnknownAttribute, Some("regex")),
        ("int", json!({"mim": 1}), UnknownAttribute, Some("mim")),
        ("int", json!({"fields": {}}), UnknownAttribute, Some("fields")),
        ("float(1,0)", json!({}), Bounds, None),
        ("float(x,0)", json!({}), Invalid, None),
        ("string(3,2)", json!({}), Bounds, None),
        ("string(-1)", json!({}), Invalid, None),
        ("string", json!({"regex": 1}), Invalid, Some("regex")),
        ("string", json!({"min": 2.5}), Invalid, Some("min")),
        ("string(1,2,int)", json!({}), Invalid, None),
        ("string(1,2,array)", json!({}), Invalid, None),
        ("string(1,2,string,int)", json!({}), Invalid, None),
        ("digest", json!({}), Invalid, None),
        ("digest(0)", json!({}), Invalid, None),
        ("digest(1,2)", json!({}), Invalid, None),
        ("date", json!({"format": "iso"}), Invalid, Some("format")),
        ("date", json!({"min": "2015"}), Invalid, Some("min")),
        ("date", json!({"min": 0}), Invalid, Some("min")),
        ("date", json!({"min": "2015-01-02", "max": "2015-01-01"}), Bounds, Some("min")),
        ("datetime", json!({"max": 1e30}), Invalid, Some("max")),
        ("enum", json!({}), MissingRange, None),
        ("enum", json!({"range": []}), MissingRange, None),
        ("enum", json!({"range": "a,b"}), Invalid, Some("range")),
        ("enum", json!({"range": [null]}), Invalid, Some("range")),
        ("enum(a|a)", json!({}), Invalid, None),
        ("enum(a||b)", json!({}), Invalid, None),
        ("enum(a,b)", json!({}), Invalid, None),
        ("enum(a)", json!({"range": ["a"]}), Invalid, Some("range")),
        ("array", json!({"min": 2, "max": 1}), Bounds, Some("min")),
        ("array", json!({"format": "xml"}), Invalid, Some("format")),
        ("array", json!({"separator": ";"}), Invalid, Some("separator")),
        ("array", json!({"format": "explode", "separator": ""}), Invalid, Some("separator")),
        ("array", json!({"fields": {}}), Invalid, Some("fields")),
        ("array<int>", json!({"fields": {}}), UnknownAttribute, Some("fields")),
        ("array", json!({"items": {}}), Invalid, Some("items")),
        ("array<int>", json!({"items": 5}), Invalid, Some("items")),
        ("array<int>", json!({"items": {"min": "a"}}), Invalid, Some("items.min")),
        ("array<int>", json!({"items": {"min": 2, "max": 1}}), Bounds, Some("items.min")),
        ("[]int", json!({"items": {"regex": "a"}}), UnknownAttribute, Some("items.regex")),
        ("array<int>", json!({"items": {"items": {}}}), UnknownAttribute, Some("items.items")),
        ("array<int(1,2)>", json!({"items": {"max": 3}}), Bounds, Some("items.max")),
        ("array<array<enum>>", json!({"items": {"items": {"range": 1}}}), Invalid, Some("items.items.range")),
        ("int", json!({"items": {}}), UnknownAttribute, Some("items")),
        ("object", json!({"min": -1}), Invalid, Some("min")),
        ("file", json!({"range": ["png"]}), Invalid, Some("range")),
        ("file", json!({"ext": ["a/b"]}), Invalid, Some("ext")),
        ("bool", json!({"min": 1}), UnknownAttribute, Some("min")),
    ] {
        let errors = compile(term, attributes.as_object().unwrap()).expect_err(&format!("{term} {attributes}"));
        let [error] = errors.as_slice() else { panic!("{term} {attributes}: {errors:?}") };
        let TermErrorKind::Argument(error) = &error.kind else { panic!("{term} {attributes}: {error:?}") };
        assert_eq!((error.kind, error.attribute.as_deref()), (kind, attribute), "{term} {attributes}: {error:?}");
        assert!(!error.message.is_empty());
    }
}

#[test]
fn every_unknown_attribute_is_reported() {
    let attributes = json!({"min": 1, "regex": "a", "ext": "b"});
    let errors = compile("int", attributes.as_object().unwrap()).unwrap_err();
    assert_eq!(errors.len(), 2);
    let help: Vec<_> = errors
        .into_iter()
        .filter_map(|error| match error.kind {
            TermErrorKind::Argument(error) => error.help,
            _ => None,
        })
        .collect();
    assert_eq!(help, ["the attributes of `int` are `min`, `max`"; 2]);
}

#[test]
fn list_attributes_can_be_written_as_comma_separated_text() {
    let file = |attributes: Json| compile("file", attributes.as_object().unwrap()).unwrap().type_expr();
    assert_eq!(
        file(json!({"range": "image/png", "ext": "jpg, jpeg ,.PNG"})),
        file(json!({"range": ["image/png"], "ext": ["jpg", "jpeg", "png"]})),
    );
}
