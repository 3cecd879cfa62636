//! Tests what one client can use of the memory and the files that all clients share.

use std::cell::RefCell;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rulebook::{ApiError, Args, Context, Module};
use rulebook_model::connection_limits::{ADDRESS_SHARE, MAX_DETACHED_HANDLERS};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{echo_server, echo_server_without_shares, server_with_handlers};
use crate::client::{Connection, Request, TestServer, wait_until};
use crate::server_process::{ServerProcess, clear, copy_files, free_address};

const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";
/// The length of a body. One address can use the memory for one of them.
const BODY_LEN: usize = 7 << 20;

/// Starts to send bodies of [`BODY_LEN`] bytes, whose last bytes are never sent.
fn send_incomplete_bodies(server: &TestServer, count: usize) -> Vec<Connection> {
    let head = Request::new("POST", "/echo").field("content-type", FORM_MEDIA_TYPE);
    let head = head.field("content-length", BODY_LEN).head();
    let send = |_| {
        let mut connection = server.connect();
        connection.write(&head);
        connection.write(&vec![b'x'; BODY_LEN - 1]);
        connection
    };
    (0..count).map(send).collect()
}

/// Returns a request with a body of this length, which the response repeats.
fn long_request(length: usize) -> Request {
    Request::new("POST", "/echo").body(FORM_MEDIA_TYPE, [b"text=".to_vec(), vec![b'x'; length]].concat())
}

/// Returns how often a limit has been exceeded.
fn exceeded(server: &TestServer, limit: &str) -> u64 {
    metric(server, &format!("rulebook_connection_limits_exceeded_total{{limit=\"{limit}\"}}"))
}

/// Returns the value of a metric of the server. `name` includes its labels.
fn metric(server: &TestServer, name: &str) -> u64 {
    let text = String::from_utf8(server.send(&Request::new("GET", "/metrics")).body).unwrap();
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    text.lines().find_map(value).unwrap()
}

#[test]
fn the_bodies_of_all_requests_have_a_maximum_of_memory() {
    let server = echo_server_without_shares(&json!({ "body": BODY_LEN }));
    let incomplete = send_incomplete_bodies(&server, 5);
    let send_long = || server.send(&long_request(6 << 20));
    assert!(wait_until(|| send_long().status == 503), "the bodies use more memory than the limit");
    assert!(send_long().field("retry-after").is_some());
    server.send(&long_request(4)).assert_args(&json!({ "text": "xxxx" }));
    drop(incomplete);
    assert!(wait_until(|| send_long().status != 503), "the memory does not become free");
}

#[test]
fn the_bodies_of_a_client_use_a_part_of_the_memory() {
    let server = echo_server(&json!({ "body": BODY_LEN }));
    let incomplete = send_incomplete_bodies(&server, 1);
    assert!(wait_until(|| server.send(&long_request(6 << 20)).status == 503), "the client uses more than its part");
    assert_eq!(server.send(&long_request(1 << 19)).status, 200);
    assert!(exceeded(&server, "request-memory") > 0);
    // A file is written in short pieces if there is no memory for longer ones.
    let content: Vec<u8> = (0..5 << 20).map(|at: u32| (at % 251) as u8).collect();
    let parts = [("name=\"file\"; filename=\"numbers.bin\"", &content[..])];
    let _more = server.send(&long_request(3 << 20));
    let response = server.send(&Request::new("POST", "/file").multipart(&parts));
    assert_eq!(response.status, 200, "{response:?}");
    drop(incomplete);
    assert!(wait_until(|| server.send(&long_request(6 << 20)).status == 200), "the memory does not become free");
}

