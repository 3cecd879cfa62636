//! Connections that are silent, slow, or do not read, and that the server must close within the time of a limit.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use super::pipelines::send_unread;
use super::{AUTHORIZATION, Attack, Row, get, post, post_chunked_head, post_head};
use crate::Result;
use crate::client::Connection;
use crate::measure::clients_of;
use crate::server::{LARGE_FILE_TARGET, Server};

/// A kind of slow connections.
pub struct Kind {
    /// The bytes that are sent at the beginning.
    first: Vec<u8>,
    /// The seconds after which the next bytes are sent, again and again, and these bytes.
    next: Option<(u64, &'static [u8])>,
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

const SEARCH: &str = "/publication/search";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=XX";

/// Returns the rows of this family.
pub fn rows() -> Vec<Row> {
    let article = get("/article/3", "");
    let next = [&article[..], b"G"].concat();
    let upgrade = post(SEARCH, "application/json\r\nUpgrade: websocket\r\nConnection: upgrade", b"{}");
    let part = b"--XX\r\nContent-Disposition: form-data; name=\"words\"\r\n\r\n";
    let half = [&post_head(SEARCH, MULTIPART, 400_000)[..], part, &[b'x'; 200_000]].concat();
    let (body, unused) = (post_head(SEARCH, JSON, 1000), post_head("/nowhere", JSON, 1000));
    let (chunks, parts) = (post_chunked_head(SEARCH, JSON), post_head(SEARCH, MULTIPART, 1000));
    let script = get("/docs/swagger/swagger-ui-bundle.js", "").repeat(50);
    let file = get(LARGE_FILE_TARGET, &format!("{AUTHORIZATION}\r\n"));
    vec![
        silent("silent", "nothing is sent", HEAD, Vec::new()),
        slow("slow-head", "a head, one byte each second", HEAD, (1, b"x"), b"GET / HTTP/1.1\r\nX: ".to_vec()),
        silent("slow-next-head", "a request, and one byte of the next", HEAD, next),
        slow("slow-empty-lines", "an empty line each second, before any request", HEAD, (1, b"\r\n"), Vec::new()),
        slow("idle-empty-lines", "a request, then an empty line each second", IDLE, (1, b"\r\n"), article.clone()),
        silent("idle", "a request, then nothing", IDLE, article),
        silent("silent-body", "a request without its body", PROGRESS, body.clone()),
        silent("silent-upgrade", "a request with `Upgrade: websocket`, then nothing", PROGRESS, upgrade),
        silent("silent-multipart", "200 KB of a multipart body, then nothing", PROGRESS, half),
        slow("slow-body", "a body, one byte each 3 seconds", BODY, (3, b" "), body),
        slow("slow-chunks", "a chunked body, one chunk each 3 seconds", BODY, (3, b"1\r\n \r\n"), chunks),
        slow("slow-multipart", "a multipart body, one byte each 3 seconds", BODY, (3, b"x"), parts),
        slow("slow-unused-body", "a body that no service reads, one byte each 3 seconds", BODY, (3, b" "), unused),
        unread("unread-document", "50 requests for the script of Swagger UI, nothing read", script),
        unread("unread-file", "a download of 8 MiB, nothing read", file),
        unread("unread-small", "100,000 requests for /healthz, nothing read", get("/healthz", "").repeat(100_000)),
    ]
}

fn silent(name: &'static str, about: &'static str, limit: u64, first: Vec<u8>) -> Row {
    Row { name, about, attack: Attack::TimeLimit(Kind { first, next: None, limit, reads: true }) }
}

fn slow(name: &'static str, about: &'static str, limit: u64, next: (u64, &'static [u8]), first: Vec<u8>) -> Row {
    Row { name, about, attack: Attack::TimeLimit(Kind { first, next: Some(next), limit, reads: true }) }
}

fn unread(name: &'static str, about: &'static str, first: Vec<u8>) -> Row {
    Row { name, about, attack: Attack::TimeLimit(Kind { first, next: None, limit: PROGRESS, reads: false }) }
}

/// A slow connection, and when it was opened and closed.
struct SlowConnection<'k> {
    connection: Connection,
    kind: &'k Kind,
    opened: Instant,
    last_sent: Instant,
    /// The seconds after which the server closed the connection.
    closed: Option<f64>,
}

/// Opens a connection of each kind at the same time, and waits until the server has closed them or `max_seconds` are
/// over. Returns, for each kind, the seconds after which the server closed the connection; `None` if it did not.
pub fn measure(server: &Server, kinds: &[&Kind], max_seconds: u64) -> Result<Vec<Option<f64>>> {
    let mut all = Vec::new();
    for kind in kinds {
        let mut connection = server.target.connect_with_small_buffer([0, 7])?;
        let opened = Instant::now();
        send_unread(&mut connection, &server.with_key(&kind.first));
        // A client that reads nothing may send for some time, while the server still makes progress.
        let opened = if kind.reads { opened } else { Instant::now() };
        all.push(SlowConnection { connection, kind, opened, last_sent: Instant::now(), closed: None });
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
    }
    Ok(all.into_iter().map(|slow| slow.closed).collect())
}
