//! A server that is killed while it makes caches.
//!
//! A few rounds in every run of the tests. `FAULTS_ROUNDS` says how many instead.

use std::fs;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{ScopedJoinHandle, scope, sleep};
use std::time::Duration;

use serde_json::json;

use crate::client::Request;
use crate::demo::Sql;
use crate::iapi::{Peer, on_their_way};

/// How many rounds there are in a run of the tests.
const ROUNDS: usize = 4;
/// How many ask at once, each for files of its own.
const ASKING: usize = 3;
/// How many files a call writes.
const FILES: usize = 4;
/// How many states of the files there are: a call asks for the next.
const STATES: usize = 5;
/// How many calls a server answers before it is killed, at most.
const CALLS: usize = 30;

/// The value of a file in a state.
fn value(state: usize, file: usize) -> String {
    format!("{state}{file}").repeat(10 + state * 30_000)
}

/// Somebody who asks for caches, one state after the other.
struct Asking {
    number: usize,
    /// The last call that was answered, and the last that was made.
    kept: usize,
    sent: usize,
}

impl Asking {
    fn request(&self, peer: &Peer) -> Request {
        let keys: Vec<_> = (0..FILES).map(|file| format!("{}-{file}", self.sent % STATES)).collect();
        let names: Vec<_> = (0..FILES).map(|file| format!("{}-{file}", self.number)).collect();
        let body = json!({ "fromDB": "user_info.intro_json", "storePath": "cache", "keys": keys, "filenames": names });
        peer.request("POST", "/iapi/cache").body("application/json", body.to_string())
    }

    /// Asks until nobody answers.
    fn ask(&mut self, peer: &Peer, answered: &AtomicUsize) {
        let mut connection = peer.connect();
        loop {
            self.sent += 1;
            let written = connection.stream.write_all(&self.request(peer).bytes());
            let Some(answer) = written.ok().and_then(|()| connection.try_answer(false).ok()) else { return };
            assert_eq!(answer.status, 200, "{answer:?}");
            self.kept = self.sent;
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Asserts that all files are of the last call that was answered, or all of the one behind it.
    fn check(&mut self, peer: &Peer) {
        let read = |file| fs::read_to_string(peer.store().join(format!("cache/{}-{file}", self.number))).ok();
        let there: Vec<_> = (0..FILES).map(read).collect();
        let of = |call: usize| {
            let value = |file| (call > 0).then(|| value(call % STATES, file));
            (0..FILES).map(value).collect::<Vec<_>>() == there
        };
        let begun: Vec<_> = there.iter().map(|text| text.as_ref().map(|text| (text.len(), &text[..2]))).collect();
        let found = [self.sent, self.kept].into_iter().find(|call| of(*call));
        self.kept = found.unwrap_or_else(|| panic!("{begun:?}, kept {} and sent {}", self.kept, self.sent));
        self.sent = self.kept;
    }
}

fn random(below: usize) -> usize {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).unwrap();
    u32::from_ne_bytes(bytes) as usize % below
}

#[test]
fn the_files_of_a_call_are_there_or_not_after_a_crash_too() {
    let rounds = std::env::var("FAULTS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let mut peer = Peer::start();
    assert_eq!(peer.send(&Request::new("GET", "/article")).status, 200);
    let mut sql = Sql::to(&format!("sqlite:{}", peer.folder().join("data/demo.db").display()));
    for (state, file) in (0..STATES).flat_map(|state| (0..FILES).map(move |file| (state, file))) {
        sql.execute(&format!("INSERT INTO user_info VALUES ('{state}-{file}', '{}')", value(state, file)));
    }
    drop(sql);
    let mut asking: Vec<_> = (0..ASKING).map(|number| Asking { number, kept: 0, sent: 0 }).collect();
    let answered = AtomicUsize::new(0);
    let mut left = 0;
    for _ in 0..rounds {
        let until = answered.load(Ordering::Relaxed) + random(CALLS);
        scope(|scope| {
            let (peer, answered) = (&peer, &answered);
            let asking: Vec<_> = asking.iter_mut().map(|one| scope.spawn(move || one.ask(peer, answered))).collect();
            while answered.load(Ordering::Relaxed) < until && !asking.iter().any(ScopedJoinHandle::is_finished) {
                sleep(Duration::from_micros(100));
            }
            sleep(Duration::from_micros(random(10_000) as u64));
            peer.served.as_ref().unwrap().signal("KILL");
        });
        peer.kill();
        left += on_their_way(&peer.store()).len();
        peer.serve();
        assert!(on_their_way(&peer.store()).is_empty(), "what is left behind is removed");
        asking.iter_mut().for_each(|one| one.check(&peer));
    }
    peer.assert_healthy();
    assert!(left > 0, "none of {rounds} servers was killed while it wrote");
    println!("{rounds} servers killed, {} calls answered, {left} files left on their way", answered.into_inner());
}
