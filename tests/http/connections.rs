//! Tests connections: when the server keeps them open, and when it closes them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rulebook::{ApiError, Args, CallEnd, Context, Module};
use serde_json::{Value, json};

use super::{echo_server, server_with_handlers};
use crate::client::{Connection, Request, TestServer, wait_until};

const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

#[test]
fn a_connection_stays_open_after_an_error() {
    let server = echo_server(&json!({ "body": 100 }));
    let mut connection = server.connect();
    let cases = [
        (Request::new("GET", "/nowhere"), 404),
        (Request::new("DELETE", "/echo"), 405),
        (Request::new("POST", "/locked").body(FORM_MEDIA_TYPE, "text=word"), 401),
        (Request::new("POST", "/nowhere").body(FORM_MEDIA_TYPE, vec![b'x'; 1000]), 404),
        (Request::new("POST", "/nowhere").chunked(FORM_MEDIA_TYPE, &[b"text", b"=word"]), 404),
        (Request::new("POST", "/echo").body(FORM_MEDIA_TYPE, vec![b'x'; 101]), 413),
        (Request::new("POST", "/echo").body("text/csv", "a,b"), 415),
        (Request::new("POST", "/echo").body(FORM_MEDIA_TYPE, "text=%ff"), 400),
        (Request::new("POST", "/file").body("multipart/form-data; boundary=XX", "nothing"), 400),
        (Request::new("GET", "/echo").body(FORM_MEDIA_TYPE, "word=not+read"), 200),
    ];
    for (request, status) in cases {
        let response = connection.send(&request);
        assert_eq!(response.status, status, "{request:?}: {response:?}");
        assert_eq!(response.field("connection"), None, "{request:?}: {response:?}");
        connection.assert_usable();
    }
}

#[test]
fn a_long_body_that_the_server_does_not_use_is_not_read_to_its_end() {
    let server = echo_server(&json!({}));
    let endless = Request::new("POST", "/nowhere").field("transfer-encoding", "chunked");
    let long = Request::new("POST", "/nowhere").field("content-length", 1_000_000_000);
    for request in [endless, long] {
        let mut connection = server.connect();
        connection.write(&request.head());
        let response = connection.read_response(false);
        response.assert_error(404, "no service has this URI");
        assert_eq!(response.field("connection"), Some("close"));
        // The server closes the connection although the client continues to send its body.
        let chunk = [b"2710\r\n".as_slice(), &[b'x'; 10_000], b"\r\n"].concat();
        let started = Instant::now();
        while connection.stream.write_all(&chunk).is_ok() {
            assert!(started.elapsed() < Duration::from_secs(5), "the server goes on reading");
        }
    }
}

#[test]
fn pipelined_requests_get_their_responses_in_order() {
    let server = echo_server(&json!({}));
    let mut connection = server.connect();
    let mut requests = Vec::new();
    for number in 0..40 {
        requests.push(Request::new("GET", format!("/echo?word={number}")));
        requests.push(Request::new("POST", "/echo").body(FORM_MEDIA_TYPE, format!("text={number}")));
        requests.push(Request::new("POST", "/nowhere").chunked(FORM_MEDIA_TYPE, &[b"text=word"]));
    }
    let all: Vec<u8> = requests.iter().flat_map(Request::bytes).collect();
    let mut writing = connection.stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || writing.write_all(&all).unwrap());
    for number in 0..40 {
        connection.read_response(false).assert_args(&json!({ "word": number.to_string() }));
        connection.read_response(false).assert_args(&json!({ "text": number.to_string() }));
        connection.read_response(false).assert_error(404, "no service has this URI");
    }
    writer.join().unwrap();
}

