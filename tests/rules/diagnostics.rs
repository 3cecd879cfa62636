//! Tests the diagnostics of rules: each error is reported once, at the rule, even if several methods inherit the rule.

use std::path::Path;

use rulebook::Rulebook;

use support::golden;

#[test]
fn errors_of_rules_are_reported_once_and_with_the_keys_of_rules() {
    let folder = Path::new("crates/rulebook-model/tests/definitions/bad/rules");
    let report = Rulebook::load(folder).check().expect_err("the definition has errors");
    golden::compare(&folder.join("expected.txt"), &report.render(false));
    golden::compare(&folder.join("expected.jsonl"), &report.json_lines());
}
