//! Counts what a request costs the servers, with cachegrind: instructions, and misses of caches of the size that
//! today's processors have. The counts do not depend on the clock, so that they repeat on any machine.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;

use super::process::free_address;
use super::server::{Server, ServerKind};
use super::table::{format_table, group_digits};
use crate::cases::{Case, Request};

/// The cases that are counted unless others are named.
const CASES: [Case; 4] = [Case::Ping, Case::Get, Case::Json, Case::Form];
/// The number of connections, which send requests in turns. So a request finds in the caches what one of another
/// connection has left.
const CONNECTIONS: usize = 32;
/// The numbers of requests of two runs: their difference does not contain the start of the server.
const REQUESTS: [u64; 2] = [1_000, 3_000];
/// The caches of the first level that are simulated: bytes, ways, and bytes of a line.
const CACHES: [&str; 4] = ["--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64", "--LL=524288,8,64"];
/// The counts of a run, by their names in the file of cachegrind.
const EVENTS: [&str; 4] = ["Ir", "I1mr", "D1mr", "D1mw"];

/// Counts the requests of these cases, or of the usual ones, and prints a table.
pub fn print_counts(cases: &[Case]) -> Result<(), Box<dyn Error>> {
    let title = |text: &str| text.to_owned();
    let mut rows = vec![["request", "server", "instructions", "misses of instructions", "misses of data"].map(title)];
    for &case in if cases.is_empty() { &CASES[..] } else { cases } {
        for kind in [ServerKind::Hand, ServerKind::Rulebook] {
            let [few, many] = [count(kind, &case.request(), REQUESTS[0])?, count(kind, &case.request(), REQUESTS[1])?];
            let per_request = |event: usize| (many[event].saturating_sub(few[event])) / (REQUESTS[1] - REQUESTS[0]);
            let data = per_request(2) + per_request(3);
            let [instructions, code, data] =
                [per_request(0), per_request(1), data].map(|count| group_digits(usize::try_from(count).unwrap_or(0)));
            rows.push([title(&case.name()), title(kind.title()), instructions, code, data]);
        }
    }
    print!("{}", format_table(&rows));
    Ok(())
}

/// Returns the counts of a server that handles this number of requests, from its start to its end.
fn count(kind: ServerKind, request: &Request, requests: u64) -> Result<[u64; EVENTS.len()], Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (counts, address) = (folder.path().join("counts"), free_address()?);
    let mut command = Command::new("valgrind");
    command.args(["-q", "--tool=cachegrind"]).args(CACHES);
    command.arg(format!("--cachegrind-out-file={}", counts.display())).arg(env::current_exe()?);
    command.args([kind.subcommand(), "--attached", "--bind", &address.to_string()]);
    let server = Server::start_program(kind.title(), address, &command)?;
    let message = message(request);
    let connections = (0..CONNECTIONS).map(|_| TcpStream::connect(address).map(BufReader::new));
    let mut connections = connections.collect::<Result<Vec<_>, _>>()?;
    for number in 0..requests {
        exchange(&mut connections[(number % CONNECTIONS as u64) as usize], &message)?;
    }
    // The file is written when the server has ended.
    drop(connections);
    server.end();
    let text = fs::read_to_string(counts)?;
    let line =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().split_whitespace();
    let sums: Vec<u64> = line("summary:").map(str::parse).collect::<Result<_, _>>()?;
    let named: Vec<_> = line("events:").zip(sums).collect();
    if named.len() < EVENTS.len() {
        return Err("cachegrind has counted nothing".into());
    }
    let sum = |event| named.iter().find(|(name, _)| *name == event).map_or(0, |(_, sum)| *sum);
    Ok(EVENTS.map(sum))
}

/// Returns a request as it is sent.
fn message(Request { method, target, body, token, .. }: &Request) -> Vec<u8> {
    let token = token.iter().map(|token| format!("authorization: Bearer {token}\r\n"));
    let body_fields =
        body.iter().map(|body| format!("content-type: {}\r\ncontent-length: {}\r\n", body.media_type, body.text.len()));
    let fields: String = token.chain(body_fields).collect();
    let text = body.as_ref().map_or("", |body| &body.text);
    format!("{method} {target} HTTP/1.1\r\nhost: bench\r\n{fields}\r\n{text}").into_bytes()
}

/// Sends a request, and receives the response.
fn exchange(connection: &mut BufReader<TcpStream>, message: &[u8]) -> Result<(), Box<dyn Error>> {
    connection.get_mut().write_all(message)?;
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        if connection.read_line(&mut line)? == 0 {
            return Err("a server has closed a connection".into());
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse()?,
            None if line == "\r\n" => break,
            _ => {}
        }
    }
    connection.read_exact(&mut vec![0; length])?;
    Ok(())
}
