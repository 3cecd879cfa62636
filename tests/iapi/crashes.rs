//! A server that is killed while clients upload files and request caches.
//!
//! `FAULT_INJECTION_ROUNDS` is the number of times that it is killed; `scripts/fault-injection` sets it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::{Peer, staged_files, tag};
use crate::client::{Connection, Request};
use crate::demo::DatabaseConnection;
use support::random::Numbers;

/// Number of rounds, unless the environment sets it.
const ROUNDS: usize = 4;
/// Maximum number of calls in a round before the server is killed.
const CALLS: u64 = 40;
/// Number of concurrent clients.
const SENDERS: usize = 4;
/// Number of different targets that each client writes to in turn.
const TARGETS: usize = 3;
/// Number of files in a request for several, and of caches in a request.
const TOGETHER: usize = 4;

/// Number of rows in the database from which caches are written.
const ROWS: usize = 24;

/// Returns bytes that depend on a number, of different lengths.
fn filled(start: String, number: usize) -> Vec<u8> {
    let mut content = start.into_bytes();
    content.resize(1_000 + number % 7 * 90_000, b'a' + (number % 26) as u8);
    content
}

/// Returns the value of a row.
fn row(number: usize) -> Vec<u8> {
    filled(format!("{} ", number % ROWS), number % ROWS)
}

/// A client that in turn uploads one file, uploads several files, and requests caches.
struct Sender {
    sender: usize,
    next: usize,
    targets: BTreeMap<Vec<String>, Calls>,
}

/// The last calls with the same target.
#[derive(Default, Clone, Copy)]
struct Calls {
    /// The number of the last call that the server acknowledged.
    acknowledged: Option<usize>,
    /// The number of the last call that was sent.
    sent: Option<usize>,
}

/// Counts over all rounds.
#[derive(Default, Debug)]
struct Counts {
    uploads: AtomicUsize,
    caches: AtomicUsize,
    unacknowledged: AtomicUsize,
    staged_files: usize,
    checked: usize,
}

impl Counts {
    fn done(&self) -> usize {
        self.uploads.load(Ordering::Relaxed) + self.caches.load(Ordering::Relaxed)
    }
}

impl Sender {
    fn new(sender: usize) -> Self {
        Self { sender, next: 0, targets: BTreeMap::new() }
    }

    /// Returns the folder of the next caches.
    fn folder(&self) -> String {
        format!("cache/{}/{}", self.sender, self.next / 3 % TARGETS)
    }

    /// Returns the file names of the next call.
    fn names(&self) -> Vec<String> {
        let (sender, target) = (self.sender, self.next / 3 % TARGETS);
        let several = |name: &dyn Fn(usize) -> String| (0..TOGETHER).map(name).collect();
        match self.next % 3 {
            0 => vec![format!("public/{sender}/single/{target}.gif")],
            1 => several(&|at| format!("public/{sender}/{at}/together-{target}.gif")),
            _ => several(&|at| format!("{}/{at}.json", self.folder())),
        }
    }

    /// Returns the content of the files of a call.
    fn content(&self, number: usize) -> Vec<u8> {
        match number % 3 {
            2 => row(number),
            _ => filled(format!("GIF89a {} {number} ", self.sender), number),
        }
    }

    fn request(&self, peer: &Peer, names: &[String]) -> Request {
        let content = self.content(self.next);
        match self.next % 3 {
            0 => peer.upload_request(&names[0], &content),
            1 => peer
                .upload_all_request(&names.iter().map(|name| (name.as_str(), content.as_slice())).collect::<Vec<_>>()),
            _ => {
                let keys = [format!("row{}", self.next % ROWS).as_str(); TOGETHER].join(",");
                let filenames: Vec<_> = (0..TOGETHER).map(|at| format!("{at}.json")).collect();
                let (folder, filenames) = (self.folder(), filenames.join(","));
                let form = format!("fromDB=user_info.intro_json&storePath={folder}&keys={keys}&filenames={filenames}");
                peer.request("POST", "/iapi/cache").body("application/x-www-form-urlencoded", form)
            }
        }
    }

