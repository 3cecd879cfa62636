//! Tests of the errors that lowering reports. Lowering is the step that checks a parsed definition and compiles it to
//! the model. The texts and positions of the errors are compared with golden files. An error that is only a consequence
//! of another error must not be reported.

use std::collections::HashSet;
use std::path::Path;

use super::{compile_folder, definition_folders, diagnostic_codes};
use support::golden;

/// The codes of the errors that lowering reports. The definition in the test folder of a code has only errors with this
/// code.
const LOWERING_CODES: [&str; 29] = [
    "endless-schema",
    "union-overlap",
    "bad-constraint",
    "bad-handler",
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
fn the_test_folder_of_each_code_has_only_errors_with_this_code() {
    let mut wrong = Vec::new();
    for name in LOWERING_CODES {
        let path = Path::new("tests/definitions/bad").join(name);
        let (_, report) = compile_folder(&path);
        let code = if name == "wrong-kind-of-option" { "wrong-kind" } else { name };
        if report.is_empty() || diagnostic_codes(&report).iter().any(|found| found != code) {
            wrong.push(format!("{name} has errors of other codes, or none:\n{report}"));
        }
        assert_golden_report(&path, &report);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn two_dozen_mistakes_give_two_dozen_errors_of_different_codes() {
    let path = Path::new("tests/definitions/bad/two-dozen");
    let (_, report) = compile_folder(path);
    let codes: HashSet<_> = report.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert!(report.diagnostics.len() >= 24, "{report}");
    assert_eq!(codes.len(), report.diagnostics.len(), "each code once:\n{report}");
    assert_golden_report(path, &report);
}

#[test]
fn errors_in_schemas_are_as_recorded() {
    let path = Path::new("tests/definitions/bad/schemas");
    let (_, report) = compile_folder(path);
    assert_golden_report(path, &report);
}

#[test]
fn unions_maps_and_constants_have_errors_with_reasons() {
    let path = Path::new("tests/definitions/bad/unions");
    let (_, report) = compile_folder(path);
    assert_golden_report(path, &report);
}

#[test]
fn valid_definitions_of_all_folders_have_no_errors() {
    for path in definition_folders("good") {
        let (_, report) = compile_folder(&path);
        assert!(report.is_empty(), "{}:\n{report}", path.display());
    }
}

#[test]
fn an_error_in_one_value_does_not_hide_errors_in_other_values() {
    let cases = [
        // An unknown option does not hide the error that `info` is missing.
        (r#"{ "GET": { "options": { "stauts": 201 } } }"#, vec!["missing-info", "unknown-key"]),
        // A capture without a parameter is not also reported as an unknown variable in the scope.
        (
            r#"{ "/": { "{a}": { "GET": { "info": "i", "scope": [["s[a]"], ["s[b]"]] } } } }"#,
            vec!["unused-capture", "unknown-scope-variable"],
        ),
        // If the name of a capture is invalid, it is not also reported that the path does not contain the capture.
        (r#"{ "GET": { "info": "i", "in": { "{a.b}": { "info": "i", "type": "int" } } } }"#, vec!["bad-name"]),
    ];
    for (text, expected) in cases {
        let (_, report) = super::compile_definition(super::load_one_file(text));
        assert_eq!(diagnostic_codes(&report), expected, "{text}:\n{report}");
    }
}

/// Checks a generated definition on one line, with many thousands of captures, methods and errors. This takes seconds.
/// It would take minutes if each of these values were compared with all values before it.
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
    let (_, report) = super::compile_definition(super::load_one_file(&text));
    assert_eq!(report.diagnostics.len(), 3_001);
    assert!(report.render(false).contains("occurs twice in the path"));
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

fn assert_golden_report(path: &Path, report: &rulebook_model::diagnostic::Report) {
    golden::compare(&path.join("expected.txt"), &report.render(false));
    golden::compare(&path.join("expected.jsonl"), &report.json_lines());
}
