//! Tests of `rulebook new --from`, which imports a project that is written for another framework.
//!
//! `data/ancestors` contains small projects for these frameworks. `data/imported` contains the projects that the command
//! creates from them, and its output. PHP is not needed: a script prints what PHP has printed for the projects, and an
//! ignored test compares this with the output of PHP.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rulebook::{Rulebook, Unbound};
use rulebook_test::Client;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use support::golden;
use tempfile::TempDir;

use super::{RunResult, run_program};
use crate::server_process::program;

/// The libraries of the imported projects, which are compiled with these tests.
#[rustfmt::skip]
#[path = "../data/imported/aicra/src/lib.rs"]
mod aicra;
#[rustfmt::skip]
#[path = "../data/imported/api3/src/lib.rs"]
mod api3;
#[rustfmt::skip]
#[path = "../data/imported/iapi/src/lib.rs"]
mod internal;
#[rustfmt::skip]
#[path = "../data/imported/phalapi/src/lib.rs"]
mod phalapi;
#[rustfmt::skip]
#[path = "../data/imported/phalapi_odd/src/lib.rs"]
mod phalapi_odd;

/// The projects in `data/ancestors`, each with the value of `--from`.
const PROJECTS: [(&str, &str); 6] = [
    ("aicra", "aicra"),
    ("api3", "api3"),
    ("iapi", "iapi"),
    ("phalapi", "phalapi"),
    ("phalapi1", "phalapi"),
    ("phalapi_odd", "phalapi"),
];

/// The files that every imported project has, which do not depend on the imported project.
const SHARED_FILES: [&str; 4] = [".gitignore", "schema/definition.json", "src/main.rs", "tests/definition.rs"];

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

/// Returns the paths and the texts of the files below a folder.
fn files_below(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    files
}

