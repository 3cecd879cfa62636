//! The page about moving: what it lists is what the tests use, what it shows to be typed works.
//!
//! Differences from documents are the `differs` of `data/seeds/*.json`; those from recorded cases are the `differs` in
//! `data/vectors/*.json` and the reasons in `*_differences.json` beside them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::documents::{cell, compare_made};
use crate::http::recorded::AGREE;
use crate::{readme, seeds};

const PAGE: &str = "docs/migration.md";

/// Whose documents they are.
const DOCUMENTS: [(&str, &[&str]); 3] =
    [("aicra", &["aicra"]), ("api 3.0", &["api3"]), ("PhalApi", &["phalapi_parameters", "phalapi_responses"])];

/// Whose recorded cases these are: the ancestor's name, by what their ids begin with.
const RECORDED: [(&str, &[&str]); 3] = [
    ("api 3.0", &["api3-", "cfg-api3-"]),
    ("aicra", &["aicra-", "cfg-flat-", "cfg-tree-", "req-", "scope-"]),
    ("PhalApi", &[""]),
];

/// One test, since both halves write the page anew where they are told to.
#[test]
fn its_tables_and_its_commands_are_true() {
    let tables = compare_made(PAGE, |what| {
        let of = |kind: &str| what.strip_prefix(kind);
        let table = of("the documents of ").map(documents).or_else(|| of("the recorded cases of ").map(recorded));
        table.unwrap_or_else(|| panic!("nothing is known of {what}"))
    });
    assert_eq!(tables, 6);
    readme::tour(PAGE);
}

/// What is decided otherwise than a document shows.
fn documents(ancestor: &str) -> String {
    let (_, names) = DOCUMENTS.iter().find(|(name, _)| *name == ancestor).unwrap();
    let mut table = "| section | what it shows | here |\n| --- | --- | --- |\n".to_owned();
    for name in *names {
        for (section, shows, reason) in seeds::differences(name) {
            writeln!(table, "| {} | {} | {} |", cell(&section), cell(&shows), cell(&reason)).unwrap();
        }
    }
    table
}

/// What is decided otherwise than an ancestor's program did, by reason.
fn recorded(ancestor: &str) -> String {
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, reason) in all_recorded() {
        let (whose, _) = RECORDED.iter().find(|(_, begins)| begins.iter().any(|begin| id.starts_with(begin))).unwrap();
        if *whose == ancestor && !AGREE.contains(&id.as_str()) {
            reasons.entry(reason).or_default().push(id);
        }
    }
    let mut table = "| here | recorded cases |\n| --- | --- |\n".to_owned();
    for (reason, ids) in reasons {
        let ids: Vec<_> = ids.iter().map(|id| format!("`{id}`")).collect();
        writeln!(table, "| {} | {} |", cell(&reason), ids.join(" ")).unwrap();
    }
    table
}

/// Every recorded case that is decided otherwise, with its reason.
fn all_recorded() -> BTreeMap<String, String> {
    let read = |path: &Path| serde_json::from_str::<Json>(&fs::read_to_string(path).unwrap()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut all = BTreeMap::new();
    for file in files {
        match read(&file) {
            Json::Object(reasons) => {
                all.extend(reasons.into_iter().map(|(id, reason)| (id, reason.as_str().unwrap().to_owned())));
            }
            Json::Array(rows) => {
                let differing = rows.iter().filter_map(|row| Some((row["id"].as_str()?, row["differs"].as_str()?)));
                all.extend(differing.map(|(id, reason)| (id.to_owned(), reason.to_owned())));
            }
            _ => panic!("{} holds no cases", file.display()),
        }
    }
    assert!(all.len() > 100, "{} differences only", all.len());
    all
}
