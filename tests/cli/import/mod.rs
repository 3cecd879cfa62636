//! Tests of `rulebook new --from`, which imports a project that is written for another framework.
//!
//! `data/ancestors` contains small projects for these frameworks. `data/imported` contains the projects that the
//! command creates from them, and its output. PHP is not needed: a script prints what PHP has printed for the projects,
//! and an ignored test compares this with the output of PHP.

mod errors;
mod php;
mod returns;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rulebook::{Rulebook, Unbound};
use rulebook_test::Client;
use serde::Deserialize;
use serde_json::Value as Json;
use support::golden;
use tempfile::TempDir;

use super::{RunResult, run_program};
use crate::server_process::program;

/// The library of an imported project, which is compiled with these tests. The other libraries contain generated code,
/// so that they are compiled by the ignored test below.
#[rustfmt::skip]
#[path = "../../data/imported/iapi/src/lib.rs"]
mod internal;

/// The projects in `data/ancestors`, each with the value of `--from`.
const PROJECTS: [(&str, &str); 13] = [
    ("aicra", "aicra"),
    ("aicra_go", "aicra"),
    ("aicra_v06", "aicra"),
    ("api3", "api3"),
    ("api3_fastcgi", "api3"),
    ("iapi", "iapi"),
    ("phalapi", "phalapi"),
    ("phalapi1", "phalapi"),
    ("phalapi1_shops", "phalapi"),
    ("phalapi1_shops_fastcgi", "phalapi"),
    ("phalapi_odd", "phalapi"),
    ("phalapi_shop", "phalapi"),
    ("phalapi_shop_fastcgi", "phalapi"),
];

/// The end of the name of a project that is imported with `--handlers fastcgi`.
const FASTCGI: &str = "_fastcgi";

/// The files that every imported project has, which do not depend on the imported project.
const SHARED_FILES: [&str; 2] = [".gitignore", "schema/definition.json"];
/// Those that every project with handlers in Rust has.
const SHARED_RUST_FILES: [&str; 2] = ["src/main.rs", "tests/definition.rs"];

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

