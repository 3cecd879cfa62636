//! Tests a server that is killed while clients upload files and request caches: acknowledged files are not lost.
//!
//! The environment variable `FAULT_INJECTION_ROUNDS` is the number of times that the server is killed.
//! `scripts/fault-injection` sets it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::{InternalApiServer, entity_tag, staged_files};
use crate::client::{Connection, Request};
use support::random::Numbers;

/// The number of rounds if the environment variable is not set. In each round, the server is killed once.
const DEFAULT_ROUNDS: usize = 4;
/// The maximum number of calls in a round before the server is killed.
const MAX_CALLS_PER_ROUND: u64 = 40;
/// The number of concurrent clients.
const CLIENT_COUNT: usize = 4;
/// The number of different targets (sets of file names) that each client writes to in turn.
const TARGETS_PER_CLIENT: usize = 3;
/// The number of files in an upload of several files, and of caches in a request for caches.
const FILES_PER_CALL: usize = 4;

/// The number of rows in the database from which caches are written.
const ROW_COUNT: usize = 24;

/// Returns bytes that begin with a text. The number determines the length and the other bytes.
fn numbered_bytes(start: String, number: usize) -> Vec<u8> {
    let mut content = start.into_bytes();
    content.resize(1_000 + number % 7 * 90_000, b'a' + (number % 26) as u8);
    content
}

/// Returns the database value of a row.
fn row_value(number: usize) -> Vec<u8> {
    numbered_bytes(format!("{} ", number % ROW_COUNT), number % ROW_COUNT)
}

/// What a call writes.
#[derive(Clone, Copy, PartialEq)]
enum CallKind {
    /// One uploaded file.
    File,
    /// Several uploaded files.
    Files,
    /// Several caches of values in the database.
    Caches,
}

/// A client that repeats calls of these kinds.
struct WritingClient {
    client_number: usize,
    kinds: &'static [CallKind],
    next_call: usize,
    targets: BTreeMap<Vec<String>, LastCalls>,
}

/// The numbers of the last calls that wrote to a target.
#[derive(Default, Clone, Copy)]
struct LastCalls {
    /// The number of the last call that the server acknowledged.
    acknowledged: Option<usize>,
    /// The number of the last call that was sent.
    sent: Option<usize>,
}

/// The numbers of calls and files over all rounds.
#[derive(Default, Debug)]
struct CrashCounts {
    acknowledged_uploads: AtomicUsize,
    acknowledged_caches: AtomicUsize,
    unacknowledged_calls: AtomicUsize,
    leftover_staged_files: usize,
    checked_targets: usize,
}

impl CrashCounts {
    fn acknowledged_calls(&self) -> usize {
        self.acknowledged_uploads.load(Ordering::Relaxed) + self.acknowledged_caches.load(Ordering::Relaxed)
    }
}

impl WritingClient {
    fn new(client_number: usize, kinds: &'static [CallKind]) -> Self {
        Self { client_number, kinds, next_call: 0, targets: BTreeMap::new() }
    }

    /// Returns the kind of the call with this number.
    fn kind(&self, number: usize) -> CallKind {
        self.kinds[number % self.kinds.len()]
    }

    /// Returns the number of the target that the next call writes to.
    fn next_target(&self) -> usize {
        self.next_call / self.kinds.len() % TARGETS_PER_CLIENT
    }

    /// Returns the folder of the caches in the next call.
    fn cache_folder(&self) -> String {
        format!("cache/{}/{}", self.client_number, self.next_target())
    }

    /// Returns the names of the files that the next call writes.
    fn file_names(&self) -> Vec<String> {
        let (client_number, target) = (self.client_number, self.next_target());
        let several = |name: &dyn Fn(usize) -> String| (0..FILES_PER_CALL).map(name).collect();
        match self.kind(self.next_call) {
            CallKind::File => vec![format!("public/{client_number}/single/{target}.gif")],
            CallKind::Files => several(&|at| format!("public/{client_number}/{at}/together-{target}.gif")),
            CallKind::Caches => several(&|at| format!("{}/{at}.json", self.cache_folder())),
        }
    }

    /// Returns the content of the files that this call writes.
    fn file_content(&self, number: usize) -> Vec<u8> {
        match self.kind(number) {
            CallKind::Caches => row_value(number),
            CallKind::File | CallKind::Files => {
                numbered_bytes(format!("GIF89a {} {number} ", self.client_number), number)
            }
        }
    }

    fn next_request(&self, peer: &InternalApiServer, names: &[String]) -> Request {
        let content = self.file_content(self.next_call);
        match self.kind(self.next_call) {
            CallKind::File => peer.upload_request(&names[0], &content),
            CallKind::Files => peer
                .upload_all_request(&names.iter().map(|name| (name.as_str(), content.as_slice())).collect::<Vec<_>>()),
            CallKind::Caches => {
                let keys = [format!("row{}", self.next_call % ROW_COUNT).as_str(); FILES_PER_CALL].join(",");
                let filenames: Vec<_> = (0..FILES_PER_CALL).map(|at| format!("{at}.json")).collect();
                let (folder, filenames) = (self.cache_folder(), filenames.join(","));
                let form = format!("fromDB=user_info.intro_json&storePath={folder}&keys={keys}&filenames={filenames}");
                peer.request("POST", "/iapi/cache").body("application/x-www-form-urlencoded", form)
            }
        }
    }

