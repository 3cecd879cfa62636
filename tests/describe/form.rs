//! The format of documents, and conditional requests for them.

use serde_json::json;

use crate::client::{Answer, Request, Site};

fn site() -> Site {
    let article = json!({ "/": { "article/{id}/line": {
        "GET": { "info": "Lines", "in": { "{id}": { "info": "Which article", "type": "id" } } }
    } } });
    Site::echo(&[("app.json", json!({ "base": "/api" })), ("article.json", article)])
}

const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown; charset=utf-8";

#[test]
fn the_client_chooses_json_or_markdown() {
    let site = site();
    let cases: &[(&[&str], &str)] = &[
        (&[], JSON),
        (&["*/*"], JSON),
        (&["text/markdown"], MARKDOWN),
        (&["Text/Markdown"], MARKDOWN),
        (&["text/*"], MARKDOWN),
        (&["text/markdown;variant=GFM;charset=utf-8"], MARKDOWN),
        (&["application/json"], JSON),
        (&["text/markdown, application/json"], JSON),
        (&["text/markdown, */*"], JSON),
        (&["text/markdown, */*;q=0.9"], MARKDOWN),
        (&["text/markdown;q=0.5, */*;q=0.4"], MARKDOWN),
        (&["text/markdown;q=0.5, */*;q=0.5"], JSON),
        (&["application/json;q=0.2, text/markdown;q=0.201"], MARKDOWN),
        (&["application/json; Q=0.2 ,text/markdown; q=0.3"], MARKDOWN),
        (&["text/markdown;q=0, */*;q=0.1"], JSON),
        (&["text/markdown;q=0.000"], JSON),
        (&["text/markdown;q=0, text/*"], JSON),
        (&["text/*;q=0.1, application/*;q=0.2"], JSON),
        (&["application/json;q=0, */*"], MARKDOWN),
        (&["application/json;q=0.1", "text/markdown"], MARKDOWN),
        (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], JSON),
        (&["image/png"], JSON),
        (&["application/problem+json"], JSON),
        (&["text/markdown;q=2"], MARKDOWN),
        (&["text/markdown;q=0.1234"], MARKDOWN),
        (&["text/markdown;q="], MARKDOWN),
        (&["text/markdownish"], JSON),
        (&["text"], JSON),
        (&[",,;q=1,/*"], JSON),
        (&[""], JSON),
    ];
    for (accept, expected) in cases {
        for target in ["*", "/", "/api", "/api/article", "/api/article/7/line"] {
            let request =
                accept.iter().fold(Request::new("OPTIONS", target), |request, value| request.field("accept", value));
            let answer = site.send(&request);
            assert_eq!((answer.status, answer.field("content-type")), (200, Some(*expected)), "{target} {accept:?}");
            assert_eq!(answer.field("vary"), Some("accept"));
            assert_eq!(answer.field("cache-control"), Some("no-cache"));
            assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
            assert_eq!(answer.body.starts_with(b"{"), *expected == JSON, "{answer:?}");
        }
    }
}

#[test]
fn each_document_has_an_entity_tag_per_format() {
    let site = site();
    let mut tags = Vec::new();
    for target in ["/api", "/api/article", "/api/article/7", "/api/article/7/line"] {
        for accept in ["application/json", "text/markdown"] {
            let ask = || site.send(&Request::new("OPTIONS", target).field("accept", accept));
            let tag = ask().field("etag").unwrap().to_owned();
            assert_eq!(ask().field("etag"), Some(&*tag), "the tag does not change");
            assert!(tag.len() > 16 && tag.starts_with('"') && tag.ends_with('"'), "{tag} is a strong tag");
            assert!(!tags.contains(&tag), "{target} {accept}");
            tags.push(tag);
        }
    }
    let again = self::site();
    let answer = again.send(&Request::new("OPTIONS", "/api"));
    assert_eq!(answer.field("etag"), Some(&*tags[0]), "another server with the same definition has the same tag");
}

#[track_caller]
fn assert_not_modified(answer: &Answer, tag: &str) {
    assert_eq!((answer.status, answer.field("etag")), (304, Some(tag)), "{answer:?}");
    assert_eq!(answer.field("cache-control"), Some("no-cache"));
    assert!(answer.body.is_empty());
    for absent in ["content-type", "content-length", "transfer-encoding"] {
        assert_eq!(answer.field(absent), None, "{answer:?}");
    }
}

