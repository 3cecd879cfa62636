//! Tests that the parser of definitions and the JSON Schema agree about definitions with random changes.

use std::path::PathBuf;

use proptest::prelude::*;
use rulebook_model::diagnostic::DiagnosticCode;
use serde_json::{Map, Value as Json, json};

use super::{
    ALWAYS_DETECTED, ANY_FILE_VALIDATOR, definition_folders, diagnostic_codes, file_name, is_valid_against_schema,
    parse_content, read_folder, report_of_files,
};
use crate::documents::read_guide;
use support::generate::{Generated, definitions, mutated_definitions};

/// Returns how the parser and the schema disagree about a definition; `None` if they agree.
fn disagreement(files: &[(String, Json)]) -> Option<String> {
    let bytes = |json: &Json| json.to_string().into_bytes();
    let texts = files.iter().map(|(name, json)| (PathBuf::from("api").join(name), bytes(json)));
    let report = report_of_files(texts.collect());
    files.iter().find_map(|(name, json)| {
        let codes = diagnostic_codes(&report, name);
        // A returned field without a type is valid if another field has a path that begins with its path.
        let has_paths = json.to_string().contains("\"@return\"");
        let is_detected = |code: &DiagnosticCode| {
            ALWAYS_DETECTED.contains(code) && !(has_paths && *code == DiagnosticCode::MissingType)
        };
        let detected = codes.iter().any(is_detected);
        match (is_valid_against_schema(name, json), report.is_empty(), detected) {
            (false, true, _) => {
                Some(format!("the schema rejects {name}: {json}\n{:?}", ANY_FILE_VALIDATOR.validate(json)))
            }
            (true, _, true) => Some(format!("the schema accepts {name}: {json}\n{report}")),
            _ => None,
        }
    })
}

proptest! {
    #![proptest_config(support::random::cases(200))]

    #[test]
    fn generated_definitions_are_valid_against_the_schema(generated in definitions()) {
        prop_assert_eq!(disagreement(&generated.files), None);
    }
}

proptest! {
    #![proptest_config(support::random::cases(400))]

    #[test]
    fn parser_and_schema_agree_about_mutated_definitions(generated in mutated_definitions()) {
        let Generated { files } = generated;
        prop_assert_eq!(disagreement(&files), None);
    }
}

#[test]
fn parser_and_schema_agree_about_examples_in_the_documentation() {
    let guide = read_guide();
    let pages = DiagnosticCode::ALL.iter().map(|code| code.explanation()).chain([guide.as_str()]);
    let blocks = pages.flat_map(|page| page.split("```json\n").skip(1));
    let mut count = 0;
    for block in blocks {
        let text = block.split("```").next().unwrap_or_default();
        // Some examples are not valid JSON or contain a duplicate key, so that the schema cannot be applied.
        let Some(json) = parse_content(text.as_bytes()) else { continue };
        assert_eq!(disagreement(&[("example.json".to_owned(), json)]), None);
        count += 1;
    }
    assert!(count > 60, "only {count} examples");
}

#[test]
fn parser_and_schema_agree_about_keys_with_the_names_of_http_methods() {
    for name in ["GET", "Get", "post", "Post", "Options"] {
        for content in [
            json!({ "GET::read": { "description": "Reads" } }),
            json!({ "read": { "id": { "type": "int" } } }),
            json!({ "@info": "Notes", "info": { "id": {} }, "x-note": 1 }),
            json!({ "x-note": {} }),
            json!({ "in": { "id": {} } }),
            json!({ "GET": { "id": {} } }),
            json!({ "info": "Reads", "x-a::b": 1 }),
            json!({}),
            json!([]),
            json!([{}]),
        ] {
            for other in [json!({}), json!([]), json!(1)] {
                let file = json!({ name: content, "user": other });
                assert_eq!(disagreement(&[("example.json".to_owned(), file)]), None);
            }
            assert_eq!(disagreement(&[("example.json".to_owned(), json!({ name: content }))]), None);
        }
    }
}

/// Returns the values with which each value of a definition is replaced in turn.
fn replacement_values() -> [Json; 7] {
    [json!(null), json!(true), json!(0), json!("GET"), json!([]), json!([[]]), json!({})]
}

/// Calls `visit` with each variant of a JSON value that differs in exactly one place.
fn for_each_variant(json: &Json, visit: &mut dyn FnMut(Json)) {
    for value in replacement_values() {
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
                for_each_variant(value, &mut |value| visit(with(name, Some(value))));
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for_each_variant(item, &mut |item| {
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
    for folder in definition_folders("good") {
        for (path, bytes) in read_folder(&folder) {
            let name = file_name(&path);
            for_each_variant(&parse_content(&bytes).unwrap(), &mut |json| {
                count += 1;
                // Checking all changes would take minutes. Every 29th change is checked, which covers every kind of
                // change because 29 is a prime number.
                if count % 29 != 0 {
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
