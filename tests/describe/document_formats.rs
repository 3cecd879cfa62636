//! Tests the format of the documents that the server generates, and conditional requests for these documents.

use serde_json::json;
use url::Url;

use crate::client::{Request, Response, TestServer};

fn documents_server() -> TestServer {
    let article = json!({ "/": { "article/{id}/line": {
        "GET": { "info": "Lines", "in": { "{id}": { "info": "Which article", "type": "id" } } }
    } } });
    TestServer::echo(&[("app.json", json!({ "base": "/api" })), ("article.json", article)])
}

const JSON_MEDIA_TYPE: &str = "application/json";
const MARKDOWN_MEDIA_TYPE: &str = "text/markdown; charset=utf-8";

#[test]
fn clients_choose_json_or_markdown_by_accept() {
    let server = documents_server();
    let cases: &[(&[&str], &str)] = &[
        (&[], JSON_MEDIA_TYPE),
        (&["*/*"], JSON_MEDIA_TYPE),
        (&["text/markdown"], MARKDOWN_MEDIA_TYPE),
        (&["Text/Markdown"], MARKDOWN_MEDIA_TYPE),
        (&["text/*"], MARKDOWN_MEDIA_TYPE),
        (&["text/markdown;variant=GFM;charset=utf-8"], MARKDOWN_MEDIA_TYPE),
        (&["application/json"], JSON_MEDIA_TYPE),
        (&["text/markdown, application/json"], JSON_MEDIA_TYPE),
        (&["text/markdown, */*"], JSON_MEDIA_TYPE),
        (&["text/markdown, */*;q=0.9"], MARKDOWN_MEDIA_TYPE),
        (&["text/markdown;q=0.5, */*;q=0.4"], MARKDOWN_MEDIA_TYPE),
        (&["text/markdown;q=0.5, */*;q=0.5"], JSON_MEDIA_TYPE),
        (&["application/json;q=0.2, text/markdown;q=0.201"], MARKDOWN_MEDIA_TYPE),
        (&["application/json; Q=0.2 ,text/markdown; q=0.3"], MARKDOWN_MEDIA_TYPE),
        (&["text/markdown;q=0, */*;q=0.1"], JSON_MEDIA_TYPE),
        (&["text/markdown;q=0.000"], JSON_MEDIA_TYPE),
        (&["text/markdown;q=0, text/*"], JSON_MEDIA_TYPE),
        (&["text/*;q=0.1, application/*;q=0.2"], JSON_MEDIA_TYPE),
        (&["application/json;q=0, */*"], MARKDOWN_MEDIA_TYPE),
        (&["application/json;q=0.1", "text/markdown"], MARKDOWN_MEDIA_TYPE),
        (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], JSON_MEDIA_TYPE),
        (&["image/png"], JSON_MEDIA_TYPE),
        (&["application/problem+json"], JSON_MEDIA_TYPE),
        (&["text/markdown;q=2"], MARKDOWN_MEDIA_TYPE),
        (&["text/markdown;q=0.1234"], MARKDOWN_MEDIA_TYPE),
        (&["text/markdown;q="], MARKDOWN_MEDIA_TYPE),
        (&["text/markdownish"], JSON_MEDIA_TYPE),
        (&["text"], JSON_MEDIA_TYPE),
        (&[",,;q=1,/*"], JSON_MEDIA_TYPE),
        (&[""], JSON_MEDIA_TYPE),
    ];
    for (accept, expected) in cases {
        for target in ["*", "/", "/api", "/api/article", "/api/article/7/line"] {
            let request =
                accept.iter().fold(Request::new("OPTIONS", target), |request, value| request.field("accept", value));
            let response = server.send(&request);
            assert_eq!(
                (response.status, response.field("content-type")),
                (200, Some(*expected)),
                "{target} {accept:?}"
            );
            assert_eq!(response.field("vary"), Some("accept"));
            assert_eq!(response.field("cache-control"), Some("no-cache"));
            assert_eq!(response.field("x-content-type-options"), Some("nosniff"));
            assert_eq!(response.body.starts_with(b"{"), *expected == JSON_MEDIA_TYPE, "{response:?}");
        }
    }
}

