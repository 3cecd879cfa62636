//! Tests of the responses for paths below `/docs/` that have no page. Browsers receive a page with search results,
//! other clients receive a JSON error.

use serde_json::{Value, json};

use super::{body_text, get_page, page_content};
use crate::client::{Request, Response, TestServer};

const BROWSER_ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn texts_module() -> Value {
    json!({ "info": "Texts", "/": {
        "article": { "GET": { "info": "Articles" }, "POST": { "info": "A new one", "scope": [["writer"]] } },
        "user": { "GET": { "info": "Users" } }
    } })
}

fn start_server() -> TestServer {
    TestServer::echo(&[("texts.json", texts_module())])
}

fn get_with_accept(server: &TestServer, path: &str, accept: &str) -> Response {
    server.send(&Request::new("GET", path).field("accept", accept))
}

#[test]
fn a_browser_receives_a_page_with_search_results_for_a_path_without_a_page() {
    let server = start_server();
    let ids = ["article.get", "article.post", "user.get"];
    let methods = |page: &str| ids.iter().filter(|id| page_content(page).contains(&format!("methods/{id}"))).count();
    for (path, top, found) in [
        ("/docs/methods/article.put", "../", 2),
        ("/docs/methods/article", "../", 2),
        ("/docs/methods/POST-article.md", "../", 1),
        ("/docs/nothing", "", 0),
        ("/docs/a/b/users", "../../", 1),
        ("/docs/methods/", "../", 0),
        ("/docs/methods/%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "../../", 0),
    ] {
        let page = get_with_accept(&server, path, BROWSER_ACCEPT);
        let html = body_text(&page);
        assert_eq!((page.status, page.field("content-type")), (404, Some("text/html; charset=utf-8")), "{path}");
        assert_eq!((page.field("vary"), page.field("etag")), (Some("accept"), None), "{path}");
        assert!(page.field("content-security-policy").unwrap().starts_with("default-src 'none'"), "{}", page.head);
        assert!(html.contains("Page not found") && !html.contains("<script>alert"), "{html}");
        assert!(html.contains(&format!("<a href=\"{}\">", if top.is_empty() { "./" } else { top })), "{path}: {html}");
        assert!(html.contains(&format!("href=\"{top}docs.css\"")), "{path}: {html}");
        assert_eq!(methods(&html), found, "{path}: {html}");
        let markdown = get_with_accept(&server, path, "text/markdown");
        assert_eq!((markdown.status, markdown.field("content-type")), (404, Some("text/markdown; charset=utf-8")));
        assert_eq!(methods(&body_text(&markdown)), found, "{path}");
    }
}

#[test]
fn clients_other_than_browsers_receive_a_json_error() {
    let server = start_server();
    for path in ["/docs/methods/article.put", "/docs/nothing", "/docs/nothing.md"] {
        get_page(&server, path).assert_error(404, "");
        for accept in ["*/*", "application/json", "application/json, text/html;q=0.9", "image/png"] {
            let response = get_with_accept(&server, path, accept);
            assert_eq!(
                (response.status, response.field("content-type")),
                (404, Some("application/json")),
                "{path} {accept}"
            );
        }
        let posted = server.send(&Request::new("POST", path).field("accept", BROWSER_ACCEPT));
        assert_eq!((posted.status, posted.field("content-type")), (404, Some("application/json")));
    }
    // An encoded slash does not separate path segments, so that this path is not below `/docs/methods/`.
    assert_eq!(
        get_with_accept(&server, "/docs/methods%2Farticle", BROWSER_ACCEPT).field("content-type"),
        Some("application/json")
    );
}

#[test]
fn search_results_for_the_caller_contain_only_permitted_methods() {
    let server = start_server();
    let found = |query: &str| {
        let page = body_text(&get_with_accept(&server, &format!("/docs/methods/new{query}"), BROWSER_ACCEPT));
        page_content(&page).contains("article.post")
    };
    assert!(found(""));
    assert!(!found("?as=me"));
}
