//! Upstreams that do not respond in time.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::fake::{self, Connection};
use super::{json_response, serve_note};

/// The first connection stalls. The call must time out, and the next call must succeed on another connection.
#[track_caller]
fn check_timeout(stall: impl Fn(&mut Connection) + Send + Sync + 'static) {
    let fake = fake::start(move |connection| {
        while connection.request().is_some() {
            if connection.index == 0 {
                return stall(connection);
            }
            connection.send(json_response(r#"{"text":"right"}"#));
        }
    });
    let client = serve_note(&json!({ "http": fake.url("/"), "timeout": 0.3 }));
    let response = client.get("/note").send();
    assert_eq!((response.status(), response.code()), (504, Some("gateway-timeout")));
    // The connection is closed even though the upstream has not responded.
    fake.wait_for_closed(1);
    assert_eq!(fake.requests().len(), 1, "the request was sent again");
    let client = serve_note(&json!({ "http": fake.url("/") }));
    assert_eq!(client.get("/note").send().output("text"), "right");
}

#[test]
fn an_upstream_that_sends_nothing_is_a_gateway_timeout() {
    check_timeout(Connection::wait_for_end);
}

#[test]
fn an_upstream_that_stalls_in_the_head_is_a_gateway_timeout() {
    check_timeout(|connection| {
        connection.send("HTTP/1.1 200 OK\r\nX-A: ");
        connection.wait_for_end();
    });
}

#[test]
fn an_upstream_that_stalls_in_the_body_is_a_gateway_timeout() {
    check_timeout(|connection| {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"te");
        connection.wait_for_end();
    });
}

#[test]
fn an_upstream_that_sends_single_bytes_is_a_gateway_timeout() {
    check_timeout(|connection| {
        connection.send("HTTP/1.1 200 OK\r\nX-A: ");
        // The upstream ends only when the connection is closed.
        while std::io::Write::write_all(&mut connection.stream, b"a").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
}

#[test]
fn endless_informational_responses_are_a_gateway_timeout() {
    check_timeout(|connection| {
        while std::io::Write::write_all(&mut connection.stream, b"HTTP/1.1 103 Early Hints\r\n\r\n").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
}
