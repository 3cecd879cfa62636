//! Checks the names of API modules, parameters, outputs, errors and methods. The code of handlers uses these names.

use super::lowering::Lowering;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Span;

impl Lowering<'_> {
    /// Reports an invalid name. `subject` is the noun phrase for the named part in the error message: "a module".
    pub(super) fn check_name(&mut self, name: &str, subject: &str, span: Span) {
        let Some(problem) = name_problem(name) else { return };
        self.report(
            Diagnostic::new(DiagnosticCode::BadName, span, format!("the name of {subject} {problem}"))
                .label(problem)
                .help("a name needs at least one character, and cannot contain whitespace or control characters"),
        );
    }
}

/// Returns what is wrong with a name, as the predicate of a sentence, or `None` if the name is valid.
fn name_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.chars().any(char::is_control) {
        Some("contains a control character")
    } else if name.chars().any(char::is_whitespace) {
        Some("contains whitespace")
    } else {
        None
    }
}
