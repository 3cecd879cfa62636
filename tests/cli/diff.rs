//! Tests of the command `rulebook diff`: its sources, its formats and its exit codes.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{RunResult, run_program};
use crate::server_process::{ServerProcess, free_address};

fn definition(term: &str) -> String {
    let method = json!({ "info": "Lists articles", "in": { "GET@size": { "info": "Count", "type": term } } });
    json!({ "/": { "article": { "GET": method } } }).to_string()
}

/// Returns a folder with the old definition in the folder `old`, and the new one in the folder `api`.
fn two_definitions() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, term) in [("old", "int(1,100)"), ("api", "int(1,20)")] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("article.json"), definition(term)).unwrap();
    }
    folder
}

fn diff(folder: &Path, arguments: &[&str]) -> RunResult {
    run_program(folder, &[&["diff"], arguments].concat())
}

#[test]
fn a_change_is_printed_with_an_example_and_both_places() {
    let folder = two_definitions();
    let result = diff(folder.path(), &["old"]);
    let expected = "\
breaking: GET /article: `size` (query) is `int(1,20)`, and was `int(1,100)` [parameter-narrowed]
    example: {\"request\":{\"size\":100}}
    old: old/article.json:1:90
    new: api/article.json:1:90
1 breaking
";
    assert_eq!((result.exit_code, result.stdout.as_str(), result.stderr.as_str()), (Some(0), expected, ""));
}

#[test]
fn fail_on_decides_about_the_exit_code() {
    let folder = two_definitions();
    for (arguments, code) in [
        (&["old", "--fail-on", "breaking"][..], 1),
        (&["api", "old", "--fail-on", "risky"], 0),
        (&["old", "--fail-on", "risky"], 1),
        (&["old", "--fail-on", "compatible"], 2),
        (&["missing"], 3),
    ] {
        assert_eq!(diff(folder.path(), arguments).exit_code, Some(code), "{arguments:?}");
    }
}

#[test]
fn changes_can_be_printed_as_json_and_markdown() {
    let folder = two_definitions();
    let result = diff(folder.path(), &["old", "--format", "json"]);
    let report: Json = serde_json::from_str(&result.stdout).unwrap();
    assert_eq!((&report["breaking"], &report["changes"][0]["id"]), (&json!(1), &json!("parameter-narrowed")));
    assert_eq!(report["changes"][0]["new"], json!({ "file": "api/article.json", "line": 1, "column": 90 }));
    let result = diff(folder.path(), &["old", "--format", "markdown"]);
    let row = "| breaking | `GET /article` | `size` (query) is `int(1,20)`, and was `int(1,100)` (`parameter-narrowed`) | \
               `{\"request\":{\"size\":100}}` |\n";
    assert!(result.stdout.ends_with(row), "{}", result.stdout);
}

#[test]
fn a_revision_of_git_can_be_compared() {
    let folder = two_definitions();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
        let output = Command::new("git").current_dir(folder.path()).args(identity).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "One"]);
    fs::write(folder.path().join("api/article.json"), definition("int(1,5)")).unwrap();
    let result = diff(folder.path(), &["git:HEAD"]);
    assert!(result.stdout.contains("is `int(1,5)`, and was `int(1,20)`"), "{result:?}");
    let result = diff(folder.path(), &["git:HEAD:old", "git:HEAD"]);
    assert!(result.stdout.contains("is `int(1,20)`, and was `int(1,100)`"), "{result:?}");
    let result = diff(folder.path(), &["git:missing"]);
    assert_eq!(result.exit_code, Some(3), "{result:?}");
}

#[test]
fn an_openapi_description_can_be_compared() {
    let folder = two_definitions();
    let document = run_program(folder.path(), &["--api", "old", "openapi", "--output", "old.json"]);
    assert_eq!(document.exit_code, Some(0), "{document:?}");
    let result = diff(folder.path(), &["old.json", "--format", "json"]);
    let report: Json = serde_json::from_str(&result.stdout).unwrap_or_else(|_| panic!("{result:?}"));
    let narrowed = report["changes"].as_array().unwrap().iter().find(|change| change["id"] == "parameter-narrowed");
    assert_eq!(narrowed.unwrap()["witness"], json!({ "request": { "size": 100 } }), "{report:#}");
}

