//! Connections that are silent, slow, or do not read, and that the server must close within the time of a limit.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use super::pipelines::send_unread;
use super::{Attack, Row, get, post};
use crate::Result;
use crate::client::Connection;
use crate::frames::{
    DATA, END_STREAM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PING, PREFACE, RST_STREAM, WINDOW_UPDATE, frame, opening,
    push_frame, push_request, request_fields, take_frames,
};
use crate::measure::clients_of;
use crate::server::Server;

/// The seconds between two messages, and the function that returns the bytes of a message.
type Next = (u64, fn() -> Vec<u8>);

/// A kind of slow connections.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Returns the bytes that are sent at the beginning.
    first: fn(&Server) -> Vec<u8>,
    /// The bytes that are sent again and again.
    next: Option<Next>,
    /// The time in seconds after which the server must close the connection.
    pub limit: u64,
    /// `true` if the client reads. The server may then also cancel the request of HTTP/2 instead of the connection.
    reads: bool,
}

/// The time for the head of a request, in seconds.
const HEAD: u64 = 10;
/// The time without progress, in seconds.
const PROGRESS: u64 = 30;
/// The time for a body (`seconds` in the limits of a definition), in seconds.
const BODY: u64 = 60;
/// The time for which an idle connection stays open, in seconds.
const IDLE: u64 = 75;
/// The additional time that a server may take, in seconds.
pub const SLACK: u64 = 5;

/// The rows of this family.
pub const ROWS: &[Row] =
    &[
        silent("silent", "nothing is sent", HEAD, |_| Vec::new()),
        slow(
            "slow-head",
            "a head, one byte each second",
            HEAD,
            |_| b"GET / HTTP/1.1\r\nX: ".to_vec(),
            (1, || b"x".to_vec()),
        ),
        silent("slow-next-head", "a request, and one byte of the next", HEAD, |_| {
            [get("/article/3", ""), b"G".to_vec()].concat()
        }),
        slow(
            "slow-empty-lines",
            "an empty line each second, before any request",
            HEAD,
            |_| Vec::new(),
            (1, || b"\r\n".to_vec()),
        ),
        slow(
            "idle-empty-lines",
            "a request, then an empty line each second",
            IDLE,
            |_| get("/article/3", ""),
            (1, || b"\r\n".to_vec()),
        ),
        silent("idle", "a request, then nothing", IDLE, |_| get("/article/3", "")),
        silent("silent-body", "a request without its body", PROGRESS, |_| body_head()),
        silent("silent-multipart", "a megabyte of a multipart body, then nothing", PROGRESS, |_| {
            let mut request = post("/publication/search", "multipart/form-data; boundary=XX", &[b'x'; 2_000_000]);
            request.truncate(request.len() - 1_000_000);
            request
        }),
        slow("slow-body", "a body, one byte each 3 seconds", BODY, |_| body_head(), (3, || b" ".to_vec())),
        slow(
            "slow-chunks",
            "a chunked body, one chunk each 3 seconds",
            BODY,
            |_| {
                let head = post("/publication/search", "application/json", b"");
                String::from_utf8_lossy(&head).replace("Content-Length: 0", "Transfer-Encoding: chunked").into_bytes()
            },
            (3, || b"1\r\n \r\n".to_vec()),
        ),
        slow(
            "slow-multipart",
            "a multipart body, one byte each 3 seconds",
            BODY,
            |_| {
                let mut request = post("/publication/search", "multipart/form-data; boundary=XX", &[b'x'; 1000]);
                request.truncate(request.len() - 1000);
                request
            },
            (3, || b"x".to_vec()),
        ),
        slow(
            "slow-unused-body",
            "a body that no service reads, one byte each 3 seconds",
            BODY,
            |_| {
                let mut request = post("/nowhere", "application/json", &[b' '; 1000]);
                request.truncate(request.len() - 1000);
                request
            },
            (3, || b" ".to_vec()),
        ),
        unread("unread-document", "50 requests for the script of Swagger UI, nothing read", |_| {
            get("/docs/swagger/swagger-ui-bundle.js", "").repeat(50)
        }),
        unread("unread-file", "a download of 8 MiB, nothing read", |server| {
            get(&server.large_file_target(), &format!("Authorization: Bearer {}\r\n", server.key))
        }),
        unread("unread-small", "100,000 requests for /healthz, nothing read", |_| get("/healthz", "").repeat(100_000)),
        silent("http2-silent", "the preface of HTTP/2 only", HEAD, |_| PREFACE.to_vec()),
        silent("http2-settings-only", "the preface and the settings of HTTP/2 only", HEAD, |_| opening(&[])),
        slow(
            "http2-slow-ping",
            "HTTP/2 without a request, a PING frame each second",
            HEAD,
            |_| opening(&[]),
            (1, || frame(PING, 0, 0, b"12345678")),
        ),
        silent("http2-unfinished-head", "HTTP/2, HEADERS without END_HEADERS", HEAD, |_| {
            let mut bytes = opening(&[]);
            push_frame(&mut bytes, HEADERS, 1, 1, &request_fields("GET", "/", &[]));
            bytes
        }),
        next_head("http2-next-head", "HTTP/2, a request, then HEADERS without END_HEADERS", |_| {
            unfinished_second_head(&[])
        }),
        next_head("http2-next-head-waiting", "HTTP/2, a request whose response waits, then an unfinished head", |_| {
            unfinished_second_head(&[(INITIAL_WINDOW_SIZE, 0)])
        }),
        slow(
            "http2-slow-body",
            "HTTP/2, a body of one byte each 3 seconds",
            BODY,
            |_| {
                let mut bytes = opening(&[]);
                push_request(
                    &mut bytes,
                    1,
                    true,
                    &request_fields("POST", "/publication/search", &[("content-type", "application/json")]),
                );
                bytes
            },
            (3, || frame(DATA, 0, 1, b" ")),
        ),
        silent("http2-no-window", "HTTP/2, a request, and no window for its response", PROGRESS, |_| {
            let mut bytes = opening(&[(INITIAL_WINDOW_SIZE, 0)]);
            push_request(&mut bytes, 1, false, &request_fields("GET", "/openapi.json", &[]));
            bytes
        }),
        unread("http2-unread", "HTTP/2, 90 requests for the script of Swagger UI, nothing read", |_| {
            let mut bytes = opening(&[(INITIAL_WINDOW_SIZE, 0x7fff_ffff)]);
            push_frame(&mut bytes, WINDOW_UPDATE, 0, 0, &0x7fff_0000_u32.to_be_bytes());
            for number in 0..90 {
                let fields = request_fields("GET", "/docs/swagger/swagger-ui-bundle.js", &[]);
                push_request(&mut bytes, 2 * number + 1, false, &fields);
            }
            bytes
        }),
    ];

