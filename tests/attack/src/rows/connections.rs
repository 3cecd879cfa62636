//! Many connections at the same time, each of which holds as much memory of the server as a client can make it hold.

use std::thread;
use std::time::{Duration, Instant};

use super::{Attack, Row, get, post_head};
use crate::client::Connection;
use crate::health::{Health, HealthyClient};
use crate::measure::{ATTACK_CORE, clients_of, peak_mebibytes, pin_thread, reset_peak, resident_mebibytes};
use crate::server::Server;
use crate::{Error, Result};

/// A kind of connections: the bytes that each connection sends.
pub type Kind = fn(&Server) -> Vec<u8>;

/// The rows of this family.
pub const ROWS: &[Row] = &[
    row("connections-idle", "connections that send nothing", |_| Vec::new()),
    row("connections-byte", "one byte of a head", |_| b"G".to_vec()),
    row("connections-head", "30 KB of a head", |_| head(30_000)),
    row("connections-longest-head", "120 KB of a head", |_| head(120_000)),
    row("connections-long-head", "a head of 16 KB with many fields, and half of a body", |_| {
        let fields: String = (0..90).map(|number| format!("\r\nX-{number}: {}", "x".repeat(160))).collect();
        [post_head("/user/login", &format!("application/json{fields}"), 2000), vec![b' '; 1000]].concat()
    }),
    row("connections-head-and-body", "a head of 4 KB, and 4 KB of a body", |_| {
        let fields = format!("application/json\r\nX: {}", "x".repeat(3900));
        [post_head("/user/login", &fields, 8000), vec![b' '; 4000]].concat()
    }),
    row("connections-next", "a request, and one byte of the next", |_| [get("/article/3", ""), b"G".to_vec()].concat()),
    row("connections-unread", "20 requests for the script of Swagger UI, nothing read", |_| {
        get("/docs/swagger/swagger-ui-bundle.js", "").repeat(20)
    }),
    row("connections-unread-small", "4 requests with heads of 3.5 KB for a list of articles, nothing read", |_| {
        get("/article", &format!("X: {}\r\n", "x".repeat(3400))).repeat(4)
    }),
    row("connections-unread-openapi", "20 requests for /openapi.json, compressed, nothing read", |_| {
        get("/openapi.json", "Accept-Encoding: gzip\r\n").repeat(20)
    }),
    row("connections-unread-file", "a download of 8 MiB, nothing read", |server| {
        get(&server.large_file_target(), &format!("Authorization: Bearer {}\r\n", server.key))
    }),
    row("connections-unread-part", "a download of 1 MB, nothing read", |server| download(server, 1_000_000)),
    row("connections-unread-short-part", "a download of 60 KB, nothing read", |server| download(server, 60_000)),
    row("connections-half-upload", "200 KB of an upload of 1 MB", |server| {
        let part = b"--XX\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.png\"\r\n\r\n";
        let fields = format!("multipart/form-data; boundary=XX\r\nAuthorization: Bearer {}", server.key);
        [&post_head("/iapi/file", &fields, 1_000_000)[..], part, &[b'x'; 200_000]].concat()
    }),
    row("connections-half-body", "half of a body of 2 KB", |_| half_body(2_000)),
    row("connections-half-large-body", "half of a body of 200 KB", |_| half_body(200_000)),
];

const fn row(name: &'static str, about: &'static str, kind: Kind) -> Row {
    Row { name, about, attack: Attack::Connections(kind) }
}

/// Returns the beginning of a head.
fn head(length: usize) -> Vec<u8> {
    [b"GET / HTTP/1.1\r\nHost: attack.test\r\nX: ", &vec![b'x'; length][..]].concat()
}

/// Returns a request for the first bytes of the large file.
fn download(server: &Server, length: usize) -> Vec<u8> {
    let fields = format!("Authorization: Bearer {}\r\nRange: bytes=0-{}\r\n", server.key, length - 1);
    get(&server.large_file_target(), &fields)
}

fn half_body(length: usize) -> Vec<u8> {
    [post_head("/publication/search", "application/json", length), vec![b' '; length / 2]].concat()
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
pub const KEPT_MEMORY_AIM: f64 = 20.0;

/// Opens connections of a kind, measures the memory of the server, and closes the connections.
pub fn measure_open(server: &Server, kind: Kind, count: usize, source: u8) -> Result<Memory> {
    let process = server.process_id();
    let bytes = kind(server);
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
    // The healthy client has two connections.
    let open = clients.saturating_sub(2);
    Ok(Memory { open, before, peak, after: peak, seconds_until_released: None, health: healthy.stop() })
}

/// Waits until the server has released the memory of closed connections, and measures it.
pub fn wait_for_release(server: &Server, memory: &mut Memory) -> Result<()> {
    let begun = Instant::now();
    loop {
        memory.after = resident_mebibytes(server.process_id())?;
        if memory.after <= memory.before + KEPT_MEMORY_AIM {
            memory.seconds_until_released = Some(begun.elapsed().as_secs_f64());
        }
        if memory.seconds_until_released.is_some() || begun.elapsed() >= RELEASE_TIMEOUT {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(200));
    }
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
