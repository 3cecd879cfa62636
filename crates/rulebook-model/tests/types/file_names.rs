//! Tests of the type `filename`: the errors in file names, and the schemas and boundary values of file name patterns.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use proptest::prelude::*;
use rulebook_model::call::Value;
use rulebook_model::types::Check;
use serde_json::{Map, json};
use std::sync::Arc;

use super::{compile, compile_type_expr, plain_validator};

/// File name patterns, each with a file name that matches the pattern.
const PATTERNS: &[(&str, &str)] = &[
    ("**", "a/b"),
    ("*", "a"),
    ("*.json", "a.json"),
    ("public/**", "./public/封面.png"),
    ("cache/**/*.json", "cache/a/b.json"),
    ("**/é.txt", "a/e\u{301}.txt"),
    ("Keys/[A-Z]*", "\u{212A}eys/Kx"),
    ("[!a]??", "xyz"),
    ("{png,jpg}/{a,b}[0-9].*", "jpg/b7.x"),
    ("图/**", "图/é"),
    ("a;b/`", "a\u{37E}b/\u{1FEF}"),
    ("x.?", "x.1"),
    ("a?.b/**/?", "ab.b/c/d"),
    ("[!x]?/[é가]*", "é图/가a"),
    ("[a-é][!/]", "e\u{301}x"),
];

fn filename_check(patterns: &[&str]) -> Arc<dyn Check> {
    let mut attributes = Map::new();
    if !patterns.is_empty() {
        attributes.insert("range".to_owned(), json!(patterns));
    }
    compile("filename", &attributes).unwrap_or_else(|errors| panic!("{patterns:?}: {errors:?}"))
}

fn rejection_message(patterns: &[&str], text: &str) -> String {
    let mismatch = filename_check(patterns).checked(Value::Text(text.into())).expect_err(text);
    format!("expected {}, got {}", mismatch.expected, mismatch.got)
}

#[test]
fn the_error_of_an_invalid_file_name_states_the_violated_rule() {
    for (text, message) in [
        ("../a", "a file name (a part of a name cannot begin with a dot), got \"../a\""),
        ("/a", "a file name (a name cannot begin with `/`), got \"/a\""),
        ("a//b", "a file name (a name cannot have an empty part), got \"a//b\""),
        ("", "a file name (a name cannot have an empty part), got \"\""),
        ("a%2eb", "a file name (a name cannot contain '%'), got \"a%2eb\""),
        ("a\u{202E}b", "a file name (a name cannot contain '\\u{202e}'), got \"a\u{202E}b\""),
        ("a/nul.txt", "a file name (a part of a name cannot be the name of a device), got \"a/nul.txt\""),
        ("cache/a.png", "a file name that matches public/** or *.json, got \"cache/a.png\""),
    ] {
        assert_eq!(rejection_message(&["public/**", "*.json"], text), format!("expected {message}"));
    }
    let long = "a".repeat(2000);
    let message = rejection_message(&[], &long);
    assert!(message.starts_with("expected a file name (a name can have at most 1024 bytes), got \"aaa"), "{message}");
    assert!(message.len() < 200, "{message}");
    let number = filename_check(&[]).checked(Value::Int(1)).unwrap_err();
    assert_eq!(&*number.expected, "a file name, with `/` between folders");
}

