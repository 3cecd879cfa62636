//! Measures requests per second with the tool `wrk`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use tempfile::NamedTempFile;

use super::{LOAD_CORE, RequestCount, Settings};
use crate::cases::{Case, Request};
use crate::keys;

/// The `wrk` script for requests that use several bearer tokens in turn.
const TOKENS_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/wrk/keyed.lua");
/// The `wrk` script for OPTIONS requests.
const OPTIONS_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/wrk/options.lua");

/// Runs a round of the benchmark with `wrk`, and returns the number of successful requests, in total and per second.
pub fn run_round(case: Case, address: SocketAddr, settings: &Settings) -> Result<RequestCount, Box<dyn Error>> {
    let Request { method, target, body, token, token_count, has_document } = case.request();
    let mut wrk = Command::new("taskset");
    wrk.args(["--cpu-list", &LOAD_CORE.to_string(), "wrk", "--threads", "1"])
        .args(["--connections", &settings.connections.to_string()])
        .args(["--duration", &settings.seconds.to_string()]);
    match (method, &token) {
        (_, Some(_)) => wrk.args(["--script", TOKENS_SCRIPT]),
        ("OPTIONS", _) => wrk.args(["--script", OPTIONS_SCRIPT]),
        _ => &mut wrk,
    };
    if has_document {
        wrk.args(["--header", "If-None-Match: *"]);
    }
    wrk.arg(format!("http://{address}{target}"));
    let mut file = NamedTempFile::new()?;
    if token.is_some() {
        let (media_type, text) = body.map(|body| (body.media_type, body.text)).unwrap_or_default();
        file.write_all(text.as_bytes())?;
        wrk.args(["--", &media_type]).arg(file.path()).args((0..token_count.max(1)).map(keys::bearer_token));
    }

    let output = wrk.output().map_err(|error| format!("cannot start taskset: {error}"))?;
    let report = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("wrk failed with {}: {}{report}", output.status, why).into());
    }
    wait_for_pending_requests(address)?;
    parse_report(&report).map_err(|why| format!("{}: {why}:\n{report}", case.title()).into())
}

/// Waits until the server has processed the requests that were in progress when the round ended, so that they do not
/// slow down the next round. For this, it sends another request: the server has one worker, which responds to it after
/// all earlier requests.
fn wait_for_pending_requests(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Returns the numbers of requests from the report of `wrk`. Fails if the report contains a line about error responses
/// or connection errors.
fn parse_report(report: &str) -> Result<RequestCount, &'static str> {
    let value_of = |name| report.lines().find_map(|line| line.trim().strip_prefix(name));
    if value_of("Non-2xx or 3xx responses:").is_some() {
        return Err("some responses were errors");
    }
    if value_of("Socket errors:").is_some() {
        return Err("some connections failed");
    }
    let total = report.lines().find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok());
    let per_second = value_of("Requests/sec:").and_then(|number| number.trim().parse().ok());
    match (total, per_second) {
        (Some(total), Some(per_second)) => Ok(RequestCount { total, per_second }),
        _ => Err("wrk printed no number of requests"),
    }
}