    /// Sends requests until the server ends.
    fn send_until_killed(&mut self, peer: &InternalApiServer, counts: &CrashCounts) {
        let mut connection = peer.connect();
        loop {
            let names = self.file_names();
            let request = self.next_request(peer, &names);
            let (number, kind) = (self.next_call, self.kind(self.next_call));
            let calls = self.targets.entry(names).or_default();
            self.next_call += 1;
            calls.sent = Some(number);
            if !send_request(&mut connection, &request) {
                counts.unacknowledged_calls.fetch_add(1, Ordering::Relaxed);
                return;
            }
            calls.acknowledged = Some(number);
            let count = match kind {
                CallKind::Caches => &counts.acknowledged_caches,
                CallKind::File | CallKind::Files => &counts.acknowledged_uploads,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Asserts that the files of each target are complete, that they are the files of the last acknowledged call or of
    /// a later call, and that the server responds with them.
    fn assert_files(&mut self, peer: &InternalApiServer, counts: &mut CrashCounts) {
        let mut connection = peer.connect();
        let mut targets = std::mem::take(&mut self.targets);
        for (names, calls) in &mut targets {
            let stored: Vec<_> = names.iter().map(|name| fs::read(peer.store().join(name)).ok()).collect();
            let is = |number: &Option<usize>| {
                let content = number.map(|number| self.file_content(number));
                stored.iter().all(|file| *file == content)
            };
            let Some(number) = [calls.acknowledged, calls.sent].into_iter().find(is) else {
                let starts = stored.iter().map(|file| file.as_ref().map(|file| file[..20].escape_ascii().to_string()));
                let acknowledged = calls.acknowledged;
                panic!("{names:?}: {:?} stored, {acknowledged:?} acknowledged", starts.collect::<Vec<_>>());
            };
            *calls = LastCalls { acknowledged: number, sent: number };
            let Some(number) = number else { continue };
            let content = self.file_content(number);
            for name in names {
                let response = connection.send(&peer.download_request("GET", name));
                assert!(response.status == 200 && response.body == content, "{name}: {}", response.head);
                assert_eq!(response.field("etag"), Some(entity_tag(&content).as_str()), "{name}");
                counts.checked_targets += 1;
            }
        }
        self.targets = targets;
    }
}

/// Sends a request, and returns `true` if the server responds. Returns `false` if the server ends before it has
/// responded.
#[track_caller]
fn send_request(connection: &mut Connection, request: &Request) -> bool {
    if connection.stream.write_all(&request.bytes()).is_err() {
        return false;
    }
    match connection.try_read_response(false) {
        Ok(response) => {
            assert!([200, 204].contains(&response.status), "{response:?}");
            true
        }
        Err(_) => false,
    }
}

#[test]
fn a_killed_server_loses_no_acknowledged_file_and_leaves_none_incomplete() {
    kill_servers(&[CallKind::File, CallKind::Files, CallKind::Caches]);
}

#[test]
fn a_killed_server_loses_no_acknowledged_cache_and_leaves_none_incomplete() {
    kill_servers(&[CallKind::Caches]);
}

/// Kills servers while clients repeat calls of these kinds.
fn kill_servers(kinds: &'static [CallKind]) {
    let required = std::env::var("FAULT_INJECTION_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let rounds = required.unwrap_or(DEFAULT_ROUNDS);
    let mut peer = InternalApiServer::start();
    insert_rows(&peer);
    let mut senders: Vec<_> = (0..CLIENT_COUNT).map(|number| WritingClient::new(number, kinds)).collect();
    let mut counts = CrashCounts::default();
    let mut random = Numbers::new();
    for round in 1..=rounds {
        let until = counts.acknowledged_calls() + random.below(MAX_CALLS_PER_ROUND) as usize;
        std::thread::scope(|scope| {
            let (peer, counts) = (&peer, &counts);
            let senders: Vec<_> =
                senders.iter_mut().map(|sender| scope.spawn(move || sender.send_until_killed(peer, counts))).collect();
            let is_over = || senders.iter().any(std::thread::ScopedJoinHandle::is_finished);
            while counts.acknowledged_calls() < until && !is_over() {
                sleep(Duration::from_micros(100));
            }
            sleep(Duration::from_micros(random.below(10_000)));
            peer.process.as_ref().unwrap().signal("KILL");
        });
        peer.kill();
        counts.leftover_staged_files += staged_files(&peer.store()).len();
        peer.start_process();
        assert!(staged_files(&peer.store()).is_empty(), "the next server removes staged files");
        for sender in &mut senders {
            sender.assert_files(&peer, &mut counts);
        }
        let mut terminal = std::io::stderr();
        if required.is_some() && terminal.is_terminal() {
            // An error while the progress is written to the terminal is ignored.
            let _ = write!(terminal, "\r{round} of {rounds} servers killed  ");
        }
    }
    peer.assert_healthy();
    assert!(counts.leftover_staged_files > 0, "none of {rounds} servers was killed while it wrote: {counts:?}");
    let CrashCounts {
        acknowledged_uploads: uploads,
        acknowledged_caches: caches,
        unacknowledged_calls: unacknowledged,
        leftover_staged_files: staged_files,
        checked_targets: checked,
    } = counts;
    eprintln!(
        "{rounds} servers killed: {} uploads and {} caches acknowledged, {} calls not acknowledged, {staged_files} staged \
         files left; {checked} files checked, all complete, none lost",
        uploads.into_inner(),
        caches.into_inner(),
        unacknowledged.into_inner(),
    );
}

/// Inserts the rows into the database of the server.
fn insert_rows(peer: &InternalApiServer) {
    // The database is created by the first request, which has no result yet.
    assert_eq!(peer.send(&Request::new("GET", "/article")).status, 200);
    let sql = rusqlite::Connection::open(peer.folder().join("data/demo.db")).unwrap();
    for number in 0..ROW_COUNT {
        let value = String::from_utf8(row_value(number)).unwrap();
        sql.execute("INSERT INTO user_info (id, intro_json) VALUES (?1, ?2)", (format!("row{number}"), value)).unwrap();
    }
}
