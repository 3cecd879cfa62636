//! Every explanation of a code shows a definition that has this fault, and one that has none.

use rulebook::diagnostic::codes::TABLE;

use super::{codes, judge, one};

/// Codes whose faults are not in one file of text: of handlers and functions, of folders.
const WITHOUT_EXAMPLE: [&str; 5] =
    ["unbound-method", "undefined-method", "handler-mismatch", "unknown-callable", "missing-definition"];

#[test]
fn wrong_examples_are_wrong_and_right_ones_are_right() {
    for row in TABLE {
        let blocks: Vec<&str> = row
            .explanation
            .split("```json\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap_or_default())
            .collect();
        if WITHOUT_EXAMPLE.contains(&row.name) {
            continue;
        }
        let [wrong, right] = blocks[..] else { panic!("{} has not two examples", row.name) };
        let (_, report) = judge(one(wrong));
        let found = codes(&report);
        assert!(!found.is_empty() && found.iter().all(|code| code == row.name), "{}: {found:?}\n{report}", row.name);
        let (_, report) = judge(one(right));
        assert!(report.is_empty(), "{}\n{report}", row.name);
    }
}
