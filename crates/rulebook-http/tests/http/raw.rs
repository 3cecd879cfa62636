//! Handlers with `raw`.

use serde_json::json;

use super::fake::{self, Fake, body, field, request_line};
use super::{rulebook, serve};
use rulebook_test::Client;

fn echo() -> Fake {
    fake::respond(|_| "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned())
}

fn serve_raw(fake: &Fake, path: &str) -> Client {
    serve(&json!({ "note/{id}": {
        "POST": {
            "info": "A note",
            "in": {
                "{id}": { "info": "The id", "type": "string" },
                "title": { "info": "The title", "type": "?string(1,5)" },
                "GET@full": { "info": "All", "type": "?bool", "name": "full" }
            },
            "handler": { "http": fake.url(path), "raw": true, "forward": ["X-Api-Key"] }
        },
        "GET": {
            "info": "A note", "in": { "{id}": { "info": "The id", "type": "string" } },
            "handler": { "http": fake.url(path), "raw": true }
        }
    } }))
}

#[test]
fn the_request_is_sent_as_it_came() {
    let fake = echo();
    let client = serve_raw(&fake, "");
    let text = "{ \"title\" :\t\"abc\" }";
    let response = client.post("/note/a%20%62?full=true&other=%20x").body("application/json; x=y", text).send();
    assert_eq!((response.status(), response.text()), (200, "ok"));
    let request = fake.last_request();
    assert_eq!(request_line(&request), "POST /note/a%20%62?full=true&other=%20x HTTP/1.1");
    assert_eq!(field(&request, "content-type"), Some("application/json; x=y"));
    assert_eq!(body(&request), text);
    let response = client.post("/note/a").form([("title", "é")]).send();
    assert_eq!(response.status(), 200);
    assert_eq!(body(&fake.last_request()), "title=%C3%A9");
    assert_eq!(fake.opened(), 1);
}

#[test]
fn the_address_replaces_the_path_and_keeps_the_query() {
    let fake = echo();
    let client = serve_raw(&fake, "/v1/notes/{id}?a=b");
    client.post("/note/x%2Fy?full=true").send();
    assert_eq!(request_line(&fake.last_request()), "POST /v1/notes/x%2Fy?a=b&full=true HTTP/1.1");
    assert_eq!(field(&fake.last_request(), "content-length"), Some("0"));
    client.get("/note/7").send();
    assert_eq!(request_line(&fake.last_request()), "GET /v1/notes/7?a=b HTTP/1.1");
}

#[test]
fn a_request_is_checked_before_it_is_sent_on() {
    let fake = echo();
    let client = serve_raw(&fake, "");
    assert_eq!(client.post("/note/a").json(json!({ "title": "too long" })).send().status(), 400);
    for path in [
        "/note/..%2Fadmin",
        "/note/%2e%2e",
        "/note/a%2F..%2Fb",
        "/note/..;",
        "/note/.;x=y",
        "/note/%2e%2e%3b",
        "/note/a%2F..;x%2Fb",
        "/note/..%00",
        "/note/..%09",
    ] {
        assert_eq!(client.get(path).send().status(), 404, "{path}");
    }
    assert_eq!(fake.requests().len(), 0);
}

#[test]
fn end_to_end_fields_are_sent_on_without_credentials() {
    let fake = echo();
    let client = serve_raw(&fake, "");
    let response = client
        .post("/note/a")
        .header("Accept", "text/plain")
        .header("X-Custom", "one")
        .header("X-Custom", "two")
        .header("X-Api-Key", "forwarded")
        .header("X-Auth-Token", "secret")
        .header("Cookie", "session=secret")
        .header("Connection", "close, X-Hop")
        .header("X-Hop", "no")
        .header("Keep-Alive", "timeout=5")
        .header("TE", "trailers")
        .header("Proxy-Authorization", "Basic eDp5")
        .header("X-Forwarded-For", "1.2.3.4")
        .header("X-HTTP-Method-Override", "DELETE")
        .header("X-Original-URL", "/admin")
        .header("Forwarded", "for=1.2.3.4")
        .header("X-Rulebook-Identity", "{}")
        .header("Proxy", "http://evil:1")
        .header("True-Client-IP", "6.6.6.6")
        .header("CF-Connecting-IP", "6.6.6.6")
        .header("X-Client-IP", "6.6.6.6")
        .header("Client-IP", "6.6.6.6")
        .header("X-Envoy-Original-Path", "/admin")
        .header("Base-Url", "/x")
        .header("Remote-User", "admin")
        .header("X-SSL-Client-Verify", "SUCCESS")
        .header("X-Auth", "secret")
        .header("Via", "1.0 front")
        .json(json!({}))
        .send();
    assert_eq!(response.status(), 200);
    let request = fake.last_request();
    assert_eq!(field(&request, "accept"), Some("text/plain"));
    assert_eq!(field(&request, "x-api-key"), Some("forwarded"));
    for (name, count) in [("x-custom", 2), ("x-api-key", 1), ("x-forwarded-for", 1), ("x-request-id", 1), ("host", 1)] {
        assert_eq!(request.to_lowercase().matches(&format!("\r\n{name}: ")).count(), count, "{name}");
    }
    assert_eq!(field(&request, "x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(field(&request, "x-request-id"), response.request_id());
    assert_eq!(field(&request, "host"), Some(fake.address.to_string().as_str()));
    assert!(request.contains("1.0 front") && request.contains("1.1 rulebook"));
    let absent = [
        "x-auth-token",
        "cookie",
        "connection",
        "x-hop",
        "keep-alive",
        "te",
        "proxy-authorization",
        "forwarded",
        "x-http-method-override",
        "x-original-url",
        "x-rulebook-identity",
        "proxy",
        "true-client-ip",
        "cf-connecting-ip",
        "x-client-ip",
        "client-ip",
        "x-envoy-original-path",
        "base-url",
        "remote-user",
        "x-ssl-client-verify",
        "x-auth",
    ];
    for name in absent {
        assert_eq!(field(&request, name), None, "{name}");
    }
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "also without a media type");
    client.get("/note/a").header("X-Api-Key", "secret").send();
    assert_eq!(field(&fake.last_request(), "x-api-key"), None);
}

/// Names that servers with variables such as `HTTP_X_REAL_IP` take for those of fields that are not sent on.
#[test]
fn fields_whose_names_upstreams_take_for_others_are_not_sent_on() {
    let names = [
        "X-Rulebook-Identity",
        "X-Request-Id",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Real-IP",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-User",
        "Transfer-Encoding",
        "Content-Length",
        "Content-Type",
        "Proxy-Authorization",
        "Accept-Encoding",
        "Keep-Alive",
        "X-Api-Key",
        "X-Auth-Token",
        "X-Custom",
    ];
    let fake = echo();
    let client = serve(&json!({ "note": { "GET": { "info": "A note", "handler": {
        "http": fake.url(""), "raw": true, "identity": true, "forward": ["X-Api-Key", "x_own"],
        "headers": { "X-Custom": "fixed" }
    } } } }));
    for separator in ["_", ".", "~", "!", "|", "-_"] {
        let mut request = client.get("/note").header("X_Own", "sent").header("X-Other", "sent").header("Proxy", "evil");
        for name in names {
            request = request.header(&name.replace('-', separator), "evil");
            request = request.header(&name.replacen('-', separator, 1), "evil");
        }
        assert_eq!(request.send().status(), 200, "{separator}");
        let sent = fake.last_request();
        assert!(!sent.contains("evil"), "{separator}: {sent}");
        assert_eq!((field(&sent, "x_own"), field(&sent, "x-other")), (Some("sent"), Some("sent")), "{separator}");
        assert_eq!(field(&sent, "x-custom"), Some("fixed"));
    }
}

#[test]
fn the_response_is_sent_on_with_its_status_and_its_end_to_end_fields() {
    for status in [200, 201, 206, 302, 404, 429, 500, 503] {
        let fake = fake::respond(move |_| {
            let fields = "Content-Type: text/x-note\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nLocation: /x\r\n\
                Content-Encoding: x-test\r\nAllow: GET\r\nRetry-After: 5\r\nConnection: X-Hop\r\nX-Hop: no\r\n\
                Keep-Alive: timeout=5\r\nX-Request-Id: other\r\nAccess-Control-Allow-Origin: *\r\n";
            format!("HTTP/1.1 {status} Status\r\n{fields}Content-Length: 4\r\n\r\nbody")
        });
        let client = serve_raw(&fake, "");
        let response = client.get("/note/a").send();
        assert_eq!((response.status(), response.text()), (status, "body"));
        for (name, value) in [
            ("content-type", "text/x-note"),
            ("location", "/x"),
            ("content-encoding", "x-test"),
            ("allow", "GET"),
            ("retry-after", "5"),
            ("content-length", "4"),
        ] {
            assert_eq!(response.header(name), Some(value), "{name}");
        }
        for name in ["x-hop", "keep-alive", "access-control-allow-origin"] {
            assert_eq!(response.header(name), None, "{name}");
        }
        assert_ne!(response.request_id(), Some("other"));
        client.get("/note/a").send();
        assert_eq!(fake.opened(), 1);
    }
}

#[test]
fn responses_without_content_are_sent_on() {
    for status in [204, 304] {
        let fake = fake::respond(move |_| format!("HTTP/1.1 {status} Status\r\nETag: \"a\"\r\n\r\n"));
        let response = serve_raw(&fake, "").get("/note/a").send();
        assert_eq!((response.status(), response.header("etag")), (status, Some("\"a\"")));
    }
}

#[test]
fn head_is_sent_on_and_its_response_has_the_length_of_the_body() {
    let fake = fake::respond(|request| {
        let body = if request.starts_with("HEAD ") { "" } else { "hello" };
        format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{body}")
    });
    let client = serve_raw(&fake, "");
    for _ in 0..2 {
        let response = client.request("HEAD", "/note/a").send();
        assert_eq!((response.status(), response.header("content-length")), (200, Some("5")));
        assert_eq!(request_line(&fake.last_request()), "HEAD /note/a HTTP/1.1");
    }
    assert_eq!(client.get("/note/a").send().text(), "hello");
    assert_eq!(fake.opened(), 1);
}

#[test]
fn an_upstream_that_fails_is_an_error_with_the_envelope() {
    let fake = fake::start(|connection| {
        connection.request();
        connection.send("garbage\r\n\r\n");
    });
    let response = serve_raw(&fake, "").get("/note/a").send();
    assert_eq!((response.status(), response.code()), (502, Some("bad-gateway")));
}

#[test]
fn forms_with_files_are_sent_under_the_names_of_the_request() {
    let fake = echo();
    let client = serve(&json!({ "file": { "POST": {
        "info": "Stores a file",
        "in": {
            "picture": { "info": "The file", "type": "file", "name": "renamed" },
            "title": { "info": "The title", "type": "string" }
        },
        "handler": { "http": fake.url(""), "raw": true }
    } } }));
    let response = client.post("/file").field("title", "A").file("picture", "a.txt", "content").send();
    assert_eq!(response.status(), 200);
    let request = fake.last_request();
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    // The boundary of the client, which is another one, must not arrive.
    assert_eq!(head.to_lowercase().matches("\r\ncontent-type: ").count(), 1, "{head}");
    let boundary = field(&request, "content-type").unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
    assert!(body(&request).starts_with(&format!("--{boundary}\r\n")), "{request}");
    assert!(body(&request).ends_with(&format!("\r\n--{boundary}--\r\n")), "{request}");
    assert!(body(&request).contains("name=\"picture\"; filename=\"a.txt\"\r\n"), "{request}");
    assert!(body(&request).contains("name=\"title\"\r\n\r\nA\r\n"), "{request}");
}

#[test]
fn all_methods_can_be_sent_on_by_default() {
    let fake = echo();
    let method = json!({ "info": "A method" });
    let module = json!({ "/": { "a": { "GET": method, "DELETE": method }, "b/c": { "PUT": method } } }).to_string();
    let app = json!({ "base": "/api", "handlers": {
        "default": { "http": fake.url(""), "raw": true }
    } });
    let files = vec![("app.json".into(), app.to_string().into()), ("test.json".into(), module.into())];
    let rulebook = rulebook::Rulebook::read(files).handler_kind(rulebook_http::HttpKind::new());
    let client = Client::new(rulebook).unwrap();
    for (method, path) in [("GET", "/api/a"), ("DELETE", "/api/a"), ("PUT", "/api/b/c")] {
        assert_eq!(client.request(method, path).send().text(), "ok");
        assert_eq!(request_line(&fake.last_request()), format!("{method} {path} HTTP/1.1"));
    }
    assert_eq!(client.post("/api/a").send().status(), 405);
}

#[test]
fn a_call_from_code_cannot_be_sent_on() {
    let fake = echo();
    let services = json!({ "a": { "GET": { "info": "A", "handler": { "http": fake.url(""), "raw": true } } } });
    let engine = rulebook(&services, &json!({})).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(engine.call("a.get").send()).status(), 500);
}
