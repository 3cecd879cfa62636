//! Arguments and attributes that make no check.

use rulebook::types::{ArgumentErrorKind, TermErrorKind};
use serde_json::{Value as Json, json};

use super::compile;

#[test]
fn wrong_arguments_are_told() {
    use ArgumentErrorKind::{Bad, Bounds, MissingRange, Unknown};
    for (term, attributes, kind, attribute) in [
        ("int(1)", json!({}), Bad, None),
        ("int(1,2,3)", json!({}), Bad, None),
        ("int(a,b)", json!({}), Bad, None),
        ("int(01,2)", json!({}), Bad, None),
        ("int(1.5,2)", json!({}), Bad, None),
        ("int(5,1)", json!({}), Bounds, None),
        ("int", json!({"min": 5, "max": 1}), Bounds, Some("min")),
        ("int", json!({"min": "1"}), Bad, Some("min")),
        ("int", json!({"min": 1.5}), Bad, Some("min")),
        ("int", json!({"max": 9_223_372_036_854_775_808_u64}), Bad, None),
        ("int(1,5)", json!({"max": 3}), Bad, Some("max")),
        ("uint", json!({"min": -1}), Bad, None),
        ("id", json!({"max": 2_147_483_648_u64}), Bad, None),
        ("int", json!({"regex": "a"}), Unknown, Some("regex")),
        ("int", json!({"mim": 1}), Unknown, Some("mim")),
        ("int", json!({"fields": {}}), Unknown, Some("fields")),
        ("float(1,0)", json!({}), Bounds, None),
        ("float(x,0)", json!({}), Bad, None),
        ("string(3,2)", json!({}), Bounds, None),
        ("string(-1)", json!({}), Bad, None),
        ("string", json!({"regex": 1}), Bad, Some("regex")),
        ("string", json!({"min": 2.5}), Bad, Some("min")),
        ("string(1,2,int)", json!({}), Bad, None),
        ("string(1,2,array)", json!({}), Bad, None),
        ("string(1,2,string,int)", json!({}), Bad, None),
        ("digest", json!({}), Bad, None),
        ("digest(0)", json!({}), Bad, None),
        ("digest(1,2)", json!({}), Bad, None),
        ("date", json!({"format": "iso"}), Bad, Some("format")),
        ("date", json!({"min": "2015"}), Bad, Some("min")),
        ("date", json!({"min": 0}), Bad, Some("min")),
        ("date", json!({"min": "2015-01-02", "max": "2015-01-01"}), Bounds, Some("min")),
        ("datetime", json!({"max": 1e30}), Bad, Some("max")),
        ("enum", json!({}), MissingRange, None),
        ("enum", json!({"range": []}), MissingRange, None),
        ("enum", json!({"range": "a,b"}), Bad, Some("range")),
        ("enum", json!({"range": [null]}), Bad, Some("range")),
        ("enum(a|a)", json!({}), Bad, None),
        ("enum(a||b)", json!({}), Bad, None),
        ("enum(a,b)", json!({}), Bad, None),
        ("enum(a)", json!({"range": ["a"]}), Bad, Some("range")),
        ("array", json!({"min": 2, "max": 1}), Bounds, Some("min")),
        ("array", json!({"format": "xml"}), Bad, Some("format")),
        ("array", json!({"separator": ";"}), Bad, Some("separator")),
        ("array", json!({"format": "explode", "separator": ""}), Bad, Some("separator")),
        ("array", json!({"fields": {}}), Bad, Some("fields")),
        ("array<int>", json!({"fields": {}}), Unknown, Some("fields")),
        ("array", json!({"items": {}}), Bad, Some("items")),
        ("array<int>", json!({"items": 5}), Bad, Some("items")),
        ("array<int>", json!({"items": {"min": "a"}}), Bad, Some("items.min")),
        ("array<int>", json!({"items": {"min": 2, "max": 1}}), Bounds, Some("items.min")),
        ("[]int", json!({"items": {"regex": "a"}}), Unknown, Some("items.regex")),
        ("array<int>", json!({"items": {"items": {}}}), Unknown, Some("items.items")),
        ("array<int(1,2)>", json!({"items": {"max": 3}}), Bad, Some("items.max")),
        ("array<array<enum>>", json!({"items": {"items": {"range": 1}}}), Bad, Some("items.items.range")),
        ("int", json!({"items": {}}), Unknown, Some("items")),
        ("object", json!({"min": -1}), Bad, Some("min")),
        ("file", json!({"range": ["png"]}), Bad, Some("range")),
        ("file", json!({"ext": ["a/b"]}), Bad, Some("ext")),
        ("bool", json!({"min": 1}), Unknown, Some("min")),
    ] {
        let errors = compile(term, attributes.as_object().unwrap()).expect_err(&format!("{term} {attributes}"));
        let [error] = errors.as_slice() else { panic!("{term} {attributes}: {errors:?}") };
        let TermErrorKind::Argument(error) = &error.kind else { panic!("{term} {attributes}: {error:?}") };
        assert_eq!((error.kind, error.attribute.as_deref()), (kind, attribute), "{term} {attributes}: {error:?}");
        assert!(!error.message.is_empty());
    }
}

#[test]
fn every_unknown_attribute_is_told() {
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
    assert_eq!(help, ["`int` has `min`, `max`"; 2]);
}

#[test]
fn lists_may_be_written_as_one_text() {
    let file = |attributes: Json| compile("file", attributes.as_object().unwrap()).unwrap().written();
    assert_eq!(
        file(json!({"range": "image/png", "ext": "jpg, jpeg ,.PNG"})),
        file(json!({"range": ["image/png"], "ext": ["jpg", "jpeg", "png"]})),
    );
}