#[test]
fn unread_responses_of_a_client_use_a_part_of_the_memory() {
    let server = echo_server(&json!({ "body": BODY_LEN }));
    let unread = RefCell::new(Vec::new());
    let request = long_request(6 << 20).bytes();
    // The server refuses a request while the memory of the one before is in use.
    let responds = || {
        let mut connection = server.connect();
        let responds = connection.try_write(&request) && connection.read_more();
        unread.borrow_mut().push(connection);
        responds
    };
    for _ in 0..8 {
        assert!(wait_until(responds), "the server responds");
    }
    assert!(wait_until(|| exceeded(&server, "response-memory") >= 3), "the client uses more than its part");
    // Short responses do not count.
    server.send(&long_request(4)).assert_args(&json!({ "text": "xxxx" }));
    drop(unread);
}

#[test]
fn a_client_that_leaves_its_handlers_running_must_wait() {
    /// The number of handlers that one client can leave running.
    const MAX: usize = MAX_DETACHED_HANDLERS as usize / ADDRESS_SHARE;
    let running = Arc::new(AtomicUsize::new(0));
    let may_end = Arc::new(AtomicBool::new(false));
    let (counted, ends) = (Arc::clone(&running), Arc::clone(&may_end));
    let handler = move |_: Args<Value>, _: Context| {
        let (running, may_end) = (Arc::clone(&counted), Arc::clone(&ends));
        async move {
            running.fetch_add(1, Ordering::SeqCst);
            while !may_end.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            running.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, ApiError>(())
        }
    };
    let definition = json!({ "/": { "slow": { "GET": { "info": "I" } } } });
    let server = server_with_handlers(&definition, Module::new("site").get("/slow", handler));
    let slow = Request::new("GET", "/slow");
    for number in 1..=MAX {
        let mut connection = server.connect().reset_on_drop();
        connection.write(&slow.bytes());
        assert!(wait_until(|| running.load(Ordering::SeqCst) == number), "{number} handlers have begun");
    }
    // The server has noticed that the last client has left. Otherwise it would handle one more request.
    assert!(wait_until(|| metric(&server, "rulebook_handlers_detached") == MAX as u64));
    assert!(wait_until(|| server.send(&slow).status == 503), "no limit");
    assert!(server.send(&slow).field("retry-after").is_some());
    assert!(exceeded(&server, "detached-handlers") > 0);
    assert_eq!(running.load(Ordering::SeqCst), MAX);
    assert_eq!(server.send(&Request::new("GET", "/healthz")).status, 200);
    may_end.store(true, Ordering::SeqCst);
    assert!(wait_until(|| server.send(&slow).status == 200), "the handlers have ended");
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_can_open_a_part_of_the_files() {
    let folder = TempDir::new().unwrap();
    copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &folder.path().join("api"));
    std::fs::create_dir(folder.path().join("static")).unwrap();
    File::create(folder.path().join("static/long.bin")).unwrap().set_len(32 << 20).unwrap();
    // A quarter of the files of the process can be sent at the same time, and a quarter of these to one client.
    let mut command = Command::new("bash");
    command.args(["-c", "ulimit -n 320; exec \"$@\"", "bash", env!("CARGO_BIN_EXE_article-site")]);
    command.args(["--static", "static"]).current_dir(folder.path());
    clear(&mut command);
    let address = free_address();
    let _server = ServerProcess::run(&mut command, folder.path(), &address);
    let address = address.parse().unwrap();
    let request = Request::new("GET", "/static/long.bin");
    let unread: Vec<_> = (0..20)
        .map(|_| {
            let mut connection = Connection::open(address);
            connection.write(&request.bytes());
            assert!(connection.read_more(), "the server responds");
            connection
        })
        .collect();
    let response = Connection::open(address).send(&request);
    assert_eq!((response.status, response.field("retry-after").is_some()), (503, true), "{response:?}");
    assert_eq!(Connection::open(address).send(&request.clone().field("range", "bytes=0-9")).status, 206);
    assert_eq!(Connection::open_from("127.0.0.2", address).send(&request).status, 200);
    drop(unread);
    assert!(wait_until(|| Connection::open(address).send(&request).status == 200), "no file becomes free");
}