#[test]
fn each_document_has_a_different_entity_tag_in_each_format() {
    let server = documents_server();
    let mut tags = Vec::new();
    for target in ["/api", "/api/article", "/api/article/7", "/api/article/7/line"] {
        for accept in ["application/json", "text/markdown"] {
            let fetch = || server.send(&Request::new("OPTIONS", target).field("accept", accept));
            let tag = fetch().field("etag").unwrap().to_owned();
            assert_eq!(fetch().field("etag"), Some(&*tag), "the tag does not change");
            assert!(tag.len() > 16 && tag.starts_with('"') && tag.ends_with('"'), "{tag} is a strong tag");
            assert!(!tags.contains(&tag), "{target} {accept}");
            tags.push(tag);
        }
    }
    let again = self::documents_server();
    let response = again.send(&Request::new("OPTIONS", "/api"));
    assert_eq!(response.field("etag"), Some(&*tags[0]), "another server with the same definition has the same tag");
}

#[track_caller]
fn assert_not_modified(response: &Response, tag: &str) {
    assert_eq!((response.status, response.field("etag")), (304, Some(tag)), "{response:?}");
    assert_eq!(response.field("cache-control"), Some("no-cache"));
    assert!(response.body.is_empty());
    for absent in ["content-type", "content-length", "transfer-encoding"] {
        assert_eq!(response.field(absent), None, "{response:?}");
    }
}

#[test]
fn a_request_with_the_current_entity_tag_gets_304() {
    let server = documents_server();
    let requests = [
        Request::new("OPTIONS", "/api/article/7/line"),
        Request::new("OPTIONS", "/api/article/7/line").field("accept", "text/markdown"),
        Request::new("OPTIONS", "*"),
        Request::new("OPTIONS", "/api/article"),
        Request::new("GET", "/openapi.json"),
        Request::new("HEAD", "/openapi.json"),
        Request::new("GET", "/openapi.json?lean"),
        Request::new("GET", "/llms.txt"),
        Request::new("GET", "/llms-full.txt"),
        Request::new("GET", "/.well-known/api-catalog"),
    ];
    for request in requests {
        let mut connection = server.connect();
        let whole = connection.send(&request);
        assert_eq!(whole.status, 200, "{whole:?}");
        let tag = whole.field("etag").unwrap();
        let same = [
            tag.to_owned(),
            format!("W/{tag}"),
            "*".to_owned(),
            format!("\"x\", {tag}"),
            format!("\"x\",,W/{tag} , \"y\""),
            format!("\"a,b\" ,{tag}"),
        ];
        for tags in same {
            let response = connection.send(&request.clone().field("if-none-match", &tags));
            assert_not_modified(&response, tag);
            for name in ["allow", "vary"] {
                assert_eq!(response.field(name), whole.field(name), "{name}");
            }
        }
        let two = connection.send(&request.clone().field("if-none-match", "\"x\"").field("if-none-match", tag));
        assert_not_modified(&two, tag);
        let bare = tag.trim_matches('"');
        for tags in
            ["\"x\"", bare, &format!("w/{tag}"), &format!("{tag}x"), "", "**", &tag.to_uppercase().replace("\"", "")]
        {
            let response = connection.send(&request.clone().field("if-none-match", tags));
            assert_eq!((response.status, &response.body), (200, &whole.body), "{tags}");
        }
    }
}

#[test]
fn the_entity_tag_of_one_format_does_not_match_the_other_format() {
    let server = documents_server();
    let json = server.send(&Request::new("OPTIONS", "/api"));
    let tag = json.field("etag").unwrap();
    let request = Request::new("OPTIONS", "/api").field("accept", "text/markdown").field("if-none-match", tag);
    assert_eq!(server.send(&request).status, 200);
}

#[test]
fn documents_of_the_server_only_support_get_and_head() {
    let server = documents_server();
    for (target, media_type) in [
        ("/openapi.json", "application/json"),
        ("/llms.txt", "text/plain; charset=utf-8"),
        ("/llms-full.txt", "text/plain; charset=utf-8"),
        (CATALOG, "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\""),
    ] {
        let mut connection = server.connect();
        let got = connection.send(&Request::new("GET", target));
        assert_eq!((got.status, got.field("content-type")), (200, Some(media_type)), "{got:?}");
        let headed = connection.send(&Request::new("HEAD", target));
        assert_eq!((headed.status, headed.field("content-length")), (200, got.field("content-length")));
        let options = connection.send(&Request::new("OPTIONS", target));
        assert_eq!((options.status, options.field("allow")), (204, Some("GET, HEAD, OPTIONS")), "{options:?}");
        assert!(options.body.is_empty() && options.field("content-type").is_none());
        for method in ["POST", "PUT", "DELETE", "PATCH", "FOO"] {
            let refused = connection.send(&Request::new(method, target));
            refused.assert_error(405, "the service does not support this method");
            assert_eq!(refused.field("allow"), Some("GET, HEAD, OPTIONS"));
        }
        server
            .send(&Request::new("POST", target).field("expect", "100-continue").body("text/plain", "x"))
            .assert_error(405, "the service does not support this method");
        server.send(&Request::new("GET", format!("/api{target}"))).assert_error(404, "no service has this URI");
    }
}

