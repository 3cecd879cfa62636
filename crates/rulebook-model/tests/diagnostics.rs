//! Tests of diagnostics (errors in definitions): the table of diagnostic codes, and the rendering of reports.

use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode, Report, Sources, closest_word};
use rulebook_model::span::Span;
use serde_json::Value as Json;

fn span(file: u32, start: u32, end: u32) -> Span {
    Span { file, start, end }
}

/// Returns a report with one error. `text` is the content of the file, and the error has the span from `start` to
/// `end`.
fn report_one_error(text: &str, start: u32, end: u32) -> Report {
    let mut sources = Sources::default();
    let file = sources.add("api/a.json".into(), text.to_owned());
    let error = Diagnostic::new(DiagnosticCode::BadUri, span(file, start, end), "it is wrong").label("this");
    Report::new(sources, vec![error])
}

/// Returns the position of the error as `line:column`, first from the output for terminals, then from the output for
/// programs.
fn rendered_positions(report: &Report) -> (String, String) {
    let rendered = report.render(false);
    let arrow = rendered.lines().find_map(|line| line.trim().strip_prefix("--> api/a.json:"));
    let json: Json = serde_json::from_str(report.json_lines().trim()).expect("a line is JSON");
    (arrow.unwrap_or_default().to_owned(), format!("{}:{}", json["line"], json["column"]))
}

#[test]
fn every_diagnostic_code_has_a_name_and_an_explanation() {
    let headings = include_str!("../src/diagnostic/explanations.md").lines().filter_map(|line| line.strip_prefix("# "));
    assert_eq!(headings.collect::<Vec<_>>(), DiagnosticCode::ALL.iter().map(|code| code.name()).collect::<Vec<_>>());
    for code in DiagnosticCode::ALL {
        assert_eq!(code.to_string(), code.name());
        assert_eq!(code.name().parse(), Ok(*code));
        let explanation = code.explanation();
        assert!(explanation.len() > 100, "the explanation of {code} is too short");
        assert_eq!(explanation.matches("```").count() % 2, 0, "{code}");
        assert!(!explanation.contains('\u{2014}'), "{code}");
    }
    assert!("no-code".parse::<DiagnosticCode>().is_err());
}

/// The codes of warnings, and of errors whose cause is not in the text of a definition. Their explanations have no
/// example of an error.
const CODES_WITHOUT_EXAMPLE: [DiagnosticCode; 11] = [
    DiagnosticCode::UnknownCallable,
    DiagnosticCode::UnboundMethod,
    DiagnosticCode::UndefinedMethod,
    DiagnosticCode::HandlerMismatch,
    DiagnosticCode::BadAuth,
    DiagnosticCode::MissingSetting,
    DiagnosticCode::BuiltinType,
    DiagnosticCode::PastSunset,
    DiagnosticCode::UnreadFile,
    DiagnosticCode::MissingDefinition,
    DiagnosticCode::BadTest,
];

