//! Responses that are not valid HTTP, or not what a handler accepts. Each is a bad gateway, and its connection is
//! closed and never used again.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::fake::{self, Connection};
use super::{json_response, note_method, rulebook, serve_note};
use rulebook_test::Client;

/// Sends a wrong response on the first connection, and right ones on all others. The call with the wrong response must
/// be a bad gateway, and the next call must succeed.
#[track_caller]
fn check_bad_gateway(description: &str, wrong: impl Fn(&mut Connection) + Send + Sync + 'static) {
    let fake = fake::start(move |connection| {
        while connection.request().is_some() {
            if connection.index == 0 {
                wrong(connection);
                // A connection that would be used again would time out.
                return connection.wait_for_end();
            }
            connection.send(json_response(r#"{"text":"right"}"#));
        }
    });
    let client = serve_note(&json!({ "http": fake.url("/"), "timeout": 20, "max_response": 1000 }));
    let response = client.get("/note").send();
    assert_eq!((response.status(), response.code()), (502, Some("bad-gateway")), "{description}");
    fake.wait_for_closed(1);
    assert_eq!(client.get("/note").send().output("text"), "right", "{description}");
    assert_eq!(fake.opened(), 2, "{description}");
}

#[test]
fn wrong_heads_are_a_bad_gateway() {
    let body = r#"{"text":"a"}"#;
    let heads = [
        "garbage\r\n\r\n".to_owned(),
        "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        "HTTP/1.1 200\u{0} OK\r\n\r\n".to_owned(),
        "HTTP/1.1 99999 OK\r\n\r\n".to_owned(),
        "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nBad Name: x\r\nContent-Length: 12\r\n\r\n{body}"),
        format!("HTTP/1.1 200 OK\r\nX: a\u{0}b\r\nContent-Length: 12\r\n\r\n{body}"),
        format!("HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 12\r\n\r\n{body}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nContent-Length: 13\r\n\r\n{body}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{body}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 12abc\r\n\r\n{body}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{body}\r\n0\r\n\r\n"),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n".to_owned(),
        format!("HTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{body}"),
    ];
    for head in heads {
        check_bad_gateway(&head.clone(), move |connection| connection.send(&head));
    }
}

#[test]
fn heads_over_the_limits_are_a_bad_gateway() {
    check_bad_gateway("an endless field", |connection| {
        connection.send("HTTP/1.1 200 OK\r\nX: ");
        for _ in 0..1000 {
            connection.send("a".repeat(1000));
        }
    });
    check_bad_gateway("endless fields", |connection| {
        connection.send("HTTP/1.1 200 OK\r\n");
        for number in 0..20_000 {
            connection.send(format!("X-{number}: a\r\n"));
        }
    });
    check_bad_gateway("too many fields", |connection| {
        let fields: String = (0..200).map(|number| format!("X-{number}: a\r\n")).collect();
        connection.send(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n"));
    });
}

#[test]
fn the_maximum_size_of_a_head_is_a_setting() {
    let fake = fake::respond(|_| {
        let field = "a".repeat(3000);
        format!("HTTP/1.1 200 OK\r\nX: {field}\r\nContent-Length: 12\r\n\r\n{{\"text\":\"a\"}}")
    });
    for (max_head, status) in [("2KB", 502), ("4KB", 200)] {
        let services = json!({ "note": { "GET": note_method(&json!({ "http": fake.url("/") })) } });
        let client = Client::new(rulebook(&services, &json!({ "max_head": max_head }))).unwrap();
        assert_eq!(client.get("/note").send().status(), status);
    }
}

#[test]
fn wrong_bodies_are_a_bad_gateway() {
    // Valid JSON of 1002 bytes.
    let too_large = format!("{:1002}", r#"{"text":"a"}"#);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let bodies = [
        format!("{chunked}zz\r\n{{\"text\":\"a\"}}\r\n0\r\n\r\n"),
        format!("{chunked}c\r\n{{\"text\":\"a\"}}0\r\n\r\n"),
        format!("{chunked}ffffffffffffffffff\r\n"),
        format!("{chunked}-1\r\n"),
        json_response(&too_large),
        format!("{chunked}3ea\r\n{too_large}\r\n0\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{too_large}"),
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\u{1}\u{2}".to_owned(),
    ];
    for body in bodies {
        check_bad_gateway(&body.clone(), move |connection| connection.send(&body));
    }
}

#[test]
fn connections_that_are_closed_too_early_are_a_bad_gateway() {
    let beginnings = [
        "HTTP/1.1 20",
        "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"text\":\"a\"}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{\"text\":\"a\"}\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{\"text\":\"a\"}\r\n0\r\n",
    ];
    for beginning in beginnings {
        check_bad_gateway(beginning, move |connection| {
            connection.send(beginning);
            let _ = connection.stream.shutdown(std::net::Shutdown::Both);
        });
    }
}

#[test]
fn bodies_that_are_no_json_are_a_bad_gateway_and_keep_their_connection() {
    for body in ["hello", "", "{", "[]", "5", "{\"text\":\"a\"} x", "\u{feff}{}"] {
        let fake = fake::respond(move |_| json_response(if body.is_empty() { "null" } else { body }));
        let client = serve_note(&json!({ "http": fake.url("/") }));
        for _ in 0..2 {
            assert_eq!(client.get("/note").send().status(), 502, "{body}");
        }
        assert_eq!(fake.opened(), 1, "{body}");
    }
}

#[test]
fn deeply_nested_json_is_a_bad_gateway() {
    let fake = fake::respond(|_| json_response(&format!("{{\"text\":{}{}}}", "[".repeat(5000), "]".repeat(5000))));
    assert_eq!(serve_note(&json!({ "http": fake.url("/") })).get("/note").send().status(), 502);
}

/// What the upstream sends after the announced length is never the response to another call.
#[test]
fn bytes_after_a_response_are_never_another_response() {
    let forged = json_response(r#"{"text":"forged"}"#);
    let right = json_response(r#"{"text":"right"}"#);
    for (description, sent) in [
        ("a second response", format!("{right}{forged}")),
        ("a body that is longer than announced", format!("{right}   {forged}")),
        ("a body after a response without one", format!("HTTP/1.1 204 No Content\r\n\r\n{forged}")),
        ("chunks after the last one", {
            let body = "c\r\n{\"text\":\"a\"}\r\n0\r\n\r\n";
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}{forged}")
        }),
    ] {
        let fake = fake::start(move |connection| {
            while connection.request().is_some() {
                if connection.index == 0 {
                    connection.send(&sent);
                    return connection.wait_for_end();
                }
                connection.send(json_response(r#"{"text":"fresh"}"#));
            }
        });
        let client = serve_note(&json!({ "http": fake.url("/") }));
        client.get("/note").send();
        fake.wait_for_closed(1);
        assert_eq!(client.get("/note").send().output("text"), "fresh", "{description}");
    }
}

/// An upstream sends a response without a request while the connection is idle.
#[test]
fn a_response_without_a_request_closes_the_idle_connection() {
    let late = Arc::new(Mutex::new(None));
    let sender = Arc::clone(&late);
    let fake = fake::start(move |connection| {
        if connection.index == 0 {
            *sender.lock().unwrap() = Some(connection.stream.try_clone().unwrap());
        }
        while connection.request().is_some() {
            connection.send(json_response(r#"{"text":"right"}"#));
        }
    });
    let client = serve_note(&json!({ "http": fake.url("/") }));
    assert_eq!(client.get("/note").send().output("text"), "right");
    let mut stream = late.lock().unwrap().take().unwrap();
    std::io::Write::write_all(&mut stream, json_response(r#"{"text":"forged"}"#).as_bytes()).unwrap();
    fake.wait_for_closed(1);
    assert_eq!(client.get("/note").send().output("text"), "right");
    assert_eq!(fake.opened(), 2);
}
