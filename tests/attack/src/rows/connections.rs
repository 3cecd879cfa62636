//! Many connections at the same time, each of which holds as much memory of the server as a client can make it hold.

use std::thread;
use std::time::{Duration, Instant};

use super::{AUTHORIZATION, Attack, Row, get, post_head};
use crate::client::Connection;
use crate::health::{Health, HealthyClient};
use crate::measure::{ATTACK_CORE, clients_of, peak_mebibytes, pin_thread, reset_peak, resident_mebibytes};
use crate::server::{LARGE_FILE_TARGET, Server};
use crate::{Error, Result};

/// Returns the rows of this family.
pub fn rows() -> Vec<Row> {
    let head = |length| get("/", &format!("X: {}", "x".repeat(length)));
    let half_body = |length| [post_head("/publication/search", JSON, length), vec![b' '; length / 2]].concat();
    let script = get("/docs/swagger/swagger-ui-bundle.js", "");
    let openapi = get("/openapi.json", "Accept-Encoding: gzip\r\n");
    let articles = get("/article", &format!("X: {}\r\n", "x".repeat(3400)));
    let part = |bytes| get(LARGE_FILE_TARGET, &format!("{AUTHORIZATION}\r\nRange: bytes=0-{}\r\n", bytes - 1));
    let fields: String = (0..90).map(|number| format!("\r\nX-{number}: {}", "x".repeat(160))).collect();
    let long_head = [post_head("/user/login", &format!("{JSON}{fields}"), 2000), vec![b' '; 1000]].concat();
    let head_and_body = post_head("/user/login", &format!("{JSON}\r\nX: {}", "x".repeat(3900)), 8000);
    let head_and_body = [head_and_body, vec![b' '; 4000]].concat();
    let upload = post_head("/iapi/file", &format!("multipart/form-data; boundary=XX\r\n{AUTHORIZATION}"), 1_000_000);
    let file = b"--XX\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.png\"\r\n\r\n";
    let upload = [&upload[..], file, &[b'x'; 200_000]].concat();
    vec![
        row("connections-idle", "connections that send nothing", Vec::new()),
        row("connections-byte", "one byte of a head", b"G".to_vec()),
        row("connections-head", "30 KB of a head", head(30_000)),
        // Beyond 128 KiB, a head is refused.
        row_with_aim("connections-longest-head", "120 KB of a head", head(120_000), 600.0),
        row("connections-long-head", "a head of 16 KB with many fields, and half of a body", long_head),
        row("connections-head-and-body", "a head of 4 KB, and 4 KB of a body", head_and_body),
        row("connections-next", "a request, and one byte of the next", [get("/article/3", ""), b"G".to_vec()].concat()),
        row("connections-unread", "20 requests for the script of Swagger UI, nothing read", script.repeat(20)),
        row("connections-unread-small", "4 requests of 3.5 KB for lists of articles, nothing read", articles.repeat(4)),
        row("connections-unread-openapi", "20 requests for /openapi.json in gzip, nothing read", openapi.repeat(20)),
        row("connections-unread-file", "a download of 8 MiB, nothing read", part(8 << 20)),
        row("connections-unread-part", "a download of 1 MB, nothing read", part(1_000_000)),
        row("connections-unread-short-part", "a download of 60 KB, nothing read", part(60_000)),
        row("connections-half-upload", "200 KB of an upload of 1 MB", upload),
        row("connections-half-body", "half of a body of 2 KB", half_body(2_000)),
        row("connections-half-large-body", "half of a body of 200 KB", half_body(200_000)),
    ]
}

const JSON: &str = "application/json";

/// Returns a row whose connections send these bytes.
fn row(name: &'static str, about: &'static str, bytes: Vec<u8>) -> Row {
    row_with_aim(name, about, bytes, 400.0)
}

/// Returns such a row with an aim for the memory.
fn row_with_aim(name: &'static str, about: &'static str, bytes: Vec<u8>, memory_aim: f64) -> Row {
    Row { name, about, attack: Attack::Connections(bytes, memory_aim) }
}

