//! Tests the responses to OPTIONS in markdown: a text from a definition is displayed unchanged, even if it contains
//! markdown.

use std::fmt::Write;
use std::path::Path;

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser};
use rulebook::Rulebook;
use rulebook_model::describe;
use rulebook_model::model::Api;
use serde_json::{Value, json};

use super::check_definition;
use support::golden;

/// Returns the markdown documents of an API: of the whole API, of each service, and of each URI above a service.
fn markdown_documents(api: &Api) -> Vec<String> {
    let uris = describe::uris(api);
    let mut texts = vec![describe::markdown_for_api(api, &uris)];
    texts.extend(uris.services.iter().map(|uri| describe::markdown_for_service(api, uri)));
    texts.extend(uris.intermediate_uris.iter().map(describe::markdown_for_intermediate_uri));
    texts
}

#[test]
fn markdown_of_a_definition_with_every_key_equals_the_golden_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rulebook-model/tests/definitions/good/everything");
    let api = check_definition(Rulebook::load(folder));
    let mut all = String::new();
    for text in markdown_documents(&api) {
        let _ = write!(all, "{text}\n---\n\n");
    }
    golden::compare(Path::new("tests/data/describe/everything.md"), &all);
}

/// The descriptions of the definitions. They are markdown, so that they are not displayed unchanged.
const DESCRIPTION: &str = "About it";

/// Returns a definition in which every name and example contains `words`, and a method requires this permission.
fn definition_with_words(words: &str, permission: &str) -> Value {
    let member = json!({ "info": DESCRIPTION, "type": "?array<string>", "example": [words] });
    // A text that consists only of a URL would be displayed as a link.
    let whose = format!("see {words}");
    json!({
        "title": words,
        "version": words,
        "contact": { "name": whose, "url": whose, "email": whose },
        "license": { "name": whose, "url": whose },
        "servers": [{ "url": words, "info": words }],
        "modules": { "m": { "info": DESCRIPTION, "/": { "a": { "/": {
            "b": {
                "POST": {
                    "info": DESCRIPTION,
                    "scope": [[permission]],
                    "in": {
                        "x": { "info": DESCRIPTION, "type": "string", "default": words, "example": words },
                        "y": { "info": DESCRIPTION, "type": "object", "fields": { "z": member } }
                    },
                    "out": { "o": { "info": DESCRIPTION, "type": "object", "fields": { "z": member } } },
                    "errors": { "e": { "status": 409, "info": DESCRIPTION } }
                },
                "GET": { "info": DESCRIPTION }
            }
        } } } } }
    })
}

/// Parses a markdown document, and returns its elements and its texts as a reader sees them.
fn rendered_elements(text: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM;
    let mut seen: Vec<String> = Vec::new();
    let mut words = String::new();
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Text(text) | Event::Code(text) => words += &text,
            Event::SoftBreak => words.push('\n'),
            other => {
                if !words.is_empty() {
                    seen.push(std::mem::take(&mut words));
                }
                seen.push(format!("<{other:?}>"));
            }
        }
    }
    seen
}

/// Returns a text as documents display it: on one line, with control characters replaced by their code points.
fn displayed_text(words: &str) -> String {
    let is_break = |c: char| matches!(c, ' ' | '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let words: Vec<&str> = words.split(is_break).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().fold(String::new(), |mut shown, c| {
        if c.is_control() || ('\u{202A}'..='\u{202E}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c) {
            let _ = write!(shown, "U+{:04X}", u32::from(c));
        } else {
            shown.push(c);
        }
        shown
    })
}

/// A text that contains no markdown.
const PLAIN_WORD: &str = "Qx";

fn assert_displayed_unchanged(words: &str) {
    // A permission cannot contain these characters.
    let odd = |c: char| matches!(c, '[' | ']') || c.is_control() || c.is_whitespace();
    let no_permission = words.contains(odd);
    let read = |words: &str| {
        let definition = definition_with_words(words, if no_permission { "p" } else { words });
        check_definition(Rulebook::read(vec![("api.json".into(), definition.to_string().into())]))
    };
    let json = |words: &str| displayed_text(&json!(words).to_string());
    for (plain, text) in markdown_documents(&read(PLAIN_WORD)).iter().zip(markdown_documents(&read(words))) {
        let expected: Vec<String> = rendered_elements(plain)
            .iter()
            .map(|part| {
                part.replace(&json(PLAIN_WORD), "\u{0}")
                    .replace(PLAIN_WORD, &displayed_text(words))
                    .replace('\u{0}', &json(words))
            })
            .collect();
        assert_eq!(rendered_elements(&text), expected, "{words:?} in\n{text}");
    }
}

#[test]
fn texts_of_a_definition_with_markdown_are_displayed_unchanged() {
    let cases = [
        "plain words",
        "*a* **b** _c_ __d__ ~~e~~ ~f~",
        "snake_case _x_y_ a_ _b",
        "`code` ``c`` `",
        "a | b || c \\| d",
        "<b>bold</b> <script>alert(1)</script> <!-- x --> <https://example.org>",
        "&lt; &amp; &#60; R&D &copy;",
        "[a](b) ![a](b) [a][b] [x]: y [^1] [ ] [x]",
        "# heading",
        "## heading",
        "closed #",
        "closed ###",
        "- item",
        "+ item",
        "* item",
        "1. item",
        "12) item",
        "1.5 is no item",
        "12",
        "1.",
        ")",
        "=====",
        "-----",
        "***",
        "___",
        "> quote",
        "    indented",
        "\ttab",
        "two\nlines",
        "two\n\nparagraphs",
        "hard  \nbreak\\\nbreak",
        "line\r\nend\rend",
        "\u{2028}separated\u{2029}by\u{85}all",
        "\\",
        "\\\\",
        "ends in \\",
        "\\*",
        "\\_\\",
        "~~~",
        "```",
        "| a | b |\n| - | - |",
        ":--",
        "a\u{202E}b\u{2066}c",
        "\u{7}bell\u{0}",
        "\u{200F}שלום\u{200F}",
        "{}[]()<>",
        "!",
        "![",
        "!\\[",
        "a\\|b",
        "|",
        "||",
        "$x$",
        "http://example.org/a_b_c?d=*e*",
        "@me #1",
        "[!NOTE]",
        "Term\n: definition",
        "---\ntitle: x\n---",
        "a * b * c",
        "2 * 3",
        "_",
        "*",
        "\u{a0}x\u{a0}",
        "`a|b`",
        "|`|`|",
    ];
    for words in cases {
        if !words.trim().is_empty() {
            assert_displayed_unchanged(words);
        }
    }
}

/// Generates texts of characters that are special in markdown.
fn special_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("*"),
        Just("_"),
        Just("`"),
        Just("|"),
        Just("\\"),
        Just("<"),
        Just(">"),
        Just("&"),
        Just("["),
        Just("]"),
        Just("("),
        Just(")"),
        Just("!"),
        Just("#"),
        Just("-"),
        Just("+"),
        Just("="),
        Just("~"),
        Just("1"),
        Just("."),
        Just(" "),
        Just("  "),
        Just("\n"),
        Just("a"),
        Just("é"),
        Just("lt;"),
        Just(":"),
        Just("\u{202E}"),
        Just("\t"),
    ];
    proptest::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(support::random::cases(100))]

    #[test]
    fn any_text_of_a_definition_is_displayed_unchanged(words in prop_oneof![special_text(), any::<String>()]) {
        // A description that consists only of spaces is an error in the definition, and `${` begins a variable.
        prop_assume!(!words.trim().is_empty() && !words.contains("${"));
        assert_displayed_unchanged(&words);
    }
}
