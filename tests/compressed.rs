//! Tests the compression of responses: their content coding, and that the decoded bodies are unchanged.

use std::io::Read;

use serde_json::{Map, Value, json};

use crate::client::{Request, Response, TestServer};

/// Starts a server of an API whose documents are long enough to be compressed, with a method that echoes its body.
/// `app` contains the settings of the API.
fn server_with_long_documents(app: &Value) -> TestServer {
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
    TestServer::echo(&[("app.json", app.clone()), ("thing.json", module)])
}

fn server_with_every_format() -> TestServer {
    server_with_long_documents(&json!({ "formats": ["xml"], "jsonp": true }))
}

fn fetch(server: &TestServer, request: Request, accept: &str) -> Response {
    server.send(&request.field("accept-encoding", accept))
}

fn get_request(target: &str) -> Request {
    Request::new("GET", target)
}

/// Returns a request whose echoed response has at least this many bytes.
fn echo_request(bytes: usize) -> Request {
    let text: String = ('a'..='z').cycle().take(bytes).collect();
    Request::new("POST", "/echo").body("application/json", json!({ "text": text }).to_string())
}

/// Returns the content coding of a response, and the bytes of its body after decoding.
fn decode_body(response: &Response) -> (&str, Vec<u8>) {
    let coding = response.field("content-encoding").unwrap_or("");
    let mut plain = Vec::new();
    match coding {
        "gzip" => drop(flate2::read::GzDecoder::new(&*response.body).read_to_end(&mut plain).unwrap()),
        "br" => drop(brotli::Decompressor::new(&*response.body, 4096).read_to_end(&mut plain).unwrap()),
        "" => plain.clone_from(&response.body),
        other => panic!("{other}"),
    }
    (coding, plain)
}

fn has_vary_accept_encoding(response: &Response) -> bool {
    response.head.to_lowercase().lines().any(|line| line.starts_with("vary:") && line.contains("accept-encoding"))
}

/// Cases of content negotiation (RFC 9110 section 12.5.3): the value of `Accept-Encoding`, the expected coding of a
/// document, and the expected coding of a long response of a method.
const ACCEPT_ENCODING_CASES: [(&str, &str, &str); 22] = [
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
    let server = server_with_every_format();
    let document = server.send(&get_request("/openapi.json")).body;
    let long = server.send(&echo_request(3_000)).body;
    for (accept, of_document, of_answer) in ACCEPT_ENCODING_CASES {
        let response = fetch(&server, get_request("/openapi.json"), accept);
        assert_eq!(decode_body(&response), (of_document, document.clone()), "{accept:?}: {}", response.head);
        assert!(has_vary_accept_encoding(&response), "{accept:?}: {}", response.head);
        let response = fetch(&server, echo_request(3_000), accept);
        assert_eq!(decode_body(&response), (of_answer, long.clone()), "{accept:?}: {}", response.head);
        assert!(has_vary_accept_encoding(&response), "{accept:?}: {}", response.head);
    }
    let two = get_request("/openapi.json").field("accept-encoding", "deflate");
    assert_eq!(fetch(&server, two, "gzip").field("content-encoding"), Some("gzip"), "fields are one list");
}

