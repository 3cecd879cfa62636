//! Responses in content codings.

use std::io::Read;

use serde_json::{Map, Value, json};

use crate::client::{Answer, Request, Site};

/// Returns an API whose documents are long enough to be compressed, with a method that echoes its body.
fn site(app: &Value) -> Site {
    let uri = |number: usize| {
        let method = json!({ "info": format!("Does the {number}th thing"), "in": {
            "GET@x": { "info": "Anything", "type": "?string", "name": "x" }
        } });
        (format!("thing/{number}"), json!({ "GET": method }))
    };
    let uris: Map<_, _> = (0..30).map(uri).collect();
    let echo = json!({ "info": "Echoes", "in": { "text": { "info": "What", "type": "string" } } });
    let mut module = json!({ "/": uris });
    module["/"]["echo"] = json!({ "POST": echo });
    Site::echo(&[("app.json", app.clone()), ("thing.json", module)])
}

fn plain_site() -> Site {
    site(&json!({ "formats": ["xml"], "jsonp": true }))
}

fn ask(site: &Site, request: Request, accept: &str) -> Answer {
    site.send(&request.field("accept-encoding", accept))
}

fn get(target: &str) -> Request {
    Request::new("GET", target)
}

/// Returns a request whose response has at least this many bytes.
fn echo(bytes: usize) -> Request {
    let text: String = ('a'..='z').cycle().take(bytes).collect();
    Request::new("POST", "/echo").body("application/json", json!({ "text": text }).to_string())
}

/// Returns the content coding of a response, and its decoded bytes.
fn decoded(answer: &Answer) -> (&str, Vec<u8>) {
    let coding = answer.field("content-encoding").unwrap_or("");
    let mut plain = Vec::new();
    match coding {
        "gzip" => drop(flate2::read::GzDecoder::new(&*answer.body).read_to_end(&mut plain).unwrap()),
        "br" => drop(brotli::Decompressor::new(&*answer.body, 4096).read_to_end(&mut plain).unwrap()),
        "" => plain.clone_from(&answer.body),
        other => panic!("{other}"),
    }
    (coding, plain)
}

fn varies(answer: &Answer) -> bool {
    answer.head.to_lowercase().lines().any(|line| line.starts_with("vary:") && line.contains("accept-encoding"))
}

/// RFC 9110 section 12.5.3: `Accept-Encoding`, the coding of a document, and that of a long response.
const ACCEPTED: [(&str, &str, &str); 22] = [
    ("gzip", "gzip", "gzip"),
    ("br", "br", "br"),
    ("gzip, deflate, br, zstd", "br", "gzip"),
    ("x-gzip", "gzip", "gzip"),
    ("GZIP", "gzip", "gzip"),
    ("deflate", "", ""),
    ("identity", "", ""),
    ("", "", ""),
    ("*", "br", "gzip"),
    ("gzip;q=0", "", ""),
    ("gzip;q=0, br;q=0", "", ""),
    ("br;q=0.1, gzip;q=0.2", "gzip", "gzip"),
    ("br;q=0.2, gzip;q=0.1", "br", "br"),
    ("*;q=0", "", ""),
    ("gzip, *;q=0", "gzip", "gzip"),
    ("br;q=0, *", "gzip", "gzip"),
    ("identity;q=0", "", ""),
    ("identity;q=0, gzip;q=0.001", "gzip", "gzip"),
    ("identity;q=0, *;q=0.5", "br", "gzip"),
    ("identity, gzip;q=0.5", "", ""),
    ("identity;q=0.5, gzip", "gzip", "gzip"),
    ("gzip;q=nonsense", "gzip", "gzip"),
];

#[test]
fn the_client_chooses_the_content_coding() {
    let site = plain_site();
    let document = site.send(&get("/openapi.json")).body;
    let long = site.send(&echo(3_000)).body;
    for (accept, of_document, of_answer) in ACCEPTED {
        let answer = ask(&site, get("/openapi.json"), accept);
        assert_eq!(decoded(&answer), (of_document, document.clone()), "{accept:?}: {}", answer.head);
        assert!(varies(&answer), "{accept:?}: {}", answer.head);
        let answer = ask(&site, echo(3_000), accept);
        assert_eq!(decoded(&answer), (of_answer, long.clone()), "{accept:?}: {}", answer.head);
        assert!(varies(&answer), "{accept:?}: {}", answer.head);
    }
    let two = get("/openapi.json").field("accept-encoding", "deflate");
    assert_eq!(ask(&site, two, "gzip").field("content-encoding"), Some("gzip"), "fields are one list");
}

