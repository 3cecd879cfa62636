//! One round of load from `wrk`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use tempfile::NamedTempFile;

use super::{LOAD_CORE, Settings};
use crate::cases::{Case, Request};
use crate::keys;

/// Asks and posts with keys in turn.
const KEYED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/wrk/keyed.lua");
/// Asks for descriptions.
const OPTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/wrk/options.lua");

/// Requests per second that the server at this address answers well.
pub fn round(case: Case, address: SocketAddr, settings: &Settings) -> Result<f64, Box<dyn Error>> {
    let Request { method, target, body, token, turns } = case.request();
    let mut wrk = Command::new("taskset");
    wrk.args(["--cpu-list", &LOAD_CORE.to_string(), "wrk", "--threads", "1"])
        .args(["--connections", &settings.connections.to_string()])
        .args(["--duration", &settings.seconds.to_string()]);
    match (method, &token) {
        (_, Some(_)) => wrk.args(["--script", KEYED]),
        ("OPTIONS", _) => wrk.args(["--script", OPTIONS]),
        _ => &mut wrk,
    };
    wrk.arg(format!("http://{address}{target}"));
    let mut file = NamedTempFile::new()?;
    if token.is_some() {
        let (media_type, text) = body.map(|body| (body.media_type, body.text)).unwrap_or_default();
        file.write_all(text.as_bytes())?;
        wrk.args(["--", &media_type]).arg(file.path()).args((0..turns.max(1)).map(keys::token));
    }

    let output = wrk.output().map_err(|error| format!("cannot start taskset: {error}"))?;
    let report = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("wrk failed with {}: {}{report}", output.status, why).into());
    }
    settle(address)?;
    requests_per_second(&report).map_err(|why| format!("{}: {why}:\n{report}", case.title()).into())
}

/// Waits until the server has answered what was asked of it when the round ended: a slow one would take its time
/// from the round of the other. One worker answers in turn, so it is done when it answers this.
fn settle(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Reads wrk's report; it names bad answers and broken connections only where there were some.
fn requests_per_second(report: &str) -> Result<f64, &'static str> {
    let value_of = |name| report.lines().find_map(|line| line.trim().strip_prefix(name));
    if value_of("Non-2xx or 3xx responses:").is_some() {
        return Err("some requests were refused");
    }
    if value_of("Socket errors:").is_some() {
        return Err("some connections broke");
    }
    value_of("Requests/sec:")
        .and_then(|number| number.trim().parse().ok())
        .ok_or("wrk did not say how many requests there were")
}
