//! A server that is killed while others send it files and have caches made.
//!
//! A few rounds in every run of the tests. `FAULTS_ROUNDS` says how many instead; `scripts/faults` sets it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::{Peer, on_their_way, tag};
use crate::client::{Connection, Request};
use crate::demo::Sql;

/// How many rounds there are in a run of the tests.
const ROUNDS: usize = 4;
/// How many calls a server answers before it is killed, at most.
const CALLS: usize = 40;
/// How many send at once.
const SENDERS: usize = 4;
/// How many places each has for what it sends.
const PLACES: usize = 3;
/// How many files are sent as one, or made.
const TOGETHER: usize = 4;

/// The rows of the database that caches are made of.
const ROWS: usize = 24;

/// Bytes that follow from a number, some more and some fewer.
fn filled(start: String, number: usize) -> Vec<u8> {
    let mut content = start.into_bytes();
    content.resize(1_000 + number % 7 * 90_000, b'a' + (number % 26) as u8);
    content
}

/// The value of a row.
fn row(number: usize) -> Vec<u8> {
    filled(format!("{} ", number % ROWS), number % ROWS)
}

/// Somebody who sends one file, then several as one, then has caches made, and so on.
struct Sender {
    sender: usize,
    next: usize,
    places: BTreeMap<Vec<String>, Known>,
}

/// What is known of a place: the number of the last call of which the server said that it is done, and of the last that
/// it was sent.
#[derive(Default, Clone, Copy)]
struct Known {
    done: Option<usize>,
    sent: Option<usize>,
}

/// What has happened in all rounds.
#[derive(Default, Debug)]
struct Figures {
    uploads: AtomicUsize,
    caches: AtomicUsize,
    unanswered: AtomicUsize,
    on_their_way: usize,
    checked: usize,
}

impl Figures {
    fn done(&self) -> usize {
        self.uploads.load(Ordering::Relaxed) + self.caches.load(Ordering::Relaxed)
    }
}

impl Sender {
    fn new(sender: usize) -> Self {
        Self { sender, next: 0, places: BTreeMap::new() }
    }

    /// The folder of the next caches.
    fn folder(&self) -> String {
        format!("cache/{}/{}", self.sender, self.next / 3 % PLACES)
    }

    /// The names of the next.
    fn names(&self) -> Vec<String> {
        let (sender, place) = (self.sender, self.next / 3 % PLACES);
        let several = |name: &dyn Fn(usize) -> String| (0..TOGETHER).map(name).collect();
        match self.next % 3 {
            0 => vec![format!("public/{sender}/single/{place}.gif")],
            1 => several(&|at| format!("public/{sender}/{at}/together-{place}.gif")),
            _ => several(&|at| format!("{}/{at}.json", self.folder())),
        }
    }

    /// The content of the files of a call.
    fn content(&self, number: usize) -> Vec<u8> {
        match number % 3 {
            2 => row(number),
            _ => filled(format!("GIF89a {} {number} ", self.sender), number),
        }
    }

    fn request(&self, peer: &Peer, names: &[String]) -> Request {
        let content = self.content(self.next);
        match self.next % 3 {
            0 => peer.sending(&names[0], &content),
            1 => peer.sending_all(&names.iter().map(|name| (name.as_str(), content.as_slice())).collect::<Vec<_>>()),
            _ => {
                let keys = [format!("row{}", self.next % ROWS).as_str(); TOGETHER].join(",");
                let filenames: Vec<_> = (0..TOGETHER).map(|at| format!("{at}.json")).collect();
                let (folder, filenames) = (self.folder(), filenames.join(","));
                let form = format!("fromDB=user_info.intro_json&storePath={folder}&keys={keys}&filenames={filenames}");
                peer.request("POST", "/iapi/cache").body("application/x-www-form-urlencoded", form)
            }
        }
    }