const fn silent(name: &'static str, about: &'static str, limit: u64, first: fn(&Server) -> Vec<u8>) -> Row {
    Row { name, about, attack: Attack::TimeLimit(Kind { first, next: None, limit, reads: true }) }
}

const fn slow(name: &'static str, about: &'static str, limit: u64, first: fn(&Server) -> Vec<u8>, next: Next) -> Row {
    Row { name, about, attack: Attack::TimeLimit(Kind { first, next: Some(next), limit, reads: true }) }
}

const fn unread(name: &'static str, about: &'static str, first: fn(&Server) -> Vec<u8>) -> Row {
    Row { name, about, attack: Attack::TimeLimit(Kind { first, next: None, limit: PROGRESS, reads: false }) }
}

/// Returns a row whose connection must be closed because of an incomplete head, whether or not its first request has
/// ended.
const fn next_head(name: &'static str, about: &'static str, first: fn(&Server) -> Vec<u8>) -> Row {
    Row { name, about, attack: Attack::TimeLimit(Kind { first, next: None, limit: HEAD, reads: false }) }
}

/// Returns a connection of HTTP/2 with a request, and HEADERS without END_HEADERS.
fn unfinished_second_head(settings: &[(u16, u32)]) -> Vec<u8> {
    let mut bytes = opening(settings);
    push_request(&mut bytes, 1, false, &request_fields("GET", "/openapi.json", &[]));
    push_frame(&mut bytes, HEADERS, END_STREAM, 3, &request_fields("GET", "/", &[]));
    bytes
}

fn body_head() -> Vec<u8> {
    let mut request = post("/publication/search", "application/json", &[b' '; 1000]);
    request.truncate(request.len() - 1000);
    request
}

/// A slow connection, and when it was opened and closed.
struct SlowConnection {
    connection: Connection,
    kind: Kind,
    opened: Instant,
    last_sent: Instant,
    /// The seconds after which the server closed the connection.
    closed: Option<f64>,
}

/// Opens a connection of each kind at the same time, and waits until the server has closed them or `max_seconds` are
/// over. Returns, for each kind, the seconds after which the server closed the connection; `None` if it did not.
/// `progress` is called with the number of open connections.
///
/// # Errors
/// Fails if the server does not accept the connections.
pub fn measure(
    server: &Server,
    kinds: &[Kind],
    max_seconds: u64,
    mut progress: impl FnMut(usize),
) -> Result<Vec<Option<f64>>> {
    let mut all = Vec::new();
    for kind in kinds {
        let mut connection = server.target.connect_with_small_buffer([0, 7])?;
        let opened = Instant::now();
        let bytes = (kind.first)(server);
        send_unread(&mut connection, &bytes);
        // A client that reads nothing may send for some time, while the server still makes progress.
        let opened = if kind.reads { opened } else { Instant::now() };
        all.push(SlowConnection { connection, kind: *kind, opened, last_sent: Instant::now(), closed: None });
    }
    let begun = Instant::now();
    while all.iter().any(|slow| slow.closed.is_none()) && begun.elapsed() < Duration::from_secs(max_seconds) {
        thread::sleep(Duration::from_millis(200));
        let clients: HashSet<_> = clients_of(server.target.address())?.into_iter().collect();
        for slow in all.iter_mut().filter(|slow| slow.closed.is_none()) {
            let is_open = slow.connection.local_address().is_ok_and(|address| clients.contains(&address));
            if !is_open || slow.kind.reads && slow.has_ended() {
                slow.closed = Some(slow.opened.elapsed().as_secs_f64());
            } else if let Some((seconds, next)) = slow.kind.next
                && slow.last_sent.elapsed() >= Duration::from_secs(seconds)
            {
                slow.connection.send_now(&next());
                slow.last_sent = Instant::now();
            }
        }
        progress(all.iter().filter(|slow| slow.closed.is_none()).count());
    }
    Ok(all.into_iter().map(|slow| slow.closed).collect())
}

impl SlowConnection {
    /// Reads what the server has sent. Returns `true` if the server has closed the connection, or has ended the
    /// request or the connection of HTTP/2.
    fn has_ended(&mut self) -> bool {
        let is_closed = self.connection.receive_now();
        let received = &mut self.connection.received;
        // The first frame of a server is SETTINGS; HTTP/1 begins with the letter H.
        let mut has_ended = false;
        if received.first() == Some(&0) {
            take_frames(received, |kind, flags, _, _| {
                let is_last = matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0;
                has_ended |= is_last || kind == RST_STREAM || kind == GOAWAY;
            });
        }
        is_closed || has_ended
    }
}
