//! Fixes the errors of a definition, one round after the other.

use std::path::PathBuf;

use rulebook_model::compile::{CheckedDefinition, ProgramExtensions, check_definition};
use rulebook_model::definition;
use rulebook_model::diagnostic::{Diagnostic, Report};

/// The maximum number of times that a definition is checked. One check finds most errors of a definition.
const MAX_ROUNDS: usize = 200;

/// The HTTP methods, which are the keys of methods in the dialect `tree`.
pub(crate) const HTTP_METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];

/// Checks a definition, and lets `fix` change its files, until the definition has no errors. `source` returns the name
/// and the text of a file. `fix` gets a file, its text, its errors, and those of all files; it returns `true` if it has
/// changed the file.
pub(crate) fn repair<F>(
    files: &mut [F],
    source: impl Fn(&F) -> (PathBuf, String),
    mut fix: impl FnMut(&mut F, &str, &[&Diagnostic], &Report) -> bool,
) -> Result<CheckedDefinition, Report> {
    let mut report = Report::default();
    for _ in 0..MAX_ROUNDS {
        let sources: Vec<(PathBuf, String)> = files.iter().map(&source).collect();
        let bytes = sources.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect();
        report = match check_definition(definition::read(bytes), ProgramExtensions::default()) {
            Ok(checked) => return Ok(checked),
            Err(report) => report,
        };
        let mut is_changed = false;
        for (index, (file, (_, text))) in files.iter_mut().zip(&sources).enumerate() {
            let of_file = report.diagnostics.iter().filter(|error| error.span.file as usize == index);
            is_changed |= fix(file, text, &of_file.collect::<Vec<_>>(), &report);
        }
        if !is_changed {
            break;
        }
    }
    Err(report)
}
