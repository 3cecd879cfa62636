//! Tests that text of a definition is shown literally on every page, in HTML and in markdown.

use std::fmt::Write;

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use rulebook_model::describe::{PageForm, Pages};
use serde_json::{Value, json};

use super::render_pages;

/// A text without any character that is special in HTML or markdown.
const PLAIN_TEXT: &str = "Qx";

/// Returns a definition in which every name and example is `words`, every description is `info`, and whose method
/// requires `permission`.
fn definition_with_text(words: &str, info: &str, permission: &str) -> Value {
    let member = json!({ "info": info, "type": "?array<string>", "example": [words] });
    let method = json!({
        "info": info,
        "scope": [[permission], ["other"]],
        "in": {
            "x": { "info": info, "type": "string", "name": "x", "default": words, "example": words },
            "y": { "info": info, "type": "object", "name": "y", "fields": { "z": member } },
            "HEADER@x-q": { "info": info, "type": "?string", "name": "q", "example": words }
        },
        "out": { "o": { "info": info, "type": "object", "fields": { "z": member } },
                 "p": { "info": info, "type": "string", "example": words } },
        "errors": { "e": { "status": 409, "info": info } },
        "options": { "deprecated": true }
    });
    // The contact and the license have links for URLs and email addresses. A name with a parenthesis is neither.
    let (name, url) = (format!("({words}"), format!("https://{words}"));
    json!({
        "title": words,
        "version": words,
        "contact": { "name": name, "url": url, "email": name },
        "license": { "name": name, "url": url },
        "servers": [{ "url": words, "info": words }],
        "modules": { "m": { "info": info, "/": { "a": { "POST": method, "GET": { "info": info } } } } }
    })
}

/// Returns every page, and two search pages: one with the text `words` in the results, and one with `words` in the
/// query. The results have the same structure for every text. Each page is returned as HTML and as markdown.
fn all_pages(words: &str, permission: &str) -> Vec<(String, String)> {
    let pages = render_pages(&definition_with_text(words, "About it", permission));
    let mut all: Vec<_> = (0..pages.paths().len()).map(|index| (pages.html(index), pages.markdown(index))).collect();
    let search =
        |pages: &Pages, query: &str| (pages.search(query, PageForm::Html), pages.search(query, PageForm::Markdown));
    // The name of the module finds the module and its methods, whatever other texts they have.
    all.push(search(&pages, "m"));
    // `words` alone could find something, such as `G` the methods with GET. No text contains the first word.
    let empty = render_pages(&json!({ "title": "Empty", "modules": {} }));
    // Known words that are similar to `words` are suggested.
    let without_suggestions = |page: String| {
        page.lines().filter(|line| !line.contains("Did you mean")).fold(String::new(), |page, line| page + line + "\n")
    };
    let (html, markdown) = search(&empty, &format!("unfindable {words}"));
    all.push((without_suggestions(html), without_suggestions(markdown)));
    all
}

/// Returns the HTML tags of a page with the names of their attributes, but without the values of the attributes. The
/// class of long code is ignored.
fn html_tags(html: &str) -> Vec<String> {
    let tags = html.split('<').skip(1).map(|behind| behind.split('>').next().unwrap());
    let bare = |tag: &str| tag.split('"').step_by(2).collect::<String>().replace("code class=", "code");
    tags.map(bare).collect()
}

