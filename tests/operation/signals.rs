//! Tests of the signals that a server handles, and of the lines that it logs when it starts and stops.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::cli::{run_program, shop_folder};
use crate::client::{Connection, Request};
use crate::server_process::{ServerProcess, free_address};

/// Waits until the log of a server contains `text`.
fn wait_for_log(server: &ServerProcess, text: &str) {
    let begun = Instant::now();
    while !server.log().contains(text) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{text:?} is not in {}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn sighup_reads_the_key_file_again_and_does_not_end_the_server() {
    let folder = shop_folder();
    let add = ["keys", "add", "--name", "ada", "--scope", "admin"];
    let key = run_program(folder.path(), &add).stdout.trim().to_owned();
    let address = free_address();
    let mut server = ServerProcess::start(folder.path(), &address, &["serve", "--workers", "1"]);
    let post = || {
        let body = json!({ "title": "x" }).to_string();
        let request = Request::new("POST", "/article").field("authorization", format!("Bearer {key}"));
        Connection::open(address.parse().unwrap()).send(&request.body("application/json", body)).status
    };
    assert_eq!(post(), 200);
    assert!(!server.log().contains("keys: 1"), "the file has not changed");
    for _ in 0..2 {
        server.signal("HUP");
    }
    wait_for_log(&server, "received SIGHUP");
    wait_for_log(&server, "keys.json: keys: 1");
    assert_eq!(post(), 200);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn the_log_says_when_the_server_listens_and_when_it_has_stopped() {
    let folder = shop_folder();
    let address = free_address();
    let mut server = ServerProcess::start(folder.path(), &address, &["serve", "--workers", "1"]);
    server.signal("INT");
    assert_eq!(server.wait(), Some(0));
    let log = server.log();
    let messages: Vec<_> = log.lines().filter_map(|line| Some(line.split_once("] ")?.1)).collect();
    let listening = format!("listening on {address}");
    assert_eq!(messages, [&*listening, "stopping when the requests in flight have ended", "stopped"], "{log}");
}

#[test]
fn a_second_server_with_the_same_data_folder_is_refused() {
    let folder = shop_folder();
    let (first, second) = (free_address(), free_address());
    let mut server = ServerProcess::start(folder.path(), &first, &["serve", "--workers", "1"]);
    let refused = run_program(folder.path(), &["serve", "--bind", &second]);
    assert_eq!((refused.exit_code, refused.stdout.as_str()), (Some(3), ""));
    assert!(refused.stderr.contains("error: --data data: another server uses this folder"), "{}", refused.stderr);

    let other = folder.path().join("other.log");
    let shared = ["serve", "--workers", "1", "--share-data"];
    let mut command = crate::server_process::program(folder.path());
    let mut sharing = ServerProcess::run(command.args(shared), &other.parent().unwrap().join("api"), &second);
    wait_for_log(&sharing, "another server uses the data folder data");
    sharing.signal("TERM");
    assert_eq!(sharing.wait(), Some(0));
    assert!(sharing.log().contains("without shared limits, each counts the requests of keys itself"));
    // With shared limits, the servers count the requests of keys together.
    let mut command = crate::server_process::program(folder.path());
    command.args(shared).args(["--shared-limits", "redis://127.0.0.1:1"]);
    let mut counting = ServerProcess::run(&mut command, &other.parent().unwrap().join("api"), &second);
    wait_for_log(&counting, "another server uses the data folder data\n");
    counting.signal("TERM");
    assert_eq!(counting.wait(), Some(0));
    assert!(!counting.log().contains("without shared limits"), "{}", counting.log());

    server.signal("KILL");
    server.wait();
    let again = ServerProcess::start(folder.path(), &first, &["serve", "--workers", "1"]);
    assert!(again.log().contains("listening"), "the lock of a killed server does not remain");
}
