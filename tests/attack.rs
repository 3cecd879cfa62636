//! Attacks a server process with a part of the attacks of `scripts/attack`, and checks what they cost the server.
//!
//! The server is compiled without optimizations. The bounds are far above what it needs, but far below what it needs if
//! the work or the memory for an attack grows without limit.

use std::path::Path;

use ::attack::rows::connections::KEPT_MEMORY_AIM;
use ::attack::rows::{self, Attack, Row, connections, requests, smuggling};
use ::attack::run::{Work, measure_work};
use ::attack::server::{Installation, Server};
use support::random::next_seed;

/// The number of random requests.
const REQUESTS: u64 = 10_000;

fn start_server() -> Server {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
    Server::start(&Installation { program: env!("CARGO_BIN_EXE_article-site").into(), repository }).unwrap()
}

fn find_row(name: &str) -> Row {
    rows::all().into_iter().find(|row| row.name == name).unwrap()
}

#[test]
fn random_requests_get_responses_that_the_documentation_describes() {
    let mut server = start_server();
    let found = requests::run(&server, REQUESTS, next_seed()).unwrap();
    assert_eq!(found.misses, Vec::<String>::new());
    assert_eq!(found.requests, REQUESTS);
    // The requests reach handlers, and are rejected for many reasons.
    for status in [200, 304, 400, 401, 403, 404, 405, 415] {
        assert!(found.statuses.contains_key(&status), "no response has the status {status}: {:?}", found.statuses);
    }
    assert_eq!(server.suspicious_log_lines(5).unwrap(), Vec::<String>::new());
    assert!(server.is_running().unwrap());
}

#[test]
fn requests_whose_end_is_ambiguous_are_rejected_or_understood_as_rfc_9112_requires() {
    let server = start_server();
    let (count, misses) = smuggling::run(server.target).unwrap();
    assert!(count > 30, "{count}");
    assert_eq!(misses, Vec::<String>::new());
}

/// The attacks that are measured, each with the maximum processor time: of a megabyte in milliseconds, and of a request
/// in microseconds. One of them is not limited, because it depends on the number of requests, or on their length.
const WORK: &[(&str, Option<f64>, Option<f64>)] = &[
    ("pipelined-unread", None, Some(1_500.0)),
    ("multipart-long-boundary", Some(1_500.0), None),
    ("multipart-near-in-chunks", Some(1_500.0), None),
    ("endless-head", Some(1_500.0), None),
    ("json-keys", Some(1_500.0), None),
];

#[test]
fn attacks_cost_little_processor_time_and_memory() {
    /// The maximum memory in MiB.
    const MEMORY: f64 = 200.0;
    let server = start_server();
    for (name, max_megabyte, max_request) in WORK {
        let Attack::Work(_, pass) = find_row(name).attack else { panic!("{name} measures no work") };
        let Work { milliseconds_per_megabyte, microseconds_per_request, peak, files_left, misses, .. } =
            measure_work(&pass, &server, 0.0, 0.0).unwrap();
        assert_eq!(misses, Vec::<String>::new(), "{name}");
        if let Some(max) = max_megabyte {
            assert!(milliseconds_per_megabyte <= *max, "{name}: {milliseconds_per_megabyte} ms for a megabyte");
        }
        if let Some(max) = max_request {
            assert!(microseconds_per_request <= *max, "{name}: {microseconds_per_request} µs for a request");
        }
        assert!(peak <= MEMORY, "{name}: {peak} MiB");
        assert_eq!(files_left, 0, "{name}");
    }
}

#[test]
fn connections_that_do_not_read_or_send_hold_little_memory() {
    /// The maximum memory of all connections of a row in MiB, as long as no memory depends on what they requested.
    const MEMORY: f64 = 60.0;
    /// The number of connections, which come from two addresses.
    const COUNT: usize = 400;
    for name in ["connections-next", "connections-unread"] {
        let Attack::Connections(bytes, _) = find_row(name).attack else { panic!("{name} opens no connections") };
        let server = start_server();
        let memory = connections::measure(&server, &bytes, COUNT, 200).unwrap();
        assert!(memory.open >= COUNT * 8 / 10, "{name}: {} connections are open", memory.open);
        assert!(memory.peak - memory.before <= MEMORY, "{name}: {} to {} MiB", memory.before, memory.peak);
        assert!(memory.after <= memory.before + KEPT_MEMORY_AIM, "{name}: {} to {} MiB", memory.before, memory.after);
        assert!(memory.seconds_until_released.is_some(), "{name}");
    }
}

#[test]
fn only_servers_on_this_machine_are_attacked() {
    for (address, is_accepted) in [
        ("127.0.0.1:80", true),
        ("127.9.8.7:80", true),
        ("[::1]:80", true),
        ("0.0.0.0:80", false),
        ("192.0.2.1:80", false),
        ("[2001:db8::1]:80", false),
        ("[::ffff:127.0.0.1]:80", false),
    ] {
        assert_eq!(::attack::client::Target::new(address.parse().unwrap()).is_ok(), is_accepted, "{address}");
    }
}
