//! Tests of `rulebook serve` while a service that it uses does not respond.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{folder_with_unbound_service, shop_folder};
use crate::client::wait_until;
use crate::server_process::{ServerProcess, free_address};

/// Returns a service that accepts connections and never responds.
fn silent_service() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Starts a collector of traces that responds with these statuses, one after the other, and then always with the last.
fn collector(statuses: &'static [u16]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut statuses = statuses.iter().chain(statuses.last().into_iter().cycle());
        for (stream, status) in listener.incoming().flatten().zip(&mut statuses) {
            let (mut reader, mut length) = (BufReader::new(stream), 0);
            for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            let response = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            reader.get_mut().write_all(response.as_bytes()).unwrap();
        }
    });
    address
}

fn status_of(address: &str, path: &str) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    agent.get(format!("http://{address}{path}")).call().unwrap().status().as_u16()
}

#[test]
fn a_request_waits_for_shared_limits_as_long_as_the_setting_allows() {
    let (counter, address) = (silent_service(), free_address());
    let url = format!("redis://{}", counter.local_addr().unwrap());
    let app = json!({
        "unbound": "501",
        "rate_limit": { "requests": 20, "per": "day", "by": "all" },
        "shared_limits": { "url": url, "timeout_ms": 1800, "when_unavailable": "closed" }
    });
    let folder = folder_with_unbound_service(&app);
    let _server = ServerProcess::start(folder.path(), &address, &["serve", "--workers", "1"]);
    let started = Instant::now();
    assert_eq!(status_of(&address, "/article/line/1"), 503);
    let waited = started.elapsed();
    assert!((Duration::from_millis(1750)..Duration::from_secs(8)).contains(&waited), "{waited:?}");
}

#[test]
fn the_log_names_a_collector_of_traces_that_refuses_spans_and_accepts_them_again() {
    let (folder, address) = (shop_folder(), free_address());
    let url = format!("http://{}", collector(&[503, 503, 200]));
    let mut command = crate::server_process::program(folder.path());
    command.args(["serve", "--traces", &url]).env("OTEL_BSP_SCHEDULE_DELAY", "200");
    let server = ServerProcess::run(&mut command, folder.path(), &address);
    let accepted = || {
        status_of(&address, "/");
        server.log().contains("accepts spans again")
    };
    assert!(wait_until(accepted), "{}", server.log());
    let log = server.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("the collector of traces")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines[0].contains("WARN") && lines[0].contains("status 503"), "{log}");
    assert!(lines[1].contains("INFO"), "{log}");
}

#[test]
fn the_log_says_that_the_authorities_for_the_certificate_of_a_collector_are_missing() {
    let (folder, address, collector) = (shop_folder(), free_address(), silent_service());
    let url = format!("https://{}", collector.local_addr().unwrap());
    let mut command = crate::server_process::program(folder.path());
    command.args(["serve", "--traces", &url]).env("OTEL_BSP_SCHEDULE_DELAY", "200");
    command.env("SSL_CERT_FILE", "/missing").env("SSL_CERT_DIR", "/missing");
    let server = ServerProcess::run(&mut command, folder.path(), &address);
    status_of(&address, "/");
    let is_explained = || {
        let log = server.log();
        log.contains("No CA certificates were loaded from the system; install the certificates of authorities")
    };
    assert!(wait_until(is_explained), "{}", server.log());
}

#[cfg(unix)]
#[test]
fn a_server_does_not_wait_long_for_a_silent_collector_when_it_stops() {
    let (folder, address, collector) = (shop_folder(), free_address(), silent_service());
    let url = format!("http://{}", collector.local_addr().unwrap());
    let mut server = ServerProcess::start(folder.path(), &address, &["serve", "--traces", &url]);
    assert_eq!(status_of(&address, "/"), 200);
    let started = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.log());
    // It waits at most five seconds for the collector.
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert!(server.log().contains("the collector of traces does not accept spans"), "{}", server.log());
}
