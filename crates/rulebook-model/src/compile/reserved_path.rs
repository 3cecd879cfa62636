//! Checks that no service has a path that the server reserves for itself, such as `/metrics`.

use super::lowering::Lowering;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::ServerPath;
use crate::span::Span;

impl Lowering<'_> {
    /// Checks the complete path of a service, including the base path. If the server reserves this path, reports an
    /// error and returns `false`.
    pub(crate) fn check_reserved_path(&mut self, path: &str, ignore_case: bool, span: Span) -> bool {
        let is_same = |a: &str, b: &str| a == b || (ignore_case && a.eq_ignore_ascii_case(b));
        let entry = ServerPath::ALL.into_iter().find(|(_, reserved, includes_below)| {
            let split = path.split_at_checked(reserved.len());
            split.is_some_and(|(start, rest)| {
                is_same(start, reserved) && (rest.is_empty() || (*includes_below && rest.starts_with('/')))
            })
        });
        let Some((_, reserved, includes_below)) = entry else { return true };
        let message = if includes_below {
            format!("the path `{reserved}` and all paths below it are reserved for the server")
        } else {
            format!("the path `{reserved}` is reserved for the server")
        };
        self.report(
            Diagnostic::new(DiagnosticCode::ReservedName, span, message)
                .label("reserved")
                .help("choose another path, or another `base` in `app.json`"),
        );
        false
    }
}
