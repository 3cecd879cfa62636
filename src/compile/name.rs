//! Names in code: of modules, parameters, outputs, errors and methods.

use super::lower::Lowering;
use crate::diagnostic::{Code, Diagnostic};
use crate::place::Place;

impl Lowering<'_> {
    /// Tells a name that code cannot use; `what` is what it names, with its article.
    pub(super) fn judge_name(&mut self, name: &str, what: &str, place: Place) -> bool {
        let Some(reason) = fault(name) else { return true };
        self.tell(
            Diagnostic::new(Code::BadName, place, format!("the name of {what} {reason}"))
                .label(reason)
                .help("a name has at least one character, and no blanks or control characters"),
        );
        false
    }
}

/// Why a name is none.
fn fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.chars().any(char::is_control) {
        Some("has a control character")
    } else if name.chars().any(char::is_whitespace) {
        Some("has a blank")
    } else {
        None
    }
}