    /// Sends requests until the server does not respond.
    fn send(&mut self, peer: &Peer, counts: &Counts) {
        let mut connection = peer.connect();
        loop {
            let names = self.names();
            let request = self.request(peer, &names);
            let (number, calls) = (self.next, self.targets.entry(names).or_default());
            self.next += 1;
            calls.sent = Some(number);
            if !is_acknowledged(&mut connection, &request) {
                counts.unacknowledged.fetch_add(1, Ordering::Relaxed);
                return;
            }
            calls.acknowledged = Some(number);
            let count = if number % 3 == 2 { &counts.caches } else { &counts.uploads };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Asserts that the files of each target are complete and those of the last acknowledged call, or of a later call,
    /// and that the server responds with them.
    fn check(&mut self, peer: &Peer, counts: &mut Counts) {
        let mut connection = peer.connect();
        let mut targets = std::mem::take(&mut self.targets);
        for (names, calls) in &mut targets {
            let stored: Vec<_> = names.iter().map(|name| fs::read(peer.store().join(name)).ok()).collect();
            let is = |number: &Option<usize>| {
                let content = number.map(|number| self.content(number));
                stored.iter().all(|file| *file == content)
            };
            let Some(number) = [calls.acknowledged, calls.sent].into_iter().find(is) else {
                let starts = stored.iter().map(|file| file.as_ref().map(|file| file[..20].escape_ascii().to_string()));
                let acknowledged = calls.acknowledged;
                panic!("{names:?}: {:?} stored, {acknowledged:?} acknowledged", starts.collect::<Vec<_>>());
            };
            *calls = Calls { acknowledged: number, sent: number };
            let Some(number) = number else { continue };
            let content = self.content(number);
            for name in names {
                let response = connection.send(&peer.download_request("GET", name));
                assert!(response.status == 200 && response.body == content, "{name}: {}", response.head);
                assert_eq!(response.field("etag"), Some(tag(&content).as_str()), "{name}");
                counts.checked += 1;
            }
        }
        self.targets = targets;
    }
}

/// Sends a request. Returns `false` if the server ended before it responded.
#[track_caller]
fn is_acknowledged(connection: &mut Connection, request: &Request) -> bool {
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
    let required = std::env::var("FAULT_INJECTION_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let rounds = required.unwrap_or(ROUNDS);
    let mut peer = Peer::start();
    fill(&peer);
    let mut senders: Vec<_> = (0..SENDERS).map(Sender::new).collect();
    let mut counts = Counts::default();
    let mut random = Numbers::new();
    for round in 1..=rounds {
        peer.serve();
        let until = counts.done() + random.below(CALLS) as usize;
        std::thread::scope(|scope| {
            let (peer, counts) = (&peer, &counts);
            let senders: Vec<_> =
                senders.iter_mut().map(|sender| scope.spawn(move || sender.send(peer, counts))).collect();
            let is_over = || senders.iter().any(std::thread::ScopedJoinHandle::is_finished);
            while counts.done() < until && !is_over() {
                sleep(Duration::from_micros(100));
            }
            sleep(Duration::from_micros(random.below(10_000)));
            peer.process.as_ref().unwrap().signal("KILL");
        });
        peer.kill();
        counts.staged_files += staged_files(&peer.store()).len();
        peer.serve();
        assert!(staged_files(&peer.store()).is_empty(), "the next server removes staged files");
        for sender in &mut senders {
            sender.check(&peer, &mut counts);
        }
        let mut terminal = std::io::stderr();
        if required.is_some() && terminal.is_terminal() {
            // An error on the terminal does not matter.
            let _ = write!(terminal, "\r{round} of {rounds} servers killed  ");
        }
    }
    peer.assert_healthy();
    assert!(counts.staged_files > 0, "none of {rounds} servers was killed while it wrote: {counts:?}");
    let Counts { uploads, caches, unacknowledged, staged_files, checked } = counts;
    eprintln!(
        "{rounds} servers killed: {} uploads and {} caches acknowledged, {} calls not acknowledged, {staged_files} staged \
         files left; {checked} files checked, all complete, none lost",
        uploads.into_inner(),
        caches.into_inner(),
        unacknowledged.into_inner(),
    );
}

/// Inserts rows into the server's database.
fn fill(peer: &Peer) {
    // The first request creates the database.
    assert_eq!(peer.send(&Request::new("GET", "/article")).status, 200);
    let mut sql = DatabaseConnection::connect(&format!("sqlite:{}", peer.folder().join("data/demo.db").display()));
    for number in 0..ROWS {
        let value = String::from_utf8(row(number)).unwrap();
        sql.execute(&format!("INSERT INTO user_info (id, intro_json) VALUES ('row{number}', '{value}')"));
    }
}
