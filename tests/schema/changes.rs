//! Definitions with a change anywhere: reader and schema say the same of it.

use std::path::PathBuf;

use proptest::prelude::*;
use rulebook::diagnostic::{Code, codes as all_codes};
use serde_json::{Map, Value as Json, json};

use super::{ANY_FILE, STATED, codes, content, folders, name, read, report, takes};
use crate::generate::{Generated, definitions, mistaken};

/// Why reader and schema do not agree about a definition; none: they do.
fn disagreement(files: &[(String, Json)]) -> Option<String> {
    let bytes = |json: &Json| json.to_string().into_bytes();
    let texts = files.iter().map(|(name, json)| (PathBuf::from("api").join(name), bytes(json)));
    let report = report(texts.collect());
    files.iter().find_map(|(name, json)| {
        let codes = codes(&report, name);
        // A returned field needs no type where others stand in it, by their paths.
        let has_paths = json.to_string().contains("\"@return\"");
        let is_stated = |code: &Code| STATED.contains(code) && !(has_paths && *code == Code::MissingType);
        let stated = codes.iter().any(is_stated);
        match (takes(name, json), report.is_empty(), stated) {
            (false, true, _) => Some(format!("the schema refuses {name}: {json}\n{:?}", ANY_FILE.validate(json))),
            (true, _, true) => Some(format!("the schema takes {name}: {json}\n{report}")),
            _ => None,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn generated_definitions_are_taken(generated in definitions()) {
        prop_assert_eq!(disagreement(&generated.files), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn mistakes_are_judged_alike(generated in mistaken()) {
        let Generated { files } = generated;
        prop_assert_eq!(disagreement(&files), None);
    }
}

#[test]
fn examples_are_judged_alike() {
    let guide = std::fs::read_to_string("docs/definitions.md").unwrap();
    let pages = all_codes::TABLE.iter().map(|row| row.explanation).chain([guide.as_str()]);
    let blocks = pages.flat_map(|page| page.split("```json\n").skip(1));
    let mut count = 0;
    for block in blocks {
        let text = block.split("```").next().unwrap_or_default();
        // What is wrong with some is that they are no JSON, or have a key twice.
        let Some(json) = content(text.as_bytes()) else { continue };
        assert_eq!(disagreement(&[("example.json".to_owned(), json)]), None);
        count += 1;
    }
    assert!(count > 60, "{count} examples only");
}

/// What stands in the place of another value.
fn odd() -> [Json; 7] {
    [json!(null), json!(true), json!(0), json!("GET"), json!([]), json!([[]]), json!({})]
}

/// Calls `judge` with a value that was changed in one place in every way, for each of its places.
fn changed(json: &Json, judge: &mut dyn FnMut(Json)) {
    for value in odd() {
        judge(value);
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
                judge(with("", None));
                for new in ["", "inof", "@info", "x-y", "$y", "HEAD", "get", "GET", "/", "a::b", "GET::a", "*"] {
                    if !members.contains_key(new) {
                        judge(with(new, Some(value.clone())));
                    }
                }
                changed(value, &mut |value| judge(with(name, Some(value))));
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                changed(item, &mut |item| {
                    let mut items = items.clone();
                    items[index] = item;
                    judge(Json::Array(items));
                });
            }
        }
        _ => {}
    }
}

#[test]
fn neighbours_of_good_definitions_are_judged_alike() {
    let mut failures = Vec::new();
    let mut count = 0;
    for folder in folders("good") {
        for (path, bytes) in read(&folder) {
            let name = name(&path);
            changed(&content(&bytes).unwrap(), &mut |json| {
                count += 1;
                // All of them take minutes; a prime step meets every kind of change.
                if count % 13 != 0 {
                    return;
                }
                failures.extend(disagreement(&[(name.clone(), json)]).map(|why| format!("{}: {why}", path.display())));
            });
        }
    }
    assert!(count > 5_000, "{count} neighbours only");
    failures.truncate(10);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