fn write_files(folder: &Path, files: &BTreeMap<String, String>) {
    for (name, text) in files {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

/// Creates a folder with a program `php` that prints the recorded output of the export script for a project.
fn fake_php(project: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let php = folder.path().join("php");
    fs::write(&php, format!("#!/bin/sh\nexec /bin/cat '{}'\n", export_file(project).display())).unwrap();
    fs::set_permissions(&php, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn export_file(project: &str) -> PathBuf {
    data(&format!("ancestors/{project}.export.json"))
}

/// Runs `rulebook new NAME --from` for the project in the subfolder `old` of `folder`, with the program `php` in the
/// folder `path`.
fn import(folder: &Path, name: &str, from: &str, path: &Path) -> RunResult {
    let mut command = program(folder);
    let repository = env!("CARGO_MANIFEST_DIR");
    command.args(["new", name, "--from", from, "old", "--no-git", "--path", repository]).env("PATH", path);
    command.output().unwrap().into()
}

/// Imports a project of `data/ancestors` in a new folder. Returns the folder and the result of the command.
fn import_project(project: &str, from: &str) -> (TempDir, RunResult) {
    let folder = TempDir::new().unwrap();
    let files = files_below(&data(&format!("ancestors/{project}")));
    write_files(&folder.path().join("old"), &files);
    let php = if export_file(project).exists() { fake_php(project) } else { TempDir::new().unwrap() };
    let result = import(folder.path(), &project.replace('_', "-"), from, php.path());
    assert_eq!(files_below(&folder.path().join("old")), files, "the imported project is not changed");
    (folder, result)
}

#[test]
fn imported_projects_have_the_recorded_files_and_pass_the_check() {
    for (project, from) in PROJECTS {
        let (folder, result) = import_project(project, from);
        assert_eq!(result.exit_code, Some(0), "{project}: {}", result.stderr);
        let name = project.replace('_', "-");
        let created = folder.path().join(&name);
        let mut files = files_below(&created);
        for shared in SHARED_FILES {
            assert!(files.remove(shared).is_some(), "{project}: {shared}");
        }
        files.insert("output.txt".to_owned(), format!("{}{}", result.stdout, result.stderr));
        let recorded = data(&format!("imported/{project}"));
        if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
            write_files(&recorded, &files);
        }
        assert_eq!(files.keys().collect::<Vec<_>>(), files_below(&recorded).keys().collect::<Vec<_>>(), "{project}");
        for (file, text) in &files {
            let text = text.replace(env!("CARGO_MANIFEST_DIR"), "[repository]");
            golden::compare(&recorded.join(file), &text);
        }
        let checked = run_program(&created, &["check"]);
        assert_eq!((checked.exit_code, checked.stderr.as_str()), (Some(0), ""), "{project}: {}", checked.stdout);
    }
}

#[test]
fn handlers_of_imported_projects_match_the_definition_and_respond_with_501() {
    let start = |project: &str, add: fn(Rulebook) -> Rulebook| {
        let rulebook = add(Rulebook::load(data(&format!("imported/{project}/api"))));
        Client::new(rulebook).unwrap_or_else(|error| panic!("{project}: {error}"))
    };
    assert_eq!(start("aicra", aicra::app).get("/").send().status(), 501);
    assert_eq!(start("api3", api3::app).get("/api/author/read/1").send().status(), 501);
    assert_eq!(start("iapi", internal::app).get("/internal/file").send().status(), 401);
    let phalapi = start("phalapi", phalapi::app);
    assert_eq!(phalapi.get("/?sign=x").send().ret(), Some(501));
    // A function that is not written yet rejects every value.
    let rejected = phalapi.get("/?s=User.getList&sign=x&code=abcd&app_version=1.2.3").send();
    assert_eq!(
        (rejected.ret(), rejected.message()),
        (Some(400), Some("Bad Request: this function is not written yet"))
    );
    assert_eq!(start("phalapi_odd", phalapi_odd::app).get("/?s=App.Match").send().ret(), Some(501));
}

/// A request to an imported project that is served without handlers.
#[derive(Deserialize)]
struct Sent {
    project: String,
    target: String,
    /// The HTTP method; by default GET, or POST for a form.
    method: Option<String>,
    form: Option<BTreeMap<String, String>>,
    #[serde(default)]
    scope: Vec<String>,
    /// The expected HTTP status; by default 200.
    status: Option<u16>,
    /// The expected member `ret`, in the envelope `phalapi`.
    ret: Option<u64>,
    /// The expected error message.
    message: Option<String>,
    /// The expected arguments of the handler.
    args: Option<Json>,
}

#[test]
fn imported_definitions_read_requests_as_the_other_framework_did() {
    let requests: Vec<Sent> =
        serde_json::from_str(&fs::read_to_string(data("ancestors/requests.json")).unwrap()).unwrap();
    for (project, _) in PROJECTS {
        let definition = data(&format!("imported/{project}/api"));
        let client = Client::new(Rulebook::load(definition).unbound(Unbound::Echo)).unwrap();
        let mut count = 0;
        for sent in requests.iter().filter(|sent| sent.project == project) {
            count += 1;
            let method = sent.method.as_deref().unwrap_or(if sent.form.is_some() { "POST" } else { "GET" });
            let mut request = client.request(method, &sent.target);
            if let Some(form) = &sent.form {
                request = request.form(form);
            }
            if !sent.scope.is_empty() {
                request = request.scope(sent.scope.iter().map(String::as_str));
            }
            let response = request.send();
            let what = format!("{project}, {method} {}: {}", sent.target, response.text());
            assert_eq!(response.status(), sent.status.unwrap_or(200), "{what}");
            assert_eq!(response.ret(), sent.ret, "{what}");
            if let Some(message) = &sent.message {
                assert_eq!(response.message(), Some(message.as_str()), "{what}");
            }
            if let Some(args) = &sent.args {
                assert_eq!(response.output("args"), *args, "{what}");
            }
        }
        assert!(count > 0, "{project}");
    }
}

/// A definition with errors, and the expected result of its import.
#[derive(Deserialize)]
struct Repair {
    about: String,
    from: String,
    /// The files of the project: JSON values, or texts.
    files: BTreeMap<String, Json>,
    /// The beginnings of the warnings, after the position, or parts of them.
    warnings: Vec<String>,
    methods: Vec<String>,
}

#[test]
fn erroneous_parts_of_definitions_are_replaced_or_removed_with_a_warning() {
    let repairs: Vec<Repair> =
        serde_json::from_str(&fs::read_to_string(data("ancestors/repairs.json")).unwrap()).unwrap();
    for repair in repairs {
        let Repair { about, from, files, warnings, methods } = repair;
        let folder = TempDir::new().unwrap();
        let text = |json: &Json| json.as_str().map_or_else(|| json.to_string(), str::to_owned);
        let files = files.iter().map(|(name, json)| (name.clone(), text(json))).collect();
        write_files(&folder.path().join("old"), &files);
        let result = import(folder.path(), "shop", &from, folder.path());
        assert_eq!(result.exit_code, Some(0), "{about}: {}", result.stderr);
        for warning in &warnings {
            assert!(result.stderr.contains(warning.as_str()), "{about}: {warning} is not in {}", result.stderr);
        }
        assert_eq!(result.stderr.is_empty(), warnings.is_empty(), "{about}: {}", result.stderr);
        let routes = run_program(&folder.path().join("shop"), &["routes"]);
        let mut found: Vec<String> =
            routes.stdout.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
        found.sort();
        assert_eq!((routes.exit_code, found), (Some(0), methods), "{about}: {}", result.stderr);
    }
}

#[test]
fn recorded_definitions_are_imported_without_errors_or_refused() {
    let file = "crates/rulebook-model/tests/data/vectors/config_errors.json";
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let cases: Vec<Json> = serde_json::from_str(&text).unwrap();
    let (mut imported, mut refused) = (0, 0);
    // Every fourth case, because each case starts a process.
    for case in cases.into_iter().step_by(4) {
        let folder = TempDir::new().unwrap();
        let definition = case["definition"].as_str().map_or_else(|| case["definition"].to_string(), str::to_owned);
        let files = BTreeMap::from([("api.json".to_owned(), definition)]);
        write_files(&folder.path().join("old"), &files);
        let from = if case["style"] == "api3" { "api3" } else { "aicra" };
        let result = import(folder.path(), "shop", from, folder.path());
        let project = folder.path().join("shop");
        if result.exit_code == Some(0) {
            imported += 1;
            let checked = Rulebook::load(project.join("api")).check();
            assert!(checked.is_ok(), "{}: {}", case["id"], checked.unwrap_err());
            // A definition without errors is copied.
            if result.stderr.is_empty() {
                assert_eq!(
                    fs::read_to_string(project.join("api/api.json")).unwrap(),
                    files["api.json"],
                    "{}",
                    case["id"]
                );
            }
        } else {
            refused += 1;
            assert!(result.stderr.starts_with("error: "), "{}: {}", case["id"], result.stderr);
            assert!(!project.exists(), "{}", case["id"]);
        }
    }
    assert!(imported > 20 && refused > 0, "{imported} imported, {refused} refused");
}

#[test]
fn projects_that_cannot_be_imported_are_reported_and_nothing_is_created() {
    let folder = TempDir::new().unwrap();
    let old = folder.path().join("old");
    for (from, files, exit_code, message) in [
        ("api3", json!({}), 3, "old: no definition was found; expected a JSON file such as `config/modules.json`"),
        (
            "aicra",
            json!({ "package.json": "{}" }),
            3,
            "old: no definition was found; expected a file such as `api.json`",
        ),
        ("aicra", json!({ "api.json": "{\"GET\": " }), 3, "api.json:1:8: invalid JSON"),
        ("aicra", json!({ "api.json": "{\"GET\": {\"info\": \"i\", \"info\": \"j\"}}" }), 1, "duplicate-key"),
        (
            "iapi",
            json!({ "index.php": "<?php // new FileEndPoint" }),
            3,
            "old: no endpoint was found; expected a PHP file",
        ),
        (
            "phalapi",
            json!({}),
            3,
            "cannot run `php`, which reads the classes of PhalApi: install PHP 7.4 or newer (package `php-cli`",
        ),
    ] {
        let files: BTreeMap<String, String> = serde_json::from_value(files).unwrap();
        fs::create_dir_all(&old).unwrap();
        write_files(&old, &files);
        let result = import(folder.path(), "shop", from, folder.path());
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(exit_code), ""), "{from}: {}", result.stderr);
        assert!(result.stderr.starts_with("error: ") && result.stderr.contains(message), "{from}: {}", result.stderr);
        assert!(!folder.path().join("shop").exists());
        fs::remove_dir_all(&old).unwrap();
    }
    for (arguments, message) in [
        (&["new", "shop", "--from", "api3"][..], "<FOLDER>"),
        (&["new", "shop", "old"][..], "--from <FRAMEWORK>"),
        (&["new", "shop", "--from", "laravel", "old"][..], "phalapi, api3, aicra, iapi"),
    ] {
        let result = run_program(folder.path(), arguments);
        assert_eq!(result.exit_code, Some(2), "{arguments:?}");
        assert!(result.stderr.contains(message), "{arguments:?}: {}", result.stderr);
    }
    let result = run_program(folder.path(), &["new", "shop", "--from", "api3", "nowhere"]);
    assert_eq!(result.exit_code, Some(3), "{}", result.stderr);
    assert!(result.stderr.starts_with("error: nowhere: No such file"), "{}", result.stderr);
}

#[test]
fn the_definition_of_files_between_servers_is_the_same_in_the_command_and_in_the_demo() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let demo = fs::read_to_string(root.join("api/iapi.json")).unwrap();
    let copy = fs::read_to_string(root.join("crates/rulebook-cli/src/new/from/iapi/iapi.json")).unwrap();
    assert_eq!(&demo[demo.find("\n{").unwrap() + 1..], copy);
}

/// Compares the recorded output of the export script with the output of PHP. If `UPDATE_GOLDEN` is `1`, records it.
#[test]
#[ignore = "needs PHP, see tests/external/php"]
fn recorded_exports_of_phalapi_projects_are_what_php_prints() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rulebook-cli/src/new/from/phalapi/export.php");
    for (project, _) in PROJECTS.iter().filter(|(_, from)| *from == "phalapi") {
        let output = Command::new("php").arg(&script).arg(data(&format!("ancestors/{project}"))).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        golden::compare(&export_file(project), &String::from_utf8(output.stdout).unwrap());
    }
}