#[test]
fn the_first_example_of_an_explanation_has_only_this_error_and_the_second_has_none() {
    let check = |text: &str| {
        let files = vec![("api/example.json".into(), text.as_bytes().to_vec())];
        rulebook_model::read(files).err().unwrap_or_default()
    };
    let mut failures = String::new();
    for code in DiagnosticCode::ALL.iter().filter(|code| !CODES_WITHOUT_EXAMPLE.contains(code)) {
        let parts = code.explanation().split("```json\n").skip(1);
        let examples: Vec<&str> = parts.filter_map(|part| part.split("```").next()).collect();
        assert_eq!(examples.len(), 2, "{} must have a wrong and a right example", code.name());
        let (wrong, right) = (check(examples[0]), check(examples[1]));
        if !matches!(&wrong.diagnostics[..], [one] if one.code == *code) {
            failures += &format!("--- {}: the wrong example\n{wrong}\n", code.name());
        }
        if !right.is_empty() {
            failures += &format!("--- {}: the right example\n{right}\n", code.name());
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn terminals_and_programs_get_the_same_error_position() {
    for (text, start, end, expected) in [
        ("{}", 0, 1, "1:1"),
        ("{}", 2, 2, "1:3"),
        ("{}", 9, 9, "1:3"),
        ("{\n}\n", 4, 4, "2:2"),
        ("{\r\n}\r\n", 6, 6, "2:2"),
        ("{\r\n}\r\n", 2, 3, "1:2"),
        ("{\n\n}", 2, 2, "2:1"),
        ("\n", 0, 0, "1:1"),
        ("\n\n", 2, 2, "2:1"),
        ("{ \"é\": 1 }", 7, 8, "1:7"),
        ("{ \"é\": 1 }", 4, 4, "1:4"),
        ("\t\t\"a\"", 3, 4, "1:4"),
        ("{\n\"a\": {\n\"b\": 1\n}\n}", 7, 18, "2:6"),
        ("{\n  \"a\"", u32::MAX, u32::MAX, "2:6"),
        ("ab", 1, 0, "1:2"),
    ] {
        let report = report_one_error(text, start, end);
        let expected = (expected.to_owned(), expected.to_owned());
        assert_eq!(rendered_positions(&report), expected, "{text:?} {start}..{end}\n{report}");
    }
}

#[test]
fn a_rendered_error_shows_its_line_with_carets_under_the_error() {
    let expected = "error[bad-uri]: it is wrong
 --> api/a.json:2:4
  |
2 |   \"a/\": {}
  |    ^^ this
";
    assert_eq!(report_one_error("{\n  \"a/\": {}\n}\n", 5, 7).render(false), expected);
}

#[test]
fn only_the_first_line_of_a_long_span_is_underlined() {
    let text = format!("{{\n{}}}", "  1,\n".repeat(1000));
    assert!(report_one_error(&text, 0, 5000).to_string().lines().count() < 8);
}

#[test]
fn rendered_long_lines_are_shortened_around_the_error() {
    for (length, column) in [(5_000, "1:5012"), (100_000, "1:100012")] {
        let text = format!("{{ \"a\": \"{}\", \"b\": 1, \"c\": \"{}\" }}", "é".repeat(length), "x".repeat(length));
        let at = u32::try_from(text.find("\"b\"").expect("the key is in the text")).expect("it is small");
        for end in [at + 3, at + 4000] {
            let report = report_one_error(&text, at, end);
            let longest = report.to_string().lines().map(|line| line.chars().count()).max();
            assert!(longest < Some(220), "{report}");
            assert!(report.to_string().contains("\"b\": 1, \"c\""), "{report}");
            let (rendered, json) = rendered_positions(&report);
            assert_eq!((rendered.as_str(), json.as_str()), (column, column));
        }
    }
}

#[test]
fn related_spans_are_shown_with_their_labels() {
    let mut sources = Sources::default();
    let first = sources.add("api/a.json".into(), "{\n  \"a\": 1\n}\n".to_owned());
    let second = sources.add("api/b.json".into(), format!("{{\n  \"a\": 2,{}\n  \"b\": 3\n}}\n", "\n".repeat(300)));
    let error = Diagnostic::new(DiagnosticCode::UriCollision, span(second, 5, 6), "two of them")
        .label("again")
        .related(span(first, 5, 6), "first here")
        .related(span(second, 315, 316), "and here")
        .related(span(7, 0, 0), "nowhere")
        .help("keep one");
    let expected = "error[uri-collision]: two of them
   --> api/b.json:2:4
    |
  2 |   \"a\": 2,
    |    ^ again
    |
   ::: api/a.json:2:4
    |
  2 |   \"a\": 1
    |    - first here
    |
   ::: api/b.json:303:4
    |
303 |   \"b\": 3
    |    - and here
    |
    = help: keep one
";
    assert_eq!(Report::new(sources, vec![error]).render(false), expected);
}

#[test]
fn errors_without_a_source_file_are_rendered() {
    let mut sources = Sources::default();
    let folder = sources.add("api".into(), String::new());
    for (file, shown) in [(folder, "--> api\n"), (9, "")] {
        let error = Diagnostic::new(DiagnosticCode::MissingDefinition, span(file, 0, 0), "nothing there");
        let report = Report::new(sources.clone(), vec![error]);
        assert_eq!(report.render(false), format!("error[missing-definition]: nothing there\n{shown}"));
    }
}

#[test]
fn a_report_sorts_errors_by_file_and_position() {
    let mut sources = Sources::default();
    for name in ["a.json", "b.json"] {
        sources.add(name.into(), "{\n}\n".to_owned());
    }
    let error = |file, start| Diagnostic::new(DiagnosticCode::BadName, span(file, start, start), "");
    let report = Report::new(sources, vec![error(1, 0), error(0, 2), error(0, 0)]);
    let order: Vec<(u32, u32)> = report.diagnostics.iter().map(|d| (d.span.file, d.span.start)).collect();
    assert_eq!(order, [(0, 0), (0, 2), (1, 0)]);
}

#[test]
fn colors_are_used_on_request_only_and_escape_sequences_of_definitions_are_removed() {
    let mut sources = Sources::default();
    let file = sources.add("api/\u{1b}[31m.json".into(), "{ \"\u{1b}[31m\": 1 }".to_owned());
    let error = Diagnostic::new(DiagnosticCode::UnknownKey, span(file, 3, 8), "\u{1b}[31m")
        .label("\u{1b}[31m")
        .help("\u{1b}[31m");
    let report = Report::new(sources, vec![error]);
    assert!(!report.render(false).contains('\u{1b}'), "{:?}", report.render(false));
    let colored = report.render(true);
    assert!(colored.contains('\u{1b}') && !colored.contains("\u{1b}[31m"), "{colored:?}");
    assert!(!report.json_lines().contains('\u{1b}'));
}

#[test]
fn json_lines_of_a_report_have_seven_members() {
    let line: Json = serde_json::from_str(report_one_error("{}", 0, 1).json_lines().trim()).expect("a line is JSON");
    let keys: Vec<&String> = line.as_object().expect("a line is an object").keys().collect();
    assert_eq!(keys, ["code", "message", "file", "line", "column", "label", "help"]);
    assert!(line["help"].is_null());
}

#[test]
fn the_closest_known_word_is_suggested_for_a_misspelled_word() {
    for (word, expected) in
        [("varcar", Some("varchar")), ("VARCHAR", Some("varchar")), ("hcarvar", None), ("get", None), ("", None)]
    {
        assert_eq!(closest_word(word, ["varchar", "int"]), expected, "{word}");
    }
}

#[test]
fn an_error_can_hide_its_line() {
    let mut report = report_one_error("{\n  \"url\": \"secret\"\n}\n", 12, 18);
    assert!(report.to_string().contains("secret"), "{report}");
    report.diagnostics[0] = report.diagnostics[0].clone().hide_line().help("it is hidden");
    assert_eq!(rendered_positions(&report), ("2:11".to_owned(), "2:11".to_owned()));
    assert!(report.to_string().contains("it is hidden") && !report.to_string().contains("secret"), "{report}");
    assert!(!report.json_lines().contains("secret"));
}
