//! Tests what one client can use over HTTP/2.

use std::time::Duration;

use rulebook::{ApiError, Args, Context, Module};
use serde_json::json;

use super::{echo_server, server_with_handlers};
use crate::client::{Connection, Request, TestServer, frame, wait_until};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
/// The flag of a frame that ends the header fields of a request.
const END_HEADERS: u8 = 0x4;
/// The flags of a frame with all header fields of a request that has no body.
const WHOLE_REQUEST: u8 = 0x5;
/// The number of requests that are handled at the same time on one connection.
const MAX_CONCURRENT_REQUESTS: u32 = 100;

fn open_http2(server: &TestServer) -> Connection {
    let mut connection = server.connect();
    connection.write(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(SETTINGS, 0, 0, &[])[..]].concat());
    connection
}

/// Returns the header fields of `GET` at a path with the scheme http, encoded as in RFC 7541 section 6.
fn get_fields(path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    [&[0x82, 0x86, 0x04, length][..], path.as_bytes(), &[0x41, 4], b"test"].concat()
}

/// Reads frames until one has this type, and returns its stream and its content.
fn read_frame(connection: &mut Connection, kind: u8) -> (u32, Vec<u8>) {
    loop {
        while connection.unread.len() < 9 {
            assert!(connection.read_more(), "the connection is closed");
        }
        let length = usize::from(connection.unread[1]) << 8 | usize::from(connection.unread[2]);
        while connection.unread.len() < 9 + length {
            assert!(connection.read_more(), "the connection is closed");
        }
        let whole: Vec<u8> = connection.unread.drain(..9 + length).collect();
        if whole[3] == kind {
            return (u32::from_be_bytes([whole[5], whole[6], whole[7], whole[8]]), whole[9..].to_vec());
        }
    }
}

#[test]
fn a_request_with_too_many_header_fields_is_refused_and_counted() {
    let server = echo_server(&json!({}));
    let mut connection = open_http2(&server);
    // Each field is `a:`, a literal that is not added to the table of the connection.
    let fields = [get_fields("/echo"), [0, 1, b'a', 0].repeat(101)].concat();
    connection.write(&frame(HEADERS, WHOLE_REQUEST, 1, &fields));
    let (stream, response) = read_frame(&mut connection, HEADERS);
    assert_ne!((stream, response[0]), (1, 0x88), "the status is 200");
    let metrics = server.send(&Request::new("GET", "/metrics"));
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.contains("rulebook_connection_limits_exceeded_total{limit=\"head-fields\"} 1\n"), "{text}");
    // The connection can still be used.
    connection.write(&frame(HEADERS, WHOLE_REQUEST, 3, &get_fields("/echo")));
    let (stream, response) = read_frame(&mut connection, HEADERS);
    assert_eq!((stream, response[0]), (3, 0x88), "the status is 200");
}

#[test]
fn a_connection_with_too_many_fields_or_small_frames_is_closed_before_they_are_handled() {
    let server = echo_server(&json!({}));
    let many_fields = frame(HEADERS, WHOLE_REQUEST, 1, &[get_fields("/echo"), vec![0x90; 400]].concat());
    let small_frames = frame(DATA, 0, 1, b"1234567").repeat(1_001);
    let unfinished_head = frame(HEADERS, 0, 1, &get_fields("/echo"));
    let empty_continuations = [unfinished_head, frame(CONTINUATION, 0, 1, b"").repeat(1_001)].concat();
    for (limit, frames) in [
        ("head-fields", many_fields),
        ("http2-small-frames", [frame(HEADERS, END_HEADERS, 1, &get_fields("/echo")), small_frames].concat()),
        ("http2-small-frames", empty_continuations),
    ] {
        let mut connection = open_http2(&server);
        connection.write(&frames);
        let (_, reason) = read_frame(&mut connection, GOAWAY);
        assert_eq!(reason[4..8], [0, 0, 0, 0xb], "ENHANCE_YOUR_CALM");
        let metrics = server.send(&Request::new("GET", "/metrics"));
        let counter = format!("rulebook_connection_limits_exceeded_total{{limit=\"{limit}\"}} ");
        let text = String::from_utf8(metrics.body).unwrap();
        assert!(text.lines().any(|line| line.starts_with(&counter) && !line.ends_with(" 0")), "{text}");
    }
}

#[test]
fn requests_above_the_number_of_concurrent_requests_are_refused() {
    let definition = json!({ "/": { "slow": { "GET": { "info": "Takes some time" } } } });
    let handler = |_: Args<()>, _: Context| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, ApiError>(json!({}))
    };
    let server = server_with_handlers(&definition, Module::new("site").get("/slow", handler));
    let mut connection = open_http2(&server);
    let requests = (0..=MAX_CONCURRENT_REQUESTS).map(|number| 2 * number + 1);
    for stream in requests {
        connection.write(&frame(HEADERS, WHOLE_REQUEST, stream, &get_fields("/slow")));
    }
    let (stream, reason) = read_frame(&mut connection, RST_STREAM);
    assert_eq!((stream, &reason[..]), (2 * MAX_CONCURRENT_REQUESTS + 1, &[0, 0, 0, 7][..]), "REFUSED_STREAM");
    for _ in 0..MAX_CONCURRENT_REQUESTS {
        let (_, response) = read_frame(&mut connection, HEADERS);
        assert_eq!(response[0], 0x88, "the status is 200");
    }
    drop(connection);
    assert!(wait_until(|| crate::client::requests_in_flight(server.address()) == 1));
}