/// A service that matches any segment does not match the paths of documents that the server generates.
#[test]
fn captures_and_positions_do_not_match_paths_of_documents() {
    let any = json!({ "info": "Any", "type": "string" });
    for module in [
        json!({ "/": { "{any}": { "GET": { "info": "Any", "in": { "{any}": any } } } } }),
        json!({ "GET": { "info": "Any", "in": { "URL#0": any } } }),
    ] {
        let server = TestServer::echo(&[("any.json", module)]);
        assert_eq!(server.send(&Request::new("GET", "/other.json")).json()["error"], 0);
        assert_eq!(
            server.send(&Request::new("GET", "/openapi.json")).json()["openapi"].as_str().map(|v| &v[..2]),
            Some("3.")
        );
        assert!(server.send(&Request::new("GET", "/llms.txt")).body.starts_with(b"# "));
    }
}

const CATALOG: &str = "/.well-known/api-catalog";

/// Returns the targets of the links in the header fields `Link` that have this relation, resolved at the path of the
/// request.
fn linked(response: &Response, path: &str, relation: &str) -> Vec<String> {
    let fields = response.head.lines().filter_map(|line| line.split_once(": "));
    let links = fields.filter(|(name, _)| name.eq_ignore_ascii_case("link")).map(|(_, link)| link);
    let links = links.filter(|link| link.contains(&format!("rel=\"{relation}\"")));
    let base = Url::parse("http://x").unwrap().join(path).unwrap();
    links.map(|link| base.join(&link[1..link.find('>').unwrap()]).unwrap().path().to_owned()).collect()
}

#[test]
fn documents_and_responses_to_options_link_to_the_openapi_document() {
    let server = documents_server();
    for (method, path) in [
        ("OPTIONS", "/"),
        ("OPTIONS", "/api"),
        ("OPTIONS", "/api/article/7/line"),
        ("GET", "/"),
        ("GET", "/docs/"),
        ("GET", "/docs/methods/article.%7Bid%7D.line.get"),
        ("GET", "/llms.txt"),
        ("HEAD", CATALOG),
    ] {
        let response = server.send(&Request::new(method, path));
        assert!([200, 307].contains(&response.status), "{path}: {response:?}");
        assert_eq!(linked(&response, path, "service-desc"), ["/openapi.json"], "{method} {path}: {response:?}");
    }
    assert_eq!(linked(&server.send(&Request::new("HEAD", CATALOG)), CATALOG, "api-catalog"), [CATALOG]);
    let call = server.send(&Request::new("GET", "/api/article/7/line"));
    assert!(call.field("link").is_none(), "{call:?}");
}

#[test]
fn the_catalog_lists_the_documents_of_the_api() {
    let server = documents_server();
    let catalog = server.send(&Request::new("GET", CATALOG)).json();
    let entry = &catalog["linkset"][0];
    let base = Url::parse("http://x").unwrap().join(CATALOG).unwrap();
    assert_eq!(base.join(entry["anchor"].as_str().unwrap()).unwrap().path(), "/api");
    for (relation, count) in [("service-desc", 1), ("service-doc", 3), ("status", 1)] {
        let links = entry[relation].as_array().unwrap();
        assert_eq!(links.len(), count, "{catalog}");
        for link in links {
            let path = base.join(link["href"].as_str().unwrap()).unwrap().path().to_owned();
            let response = server.send(&Request::new("GET", &path));
            let media_type = response.field("content-type").unwrap().split(';').next().unwrap().to_owned();
            assert_eq!((response.status, json!(media_type)), (200, link["type"].clone()), "{path}");
        }
    }
}
