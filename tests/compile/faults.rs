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

#[test]
fn what_is_wrong_with_a_part_hides_nothing_else() {
    let cases = [
        // An unknown option is no missing info.
        (r#"{ "GET": { "options": { "stauts": 201 } } }"#, vec!["missing-info", "unknown-key"]),
        // A capture that nobody says anything of is not unknown to scopes as well.
        (
            r#"{ "/": { "{a}": { "GET": { "info": "i", "scope": [["s[a]"], ["s[b]"]] } } } }"#,
            vec!["unused-capture", "unknown-scope-variable"],
        ),
        // What cannot be called a capture is not searched for in the path.
        (r#"{ "GET": { "info": "i", "in": { "{a.b}": { "info": "i", "type": "int" } } } }"#, vec!["bad-name"]),
    ];
    for (text, expected) in cases {
        let (_, report) = super::judge(super::one(text));
        assert_eq!(codes(&report), expected, "{text}:\n{report}");
    }
}

/// Written as machines write: on one line, with thousands of everything. Seconds are plenty; where something
/// was compared with all before it, it took minutes.
#[test]
fn large_definitions_are_judged_in_time() {
    let many = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>();
    let words = many(200_000, &|n| n.to_string()).join("|");
    let errors = many(50_000, &|n| format!(r#""e{n}": {{ "info": "i" }}"#)).join(", ");
    let captures = many(30_000, &|n| format!("{{a{n}}}")).join("/");
    let blank = many(3_000, &|n| format!(r#""p{n}": {{ "GET": {{ "info": "" }} }}"#)).join(", ");
    let text = format!(
        r#"{{ "GET": {{ "info": "i", "errors": {{ {errors} }},
            "in": {{ "a": {{ "info": "i", "type": "enum({words})" }} }} }},
            "/": {{ "{captures}/{{a0}}": {{ "GET": {{ "info": "i" }} }}, {blank} }} }}"#
    );
    let start = std::time::Instant::now();
    let (_, report) = super::judge(super::one(&text));
    assert_eq!(report.diagnostics.len(), 3_001);
    assert!(report.render(false).contains("stands twice in the path"));
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

fn compare(path: &Path, report: &rulebook::diagnostic::Report) {
    golden::compare(&path.join("expected.txt"), &report.render(false));
    golden::compare(&path.join("expected.jsonl"), &report.json_lines());
}
