//! Counts the memory allocations of a request, on rulebook and on the endpoints written by hand.
//!
//! Both servers run in this process, because the allocator of the process counts. The client allocates nothing while
//! requests are counted.

#![expect(clippy::print_stdout, reason = "a program that prints its results")]
#![expect(dead_code, unused_imports, reason = "shares modules with the program that measures the speed")]

mod cases;
mod definition;
mod files;
mod hand;
mod keys;
mod orders;
mod requests;
mod rulebook_server;

use std::alloc::System;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use rulebook_model::Value;
use serde_json::{Value as Json, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use cases::Case;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The number of requests that are counted.
const REQUESTS: usize = 2_000;
/// The number of requests before the counted ones, which fill the buffers and caches of a server.
const WARM_UP: usize = 200;
/// Timeout for the start of a server.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A server is idle if nothing has been allocated for this time.
const IDLE_TIME: Duration = Duration::from_millis(200);

/// The cases, and the maximum number of allocations of rulebook per request.
const AIMS: [(Case, f64); 4] = [(Case::Ping, 8.0), (Case::Get, 11.0), (Case::Json, 15.0), (Case::Form, 16.0)];

fn main() -> ExitCode {
    match write_definition_or_count() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts, unless the server in this process has started this program again to write the definition: with
/// `definitions FOLDER --services N --keys N`.
fn write_definition_or_count() -> Result<bool, Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| words.get(index).ok_or("a number is missing")?.parse().map_err(Box::<dyn Error>::from);
    match words.as_slice() {
        [command, folder, ..] if command == "definitions" => {
            definition::write_definition(folder.as_ref(), number(3)?, number(5)?)?;
            Ok(true)
        }
        _ => count(),
    }
}

/// Prints the table. Returns `true` if every aim is reached.
fn count() -> Result<bool, Box<dyn Error>> {
    let (hand, rulebook) = (free_address()?, free_address()?);
    thread::spawn(move || hand::serve_endpoints(hand, 0, keys::DEFAULT_COUNT, None).map_err(|error| error.to_string()));
    let (engine, _) = rulebook_server::build_endpoints(0, keys::DEFAULT_COUNT, false)?;
    thread::spawn(move || rulebook_server::listen_until_signal(&engine, rulebook).map_err(|error| error.to_string()));
    wait_until_idle([hand, rulebook])?;
    println!("| allocations per request | by hand | rulebook | aim | reached |\n| --- | ---: | ---: | --- | --- |");
    let mut all_reached = true;
    for (case, aim) in AIMS {
        let by_hand = allocations(case, hand)?;
        let by_rulebook = allocations(case, rulebook)?;
        let reached = by_rulebook <= aim;
        all_reached &= reached;
        let verdict = if reached { "yes" } else { "no" };
        println!("| {} | {by_hand:.1} | {by_rulebook:.1} | ≤ {aim:.0} | {verdict} |", case.title());
    }
    println!("\n| allocations per check of a parsed value | rulebook | aim | reached |\n| --- | ---: | --- | --- |");
    for (title, r#type, json, aim) in values() {
        let allocations = allocations_of_check(&r#type, &json)?;
        let reached = allocations <= aim;
        all_reached &= reached;
        let verdict = if reached { "yes" } else { "no" };
        println!("| {title} | {allocations} | ≤ {aim} | {verdict} |");
    }
    Ok(all_reached)
}

/// Returns values, each with a title, with its type, which is a schema of [`schemas`], and with the aim for its check.
fn values() -> [(&'static str, String, Json, usize); 4] {
    let tree = (0..30).fold(json!({ "name": "leaf", "kind": "leaf" }), |tree, _| {
        json!({ "kind": "branch", "name": "branch", "parts": [tree], "byName": { "a": { "name": "b", "kind": "leaf" } } })
    });
    let large: serde_json::Map<_, _> = (0..LARGE_FIELDS).map(|number| (format!("f{number}"), json!(number))).collect();
    let reversed: serde_json::Map<_, _> = large.clone().into_iter().rev().collect();
    let mut orders: Json = serde_json::from_str(&orders::body()).unwrap_or_default();
    [
        ("a recursive schema with unions and maps, 30 levels", "Tree".to_owned(), tree, 0),
        ("an object with 300 fields", "Large".to_owned(), Json::Object(large), 0),
        // Members in another order could be repeated, which a set of their names shows.
        ("the same, its members in another order", "Large".to_owned(), Json::Object(reversed), 2),
        ("1 MiB of JSON with 50 schemas", "array<Order>".to_owned(), orders["orders"].take(), 0),
    ]
}

/// The number of fields of the schema `Large`.
const LARGE_FIELDS: usize = 300;

/// Returns the schemas of [`values`].
fn schemas() -> Json {
    let field = |r#type: &str| json!({ "info": "A field", "type": r#type });
    let large: serde_json::Map<_, _> = (0..LARGE_FIELDS).map(|number| (format!("f{number}"), field("int"))).collect();
    let mut schemas = orders::schemas();
    schemas["Large"] = json!({ "info": "Large", "fields": large });
    schemas["Leaf"] = json!({ "info": "Leaf", "fields": { "name": field("string(1,10)") } });
    schemas["Branch"] = json!({ "info": "Branch", "extends": ["Leaf"], "fields": {
        "parts": field("array<Tree>"), "byName": field("map<Tree>"), "parent": field("?Tree") } });
    schemas["Tree"] =
        json!({ "info": "Tree", "type": "union", "tag": "kind", "of": { "leaf": "Leaf", "branch": "Branch" } });
    schemas
}

/// Returns the number of allocations while a value is checked that has been parsed.
fn allocations_of_check(r#type: &str, json: &Json) -> Result<usize, Box<dyn Error>> {
    let definition = json!({ "schemas": schemas(), "/": { "x": { "POST": {
        "info": "I", "in": { "value": { "info": "I", "type": r#type } } } } } });
    let api = rulebook_model::read(vec![("bench.json".into(), definition.to_string().into_bytes())])
        .map_err(|report| report.to_string())?;
    let check = &api.modules[0].services[0].methods[0].parameters[0].r#type.check;
    // The first check creates what a type creates when it is first used.
    check.checked(Value::from(json)).map_err(|mismatch| format!("{mismatch:?}"))?;
    let value = Value::from(json);
    let before = ALLOCATOR.stats();
    let checked = check.checked(value);
    let used = ALLOCATOR.stats() - before;
    checked.map_err(|mismatch| format!("{mismatch:?}"))?;
    Ok(used.allocations + used.reallocations)
}

/// Returns the number of allocations and reallocations per request, over one connection.
fn allocations(case: Case, address: SocketAddr) -> Result<f64, Box<dyn Error>> {
    let mut stream = connect(address)?;
    let request = request_bytes(case);
    let mut response = vec![0; 64 << 10];
    let length = first_response(&mut stream, &request, &mut response)?;
    let mut send_and_receive = || -> Result<(), Box<dyn Error>> {
        stream.write_all(&request)?;
        Ok(stream.read_exact(&mut response[..length])?)
    };
    for _ in 0..WARM_UP {
        send_and_receive()?;
    }
    let before = ALLOCATOR.stats();
    for _ in 0..REQUESTS {
        send_and_receive()?;
    }
    let used = ALLOCATOR.stats() - before;
    Ok((used.allocations + used.reallocations) as f64 / REQUESTS as f64)
}

/// Returns the bytes of the request of a case in HTTP/1.1.
fn request_bytes(case: Case) -> Vec<u8> {
    let cases::Request { method, target, body, token, .. } = case.request();
    let mut text = format!("{method} {target} HTTP/1.1\r\nhost: bench\r\n");
    if let Some(token) = token {
        text += &format!("authorization: Bearer {token}\r\n");
    }
    match body {
        Some(body) => {
            let cases::Body { media_type, text: content } = body;
            text += &format!("content-type: {media_type}\r\ncontent-length: {}\r\n\r\n{content}", content.len());
        }
        None => text += "\r\n",
    }
    text.into_bytes()
}

/// Sends the first request and returns the length of its response, which all further responses have as well.
fn first_response(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8]) -> Result<usize, Box<dyn Error>> {
    stream.write_all(request)?;
    let mut received = 0;
    loop {
        received += stream.read(&mut buffer[received..])?;
        let text = String::from_utf8_lossy(&buffer[..received]);
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("unexpected response: {head}").into());
        }
        let value =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let body: usize = value.ok_or("the response has no length")?;
        let length = head.len() + 4 + body;
        stream.read_exact(&mut buffer[received..length])?;
        return Ok(length);
    }
}

/// Connects to a server as soon as it listens.
fn connect(address: SocketAddr) -> Result<TcpStream, Box<dyn Error>> {
    let begun = Instant::now();
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(_) if begun.elapsed() < TIMEOUT => thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until the servers listen and nothing is allocated, because what a start allocates would be counted too.
fn wait_until_idle(servers: [SocketAddr; 2]) -> Result<(), Box<dyn Error>> {
    for server in servers {
        connect(server)?;
    }
    let begun = Instant::now();
    loop {
        let before = ALLOCATOR.stats();
        thread::sleep(IDLE_TIME);
        if ALLOCATOR.stats() == before {
            return Ok(());
        }
        if begun.elapsed() > TIMEOUT {
            return Err("the servers allocate memory without requests".into());
        }
    }
}

/// Returns an address on which no program was listening a moment ago.
fn free_address() -> Result<SocketAddr, Box<dyn Error>> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
