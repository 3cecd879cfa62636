//! `data/types/cases.json`: for each term, values that are accepted or rejected as text and as JSON.
//!
//! `passes` holds values that the check does not change, and `becomes` pairs of a value and what handlers receive. Each
//! JSON value is also validated by the schema of the type.

use std::borrow::Cow;

use rulebook_model::call::Value;
use rulebook_model::types::Check;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{compile, compile_type_expr, plain_validator, validator};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    term: String,
    #[serde(default)]
    attributes: Map<String, Json>,
    #[serde(default)]
    text: Values,
    #[serde(default)]
    json: Values,
    /// The description of a valid value.
    expected: Option<String>,
    /// The canonical term, if the type has no attributes.
    written: Option<String>,
    /// Set if the term is invalid.
    error: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Values {
    #[serde(default)]
    passes: Vec<Json>,
    #[serde(default)]
    becomes: Vec<(Json, Json)>,
    #[serde(default)]
    refused: Vec<Json>,
}

impl Values {
    /// Returns every value with the value that handlers receive, or `None` if it is rejected.
    fn outcomes(&self) -> impl Iterator<Item = (&Json, Option<&Json>)> {
        let passes = self.passes.iter().map(|value| (value, Some(value)));
        let becomes = self.becomes.iter().map(|(value, becomes)| (value, Some(becomes)));
        passes.chain(becomes).chain(self.refused.iter().map(|value| (value, None)))
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../data/types/cases.json")).unwrap()
}

fn checked(check: &dyn Check, value: Value<'_>) -> Option<Value<'static>> {
    check.check(value).ok().map(Value::into_owned)
}

#[test]
fn values_are_accepted_or_rejected_as_text_and_as_json() {
    for Case { term, attributes, text, json, error, .. } in cases() {
        let case = format!("{term} {attributes:?}");
        let check = match compile(&term, &attributes) {
            Ok(check) => check,
            Err(errors) => {
                assert!(error.is_some(), "{case}: {errors:?}");
                continue;
            }
        };
        assert!(error.is_none(), "{case} compiles");
        for (input, becomes) in text.outcomes() {
            let input = input.as_str().expect("a text");
            let becomes = becomes.map(Value::from);
            // Borrowed and owned texts have the same result.
            let borrowed = check.decode(Cow::Borrowed(input));
            assert_eq!(checked(&*check, borrowed), becomes, "{case} from {input:?}");
            let owned = check.decode(Cow::Owned(input.to_owned()));
            assert_eq!(checked(&*check, owned), becomes, "{case} from an owned {input:?}");
        }
        for (input, becomes) in json.outcomes() {
            assert_eq!(checked(&*check, Value::from(input)), becomes.map(Value::from), "{case} from the JSON {input}");
        }
    }
}

#[test]
fn schemas_accept_the_same_json_as_the_checks() {
    for Case { term, attributes, json, error, .. } in cases() {
        if error.is_some() {
            continue;
        }
        let schema = compile(&term, &attributes).unwrap().schema();
        let (validator, plain) = (validator(&schema), plain_validator(&schema));
        for (input, becomes) in json.outcomes() {
            // This validator does not support the keywords for bounds of numbers in texts.
            let unsupported = schema.to_string().contains("formatM");
            assert!(unsupported || validator.is_valid(input) == becomes.is_some(), "{term}: {schema} of {input}");
            assert!(plain.is_valid(input) || becomes.is_none(), "{term}: {schema} of {input}");
        }
    }
}

#[test]
fn the_canonical_notation_compiles_to_the_same_type() {
    for Case { term, attributes, written, error, .. } in cases() {
        if error.is_some() {
            continue;
        }
        let check = compile(&term, &attributes).unwrap();
        let once = check.type_expr();
        assert_eq!(compile_type_expr(&once).type_expr(), once, "{term}");
        assert_eq!(compile_type_expr(&once).schema(), check.schema(), "{term}");
        match written {
            Some(written) => assert_eq!(once, rulebook_model::types::TypeExpr::term(written)),
            // Otherwise the case is in canonical notation, except for date bounds that are numbers.
            None if !term.contains('[') && term != "mixed" && !term.contains("?any") && !term.contains("date") => {
                let fields = |attributes: &Map<String, Json>| attributes.get("fields").is_some();
                let regex = attributes.contains_key("regex");
                assert!(
                    once.term == term && (regex || fields(&attributes) || once.attributes == attributes),
                    "{term}: {once:?}"
                );
            }
            None => {}
        }
    }
}

#[test]
fn the_description_of_the_expected_value_is_as_recorded() {
    for Case { term, attributes, expected, error, .. } in cases() {
        if let (Some(expected), None) = (expected, error) {
            assert_eq!(compile(&term, &attributes).unwrap().expected(), expected, "{term}");
        }
    }
}

#[test]
fn a_type_mismatch_has_the_path_into_the_value() {
    let fields = serde_json::json!({"fields": {"tags": {"info": "Tags", "type": "array<?int(1,5)>"}}});
    let check = compile("array<object>", fields.as_object().unwrap()).unwrap();
    let value = serde_json::json!([{"tags": [1]}, {"tags": [null, 9]}]);
    let mismatch = check.check(Value::from(&value)).unwrap_err();
    assert_eq!(mismatch.path, "[1].tags[1]");
    assert_eq!(mismatch.expected, "a whole number from 1 to 5 or null");
    assert_eq!(mismatch.got, "9");
    let missing = check.check(Value::from(&serde_json::json!([{}]))).unwrap_err();
    assert_eq!((missing.path.as_str(), missing.got.as_str()), ("[0].tags", "nothing"));
}

#[test]
fn several_texts_are_decoded_as_one_array() {
    let none = Map::new();
    for (term, texts, expected) in [
        ("array<int>", vec!["1", "2"], r#"[1, 2]"#),
        ("array<int>", vec!["[1, 2]"], r#"[1, 2]"#),
        ("array<array<int>>", vec!["[1]", "2"], r#"[[1], [2]]"#),
        ("array", vec!["a", "{\"b\": 1}"], r#"["a", {"b": 1}]"#),
        ("array<?bool>", vec!["true", "false"], r#"[true, false]"#),
        ("array", vec![], r#"[]"#),
    ] {
        let check = compile(term, &none).unwrap();
        let decoded = check.decode_many(texts.iter().map(|text| Cow::Borrowed(*text)).collect());
        let expected: Json = serde_json::from_str(expected).unwrap();
        assert_eq!(checked(&*check, decoded), Some(Value::from(&expected)), "{term} from {texts:?}");
    }
}

#[test]
fn a_text_with_too_many_separators_is_rejected() {
    let explode = serde_json::json!({"format": "explode"});
    let check = compile("array", explode.as_object().unwrap()).unwrap();
    for (commas, passes) in [(9_999, true), (10_000, false)] {
        let text = ",".repeat(commas);
        assert_eq!(check.check(check.decode(Cow::Owned(text))).is_ok(), passes, "{commas} commas");
    }
}
