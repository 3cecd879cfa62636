//! Recorded cases of the ancestor aicra: a type, a value and its source, and whether it was valid.
//!
//! Rows with `differs` are decided otherwise on purpose and say why; more of
//! them, with their reasons, are in `aicra_types_differences.json`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rulebook::Value;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::compile;

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
fn outcome(row: &Row) -> Option<Value<'static>> {
    let check = compile(&row.r#type, &Map::new()).ok()?;
    let value = match (row.from.as_str(), &row.value) {
        ("json", value) => Value::from(value),
        (_, Json::String(text)) => check.decode(Cow::Borrowed(text)),
        (from, value) => panic!("{}: {value} from {from}", row.id),
    };
    check.check(value).ok().map(Value::into_owned)
}

/// Whether the outcome is the recorded one. Numbers are equal however they are written.
fn agrees(row: &Row) -> bool {
    let number = |json: &Json| json.as_f64();
    match (outcome(row), &row.cast) {
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
    let rows: Vec<Row> = serde_json::from_str(include_str!("../data/vectors/aicra_types.json")).unwrap();
    let mut differences: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../data/vectors/aicra_types_differences.json")).unwrap();
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row.differs.is_none()) {
        let named = differences.remove(&row.id);
        if agrees(row) == named.is_some() {
            let Row { id, r#type, value, from, valid, cast, .. } = row;
            let named = named.map_or(String::new(), |reason| format!(", although: {reason}"));
            wrong.push(format!(
                "{id}: {type} of {value} from {from}: recorded {valid} {cast:?}, here {:?}{named}",
                outcome(row)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(differences.is_empty(), "no such cases: {differences:?}");
}
