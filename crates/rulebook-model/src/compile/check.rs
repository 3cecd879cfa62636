//! Checks the text of a definition and returns the model of its API.

use std::sync::Arc;

use super::{ResponseRegistry, lower, type_table, unknown_functions};
use crate::definition::Loaded;
use crate::diagnostic::{Diagnostic, Report, Sources};
use crate::model::Api;
use crate::types::{Functions, Type};

/// Names that a program adds to those that every definition can use.
#[derive(Default)]
pub struct Extensions {
    /// Types; one with the name of a built-in type replaces it.
    pub types: Vec<Arc<dyn Type>>,
    /// Envelopes and formats.
    pub answers: ResponseRegistry,
    /// Functions that `callback` and `after` name.
    pub functions: Functions,
}

/// A definition without errors.
#[derive(Debug)]
pub struct Checked {
    /// The model of the API.
    pub api: Api,
    /// The files that were read, for diagnostics of later steps.
    pub sources: Sources,
    /// An error for each function that the definition names and the program does not have. Only programs that serve
    /// the definition need the functions.
    pub unknown_functions: Vec<Diagnostic>,
}

/// Checks a definition.
///
/// # Errors
/// Returns every error of every file.
pub fn check(loaded: Loaded, extensions: Extensions) -> Result<Checked, Report> {
    let Loaded { sources, definition, mut diagnostics } = loaded;
    let Extensions { types, answers, functions } = extensions;
    let types = type_table(&definition, types).with_functions(functions.clone());
    let lowered = lower(&definition, &types, &answers);
    diagnostics.extend(lowered.diagnostics);
    if !diagnostics.is_empty() {
        return Err(Report::new(sources, diagnostics));
    }
    let unknown_functions = unknown_functions(&lowered.functions, &functions);
    Ok(Checked { api: lowered.api, sources, unknown_functions })
}
