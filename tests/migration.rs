//! Tests the page about moving from an ancestor (an earlier framework, such as PhalApi) to rulebook. The page's tables
//! of differences are generated from test data, and the commands on the page work.
//!
//! The tables list two kinds of differences. In `data/seeds/*.json`, the member `differs` of an example is a difference
//! from an ancestor's documentation. In `data/vectors`, the member `differs` of a recorded case and the reasons in
//! `*_differences.json` are differences from an ancestor's program. `data/reasons.json` contains the wording of these
//! reasons for the page.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::documents::{compare_generated, escape_cell};
use crate::http::recorded::AGREEING_CASES;
use crate::{readme, seeds};

const PAGE: &str = "docs/migration.md";

/// The ancestors, each with the files in `data/seeds` that contain the examples from its documentation.
const SEED_FILES: [(&str, &[&str]); 3] =
    [("aicra", &["aicra"]), ("api 3.0", &["api3"]), ("PhalApi", &["phalapi_parameters", "phalapi_responses"])];

/// The ancestors, each with the prefixes of the ids of the cases that were recorded from its program.
const RECORDED_ID_PREFIXES: [(&str, &[&str]); 3] = [
    ("api 3.0", &["api3-", "cfg-api3-"]),
    ("aicra", &["aicra-", "cfg-flat-", "cfg-tree-", "req-", "scope-"]),
    ("PhalApi", &[""]),
];

/// This is one test, because its two steps (tables and commands) both write the page if `UPDATE_GOLDEN` is `1`.
#[test]
fn the_tables_and_commands_of_the_migration_page_are_correct() {
    let tables = compare_generated(PAGE, |what| {
        let ancestor = |prefix: &str| what.strip_prefix(prefix);
        let table = ancestor("the documents of ").map(table_of_document_differences);
        let table = table.or_else(|| ancestor("the recorded cases of ").map(table_of_recorded_differences));
        table.unwrap_or_else(|| panic!("no table is known for `{what}`"))
    });
    assert_eq!(tables, 6);
    readme::check_commands(PAGE);
}

/// The files with recorded cases, each with the number of its cases and the file of the test that replays the cases.
const RECORDED_FILES: [(&str, usize, &str); 7] = [
    ("aicra_types", 232, "types/recorded.rs"),
    ("api3_types", 216, "types/recorded.rs"),
    ("config_errors", 132, "compile/recorded.rs"),
    ("phalapi_http", 184, "service/recorded.rs"),
    ("phalapi_params", 344, "rules/recorded.rs"),
    ("requests", 83, "http/recorded.rs"),
    ("scopes", 37, "http/recorded.rs"),
];

#[test]
fn every_recorded_case_is_counted_and_replayed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [root.join("tests"), root.join("crates/rulebook-model/tests")];
    let read = |file: &str| folders.iter().find_map(|tests| fs::read_to_string(tests.join(file)).ok()).unwrap();
    let mut ids = BTreeMap::new();
    for (name, count, replayed) in RECORDED_FILES {
        let text = read(&format!("data/vectors/{name}.json"));
        let rows: Vec<Json> = serde_json::from_str(&text).unwrap();
        assert_eq!(rows.len(), count, "{name}");
        for row in rows {
            let id = row["id"].as_str().unwrap().to_owned();
            assert!(ids.insert(id, row["differs"].is_string()).is_none(), "{name}: the id {} is not unique", row["id"]);
        }
        let test = read(replayed);
        assert!(test.contains(&format!("data/vectors/{name}.json\")")), "{replayed} does not replay {name}");
    }
    let files = folders.iter().flat_map(|tests| fs::read_dir(tests.join("data/vectors")).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let Some(cases) = name.strip_suffix("_differences") else {
            assert!(RECORDED_FILES.iter().any(|(case, ..)| *case == name), "no test replays {name}");
            continue;
        };
        let reasons: BTreeMap<String, String> = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        for (id, reason) in reasons {
            assert_eq!(ids.get(&id), Some(&false), "{cases}: {id} is not a case, or has a reason already");
            assert!(!reason.trim().is_empty(), "{cases}: {id} differs without a reason");
        }
    }
    let wording: BTreeMap<String, String> = serde_json::from_str(&read("data/reasons.json")).unwrap();
    for reason in wording.values() {
        assert!(!reason.contains("decided"), "a reason states what rulebook does: {reason}");
    }
}

