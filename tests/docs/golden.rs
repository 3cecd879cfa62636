//! Tests that the pages of a small definition have the content of the golden files.

use rulebook_model::diagnostic::DiagnosticCode;
use std::path::Path;

use serde_json::{Value, json};

use super::{page_in_both_formats, render_pages};
use support::golden;

fn small_definition() -> Value {
    let article = json!({ "info": "The article", "type": "object", "fields": {
        "title": { "info": "Its title", "type": "string(1,120)", "example": "On rules" },
        "lines": { "info": "Its lines", "type": "?array<object>", "fields": {
            "text": { "info": "What it says", "type": "string", "example": "A rule is a promise." }
        } }
    } });
    let read = json!({
        "info": "One article",
        "in": {
            "URL#0": { "info": "Which article", "type": "id", "name": "article_id", "example": 3 },
            "URL#1": { "info": "Which line", "type": "?int(1,1000)", "name": "no_line" },
            "GET@lang": { "info": "Language", "type": "?string(2,5)", "name": "language", "default": "en" }
        },
        "out": { "article": article },
        "errors": { "no_such_article": { "status": 404, "info": "The article does not exist" } }
    });
    let change = json!({
        "info": "Change one\nAll of it",
        "scope": [["admin"], ["author[article_id]", "writer"]],
        "in": {
            "URL#0": { "info": "Which article", "type": "id", "name": "article_id" },
            "login": { "info": "By whom", "type": "string", "name": "login" },
            "article": { "info": "The new one", "type": "object", "name": "article", "fields": {
                "title": { "info": "Its title", "type": "string(1,120)" }
            } }
        },
        "options": { "status": 204, "deprecated": true }
    });
    json!({
        "title": "Articles",
        "version": "2.0.0",
        "info": "All **articles** of [us](https://example.org).\n\n- Read them\n- Write them\n\n```json\n{}\n```",
        "license": { "name": "MIT" },
        "modules": { "articles": { "info": "Articles and lines", "/": { "article": { "GET": read, "PUT": change } } } }
    })
}

#[test]
fn pages_of_a_small_definition_equal_the_golden_files() {
    let pages = render_pages(&small_definition());
    for (path, name) in [
        ("", "contents"),
        ("modules/articles", "module"),
        ("methods/article.get", "read"),
        ("methods/article.put", "change"),
        ("errors", "errors"),
    ] {
        let (html, markdown) = page_in_both_formats(&pages, path);
        let html = without_section(&html, "<section class=\"panel\"", "</section>\n</div>\n</body>");
        // The example calls are the last section.
        let markdown = markdown.split("## Call it").next().unwrap_or_default();
        golden::compare(Path::new(&format!("tests/data/docs/{name}.html")), &html);
        golden::compare(Path::new(&format!("tests/data/docs/{name}.md")), markdown);
    }
    golden::compare(Path::new("tests/data/docs/llms.txt"), &pages.llms());
}

/// The `info` of an API is markdown. A list keeps its start number, and a code block in a list item follows the item.
#[test]
fn ordered_lists_keep_their_numbers_and_code_blocks_their_place() {
    let info = "3. Ask for a key:\n   - by mail\n\n   ```sh\n   mail\n   ```\n4. Keep it\n   1. secret";
    let pages = render_pages(&json!({ "info": info, "modules": {} }));
    let (html, markdown) = page_in_both_formats(&pages, "");
    let html: String = html.split('\n').collect();
    let paragraph = |words: &str| format!("<bdi>{words}</bdi>");
    let first = format!(
        "<ol start=\"3\"><li>{}<ul><li>{}</li></ul></li></ol>",
        paragraph("Ask for a key:"),
        paragraph("by mail")
    );
    let code = "<figure><pre><code data-language=\"sh\">mail</code></pre></figure>";
    let second =
        format!("<ol start=\"4\"><li>{}<ol><li>{}</li></ol></li></ol>", paragraph("Keep it"), paragraph("secret"));
    assert!(html.contains(&(first + code + &second)), "{html}");
    let lines = "\n3. Ask for a key:\n   - by mail\n\n```sh\nmail\n```\n\n4. Keep it\n   1. secret\n";
    assert!(markdown.contains(lines), "{markdown}");
}

/// Returns a text without the part from `from` to `to`. It removes the example calls, which other tests check.
fn without_section(text: &str, from: &str, to: &str) -> String {
    let cut = text.split_once(from).and_then(|(before, behind)| Some((before, behind.split_once(to)?.1)));
    cut.map_or_else(|| text.to_owned(), |(before, behind)| format!("{before}{to}{behind}"))
}

#[test]
fn the_page_of_a_method_has_example_calls() {
    let (html, markdown) = page_in_both_formats(&render_pages(&small_definition()), "methods/article.get");
    for title in ["curl", "rulebook.js", "fetch", "Python", "PHP", "Go"] {
        let sample = format!("<h3>{title}</h3>\n<figure><pre data-server=\"http://127.0.0.1:8080\">");
        assert!(html.contains(&sample), "{title}: {html}");
        assert!(markdown.contains(&format!("\n{title}:\n\n```")), "{title}: {markdown}");
    }
}

/// Each diagnostic code has a section, and its explanation is rendered as markdown.
#[test]
fn the_page_of_diagnostics_has_a_section_for_each_code() {
    let (html, markdown) = page_in_both_formats(&render_pages(&small_definition()), "diagnostics");
    for code in DiagnosticCode::ALL {
        assert!(html.contains(&format!("<h2 id=\"{0}\">{0} <a class=\"anchor\"", code.name())), "{code}");
        assert!(markdown.contains(&format!("\n## {code}\n")), "{code}");
    }
    let fences = |text: &str| text.lines().filter(|line| *line == "```json").count();
    let explained: usize = DiagnosticCode::ALL.iter().map(|code| fences(code.explanation())).sum();
    assert_eq!(html.matches("data-language=\"json\"").count(), explained);
    assert_eq!(fences(&markdown), explained);
    assert!(!html.contains("```"));
}
