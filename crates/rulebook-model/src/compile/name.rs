//! Checks names that handlers use: of modules, parameters, outputs, errors and methods.

use super::lower::Lowering;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Span;

impl Lowering<'_> {
    /// Reports an invalid name. `subject` is a noun phrase for what it names: "a module".
    pub(super) fn check_name(&mut self, name: &str, subject: &str, span: Span) {
        let Some(problem) = problem(name) else { return };
        self.report(
            Diagnostic::new(DiagnosticCode::BadName, span, format!("the name of {subject} {problem}"))
                .label(problem)
                .help("a name needs at least one character, and cannot contain whitespace or control characters"),
        );
    }
}

fn problem(name: &str) -> Option<&'static str> {
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
