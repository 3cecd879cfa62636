//! Random requests: valid requests of many kinds, which are changed at random. Each response must be complete and in
//! the envelope of the definition, and no request may cause a panic or write control characters to the log.

mod check;
mod mutate;
mod request;
mod templates;
mod values;

use std::time::{Duration, Instant};

use super::{Attack, Row};
use crate::Result;
use crate::client::{Connection, End};
use crate::random::Numbers;
use crate::response::{Response, parse_response};
use crate::server::Server;

use check::check_response;
use mutate::{Case, random_case};

/// The rows of this family.
pub const ROWS: &[Row] =
    &[Row { name: "requests", about: "random requests, close to valid ones", attack: Attack::Requests }];

/// The time after which a response counts as missing.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The maximum number of messages about unexpected responses.
const MAX_MISSES: usize = 20;

/// What the random requests have found.
#[derive(Debug, Default)]
pub struct Findings {
    /// The number of requests.
    pub requests: u64,
    /// The number of responses, by status.
    pub statuses: std::collections::BTreeMap<u16, u64>,
    /// The number of unexpected responses.
    pub unexpected: u64,
    /// The first unexpected responses, each with its request.
    pub misses: Vec<String>,
    /// The duration.
    pub duration: Duration,
}

/// Sends random requests, and checks the responses. `progress` is called now and then with the number of requests.
///
/// # Errors
/// Fails if the server no longer accepts connections.
pub fn run(server: &Server, count: u64, seed: u64, mut progress: impl FnMut(u64)) -> Result<Findings> {
    let begun = Instant::now();
    let mut findings = Findings::default();
    let mut open = None;
    for number in 0..count {
        let case = random_case(&mut Numbers::of_case(seed, number), &server.key);
        if let Err(miss) = send_case(server, &case, &mut open, &mut findings)? {
            findings.unexpected += 1;
            if findings.misses.len() < MAX_MISSES {
                let request = case.bytes.escape_ascii();
                findings.misses.push(format!("request {number}: {miss}: \"{request:.1500}\""));
            }
            open = None;
        }
        findings.requests += 1;
        if number % 1000 == 0 {
            progress(number);
        }
    }
    findings.duration = begun.elapsed();
    Ok(findings)
}

/// Sends a request, and checks the response.
fn send_case(
    server: &Server,
    case: &Case,
    open: &mut Option<Connection>,
    findings: &mut Findings,
) -> Result<std::result::Result<(), String>> {
    if case.is_damaged {
        return send_damaged(server, case, findings);
    }
    let mut connection = match open.take() {
        Some(connection) => connection,
        None => server.target.connect()?,
    };
    let mut response: Option<Result<Response>> = None;
    let end = connection.exchange(&case.bytes, TIMEOUT, |received| {
        while response.is_none() {
            match parse_response(received, case.is_head, false) {
                Ok(Some((found, length))) => {
                    received.drain(..length);
                    response = Some(Ok(found)).filter(|found| found.as_ref().is_ok_and(|found| found.status >= 200));
                }
                Ok(None) => break,
                Err(error) => response = Some(Err(error)),
            }
        }
        response.is_some()
    })?;
    if response.is_none() && end == End::Closed {
        response = parse_response(&connection.received, case.is_head, true)
            .map(|found| found.map(|(found, _)| found))
            .transpose();
    }
    let response = match response {
        Some(Ok(response)) => response,
        Some(Err(error)) => return Ok(Err(error.to_string())),
        None => return Ok(Err(format!("no response, {end:?}"))),
    };
    *findings.statuses.entry(response.status).or_default() += 1;
    if !connection.received.is_empty() {
        return Ok(Err("bytes follow the response".to_owned()));
    }
    let result = check_response(&response, case.is_head, case.is_options);
    if !response.closes() && !case.is_last && end == End::Done {
        *open = Some(connection);
    }
    Ok(result)
}

/// Sends a request whose bytes have been changed at random, so that it may consist of several requests or be
/// incomplete. The client closes its sending side, so that the server does not wait for more.
fn send_damaged(server: &Server, case: &Case, findings: &mut Findings) -> Result<std::result::Result<(), String>> {
    let mut connection = server.target.connect()?;
    connection.exchange(&case.bytes, TIMEOUT, |_| true)?;
    connection.close_sending();
    let end = connection.exchange(&[], TIMEOUT, |_| false)?;
    if end == End::TimedOut {
        return Ok(Err("the connection stays open".to_owned()));
    }
    let has_request = case.bytes.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
    if connection.received.is_empty() && has_request {
        return Ok(Err("no response".to_owned()));
    }
    let mut rest = &connection.received[..];
    // Empty lines before a request are ignored (RFC 9112 section 2.2).
    let mut begin = &case.bytes[..];
    while let Some(rest) = begin.strip_prefix(b"\r\n") {
        begin = rest;
    }
    let mut is_head = begin.starts_with(b"HEAD ");
    while !rest.is_empty() {
        match parse_response(rest, is_head, true) {
            Ok(Some((response, length))) => {
                *findings.statuses.entry(response.status).or_default() += 1;
                rest = &rest[length..];
                if response.status < 200 {
                    continue;
                }
                // It is not known which requests the later responses belong to.
                if let Err(miss) = check_response(&response, is_head, true) {
                    return Ok(Err(miss));
                }
                is_head = false;
            }
            // A server may reset the connection while the client still sends.
            Ok(None) => return Ok(Err("the last response is incomplete".to_owned())),
            Err(error) => return Ok(Err(error.to_string())),
        }
    }
    Ok(Ok(()))
}