#[test]
fn documents_have_an_entity_tag_in_each_coding() {
    let server = server_with_every_format();
    let targets = [("GET", "/openapi.json"), ("GET", "/llms.txt"), ("OPTIONS", "/"), ("GET", "/docs/")];
    for (method, target) in targets {
        let request = || Request::new(method, target);
        let responses = ["identity", "gzip", "br"].map(|accept| fetch(&server, request(), accept));
        let tags = responses.each_ref().map(|response| response.field("etag").unwrap().to_owned());
        assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{target}: {tags:?}");
        assert!(tags.iter().all(|tag| tag.starts_with('"')), "strong: {tags:?}");
        assert!(responses[1].body.len() < responses[0].body.len() && responses[2].body.len() < responses[0].body.len());
        for response in &responses {
            assert_eq!(decode_body(response).1, responses[0].body, "{target}");
            let content = response.field("content-type");
            assert_eq!(content, responses[0].field("content-type"));
        }
        for accept in ["identity", "gzip", "br"] {
            for tag in &tags {
                let known = fetch(&server, request().field("if-none-match", format_args!("\"x\", {tag}")), accept);
                assert_eq!((known.status, known.field("etag")), (304, Some(&**tag)), "{target}: {known:?}");
                assert!(has_vary_accept_encoding(&known) && known.field("content-encoding").is_none(), "{known:?}");
            }
        }
        if method == "GET" {
            for (accept, response) in ["identity", "gzip", "br"].into_iter().zip(&responses) {
                let head = fetch(&server, Request::new("HEAD", target), accept);
                for field in ["content-length", "content-encoding", "etag", "content-type", "vary"] {
                    assert_eq!(head.field(field), response.field(field), "{field} of HEAD {target}");
                }
            }
        }
    }
}

#[test]
fn static_files_are_compressed_if_they_get_shorter() {
    let server = server_with_every_format();
    for (target, coding) in [
        ("/docs/swagger/swagger-ui-bundle.js", "br"),
        ("/docs/swagger/swagger-ui.css", "br"),
        ("/docs/swagger/favicon-32x32.png", ""),
        ("/docs/form.js", "br"),
        ("/static/docs.css", "br"),
        ("/docs/rulebook.js", "br"),
    ] {
        let plain = server.send(&get_request(target)).body;
        assert_eq!(decode_body(&fetch(&server, get_request(target), "gzip, br")), (coding, plain), "{target}");
    }
}

#[test]
fn short_responses_are_not_compressed() {
    let server = server_with_every_format();
    for (bytes, coding) in [(0, ""), (1_900, ""), (2_100, "gzip"), (60_000, "gzip"), (300_000, "gzip")] {
        let response = fetch(&server, echo_request(bytes), "gzip");
        let (own, plain) = decode_body(&response);
        assert_eq!(
            (own, has_vary_accept_encoding(&response)),
            (coding, coding == "gzip"),
            "{bytes}: {}",
            response.head
        );
        assert_eq!(plain, server.send(&echo_request(bytes)).body);
    }
    let short = fetch(
        &server,
        get_request("/thing/1?x=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        "gzip, *;q=0",
    );
    assert_eq!(decode_body(&short).0, "gzip", "the plain form is not wanted at all");
    assert_eq!(fetch(&server, get_request("/thing/1"), "gzip, *;q=0").status, 200);
}

#[test]
fn responses_in_every_format_and_errors_are_compressed() {
    let server = server_with_every_format();
    let text = "b".repeat(3_000);
    for (request, status) in [
        (get_request(&format!("/thing/1?x={text}")).field("accept", "application/xml"), 200),
        (get_request(&format!("/thing/1?callback=f&x={text}")), 200),
        (get_request(&format!("/thing/1?x={text}")), 200),
    ] {
        let plain = server.send(&request);
        let response = fetch(&server, request.clone(), "br");
        assert_eq!((response.status, response.field("content-type")), (status, plain.field("content-type")));
        assert_eq!(decode_body(&response), ("br", plain.body), "{request:?}");
    }
}

#[test]
fn a_setting_of_the_definition_turns_compression_off() {
    let server = server_with_long_documents(&json!({ "compress": false }));
    for request in [
        get_request("/openapi.json"),
        echo_request(3_000),
        get_request("/docs/swagger/swagger-ui.css"),
        get_request("/docs/"),
    ] {
        let response = fetch(&server, request.clone(), "gzip, br, identity;q=0");
        assert_eq!(
            (response.status, response.field("content-encoding"), has_vary_accept_encoding(&response)),
            (200, None, false),
            "{request:?}"
        );
    }
}
