//! Fuzz targets: types, definitions, percent-encoding, JSON and names of JavaScript functions.

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use regex::Regex;
use rulebook_model::call::{Callback, JsonLimits};
use rulebook_model::definition::read;
use rulebook_model::diagnostic::DiagnosticCode;
use rulebook_model::uri::{percent_decode, percent_encode};
use serde::de::DeserializeSeed;
use serde_json::{Map, Value as Json};
use support::canonical::assert_same;
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use crate::compile::compile_definition;
use crate::types::{compile, compile_type_expr};

/// The canonical text of a type denotes the same type. Each error is in the text.
fn check_type(text: &[u8]) {
    let Ok(term) = std::str::from_utf8(text) else { return };
    match compile(term, &Map::new()) {
        Ok(check) => {
            let canonical = check.type_expr();
            assert_eq!(compile_type_expr(&canonical).type_expr(), canonical, "{term}");
        }
        Err(errors) => {
            assert!(!errors.is_empty(), "{term:?} is rejected without a reason");
            for error in errors {
                assert!(term.get(error.span.clone()).is_some(), "{error:?} is outside of {term:?}");
            }
        }
    }
}

#[test]
fn fuzz_type() {
    const TOKENS: &[&str] = &[
        "?",
        "[]",
        "int",
        "uint(1,5)",
        "array<",
        ">",
        "(",
        ")",
        ",",
        ", ",
        "<",
        "string(0,3)",
        "enum(a|b)",
        "float",
        "varchar(",
        "letters",
        "digest(4)",
        "filename(",
        "object",
        "date",
        "file(",
        "-1",
        "1.5",
        "1e3",
        "-",
        "é",
        " ",
        "9223372036854775808",
        "bool",
        "filled_array<int>",
        "any",
        "map<",
    ];
    let inputs = Inputs::check_corpus("type", TOKENS, check_type);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_type));
}

/// A definition either is printed as a definition of the same model, or has errors that can be rendered. `serde_json`
/// accepts the same text, unless it has comments.
fn check_definition(text: &[u8]) {
    for name in ["api/a.json", "api/app.json"] {
        let (api, report) = compile_definition(read(vec![(name.into(), text.to_vec())]));
        let rendered = report.render(false);
        assert_eq!(rendered.is_empty(), report.is_empty());
        assert_eq!(report.json_lines().lines().count(), report.diagnostics.len());
        let has_syntax_error = report.diagnostics.iter().any(|error| error.code == DiagnosticCode::Syntax);
        let is_json = serde_json::from_slice::<Json>(text).is_ok();
        let may_differ = text.contains(&b'/') || text.starts_with(b"\xEF\xBB\xBF");
        assert!(has_syntax_error != is_json || may_differ, "{rendered}");
        if report.is_empty() {
            assert_same(&api);
        }
    }
}

#[test]
fn fuzz_definition() {
    const TOKENS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "//",
        "/*",
        "*/",
        "\\",
        "\"GET\": ",
        "\"in\": ",
        "\"type\": \"int\"",
        "\"info\": \"x\"",
        "null",
        "1",
        "-",
        "1e5",
        "\"/\"",
        "URL#0",
        "\n",
        "\r",
        "é",
        "\u{0}",
        "\u{feff}",
        "\\ud800",
        "\"scope\": [[]]",
        "\"options\": {}",
        "\"$schema\": \"\"",
    ];
    let inputs = Inputs::check_corpus("definition", TOKENS, check_definition);
    check!()
        .with_iterations(TEXTS / 4)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_definition));
}