#[test]
fn a_document_that_the_client_has_is_not_sent_again() {
    let site = site();
    let requests = [
        Request::new("OPTIONS", "/api/article/7/line"),
        Request::new("OPTIONS", "/api/article/7/line").field("accept", "text/markdown"),
        Request::new("OPTIONS", "*"),
        Request::new("OPTIONS", "/api/article"),
        Request::new("GET", "/openapi.json"),
        Request::new("HEAD", "/openapi.json"),
        Request::new("GET", "/llms.txt"),
    ];
    for request in requests {
        let mut connection = site.connect();
        let whole = connection.ask(&request);
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
            let answer = connection.ask(&request.clone().field("if-none-match", &tags));
            assert_not_modified(&answer, tag);
            for name in ["allow", "vary"] {
                assert_eq!(answer.field(name), whole.field(name), "{name}");
            }
        }
        let two = connection.ask(&request.clone().field("if-none-match", "\"x\"").field("if-none-match", tag));
        assert_not_modified(&two, tag);
        let bare = tag.trim_matches('"');
        for tags in
            ["\"x\"", bare, &format!("w/{tag}"), &format!("{tag}x"), "", "**", &tag.to_uppercase().replace("\"", "")]
        {
            let answer = connection.ask(&request.clone().field("if-none-match", tags));
            assert_eq!((answer.status, &answer.body), (200, &whole.body), "{tags}");
        }
    }
}

#[test]
fn the_tag_of_one_format_does_not_match_the_other() {
    let site = site();
    let json = site.send(&Request::new("OPTIONS", "/api"));
    let tag = json.field("etag").unwrap();
    let request = Request::new("OPTIONS", "/api").field("accept", "text/markdown").field("if-none-match", tag);
    assert_eq!(site.send(&request).status, 200);
}

#[test]
fn documents_of_the_server_can_only_be_read() {
    let site = site();
    for (target, media_type) in [("/openapi.json", "application/json"), ("/llms.txt", "text/plain; charset=utf-8")] {
        let mut connection = site.connect();
        let got = connection.ask(&Request::new("GET", target));
        assert_eq!((got.status, got.field("content-type")), (200, Some(media_type)), "{got:?}");
        let headed = connection.ask(&Request::new("HEAD", target));
        assert_eq!((headed.status, headed.field("content-length")), (200, got.field("content-length")));
        let options = connection.ask(&Request::new("OPTIONS", target));
        assert_eq!((options.status, options.field("allow")), (204, Some("GET, HEAD, OPTIONS")), "{options:?}");
        assert!(options.body.is_empty() && options.field("content-type").is_none());
        for method in ["POST", "PUT", "DELETE", "PATCH", "FOO"] {
            let refused = connection.ask(&Request::new(method, target));
            refused.assert_refused(405, "the service does not support this method");
            assert_eq!(refused.field("allow"), Some("GET, HEAD, OPTIONS"));
        }
        site.send(&Request::new("POST", target).field("expect", "100-continue").body("text/plain", "x"))
            .assert_refused(405, "the service does not support this method");
        site.send(&Request::new("GET", format!("/api{target}"))).assert_refused(404, "no service has this URI");
    }
}

/// A service that matches any segment does not match the paths of the server's documents.
#[test]
fn captures_and_positions_do_not_match_paths_of_documents() {
    let any = json!({ "info": "Any", "type": "string" });
    for module in [
        json!({ "/": { "{any}": { "GET": { "info": "Any", "in": { "{any}": any } } } } }),
        json!({ "GET": { "info": "Any", "in": { "URL#0": any } } }),
    ] {
        let site = Site::echo(&[("any.json", module)]);
        assert_eq!(site.send(&Request::new("GET", "/other.json")).json()["error"], 0);
        assert_eq!(
            site.send(&Request::new("GET", "/openapi.json")).json()["openapi"].as_str().map(|v| &v[..2]),
            Some("3.")
        );
        assert!(site.send(&Request::new("GET", "/llms.txt")).body.starts_with(b"# "));
    }
}
