//! Tests of how the import reads `@return` annotations.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::super::run_program;
use super::{PROJECTS, data, fake_php, files_below, import};

/// The `@return` annotations of a method, and what the definition contains for them.
#[derive(Deserialize)]
struct Returned {
    about: String,
    /// The texts after `@return`.
    lines: Vec<String>,
    /// Those of the texts `ret`, `data` and `msg` that are in the code of the method.
    #[serde(default)]
    names: Vec<String>,
    /// The type of each path.
    outputs: BTreeMap<String, String>,
    /// Parts of warnings, each with the line of its annotation.
    #[serde(default)]
    warnings: Vec<String>,
}

#[test]
fn annotations_are_read_as_people_write_them() {
    let text = fs::read_to_string(data("ancestors/returns.json")).unwrap();
    let cases: Vec<Returned> = serde_json::from_str(&text).unwrap();
    let method = |(index, case): (usize, &Returned)| {
        let tags = case.lines.iter().enumerate().map(|(line, text)| json!(["return", text, 100 * index + line]));
        let doc = json!({ "info": case.about, "text": "", "tags": tags.collect::<Vec<_>>() });
        json!({
            "name": format!("m{index}"), "file": "Api/Table.php", "line": 1, "doc": doc, "rules": [], "removed": [],
            "rejections": [], "names": case.names,
        })
    };
    let methods: Vec<Json> = cases.iter().enumerate().map(method).collect();
    let class = json!({
        "name": "Table", "file": "Api/Table.php", "line": 1, "style": "2.x", "doc": { "info": "", "text": "", "tags": [] },
        "common": [], "rules_file": "Api/Table.php", "lines": [], "methods": methods,
    });
    let version = json!({ "file": "composer.lock", "line": 1, "value": "2.23.0" });
    let export = json!({
        "classes": [class], "config": null, "version": version, "setup": [], "translations": [], "reads": [], "hooks": [],
        "rejections": [], "notes": [],
    });
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("old")).unwrap();
    let result = import(folder.path(), "shop", "phalapi", fake_php(&export.to_string()).path());
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
    let table = fs::read_to_string(folder.path().join("shop/api/table.json")).unwrap();
    let table: Json = serde_json::from_str(&table).unwrap();
    for (index, case) in cases.iter().enumerate() {
        let entries = table["Table"][format!("m{index}")]["@return"].as_object().cloned().unwrap_or_default();
        let types = entries.iter().map(|(path, entry)| (path.clone(), entry["type"].as_str().unwrap().to_owned()));
        assert_eq!(types.collect::<BTreeMap<_, _>>(), case.outputs, "{}", case.about);
        let is_of_method = |warning: &&str| warning.contains(&format!("`Table.m{index}`: "));
        let warnings: Vec<&str> = result.stderr.lines().filter(is_of_method).collect();
        assert_eq!(warnings.len(), case.warnings.len(), "{}: {warnings:?}", case.about);
        for (warning, expected) in warnings.iter().zip(&case.warnings) {
            assert!(warning.contains(expected), "{}: {warning}", case.about);
            let named = case.lines.iter().position(|line| warning.contains(line.trim()));
            let line = format!("Api/Table.php:{}: ", 100 * index + named.unwrap_or(case.lines.len() - 1));
            assert!(warning.contains(&line), "{}: {warning}", case.about);
        }
    }
    let checked = run_program(&folder.path().join("shop"), &["check"]);
    assert_eq!((checked.exit_code, checked.stderr.as_str()), (Some(0), ""), "{}", checked.stdout);
}

#[test]
fn no_imported_output_is_required_because_php_may_not_return_it() {
    let mut count = 0;
    for (project, _) in PROJECTS.iter().filter(|(_, from)| *from == "phalapi") {
        for (name, text) in files_below(&data(&format!("imported/{project}/api"))) {
            let file: Json = serde_json::from_str(&text).unwrap();
            let methods = file.as_object().unwrap().values().filter_map(Json::as_object).flatten();
            let entries = methods.filter_map(|(_, method)| method.get("@return")?.as_object()).flatten();
            for (path, entry) in entries.filter(|(path, _)| !path.ends_with("[]")) {
                count += 1;
                assert!(entry["type"].as_str().unwrap().starts_with('?'), "{project}: {name}: {path}");
            }
        }
    }
    assert!(count > 20, "{count}");
}
