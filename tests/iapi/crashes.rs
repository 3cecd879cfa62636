//! A server that is killed while others send it files.
//!
//! A few rounds in every run of the tests. `FAULTS_ROUNDS` says how many instead; `scripts/faults` sets it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::{GIF, Peer, on_their_way, tag};
use crate::client::{Connection, Request};

/// How many rounds there are in a run of the tests.
const ROUNDS: usize = 4;
/// How many files a server is sent before it is killed, at most.
const UPLOADS: usize = 40;
/// How many send at once.
const SENDERS: usize = 4;
/// How many places each has for what it sends.
const PLACES: usize = 3;
/// How many files are sent as one.
const TOGETHER: usize = 4;

/// The content of what a sender has sent as its `number`-th: who, which, and bytes that follow from it.
fn content(sender: usize, number: usize) -> Vec<u8> {
    let mut content = [GIF, format!("{sender} {number}\n").as_bytes()].concat();
    content.resize(1_000 + number % 7 * 90_000, number as u8);
    content
}

/// Which this is the content of, whole.
#[track_caller]
fn number(sender: usize, content: &[u8]) -> usize {
    let line = content.strip_prefix(GIF).and_then(|rest| rest.split(|byte| *byte == b'\n').next()).unwrap();
    let (by, number) = std::str::from_utf8(line).unwrap().split_once(' ').unwrap();
    assert_eq!(by, sender.to_string());
    let number = number.parse().unwrap();
    assert!(content == self::content(sender, number), "file {number} of {sender} is torn");
    number
}

/// Somebody who sends one file, then several as one, and so on.
struct Sender {
    sender: usize,
    next: usize,
    places: BTreeMap<Vec<String>, Known>,
}

/// What is known of a place: the last of which the server said that it is kept, and the last that it was sent.
#[derive(Default, Clone, Copy)]
struct Known {
    kept: Option<usize>,
    sent: Option<usize>,
}

/// What has happened in all rounds.
#[derive(Default, Debug)]
struct Figures {
    kept: AtomicUsize,
    unanswered: AtomicUsize,
    on_their_way: usize,
    checked: usize,
}

impl Sender {
    fn new(sender: usize) -> Self {
        Self { sender, next: 0, places: BTreeMap::new() }
    }

    /// The names of the next.
    fn names(&self) -> Vec<String> {
        let (sender, place) = (self.sender, self.next / 2 % PLACES);
        match self.next % 2 {
            0 => vec![format!("public/{sender}/single/{place}.gif")],
            _ => (0..TOGETHER).map(|at| format!("public/{sender}/{at}/together-{place}.gif")).collect(),
        }
    }

    fn request(&self, peer: &Peer, names: &[String]) -> Request {
        let content = content(self.sender, self.next);
        match names {
            [name] => peer.sending(name, &content),
            _ => peer.sending_all(&names.iter().map(|name| (name.as_str(), content.as_slice())).collect::<Vec<_>>()),
        }
    }

    /// Sends until nobody answers.
    fn send(&mut self, peer: &Peer, figures: &Figures) {
        let mut connection = peer.connect();
        loop {
            let names = self.names();
            let request = self.request(peer, &names);
            let known = self.places.entry(names).or_default();
            known.sent = Some(self.next);
            if !answered(&mut connection, &request) {
                figures.unanswered.fetch_add(1, Ordering::Relaxed);
                self.next += 1;
                return;
            }
            known.kept = Some(self.next);
            figures.kept.fetch_add(1, Ordering::Relaxed);
            self.next += 1;
        }
    }

    /// Asserts that of each place there is what was kept last, or what was sent after that, whole; and that the server
    /// says the same.
    fn check(&mut self, peer: &Peer, figures: &mut Figures) {
        let mut connection = peer.connect();
        for (names, known) in &mut self.places {
            let contents = names.iter().map(|name| fs::read(peer.store().join(name)).ok());
            let there: Vec<_> = contents.map(|content| content.map(|content| number(self.sender, &content))).collect();
            assert!(there.iter().all(|one| *one == there[0]), "{names:?}: {there:?}");
            assert!([known.kept, known.sent].contains(&there[0]), "{names:?}: {there:?}, but kept {:?}", known.kept);
            *known = Known { kept: there[0], sent: there[0] };
            let Some(number) = there[0] else { continue };
            let content = content(self.sender, number);
            for name in names {
                let answer = connection.ask(&peer.asking("GET", name));
                assert!(answer.status == 200 && answer.body == content, "{name}: {}", answer.head);
                assert_eq!(answer.field("etag"), Some(tag(&content).as_str()), "{name}");
                figures.checked += 1;
            }
        }
    }
}

/// Whether an upload is acknowledged; not if the server is no more.
#[track_caller]
fn answered(connection: &mut Connection, request: &Request) -> bool {
    if connection.stream.write_all(&request.bytes()).is_err() {
        return false;
    }
    match connection.try_answer(false) {
        Ok(answer) => {
            assert_eq!(answer.status, 204, "{answer:?}");
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
    let mut peer = Peer::prepared(|_| ());
    let mut senders: Vec<_> = (0..SENDERS).map(Sender::new).collect();
    let mut figures = Figures::default();
    for round in 1..=rounds {
        peer.serve();
        let until = figures.kept.load(Ordering::Relaxed) + random(UPLOADS);
        std::thread::scope(|scope| {
            let (peer, figures) = (&peer, &figures);
            let senders: Vec<_> = senders.iter_mut().map(|one| scope.spawn(move || one.send(peer, figures))).collect();
            let over = || senders.iter().any(std::thread::ScopedJoinHandle::is_finished);
            while figures.kept.load(Ordering::Relaxed) < until && !over() {
                sleep(Duration::from_micros(100));
            }
            sleep(Duration::from_micros(random(10_000) as u64));
            peer.served.as_ref().unwrap().signal("KILL");
        });
        peer.kill();
        figures.on_their_way += on_their_way(&peer.store()).len();
        peer.serve();
        assert_eq!(on_their_way(&peer.store()), [PathBuf::new(); 0], "what is left behind is removed");
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
    let Figures { kept, unanswered, on_their_way, checked } = figures;
    println!(
        "{rounds} servers killed: {} uploads acknowledged, {} not answered, {on_their_way} files left on their way; \
         {checked} files looked at, all whole and none lost",
        kept.into_inner(),
        unanswered.into_inner(),
    );
}
