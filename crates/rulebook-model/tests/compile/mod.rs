//! Tests of the compiler of definitions: the models that it returns, the errors that it reports, and models that are
//! printed as definitions.

mod ancestors;
pub mod canonical;
mod deprecation;
mod errors;
mod methods_dialect;
mod model;
mod module_parts;
mod nested_types;
mod recorded;
mod schema_errors;
mod several_errors;

use std::path::{Path, PathBuf};

use rulebook_model::compile::{ProgramExtensions, check_definition};
use rulebook_model::definition::{LoadedDefinition, load, read};
use rulebook_model::diagnostic::Report;
use rulebook_model::model::Api;

/// Returns the model of a definition, or an API with default settings and a report of all errors in the definition.
pub fn compile_definition(loaded: LoadedDefinition) -> (Api, Report) {
    match check_definition(loaded, ProgramExtensions::default()) {
        Ok(checked) => (checked.api, Report::default()),
        Err(report) => (Api::default(), report),
    }
}

/// Returns the model of a definition that has no errors.
fn compile_valid_definition(loaded: LoadedDefinition) -> Api {
    let (api, report) = compile_definition(loaded);
    assert!(report.is_empty(), "{report}");
    api
}

/// Loads a definition that consists of one file, `api/article.json`, with this text.
fn load_one_file(text: &str) -> LoadedDefinition {
    read(vec![(PathBuf::from("api/article.json"), text.as_bytes().to_vec())])
}

/// Returns the codes of all errors in a report.
fn diagnostic_codes(report: &Report) -> Vec<String> {
    report.diagnostics.iter().map(|diagnostic| diagnostic.code.to_string()).collect()
}

/// Returns the folders in `tests/definitions/{kind}`, each of which contains a definition.
fn definition_folders(kind: &str) -> Vec<PathBuf> {
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
fn compile_folder(path: &Path) -> (Api, Report) {
    compile_definition(load(path))
}
