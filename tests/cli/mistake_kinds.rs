//! Mistakes in small projects, and what `rulebook check` says about each of them. The rows are in
//! `tests/data/mistake_kinds.json`: a row changes some files of one of the projects in `bases`. `at` is the file and
//! the line of the first message, and `says` are words that this message, its label or its help contains.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use serde_json::Value as Json;
use tempfile::TempDir;

use super::RunResult;
use crate::server_process::program;

/// The contents of the files of a project, by their paths.
type Files = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    bases: BTreeMap<String, Files>,
    mistakes: Vec<Mistake>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistake {
    base: String,
    mistake: String,
    change: Files,
    code: Option<String>,
    at: Option<String>,
    says: Vec<String>,
    /// Whether the command succeeds, because the message is a warning.
    #[serde(default)]
    warning: bool,
    /// `false` if the command cannot find the mistake, for the `reason`.
    found: Option<bool>,
    reason: Option<String>,
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const THREADS: usize = 8;

/// Checks a project that consists of the files of a base and of those that replace them or are new.
fn check(base: &Files, change: &Files) -> RunResult {
    let folder = TempDir::new().unwrap();
    for (name, content) in base.iter().filter(|(name, _)| !change.contains_key(*name)).chain(change) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let mut command = program(folder.path());
    command.env("PYTHONPATH", Path::new(ROOT).join("sdk/python")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["check", "--format", "json"]).output().unwrap().into()
}

/// Returns what is wrong with the result of a row; nothing if it is as the row says.
fn difference(mistake: &Mistake, result: &RunResult) -> Option<String> {
    let first: Option<Json> = result.stdout.lines().next().map(|line| serde_json::from_str(line).unwrap());
    let Some(first) = first else {
        return (mistake.found != Some(false)).then(|| "nothing is found".to_owned());
    };
    if mistake.found == Some(false) {
        return Some("the mistake is found: remove `found` from its row".to_owned());
    }
    let mut wrong = Vec::new();
    let exit_code = Some(i32::from(!mistake.warning));
    if result.exit_code != exit_code {
        wrong.push(format!("the exit code is not {exit_code:?}"));
    }
    if first["code"].as_str() != mistake.code.as_deref() {
        wrong.push(format!("the code is not {:?}", mistake.code));
    }
    let at = format!("{}:{}", first["file"].as_str().unwrap_or_default(), first["line"]);
    if mistake.at.as_ref().is_some_and(|expected| *expected != at) {
        wrong.push(format!("the place is not {:?}", mistake.at));
    }
    let words =
        [&first["message"], &first["label"], &first["help"]].map(|text| text.as_str().unwrap_or_default()).join("\n");
    wrong.extend(mistake.says.iter().filter(|part| !words.contains(*part)).map(|part| format!("no {part:?}")));
    (!wrong.is_empty()).then(|| wrong.join(", "))
}

#[test]
fn each_mistake_is_found_with_its_place() {
    let table: Table = serde_json::from_str(&fs::read_to_string("tests/data/mistake_kinds.json").unwrap()).unwrap();
    for (name, base) in &table.bases {
        let result = check(base, &Files::new());
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(0), ""), "the base {name}");
    }
    let next = AtomicUsize::new(0);
    let check_rows = || {
        let mut failures = Vec::new();
        while let Some((index, mistake)) = table.mistakes.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
            let result = check(&table.bases[&mistake.base], &mistake.change);
            if let Some(difference) = difference(mistake, &result) {
                let RunResult { stdout, stderr, .. } = result;
                failures.push((index, format!("{}\n{difference}\n{stdout}{stderr}", mistake.mistake)));
            }
        }
        failures
    };
    let mut failures: Vec<(usize, String)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(check_rows)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    failures.sort();
    let texts: Vec<String> = failures.into_iter().map(|(_, text)| text).collect();
    assert!(texts.is_empty(), "{} of {} rows:\n\n{}", texts.len(), table.mistakes.len(), texts.join("\n"));
    let mut not_found = table.mistakes.iter().filter(|mistake| mistake.found == Some(false));
    assert!(not_found.all(|mistake| mistake.reason.is_some()), "a mistake that is not found is a row with a reason");
}
