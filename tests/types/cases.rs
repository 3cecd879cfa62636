//! `data/types/cases.json`: for each term what passes, as what, and what is refused, as text and as JSON.
//!
//! `passes` are values that stay as they are, `becomes` pairs of a value and
//! what handlers get. Each JSON value is also judged by the type's schema.

use std::borrow::Cow;

use rulebook::Value;
use rulebook::types::Check;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{compile, compile_written, judge, plain_judge};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    term: String,
    #[serde(default)]
    attributes: Map<String, Json>,
    #[serde(default)]
    text: Side,
    #[serde(default)]
    json: Side,
    /// The words for what passes.
    expected: Option<String>,
    /// The canonical term, where all of the type is in it.
    written: Option<String>,
    /// That there is no such type.
    error: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Side {
    #[serde(default)]
    passes: Vec<Json>,
    #[serde(default)]
    becomes: Vec<(Json, Json)>,
    #[serde(default)]
    refused: Vec<Json>,
}

impl Side {
    /// Every value with what it becomes, or with nothing where it is refused.
    fn rows(&self) -> impl Iterator<Item = (&Json, Option<&Json>)> {
        let passes = self.passes.iter().map(|value| (value, Some(value)));
        let becomes = self.becomes.iter().map(|(value, becomes)| (value, Some(becomes)));
        passes.chain(becomes).chain(self.refused.iter().map(|value| (value, None)))
    }
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("../data/types/cases.json")).unwrap()
}

fn checked(check: &dyn Check, value: Value<'_>) -> Option<Value<'static>> {
    check.check(value).ok().map(Value::into_owned)
}

#[test]
fn texts_and_json_pass_or_are_refused() {
    for Row { term, attributes, text, json, error, .. } in rows() {
        let case = format!("{term} {attributes:?}");
        let check = match compile(&term, &attributes) {
            Ok(check) => check,
            Err(errors) => {
                assert!(error.is_some(), "{case}: {errors:?}");
                continue;
            }
        };
        assert!(error.is_none(), "{case} compiles");
        for (input, becomes) in text.rows() {
            let input = input.as_str().expect("a text");
            let becomes = becomes.map(Value::from);
            // A text is borrowed or not; both are read alike, and so is one of many.
            let borrowed = check.decode(Cow::Borrowed(input));
            assert_eq!(checked(&*check, borrowed), becomes, "{case} from {input:?}");
            let owned = check.decode(Cow::Owned(input.to_owned()));
            assert_eq!(checked(&*check, owned), becomes, "{case} from an owned {input:?}");
        }
        for (input, becomes) in json.rows() {
            assert_eq!(checked(&*check, Value::from(input)), becomes.map(Value::from), "{case} from the JSON {input}");
        }
    }
}

#[test]
fn schemas_judge_the_json_like_the_checks() {
    for Row { term, attributes, json, error, .. } in rows() {
        if error.is_some() {
            continue;
        }
        let schema = compile(&term, &attributes).unwrap().schema();
        let (judge, plain) = (judge(&schema), plain_judge(&schema));
        for (input, becomes) in json.rows() {
            // Bounds of numbers in texts are in a keyword of which this validator knows nothing.
            let unknown = schema.to_string().contains("formatM");
            assert!(unknown || judge.is_valid(input) == becomes.is_some(), "{term}: {schema} of {input}");
            assert!(plain.is_valid(input) || becomes.is_none(), "{term}: {schema} of {input}");
        }
    }
}

#[test]
fn what_is_written_means_the_same() {
    for Row { term, attributes, written, error, .. } in rows() {
        if error.is_some() {
            continue;
        }
        let check = compile(&term, &attributes).unwrap();
        let once = check.written();
        assert_eq!(compile_written(&once).written(), once, "{term}");
        assert_eq!(compile_written(&once).schema(), check.schema(), "{term}");
        match written {
            Some(written) => assert_eq!(once, rulebook::types::Written::term(written)),
            // Where the table says nothing else, rows are written canonically but for numbers of dates.
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
fn what_is_expected_reads_well() {
    for Row { term, attributes, expected, error, .. } in rows() {
        if let (Some(expected), None) = (expected, error) {
            assert_eq!(compile(&term, &attributes).unwrap().expected(), expected, "{term}");
        }
    }
}

#[test]
fn a_mismatch_tells_where_in_the_value() {
    let fields = serde_json::json!({"fields": {"tags": {"info": "Tags", "type": "array<?int(1,5)>"}}});
    let check = compile("array<object>", fields.as_object().unwrap()).unwrap();
    let value = serde_json::json!([{"tags": [1]}, {"tags": [null, 9]}]);
    let mismatch = check.check(Value::from(&value)).unwrap_err();
    assert_eq!(mismatch.at, "[1].tags[1]");
    assert_eq!(mismatch.expected, "a whole number from 1 to 5 or null");
    assert_eq!(mismatch.got, "9");
    let missing = check.check(Value::from(&serde_json::json!([{}]))).unwrap_err();
    assert_eq!((missing.at.as_str(), missing.got.as_str()), ("[0].tags", "nothing"));
}

#[test]
fn several_texts_make_a_list() {
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
fn a_text_with_too_many_separators_is_no_list() {
    let explode = serde_json::json!({"format": "explode"});
    let check = compile("array", explode.as_object().unwrap()).unwrap();
    for (commas, passes) in [(9_999, true), (10_000, false)] {
        let text = ",".repeat(commas);
        assert_eq!(check.check(check.decode(Cow::Owned(text))).is_ok(), passes, "{commas} commas");
    }
}
