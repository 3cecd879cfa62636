//! A server that is killed while it writes the file of a link.

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

use super::links::{get, kept, link, link_request, returning};
use crate::client::{Connection, TestServer, wait_until};

/// The environment variable with the folder of the program.
const DATA: &str = "TEST_OF_KILLED_DATA";

/// A number of bytes that exceeds the buffer in front of the file.
const SOME: usize = 1 << 20;

/// The first file is short, the others are endless.
fn engine(data: &Path) -> Engine {
    let first = Arc::new(AtomicBool::new(true));
    let make = move || {
        if first.swap(false, Ordering::SeqCst) {
            return Download::bytes("whole");
        }
        Download::stream(stream::iter([Ok(Bytes::from(vec![0; SOME]))]).chain(stream::pending()))
    };
    returning(data, &json!({}), make)
}

fn address(data: &Path) -> PathBuf {
    data.join("address")
}

/// The program that is killed: this test binary in another process.
#[test]
#[ignore = "a program for the other test"]
fn serves_until_it_is_killed() {
    let Some(data) = env::var_os(DATA).map(PathBuf::from) else { return };
    let server = TestServer::start(&engine(&data));
    fs::write(address(&data), server.address().to_string()).unwrap();
    loop {
        thread::park();
    }
}

/// A process that is killed when it is dropped.
struct Started(Child);

impl Started {
    fn kill(&mut self) {
        // The process may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn unfinished_files_of_a_killed_server_are_deleted_by_the_next() {
    let data = TempDir::new().unwrap();
    let program = env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "downloads::killed_server::serves_until_it_is_killed", "--ignored"]);
    let mut server = Started(command.env(DATA, data.path()).stdout(Stdio::null()).spawn().unwrap());
    let at = || fs::read_to_string(address(data.path())).ok()?.parse().ok();
    assert!(wait_until(|| at().is_some()), "it does not start");
    let link = link(&Connection::open(at().unwrap()).send(&link_request()));
    let whole = kept(data.path());
    let mut connection = Connection::open(at().unwrap());
    connection.write(&link_request().bytes());
    let is_written = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() >= SOME as u64);
    assert!(wait_until(|| kept(data.path()).iter().any(is_written)), "it is not written");
    server.kill();
    assert_eq!(kept(data.path()).len(), 2, "what was written is there");

    let server = TestServer::start(&engine(data.path()));
    assert_eq!(kept(data.path()), whole);
    let file = get(&server, &link);
    assert_eq!((file.status, &file.body[..]), (200, &b"whole"[..]));
}
