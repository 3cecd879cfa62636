//! Runs cases that were recorded from aicra and api 3.0, two systems before rulebook. A case is a type, a value with
//! the part of the request that contained it, and whether the older system accepted the value.
//!
//! If a case has `differs`, rulebook intentionally has a different result, for the reason in `differs`. Further
//! intentional differences are listed in `aicra_types_differences.json` and `api3_types_differences.json`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rulebook_model::call::Value;
use rulebook_model::definition::dialect_spec::{DialectSpec, METHODS, TREE};
use serde::Deserialize;
use serde_json::Value as Json;

use super::compile_with_aliases;

#[derive(Deserialize)]
struct RecordedCase {
    id: String,
    r#type: String,
    value: Json,
    from: String,
    valid: bool,
    #[serde(default)]
    cast: Option<Json>,
    differs: Option<String>,
}

/// Returns the value to which the type converts the value of a case, or `None` if the value or the type is invalid.
fn converted_value(case: &RecordedCase, dialect: &DialectSpec) -> Option<Value<'static>> {
    let check = compile_with_aliases(dialect.type_aliases, &case.r#type).ok()?;
    let value = match (case.from.as_str(), &case.value) {
        ("json", value) => Value::from(value),
        (_, Json::String(text)) => check.decode(Cow::Borrowed(text)),
        (from, value) => panic!("{}: {value} from {from}", case.id),
    };
    check.checked(value).ok().map(Value::into_owned)
}

/// Returns `true` if rulebook has the recorded result. Numbers in different notations are equal if their values are
/// equal.
fn agrees_with_record(case: &RecordedCase, dialect: &DialectSpec) -> bool {
    let number = |json: &Json| json.as_f64();
    match (converted_value(case, dialect), &case.cast) {
        (None, _) => !case.valid,
        (Some(value), Some(cast)) => {
            let value = value.to_json();
            case.valid && (value == *cast || number(&value).is_some_and(|value| number(cast) == Some(value)))
        }
        (Some(_), None) => case.valid,
    }
}

#[test]
fn types_agree_with_aicra_except_for_listed_differences() {
    assert_cases_agree(
        &TREE,
        include_str!("../data/vectors/aicra_types.json"),
        include_str!("../data/vectors/aicra_types_differences.json"),
    );
}

#[test]
fn types_agree_with_api_3_except_for_listed_differences() {
    assert_cases_agree(
        &METHODS,
        include_str!("../data/vectors/api3_types.json"),
        include_str!("../data/vectors/api3_types_differences.json"),
    );
}

/// Compares the recorded results of the cases with the results of a dialect's types. The keys of `differences` are the
/// ids of cases that must have a different result.
fn assert_cases_agree(dialect: &DialectSpec, cases: &str, differences: &str) {
    let cases: Vec<RecordedCase> = serde_json::from_str(cases).unwrap();
    let mut differences: BTreeMap<String, String> = serde_json::from_str(differences).unwrap();
    assert!(cases.len() > 200, "there are {} cases only", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let named = differences.remove(&case.id).or(case.differs.clone());
        // If rulebook rejects the type itself, a listed difference is satisfied.
        let at_start = named.is_some() && compile_with_aliases(dialect.type_aliases, &case.r#type).is_err();
        if (agrees_with_record(case, dialect) && !at_start) == named.is_some() {
            let RecordedCase { id, r#type, value, from, valid, cast, .. } = case;
            let named = named.map_or(String::new(), |reason| format!(", although: {reason}"));
            wrong.push(format!(
                "{id}: {type} of {value} from {from}: recorded {valid} {cast:?}, here {:?}{named}",
                converted_value(case, dialect)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(differences.is_empty(), "no such cases: {differences:?}");
}
