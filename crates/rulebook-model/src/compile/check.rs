//! Checks a definition completely and returns the model of its API.

use std::sync::Arc;

use super::{ResponseRegistry, lower_definition, type_table, unknown_function_errors};
use crate::definition::LoadedDefinition;
use crate::diagnostic::{Diagnostic, Report, Sources};
use crate::model::Api;
use crate::types::{Functions, Type};

/// The types, envelopes, response formats and functions that a program adds to the built-in ones.
#[derive(Default)]
pub struct ProgramExtensions {
    /// The types of the program. A type with the name of a built-in type replaces the built-in type.
    pub types: Vec<Arc<dyn Type>>,
    /// The envelopes and response formats: the built-in ones and those of the program.
    pub responses: ResponseRegistry,
    /// The functions that the type attributes `callback` and `after` can name.
    pub functions: Functions,
}

/// A definition that was checked and has no errors, except that functions of the program may be missing.
#[derive(Debug)]
pub struct CheckedDefinition {
    /// The model of the API that the definition describes.
    pub api: Api,
    /// The texts of the definition files, which diagnostics of later steps quote.
    pub sources: Sources,
    /// The warnings, with which the API can be served nevertheless.
    pub warnings: Vec<Diagnostic>,
    /// An error for each function that the definition names but the program has not registered. If there is one, the
    /// API can be described in documents, but not served.
    pub unknown_function_errors: Vec<Diagnostic>,
}

/// Checks a parsed definition and converts it to the model.
///
/// # Errors
/// Returns the errors of all files of the definition.
pub fn check_definition(loaded: LoadedDefinition, extensions: ProgramExtensions) -> Result<CheckedDefinition, Report> {
    let LoadedDefinition { sources, definition, mut diagnostics } = loaded;
    let ProgramExtensions { types, responses, functions } = extensions;
    let types = type_table(&definition, types).with_functions(functions.clone());
    let lowered = lower_definition(&definition, &types, &responses);
    diagnostics.extend(lowered.diagnostics);
    if !diagnostics.is_empty() {
        return Err(Report::new(sources, diagnostics));
    }
    let unknown_function_errors = unknown_function_errors(&lowered.function_refs, &functions);
    Ok(CheckedDefinition { api: lowered.api, sources, warnings: lowered.warnings, unknown_function_errors })
}
