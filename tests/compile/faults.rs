//! Every fault is told, in its words and at its place, and none that only follows from another.

use std::collections::HashSet;
use std::path::Path;

use super::{codes, folder, folders};
use crate::golden;

/// The codes whose faults are found by lowering; the folder of each has no others.
const CODES: [&str; 25] = [
    "missing-info",
    "missing-type",
    "unknown-type",
    "bad-type-argument",
    "bad-uri",
    "uri-collision",
    "undefined-capture",
    "unused-capture",
    "bad-position",
    "optional-capture",
    "id-collision",
    "name-collision",
    "reserved-name",
    "bad-name",
    "bad-default",
    "bad-bounds",
    "missing-range",
    "unknown-method",
    "body-not-allowed",
    "bad-scope",
    "unknown-scope-variable",
    "output-collision",
    "bad-example",
    "bad-option",
    "wrong-kind-of-option",
];

#[test]
fn every_code_has_its_faults() {
    let mut wrong = Vec::new();
    for name in CODES {
        let path = Path::new("tests/definitions/bad").join(name);
        let (_, report) = folder(&path);
        let code = if name == "wrong-kind-of-option" { "wrong-kind" } else { name };
        if report.is_empty() || codes(&report).iter().any(|found| found != code) {
            wrong.push(format!("{name} has other faults, or none:\n{report}"));
        }
        compare(&path, &report);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn two_dozen_mistakes_are_two_dozen_faults() {
    let path = Path::new("tests/definitions/bad/two-dozen");
    let (_, report) = folder(path);
    let codes: HashSet<_> = report.diagnostics.iter().map(|fault| fault.code).collect();
    assert!(report.diagnostics.len() >= 24, "{report}");
    assert_eq!(codes.len(), report.diagnostics.len(), "one a code:\n{report}");
    compare(path, &report);
}

#[test]
fn good_definitions_have_no_faults() {
    for path in folders("good") {
        let (_, report) = folder(&path);
        assert!(report.is_empty(), "{}:\n{report}", path.display());
    }
}

fn compare(path: &Path, report: &rulebook::diagnostic::Report) {
    golden::compare(&path.join("expected.txt"), &report.render(false));
    golden::compare(&path.join("expected.jsonl"), &report.json_lines());
}
