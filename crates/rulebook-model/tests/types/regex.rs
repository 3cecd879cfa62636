//! Tests of the attribute `regex`: its notation, the texts that it matches, and whether the pattern in the JSON Schema
//! matches the same texts.

use proptest::prelude::*;
use rulebook_model::call::Value;
use serde_json::{Map, json};

use super::{compile, plain_validator};

fn regex_attribute(regex: &str) -> Map<String, serde_json::Value> {
    json!({"regex": regex}).as_object().unwrap().clone()
}

#[test]
fn regex_patterns_match_the_same_texts_as_in_pcre() {
    for (regex, matching, other) in [
        ("^a+$", vec!["a", "aa"], vec!["", "b", "a\n"]),
        ("b", vec!["abc"], vec!["ac"]),
        ("/^a+$/", vec!["a"], vec!["A"]),
        ("/^a+$/i", vec!["a", "A"], vec!["b"]),
        ("{^a$}", vec!["a"], vec!["{a}"]),
        ("#^a/b$#", vec!["a/b"], vec!["#a/b#"]),
        ("#a", vec!["#a"], vec!["a"]),
        ("[a-c]", vec!["b"], vec!["-"]),
        ("/^a.b$/", vec!["axb", "a😀b", "a\rb", "a\u{2028}b"], vec!["a\nb"]),
        ("/^a.b$/s", vec!["a\nb"], vec!["ab"]),
        ("/^a$/m", vec!["a", "b\na\nc"], vec!["b\na\r\nc"]),
        ("/^ a # the letter\n $/x", vec!["a"], vec![" a "]),
        (r"/^\d+$/", vec!["12"], vec!["١٢", ""]),
        (r"/^\d+$/u", vec!["12", "١٢"], vec!["a"]),
        (r"/^\w+$/", vec!["a_Z9"], vec!["é", "-"]),
        (r"/^\w+$/u", vec!["é", "a_Z9"], vec!["-"]),
        (r"/^[\w-]+$/", vec!["a-b"], vec!["é"]),
        (r"/^[^\w]$/", vec!["é", "-"], vec!["a"]),
        (r"/^[\W]$/", vec!["é", "-"], vec!["a"]),
        (r"/^\W$/i", vec!["é"], vec!["s", "k"]),
        (r"/^\s\S$/", vec![" a", "\u{b}é", "\n\u{a0}"], vec!["\u{a0}a"]),
        (r"/^\s$/u", vec!["\u{a0}"], vec!["a"]),
        (r"/\bb\b/", vec!["a b c", "b", "éb"], vec!["ab", "b_"]),
        (r"/\bb\b/u", vec!["a b c", "b"], vec!["éb"]),
        (r"/a\B/", vec!["ab"], vec!["a", "a b"]),
        ("^(a|bc){2,3}?$", vec!["aa", "abc", "bcbcbc"], vec!["a", "aaaa"]),
        ("^(?:a|)b*$", vec!["", "a", "abb"], vec!["c"]),
        (r"^[\]\-^&&[a-z]]*$", vec![""], vec!["a"]),
        (r"^[$.*+?(){}|/&~\\\^\-\[\]]+$", vec![r"$.*+?(){}|/&~\^-[]"], vec!["a"]),
        (r"^\$\.\*\+\?\(\)\{\}\|/&~\\\^-\[\]$", vec![r"$.*+?(){}|/&~\^-[]"], vec!["a"]),
        ("^[^a]$", vec!["b", "\n", "\u{2028}", "😀"], vec!["a", ""]),
        (r"^\p{Greek}+$", vec!["αβ"], vec!["a"]),
        ("^[😀-😂é]$", vec!["😁", "é"], vec!["😃"]),
        (r"^\x{1F600}\u00e9$", vec!["😀é"], vec!["é"]),
        (r"^\A\za?$", vec![""], vec!["a"]),
        ("^[a&&b]?$", vec![""], vec!["a", "b"]),
        ("(?i)straße", vec!["STRAßE"], vec!["strasse"]),
        ("(?R)(?m)^a$", vec!["b\r\na\r\nc", "a"], vec!["ba"]),
        ("/^a(?:^)*(?:$)+$/m", vec!["a"], vec!["b"]),
        (r"(?m)a$\n^b", vec!["a\nb"], vec!["a\r\nb"]),
    ] {
        let check = compile("string", &regex_attribute(regex)).unwrap_or_else(|errors| panic!("{regex}: {errors:?}"));
        let schema = check.schema();
        let validator = plain_validator(&schema);
        for (texts, expected) in [(matching, true), (other, false)] {
            for text in texts {
                assert_eq!(check.checked(Value::Text(text.into())).is_ok(), expected, "{regex} of {text:?}");
                assert_eq!(validator.is_valid(&json!(text)), expected, "{regex}: {schema} of {text:?}");
            }
        }
    }
}