/// The memory of a server during an attack.
pub struct Memory {
    /// The number of connections that the server has accepted and not closed.
    pub open: usize,
    /// The memory before the attack, in MiB.
    pub before: f64,
    /// The peak memory, in MiB.
    pub peak: f64,
    /// The memory after all connections were closed, in MiB.
    pub after: f64,
    /// The seconds until the memory was near to that before the attack; `None` if it was not within the maximum time.
    pub seconds_until_released: Option<f64>,
    /// What the healthy client observed.
    pub health: Health,
}

/// The maximum time until the memory must be released.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(60);
/// The memory in MiB that a server may keep in addition to that before the attack.
pub const KEPT_MEMORY_AIM: f64 = 30.0;
/// The maximum time within which 99 of 100 responses to the healthy client arrive, in milliseconds.
pub const CONNECTIONS_HEALTH_AIM: f64 = 50.0;

/// Opens connections that send these bytes, measures the memory of the server, closes the connections, and waits until
/// the server has released their memory.
pub fn measure(server: &Server, bytes: &[u8], count: usize, source: u8) -> Result<Memory> {
    let process = server.process_id();
    let bytes = server.with_key(bytes);
    // Documents are prepared when they are first requested. That memory does not depend on the attack.
    for target in ["/openapi.json", "/docs/swagger/swagger-ui-bundle.js", "/article/3", "/metrics"] {
        server.get(target)?;
    }
    let before = resident_mebibytes(process)?;
    reset_peak(process)?;
    let healthy = HealthyClient::start(server.target)?;
    let attack = || {
        pin_thread(ATTACK_CORE);
        let connections = open_connections(server, &bytes, count, source);
        thread::sleep(Duration::from_secs(2));
        let figures = (clients_of(server.target.address())?.len(), peak_mebibytes(process)?);
        // Closing this number of connections is a part of the attack.
        drop(connections);
        Ok(figures)
    };
    let attacked = thread::scope(|scope| scope.spawn(attack).join());
    let (clients, peak) = attacked.unwrap_or_else(|_| Err(Error::from("the connections could not be opened")))?;
    let (health, closed) = (healthy.stop(), Instant::now());
    let is_released = |memory| memory <= before + KEPT_MEMORY_AIM;
    let mut after = resident_mebibytes(process)?;
    while !is_released(after) && closed.elapsed() < RELEASE_TIMEOUT {
        thread::sleep(Duration::from_millis(200));
        after = resident_mebibytes(process)?;
    }
    let seconds_until_released = is_released(after).then(|| closed.elapsed().as_secs_f64());
    // The healthy client has two connections.
    Ok(Memory { open: clients.saturating_sub(2), before, peak, after, seconds_until_released, health })
}

/// Opens connections, and sends the bytes on each. Returns the connections that the server has accepted.
fn open_connections(server: &Server, bytes: &[u8], count: usize, source: u8) -> Vec<Connection> {
    /// The number of connections after which the client waits, so that the server can accept them.
    const BURST: usize = 50;
    let mut connections = Vec::with_capacity(count);
    let mut unsent = Vec::new();
    for number in 0..count {
        // The server limits the connections of each address. The remainder is less than 256.
        let from = [source, 1 + (number / 200 % 250) as u8];
        let Ok(mut connection) = server.target.connect_with_small_buffer(from) else { continue };
        let sent = connection.send_now(bytes);
        if sent < bytes.len() {
            unsent.push((connections.len(), sent));
        }
        connections.push(connection);
        if number % BURST == 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }
    // Long messages are sent in several turns, as fast as the server receives them.
    for _ in 0..20 {
        unsent.retain_mut(|(index, sent): &mut (usize, usize)| {
            *sent += connections[*index].send_now(&bytes[*sent..]);
            *sent < bytes.len()
        });
        if unsent.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    connections
}
