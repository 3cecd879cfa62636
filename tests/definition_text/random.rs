//! Any bytes are read or told, and JSON is what other readers take for it.

use std::fs;

use proptest::prelude::*;
use rulebook::definition::Loaded;
use rulebook::diagnostic::Code;
use serde_json::Value as Json;

use super::{codes, one, report};

/// Text that is JSON, or nearly.
fn nearly_json() -> impl Strategy<Value = String> {
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

/// A good definition with some of its bytes changed.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
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

/// Every diagnostic can be shown, and points at what it speaks of.
fn is_told_well(loaded: Loaded) -> Result<(), TestCaseError> {
    let report = report(loaded);
    let lines = report.json_lines();
    prop_assert_eq!(lines.lines().count(), report.diagnostics.len());
    for diagnostic in &report.diagnostics {
        let source = report.sources.get(diagnostic.place.file);
        let Some(source) = source.filter(|source| !source.text.is_empty()) else {
            continue;
        };
        let location = source.locate(diagnostic.place);
        let shown = &source.text[location.bytes.clone()];
        let word = diagnostic.message.split('`').nth(1).unwrap_or_default();
        if matches!(diagnostic.code, Code::UnknownKey | Code::DuplicateKey) && !shown.contains('\\') && !word.is_empty()
        {
            prop_assert_eq!(shown, word);
        }
        if diagnostic.code == Code::WrongKind {
            prop_assert!(!shown.is_empty());
        }
    }
    // Rendering must not panic, in colour or without.
    prop_assert_eq!(report.render(false).is_empty(), report.is_empty());
    prop_assert_eq!(report.render(true).is_empty(), report.is_empty());
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_told(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        is_told_well(one("a.json", &bytes))?;
        is_told_well(one("app.json", &bytes))?;
    }

    #[test]
    fn any_damage_is_told(bytes in mutated()) {
        is_told_well(one("a.json", &bytes))?;
        is_told_well(one("app.json", &bytes))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn json_is_what_serde_json_takes(text in nearly_json()) {
        // Keys that stand twice are ours alone to refuse.
        let loaded = one("app.json", format!("{{\"modules\":{{}},\"x-a\":{text}}}"));
        let ours = !codes(&loaded).contains(&Code::Syntax);
        let theirs = serde_json::from_str::<Json>(&format!("{{\"modules\":{{}},\"x-a\":{text}}}")).is_ok();
        prop_assert_eq!(ours, theirs, "{:?}: {}", text, report(loaded));
    }
}
