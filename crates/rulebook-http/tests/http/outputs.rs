//! The outputs in responses of the upstream.

use serde_json::json;

use super::fake;
use super::{json_response, note_method, serve, serve_note};

#[test]
fn members_that_are_no_outputs_are_not_sent_to_the_client() {
    // `error` is also a member of the envelope.
    let fake = fake::respond(|_| json_response(r#"{"error":7,"text":"hello","secret":"x"}"#));
    let response = serve_note(&json!({ "http": fake.url("/") })).get("/note").send();
    assert_eq!(response.status(), 200);
    assert_eq!(response.text(), r#"{"error":0,"ErrorDescription":"all right","text":"hello"}"#);
}

#[test]
fn header_fields_of_the_upstream_are_not_sent_to_the_client() {
    let fake = fake::respond(|_| {
        let fields = "Set-Cookie: a=b\r\nX-Powered-By: test\r\nConnection: X-Powered-By\r\nKeep-Alive: timeout=9\r\n";
        format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 12\r\n\r\n{{\"text\":\"a\"}}")
    });
    let response = serve_note(&json!({ "http": fake.url("/") })).get("/note").send();
    assert_eq!(response.status(), 200);
    for name in ["set-cookie", "x-powered-by", "keep-alive"] {
        assert_eq!(response.header(name), None, "{name}");
    }
}

#[test]
fn a_whole_output_is_the_json_of_the_response() {
    let fake = fake::respond(|_| json_response("[1,2.5,null]"));
    let client = serve(&json!({ "list": { "GET": {
        "info": "A list", "out": { "*": { "info": "The list", "type": "array<any>" } },
        "handler": { "http": fake.url("/") }
    } } }));
    let response = client.get("/list").send();
    assert_eq!((response.status(), response.output("result")), (200, json!([1, 2.5, null])));
}

#[test]
fn a_method_without_outputs_ignores_the_body_and_keeps_its_status() {
    let fake = fake::respond(|request| match request.contains("/text") {
        true => "HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\n\r\ndone".to_owned(),
        false => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
    });
    let method = |path: &str| {
        json!({ "POST": {
            "info": "Does it", "options": { "status": 201 }, "handler": { "http": fake.url(path) }
        } })
    };
    let client = serve(&json!({ "text": method("/text"), "empty": method("/empty") }));
    for path in ["/text", "/empty", "/text"] {
        assert_eq!(client.post(path).send().status(), 201);
    }
    assert_eq!(fake.opened(), 1);
}

#[test]
fn outputs_with_another_type_are_an_internal_error() {
    let fake = fake::respond(|_| json_response(r#"{"text":5}"#));
    let response = serve_note(&json!({ "http": fake.url("/") })).get("/note").send();
    assert_eq!(response.status(), 500);
}

#[test]
fn chunked_bodies_and_bodies_until_the_end_of_the_connection_are_received() {
    let fake = fake::start(|connection| {
        connection.request();
        match connection.index {
            0 => {
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5;a=b\r\n{\"tex");
                connection.send("\r\n7\r\nt\":\"a\"}\r\n0\r\nX-T: 1\r\n\r\n");
                connection.request();
                connection.send(json_response(r#"{"text":"b"}"#));
                connection.wait_for_end();
            }
            _ => connection.send("HTTP/1.0 200 OK\r\n\r\n{\"text\":\"c\"}"),
        }
    });
    let client = serve_note(&json!({ "http": fake.url("/") }));
    assert_eq!(client.get("/note").send().output("text"), "a");
    assert_eq!(client.get("/note").send().output("text"), "b");
    assert_eq!(fake.opened(), 1);
    let fake = fake::start(|connection| {
        connection.request();
        connection.send("HTTP/1.0 200 OK\r\n\r\n{\"text\":\"c\"}");
    });
    let client = serve_note(&json!({ "http": fake.url("/") }));
    assert_eq!(client.get("/note").send().output("text"), "c");
}

#[test]
fn informational_responses_are_skipped() {
    let fake = fake::respond(|_| {
        format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{}", json_response(r#"{"text":"late"}"#))
    });
    assert_eq!(serve_note(&json!({ "http": fake.url("/") })).get("/note").send().output("text"), "late");
}

#[test]
fn the_response_to_head_has_the_fields_of_get() {
    let fake = fake::respond(|_| json_response(r#"{"text":"a"}"#));
    let client = serve(&json!({ "note": { "GET": note_method(&json!({ "http": fake.url("/") })) } }));
    let (get, head) = (client.get("/note").send(), client.request("HEAD", "/note").send());
    assert_eq!((head.status(), head.body().len()), (200, 0));
    assert_eq!(head.header("content-length"), get.header("content-length"));
}
