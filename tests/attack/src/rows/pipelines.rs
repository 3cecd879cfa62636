//! Many small requests on one connection, whose responses are read or not, and heads that are hard to parse.

use std::time::{Duration, Instant};
use std::{hint, thread};

use super::WorkAim::{PerConnection, PerMegabyte, PerPage, PerRequest};
use super::{Attacker, Row, get, post, repeated, work};
use crate::Result;
use crate::client::{Connection, TIMEOUT};
use crate::response::count_responses;

/// The time between two pieces of a request that are sent slowly enough for the server to receive each by itself.
const PIECE_INTERVAL: Duration = Duration::from_micros(60);

/// Returns the rows of this family.
pub fn rows() -> Vec<Row> {
    let health = get("/healthz", "");
    let unknown = get("/nowhere", "");
    let options = b"OPTIONS / HTTP/1.1\r\nHost: attack.test\r\n\r\n";
    let invalid = b"GET / HTTP/1.1\r\nHost : attack.test\r\n\r\n";
    let empty_lines = [b"\r\n".repeat(500_000), health.clone()].concat();
    let upgrade = post("/nowhere", "application/json\r\nConnection: upgrade\r\nUpgrade: websocket", b"{}");
    let upgrade = [upgrade, vec![b' '; 1_000_000]].concat();
    let endless = [get("/", &format!("X: {}", "x".repeat(120_000))), b"\n".repeat(100_000)].concat();
    let fields: String = (0..90).map(|number| format!("X-{number}: {}\r\n", "x".repeat(320))).collect();
    let long_head = get("/healthz", &fields);
    let slow_head = long_head.clone();
    // The body is no JSON, so that no handler runs.
    let body = post("/publication/search", "application/json", &[b'x'; 30_000]);
    vec![
        work("pipelined-read", "1 MB of pipelined GET /healthz, all read", PerRequest, {
            let health = health.clone();
            move |attacker| pipeline_and_read(attacker, &health)
        }),
        work("pipelined-unknown-read", "1 MB of pipelined GET /nowhere, all read", PerRequest, move |attacker| {
            pipeline_and_read(attacker, &unknown)
        }),
        work("pipelined-unread", "40 × 100 KB of pipelined GET /healthz, never read", PerRequest, move |attacker| {
            pipeline_unread(attacker, &health)
        }),
        // Each connection has few responses, because these are long.
        work("pipelined-options-unread", "40 × 100 KB of pipelined OPTIONS /, never read", PerPage, |attacker| {
            pipeline_unread(attacker, options)
        }),
        work("metrics", "GET /metrics, all read", PerRequest, |attacker| {
            attacker.repeat(&get("/metrics", ""), 2_000, &[200])
        }),
        work("docs-search", "searches that find all methods, all read", PerPage, |attacker| {
            attacker.repeat(&get("/docs/search?q=a", "Accept-Encoding: br\r\n"), 500, &[200])
        }),
        work("invalid-heads", "connections whose first head is invalid", PerConnection, |attacker| {
            attacker.repeat(invalid, 500, &[400])
        }),
        repeated("upgrade", "1 MB behind a request with `Upgrade: websocket`", upgrade, 1, &[404, 413]),
        repeated("empty-lines", "1 MB of empty lines before a request", empty_lines, 1, &[]),
        repeated("endless-head", "1 MB as the head of a request", endless, 5, &[400, 431]),
        work("head-in-pieces", "heads of 30 KB in pieces of 100 bytes", PerMegabyte, move |attacker| {
            in_pieces(attacker, &long_head, Duration::ZERO)
        }),
        work("head-in-paced-pieces", "the same, a piece each 60 microseconds", PerMegabyte, move |attacker| {
            in_pieces(attacker, &slow_head, PIECE_INTERVAL)
        }),
        work("body-in-paced-pieces", "the same with bodies", PerMegabyte, move |attacker| {
            in_pieces(attacker, &body, PIECE_INTERVAL)
        }),
    ]
}

/// Sends a request again and again, about a megabyte in total, and reads all responses.
fn pipeline_and_read(attacker: &mut Attacker<'_>, request: &[u8]) -> Result<()> {
    let times = 1_000_000 / request.len();
    let mut connection = attacker.connect()?;
    let mut responses = 0;
    connection.exchange(&request.repeat(times), TIMEOUT, |received| {
        responses += count_responses(received).unwrap_or_default();
        responses >= times as u64
    })?;
    if responses != times as u64 {
        attacker.miss(format!("{responses} responses to {times} requests"));
    }
    attacker.count(&connection, responses);
    Ok(())
}

/// Sends a request again and again on many connections, without reading. The metrics of the server show how many
/// requests it has handled.
fn pipeline_unread(attacker: &mut Attacker<'_>, request: &[u8]) -> Result<()> {
    const CONNECTIONS: usize = 40;
    const LEN: usize = 100_000;
    /// The time in which a server that waits for these clients uses no processor time.
    const PAUSE: Duration = Duration::from_millis(500);
    let before = attacker.server.request_count()?;
    let bytes = request.repeat(LEN / request.len());
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let mut connection = attacker.connect()?;
        connection.send_now(&bytes);
        connections.push(connection);
    }
    thread::sleep(PAUSE);
    // The requests of the healthy client are among the counted ones; they are few.
    attacker.requests += attacker.server.request_count()?.saturating_sub(before);
    for connection in &connections {
        attacker.count(connection, 0);
    }
    Ok(())
}

/// Sends bytes without reading, until all are sent or the server has accepted no byte for a second.
pub fn send_unread(connection: &mut Connection, bytes: &[u8]) {
    let (mut sent, mut pauses) = (0, 0);
    while sent < bytes.len() && pauses < 100 {
        match connection.send_now(&bytes[sent..]) {
            0 => {
                pauses += 1;
                thread::sleep(Duration::from_millis(10));
            }
            count => {
                sent += count;
                pauses = 0;
            }
        }
    }
}

/// Sends a request several times, in pieces of 100 bytes, and reads the responses.
fn in_pieces(attacker: &mut Attacker<'_>, request: &[u8], interval: Duration) -> Result<()> {
    /// The number of requests.
    const TIMES: u64 = 8;
    let mut connection = attacker.connect()?;
    for _ in 0..TIMES {
        send_pieces(&mut connection, request, interval);
        if let Err(error) = connection.request(b"", false) {
            attacker.miss(error.to_string());
        }
    }
    attacker.count(&connection, TIMES);
    Ok(())
}

/// Sends bytes in pieces of 100 bytes.
fn send_pieces(connection: &mut Connection, bytes: &[u8], interval: Duration) {
    let mut next = Instant::now();
    for piece in bytes.chunks(100) {
        let (mut sent, begun) = (0, Instant::now());
        // While the server pauses, the system may accept nothing.
        while sent < piece.len() && begun.elapsed() < TIMEOUT {
            sent += connection.send_now(&piece[sent..]);
            // The server gets a chance to receive each piece by itself.
            thread::yield_now();
        }
        next += interval;
        // The system's timers are not exact enough for short intervals.
        while Instant::now() < next {
            hint::spin_loop();
        }
    }
}