#[test]
fn the_end_of_a_request_is_found_in_whatever_pieces_it_arrives() {
    let server = echo_server(&json!({}));
    let first = [
        &b"\r\n\nGET /echo?word=first HTTP/1.1\nhost: a\n\n"[..],
        b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\n\
          transfer-encoding: chunked\r\n\r\na;x=0\r\ntext=first\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 21\r\n\r\n\
          {\r\n\r\n\"text\": \"first\"}",
    ];
    let next = Request::new("GET", "/echo?word=next").bytes();
    for first in first {
        let both = [first, &next].concat();
        for split in (0..both.len()).step_by(3) {
            let mut connection = server.connect();
            connection.write(&both[..split]);
            connection.write(&both[split..]);
            for word in ["first", "next"] {
                let response = connection.read_response(false);
                assert!(String::from_utf8_lossy(&response.body).contains(word), "{split}: {response:?}");
            }
        }
    }
}

#[test]
fn a_response_does_not_depend_on_the_request_behind_it() {
    let server = echo_server(&json!({}));
    let next = [
        Request::new("HEAD", "/echo?word=next"),
        Request::new("GET", "/echo?word=next"),
        Request::new("GET", "/echo?word=next").field("connection", "close"),
    ];
    let next: Vec<_> = next.iter().map(|next| (next.bytes(), next.bytes().starts_with(b"HEAD"))).collect();
    let older = (b"GET /echo?word=next HTTP/1.0\r\nHost: a\r\n\r\n".to_vec(), false);
    let first = [
        Request::new("POST", "/echo").body("application/json", r#"{"text":"first"}"#),
        Request::new("POST", "/echo").chunked("application/json", &[b"{\r\n\r\n", br#""text":"first"}"#]),
        Request::new("GET", "/echo?word=first"),
    ];
    for ((next, is_head), first) in
        next.iter().chain([&older]).flat_map(|next| first.iter().map(move |first| (next, first)))
    {
        let both = [&first.bytes()[..], next].concat();
        // However the bytes come, actix must not know the second request before it has responded to the first.
        for split in [0, first.bytes().len() - 1, first.bytes().len(), both.len() - 1] {
            let mut connection = server.connect();
            connection.write(&both[..split]);
            connection.write(&both[split..]);
            let response = connection.read_response(false);
            assert_eq!((response.status, response.field("connection")), (200, None), "{response:?}");
            assert!(String::from_utf8_lossy(&response.body).contains("first"), "{response:?}");
            assert_eq!(connection.read_response(*is_head).status, 200);
        }
    }
}

#[test]
fn a_client_that_closes_its_sending_side_gets_its_response() {
    let server = echo_server(&json!({}));
    let mut connection = server.connect();
    connection.write(&Request::new("POST", "/echo").body(FORM_MEDIA_TYPE, "text=word").bytes());
    connection.close_writing();
    connection.read_response(false).assert_args(&json!({ "text": "word" }));
    connection.assert_closed();
}

#[test]
fn an_incomplete_body_is_refused() {
    let server = echo_server(&json!({}));
    let announced = Request::new("POST", "/echo").field("content-length", 100);
    let chunked = Request::new("POST", "/echo").field("transfer-encoding", "chunked");
    for (request, body, words) in [
        (&announced, "text=word", "the body cannot be read: it is incomplete"),
        (&chunked, "9\r\ntext=word\r\n", "the body cannot be read: it is incomplete"),
        (&chunked, "nonsense\r\n", "the body cannot be read: it is incomplete"),
    ] {
        let mut connection = server.connect();
        connection.write(&request.head());
        connection.write(body.as_bytes());
        connection.close_writing();
        connection.read_response(false).assert_error(400, words);
    }
}

#[test]
fn the_preface_of_http2_gets_the_status_400_and_the_end_of_the_connection() {
    let server = echo_server(&json!({}));
    let mut connection = server.connect();
    connection.write(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[0, 0, 0, 4, 0, 0, 0, 0, 0][..]].concat());
    assert_eq!(connection.read_response(false).status, 400);
    connection.assert_closed();
    server.connect().assert_usable();
}

#[test]
fn bytes_that_are_not_a_request_do_not_affect_the_next_client() {
    let server = echo_server(&json!({}));
    for bytes in
        [&b"\x00\x01\x02\x03\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"PRI * HTTP/2"]
    {
        let mut connection = server.connect();
        connection.write(bytes);
        connection.close_writing();
        while connection.read_more() {}
    }
    server.connect().assert_usable();
}

#[test]
fn the_head_of_each_request_must_arrive_within_ten_seconds() {
    let server = echo_server(&json!({}));
    let [mut silent, mut slow, mut slow_again] = [(); 3].map(|()| connect_with_long_timeout(&server));
    let started = Instant::now();
    slow_again.assert_usable();
    slow_again.write(b"G");
    std::thread::sleep(Duration::from_secs(6));
    slow.write(b"GET / HTTP/1.1\r\n");
    while slow.read_more() {}
    while silent.read_more() {}
    while slow_again.read_more() {}
    let elapsed = started.elapsed().as_secs();
    assert!((9..15).contains(&elapsed), "{elapsed} s");
    for closed in [silent, slow, slow_again] {
        assert!(closed.unread.is_empty(), "{:?}", String::from_utf8_lossy(&closed.unread));
    }
}

#[test]
fn an_invalid_head_ends_the_connection() {
    let server = echo_server(&json!({}));
    for bytes in [&b"\x16\x03\x01\r\n\r\n"[..], b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"] {
        let mut connection = server.connect();
        // The first request is valid, so that the invalid one is not the first of its connection.
        connection.assert_usable();
        connection.write(bytes);
        let response = connection.read_response(false);
        assert_eq!(response.status, 400, "{response:?}");
        connection.assert_closed();
    }
}

#[test]
fn the_response_to_a_head_that_is_too_long_is_not_lost() {
    let server = echo_server(&json!({}));
    let mut connection = server.connect();
    connection.write(&[b"GET / HTTP/1.1\r\nX: ", &[b'x'; 1_000_000][..]].concat());
    assert_eq!(connection.read_response(false).status, 431);
    assert!(connection.stream.read(&mut [0]).is_ok_and(|length| length == 0), "the connection ends without an error");
}

#[test]
fn no_request_is_handled_after_one_that_closes_the_connection() {
    let server = echo_server(&json!({}));
    let without_body = (Request::new("GET", "/echo?word=last"), "word");
    let with_body = (Request::new("POST", "/echo").body("application/json", r#"{"text":"last"}"#), "text");
    for (last, name) in [without_body, with_body] {
        let mut connection = server.connect();
        let next = Request::new("GET", "/echo?word=next");
        connection.write(&[last.field("connection", "close").bytes(), next.bytes()].concat());
        let response = connection.read_response(false);
        response.assert_args(&json!({ name: "last" }));
        assert_eq!(response.field("connection"), Some("close"));
        connection.assert_closed();
    }
}

#[test]
fn a_connection_is_not_reset_because_of_bytes_that_the_server_has_not_read() {
    let server = echo_server(&json!({}));
    let mut connection = server.connect();
    // The rest is longer than what the server reads at once, so that a part of it stays with the system.
    let last = Request::new("GET", "/echo?word=last").field("connection", "close");
    connection.write(&[last.bytes(), Request::new("GET", "/echo").bytes().repeat(5_000)].concat());
    connection.read_response(false).assert_args(&json!({ "word": "last" }));
    assert!(connection.stream.read(&mut [0]).is_ok_and(|length| length == 0), "the connection ends without an error");
}

#[test]
fn a_client_that_reads_no_responses_does_not_delay_other_clients() {
    let server = echo_server(&json!({}));
    let mut greedy = server.connect();
    greedy.stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let requests = Request::new("GET", "/docs/docs.js").bytes().repeat(1000);
    while greedy.stream.write_all(&requests).is_ok() {}
    server.connect().assert_usable();
}

/// Opens a connection whose reads time out after 30 seconds.
fn connect_with_long_timeout(server: &TestServer) -> Connection {
    let connection = server.connect();
    connection.stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    connection
}

/// Counts handlers that have begun, handlers that have ended, and after hooks that have run.
#[derive(Default)]
struct HandlerCounts {
    begun_handlers: AtomicUsize,
    ended_handlers: AtomicUsize,
    after_hooks: AtomicUsize,
}

/// Starts a server whose only handler takes this time, and is counted.
fn server_with_slow_handler(counts: &Arc<HandlerCounts>, takes: Duration) -> TestServer {
    let definition = json!({ "/": { "slow": { "GET": { "info": "Takes some time" } } } });
    let counts = Arc::clone(counts);
    let seen = Arc::clone(&counts);
    let handler = move |_: Args<()>, _: Context| {
        let counts = Arc::clone(&counts);
        async move {
            counts.begun_handlers.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(takes).await;
            counts.ended_handlers.fetch_add(1, Ordering::SeqCst);
            Ok::<_, ApiError>(json!({}))
        }
    };
    let after = move |_: Context, ended: CallEnd| {
        assert_eq!(ended, CallEnd::Succeeded);
        seen.after_hooks.fetch_add(1, Ordering::SeqCst);
        std::future::ready(())
    };
    server_with_handlers(&definition, Module::new("site").get("/slow", handler).after(after))
}

fn load_count(of: &AtomicUsize) -> usize {
    of.load(Ordering::SeqCst)
}

#[test]
fn a_handler_is_not_cancelled_when_its_client_disconnects() {
    let counts = Arc::new(HandlerCounts::default());
    let server = server_with_slow_handler(&counts, Duration::from_millis(300));
    for number in 1..=3 {
        let mut connection = server.connect();
        connection.write(&Request::new("GET", "/slow").bytes());
        assert!(wait_until(|| load_count(&counts.begun_handlers) == number));
        // If the server has received bytes that it has not read, closing the socket resets the connection, and the
        // request ends at once.
        if number > 1 {
            connection.write(&Request::new("GET", "/slow").head()[..10]);
        }
        drop(connection);
        assert!(wait_until(
            || load_count(&counts.ended_handlers) == number && load_count(&counts.after_hooks) == number
        ));
    }
}

#[test]
fn a_stopping_server_finishes_running_requests() {
    let counts = Arc::new(HandlerCounts::default());
    let server = server_with_slow_handler(&counts, Duration::from_millis(300));
    let address = server.address();
    let (mut idle, mut busy) = (server.connect(), server.connect());
    busy.write(&Request::new("GET", "/slow").bytes());
    assert!(wait_until(|| load_count(&counts.begun_handlers) == 1));
    server.running.stopper().stop();
    let response = busy.read_response(false);
    assert_eq!((response.status, response.json()["error"].clone()), (200, Value::from(0)));
    assert!(!idle.read_more(), "a connection without a request is closed");
    let waiting = Instant::now();
    server.running.wait().unwrap();
    // This is much shorter than the time after which the server closes connections of running requests.
    assert!(waiting.elapsed() < Duration::from_secs(20), "{:?}", waiting.elapsed());
    // Another test may already use the port of the stopped server. The server of that test responds, but does not call
    // this handler.
    let gone = wait_until(|| {
        TcpStream::connect(address).map_or(true, |mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
            let asked = stream.write_all(&Request::new("GET", "/slow").bytes());
            asked.and_then(|()| stream.read(&mut [0])).is_ok_and(|length| length > 0)
        })
    });
    assert!(gone, "the server still listens");
    assert_eq!(load_count(&counts.begun_handlers), 1);
}