#[test]
fn documents_have_an_entity_tag_in_each_coding() {
    let site = plain_site();
    let targets = [("GET", "/openapi.json"), ("GET", "/llms.txt"), ("OPTIONS", "/"), ("GET", "/docs/")];
    for (method, target) in targets {
        let request = || Request::new(method, target);
        let answers = ["identity", "gzip", "br"].map(|accept| ask(&site, request(), accept));
        let tags = answers.each_ref().map(|answer| answer.field("etag").unwrap().to_owned());
        assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{target}: {tags:?}");
        assert!(tags.iter().all(|tag| tag.starts_with('"')), "strong: {tags:?}");
        assert!(answers[1].body.len() < answers[0].body.len() && answers[2].body.len() < answers[0].body.len());
        for answer in &answers {
            assert_eq!(decoded(answer).1, answers[0].body, "{target}");
            let content = answer.field("content-type");
            assert_eq!(content, answers[0].field("content-type"));
        }
        for accept in ["identity", "gzip", "br"] {
            for tag in &tags {
                let known = ask(&site, request().field("if-none-match", format_args!("\"x\", {tag}")), accept);
                assert_eq!((known.status, known.field("etag")), (304, Some(&**tag)), "{target}: {known:?}");
                assert!(varies(&known) && known.field("content-encoding").is_none(), "{known:?}");
            }
        }
        if method == "GET" {
            for (accept, answer) in ["identity", "gzip", "br"].into_iter().zip(&answers) {
                let head = ask(&site, Request::new("HEAD", target), accept);
                for field in ["content-length", "content-encoding", "etag", "content-type", "vary"] {
                    assert_eq!(head.field(field), answer.field(field), "{field} of HEAD {target}");
                }
            }
        }
    }
}

#[test]
fn files_of_the_server_are_compressed_if_they_get_shorter() {
    let site = plain_site();
    for (target, coding) in [
        ("/docs/swagger/swagger-ui-bundle.js", "br"),
        ("/docs/swagger/swagger-ui.css", "br"),
        ("/docs/swagger/favicon-32x32.png", ""),
        ("/index.js", "br"),
        ("/static/style.css", "br"),
        ("/docs/rulebook.js", "br"),
    ] {
        let plain = site.send(&get(target)).body;
        assert_eq!(decoded(&ask(&site, get(target), "gzip, br")), (coding, plain), "{target}");
    }
}

#[test]
fn short_responses_are_not_compressed() {
    let site = plain_site();
    for (bytes, coding) in [(0, ""), (1_900, ""), (2_100, "gzip"), (60_000, "gzip"), (300_000, "gzip")] {
        let answer = ask(&site, echo(bytes), "gzip");
        let (own, plain) = decoded(&answer);
        assert_eq!((own, varies(&answer)), (coding, coding == "gzip"), "{bytes}: {}", answer.head);
        assert_eq!(plain, site.send(&echo(bytes)).body);
    }
    let short =
        ask(&site, get("/thing/1?x=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "gzip, *;q=0");
    assert_eq!(decoded(&short).0, "gzip", "the plain form is not wanted at all");
    assert_eq!(ask(&site, get("/thing/1"), "gzip, *;q=0").status, 200);
}

#[test]
fn every_format_and_errors_are_compressed() {
    let site = plain_site();
    let text = "b".repeat(3_000);
    for (request, status) in [
        (get(&format!("/thing/1?x={text}")).field("accept", "application/xml"), 200),
        (get(&format!("/thing/1?callback=f&x={text}")), 200),
        (get(&format!("/thing/1?x={text}")), 200),
    ] {
        let plain = site.send(&request);
        let answer = ask(&site, request.clone(), "br");
        assert_eq!((answer.status, answer.field("content-type")), (status, plain.field("content-type")));
        assert_eq!(decoded(&answer), ("br", plain.body), "{request:?}");
    }
}

#[test]
fn the_definition_can_turn_compression_off() {
    let site = site(&json!({ "compress": false }));
    for request in [get("/openapi.json"), echo(3_000), get("/docs/swagger/swagger-ui.css"), get("/docs/")] {
        let answer = ask(&site, request.clone(), "gzip, br, identity;q=0");
        assert_eq!(
            (answer.status, answer.field("content-encoding"), varies(&answer)),
            (200, None, false),
            "{request:?}"
        );
    }
}
