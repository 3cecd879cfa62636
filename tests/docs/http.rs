//! Tests of the pages' HTTP responses: formats, entity tags, content security policies, and allowed HTTP methods.

use std::net::SocketAddr;

use rulebook::{Engine, Unbound};
use serde_json::{Value, json};

use super::{body_text, get_page};
use crate::client::{Connection, Request, TestServer, engine};

const PAGE_PATHS: [&str; 6] =
    ["/docs/", "/docs/modules/site", "/docs/methods/a.get", "/docs/errors", "/docs/diagnostics", "/docs/search?q=a"];

fn start_server() -> TestServer {
    TestServer::echo(&[("site.json", json!({ "/": { "a": { "GET": { "info": "One" } } } }))])
}

#[test]
fn a_page_is_html_unless_the_client_prefers_markdown() {
    let server = start_server();
    for path in PAGE_PATHS {
        let html = get_page(&server, path);
        assert_eq!(html.field("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert!(body_text(&html).starts_with("<!doctype html>\n"), "{path}");
        for (accept, expected) in [
            ("text/markdown", "text/markdown; charset=utf-8"),
            ("text/markdown, text/html;q=0.9", "text/markdown; charset=utf-8"),
            ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
            ("text/html, text/markdown", "text/html; charset=utf-8"),
            ("*/*", "text/html; charset=utf-8"),
            ("image/png", "text/html; charset=utf-8"),
        ] {
            let response = server.send(&Request::new("GET", path).field("accept", accept));
            assert_eq!((response.status, response.field("content-type")), (200, Some(expected)), "{path} {accept}");
            assert_eq!(response.field("vary"), Some("accept"), "{path} {accept}");
        }
        let (page, query) = path.split_once('?').map_or((path, String::new()), |(page, q)| (page, format!("?{q}")));
        let page = if page.ends_with('/') { format!("{page}index") } else { page.to_owned() };
        let markdown = get_page(&server, &format!("{page}.md{query}"));
        assert_eq!(markdown.field("content-type"), Some("text/markdown; charset=utf-8"), "{path}");
        assert_eq!(markdown.body, server.send(&Request::new("GET", path).field("accept", "text/markdown")).body);
        assert!(markdown.field("etag").is_none_or(|etag| html.field("etag") != Some(etag)), "{path}");
    }
}

#[test]
fn code_without_javascript_contains_the_url_at_which_the_server_listens() {
    let settings = |app: Value| {
        let it = json!({ "/": { "a": { "GET": { "info": "One" } } } });
        engine(&[("app.json", app), ("site.json", it)], |rulebook| rulebook.unbound(Unbound::Echo))
    };
    let urls_in_pages = |engine: &Engine, bind: &[&str]| {
        let server = TestServer::with_settings(engine, |settings| settings.with_bind(bind.iter().copied()));
        let port = server.address().port();
        let client = SocketAddr::from(([127, 0, 0, 1], port));
        let pages = ["/docs/methods/a.get", "/docs/methods/a.get.md", "/docs/methods/a.get.md?as=me"];
        let urls = pages.map(|path| {
            let page = body_text(&Connection::open(client).send(&Request::new("GET", path)));
            let (_, call) = page.rsplit_once("curl ").unwrap_or_else(|| panic!("{page}"));
            let url = &call[call.find("http").unwrap()..];
            url[..url.find("/a").unwrap()].to_owned()
        });
        assert!(urls.iter().all(|url| *url == urls[0]), "{urls:?}");
        urls[0].replace(&port.to_string(), "PORT")
    };
    for bind in [&["127.0.0.1:0"][..], &["0.0.0.0:0"], &["127.0.0.1:0", "127.0.0.1:0"], &["localhost:0"]] {
        for app in [json!({}), json!({ "bind": "127.0.0.1:7000" }), json!({ "options": "own" })] {
            assert_eq!(urls_in_pages(&settings(app), bind), "http://127.0.0.1:PORT", "{bind:?}");
        }
        let declared = settings(json!({ "servers": [{ "url": "https://site.example/" }] }));
        assert_eq!(urls_in_pages(&declared, bind), "https://site.example", "{bind:?}");
    }
}

#[test]
fn the_page_of_a_method_says_that_a_server_without_handlers_responds_with_the_arguments() {
    let page = start_server().send(&Request::new("GET", "/docs/methods/a.get.md"));
    let text = String::from_utf8(page.body).unwrap();
    assert!(text.contains("This server runs without handlers: instead of the outputs"), "{text}");
    assert!(!text.contains("Example of a response"), "{text}");
}

#[test]
fn a_page_that_the_browser_has_is_not_sent_again() {
    let server = start_server();
    let pages = PAGE_PATHS.into_iter().filter(|path| !path.contains('?'));
    for path in pages.chain(["/docs/docs.css", "/docs/docs.js", "/docs/index.md"]) {
        let first = get_page(&server, path);
        assert_eq!(first.status, 200, "{path}");
        let tag = first.field("etag").unwrap();
        let again = server.send(&Request::new("GET", path).field("if-none-match", tag));
        assert_eq!((again.status, again.body.len(), again.field("etag")), (304, 0, Some(tag)), "{path}");
        assert_eq!(again.field("vary"), first.field("vary"), "{path}");
        for (tags, status) in [(tag, 200), ("*", 200), ("\"other\"", 412)] {
            let response = server.send(&Request::new("GET", path).field("if-match", tags));
            assert_eq!(response.status, status, "{path} {tags}");
        }
        assert_eq!(first.field("cache-control"), Some("no-cache"), "{path}");
    }
}

#[test]
fn results_of_a_search_are_neither_compressed_nor_identified() {
    let server = start_server();
    let page = server.send(&Request::new("GET", "/docs/search?q=a").field("accept-encoding", "br, gzip"));
    for name in ["etag", "content-encoding"] {
        assert_eq!(page.field(name), None, "{}", page.head);
    }
    assert_eq!(page.field("cache-control"), Some("no-cache"), "{}", page.head);
}

#[test]
fn pages_allow_only_get_head_and_options() {
    let server = start_server();
    for path in PAGE_PATHS.into_iter().chain(["/docs/docs.css", "/docs/index.md"]) {
        let mut connection = server.connect();
        let got = connection.send(&Request::new("GET", path));
        let headed = connection.send(&Request::new("HEAD", path));
        assert_eq!((headed.status, headed.body.len()), (200, 0), "{path}");
        for name in ["content-length", "content-type", "etag", "vary", "content-security-policy"] {
            assert_eq!(headed.field(name), got.field(name), "{path} {name}");
        }
        let options = connection.send(&Request::new("OPTIONS", path));
        assert_eq!((options.status, options.field("allow")), (204, Some("GET, HEAD, OPTIONS")), "{path}");
        for method in ["POST", "PUT", "DELETE", "FOO"] {
            let refused = connection.send(&Request::new(method, path));
            refused.assert_error(405, "");
            assert_eq!(refused.field("allow"), Some("GET, HEAD, OPTIONS"), "{path}");
        }
    }
}

#[test]
fn the_content_security_policy_allows_only_resources_of_the_server() {
    let server = start_server();
    for path in PAGE_PATHS {
        let page = get_page(&server, path);
        let policy = page.field("content-security-policy").unwrap();
        let rules: Vec<_> = policy.split("; ").collect();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(rules.contains(&rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
        assert_eq!(page.field("x-content-type-options"), Some("nosniff"));
        let html = body_text(&page);
        for inline in ["<style", " style=", "<script>", "javascript:", " onclick", " onload"] {
            assert!(!html.contains(inline), "{path}: {inline}");
        }
        assert_eq!(html.matches("<script").count(), html.matches("<script src=\"").count() + 1, "{path}");
        assert_eq!(html.matches("<script type=\"module\" src=\"").count(), 1, "{path}");
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
    }
}
