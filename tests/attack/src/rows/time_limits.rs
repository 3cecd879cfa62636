//! Connections that are silent, slow, or do not read, and that the server must close within the time of a limit.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use super::pipelines::send_unread;
use super::{Attack, Row, get, post, post_chunked_head, post_head};
use crate::Result;
use crate::client::Connection;
use crate::measure::clients_of;
use crate::server::Server;

/// The seconds between two messages, and the bytes of a message.
type Next = (u64, &'static [u8]);

/// A kind of slow connections.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Returns the bytes that are sent at the beginning.
    first: fn(&Server) -> Vec<u8>,
    /// The bytes that are sent again and again.
    next: Option<Next>,
    /// The time in seconds after which the server must close the connection.
    pub limit: u64,
    /// `true` if the client reads.
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
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    silent("silent", "nothing is sent", HEAD, |_| Vec::new()),
    slow("slow-head", "a head, one byte each second", HEAD, (1, b"x"), |_| b"GET / HTTP/1.1\r\nX: ".to_vec()),
    silent("slow-next-head", "a request, and one byte of the next", HEAD, |_| [article(), b"G".to_vec()].concat()),
    slow("slow-empty-lines", "an empty line each second, before any request", HEAD, (1, b"\r\n"), |_| Vec::new()),
    slow("idle-empty-lines", "a request, then an empty line each second", IDLE, (1, b"\r\n"), |_| article()),
    silent("idle", "a request, then nothing", IDLE, |_| article()),
    silent("silent-body", "a request without its body", PROGRESS, |_| post_head(SEARCH, JSON, 1000)),
    silent("silent-upgrade", "a request with `Upgrade: websocket`, then nothing", PROGRESS, |_| {
        post(SEARCH, "application/json\r\nConnection: upgrade\r\nUpgrade: websocket", b"{}")
    }),
    silent("silent-multipart", "a megabyte of a multipart body, then nothing", PROGRESS, |_| {
        [post_head(SEARCH, MULTIPART, 2_000_000), vec![b'x'; 1_000_000]].concat()
    }),
    slow("slow-body", "a body, one byte each 3 seconds", BODY, (3, b" "), |_| post_head(SEARCH, JSON, 1000)),
    slow("slow-chunks", "a chunked body, one chunk each 3 seconds", BODY, (3, b"1\r\n \r\n"), |_| {
        post_chunked_head(SEARCH, JSON)
    }),
    slow("slow-multipart", "a multipart body, one byte each 3 seconds", BODY, (3, b"x"), |_| {
        post_head(SEARCH, MULTIPART, 1000)
    }),
    slow("slow-unused-body", "a body that no service reads, one byte each 3 seconds", BODY, (3, b" "), |_| {
        post_head("/nowhere", JSON, 1000)
    }),
    unread("unread-document", "50 requests for the script of Swagger UI, nothing read", |_| {
        get("/docs/swagger/swagger-ui-bundle.js", "").repeat(50)
    }),
    unread("unread-file", "a download of 8 MiB, nothing read", |server| {
        get(&server.large_file_target(), &format!("Authorization: Bearer {}\r\n", server.key))
    }),
    unread("unread-small", "100,000 requests for /healthz, nothing read", |_| get("/healthz", "").repeat(100_000)),
];

const SEARCH: &str = "/publication/search";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=XX";

fn article() -> Vec<u8> {
    get("/article/3", "")
}

type First = fn(&Server) -> Vec<u8>;

const fn silent(name: &'static str, about: &'static str, limit: u64, first: First) -> Row {
    Row { name, about, attack: Attack::TimeLimit(Kind { first, next: None, limit, reads: true }) }
}

const fn slow(name: &'static str, about: &'static str, limit: u64, next: Next, first: First) -> Row {
    Row { name, about, attack: Attack::TimeLimit(Kind { first, next: Some(next), limit, reads: true }) }
}

const fn unread(name: &'static str, about: &'static str, first: First) -> Row {
    Row { name, about, attack: Attack::TimeLimit(Kind { first, next: None, limit: PROGRESS, reads: false }) }
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
        send_unread(&mut connection, &(kind.first)(server));
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
            if !is_open || slow.kind.reads && slow.connection.receive_now() {
                slow.closed = Some(slow.opened.elapsed().as_secs_f64());
            } else if let Some((seconds, next)) = slow.kind.next
                && slow.last_sent.elapsed() >= Duration::from_secs(seconds)
            {
                slow.connection.send_now(next);
                slow.last_sent = Instant::now();
            }
        }
        progress(all.iter().filter(|slow| slow.closed.is_none()).count());
    }
    Ok(all.into_iter().map(|slow| slow.closed).collect())
}
