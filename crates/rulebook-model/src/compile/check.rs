//! Checks the text of a definition and returns the model of its API.

use std::sync::Arc;

use super::{ResponseRegistry, lower, type_table, unknown_functions};
use crate::definition::LoadedDefinition;
use crate::diagnostic::{Diagnostic, Report, Sources};
use crate::model::Api;
use crate::types::{Functions, Type};

/// The types, envelopes, formats and functions that a program adds to the built-in ones.
#[derive(Default)]
pub struct Extensions {
    /// The types. A type with the name of a built-in type replaces it.
    pub types: Vec<Arc<dyn Type>>,
    /// Envelopes and formats.
    pub answers: ResponseRegistry,
    /// The functions that the attributes `callback` and `after` can name.
    pub functions: Functions,
}

/// A definition that was checked and has no errors.
#[derive(Debug)]
pub struct Checked {
    /// The model of the API.
    pub api: Api,
    /// The files of the definition, for diagnostics of later steps.
    pub sources: Sources,
    /// An error for each function that the definition names but the program has not registered. Such a definition can
    /// be described, but not served.
    pub unknown_functions: Vec<Diagnostic>,
}

/// Checks a definition.
///
/// # Errors
/// Returns every error of every file.
pub fn check(loaded: LoadedDefinition, extensions: Extensions) -> Result<Checked, Report> {
    let LoadedDefinition { sources, definition, mut diagnostics } = loaded;
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