/// Returns the table of the differences from the documentation of an ancestor.
fn table_of_document_differences(ancestor: &str) -> String {
    let (_, names) = SEED_FILES.iter().find(|(name, _)| *name == ancestor).unwrap();
    let mut table = "| section | the document shows | rulebook |\n| --- | --- | --- |\n".to_owned();
    for name in *names {
        for (section, shows, reason) in seeds::document_differences(name) {
            // Several examples may have the same difference, and the table lists only the first of these examples.
            if table.contains(&format!("| {} |\n", escape_cell(&reason))) {
                continue;
            }
            writeln!(table, "| {} | {} | {} |", escape_cell(&section), escape_cell(&shows), escape_cell(&reason))
                .unwrap();
        }
    }
    table
}

/// Returns the table of the differences from the program of an ancestor: for each reason, the first case as an example,
/// and the ids of all cases.
fn table_of_recorded_differences(ancestor: &str) -> String {
    let (differing, rows) = load_recorded_cases();
    let wording: BTreeMap<String, String> =
        serde_json::from_str(&fs::read_to_string(data_folder().join("reasons.json")).unwrap()).unwrap();
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, reason) in differing {
        let has_prefix = |prefixes: &[&str]| prefixes.iter().any(|prefix| id.starts_with(prefix));
        let (owner, _) = RECORDED_ID_PREFIXES.iter().find(|(_, prefixes)| has_prefix(prefixes)).unwrap();
        if *owner == ancestor && !AGREEING_CASES.contains(&id.as_str()) {
            let reason = wording.get(&reason).cloned().unwrap_or(reason);
            reasons.entry(reason).or_default().push(id);
        }
    }
    let mut table = "| rulebook | example from the ancestor | recorded cases |\n| --- | --- | --- |\n".to_owned();
    for (reason, ids) in reasons {
        let row = rows.get(&ids[0]).unwrap_or_else(|| panic!("{} is not a case", ids[0]));
        let ids: Vec<_> = ids.iter().map(|id| format!("`{id}`")).collect();
        writeln!(table, "| {} | {} | {} |", escape_cell(&reason), escape_cell(&describe_case(row)), ids.join(" "))
            .unwrap();
    }
    table
}

/// Describes the input and the result of a recorded case in markdown.
fn describe_case(row: &Json) -> String {
    let quoted = |text: &str| {
        let cut = text.chars().take(100).collect::<String>();
        format!("`{cut}{}`", if cut == text { "" } else { "…" })
    };
    let code = |json: &Json| quoted(&json.to_string());
    if row["params"].is_object() {
        let result = if row["err"].is_null() { code(&row["ok"]) } else { "rejected".to_owned() };
        let sent = if row["files"].is_object() { &row["files"] } else { &row["params"] };
        return format!("{}, rule {}: {result}", code(sent), code(&row["rule"]));
    }
    if row["type"].is_string() {
        let result = if row["valid"] == true { "accepted" } else { "rejected" };
        return format!("{} as `{}`: {result}", code(&row["value"]), row["type"].as_str().unwrap());
    }
    if row["service_scope"].is_array() {
        let result = if row["allowed"] == true { "allowed" } else { "denied" };
        return format!(
            "scope {}, the caller has {}: {result}",
            code(&row["service_scope"]),
            code(&row["request_scope"])
        );
    }
    let sent = &row["request"];
    if let Some(method) = sent["method"].as_str() {
        let target = sent["uri"].as_str().or(sent["target"].as_str()).unwrap_or_default();
        let result = match (&row["extracted"], &row["body"]) {
            (_, Json::String(body)) if body.is_empty() => "an empty response".to_owned(),
            (_, Json::String(body)) => quoted(body),
            (Json::Object(_), _) => code(&row["extracted"]),
            _ => row["error"].as_str().unwrap_or("rejected").to_owned(),
        };
        return format!("{}: {result}", quoted(&format!("{method} {target}")));
    }
    row["error"].as_str().map_or_else(|| "no error".to_owned(), |error| format!("the error `{error}`"))
}

/// Returns two maps, both by the id of a recorded case: the reasons for intended differences, and the cases themselves.
fn load_recorded_cases() -> (BTreeMap<String, String>, BTreeMap<String, Json>) {
    let read = |path: &Path| serde_json::from_str::<Json>(&fs::read_to_string(path).unwrap()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/data/vectors", "crates/rulebook-model/tests/data/vectors"].map(|folder| root.join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let mut differing = BTreeMap::new();
    let mut all = BTreeMap::new();
    for file in files {
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
            _ => panic!("{} contains no cases", file.display()),
        }
    }
    assert!(differing.len() > 100, "only {} differences", differing.len());
    (differing, all)
}

fn data_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}
