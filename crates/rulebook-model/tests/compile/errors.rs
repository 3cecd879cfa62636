//! The errors that lowering reports: their texts and positions are golden files, and no reported error only follows
//! from another one.

use std::collections::HashSet;
use std::path::Path;

use super::{codes, folder, folders};
use support::golden;

/// The codes that lowering reports. The test folder of each code has no other errors.
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
fn the_folder_of_each_code_has_errors_of_this_code_only() {
    let mut wrong = Vec::new();
    for name in CODES {
        let path = Path::new("tests/definitions/bad").join(name);
        let (_, report) = folder(&path);
        let code = if name == "wrong-kind-of-option" { "wrong-kind" } else { name };
        if report.is_empty() || codes(&report).iter().any(|found| found != code) {
            wrong.push(format!("{name} has errors of other codes, or none:\n{report}"));
        }
        compare(&path, &report);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn two_dozen_mistakes_give_two_dozen_errors_of_different_codes() {
    let path = Path::new("tests/definitions/bad/two-dozen");
    let (_, report) = folder(path);
    let codes: HashSet<_> = report.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert!(report.diagnostics.len() >= 24, "{report}");
    assert_eq!(codes.len(), report.diagnostics.len(), "each code once:\n{report}");
    compare(path, &report);
}

#[test]
fn valid_definitions_of_all_folders_have_no_errors() {
    for path in folders("good") {
        let (_, report) = folder(&path);
        assert!(report.is_empty(), "{}:\n{report}", path.display());
    }
}

#[test]
fn an_error_in_one_part_does_not_hide_errors_in_others() {
    let cases = [
        // An unknown option does not hide the missing info.
        (r#"{ "GET": { "options": { "stauts": 201 } } }"#, vec!["missing-info", "unknown-key"]),
        // A capture without a parameter is not reported as an unknown scope variable too.
        (
            r#"{ "/": { "{a}": { "GET": { "info": "i", "scope": [["s[a]"], ["s[b]"]] } } } }"#,
            vec!["unused-capture", "unknown-scope-variable"],
        ),
        // An invalid capture name is not searched for in the path.
        (r#"{ "GET": { "info": "i", "in": { "{a.b}": { "info": "i", "type": "int" } } } }"#, vec!["bad-name"]),
    ];
    for (text, expected) in cases {
        let (_, report) = super::check(super::load_one_file(text));
        assert_eq!(codes(&report), expected, "{text}:\n{report}");
    }
}

/// A generated definition on one line, with thousands of modules, parameters and errors. Checking it takes seconds; it
/// would take minutes if each part were compared with all parts before it.
#[test]
fn large_definitions_are_checked_within_seconds() {
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
    let (_, report) = super::check(super::load_one_file(&text));
    assert_eq!(report.diagnostics.len(), 3_001);
    assert!(report.render(false).contains("occurs twice in the path"));
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

fn compare(path: &Path, report: &rulebook_model::diagnostic::Report) {
    golden::compare(&path.join("expected.txt"), &report.render(false));
    golden::compare(&path.join("expected.jsonl"), &report.json_lines());
}
