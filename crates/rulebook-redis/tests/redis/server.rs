//! A Valkey or Redis server for one test, and the definitions that the tests serve.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rulebook::{Claim, Grant, Rulebook, SharedCounter, SharedCounterSettings, Unbound};
use rulebook_redis::RedisCounter;
use rulebook_test::Client;

/// A server for one test, which listens on a port of this machine.
pub struct RedisServer {
    port: u16,
    program: String,
    process: Option<Child>,
}

impl RedisServer {
    /// Starts a server. Returns `None`, and says so, if none is installed.
    pub fn start() -> Option<Self> {
        let Ok(program) = std::env::var("TEST_REDIS_SERVER") else {
            eprintln!("SKIPPED: TEST_REDIS_SERVER is not set; run the tests with scripts/with-redis");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { port, program, process: None };
        server.start_again();
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts the server, empty, and waits until it accepts connections.
    pub fn start_again(&mut self) {
        let port = self.port.to_string();
        let mut command = Command::new(&self.program);
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/"]);
        self.process = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "the server does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills the server at once, as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns an API whose methods respond with their arguments or an example.
pub fn api(definition: &str) -> Rulebook {
    Rulebook::read(vec![(PathBuf::from("m.json"), definition.as_bytes().to_vec())]).unbound(Unbound::Mock)
}

/// Starts a server of an API that counts with this Valkey server.
pub fn serve(definition: &str, redis: &RedisServer, settings: SharedCounterSettings) -> Client {
    let counter = RedisCounter::new(&redis.url()).unwrap();
    Client::new(api(definition).shared_counter(counter, settings)).unwrap()
}

/// Claims requests of a limit from a counter.
pub fn claim(counter: &RedisCounter, claim: Claim) -> Grant {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(counter.claim(claim)).unwrap()
}

/// Waits if the current minute ends soon, so that no period ends during a short test.
pub fn wait_for_quiet_minute() {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seconds = since.as_secs() % 60;
    if seconds >= 45 {
        std::thread::sleep(Duration::from_secs(61 - seconds));
    }
}
