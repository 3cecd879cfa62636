//! The rows: every attack, its name, and what it does.

pub mod bodies;
pub mod connections;
pub mod expensive;
pub mod fields;
pub mod pipelines;
pub mod requests;
pub mod smuggling;
pub mod time_limits;

use std::collections::BTreeMap;

use crate::Result;
use crate::client::Connection;
use crate::server::Server;

/// An attack.
pub struct Row {
    /// The name, with which the command line selects the row.
    pub name: &'static str,
    /// What the attack does, in a few words.
    pub about: &'static str,
    /// The attack itself.
    pub attack: Attack,
}

/// The kinds of attacks, which are measured in different ways.
pub enum Attack {
    /// Random requests, close to valid ones. The responses and the log are checked.
    Requests,
    /// Requests whose end is ambiguous. The number of responses is checked.
    Smuggling,
    /// Work for the server.
    Work(WorkAim, Pass),
    /// Many connections, which send these bytes. Their memory is measured; the maximum in MiB is an aim.
    Connections(Vec<u8>, f64),
    /// Slow connections. The time until the server closes them is measured.
    TimeLimit(time_limits::Kind),
}

/// Sends one pass of an attack, about a megabyte. It is repeated for some time.
pub type Pass = Box<dyn Fn(&mut Attacker<'_>) -> Result<()> + Send + Sync>;

/// What the processor time of the server is limited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkAim {
    /// A megabyte.
    PerMegabyte,
    /// A complete request with a response.
    PerRequest,
    /// A complete request for a page that is rendered for it.
    PerPage,
    /// A connection that ends with an error. Most of its time is that of the system.
    PerConnection,
    /// Nothing: the definition allows expensive work, such as hashing a password. Only memory and health are limited.
    NotLimited,
}

/// Returns a row that measures work.
fn work(
    name: &'static str,
    about: &'static str,
    aim: WorkAim,
    pass: impl Fn(&mut Attacker<'_>) -> Result<()> + Send + Sync + 'static,
) -> Row {
    Row { name, about, attack: Attack::Work(aim, Box::new(pass)) }
}

/// Returns a row that sends a request again and again. Its megabytes have a limit, and its responses have one of the
/// statuses, if there are any.
fn repeated(name: &'static str, about: &'static str, request: Vec<u8>, times: usize, statuses: &'static [u16]) -> Row {
    work(name, about, WorkAim::PerMegabyte, move |attacker| attacker.repeat(&request, times, statuses))
}

/// Returns all rows.
pub fn all() -> Vec<Row> {
    let mut rows = vec![requests::row(), smuggling::row()];
    for family in [pipelines::rows, fields::rows, bodies::rows, expensive::rows, time_limits::rows, connections::rows] {
        rows.extend(family());
    }
    rows
}

/// The attacking client of a row that measures work.
pub struct Attacker<'s> {
    /// The attacked server.
    pub server: &'s Server,
    /// The number of bytes that have been sent.
    pub bytes: u64,
    /// The number of complete requests, or of connections if each connection gets one error.
    pub requests: u64,
    /// The number of responses by status.
    pub statuses: BTreeMap<u16, u64>,
    /// What the row has found out besides the figures.
    pub misses: Vec<String>,
}

impl<'s> Attacker<'s> {
    /// Creates the client of a row.
    pub fn new(server: &'s Server) -> Self {
        Self { server, bytes: 0, requests: 0, statuses: BTreeMap::new(), misses: Vec::new() }
    }

    /// Opens a connection.
    pub fn connect(&self) -> Result<Connection> {
        Ok(self.server.target.connect()?)
    }

    /// Records that the server did not respond as expected. Only the first few messages are kept.
    pub fn miss(&mut self, message: String) {
        if self.misses.len() < 3 && !self.misses.contains(&message) {
            self.misses.push(message);
        }
    }

    /// Counts the bytes that were sent on a connection, and requests.
    pub fn count(&mut self, connection: &Connection, requests: u64) {
        self.bytes += connection.sent_bytes;
        self.requests += requests;
    }

    /// Sends a request `times` times and reads each response, on one connection as long as the server keeps it open.
    /// Records a miss if a response is an error of the server, or has another status than the expected ones if
    /// there are any.
    pub fn repeat(&mut self, request: &[u8], times: usize, expected: &[u16]) -> Result<()> {
        let request = self.server.with_key(request);
        let mut open: Option<Connection> = None;
        for _ in 0..times {
            let mut connection = open.take().map_or_else(|| self.connect(), Ok)?;
            self.requests += 1;
            match connection.request(&request, false) {
                Ok(response) => {
                    *self.statuses.entry(response.status).or_default() += 1;
                    if response.status >= 500 || !expected.is_empty() && !expected.contains(&response.status) {
                        let begin = request[..request.len().min(60)].escape_ascii();
                        self.miss(format!("unexpected response to \"{begin}\": {}", response.summary()));
                    }
                    if response.closes() {
                        self.count(&connection, 0);
                    } else {
                        open = Some(connection);
                    }
                }
                Err(error) => {
                    self.miss(error.to_string());
                    self.count(&connection, 0);
                }
            }
        }
        if let Some(connection) = open {
            self.count(&connection, 0);
        }
        Ok(())
    }
}

/// A header field with the key of the server, which is inserted before the request is sent.
pub const AUTHORIZATION: &str = "Authorization: Bearer {key}";

/// Returns a request with a body. Further header fields can follow the media type.
pub fn post(target: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: attack.test\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Returns the head of a request whose body has a length, and is sent by the caller.
pub fn post_head(target: &str, media_type: &str, length: usize) -> Vec<u8> {
    let mut request = post(target, media_type, &vec![b' '; length]);
    request.truncate(request.len() - length);
    request
}

/// Returns the head of a request whose body is chunked, and is sent by the caller.
pub fn post_chunked_head(target: &str, media_type: &str) -> Vec<u8> {
    let head = String::from_utf8_lossy(&post(target, media_type, b"")).into_owned();
    head.replace("Content-Length: 0", "Transfer-Encoding: chunked").into_bytes()
}

/// Returns a GET request with further header fields, each of which ends with CR and LF.
pub fn get(target: &str, fields: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: attack.test\r\n{fields}\r\n").into_bytes()
}
