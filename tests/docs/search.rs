//! Tests of the search in the documentation pages.

use serde_json::{Value, json};

use super::{body_text, get_page};
use crate::client::TestServer;

fn texts_module() -> Value {
    let lang = json!({ "info": "In which tongue", "type": "?string", "name": "tongue" });
    json!({ "info": "Texts and more", "/": {
        "article": {
            "GET": { "info": "Articles", "in": { "GET@lang": lang } },
            "POST": { "info": "A new one", "scope": [["writer"]] },
            "/": { "line": { "GET": { "info": "Lines of an article" } } }
        },
        "Größe": { "GET": { "info": "How LARGE it is", "errors": { "too_big": { "status": 404, "info": "Huge" } } } }
    } })
}

/// Returns the ids of the methods that a search finds, in the order of the page. Asserts that the HTML page and the
/// markdown page list the same methods.
fn found_method_ids(server: &TestServer, query: &str) -> Vec<String> {
    let html = body_text(&get_page(server, &format!("/docs/search?{query}")));
    let markdown = body_text(&get_page(server, &format!("/docs/search.md?{query}")));
    let of_html = html.split(" href=\"methods/").skip(1).map(|behind| behind.split('"').next().unwrap());
    let of_markdown = markdown.split("](methods/").skip(1).map(|behind| behind.split(".md)").next().unwrap());
    let of_html: Vec<_> = of_html.map(str::to_owned).collect();
    assert_eq!(of_html, of_markdown.collect::<Vec<_>>(), "{query}");
    of_html
}

#[test]
fn methods_are_found_by_words_of_any_of_their_texts() {
    let server = TestServer::echo(&[("texts.json", texts_module())]);
    for (query, expected) in [
        ("q=article", &["article.get", "article.line.get", "article.post"][..]),
        ("q=line", &["article.line.get"]),
        ("q=LINES+of", &["article.line.get"]),
        ("q=post", &["article.post"]),
        ("q=lang", &["article.get"]),
        ("q=tongue", &["article.get"]),
        ("q=gr%C3%B6%C3%9Fe", &["Gr%C3%B6%C3%9Fe.get"]),
        ("q=large", &["Gr%C3%B6%C3%9Fe.get"]),
        ("q=too_big", &["Gr%C3%B6%C3%9Fe.get"]),
        ("q=article&q=nothing", &["article.get", "article.line.get", "article.post"]),
        ("q=article+nothing", &[]),
        // Only the first 8 words count, within the first 200 characters.
        ("q=line+of+an+article+line+of+an+article+nothing", &["article.line.get"]),
        (&format!("q=line{}nothing", "+".repeat(200)), &["article.line.get"]),
        ("q=+", &[]),
        ("q=", &[]),
        ("", &[]),
        ("q=%FF%00", &[]),
    ] {
        assert_eq!(found_method_ids(&server, query), expected, "{query}");
    }
    let page = body_text(&get_page(&server, "/docs/search?q=more"));
    assert!(page.contains("href=\"modules/texts\""), "modules are found too: {page}");
}

#[test]
fn the_search_query_is_shown_literally() {
    let server = TestServer::echo(&[("texts.json", texts_module())]);
    let page = body_text(&get_page(&server, "/docs/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE"));
    assert!(!page.contains("<script>alert") && !page.contains('\u{202E}'), "{page}");
    assert!(page.contains("value=\"&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;U+202E\""), "{page}");
    let page = body_text(&get_page(&server, "/docs/search.md?q=**a**%0A%23+b"));
    assert!(page.contains("Search: \\*\\*a\\*\\* # b\n"), "{page}");
}
