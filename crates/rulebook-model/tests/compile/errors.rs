//! Tests of the errors that lowering reports. Lowering is the step that checks a parsed definition and compiles it to
//! the model. The texts and positions of the errors are compared with golden files. An error that is only a consequence
//! of another error must not be reported.

use std::collections::HashSet;
use std::path::Path;

use super::{compile_folder, definition_folders, diagnostic_codes};
use support::golden;

/// The codes of the errors that lowering reports. The definition in the test folder of a code has only errors with this
/// code.
const LOWERING_CODES: [&str; 34] = [
    "endless-schema",
    "union-overlap",
    "bad-constraint",
    "bad-auth",
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
    "missing-scope",
    "unknown-scope-variable",
    "output-collision",
    "bad-header",
    "bad-example",
    "bad-option",
    "wrong-kind-of-option",
    "versions",
    "versions-header",
];

#[test]
fn the_test_folder_of_each_code_has_only_errors_with_this_code() {
    let mut wrong = Vec::new();
    for name in LOWERING_CODES {
        let path = Path::new("tests/definitions/bad").join(name);
        let (_, report) = compile_folder(&path);
        let code = match name {
            "wrong-kind-of-option" => "wrong-kind",
            "versions" | "versions-header" => "bad-option",
            name => name,
        };
        if report.is_empty() || diagnostic_codes(&report).iter().any(|found| found != code) {
            wrong.push(format!("{name} has errors of other codes, or none:\n{report}"));
        }
        assert_golden_report(&path, &report);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn errors_in_limits_of_requests_are_as_recorded() {
    let path = Path::new("tests/definitions/bad/rate-limits");
    let (_, report) = compile_folder(path);
    assert!(!report.is_empty());
    assert_golden_report(path, &report);
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
fn errors_beside_other_errors_are_as_recorded() {
    let path = Path::new("tests/definitions/bad/beside-errors");
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
fn the_type_of_a_tag_can_contain_the_union_itself() {
    let path = Path::new("tests/definitions/bad/union-tags");
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

#[test]
fn an_error_in_a_field_is_reported_once() {
    let object = |field: &str, more: &str| {
        format!(r#"{{ "info": "i", "fields": {{ "a": {field}, "b": {{ "info": "i", "type": "?int" }} }}{more} }}"#)
    };
    let method = |schemas: &str, r#type: &str| {
        format!(
            r#"{{ "schemas": {{ {schemas} }}, "POST": {{ "info": "i", "in": {{ "x": {{ "info": "i", {type} }} }} }} }}"#
        )
    };
    let wrong = r#"{ "info": "i", "type": "?itn" }"#;
    let about_fields = r#", "closed": true, "constraints": [{ "together": ["a", "b"] }]"#;
    let in_items =
        r#", "type": "array<object>", "items": { "closed": true, "constraints": [{ "equal": ["a", "b"] }] }"#;
    let reference = r#"{ "info": "i", "type": "Inner" }"#;
    let inner = format!(r#""Inner": {}"#, object(wrong, about_fields));
    let outer = format!(r#"{inner}, "Outer": {}"#, object(reference, about_fields));
    let fields = |more: &str| format!(r#""type": "object", "fields": {{ "a": {wrong} }}{more}"#);
    for (text, expected) in [
        (method("", &fields(r#", "closed": true"#)), vec!["unknown-type"]),
        // The object has no field `b`.
        (method("", &fields(about_fields)), vec!["unknown-type", "bad-constraint"]),
        (method(&inner, r#""type": "int""#), vec!["unknown-type"]),
        (method(&outer, r#""type": "?Outer""#), vec!["unknown-type"]),
        (method(&format!(r#""A": {}"#, object(wrong, in_items)), r#""type": "A""#), vec!["unknown-type"]),
        // The list of the fields is missing, because its key is wrong.
        (method("", r#""type": "object", "feilds": {}, "closed": true"#), vec!["unknown-key"]),
        // Other errors of the object are still reported.
        (method("", &fields(r#", "closed": 1"#)), vec!["unknown-type", "bad-type-argument"]),
        (method("", &fields(r#", "min": 2, "max": 1"#)), vec!["unknown-type", "bad-bounds"]),
    ] {
        let (_, report) = super::compile_definition(super::load_one_file(&text));
        assert_eq!(diagnostic_codes(&report), expected, "{text}:\n{report}");
    }
}

#[test]
fn errors_of_constraints_are_at_their_entries() {
    let fields = r#""a": { "info": "i", "type": "?int" }, "b": { "info": "i", "type": "?int" }"#;
    let constraints = "\"constraints\": [\n{ \"equal\": [\"a\", \"b\"] },\n{ \"equal\": [\"a\", \"c\"] },\n3 ]";
    let object = |r#type: &str| {
        format!(
            r#"{{ "POST": {{ "info": "i", "in": {{ "x": {{ "info": "i", "fields": {{ {fields} }}, {type} }} }} }} }}"#
        )
    };
    for (text, lines) in [
        (format!(r#"{{ "POST": {{ "info": "i", "in": {{ {fields} }}, {constraints} }} }}"#), vec![3, 4]),
        (object(&format!(r#""type": "object", {constraints}"#)), vec![3, 4]),
        (object(&format!(r#""type": "array<object>", "items": {{ {constraints} }}"#)), vec![3, 4]),
    ] {
        let (_, report) = super::compile_definition(super::load_one_file(&text));
        let errors = report.json_lines();
        let errors = errors.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let found: Vec<_> = errors.map(|error| error["line"].as_u64().unwrap()).collect();
        assert_eq!(found, lines, "{text}:\n{report}");
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