#[test]
fn invalid_regex_patterns_are_rejected() {
    for (regex, message) in [
        ("a(", "unclosed group"),
        ("/a", "no closing `/`"),
        ("{a", "no closing `}`"),
        ("/a/g", "`g` is not a flag"),
        ("/a/b/c", "`c` is not a flag"),
        ("(?=a)", "look-around"),
        ("/(?<!a)b/", "look-around"),
        ("([a-z]{1,1000}){1,50}", "too large"),
        (r"(a)\1", "backreferences"),
        (r"(a)\1", "backreferences"),
        ("/(a/u", "unclosed group"),
        ("a{1000}{1000}{1000}", "too large"),
    ] {
        let errors = compile("string", &regex_attribute(regex)).expect_err(regex);
        assert!(format!("{errors:?}").contains(message), "{regex}: {errors:?}");
    }
    let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(compile("string", &regex_attribute(&deep)).is_err());
}

#[test]
fn equal_regex_patterns_have_the_same_canonical_notation() {
    for (regex, notation) in [
        ("a/b", r"/a\/b/"),
        (r"/a\/b/", r"/a\/b/"),
        ("#a/b#i", r"/a\/b/i"),
        ("{a}", "/a/"),
        ("/a/xusmi", "/a/imsux"),
        (r"a\\/b", r"/a\\\/b/"),
        ("", "//"),
    ] {
        let once = compile("string", &regex_attribute(regex)).unwrap().type_expr();
        assert_eq!(once.attributes["regex"], json!(notation), "{regex}");
        assert_eq!(compile("string", &once.attributes).unwrap().type_expr(), once);
    }
}

/// Generates regular expressions in the notation of `regex`, with many of the supported constructs.
fn regex_strategy() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        "[a-c]",
        Just(r"\d".to_owned()),
        Just(r"\w".to_owned()),
        Just(r"\S".to_owned()),
        Just(".".to_owned()),
        Just("[^b]".to_owned()),
        Just("[a-c&-~]".to_owned()),
        Just(r"[^\w\s]".to_owned()),
        Just(r"\b".to_owned()),
        Just("^".to_owned()),
        Just("$".to_owned()),
        Just("é".to_owned()),
        Just("k".to_owned()),
        Just(" ".to_owned()),
    ];
    let regex = atom.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("({})", parts.join("|"))),
            (inner, prop::sample::select(vec!["*", "+", "?", "{2}", "{1,2}", "{1,}?"]))
                .prop_map(|(inner, quantifier)| format!("(?:{inner}){quantifier}")),
        ]
    });
    (regex, "i?m?s?u?").prop_map(|(regex, flags)| format!("/{regex}/{flags}"))
}

proptest! {
    #![proptest_config(support::random::cases(256))]

    #[test]
    fn check_and_schema_match_the_same_texts(regex in regex_strategy(), texts in prop::collection::vec("[a-cA-K1é \n\u{17f}\u{212a}😀&~-]{0,6}", 12)) {
        let compiled = compile("string", &regex_attribute(&regex));
        // Repetitions within each other can be too many for the engine.
        prop_assume!(!compiled.as_ref().is_err_and(|errors| format!("{errors:?}").contains("too large")));
        let check = compiled.unwrap();
        let schema = check.schema();
        let validator = plain_validator(&schema);
        for text in texts {
            let matches = check.checked(Value::Text(text.as_str().into())).is_ok();
            prop_assert_eq!(matches, validator.is_valid(&json!(text)), "{}: {} of {:?}", regex, schema, text);
        }
    }
}
