//! Compiling definitions: their models, their errors, and printing models as definitions.

pub mod canonical;
mod errors;
mod methods_dialect;
mod model;
mod module_parts;
mod recorded;

use std::path::{Path, PathBuf};

use rulebook_model::compile::{Lowered, ResponseRegistry, lower, type_table};
use rulebook_model::definition::{Loaded, load, read};
use rulebook_model::diagnostic::Report;
use rulebook_model::model::Api;

/// Returns the model of a definition and every error in it.
fn check(loaded: Loaded) -> (Api, Report) {
    let Loaded { sources, definition, mut diagnostics } = loaded;
    let Lowered { api, diagnostics: more, .. } =
        lower(&definition, &type_table(&definition, []), &ResponseRegistry::default());
    diagnostics.extend(more);
    (api, Report::new(sources, diagnostics))
}

/// Returns the model of a definition that has no errors.
fn model(loaded: Loaded) -> Api {
    let (api, report) = check(loaded);
    assert!(report.is_empty(), "{report}");
    api
}

/// Loads a definition of one file, `api/article.json`.
fn load_one_file(text: &str) -> Loaded {
    read(vec![(PathBuf::from("api/article.json"), text.as_bytes().to_vec())])
}

/// Returns the codes of all errors.
fn codes(report: &Report) -> Vec<String> {
    report.diagnostics.iter().map(|diagnostic| diagnostic.code.to_string()).collect()
}

/// Returns the folders in `tests/definitions/{kind}`.
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

/// Returns the model and the errors of the definition in a folder.
fn folder(path: &Path) -> (Api, Report) {
    check(load(path))
}
