//! The rows: every attack, its name, and what it does.

pub mod bodies;
pub mod connections;
pub mod expensive;
pub mod fields;
pub mod http2;
pub mod http2_invalid;
pub mod http2_requests;
pub mod pipelines;
pub mod requests;
pub mod smuggling;
pub mod time_limits;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Result;
use crate::client::{Connection, End};
use crate::random::Numbers;
use crate::response::{Response, parse_response};
use crate::server::Server;

/// The time after which a response counts as missing.
pub const TIMEOUT: Duration = Duration::from_secs(15);

/// An attack.
#[derive(Clone, Copy)]
pub struct Row {
    /// The name, with which the command line selects the row.
    pub name: &'static str,
    /// What the attack does, in a few words.
    pub about: &'static str,
    /// The attack itself.
    pub attack: Attack,
}

/// The kinds of attacks, which are measured in different ways.
#[derive(Clone, Copy)]
pub enum Attack {
    /// Random requests, close to valid ones. The responses and the log are checked.
    Requests,
    /// Requests whose end is ambiguous. The number of responses is checked.
    Smuggling,
    /// Work for the server. The function sends one pass of the attack, about a megabyte; it is repeated for some time.
    Work(WorkAim, fn(&mut Attacker<'_>) -> Result<()>),
    /// Work for the server: requests with a header field that has many elements.
    Field {
        /// The request target.
        target: &'static str,
        /// The name and the first element.
        first: &'static str,
        /// Each further element.
        next: &'static str,
    },
    /// Many connections. Their memory is measured.
    Connections(connections::Kind),
    /// Slow connections. The time until the server closes them is measured.
    TimeLimit(time_limits::Kind),
}

/// The aim of the processor time of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkAim {
    /// The time for a megabyte is limited.
    PerMegabyte,
    /// The attack consists of complete requests with a response each; the time for each is limited.
    PerRequest,
    /// The attack consists of complete requests for pages that are rendered for each of them; the time for each is
    /// limited.
    PerPage,
    /// The attack consists of connections with an error each; the time for each is limited.
    PerConnection,
    /// The definition allows expensive work, such as hashing a password; only memory and health are limited.
    NotLimited,
}

/// Returns all rows.
pub fn all() -> impl Iterator<Item = Row> {
    [
        requests::ROWS,
        smuggling::ROWS,
        pipelines::ROWS,
        fields::ROWS,
        bodies::ROWS,
        http2::ROWS,
        http2_invalid::ROWS,
        http2_requests::ROWS,
        expensive::ROWS,
        time_limits::ROWS,
        connections::ROWS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The attacking client of a row that measures work.
pub struct Attacker<'s> {
    /// The attacked server.
    pub server: &'s Server,
    /// The random numbers of the row.
    pub numbers: Numbers,
    /// The number of bytes that have been sent.
    pub bytes: u64,
    /// The number of complete requests, or of connections if each connection gets one error.
    pub requests: u64,
    /// The number of responses by status, and of other ends of a request by name.
    pub ends: BTreeMap<String, u64>,
    /// What the row has found out besides the figures.
    pub misses: Vec<String>,
}

impl<'s> Attacker<'s> {
    /// Creates the client of a row.
    pub fn new(server: &'s Server, seed: u64) -> Self {
        Self { server, numbers: Numbers::new(seed), bytes: 0, requests: 0, ends: BTreeMap::new(), misses: Vec::new() }
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// Fails if the server does not accept the connection.
    pub fn connect(&self) -> Result<Connection> {
        Ok(self.server.target.connect()?)
    }

    /// Records that the server did not respond as expected. Only the first few messages are kept.
    pub fn miss(&mut self, message: String) {
        if self.misses.len() < 3 && !self.misses.contains(&message) {
            self.misses.push(message);
        }
    }

    /// Counts how a request ended: the status of its response, or the name of a frame.
    pub fn count_end(&mut self, end: &str) {
        *self.ends.entry(end.to_owned()).or_default() += 1;
    }

    /// Counts the bytes that were sent on a connection.
    pub fn count(&mut self, connection: &Connection, requests: u64) {
        self.bytes += connection.sent_bytes;
        self.requests += requests;
    }

    /// Sends a request `times` times and reads each response, on one connection as long as the server keeps it open.
    /// Records a miss if a response is an error of the server, or has another status than those in `statuses` if there
    /// are any.
    ///
    /// # Errors
    /// Fails if the server does not accept a connection.
    pub fn repeat(&mut self, request: &[u8], times: usize, statuses: &[u16]) -> Result<()> {
        let mut open: Option<Connection> = None;
        for _ in 0..times {
            let mut connection = match open.take() {
                Some(connection) => connection,
                None => self.connect()?,
            };
            match read_response(&mut connection, request)? {
                Some(response) => {
                    self.count_end(&response.status.to_string());
                    if response.status >= 500 || !statuses.is_empty() && !statuses.contains(&response.status) {
                        self.miss(format!("unexpected response: {}", response.summary()));
                    }
                    if response.closes() {
                        self.count(&connection, 1);
                    } else {
                        open = Some(connection);
                        self.requests += 1;
                    }
                }
                None => {
                    self.miss("the server did not respond to a request".to_owned());
                    self.count(&connection, 1);
                }
            }
        }
        if let Some(connection) = open {
            self.count(&connection, 0);
        }
        Ok(())
    }
}

/// Sends a request, and returns its response; `None` if the server does not respond. Interim responses are ignored.
///
/// # Errors
/// Fails if the system cannot wait for the connection.
pub fn read_response(connection: &mut Connection, request: &[u8]) -> Result<Option<Response>> {
    let mut response = None;
    let end = connection.exchange(request, TIMEOUT, |received| {
        while response.is_none() {
            match parse_response(received, false, false) {
                Ok(Some((found, length))) => {
                    received.drain(..length);
                    response = Some(found).filter(|response| response.status >= 200);
                }
                _ => break,
            }
        }
        // The server may respond, and close the connection, before it has received the whole request.
        response.is_some()
    })?;
    if response.is_none() && end == End::Closed {
        response = parse_response(&connection.received, false, true).ok().flatten().map(|(response, _)| response);
    }
    Ok(response)
}

/// Returns a request with a body.
pub fn post(target: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: attack.test\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Returns a GET request with further header fields, each of which ends with CR and LF.
pub fn get(target: &str, fields: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: attack.test\r\n{fields}\r\n").into_bytes()
}
