//! Tests of downloads that are streams. A stream is sent piece by piece with bounded memory, and a response whose
//! stream fails never looks complete to the client.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use rulebook::Download;

use super::engine_returning;
use crate::client::{Connection, Request, TestServer, wait_until};

/// A stream of pieces of one KiB. It counts the pieces that have been read, and records that it was dropped.
struct CountingStream {
    remaining_pieces: usize,
    read_pieces: Arc<AtomicUsize>,
    dropped: Arc<AtomicBool>,
}

impl Stream for CountingStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.remaining_pieces == 0 {
            return Poll::Ready(None);
        }
        self.remaining_pieces -= 1;
        self.read_pieces.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 1024]))))
    }
}

impl Drop for CountingStream {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

/// Sends a request and reads the response until the connection ends. Returns the head of the response in lowercase, and
/// the body with its transfer coding.
fn read_all(mut connection: Connection, request: &Request) -> (String, Vec<u8>) {
    connection.write(&request.clone().field("connection", "close").bytes());
    while connection.read_more() {}
    let all = connection.unread;
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").map_or(all.len(), |end| end + 4);
    (String::from_utf8_lossy(&all[..end]).to_lowercase(), all[end..].to_vec())
}

fn get_stream() -> Request {
    Request::new("GET", "/it")
}

#[test]
fn a_stream_is_chunked_and_has_no_ranges() {
    let pieces = || ["ab", "", "cde", "", ""].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
    let server = TestServer::start(&engine_returning(move || Download::stream(stream::iter(pieces())).name("a.txt")));
    let (head, body) = read_all(server.connect(), &get_stream().field("range", "bytes=0-1"));
    assert!(head.starts_with("http/1.1 200"), "{head}");
    for field in ["transfer-encoding: chunked\r\n", "accept-ranges: none\r\n", "content-type: text/plain\r\n"] {
        assert!(head.contains(field), "{field:?} is not in {head}");
    }
    assert_eq!(body, b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
    let (head, body) = read_all(server.connect(), &Request::new("HEAD", "/it"));
    assert!(head.starts_with("http/1.1 200") && body.is_empty(), "{head}");
}

/// Only clients of HTTP/1.1 understand chunks (RFC 9112 section 6.1).
#[test]
fn clients_of_http_1_0_receive_a_stream_without_chunks() {
    let pieces = || ["ab", "cde"].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
    let server = TestServer::start(&engine_returning(move || Download::stream(stream::iter(pieces()))));
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
    let server = TestServer::start(&engine_returning(|| {
        Download::stream(stream::iter([Ok(Bytes::from_static(b"abc"))])).length(3)
    }));
    let response = server.send(&get_stream());
    assert_eq!((response.field("content-length"), &response.body[..]), (Some("3"), &b"abc"[..]));
    assert_eq!(response.field("accept-ranges"), Some("none"));
}

type MakeDownload = fn() -> Download;

fn stream_piece(text: &'static str) -> io::Result<Bytes> {
    Ok(Bytes::from_static(text.as_bytes()))
}

/// After an error, a panic or a wrong length, the server closes the connection before the end of the body.
#[test]
fn a_failing_stream_does_not_look_complete() {
    let broken: [(&str, MakeDownload); 5] = [
        ("an error", || Download::stream(stream::iter([stream_piece("abc"), Err(io::Error::other("gone"))]))),
        ("a panic", || {
            Download::stream(stream::iter([stream_piece("abc")]).chain(stream::once(async { panic!("as asked") })))
        }),
        ("too short", || Download::stream(stream::iter([stream_piece("abc")])).length(4)),
        ("too long", || Download::stream(stream::iter([stream_piece("abc"), stream_piece("def")])).length(4)),
        ("an error at once", || Download::stream(stream::iter([Err(io::Error::other("gone"))])).length(4)),
    ];
    for (what, make) in broken {
        let server = TestServer::start(&engine_returning(make));
        let (head, body) = read_all(server.connect(), &get_stream());
        assert!(head.contains("content-length: 4") || !body.ends_with(b"0\r\n\r\n"), "{what}: {head}");
        assert!(!head.contains("content-length: 4") || body.len() < 4, "{what}: {body:?}");
        assert!(!body.windows(3).any(|three| three == b"def"), "{what}: {body:?}");
        // The server still handles requests.
        let (head, _) = read_all(server.connect(), &Request::new("HEAD", "/it"));
        assert!(head.starts_with("http/1.1 200"), "{what}: {head}");
    }
}

#[test]
fn a_stream_is_read_only_as_fast_as_the_client_reads() {
    const PIECES: usize = 64 << 10;
    let (taken, dropped) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let (own, end) = (Arc::clone(&taken), Arc::clone(&dropped));
    let server = TestServer::start(&engine_returning(move || {
        Download::stream(CountingStream {
            remaining_pieces: PIECES,
            read_pieces: Arc::clone(&own),
            dropped: Arc::clone(&end),
        })
    }));
    let mut connection = server.connect();
    connection.write(&get_stream().bytes());
    let mut received = 0;
    let mut most = 0;
    // Each piece of 1 KiB is sent as one chunk, which also has its length `400` and two line ends.
    let sent_by = |taken: usize| taken * (1024 + 7);
    while received < sent_by(PIECES) {
        connection.unread.clear();
        assert!(connection.read_more(), "{received} bytes came");
        received += connection.unread.len();
        most = most.max(sent_by(taken.load(Ordering::SeqCst)).saturating_sub(received));
    }
    // The bytes that were sent and not received are in the buffers of both sockets. The system chooses their size.
    assert!(most < 16 << 20, "{most} bytes were ahead of the client");
    assert_eq!(taken.load(Ordering::SeqCst), PIECES);
    assert!(wait_until(|| dropped.load(Ordering::SeqCst)));
}

#[test]
fn a_stream_is_dropped_when_its_client_disconnects() {
    let (taken, dropped) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let (own, end) = (Arc::clone(&taken), Arc::clone(&dropped));
    let server = TestServer::start(&engine_returning(move || {
        Download::stream(CountingStream {
            remaining_pieces: usize::MAX,
            read_pieces: Arc::clone(&own),
            dropped: Arc::clone(&end),
        })
    }));
    let mut connection = server.connect();
    connection.write(&get_stream().bytes());
    assert!(connection.read_more());
    drop(connection);
    assert!(wait_until(|| dropped.load(Ordering::SeqCst)), "the stream is dropped after the client has disconnected");
}
