//! What is wrong with rules is told where they are written, and once, however many methods have them.

use std::path::Path;

use rulebook::Rulebook;

use crate::golden;

#[test]
fn faults_are_told_once_and_in_the_words_of_rules() {
    let folder = Path::new("tests/definitions/bad/rules");
    let report = Rulebook::load(folder).check().expect_err("the folder is faulty");
    golden::compare(&folder.join("expected.txt"), &report.render(false));
    golden::compare(&folder.join("expected.jsonl"), &report.json_lines());
}
