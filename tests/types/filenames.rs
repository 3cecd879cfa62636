//! Names of files: what is wrong with one, and what schemas and samples say of the patterns.

use std::borrow::Cow;

use proptest::prelude::*;
use rulebook::Value;
use rulebook::types::Check;
use serde_json::{Map, json};
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

use super::{compile, compile_written, plain_judge};

/// Patterns, each of which some name is like, with such a name.
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

fn filename(patterns: &[&str]) -> Arc<dyn Check> {
    let mut attributes = Map::new();
    if !patterns.is_empty() {
        attributes.insert("range".to_owned(), json!(patterns));
    }
    compile("filename", &attributes).unwrap_or_else(|errors| panic!("{patterns:?}: {errors:?}"))
}

fn refused(patterns: &[&str], text: &str) -> String {
    let mismatch = filename(patterns).check(Value::Text(text.into())).expect_err(text);
    format!("expected {}, got {}", mismatch.expected, mismatch.got)
}

#[test]
fn what_is_wrong_with_a_name_is_told() {
    for (text, words) in [
        ("../a", "the name of a file (no part of a name begins with a dot), got \"../a\""),
        ("/a", "the name of a file (a name does not begin with `/`), got \"/a\""),
        ("a//b", "the name of a file (a name has no empty part), got \"a//b\""),
        ("", "the name of a file (a name has no empty part), got \"\""),
        ("a%2eb", "the name of a file (a name does not hold '%'), got \"a%2eb\""),
        ("a\u{202E}b", "the name of a file (a name does not hold '\\u{202e}'), got \"a\u{202E}b\""),
        ("a/nul.txt", "the name of a file (no part of a name is that of a device), got \"a/nul.txt\""),
        ("cache/a.png", "the name of a file that is like public/** or *.json, got \"cache/a.png\""),
    ] {
        assert_eq!(refused(&["public/**", "*.json"], text), format!("expected {words}"));
    }
    let long = "a".repeat(2000);
    let told = refused(&[], &long);
    assert!(told.starts_with("expected the name of a file (a name has 1024 bytes at most), got \"aaa"), "{told}");
    assert!(told.len() < 200, "{told}");
    let number = filename(&[]).check(Value::Int(1)).unwrap_err();
    assert_eq!(&*number.expected, "the name of a file, `/` between its parts");
}

#[test]
fn every_pattern_has_a_sample_and_its_schema_takes_what_is_like_it() {
    for (pattern, name) in PATTERNS {
        let check = filename(&[pattern]);
        let is_like = |value: &Value<'_>| check.check(value.clone()).is_ok();
        assert!(is_like(&Value::Text((*name).into())), "{name} is like {pattern}");
        let extremes = check.extremes();
        assert!(!extremes.is_empty() && extremes.iter().all(is_like), "{pattern}: {extremes:?}");
        let schema = check.schema();
        let judge = plain_judge(&schema);
        assert!(schema["pattern"].is_string(), "{pattern}");
        assert!(judge.is_valid(&json!(name)), "{name} of {schema}");
        assert_eq!(compile_written(&check.written()).written(), check.written());
    }
    // What the schema can say it does say.
    for (pattern, others) in [
        ("public/*.png", ["public/a.jpg", "public/a/b.png", "cache/a.png", "public/a.png/"]),
        ("cache/**/[a-c].json", ["cache/d.json", "cache.json", "a/cache/a.json", "cache/ab.json"]),
        ("**", ["", "", "", ""]),
    ] {
        let judge = plain_judge(&filename(&[pattern]).schema());
        others.iter().for_each(|other| assert!(!judge.is_valid(&json!(other)), "{other} is not like {pattern}"));
    }
    let judge = plain_judge(&filename(&[]).schema());
    for (name, passes) in [
        ("./a/b.c", true),
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
        ("././a", false),
    ] {
        assert_eq!(judge.is_valid(&json!(name)), passes, "{name:?}");
    }
}

/// Schemas of patterns know of three characters that are composed to ASCII ones.
#[test]
fn three_characters_are_composed_to_ascii() {
    let composed = |char: &char| !char.is_ascii() && char.nfc().all(|char| char.is_ascii());
    let all: Vec<_> = (char::MIN..=char::MAX).filter(composed).collect();
    assert_eq!(all, ['\u{37E}', '\u{1FEF}', '\u{212A}']);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_passes_passes_the_schema_and_stays_as_it_becomes(
        chosen in prop::collection::vec(prop::sample::select(PATTERNS), 0..3),
        pieces in prop::collection::vec(prop::sample::select(vec![
            "a", "x", "K", "\u{212A}", "1", ".", "/", "./", "public", "cache", "é", "e", "\u{301}", "\u{338}", "<", ">", "\u{958}",
            "图", ".json", ".png", ";", "\u{37E}", "`", "\u{1FEF}", "가", "\u{1100}", "\u{1161}", " ", "-", "%", "\\",
        ]), 0..8),
        whole in prop::option::of(0_usize..3),
    ) {
        let written: Vec<&str> = chosen.iter().map(|(pattern, _)| *pattern).collect();
        let check = filename(&written);
        // Random texts are seldom like a pattern: some begin with one that is.
        let known = whole.and_then(|index| chosen.get(index)).map_or("", |(_, name)| name);
        let text = format!("{known}{}", pieces.concat());
        prop_assert_eq!(check.decode(Cow::Borrowed(&text)), Value::Text(Cow::Borrowed(&text)));
        if let Ok(value) = check.check(Value::Text(Cow::Borrowed(&text))) {
            let schema = check.schema();
            prop_assert!(plain_judge(&schema).is_valid(&json!(text)), "{:?} of {}", text, schema);
            prop_assert!(plain_judge(&schema).is_valid(&value.to_json()), "{:?} of {}", value, schema);
            prop_assert_eq!(check.check(value.clone()).unwrap(), value);
        }
    }
}