/// An encoded text is decoded to itself. A decoded text is the same that the crate `percent-encoding` decodes, and only
/// texts with an invalid escape or invalid UTF-8 are rejected.
fn check_percent_encoding(text: &[u8]) {
    static INVALID_ESCAPE: LazyLock<Regex> = LazyLock::new(|| Regex::new("%([^0-9A-Fa-f]|.[^0-9A-Fa-f]|.?$)").unwrap());
    let Ok(text) = std::str::from_utf8(text) else { return };
    let encoded = percent_encode(text).to_string();
    assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%-._~".contains(&byte)), "{encoded}");
    assert_eq!(percent_decode(&encoded).unwrap(), text);
    let expected = percent_decode_str(text).decode_utf8().ok().filter(|_| !INVALID_ESCAPE.is_match(text));
    // The regular expression does not look beyond the ends of lines.
    if !text.contains('\n') {
        assert_eq!(percent_decode(text).ok(), expected);
    }
}

#[test]
fn fuzz_percent_encoding() {
    const TOKENS: &[&str] = &["%", "%2", "%41", "%C3%A9", "%c3", "%ff", "%00", "%2F", "+", "/", "a", "é", "%é", "%4é"];
    let inputs = Inputs::check_corpus("percent_encoding", TOKENS, check_percent_encoding);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_percent_encoding));
}

/// A name is accepted exactly if the documented pattern matches it, and it is not too long.
fn check_callback(text: &[u8]) {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(Callback::PATTERN).unwrap());
    let Ok(name) = std::str::from_utf8(text) else { return };
    let is_valid = !name.is_empty() && name.len() <= Callback::MAX_LEN && PATTERN.is_match(name);
    let callback = Callback::new(name.into());
    assert_eq!(callback.as_ref().map(Callback::as_str), is_valid.then_some(name));
}

#[test]
fn fuzz_callback() {
    const TOKENS: &[&str] = &["a", "$", "_", ".", "0", "jQuery", "(", ";", "-", "\n", " ", "é", "[0]", "a123456789"];
    let inputs = Inputs::check_corpus("callback", TOKENS, check_callback);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_callback));
}

/// Returns the nesting depth of a value, and the largest number of items in one array or object.
fn depth_and_items(value: &Json) -> (u64, u64) {
    let inner: Vec<_> = match value {
        Json::Array(items) => items.iter().map(depth_and_items).collect(),
        Json::Object(members) => members.values().map(depth_and_items).collect(),
        _ => return (0, 0),
    };
    let deepest = inner.iter().map(|(depth, _)| *depth).max().unwrap_or(0);
    (deepest + 1, inner.iter().map(|(_, items)| *items).chain([inner.len() as u64]).max().unwrap_or(0))
}

/// A parsed value is that of `serde_json`, or exceeds a limit.
fn check_json(text: &[u8]) {
    const MAX_NESTING: u64 = 4;
    const MAX_ITEMS: u64 = 6;
    let Ok(text) = std::str::from_utf8(text) else { return };
    let limits = JsonLimits::new(MAX_NESTING, MAX_ITEMS);
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = limits.value_seed(0).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    let expected = serde_json::from_str::<Json>(text);
    match (parsed, expected) {
        (Ok(value), Ok(expected)) => {
            let (depth, items) = depth_and_items(&expected);
            assert!(depth <= MAX_NESTING && items <= MAX_ITEMS, "{depth} levels, {items} items");
            // Of members with the same name, both keep the last value.
            let written = serde_json::to_string(&value.to_json()).unwrap();
            assert_eq!(serde_json::from_str::<Json>(&written).unwrap(), expected);
        }
        (Err(error), Ok(expected)) => {
            assert!(limits.take_exceeded().is_some(), "{error} in {expected}");
        }
        (Ok(value), Err(error)) => panic!("{error}, but {value:?}"),
        (Err(_), Err(_)) => {}
    }
}

#[test]
fn fuzz_json() {
    const TOKENS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"",
        "\\",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\ud800",
        "1",
        "-",
        "0",
        ".5",
        "1e5",
        "1e999",
        "9223372036854775808",
        "18446744073709551616",
        "-0",
        "true",
        "null",
        "NaN",
        " ",
        "\n",
        "é",
        "{\"a\":1,\"a\":2}",
        "[[[[",
        "]]]]",
        "1,1,1,1,1,1",
    ];
    let inputs = Inputs::check_corpus("json", TOKENS, check_json);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_json));
}
