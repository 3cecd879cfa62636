//! Tests that idempotency keys survive a server that is killed while it handles requests.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rulebook::{ApiError, Args, Context, Module, Rulebook, Settings};
use rulebook_sql::SqlIdempotency;
use serde_json::{Value as Json, json};

use crate::waiting::{WAIT, wait_until};

/// The environment variable that contains the data folder of the server that will be killed.
const DATA_VARIABLE: &str = "TEST_OF_KILLED_IDEMPOTENCY";
/// The lease of the server in seconds.
const LEASE: u64 = 5;

/// Adds a line to the file with the runs of the handler. The item `slow` waits until the server is killed.
async fn run(Args(order): Args<Json>, context: Context) -> Result<Json, ApiError> {
    let data = context.state::<PathBuf>().unwrap();
    let mut file = OpenOptions::new().create(true).append(true).open(data.join("runs")).unwrap();
    let item = order["item"].as_str().unwrap();
    writeln!(file, "{item}").unwrap();
    if item == "slow" && !data.join("fast").exists() {
        std::future::pending::<()>().await;
    }
    Ok(json!({ "item": item }))
}

/// Not a test: another test runs this function in a new process, which it kills.
#[test]
#[ignore = "a program for the other test"]
fn serves_until_it_is_killed() {
    let Some(data) = std::env::var_os(DATA_VARIABLE).map(PathBuf::from) else { return };
    let definition = json!({ "/": { "order": { "POST": {
        "info": "Orders an item",
        "in": { "item": { "info": "The item", "type": "string" } },
        "out": { "item": { "info": "The item", "type": "string" } },
        "options": { "idempotent": "required" }
    } } } });
    let app = json!({ "limits": { "idempotency_lease": LEASE } });
    let files = vec![("app.json".into(), app.to_string().into()), ("shop.json".into(), definition.to_string().into())];
    let storage = SqlIdempotency::open("sqlite:idempotency.db", &data, WAIT).unwrap();
    let rulebook = Rulebook::read(files).module(Module::new("shop").post("/order", run)).state(data.clone());
    let engine = rulebook.idempotency_storage(Arc::new(storage)).build().unwrap();
    let running = engine.serve(&Settings::new().with_bind(["127.0.0.1:0"]).with_workers(1)).unwrap();
    fs::write(data.join("new_address"), running.addresses()[0].to_string()).unwrap();
    fs::rename(data.join("new_address"), data.join("address")).unwrap();
    running.wait().unwrap();
}

/// A server in another process.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        let _ = fs::remove_file(data.join("address"));
        let test = "idempotency_crashes::serves_until_it_is_killed";
        let process = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--ignored"])
            .env(DATA_VARIABLE, data)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_until(WAIT, || data.join("address").exists());
        Self { process, address: fs::read_to_string(data.join("address")).unwrap() }
    }

    /// Sends a request with a key.
    fn connect(&self, key: &str, item: &str) -> TcpStream {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let (body, head) =
            (json!({ "item": item }).to_string(), "POST /order HTTP/1.1\r\nHost: x\r\nConnection: close");
        let fields =
            format!("Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
        write!(socket, "{head}\r\n{fields}\r\n\r\n{body}").unwrap();
        socket
    }

    /// Sends a request with a key. Returns the status, and `true` if the response is a repetition.
    fn send(&self, key: &str, item: &str) -> (u16, bool) {
        let mut response = String::new();
        self.connect(key, item).read_to_string(&mut response).unwrap();
        let status = response.split(' ').nth(1).unwrap().parse().unwrap();
        (status, response.to_lowercase().contains("idempotent-replayed: true"))
    }
}

impl Drop for Server {
    /// Kills the server, which has no time to end its work.
    fn drop(&mut self) {
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }
}

#[test]
fn responses_survive_a_killed_server_and_its_claims_end_with_their_lease() {
    let data = tempfile::tempdir().unwrap();
    let runs = || fs::read_to_string(data.path().join("runs")).unwrap_or_default();
    let server = Server::start(data.path());
    assert_eq!(server.send("a", "tea"), (200, false));
    let waiting = server.connect("b", "slow");
    wait_until(WAIT, || runs() == "tea\nslow\n");
    drop(server);
    drop(waiting);
    let server = Server::start(data.path());
    assert_eq!(server.send("a", "tea"), (200, true));
    fs::write(data.path().join("fast"), "").unwrap();
    let killed = Instant::now();
    assert_eq!(server.send("b", "slow"), (409, false), "the claim of the killed server is valid");
    wait_until(WAIT, || server.send("b", "slow") == (200, false));
    assert!(killed.elapsed() < Duration::from_secs(LEASE + 5));
    assert_eq!(server.send("b", "slow"), (200, true));
    assert_eq!(runs(), "tea\nslow\nslow\n");
}
