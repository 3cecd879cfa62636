//! The Valkey or Redis server of the tests, and the definitions that the tests serve.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rulebook::{Claim, Grant, Rulebook, SharedCounter, SharedCounterSettings, Unbound};
use rulebook_redis::RedisCounter;
use rulebook_test::Client;

/// The tests use the server one after the other, because some kill it.
static IN_USE: Mutex<()> = Mutex::new(());

/// The server while a test uses it.
pub struct RedisServer {
    url: String,
    ctl: String,
    _in_use: MutexGuard<'static, ()>,
}

impl RedisServer {
    /// Waits until no other test uses the server, and empties it. Returns `None`, and says so, without a server.
    pub fn get() -> Option<Self> {
        let (url, ctl) = (support::test_server("TEST_REDIS")?, support::test_server("TEST_REDIS_CTL")?);
        let server = Self { url, ctl, _in_use: use_alone() };
        server.clear();
        Some(server)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Removes all data.
    pub fn clear(&self) {
        let started = Instant::now();
        let client = redis::Client::open(self.url()).unwrap();
        // A server that has just started refuses commands until it has read its data.
        while let Err(error) = client.get_connection().and_then(|mut it| redis::cmd("FLUSHALL").exec(&mut it)) {
            assert!(started.elapsed() < Duration::from_secs(20), "{error}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the server at once, as `kill -9` does.
    pub fn kill(&self) {
        self.control("stop");
    }

    /// Starts the server with its data after it was killed.
    pub fn start(&self) {
        self.control("start");
    }

    fn control(&self, command: &str) {
        assert!(Command::new(&self.ctl).arg(command).status().unwrap().success(), "{command}");
    }
}

/// Waits until no other test uses the server.
pub fn use_alone() -> MutexGuard<'static, ()> {
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns an API whose methods respond with examples.
pub fn api(definition: &str) -> Rulebook {
    let settings = br#"{ "limits": { "callers": 64 } }"#.to_vec();
    let files = [("app.json", settings), ("m.json", definition.as_bytes().to_vec())];
    Rulebook::read(files.map(|(name, text)| (PathBuf::from(name), text)).to_vec()).unbound(Unbound::Mock)
}

/// Starts a server of an API that counts with the counter at this URL.
pub fn serve(definition: &str, url: &str, settings: SharedCounterSettings) -> Client {
    let counter = RedisCounter::new(url).unwrap();
    Client::new(api(definition).shared_counter(counter, settings)).unwrap()
}

/// Claims requests of a limit from a counter.
pub fn claim(counter: &RedisCounter, claim: Claim) -> Grant {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(counter.claim(claim)).unwrap()
}

/// Waits until a response has this status.
pub fn wait_until_status(expected: u16, status: impl Fn() -> u16) {
    let started = Instant::now();
    while status() != expected {
        assert!(started.elapsed() < Duration::from_secs(20), "the status stays {}", status());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits if the current hour ends soon, so that no period ends during a short test.
pub fn wait_for_new_hour() {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    // The periods of the tests are hours and days.
    let seconds = since.as_secs() % 3600;
    if seconds >= 3590 {
        std::thread::sleep(Duration::from_secs(3601 - seconds));
    }
}
