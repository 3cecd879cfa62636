//! The names that the generated code uses without a path: no type of an API has them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use rulebook_build::{Purpose, rust_code};
use rulebook_model::model::Api;
use serde_json::json;

fn code_with_schema(name: &str) -> String {
    let definition = json!({
        "schemas": { (name): { "info": "I", "type": "array<int>" } },
        "/": { "a": { "POST": { "info": "I", "in": { "x": { "info": "I", "type": name } } } } }
    });
    let api = rulebook_model::read(vec![("site.json".into(), definition.to_string().into_bytes())]).unwrap();
    rust_code(&api, Purpose::Handlers)
}

/// Returns the names of types and traits that code uses without a path, and that it does not declare.
fn names_without_path(code: &str) -> BTreeSet<&str> {
    let (mut used, mut declared) = (BTreeSet::new(), BTreeSet::new());
    let lines = code.lines().map(str::trim_start).filter(|line| !line.starts_with("//") && !line.starts_with("#["));
    // Every second part of a line is a string.
    for part in lines.flat_map(|line| line.split('"').step_by(2)) {
        let mut rest = part;
        while let Some(start) = rest.find(|char: char| char.is_alphanumeric() || char == '_') {
            let (before, word) = (part[..part.len() - rest.len() + start].trim_end(), &rest[start..]);
            let end = word.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(word.len());
            let (word, after) = word.split_at(end);
            rest = after;
            let is_item = ["struct", "enum", "type", "const"].iter().any(|keyword| before.ends_with(keyword));
            let is_variant = before.is_empty() && after.starts_with([',', '(']);
            let is_associated_type = after.starts_with(" =");
            let is_parameter = ["Function", "Future"].iter().any(|end| word.len() > end.len() && word.ends_with(end));
            if is_item || is_variant || is_associated_type || is_parameter {
                declared.insert(word);
            } else if word.starts_with(|char: char| char.is_ascii_uppercase()) && !before.ends_with("::") {
                used.insert(word);
            }
        }
    }
    &used - &declared
}

#[test]
fn types_have_no_names_that_the_code_uses_without_a_path() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/generated/api");
    let api: Api = rulebook_model::load(folder).unwrap();
    let codes = [rust_code(&api, Purpose::Handlers), rust_code(&api, Purpose::Types)];
    let names: BTreeSet<&str> = codes.iter().flat_map(|code| names_without_path(code)).collect();
    for known in ["Box", "Clone", "Fn", "From", "Future", "Into", "Option", "Result", "Send", "Sync", "Vec"] {
        assert!(names.contains(known), "{known}: {names:?}");
    }
    for name in names {
        let code = code_with_schema(name);
        assert!(code.contains(&format!("pub type {name}2 = ")), "{name}: {code}");
    }
}
