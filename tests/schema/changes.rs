//! Definitions with random changes: the parser and the schema agree about them.

use std::path::PathBuf;

use proptest::prelude::*;
use rulebook_model::diagnostic::{DiagnosticCode, codes as all_codes};
use serde_json::{Map, Value as Json, json};

use super::{ANY_FILE, DETECTED, codes, content, folders, is_valid, name, read, report};
use support::generate::{Generated, definitions, mutated_definitions};

/// Returns how the parser and the schema disagree about a definition, or `None` if they agree.
fn disagreement(files: &[(String, Json)]) -> Option<String> {
    let bytes = |json: &Json| json.to_string().into_bytes();
    let texts = files.iter().map(|(name, json)| (PathBuf::from("api").join(name), bytes(json)));
    let report = report(texts.collect());
    files.iter().find_map(|(name, json)| {
        let codes = codes(&report, name);
        // A returned field without a type is allowed if the paths of other fields begin with it.
        let has_paths = json.to_string().contains("\"@return\"");
        let is_detected =
            |code: &DiagnosticCode| DETECTED.contains(code) && !(has_paths && *code == DiagnosticCode::MissingType);
        let detected = codes.iter().any(is_detected);
        match (is_valid(name, json), report.is_empty(), detected) {
            (false, true, _) => Some(format!("the schema rejects {name}: {json}\n{:?}", ANY_FILE.validate(json))),
            (true, _, true) => Some(format!("the schema accepts {name}: {json}\n{report}")),
            _ => None,
        }
    })
}

proptest! {
    #![proptest_config(support::random::cases(200))]

    #[test]
    fn generated_definitions_are_valid(generated in definitions()) {
        prop_assert_eq!(disagreement(&generated.files), None);
    }
}

proptest! {
    #![proptest_config(support::random::cases(1_000))]

    #[test]
    fn parser_and_schema_agree_about_mutated_definitions(generated in mutated_definitions()) {
        let Generated { files } = generated;
        prop_assert_eq!(disagreement(&files), None);
    }
}

#[test]
fn parser_and_schema_agree_about_examples_in_the_documentation() {
    let guide = std::fs::read_to_string("docs/definitions.md").unwrap();
    let pages = all_codes::TABLE.iter().map(|row| row.explanation).chain([guide.as_str()]);
    let blocks = pages.flat_map(|page| page.split("```json\n").skip(1));
    let mut count = 0;
    for block in blocks {
        let text = block.split("```").next().unwrap_or_default();
        // Some examples are invalid JSON or have a duplicate key.
        let Some(json) = content(text.as_bytes()) else { continue };
        assert_eq!(disagreement(&[("example.json".to_owned(), json)]), None);
        count += 1;
    }
    assert!(count > 60, "only {count} examples");
}

/// Values that replace other values.
fn replacements() -> [Json; 7] {
    [json!(null), json!(true), json!(0), json!("GET"), json!([]), json!([[]]), json!({})]
}

/// Calls `visit` with each variant of a value that has one change.
fn for_each_change(json: &Json, visit: &mut dyn FnMut(Json)) {
    for value in replacements() {
        visit(value);
    }
    match json {
        Json::Object(members) => {
            for (name, value) in members {
                let with = |new: &str, value: Option<Json>| {
                    let mut all = Map::new();
                    for (key, old) in members {
                        match (&value, key == name) {
                            (Some(value), true) => all.insert(new.to_owned(), value.clone()),
                            (None, true) => None,
                            (_, false) => all.insert(key.clone(), old.clone()),
                        };
                    }
                    Json::Object(all)
                };
                visit(with("", None));
                for new in ["", "inof", "@info", "x-y", "$y", "HEAD", "get", "GET", "/", "a::b", "GET::a", "*"] {
                    if !members.contains_key(new) {
                        visit(with(new, Some(value.clone())));
                    }
                }
                for_each_change(value, &mut |value| visit(with(name, Some(value))));
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for_each_change(item, &mut |item| {
                    let mut items = items.clone();
                    items[index] = item;
                    visit(Json::Array(items));
                });
            }
        }
        _ => {}
    }
}

#[test]
fn parser_and_schema_agree_about_valid_definitions_with_one_change() {
    let mut failures = Vec::new();
    let mut count = 0;
    for folder in folders("good") {
        for (path, bytes) in read(&folder) {
            let name = name(&path);
            for_each_change(&content(&bytes).unwrap(), &mut |json| {
                count += 1;
                // All changes would take minutes. A prime step covers every kind of change.
                if count % 13 != 0 {
                    return;
                }
                failures.extend(
                    disagreement(&[(name.clone(), json)]).map(|reason| format!("{}: {reason}", path.display())),
                );
            });
        }
    }
    assert!(count > 5_000, "only {count} changes");
    failures.truncate(10);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
