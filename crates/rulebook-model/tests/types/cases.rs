//! Runs the cases in `data/types/cases.json`. A case is a term (the text of a type, such as `int(1,5)`), with values
//! that the type must accept or reject, as text and as JSON.
//!
//! `passes` contains values that the check accepts without changing them. `becomes` contains pairs: a value that the
//! check accepts, and the value that handlers receive instead. `refused` contains values that the check rejects. Each
//! JSON value is also validated against the schema of the type.

use std::borrow::Cow;

use rulebook_model::call::Value;
use rulebook_model::types::Check;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use support::schema_validator::is_beyond_schemas;

use super::{compile, compile_type_expr, plain_validator, validator};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeCase {
    term: String,
    #[serde(default)]
    attributes: Map<String, Json>,
    #[serde(default)]
    text: ValueCases,
    #[serde(default)]
    json: ValueCases,
    /// The text with which the type describes a valid value.
    expected: Option<String>,
    /// The canonical notation of the term, if the canonical notation has no attributes.
    written: Option<String>,
    /// A text if the term is invalid.
    error: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ValueCases {
    #[serde(default)]
    passes: Vec<Json>,
    #[serde(default)]
    becomes: Vec<(Json, Json)>,
    #[serde(default)]
    refused: Vec<Json>,
}

impl ValueCases {
    /// Returns every value of the case with the value that handlers receive for it, or with `None` if the value is
    /// rejected.
    fn values_with_outcomes(&self) -> impl Iterator<Item = (&Json, Option<&Json>)> {
        let passes = self.passes.iter().map(|value| (value, Some(value)));
        let becomes = self.becomes.iter().map(|(value, becomes)| (value, Some(becomes)));
        passes.chain(becomes).chain(self.refused.iter().map(|value| (value, None)))
    }
}

fn load_cases() -> Vec<TypeCase> {
    serde_json::from_str(include_str!("../data/types/cases.json")).unwrap()
}

fn check_value(check: &dyn Check, value: Value<'_>) -> Option<Value<'static>> {
    check.checked(value).ok().map(Value::into_owned)
}

#[test]
fn each_type_accepts_and_rejects_the_listed_texts_and_json_values() {
    for TypeCase { term, attributes, text, json, error, .. } in load_cases() {
        let case = format!("{term} {attributes:?}");
        let check = match compile(&term, &attributes) {
            Ok(check) => check,
            Err(errors) => {
                assert!(error.is_some(), "{case}: {errors:?}");
                continue;
            }
        };
        assert!(error.is_none(), "{case} compiles");
        for (input, becomes) in text.values_with_outcomes() {
            let input = input.as_str().expect("a text");
            let becomes = becomes.map(Value::from);
            // A borrowed text and an owned text are decoded to the same value.
            let borrowed = check.decode(Cow::Borrowed(input));
            assert_eq!(check_value(&*check, borrowed), becomes, "{case} from {input:?}");
            let owned = check.decode(Cow::Owned(input.to_owned()));
            assert_eq!(check_value(&*check, owned), becomes, "{case} from an owned {input:?}");
        }
        for (input, becomes) in json.values_with_outcomes() {
            assert_eq!(
                check_value(&*check, Value::from(input)),
                becomes.map(Value::from),
                "{case} from the JSON {input}"
            );
        }
    }
}

#[test]
fn schemas_accept_the_same_json_as_the_checks() {
    for TypeCase { term, attributes, json, error, .. } in load_cases() {
        if error.is_some() {
            continue;
        }
        let check = compile(&term, &attributes).unwrap();
        let schema = check.schema();
        let (validator, plain) = (validator(&schema), plain_validator(&schema));
        for (input, becomes) in json.values_with_outcomes() {
            let is_exception = is_beyond_schemas(&*check, input);
            assert!(
                validator.is_valid(input) == becomes.is_some() || is_exception && becomes.is_none(),
                "{term}: {schema} of {input}"
            );
            assert!(plain.is_valid(input) || becomes.is_none(), "{term}: {schema} of {input}");
        }
    }
}

#[test]
fn canonical_notation_of_each_case_compiles_to_the_same_type() {
    for TypeCase { term, attributes, written, error, .. } in load_cases() {
        if error.is_some() {
            continue;
        }
        let check = compile(&term, &attributes).unwrap();
        let once = check.type_expr();
        assert_eq!(compile_type_expr(&once).type_expr(), once, "{term}");
        assert_eq!(compile_type_expr(&once).schema(), check.schema(), "{term}");
        match written {
            Some(written) => assert_eq!(once, rulebook_model::types::TypeExpr::term(written)),
            // If the case does not set `written`, its term already is the canonical notation. Terms for which this is
            // not true are excluded.
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
fn each_type_describes_the_expected_value_as_recorded() {
    for TypeCase { term, attributes, expected, error, .. } in load_cases() {
        if let (Some(expected), None) = (expected, error) {
            assert_eq!(compile(&term, &attributes).unwrap().expected(), expected, "{term}");
        }
    }
}

#[test]
fn a_type_mismatch_contains_the_path_of_the_invalid_part() {
    let fields = serde_json::json!({"fields": {"tags": {"info": "Tags", "type": "array<?int(1,5)>"}}});
    let check = compile("array<object>", fields.as_object().unwrap()).unwrap();
    let value = serde_json::json!([{"tags": [1]}, {"tags": [null, 9]}]);
    let mismatch = check.checked(Value::from(&value)).unwrap_err();
    assert_eq!(mismatch.path, "[1].tags[1]");
    assert_eq!(mismatch.expected, "a whole number from 1 to 5 or null");
    assert_eq!(mismatch.got, "9");
    let missing = check.checked(Value::from(&serde_json::json!([{}]))).unwrap_err();
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
        assert_eq!(check_value(&*check, decoded), Some(Value::from(&expected)), "{term} from {texts:?}");
    }
}

#[test]
fn a_text_with_too_many_separators_is_rejected() {
    let explode = serde_json::json!({"format": "explode"});
    let check = compile("array", explode.as_object().unwrap()).unwrap();
    for (commas, passes) in [(9_999, true), (10_000, false)] {
        let text = ",".repeat(commas);
        assert_eq!(check.checked(check.decode(Cow::Owned(text))).is_ok(), passes, "{commas} commas");
    }
}