#[test]
fn every_file_name_pattern_has_boundary_values_and_a_schema_that_accepts_matching_names() {
    for (pattern, name) in PATTERNS {
        let check = filename_check(&[pattern]);
        let is_valid = |value: &Value<'_>| check.checked(value.clone()).is_ok();
        assert!(is_valid(&Value::Text((*name).into())), "{name} matches {pattern}");
        let boundary_values = check.boundary_values();
        assert!(!boundary_values.is_empty() && boundary_values.iter().all(is_valid), "{pattern}: {boundary_values:?}");
        let schema = check.schema();
        let validator = plain_validator(&schema);
        assert!(schema["pattern"].is_string(), "{pattern}");
        assert!(validator.is_valid(&json!(name)), "{name} of {schema}");
        assert_eq!(compile_type_expr(&check.type_expr()).type_expr(), check.type_expr());
    }
    // The schema rejects names that do not match the pattern, as far as a JSON Schema can describe the pattern.
    for (pattern, others) in [
        ("public/*.png", ["public/a.jpg", "public/a/b.png", "cache/a.png", "public/a.png/"]),
        ("cache/**/[a-c].json", ["cache/d.json", "cache.json", "a/cache/a.json", "cache/ab.json"]),
        ("**", ["", "a//b", "a/./b", "a./b"]),
        ("*", ["..", "a:b", "a<b", "a "]),
        ("?", ["ab", "", "/", "."]),
        ("?/?", ["/a", "a/", "ab/c", "a"]),
        ("[!a]", ["a", "bc", "/", ""]),
        ("[a-é]", ["Z", "ab", "", "A"]),
        ("é", ["a", "", "aa", "/"]),
    ] {
        let validator = plain_validator(&filename_check(&[pattern]).schema());
        others.iter().for_each(|other| assert!(!validator.is_valid(&json!(other)), "{other} does not match {pattern}"));
    }
    let validator = plain_validator(&filename_check(&[]).schema());
    for (name, valid) in [
        ("./a/b.c", true),
        ("con.txt", false),
        ("a/Nul /b", false),
        ("./COM\u{b9}\u{3000}.tar.gz", false),
        ("conin$", false),
        ("CON\u{301}", true),
        ("COM1\u{301}x", true),
        ("icon.txt", true),
        ("com.txt", true),
        ("a.con", true),
        ("图/封 面.png", true),
        ("<\u{338}", true),
        ("..", false),
        ("a/../b", false),
        ("/a", false),
        ("a//b", false),
        ("a/", false),
        ("a\\b", false),
        ("", false),
        ("a%", false),
        ("a\n", false),
        ("a:b", false),
        ("a<b", false),
        ("a.", false),
        ("a ", false),
        ("a\u{3000}", false),
        ("a/ b", false),
        ("a\u{202e}b", false),
        ("././a", false),
    ] {
        assert_eq!(validator.is_valid(&json!(name)), valid, "{name:?}");
    }
}

/// Unicode NFC converts some non-ASCII characters to ASCII characters. The schemas of file name patterns accept these
/// characters too, and this test checks that there are no others.
#[test]
fn nfc_converts_only_three_non_ascii_characters_to_ascii() {
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    let becomes_ascii = |char: &char| !char.is_ascii() && nfc.normalize(&char.to_string()).is_ascii();
    let all: Vec<_> = (char::MIN..=char::MAX).filter(becomes_ascii).collect();
    assert_eq!(all, ['\u{37E}', '\u{1FEF}', '\u{212A}']);
}

proptest! {
    #![proptest_config(support::random::cases(1024))]

    #[test]
    fn the_schema_accepts_valid_file_names_before_and_after_normalization(
        chosen in prop::collection::vec(prop::sample::select(PATTERNS), 0..3),
        pieces in prop::collection::vec(prop::sample::select(vec![
            "a", "x", "K", "\u{212A}", "1", ".", "/", "./", "public", "cache", "é", "e", "\u{301}", "\u{338}", "<", ">", "\u{958}",
            "图", "\u{3000}", "\u{202e}", ".json", ".png", ";", "\u{37E}", "`", "\u{1FEF}", "가", "\u{1100}", "\u{1161}", " ", "-", "%", "\\",
        ]), 0..8),
        whole in prop::option::of(0_usize..3),
    ) {
        let patterns: Vec<&str> = chosen.iter().map(|(pattern, _)| *pattern).collect();
        let check = filename_check(&patterns);
        // Random texts rarely match a pattern, so that some texts begin with a file name that matches a pattern.
        let prefix = whole.and_then(|index| chosen.get(index)).map_or("", |(_, name)| name);
        let text = format!("{prefix}{}", pieces.concat());
        prop_assert_eq!(check.decode(Cow::Borrowed(&text)), Value::Text(Cow::Borrowed(&text)));
        if let Ok(value) = check.checked(Value::Text(Cow::Borrowed(&text))) {
            let schema = check.schema();
            prop_assert!(plain_validator(&schema).is_valid(&json!(text)), "{:?} of {}", text, schema);
            prop_assert!(plain_validator(&schema).is_valid(&value.to_json()), "{:?} of {}", value, schema);
            prop_assert_eq!(check.checked(value.clone()).unwrap(), value);
        }
    }
}
