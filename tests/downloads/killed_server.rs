//! Tests that a server that is killed while it writes the file of a link leaves no unfinished file after a restart.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use rulebook::{Download, Engine};
use serde_json::json;
use tempfile::TempDir;

use super::links::{get_target, link_engine, link_request, read_link, stored_link_files};
use crate::client::{Connection, TestServer, wait_until};

/// The environment variable that contains the data folder of the server that will be killed.
const DATA_VARIABLE: &str = "TEST_OF_KILLED_DATA";

/// A number of bytes that exceeds the write buffer of the file.
const BUFFER_LEN: usize = 1 << 20;

/// Returns an engine with a download. The first call returns a short file, all further calls return endless streams.
fn engine_with_endless_files(data: &Path) -> Engine {
    let first = Arc::new(AtomicBool::new(true));
    let make = move || {
        if first.swap(false, Ordering::SeqCst) {
            return Download::bytes("whole");
        }
        Download::stream(stream::iter([Ok(Bytes::from(vec![0; BUFFER_LEN]))]).chain(stream::pending()))
    };
    link_engine(data, &json!({}), make)
}

fn address_file(data: &Path) -> PathBuf {
    data.join("address")
}

/// Not a test: another test runs this function in a new process, which it kills.
#[test]
#[ignore = "a program for the other test"]
fn serves_until_it_is_killed() {
    let Some(data) = env::var_os(DATA_VARIABLE).map(PathBuf::from) else { return };
    let server = TestServer::start(&engine_with_endless_files(&data));
    fs::write(address_file(&data), server.address().to_string()).unwrap();
    loop {
        thread::park();
    }
}

/// A server process. Dropping this value kills the process.
struct ServerProcess(Child);

impl ServerProcess {
    fn kill(&mut self) {
        // Killing fails if the process has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn unfinished_files_of_a_killed_server_are_deleted_when_a_server_starts_again() {
    let data = TempDir::new().unwrap();
    let program = env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "downloads::killed_server::serves_until_it_is_killed", "--ignored"]);
    let mut server = ServerProcess(command.env(DATA_VARIABLE, data.path()).stdout(Stdio::null()).spawn().unwrap());
    let at = || fs::read_to_string(address_file(data.path())).ok()?.parse().ok();
    assert!(wait_until(|| at().is_some()), "it does not start");
    let link = read_link(&Connection::open(at().unwrap()).send(&link_request()));
    let whole = stored_link_files(data.path());
    let mut connection = Connection::open(at().unwrap());
    connection.write(&link_request().bytes());
    let is_written = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() >= BUFFER_LEN as u64);
    assert!(wait_until(|| stored_link_files(data.path()).iter().any(is_written)), "it is not written");
    server.kill();
    assert_eq!(stored_link_files(data.path()).len(), 2, "what was written is there");

    let server = TestServer::start(&engine_with_endless_files(data.path()));
    assert_eq!(stored_link_files(data.path()), whole);
    let file = get_target(&server, &link);
    assert_eq!((file.status, &file.body[..]), (200, &b"whole"[..]));
}
