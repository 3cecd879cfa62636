//! Mistakes in a project that `rulebook check` finds. Each row of `tests/data/mistakes.json` changes a file of the
//! project in `tests/data/mistakes`, and contains what the command says. `at` is the position that it names, by default
//! the line of the change.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use tempfile::TempDir;

use super::RunResult;
use crate::server_process::{copy_files, program};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistake {
    mistake: String,
    file: String,
    /// The text that is replaced; `None` if the file is new.
    old: Option<String>,
    new: String,
    at: Option<String>,
    says: Vec<String>,
    #[serde(default)]
    is_warning: bool,
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn project_folder() -> TempDir {
    let project = Path::new(ROOT).join("tests/data/mistakes");
    let folder = TempDir::new().unwrap();
    for name in ["api", "migrations"] {
        copy_files(&project.join(name), &folder.path().join(name));
    }
    fs::copy(project.join("handlers.py"), folder.path().join("handlers.py")).unwrap();
    folder
}

fn check(folder: &Path) -> RunResult {
    let mut command = program(folder);
    command.env("PYTHONPATH", Path::new(ROOT).join("sdk/python")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg("check").output().unwrap().into()
}

#[test]
fn checking_finds_each_mistake() {
    let correct = check(project_folder().path());
    assert_eq!((correct.exit_code, correct.stderr.as_str()), (Some(0), ""), "{}", correct.stdout);
    let mistakes: Vec<Mistake> = serde_json::from_str(include_str!("../data/mistakes.json")).unwrap();
    let mut missed = Vec::new();
    for Mistake { mistake, file, old, new, at, says, is_warning } in mistakes {
        let folder = project_folder();
        let path = folder.path().join(&file);
        let text = old.as_ref().map(|_| fs::read_to_string(&path).unwrap()).unwrap_or_default();
        let start = old.as_ref().map_or(0, |old| text.find(old).unwrap());
        let line = text[..start].matches('\n').count() + 1;
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("{}{new}{}", &text[..start], &text[start + old.map_or(0, |old| old.len())..]))
            .unwrap();
        let result = check(folder.path());
        let output = format!("{}{}", result.stdout, result.stderr);
        let exit_code = Some(if is_warning { 0 } else { 1 });
        let at = format!("--> {}", at.unwrap_or_else(|| format!("{file}:{line}:")));
        if result.exit_code != exit_code || !says.iter().chain([&at]).all(|part| output.contains(part)) {
            missed.push(format!("{mistake} ({at}):\n{output}"));
        }
        let rest: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(rest.iter().all(|name| name != "data" && name != "shop.db"), "{mistake} leaves {rest:?}");
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
