//! Tests that a server that is killed while it writes the files of links leaves no unfinished file after a restart, and
//! that every link that a client has received still leads to its complete file.
//!
//! The environment variable `FAULT_INJECTION_ROUNDS` is the number of times that a server is killed.
//! `scripts/fault-injection` sets it.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use rulebook::{Download, Engine};
use serde_json::json;
use tempfile::TempDir;

use super::link_place::{LinkPlace, link_places, stored_link_files};
use super::links::{get_target, link_engine, link_request, read_link};
use crate::client::{Connection, Request, TestServer, wait_until};
use support::random::Numbers;

/// The environment variable that contains the data folder of the server that will be killed.
const DATA_VARIABLE: &str = "TEST_OF_KILLED_DATA";
/// The environment variable that contains the URL of the bucket with the files of links, if they are in a bucket.
const URL_VARIABLE: &str = "TEST_OF_KILLED_URL";

/// A number of bytes that exceeds the write buffer of the file.
const BUFFER_LEN: usize = 1 << 20;

/// Returns an engine with a download. The first call returns a short file, all further calls return endless streams.
fn engine_with_endless_files(place: &LinkPlace) -> Engine {
    let first = Arc::new(AtomicBool::new(true));
    let make = move || {
        if first.swap(false, Ordering::SeqCst) {
            return Download::bytes("whole");
        }
        Download::stream(stream::iter([Ok(Bytes::from(vec![0; BUFFER_LEN]))]).chain(stream::pending()))
    };
    link_engine(place, &json!({}), make)
}

fn address_file(data: &Path) -> PathBuf {
    data.join("address")
}

/// Not a test: another test runs this function in a new process, which it kills.
#[test]
#[ignore = "a program for the other test"]
fn serves_until_it_is_killed() {
    serve_forever(engine_with_endless_files);
}

/// Serves the engine for the data folder in the environment variable. Returns if there is no such variable.
fn serve_forever(make_engine: impl Fn(&LinkPlace) -> Engine) {
    let Some(data) = env::var_os(DATA_VARIABLE).map(PathBuf::from) else { return };
    let place = LinkPlace::existing(&data, env::var(URL_VARIABLE).ok());
    let server = TestServer::start(&make_engine(&place));
    fs::write(address_file(&data), server.address().to_string()).unwrap();
    loop {
        thread::park();
    }
}

/// A server process. Dropping this value kills the process.
struct ServerProcess(Child);

impl ServerProcess {
    /// Runs a function of this file as a server in a new process.
    fn start(function: &str, place: &LinkPlace) -> (Self, SocketAddr) {
        let data = place.data();
        let _ = fs::remove_file(address_file(data));
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", &format!("downloads::killed_server::{function}"), "--ignored"]);
        command.envs(place.url().map(|url| (URL_VARIABLE, url)));
        let server = Self(command.env(DATA_VARIABLE, data).stdout(Stdio::null()).spawn().unwrap());
        let address = || fs::read_to_string(address_file(data)).ok()?.parse().ok();
        assert!(wait_until(|| address().is_some()), "it does not start");
        (server, address().unwrap())
    }

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
    let place = LinkPlace::existing(data.path(), None);
    let (mut server, address) = ServerProcess::start("serves_until_it_is_killed", &place);
    let link = read_link(&Connection::open(address).send(&link_request()));
    let whole = stored_link_files(data.path());
    let mut connection = Connection::open(address);
    connection.write(&link_request().bytes());
    let is_written = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() >= BUFFER_LEN as u64);
    assert!(wait_until(|| stored_link_files(data.path()).iter().any(is_written)), "it is not written");
    server.kill();
    assert_eq!(stored_link_files(data.path()).len(), 2, "what was written is there");

    let server = TestServer::start(&engine_with_endless_files(&place));
    assert_eq!(stored_link_files(data.path()), whole);
    let file = get_target(&server, &link);
    assert_eq!((file.status, &file.body[..]), (200, &b"whole"[..]));
}

/// The number of servers to kill, unless the environment variable sets another number.
const DEFAULT_ROUNDS: usize = 6;
/// The number of rounds with the same data folder. The first of them also creates the key that signs links.
const ROUNDS_PER_FOLDER: usize = 5;
/// The number of clients that request links at the same time.
const CLIENTS: usize = 4;
/// The maximum number of links that the server creates before it is killed.
const MAX_LINKS_PER_ROUND: u64 = 30;

/// Returns the content of a file: its number, and bytes that depend on it.
fn numbered_content(number: usize) -> Vec<u8> {
    let mut content = format!("{number}\n").into_bytes();
    content.resize(1_000 + number % 7 * 50_000, number as u8);
    content
}

