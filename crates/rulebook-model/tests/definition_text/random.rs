//! Property tests with random files. The parser must parse or reject any bytes without panicking, and must accept the
//! same JSON as `serde_json`.

use std::fs;

use proptest::prelude::*;
use rulebook_model::definition::LoadedDefinition;
use rulebook_model::diagnostic::DiagnosticCode;
use serde_json::Value as Json;

use super::{diagnostic_codes, into_report, parse_one_file};

/// Generates texts that are valid JSON or similar to JSON.
fn nearly_json_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\"",
        "\"",
        "\\",
        "'",
        "1",
        "-",
        "0",
        "01",
        "1.",
        ".5",
        "1e5",
        "e",
        "+1",
        "0x1",
        "true",
        "false",
        "null",
        "True",
        "NaN",
        "Infinity",
        "a",
        " ",
        "\n",
        "\t",
        "\r",
        "\u{b}",
        "\u{a0}",
        "\u{7f}",
        "é",
        "\"\\u00e9\"",
        "\"\\ud800\"",
        "\"\\x\"",
        "\"\t\"",
        "{\"a\":1}",
        "[1,2]",
        "{}",
        "[]",
        "-0",
        "\"\u{2028}\"",
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

/// Generates definition files in which some bytes are replaced by other text.
fn mutated_definition() -> impl Strategy<Value = Vec<u8>> {
    let files: Vec<Vec<u8>> = [
        "tests/definitions/bad/unknown-key/tree.json",
        "tests/definitions/bad/wrong-kind/tree.json",
        "tests/definitions/bad/wrong-kind/app.json",
        "tests/definitions/bad/unknown-key/list.json",
        "tests/definitions/bad/unknown-key/methods.json",
        "tests/definitions/bad/wrong-kind/methods.json",
    ]
    .into_iter()
    .map(|path| fs::read(path).expect("the file is there"))
    .collect();
    let pieces = prop::sample::select(vec![
        "", "\"", "{", "}", "[", "]", ",", ":", "/", "//", "/*", "*/", "\\", "GET", "in", "1", "null", "\n", "\r\n",
        "é", "\u{0}", "$", "dialect", "modules", "::",
    ]);
    let change = (any::<prop::sample::Index>(), 0..6usize, pieces);
    (prop::sample::select(files), prop::collection::vec(change, 1..6)).prop_map(|(mut bytes, changes)| {
        for (at, count, piece) in changes {
            let at = at.index(bytes.len() + 1);
            let end = (at + count).min(bytes.len());
            bytes.splice(at..end, piece.bytes());
        }
        bytes
    })
}

/// Fails if a diagnostic cannot be rendered, or if its span does not contain the erroneous text.
fn assert_diagnostics_can_be_rendered(loaded: LoadedDefinition) -> Result<(), TestCaseError> {
    let report = into_report(loaded);
    let lines = report.json_lines();
    prop_assert_eq!(lines.lines().count(), report.diagnostics.len());
    for diagnostic in &report.diagnostics {
        let source = report.sources.get(diagnostic.span.file);
        let Some(source) = source.filter(|source| !source.text.is_empty()) else {
            continue;
        };
        let position = source.locate(diagnostic.span);
        let marked = &source.text[position.bytes.clone()];
        let word = diagnostic.message.split('`').nth(1).unwrap_or_default();
        if matches!(diagnostic.code, DiagnosticCode::UnknownKey | DiagnosticCode::DuplicateKey)
            && !marked.contains('\\')
            && !word.is_empty()
        {
            prop_assert_eq!(marked, word);
        }
        if diagnostic.code == DiagnosticCode::WrongKind {
            prop_assert!(!marked.is_empty());
        }
    }
    // Rendering the report must not panic, neither with colors nor without colors.
    prop_assert_eq!(report.render(false).is_empty(), report.is_empty());
    prop_assert_eq!(report.render(true).is_empty(), report.is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(support::random::cases(256))]

    #[test]
    fn random_bytes_are_parsed_or_rejected_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_diagnostics_can_be_rendered(parse_one_file("a.json", &bytes))?;
        assert_diagnostics_can_be_rendered(parse_one_file("app.json", &bytes))?;
    }

    #[test]
    fn mutated_definition_files_are_parsed_or_rejected_without_a_panic(bytes in mutated_definition()) {
        assert_diagnostics_can_be_rendered(parse_one_file("a.json", &bytes))?;
        assert_diagnostics_can_be_rendered(parse_one_file("app.json", &bytes))?;
    }
}

proptest! {
    #![proptest_config(support::random::cases(2_000))]

    #[test]
    fn the_parser_accepts_the_same_json_as_serde_json(text in nearly_json_text()) {
        // rulebook rejects duplicate keys, which `serde_json` accepts, so that only syntax errors are compared.
        let loaded = parse_one_file("app.json", format!("{{\"modules\":{{}},\"x-a\":{text}}}"));
        let ours = !diagnostic_codes(&loaded).contains(&DiagnosticCode::Syntax);
        let theirs = serde_json::from_str::<Json>(&format!("{{\"modules\":{{}},\"x-a\":{text}}}")).is_ok();
        prop_assert_eq!(ours, theirs, "{:?}: {}", text, into_report(loaded));
    }
}