/// The workflow in `deploy/github` runs these commands on a pull request.
#[test]
fn the_workflow_for_pull_requests_comments_changes_and_fails_if_they_break_clients() {
    let workflow = include_str!("../../deploy/github/api-changes.yml");
    let commands: Vec<Vec<&str>> = workflow
        .lines()
        .filter_map(|line| Some(line.split_once("rulebook diff \"git:$BASE\" ")?.1))
        .map(|flags| flags.split_whitespace().take_while(|flag| *flag != ">").collect())
        .collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let folder = two_definitions();
    let exit_codes: Vec<_> =
        commands.iter().map(|flags| diff(folder.path(), &[&["old"], &flags[..]].concat()).exit_code).collect();
    assert_eq!(exit_codes, [Some(0), Some(1)]);
}

/// Writes the definition of an API with two versions, the older of which is the default.
fn write_versions(folder: &Path, old: &str, new: &str) {
    let list =
        |term: &str| json!({ "info": "Lists articles", "in": { "GET@size": { "info": "Count", "type": term } } });
    let mut uris = json!({ "old": { "GET": list(old) }, "article": { "GET": list(new) } });
    uris["old"]["GET"]["until"] = json!("1");
    uris["old"]["GET"]["options"] = json!({ "deprecated": true, "successor": "article.get" });
    uris["article"]["since"] = json!("2");
    let versions = json!({ "names": ["1", "2"], "default": "1", "header": "API-Version" });
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("app.json"), json!({ "unbound": "echo", "versions": versions }).to_string()).unwrap();
    fs::write(folder.join("article.json"), json!({ "/": uris }).to_string()).unwrap();
}

#[test]
fn all_versions_of_a_server_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let api = folder.path().join("api");
    write_versions(&api, "int(1,100)", "int(1,100)");
    let address = free_address();
    let _server = ServerProcess::start(folder.path(), &address, &["serve"]);
    let url = |path: &str| format!("http://{address}{path}");
    let unchanged = "no changes that clients can see\n";
    let note = |version: &str| {
        format!("note: only version {version} is compared, because the other definition describes no versions\n")
    };
    for (path, stderr) in [("", String::new()), ("/1/", note("1")), ("/2", note("2"))] {
        for arguments in [[url(path).as_str(), "api"], ["api", url(path).as_str()]] {
            let result = diff(folder.path(), &arguments);
            assert_eq!((result.stdout.as_str(), &result.stderr), (unchanged, &stderr), "{arguments:?}");
        }
    }
    write_versions(&api, "int(1,100)", "int(1,20)");
    let breaking = |path: &str| diff(folder.path(), &[&url(path), "api", "--fail-on", "breaking"]);
    let found = "GET /article: `size` (query) is `int(1,20)`, and was `int(1,100)` [parameter-narrowed]\n";
    let result = breaking("");
    assert!(result.stdout.starts_with(&format!("breaking: version 2, {found}")), "{result:?}");
    assert!(result.stdout.contains(&format!("    old: {}:", url("/2/"))), "{result:?}");
    for (path, code) in [("", 1), ("/1/", 0), ("/2/", 1), ("/2/openapi.json", 1)] {
        assert_eq!(breaking(path).exit_code, Some(code), "{path}");
    }
    // A version that the new definition does not have.
    fs::write(api.join("app.json"), json!({ "unbound": "echo", "versions": { "names": ["2"] } }).to_string()).unwrap();
    let text = fs::read_to_string(api.join("article.json")).unwrap();
    let mut module: Json = serde_json::from_str(&text).unwrap();
    module["/"].as_object_mut().unwrap().remove("old");
    fs::write(api.join("article.json"), module.to_string()).unwrap();
    let removed = breaking("");
    assert!(removed.stdout.contains("[version-removed]"), "{removed:?}");
}
