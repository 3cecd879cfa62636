//! Recorded cases of the ancestors aicra and api 3.0: a type, a value and its source, and whether it was valid.
//!
//! Rows with `differs` are decided otherwise on purpose and say why; more of
//! them, with their reasons, are in `aicra_types_differences.json` and
//! `api3_types_differences.json`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rulebook::Value;
use rulebook::definition::manner::{METHODS, Manner, TREE};
use serde::Deserialize;
use serde_json::Value as Json;

use super::compile_in_words;

#[derive(Deserialize)]
struct Row {
    id: String,
    r#type: String,
    value: Json,
    from: String,
    valid: bool,
    #[serde(default)]
    cast: Option<Json>,
    differs: Option<String>,
}

/// What the row's type makes of its value; nothing where it is refused or where there is no such type.
fn outcome(row: &Row, dialect: &Manner) -> Option<Value<'static>> {
    let check = compile_in_words(dialect.types, &row.r#type).ok()?;
    let value = match (row.from.as_str(), &row.value) {
        ("json", value) => Value::from(value),
        (_, Json::String(text)) => check.decode(Cow::Borrowed(text)),
        (from, value) => panic!("{}: {value} from {from}", row.id),
    };
    check.check(value).ok().map(Value::into_owned)
}

/// Whether the outcome is the recorded one. Numbers are equal however they are written.
fn agrees(row: &Row, dialect: &Manner) -> bool {
    let number = |json: &Json| json.as_f64();
    match (outcome(row, dialect), &row.cast) {
        (None, _) => !row.valid,
        (Some(value), Some(cast)) => {
            let value = value.to_json();
            row.valid && (value == *cast || number(&value).is_some_and(|value| number(cast) == Some(value)))
        }
        (Some(_), None) => row.valid,
    }
}

#[test]
fn types_agree_with_aicras_but_for_the_named_differences() {
    judge(
        &TREE,
        include_str!("../data/vectors/aicra_types.json"),
        include_str!("../data/vectors/aicra_types_differences.json"),
    );
}

#[test]
fn types_agree_with_those_of_api_3_but_for_the_named_differences() {
    judge(
        &METHODS,
        include_str!("../data/vectors/api3_types.json"),
        include_str!("../data/vectors/api3_types_differences.json"),
    );
}

/// Holds what was recorded against the types in the words of a dialect.
fn judge(dialect: &Manner, rows: &str, differences: &str) {
    let rows: Vec<Row> = serde_json::from_str(rows).unwrap();
    let mut differences: BTreeMap<String, String> = serde_json::from_str(differences).unwrap();
    assert!(rows.len() > 200, "there are {} cases only", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let named = differences.remove(&row.id).or(row.differs.clone());
        // That it is refused at start is a difference where it is named as one.
        let at_start = named.is_some() && compile_in_words(dialect.types, &row.r#type).is_err();
        if (agrees(row, dialect) && !at_start) == named.is_some() {
            let Row { id, r#type, value, from, valid, cast, .. } = row;
            let named = named.map_or(String::new(), |reason| format!(", although: {reason}"));
            wrong.push(format!(
                "{id}: {type} of {value} from {from}: recorded {valid} {cast:?}, here {:?}{named}",
                outcome(row, dialect)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(differences.is_empty(), "no such cases: {differences:?}");
}
