//! What in a definition would keep a name from leading to its method is told at start.

use std::path::Path;

use rulebook::Rulebook;

use crate::golden;

#[test]
fn names_that_cannot_be_are_told_at_their_places() {
    for (name, expected) in [("default-service", &["bad-option"][..]), ("named", &["reserved-name", "uri-collision"])] {
        let path = Path::new("tests/definitions/bad").join(name);
        let report = Rulebook::load(&path).check().unwrap_err();
        let mut found: Vec<_> = report.diagnostics.iter().map(|fault| fault.code.to_string()).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, expected, "{report}");
        golden::compare(&path.join("expected.txt"), &report.render(false));
    }
}
