//! The page about moving: what it lists is what the tests use, what it shows to be typed works.
//!
//! Differences from documents are the `differs` of `data/seeds/*.json`; those from recorded cases are the `differs` in
//! `data/vectors/*.json` and the reasons in `*_differences.json` beside them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

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

/// The files of recorded cases, and how many there are: each is replayed by the test that is named.
const CASES: [(&str, usize, &str); 7] = [
    ("aicra_types", 232, "types/recorded.rs"),
    ("api3_types", 216, "types/recorded.rs"),
    ("config_errors", 132, "compile/recorded.rs"),
    ("phalapi_http", 184, "service/recorded.rs"),
    ("phalapi_params", 344, "rules/recorded.rs"),
    ("requests", 83, "http/recorded.rs"),
    ("scopes", 37, "http/recorded.rs"),
];

#[test]
fn no_recorded_case_is_lost() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut ids = BTreeMap::new();
    for (name, count, replayed) in CASES {
        let text = fs::read_to_string(tests.join(format!("data/vectors/{name}.json"))).unwrap();
        let rows: Vec<Json> = serde_json::from_str(&text).unwrap();
        assert_eq!(rows.len(), count, "{name}");
        for row in rows {
            let id = row["id"].as_str().unwrap().to_owned();
            assert!(ids.insert(id, row["differs"].is_string()).is_none(), "{name}: {} stands twice", row["id"]);
        }
        let test = fs::read_to_string(tests.join(replayed)).unwrap();
        assert!(test.contains(&format!("data/vectors/{name}.json\")")), "{replayed} does not replay {name}");
    }
    let files = fs::read_dir(tests.join("data/vectors")).unwrap().map(|entry| entry.unwrap().path());
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let Some(of) = name.strip_suffix("_differences") else {
            assert!(CASES.iter().any(|(case, ..)| *case == name), "{name} is replayed by nothing");
            continue;
        };
        let reasons: BTreeMap<String, String> = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        for (id, reason) in reasons {
            assert_eq!(ids.get(&id), Some(&false), "{of}: {id} is no case, or has its reason beside it as well");
            assert!(!reason.trim().is_empty(), "{of}: {id} differs without a reason");
        }
    }
}

/// What is decided otherwise than a document shows.
fn documents(ancestor: &str) -> String {
    let (_, names) = DOCUMENTS.iter().find(|(name, _)| *name == ancestor).unwrap();
    let mut table = "| section | what it shows | here |\n| --- | --- | --- |\n".to_owned();
    for name in *names {
        for (section, shows, reason) in seeds::differences(name) {
            // One that several examples show stands once.
            if table.contains(&format!("| {} |\n", cell(&reason))) {
                continue;
            }
            writeln!(table, "| {} | {} | {} |", cell(&section), cell(&shows), cell(&reason)).unwrap();
        }
    }
    table
}

/// What is decided otherwise than an ancestor's program did, by reason, with the first case of each.
fn recorded(ancestor: &str) -> String {
    let (differing, rows) = all_recorded();
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, reason) in differing {
        let (whose, _) = RECORDED.iter().find(|(_, begins)| begins.iter().any(|begin| id.starts_with(begin))).unwrap();
        if *whose == ancestor && !AGREE.contains(&id.as_str()) {
            reasons.entry(reason).or_default().push(id);
        }
    }
    let mut table = "| here | there, for one | recorded cases |\n| --- | --- | --- |\n".to_owned();
    for (reason, ids) in reasons {
        let row = rows.get(&ids[0]).unwrap_or_else(|| panic!("{} is no case", ids[0]));
        let ids: Vec<_> = ids.iter().map(|id| format!("`{id}`")).collect();
        writeln!(table, "| {} | {} | {} |", cell(&reason), cell(&shown(row)), ids.join(" ")).unwrap();
    }
    table
}

/// What a recorded case is about, and what became of it.
fn shown(row: &Json) -> String {
    let quoted = |text: &str| {
        let cut = text.chars().take(100).collect::<String>();
        format!("`{cut}{}`", if cut == text { "" } else { "…" })
    };
    let code = |json: &Json| quoted(&json.to_string());
    let told = |error: &Json| error.as_str().unwrap_or("refused").to_owned();
    if row["params"].is_object() {
        let became = if row["err"].is_null() { code(&row["ok"]) } else { "refused".to_owned() };
        let came = if row["files"].is_object() { &row["files"] } else { &row["params"] };
        return format!("{} by {}: {became}", code(came), code(&row["rule"]));
    }
    if row["type"].is_string() {
        let became = if row["valid"] == true { "passes" } else { "does not pass" };
        return format!("{} by `{}` {became}", code(&row["value"]), row["type"].as_str().unwrap());
    }
    if row["service_scope"].is_array() {
        let became = if row["allowed"] == true { "allowed" } else { "not allowed" };
        return format!("{} for who has {}: {became}", code(&row["service_scope"]), code(&row["request_scope"]));
    }
    let sent = &row["request"];
    if let Some(method) = sent["method"].as_str() {
        let target = sent["uri"].as_str().or(sent["target"].as_str()).unwrap_or_default();
        let became = match (&row["extracted"], &row["body"]) {
            (_, Json::String(body)) if body.is_empty() => "an empty answer".to_owned(),
            (_, Json::String(body)) => quoted(body),
            (Json::Object(_), _) => code(&row["extracted"]),
            _ => told(&row["error"]),
        };
        return format!("{}: {became}", quoted(&format!("{method} {target}")));
    }
    row["error"].as_str().map_or_else(|| "no fault".to_owned(), |fault| format!("the fault `{fault}`"))
}

/// Every recorded case that is decided otherwise, with its reason; and all cases.
fn all_recorded() -> (BTreeMap<String, String>, BTreeMap<String, Json>) {
    let read = |path: &Path| serde_json::from_str::<Json>(&fs::read_to_string(path).unwrap()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors");
    let mut differing = BTreeMap::new();
    let mut all = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match read(&file) {
            Json::Object(reasons) => {
                differing.extend(reasons.into_iter().map(|(id, reason)| (id, reason.as_str().unwrap().to_owned())));
            }
            Json::Array(rows) => {
                for row in rows {
                    let id = row["id"].as_str().unwrap().to_owned();
                    differing.extend(row["differs"].as_str().map(|reason| (id.clone(), reason.to_owned())));
                    all.insert(id, row);
                }
            }
            _ => panic!("{} holds no cases", file.display()),
        }
    }
    assert!(differing.len() > 100, "{} differences only", differing.len());
    (differing, all)
}