    /// Sends until nobody answers.
    fn send(&mut self, peer: &Peer, figures: &Figures) {
        let mut connection = peer.connect();
        loop {
            let names = self.names();
            let request = self.request(peer, &names);
            let (number, known) = (self.next, self.places.entry(names).or_default());
            self.next += 1;
            known.sent = Some(number);
            if !answered(&mut connection, &request) {
                figures.unanswered.fetch_add(1, Ordering::Relaxed);
                return;
            }
            known.done = Some(number);
            let count = if number % 3 == 2 { &figures.caches } else { &figures.uploads };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Asserts that at each place there is what was acknowledged last, or what was sent after that, whole; and that the
    /// server says the same.
    fn check(&mut self, peer: &Peer, figures: &mut Figures) {
        let mut connection = peer.connect();
        let mut places = std::mem::take(&mut self.places);
        for (names, known) in &mut places {
            let there: Vec<_> = names.iter().map(|name| fs::read(peer.store().join(name)).ok()).collect();
            let is = |number: &Option<usize>| {
                let content = number.map(|number| self.content(number));
                there.iter().all(|one| *one == content)
            };
            let Some(number) = [known.done, known.sent].into_iter().find(is) else {
                let starts = there.iter().map(|one| one.as_ref().map(|one| one[..20].escape_ascii().to_string()));
                panic!("{names:?}: {:?} is there, {:?} was done", starts.collect::<Vec<_>>(), known.done);
            };
            *known = Known { done: number, sent: number };
            let Some(number) = number else { continue };
            let content = self.content(number);
            for name in names {
                let answer = connection.ask(&peer.asking("GET", name));
                assert!(answer.status == 200 && answer.body == content, "{name}: {}", answer.head);
                assert_eq!(answer.field("etag"), Some(tag(&content).as_str()), "{name}");
                figures.checked += 1;
            }
        }
        self.places = places;
    }
}

/// Whether a call is acknowledged; not if the server is no more.
#[track_caller]
fn answered(connection: &mut Connection, request: &Request) -> bool {
    if connection.stream.write_all(&request.bytes()).is_err() {
        return false;
    }
    match connection.try_answer(false) {
        Ok(answer) => {
            assert!([200, 204].contains(&answer.status), "{answer:?}");
            true
        }
        Err(_) => false,
    }
}

/// A number below this one.
fn random(below: usize) -> usize {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).unwrap();
    u32::from_ne_bytes(bytes) as usize % below
}

#[test]
fn what_was_acknowledged_is_there_and_nothing_is_torn() {
    let said = std::env::var("FAULTS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let rounds = said.unwrap_or(ROUNDS);
    let mut peer = Peer::start();
    fill(&peer);
    let mut senders: Vec<_> = (0..SENDERS).map(Sender::new).collect();
    let mut figures = Figures::default();
    for round in 1..=rounds {
        peer.serve();
        let until = figures.done() + random(CALLS);
        std::thread::scope(|scope| {
            let (peer, figures) = (&peer, &figures);
            let senders: Vec<_> = senders.iter_mut().map(|one| scope.spawn(move || one.send(peer, figures))).collect();
            let over = || senders.iter().any(std::thread::ScopedJoinHandle::is_finished);
            while figures.done() < until && !over() {
                sleep(Duration::from_micros(100));
            }
            sleep(Duration::from_micros(random(10_000) as u64));
            peer.served.as_ref().unwrap().signal("KILL");
        });
        peer.kill();
        figures.on_their_way += on_their_way(&peer.store()).len();
        peer.serve();
        assert!(on_their_way(&peer.store()).is_empty(), "what is left behind is removed");
        for sender in &mut senders {
            sender.check(&peer, &mut figures);
        }
        let mut terminal = std::io::stderr();
        if said.is_some() && terminal.is_terminal() {
            // Nobody waits at a terminal that cannot be written to.
            let _ = write!(terminal, "\r{round} of {rounds} servers killed  ");
        }
    }
    peer.assert_healthy();
    assert!(figures.on_their_way > 0, "none of {rounds} servers was killed while it wrote: {figures:?}");
    let Figures { uploads, caches, unanswered, on_their_way, checked } = figures;
    eprintln!(
        "{rounds} servers killed: {} uploads and {} caches acknowledged, {} calls not answered, {on_their_way} files \
         left on their way; {checked} files looked at, all whole and none lost",
        uploads.into_inner(),
        caches.into_inner(),
        unanswered.into_inner(),
    );
}

/// Puts rows into the server's database.
fn fill(peer: &Peer) {
    // It makes its database when it is first asked.
    assert_eq!(peer.send(&Request::new("GET", "/article")).status, 200);
    let mut sql = Sql::to(&format!("sqlite:{}", peer.folder().join("data/demo.db").display()));
    for number in 0..ROWS {
        let value = String::from_utf8(row(number)).unwrap();
        sql.execute(&format!("INSERT INTO user_info (id, intro_json) VALUES ('row{number}', '{value}')"));
    }
}
