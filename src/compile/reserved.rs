//! Paths that are the server's own.

use super::lower::Lowering;
use crate::diagnostic::{Code, Diagnostic};
use crate::place::Place;

/// Paths that are the server's own, and whether all paths below them are too.
const RESERVED: [(&str, bool); 8] = [
    ("/docs", true),
    ("/openapi.json", false),
    ("/static", true),
    ("/-", true),
    ("/healthz", false),
    ("/readyz", false),
    ("/metrics", false),
    ("/llms.txt", false),
];

impl Lowering<'_> {
    /// Judges a whole path, base included, that is written at `place`. False where it is the server's.
    pub(super) fn judge_reserved(&mut self, path: &str, ignore_case: bool, place: Place) -> bool {
        let same = |a: &str, b: &str| a == b || (ignore_case && a.eq_ignore_ascii_case(b));
        let found = RESERVED.iter().find(|(reserved, below)| {
            let start_and_rest = path.split_at_checked(reserved.len());
            start_and_rest.is_some_and(|(start, rest)| {
                same(start, reserved) && (rest.is_empty() || (*below && rest.starts_with('/')))
            })
        });
        let Some((reserved, below)) = found else { return true };
        let extent = if *below { " and all below it" } else { "" };
        self.tell(
            Diagnostic::new(Code::ReservedName, place, format!("the path `{reserved}`{extent} is the server's own"))
                .label("reserved")
                .help("choose another path or another `base`"),
        );
        false
    }
}