/// Creates a folder with a program `php` that prints this output of the export script.
fn fake_php(export: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let (php, output) = (folder.path().join("php"), folder.path().join("export.json"));
    fs::write(&output, export).unwrap();
    fs::write(&php, format!("#!/bin/sh\nexec /bin/cat '{}'\n", output.display())).unwrap();
    fs::set_permissions(&php, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Returns the name of the project in `data/ancestors` that is imported.
fn ancestor(project: &str) -> &str {
    project.strip_suffix(FASTCGI).unwrap_or(project)
}

pub fn export_file(project: &str) -> PathBuf {
    data(&format!("ancestors/{}.export.json", ancestor(project)))
}

/// Runs `rulebook new NAME --from` for the project in the subfolder `old` of `folder`, with the program `php` in the
/// folder `path`. The handlers are in Rust.
fn import(folder: &Path, name: &str, from: &str, path: &Path) -> RunResult {
    import_with(folder, name, from, path, &["--path", env!("CARGO_MANIFEST_DIR")])
}

fn import_with(folder: &Path, name: &str, from: &str, path: &Path, options: &[&str]) -> RunResult {
    let mut command = program(folder);
    command.args(["new", name, "--from", from, "old", "--no-git"]).args(options).env("PATH", path);
    command.output().unwrap().into()
}

/// Imports a project of `data/ancestors` in a new folder. Returns the folder and the result of the command.
fn import_project(project: &str, from: &str) -> (TempDir, RunResult) {
    let folder = TempDir::new().unwrap();
    let files = files_below(&data(&format!("ancestors/{}", ancestor(project))));
    write_files(&folder.path().join("old"), &files);
    let export = fs::read_to_string(export_file(project));
    let php = export.map_or_else(|_| TempDir::new().unwrap(), |export| fake_php(&export));
    let name = project.replace('_', "-");
    let result = match project.ends_with(FASTCGI) {
        true => import_with(folder.path(), &name, from, php.path(), &["--handlers", "fastcgi"]),
        false => import(folder.path(), &name, from, php.path()),
    };
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
        let rust_files = if project.ends_with(FASTCGI) { &[][..] } else { &SHARED_RUST_FILES };
        for shared in SHARED_FILES.iter().chain(rust_files) {
            assert!(files.remove(*shared).is_some(), "{project}: {shared}");
        }
        files.insert("output.txt".to_owned(), format!("{}{}", result.stdout, result.stderr));
        let old = folder.path().canonicalize().unwrap().join("old").to_str().unwrap().to_owned();
        files.values_mut().for_each(|text| *text = text.replace(&old, "[old]"));
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
fn imported_caches_are_written_from_the_kind_of_database_that_the_old_project_uses() {
    for (source, code, address) in [
        (
            "mysql:host=db;port=3307;dbname=shop;charset=utf8",
            "url.map(Database::Mysql)",
            "mysql://user:password@db:3307/shop",
        ),
        ("mysql:unix_socket=/tmp/s;dbname=shop", "url.map(Database::Mysql)", "mysql://user:password@host/shop"),
        ("pgsql:host=db;dbname=shop", "url.map(Database::Postgres)", "postgres://user:password@db/shop"),
        ("sqlite:data/shop.db", "Ok(Database::Sqlite(\"data/shop.db\".into()))", ""),
        ("other", "url.map(Database::Mysql)", "was not found"),
    ] {
        let folder = TempDir::new().unwrap();
        let script = format!("<?php $link = new PDO(\"{source}\"); $e = new CacheEndPoint($link, 'cache/');");
        write_files(&folder.path().join("old"), &BTreeMap::from([("index.php".to_owned(), script)]));
        let result = import(folder.path(), "shop", "iapi", folder.path());
        assert_eq!(result.exit_code, Some(0), "{source}: {}", result.stderr);
        let generated = fs::read_to_string(folder.path().join("shop/src/iapi.rs")).unwrap();
        assert!(generated.contains(code), "{source}: {generated}");
        let names_variable = result.stderr.contains("DATABASE_URL") && result.stderr.contains(address);
        assert_eq!(names_variable, !address.is_empty(), "{source}: {}", result.stderr);
    }
}

#[test]
fn handlers_of_an_imported_server_of_files_match_the_definition() {
    let client = Client::new(internal::app(Rulebook::load(data("imported/iapi/api")))).unwrap();
    assert_eq!(client.get("/internal/file").send().status(), 401);
}

/// Requests to the imported projects, in Rust, each with what is expected.
const REQUESTS: [(&str, &str, &str); 4] = [
    ("aicra", "aicra", r#"assert_eq!(client.get("/").send().status(), 501);"#),
    ("api3", "api3", r#"assert_eq!(client.get("/api/author/read/1").send().status(), 501);"#),
    (
        "phalapi",
        "phalapi",
        r#"assert_eq!(client.get("/?sign=x").send().ret(), Some(501));
        // A function that is not written yet rejects every value.
        let rejected = client.get("/?s=User.getList&sign=x&code=abcd&app_version=1.2.3").send();
        let message = "Bad Request: this function is not written yet";
        assert_eq!((rejected.ret(), rejected.message()), (Some(400), Some(message)));"#,
    ),
    ("phalapi_odd", "phalapi", r#"assert_eq!(client.get("/?s=App.Match").send().ret(), Some(501));"#),
];

#[test]
#[ignore = "builds projects, with the settings that `tests/external/new` provides"]
fn imported_projects_build_and_respond_with_501() {
    for (project, from, requests) in REQUESTS {
        let (folder, result) = import_project(project, from);
        assert_eq!(result.exit_code, Some(0), "{project}: {}", result.stderr);
        let name = project.replace('_', "-");
        let created = folder.path().join(&name);
        let test = format!(
            "#[test]\nfn it_responds() {{\n    let app = {project}::app(rulebook::Rulebook::load(\"api\"));\n    \
             let client = rulebook_test::Client::new(app).unwrap();\n    {requests}\n}}\n"
        );
        fs::write(created.join("tests/requests.rs"), test).unwrap();
        fs::create_dir(created.join(".cargo")).unwrap();
        fs::copy(std::env::var("CARGO_PROFILE_FILE").unwrap(), created.join(".cargo/config.toml")).unwrap();
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"), created.join("Cargo.lock")).unwrap();
        let mut cargo = std::process::Command::new("cargo");
        cargo.args(["test", "--quiet", "--offline"]).current_dir(&created);
        let output = cargo.output().unwrap();
        let shown = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{project}: {}", String::from_utf8_lossy(&shown));
    }
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
        let definition = TempDir::new().unwrap();
        let mut files = files_below(&data(&format!("imported/{project}/api")));
        let app = files.get_mut("app.json").unwrap();
        let mut settings: Json = serde_json::from_str(app).unwrap();
        settings.as_object_mut().unwrap().remove("handlers");
        *app = settings.to_string();
        write_files(definition.path(), &files);
        let client = Client::new(Rulebook::load(definition.path()).unbound(Unbound::Echo)).unwrap();
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

#[test]
fn the_definition_of_files_between_servers_is_the_same_in_the_command_and_in_the_demo() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let demo = fs::read_to_string(root.join("api/iapi.json")).unwrap();
    let copy = fs::read_to_string(root.join("crates/rulebook-import/src/project/iapi/iapi.json")).unwrap();
    assert_eq!(&demo[demo.find("\n{").unwrap() + 1..], copy);
}
