//! Definitions as they are meant: what they lower to, what is wrong with them, and the way back.

pub mod canonical;
mod explanations;
mod faults;
mod methods;
mod model;
mod parts;
mod recorded;

use std::path::{Path, PathBuf};

use rulebook::compile::{Answers, Lowered, lower, table};
use rulebook::definition::{Loaded, load, read};
use rulebook::diagnostic::Report;
use rulebook::model::Api;

/// The model of a definition, and everything that is wrong with it.
fn judge(loaded: Loaded) -> (Api, Report) {
    let Loaded { sources, definition, mut diagnostics } = loaded;
    let Lowered { api, diagnostics: more, .. } = lower(&definition, &table(&definition, []), &Answers::default());
    diagnostics.extend(more);
    (api, Report::new(sources, diagnostics))
}

/// The model of a definition without faults.
fn model(loaded: Loaded) -> Api {
    let (api, report) = judge(loaded);
    assert!(report.is_empty(), "{report}");
    api
}

/// A definition of one file, `api/article.json`.
fn one(text: &str) -> Loaded {
    read(vec![(PathBuf::from("api/article.json"), text.as_bytes().to_vec())])
}

/// The codes of all faults.
fn codes(report: &Report) -> Vec<String> {
    report.diagnostics.iter().map(|fault| fault.code.to_string()).collect()
}

/// The folders in `tests/definitions/{kind}`.
fn folders(kind: &str) -> Vec<PathBuf> {
    let root = Path::new("tests/definitions").join(kind);
    let mut folders: Vec<PathBuf> = root
        .read_dir()
        .unwrap_or_else(|error| panic!("{}: {error}", root.display()))
        .map(|entry| entry.expect("a folder that can be listed").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// A definition in a folder.
fn folder(path: &Path) -> (Api, Report) {
    judge(load(path))
}
