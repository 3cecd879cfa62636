//! Checks the names of modules, parameters, outputs, errors and methods, which handlers use.

use super::lower::Lowering;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Span;

impl Lowering<'_> {
    /// Reports a name if it is invalid. `subject` is a noun phrase for the named thing: "a module".
    pub(super) fn check_name(&mut self, name: &str, subject: &str, span: Span) {
        let Some(problem) = name_problem(name) else { return };
        self.report(
            Diagnostic::new(DiagnosticCode::BadName, span, format!("the name of {subject} {problem}"))
                .label(problem)
                .help("a name needs at least one character, and cannot contain whitespace or control characters"),
        );
    }
}

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
