//! Random requests: valid requests of many kinds, which are changed at random. Each response must be complete and in
//! the envelope of the definition, and no request may cause a panic or write control characters to the log.

mod check;
mod mutate;
mod request;
mod templates;
mod values;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Attack, Row};
use crate::Result;
use crate::client::Connection;
use crate::random::Numbers;
use crate::response::take_all_responses;
use crate::server::Server;

use check::check_response;
use mutate::{Case, random_case};

/// Returns the row.
pub fn row() -> Row {
    Row { name: "requests", about: "random requests, close to valid ones", attack: Attack::Requests }
}

/// The maximum number of messages about unexpected responses.
const MAX_MISSES: usize = 20;

/// What the random requests have found.
#[derive(Debug, Default)]
pub struct Findings {
    /// The number of requests.
    pub requests: u64,
    /// The number of responses, by status.
    pub statuses: BTreeMap<u16, u64>,
    /// The number of unexpected responses.
    pub unexpected: u64,
    /// The first unexpected responses, each with its request.
    pub misses: Vec<String>,
    /// The duration.
    pub duration: Duration,
}

/// Sends random requests, and checks the responses.
pub fn run(server: &Server, count: u64, seed: u64) -> Result<Findings> {
    let begun = Instant::now();
    let mut findings = Findings::default();
    let mut open = None;
    for number in 0..count {
        let case = random_case(&mut Numbers::of_case(seed, number), &server.key);
        let statuses = &mut findings.statuses;
        let sent = if case.is_damaged {
            send_damaged(server.target.connect()?, &case, statuses)
        } else {
            let connection = open.take().map_or_else(|| server.target.connect(), Ok)?;
            send(connection, &case, statuses).map(|connection| open = connection)
        };
        if let Err(miss) = sent {
            findings.unexpected += 1;
            if findings.misses.len() < MAX_MISSES {
                let request = case.bytes.escape_ascii();
                findings.misses.push(format!("request {number}: {miss}: \"{request:.1500}\""));
            }
        }
        findings.requests += 1;
    }
    findings.duration = begun.elapsed();
    Ok(findings)
}

/// Sends a request, and checks the response. Returns the connection if it can be used again.
fn send(mut connection: Connection, case: &Case, statuses: &mut BTreeMap<u16, u64>) -> Result<Option<Connection>> {
    let response = connection.request(&case.bytes, case.is_head)?;
    *statuses.entry(response.status).or_default() += 1;
    check_response(&response, case.is_head)?;
    let closes = response.closes();
    if closes && !connection.send_last(b"")? {
        return Err("the connection stays open after its last response".into());
    }
    if !connection.received.is_empty() {
        return Err("bytes follow the response".into());
    }
    Ok(Some(connection).filter(|_| !closes && !case.is_last))
}

/// Sends a request whose bytes have been changed at random, so that it may consist of several requests or be
/// incomplete. The client closes its sending side, so that the server does not wait for more.
fn send_damaged(mut connection: Connection, case: &Case, statuses: &mut BTreeMap<u16, u64>) -> Result<()> {
    if !connection.send_last(&case.bytes)? {
        return Err("the connection stays open".into());
    }
    // Empty lines before a request are ignored (RFC 9112 section 2.2).
    let mut begin = &case.bytes[..];
    while let Some(rest) = begin.strip_prefix(b"\r\n").or_else(|| begin.strip_prefix(b"\n")) {
        begin = rest;
    }
    // The server closes the connection, without a response or in the middle of one, if a client leaves before the end
    // of a head, or if it breaks the chunked coding.
    let has_whole_head = [&b"\n\n"[..], b"\n\r\n"].iter().any(|end| contains(begin, end));
    let may_be_cut = !has_whole_head || contains(&begin.to_ascii_lowercase(), b"chunked");
    if connection.received.is_empty() && !may_be_cut {
        return Err("no response".into());
    }
    let is_head = begin.starts_with(b"HEAD ");
    for response in take_all_responses(&mut connection.received, is_head, may_be_cut)? {
        *statuses.entry(response.status).or_default() += 1;
        // It is not known which requests the later responses belong to.
        check_response(&response, is_head)?;
    }
    Ok(())
}

fn contains(bytes: &[u8], piece: &[u8]) -> bool {
    bytes.windows(piece.len()).any(|window| window == piece)
}
