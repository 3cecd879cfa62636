//! Streams: sent piece by piece with bounded memory; a stream that fails never looks complete.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use rulebook::Download;

use super::returning;
use crate::client::{Connection, Request, TestServer, wait_until};

/// A stream of pieces of one KiB that counts how many have been read, and records when it is dropped.
struct Counting {
    left: usize,
    taken: Arc<AtomicUsize>,
    dropped: Arc<AtomicBool>,
}

impl Stream for Counting {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.taken.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 1024]))))
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

/// Reads a response to the end of the connection. Returns its head, and its body with the chunked coding.
fn read_all(mut connection: Connection, request: &Request) -> (String, Vec<u8>) {
    connection.write(&request.clone().field("connection", "close").bytes());
    while connection.read_more() {}
    let all = connection.unread;
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").map_or(all.len(), |end| end + 4);
    (String::from_utf8_lossy(&all[..end]).to_lowercase(), all[end..].to_vec())
}

fn get() -> Request {
    Request::new("GET", "/it")
}

#[test]
fn a_stream_is_chunked_and_has_no_ranges() {
    let pieces = || ["ab", "", "cde", "", ""].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
    let server = TestServer::start(&returning(move || Download::stream(stream::iter(pieces())).name("a.txt")));
    let (head, body) = read_all(server.connect(), &get().field("range", "bytes=0-1"));
    assert!(head.starts_with("http/1.1 200"), "{head}");
    for field in ["transfer-encoding: chunked\r\n", "accept-ranges: none\r\n", "content-type: text/plain\r\n"] {
        assert!(head.contains(field), "{field:?} is not in {head}");
    }
    assert_eq!(body, b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
    let (head, body) = read_all(server.connect(), &Request::new("HEAD", "/it"));
    assert!(head.starts_with("http/1.1 200") && body.is_empty(), "{head}");
}

/// RFC 9112 section 6.1: only clients of HTTP/1.1 understand chunks.
#[test]
fn clients_of_http_1_0_get_no_chunks() {
    let pieces = || ["ab", "cde"].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
    let server = TestServer::start(&returning(move || Download::stream(stream::iter(pieces()))));
    for method in ["GET", "HEAD"] {
        let mut connection = server.connect();
        connection.write(format!("{method} /it HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").as_bytes());
        while connection.read_more() {}
        let all = String::from_utf8(connection.unread).unwrap().to_lowercase();
        let (head, body) = all.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("http/1.0 200"), "{head}");
        assert!(!head.contains("transfer-encoding") && !head.contains("keep-alive"), "{head}");
        assert_eq!(body, if method == "GET" { "abcde" } else { "" });
    }
}

#[test]
fn a_stream_with_a_known_length_has_a_content_length() {
    let server =
        TestServer::start(&returning(|| Download::stream(stream::iter([Ok(Bytes::from_static(b"abc"))])).length(3)));
    let response = server.send(&get());
    assert_eq!((response.field("content-length"), &response.body[..]), (Some("3"), &b"abc"[..]));
    assert_eq!(response.field("accept-ranges"), Some("none"));
}

type Make = fn() -> Download;

fn piece(text: &'static str) -> io::Result<Bytes> {
    Ok(Bytes::from_static(text.as_bytes()))
}

/// An error, a panic and a wrong length each close the connection before the end of the body.
#[test]
fn a_failing_stream_does_not_look_complete() {
    let broken: [(&str, Make); 5] = [
        ("an error", || Download::stream(stream::iter([piece("abc"), Err(io::Error::other("gone"))]))),
        ("a panic", || {
            Download::stream(stream::iter([piece("abc")]).chain(stream::once(async { panic!("as asked") })))
        }),
        ("too short", || Download::stream(stream::iter([piece("abc")])).length(4)),
        ("too long", || Download::stream(stream::iter([piece("abc"), piece("def")])).length(4)),
        ("an error at once", || Download::stream(stream::iter([Err(io::Error::other("gone"))])).length(4)),
    ];
    for (what, make) in broken {
        let server = TestServer::start(&returning(make));
        let (head, body) = read_all(server.connect(), &get());
        assert!(head.contains("content-length: 4") || !body.ends_with(b"0\r\n\r\n"), "{what}: {head}");
        assert!(!head.contains("content-length: 4") || body.len() < 4, "{what}: {body:?}");
        assert!(!body.windows(3).any(|three| three == b"def"), "{what}: {body:?}");
        // The server handles further requests.
        let (head, _) = read_all(server.connect(), &Request::new("HEAD", "/it"));
        assert!(head.starts_with("http/1.1 200"), "{what}: {head}");
    }
}

#[test]
fn a_stream_is_read_only_as_fast_as_the_client_reads() {
    const PIECES: usize = 64 << 10;
    let (taken, dropped) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let (own, end) = (Arc::clone(&taken), Arc::clone(&dropped));
    let server = TestServer::start(&returning(move || {
        Download::stream(Counting { left: PIECES, taken: Arc::clone(&own), dropped: Arc::clone(&end) })
    }));
    let mut connection = server.connect();
    connection.write(&get().bytes());
    let mut received = 0;
    let mut most = 0;
    // Each KiB is one chunk, with its length `400` and two line ends.
    let sent_by = |taken: usize| taken * (1024 + 7);
    while received < sent_by(PIECES) {
        connection.unread.clear();
        assert!(connection.read_more(), "{received} bytes came");
        received += connection.unread.len();
        most = most.max(sent_by(taken.load(Ordering::SeqCst)).saturating_sub(received));
    }
    // The difference is in the buffers of both sockets, whose size the system chooses.
    assert!(most < 16 << 20, "{most} bytes were ahead of the client");
    assert_eq!(taken.load(Ordering::SeqCst), PIECES);
    assert!(wait_until(|| dropped.load(Ordering::SeqCst)));
}

#[test]
fn a_stream_is_dropped_when_its_client_disconnects() {
    let (taken, dropped) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let (own, end) = (Arc::clone(&taken), Arc::clone(&dropped));
    let server = TestServer::start(&returning(move || {
        Download::stream(Counting { left: usize::MAX, taken: Arc::clone(&own), dropped: Arc::clone(&end) })
    }));
    let mut connection = server.connect();
    connection.write(&get().bytes());
    assert!(connection.read_more());
    drop(connection);
    assert!(wait_until(|| dropped.load(Ordering::SeqCst)), "it goes on for nobody");
}