/// Returns an engine whose download returns another file for each call, half of them in pieces.
fn engine_with_numbered_files(place: &LinkPlace) -> Engine {
    // No two processes return files with the same number.
    let next = Arc::new(AtomicUsize::new(std::process::id() as usize * 1_000_000));
    let make = move || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let content = numbered_content(number);
        if number.is_multiple_of(2) {
            return Download::bytes(content);
        }
        let pieces: Vec<_> = content.chunks(20_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        Download::stream(stream::iter(pieces))
    };
    link_engine(place, &json!({ "link": 86_400, "links": 1_u64 << 34 }), make)
}

/// Not a test: another test runs this function in a new process, which it kills.
#[test]
#[ignore = "a program for the other test"]
fn serves_numbered_files_until_it_is_killed() {
    serve_forever(engine_with_numbered_files);
}

/// Requests links until the server ends. The length of `links` is the number of received links.
fn request_links(address: SocketAddr, links: &Mutex<Vec<String>>) {
    let mut connection = Connection::open(address);
    loop {
        if std::io::Write::write_all(&mut connection.stream, &link_request().bytes()).is_err() {
            return;
        }
        let Ok(response) = connection.try_read_response(false) else { return };
        links.lock().unwrap().push(read_link(&response));
    }
}

/// Asserts that a link leads to a complete file. Returns the number of the file.
fn check_link(connection: &mut Connection, link: &str) -> usize {
    let response = connection.send(&Request::new("GET", link));
    assert_eq!(response.status, 200, "{link}: {}", response.head);
    let line = response.body.split(|byte| *byte == b'\n').next().unwrap();
    let number = std::str::from_utf8(line).unwrap().parse().unwrap();
    assert!(response.body == numbered_content(number), "{link}: file {number} is incomplete");
    number
}

/// Returns the number of unfinished files. Servers delete those in a bucket later, when they are old.
fn unfinished_files(place: &LinkPlace) -> usize {
    place.link_files().iter().filter(|name| name.starts_with("writing.")).count()
}

#[test]
fn a_killed_server_loses_no_acknowledged_link_and_leaves_no_unfinished_file() {
    let required = env::var("FAULT_INJECTION_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    link_places().iter().for_each(|place| kill_servers(place.url().is_some(), required.unwrap_or(DEFAULT_ROUNDS)));
}

/// Kills servers while they create links, in several places of the same kind.
fn kill_servers(is_bucket: bool, rounds: usize) {
    let new_place = || link_places().into_iter().find(|place| place.url().is_some() == is_bucket).unwrap();
    let mut random = Numbers::new();
    let (mut place, mut links) = (new_place(), Mutex::new(Vec::new()));
    let (mut acknowledged, mut unfinished, mut unacknowledged, mut checked) = (0, 0, 0, 0);
    for round in 0..rounds {
        if round % ROUNDS_PER_FOLDER == 0 {
            (place, links) = (new_place(), Mutex::new(Vec::new()));
        }
        let before = links.lock().unwrap().len();
        let until = before + random.below(MAX_LINKS_PER_ROUND) as usize;
        let (mut server, address) = ServerProcess::start("serves_numbered_files_until_it_is_killed", &place);
        thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| request_links(address, &links))).collect();
            let has_enough = || links.lock().unwrap().len() >= until;
            assert!(wait_until(|| has_enough() || clients.iter().any(thread::ScopedJoinHandle::is_finished)));
            thread::sleep(Duration::from_micros(random.below(10_000)));
            server.kill();
        });
        unfinished += unfinished_files(&place);
        let (mut server, address) = ServerProcess::start("serves_numbered_files_until_it_is_killed", &place);
        assert_eq!(unfinished_files(&place), 0, "the next server deletes unfinished files");
        let all = links.lock().unwrap().clone();
        let mut connection = Connection::open(address);
        let mut numbers: Vec<_> = all.iter().map(|link| check_link(&mut connection, link)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all.len(), "two links lead to the same file");
        // A file without a received link is one that the server completed before it could send the response. In a
        // bucket, it can also be unfinished.
        let stored = place.link_files().len();
        assert!((all.len()..=all.len() + CLIENTS * ROUNDS_PER_FOLDER).contains(&stored), "{stored} files");
        (acknowledged, checked) = (acknowledged + all.len() - before, checked + all.len());
        unacknowledged += usize::from(stored > all.len());
        server.kill();
    }
    assert!(unfinished > 0 || is_bucket, "none of {rounds} servers was killed while it wrote");
    let kind = if is_bucket { "a bucket" } else { "a folder" };
    eprintln!(
        "{rounds} servers with links in {kind} killed: {acknowledged} links acknowledged, {unfinished} unfinished files \
         left, {unacknowledged} rounds with complete files whose links were not sent; {checked} links checked, all \
         complete, none lost"
    );
}
