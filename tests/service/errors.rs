//! Tests definitions in which the name of a method would not lead to the method: such definitions are refused at
//! startup.

use std::path::Path;

use rulebook::Rulebook;

use support::golden;

#[test]
fn methods_that_cannot_be_named_are_reported_with_their_location() {
    for (name, expected) in [("default-service", &["bad-option"][..]), ("named", &["reserved-name", "uri-collision"])] {
        let path = Path::new("crates/rulebook-model/tests/definitions/bad").join(name);
        let report = Rulebook::load(&path).check().unwrap_err();
        let mut found: Vec<_> = report.diagnostics.iter().map(|error| error.code.to_string()).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, expected, "{report}");
        golden::compare(&path.join("expected.txt"), &report.render(false).replace("crates/rulebook-model/", ""));
    }
}