/// Returns the structure of a markdown page as parser events, without its text and without the URLs of other servers.
fn markdown_structure(markdown: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM;
    let mut structure: Vec<String> = Vec::new();
    for event in Parser::new_ext(markdown, options) {
        match event {
            // The same text may be shown as a code span on one page, and as escaped text on another page.
            Event::Text(_) | Event::Code(_) | Event::SoftBreak => {
                if structure.last().is_none_or(|last| last != "words") {
                    structure.push("words".to_owned());
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) if dest_url.starts_with("https:") => {
                structure.push("link to another server".to_owned());
            }
            other => structure.push(format!("{other:?}")),
        }
    }
    structure
}

fn is_hidden_character(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
        || ('\u{202A}'..='\u{202E}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

/// Returns a text in the form in which an HTML page contains it.
fn escaped_html(words: &str) -> String {
    words.chars().fold(String::new(), |mut shown, c| {
        match c {
            '<' => shown.push_str("&#60;"),
            '>' => shown.push_str("&#62;"),
            '&' => shown.push_str("&#38;"),
            '"' => shown.push_str("&#34;"),
            '\'' => shown.push_str("&#39;"),
            '\u{B}' | '\u{C}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => shown.push(' '),
            _ if is_hidden_character(c)
                || (u32::from(c) & 0xFFFE) == 0xFFFE
                || ('\u{FDD0}'..='\u{FDEF}').contains(&c) =>
            {
                let _ = write!(shown, "U+{:04X}", u32::from(c));
            }
            _ => shown.push(c),
        }
        shown
    })
}

#[track_caller]
fn assert_shown_literally(words: &str) {
    // A permission cannot contain these characters. If `words` contains one of them, another permission is used.
    let odd = |c: char| matches!(c, '[' | ']') || c.is_control() || c.is_whitespace();
    let permission = if words.contains(odd) { "p" } else { words };
    let plain_permission = if permission == "p" { "p" } else { PLAIN_TEXT };
    let trimmed = words.trim();
    for ((plain, plain_markdown), (html, markdown)) in
        all_pages(PLAIN_TEXT, plain_permission).iter().zip(all_pages(words, permission))
    {
        assert_eq!(html_tags(&html), html_tags(plain), "{words:?} in\n{html}");
        assert!(!html.contains(is_hidden_character), "{words:?} in\n{html}");
        let first = trimmed.lines().next().unwrap_or_default();
        if plain.contains(PLAIN_TEXT) {
            assert!(html.contains(&escaped_html(words)) || html.contains(&escaped_html(first)), "{words:?} in\n{html}");
        }
        assert_eq!(markdown_structure(&markdown), markdown_structure(plain_markdown), "{words:?} in\n{markdown}");
        assert!(!markdown.contains(is_hidden_character), "{words:?} in\n{markdown}");
    }
}

#[test]
fn text_of_a_definition_is_shown_literally_on_every_page() {
    for words in [
        "plain words",
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</title></textarea></style><h1>",
        "<!-- x --><![CDATA[ ]]>",
        "&lt;b&gt; &amp; R&D &copy; &#60;",
        "{{ 7 * 7 }} {% include \"page.html\" %} ${x}",
        "*a* **b** _c_ ~~d~~ `e` ``` | f |",
        "[a](javascript:alert(1)) ![b](http://c) <https://example.org>",
        "# heading\n\n- item\n\n1. item\n\n> quote\n\n---\n\n| a |\n| - |",
        "```\nfence\n```\n<b>x",
        "a\u{202E}b\u{2066}c\u{7}\u{0}d",
        "\u{FFFE}\u{FDD0}\u{10FFFF}",
        "line\r\nend\rend\u{2028}x\u{85}y",
        "\u{200F}שלום\u{200F} عربي",
        "-",
        "G",
        "404",
        "https://example.org/",
        "a@example.org",
    ] {
        assert_shown_literally(words);
    }
    assert_shown_literally(&"long".repeat(500));
}

proptest! {
    #![proptest_config(support::random::cases(40))]

    #[test]
    fn any_text_of_a_definition_is_shown_literally(words in prop_oneof![
        proptest::collection::vec(prop_oneof![
            Just("<"), Just(">"), Just("&"), Just("\""), Just("'"), Just("`"), Just("*"), Just("["), Just("]("),
            Just("|"), Just("\\"), Just("\n"), Just(" "), Just("a"), Just("#"), Just("\u{202E}"), Just("{{"),
        ], 1..12).prop_map(|pieces| pieces.concat()),
        any::<String>(),
    ]) {
        // A definition with a blank description is invalid, and `${` names an environment variable.
        prop_assume!(!words.trim().is_empty() && !words.contains("${"));
        assert_shown_literally(&words);
    }
}

/// Descriptions are markdown on every page: no text in them becomes HTML or a `javascript:` link.
#[test]
fn descriptions_cannot_contain_html_or_scripts() {
    let info = "**bold** `code` [a](javascript:alert(1)) [b](https://example.org/)\n\n- <script>alert(1)</script>\n- <b>e</b> \u{202E}\n\n```\n</code><img>\n```";
    let pages = render_pages(&definition_with_text("words", info, "p"));
    for (index, path) in pages.paths().iter().enumerate() {
        let (html, markdown) = (pages.html(index), pages.markdown(index));
        let (_, content) = html.split_once("<main").unwrap();
        for forbidden in ["<script>", "\"javascript:", "<b>", "<i>", "<img", "\u{202E}"] {
            assert!(!content.contains(forbidden), "{path}: {forbidden} in\n{html}");
        }
        for event in Parser::new(&markdown) {
            assert!(!matches!(event, Event::Html(_) | Event::InlineHtml(_)), "{path}: {event:?} in\n{markdown}");
        }
        if path.starts_with("methods/") || path.starts_with("modules/") {
            assert!(content.contains("<a href=\"https://example.org/\">"), "{path}: {html}");
        }
        if path == "methods/a.post" {
            assert!(content.contains("<h1><bdi>bold code a b</bdi></h1>"), "{html}");
            assert!(content.matches("<strong><bdi>bold</bdi></strong>").count() > 5, "{html}");
        }
    }
}

/// The description of the API is markdown: it can have links and lists, but no HTML and no `javascript:` links.
#[test]
fn markdown_of_the_api_cannot_contain_html_or_scripts() {
    let info = "# Head\n\n<script>alert(1)</script>\n\n**bold** [a](javascript:alert(1)) [b](https://example.org/?x=\"y) \
        ![c](http://d) <b>e</b> &lt;i&gt;\n\n- one\n  - two\n\n```js\n</code></pre><script>\n```\n\n\u{202E}\n\n[f](<https://example.org/) [g](javascript:alert(1)>)";
    let pages = render_pages(&json!({ "title": "T", "info": info, "modules": {} }));
    let (html, markdown) = super::page_in_both_formats(&pages, "");
    for forbidden in ["<script>", "\"javascript:", "<b>", "<i>", "<img", "\u{202E}"] {
        assert!(!html.contains(forbidden), "{forbidden} in\n{html}");
    }
    assert!(html.contains("<strong><bdi>bold</bdi></strong>"), "{html}");
    assert!(html.contains("<a href=\"https://example.org/?x=%22y\">"), "{html}");
    assert_eq!(html.matches("<ul>").count() - 1, 2, "{html}");
    let mut links = Vec::new();
    for event in Parser::new(&markdown) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => panic!("{html} in\n{markdown}"),
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(!dest_url.starts_with("javascript:"), "{markdown}");
                links.push(dest_url.into_string());
            }
            _ => {}
        }
    }
    let outside = links.into_iter().filter(|link| link.starts_with("https:"));
    let expected = ["https://example.org/?x=%22y", "https://example.org/%29%20[g]%28javascript:alert%281%29"];
    assert_eq!(outside.collect::<Vec<_>>(), expected, "{markdown}");
}
