//! Tests what one client can use over HTTP/2.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use rulebook::{ApiError, Args, Context, Download, Module};
use serde_json::json;

use super::{echo_server, echo_server_without_shares, server_with_handlers};
use crate::client::{Connection, Request, TestServer, frame, wait_until};
use crate::downloads::engine_returning;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
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

/// Returns frames of the type CONTINUATION with the beginning of a header field of this length.
fn long_field(length: usize) -> Vec<u8> {
    // A length of the value that is longer than all heads (RFC 7541 section 5.1).
    let field = [&[0, 1, b'a', 0x7f, 0x80, 0x80, 0x80, 0x01][..], &vec![b'x'; length - 8]].concat();
    field.chunks(16 << 10).flat_map(|part| frame(CONTINUATION, 0, 1, part)).collect()
}

/// Asserts that clients have exceeded a limit.
#[track_caller]
fn assert_exceeded(server: &TestServer, limit: &str) {
    let metrics = server.send(&Request::new("GET", "/metrics"));
    let text = String::from_utf8(metrics.body).unwrap();
    let counter = format!("rulebook_connection_limits_exceeded_total{{limit=\"{limit}\"}} ");
    assert!(text.lines().any(|line| line.starts_with(&counter) && !line.ends_with(" 0")), "{text}");
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
    assert_exceeded(&server, "head-fields");
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
        ("http2-small-frames", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 63]).repeat(101)),
        ("head-size", [frame(HEADERS, 0, 1, &get_fields("/echo")), long_field(300_000)].concat()),
    ] {
        let mut connection = open_http2(&server);
        connection.write(&frames);
        let (_, reason) = read_frame(&mut connection, GOAWAY);
        assert_eq!(reason[4..8], [0, 0, 0, 0xb], "ENHANCE_YOUR_CALM");
        assert_exceeded(&server, limit);
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
    assert_exceeded(&server, "http2-requests");
    drop(connection);
    assert!(wait_until(|| crate::client::requests_in_flight(server.address()) == 1));
}

#[test]
fn a_connection_with_an_incomplete_head_is_closed_even_if_other_requests_wait() {
    let server = echo_server(&json!({}));
    let started = Instant::now();
    // The second connection has a request whose body is missing.
    let mut connections = [0x5, END_HEADERS].map(|flags| {
        let mut connection = open_http2(&server);
        let fields = [&[0x83][..], &get_fields("/optional")[1..]].concat();
        connection.write(&frame(HEADERS, flags, 1, &fields));
        // Nine bytes and a part of the fields.
        let head = frame(HEADERS, 0x1, 3, &get_fields("/echo"));
        connection.write(&head[..12]);
        connection
    });
    for connection in &mut connections {
        let (_, reason) = read_frame(connection, GOAWAY);
        assert_eq!(reason[4..8], [0, 0, 0, 0xb], "ENHANCE_YOUR_CALM");
    }
    let waited = started.elapsed();
    assert!((9..25).contains(&waited.as_secs()), "{waited:?}");
    assert_exceeded(&server, "head-time");
}

#[test]
fn the_heads_of_all_requests_have_a_maximum_of_memory() {
    const FIELD_LEN: usize = 100_000;
    let server = echo_server_without_shares(&json!({ "head": 200_000 }));
    // These clients never send the bodies of their requests. Their heads nearly use up the memory: a connection whose
    // incomplete head has no place would be closed, and all its heads would become free.
    let waiting: Vec<_> = [62, 62, 62, 62, 62]
        .into_iter()
        .map(|count| {
            let mut connection = open_http2(&server);
            for number in 0..count {
                let stream = 2 * number + 1;
                let fields = [&[0x83][..], &get_fields("/echo")[1..]].concat();
                // The length of the value is 0x7f + 0x21 + (0x0c << 7) + (0x06 << 14) = 100,000.
                let field = [&[0, 1, b'a', 0x7f, 0xa1, 0x8c, 0x06][..], &vec![b'x'; FIELD_LEN]].concat();
                let parts: Vec<_> = field.chunks(16 << 10).collect();
                connection.write(&frame(HEADERS, 0, stream, &fields));
                for (left, part) in (0..parts.len()).rev().zip(parts) {
                    connection.write(&frame(CONTINUATION, END_HEADERS * u8::from(left == 0), stream, part));
                }
            }
            connection
        })
        .collect();
    // The parts of some further heads, which alone use little memory.
    let send_parts = || {
        let long = Request::new("GET", "/echo").field("x-long", "x".repeat(FIELD_LEN)).bytes();
        let mut parts: Vec<_> = (0..50).map(|_| server.connect()).collect();
        parts.iter_mut().for_each(|connection| connection.write(&long[..FIELD_LEN]));
        parts.retain_mut(|connection| !connection.is_silent());
        parts
    };
    let metrics = || String::from_utf8(server.send(&Request::new("GET", "/metrics")).body).unwrap();
    assert!(wait_until(|| !send_parts().is_empty()), "the heads use more memory than the limit: {}", metrics());
    assert_exceeded(&server, "request-memory");
    assert_eq!(server.send(&Request::new("GET", "/echo")).status, 200);
    drop(waiting);
    assert!(wait_until(|| send_parts().is_empty()), "the memory does not become free");
}

#[test]
fn clients_can_permit_as_many_bytes_as_they_have_received_after_each_small_frame() {
    const PIECES: usize = 1_500;
    let pieces = || stream::iter((0..PIECES).map(|_| Ok(Bytes::from_static(b"data: an event\n\n"))));
    let server = TestServer::start(&engine_returning(move || Download::stream(pieces())));
    let mut connection = open_http2(&server);
    connection.write(&frame(HEADERS, WHOLE_REQUEST, 1, &get_fields("/it")));
    let mut received = 0;
    while received < PIECES {
        let (stream, content) = read_frame(&mut connection, DATA);
        assert_eq!((stream, content.len()), (1, 16));
        for stream in [0, 1] {
            connection.write(&frame(WINDOW_UPDATE, 0, stream, &[0, 0, 0, 16]));
        }
        received += 1;
    }
    // The connection can still be used.
    connection.write(&frame(HEADERS, WHOLE_REQUEST, 3, &get_fields("/nothing")));
    assert_eq!(read_frame(&mut connection, HEADERS).0, 3);
}
