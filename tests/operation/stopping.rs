//! Tests of stopping a server: requests and handlers that have begun can finish.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use rulebook::{ApiError, Context, Engine, RunningServer, Settings};
use serde_json::json;
use tokio::sync::Notify;

use super::{begin_request, shop_engine_with_put};
use crate::captured_log::{self, logged};
use crate::cli::definition_folder;
use crate::client::{Connection, Request, requests_in_flight, wait_until};
use crate::server_process::{ServerProcess, free_address};

/// How long a slow handler still runs after the test has let it proceed. A server that does not wait for its handlers
/// ends within this time.
const REMAINING_TIME: Duration = Duration::from_millis(300);

/// A handler that notifies `begun` when it begins, waits for `proceed`, and then ends after [`REMAINING_TIME`].
#[derive(Clone, Default)]
struct SlowHandler {
    begun: Arc<Notify>,
    proceed: Arc<Notify>,
    ended: Arc<AtomicBool>,
}

impl SlowHandler {
    fn engine(&self) -> Engine {
        let own = self.clone();
        shop_engine_with_put(move |context| own.clone().wait_for_permission(context), |rulebook| rulebook)
    }

    async fn wait_for_permission(self, _: Context) -> Result<(), ApiError> {
        self.begun.notify_one();
        self.proceed.notified().await;
        // `sleep` needs the timer of the asynchronous runtime, so that the runtime must still exist.
        tokio::time::sleep(REMAINING_TIME).await;
        self.ended.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Sends a request for the handler, and disconnects when the handler has begun.
    fn begin_and_disconnect(&self, running: &RunningServer) {
        begin_request(running.addresses()[0], &Request::new("PUT", "/shop"), &self.begun).reset();
    }
}

fn serve_with_timeout(engine: &Engine, shutdown: Duration) -> RunningServer {
    let settings = Settings::new().with_bind(["127.0.0.1:0"]).with_workers(2).with_shutdown_timeout(shutdown);
    engine.serve(&settings).unwrap()
}

#[test]
fn a_stopping_server_waits_for_handlers_whose_clients_have_disconnected() {
    let slow = SlowHandler::default();
    let running = serve_with_timeout(&slow.engine(), Duration::from_secs(30));
    slow.begin_and_disconnect(&running);
    let address = running.addresses()[0];
    running.stopper().stop();
    assert!(wait_until(|| TcpStream::connect(address).is_err()), "the server still listens");
    slow.proceed.notify_one();
    running.wait().unwrap();
    assert!(slow.ended.load(Ordering::Relaxed), "the server has not waited");
}

#[test]
fn a_stopping_server_waits_for_a_handler_whose_client_disconnects_meanwhile() {
    let slow = SlowHandler::default();
    let running = serve_with_timeout(&slow.engine(), Duration::from_secs(30));
    let address = running.addresses()[0];
    let connection = begin_request(address, &Request::new("PUT", "/shop"), &slow.begun);
    running.stopper().stop();
    assert!(wait_until(|| TcpStream::connect(address).is_err()), "the server still listens");
    connection.reset();
    slow.proceed.notify_one();
    running.wait().unwrap();
    assert!(slow.ended.load(Ordering::Relaxed), "the server has not waited");
}

#[test]
fn a_stopping_server_interrupts_and_counts_requests_that_exceed_the_timeout() {
    captured_log::begin();
    let slow = SlowHandler::default();
    let running = serve_with_timeout(&slow.engine(), Duration::from_millis(900));
    slow.begin_and_disconnect(&running);
    assert!(wait_until(|| requests_in_flight(running.addresses()[0]) == 1), "the request for the counters");
    let mut stays = Connection::open(running.addresses()[0]);
    stays.write(&Request::new("PUT", "/shop").bytes());
    crate::handlers::block_on(slow.begun.notified());
    let begun = Instant::now();
    running.stop().unwrap();
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(900) && took < Duration::from_secs(10), "{took:?}");
    assert!(!slow.ended.load(Ordering::Relaxed));
    let line =
        "stopped before everything had ended: connections: 1, requests: 1, handlers whose clients had disconnected: 1";
    assert_eq!(logged(line).len(), 1, "{:?}", logged("cut off"));
    stays.assert_closed();
}

#[test]
fn readyz_fails_after_the_server_was_asked_to_stop() {
    let running = serve_with_timeout(&SlowHandler::default().engine(), Duration::from_secs(5));
    let address = running.addresses()[0];
    let ready = Request::new("GET", "/readyz");
    let mut connection = Connection::open(address);
    assert_eq!(connection.send(&ready).status, 200);
    running.stopper().stop();
    assert!(wait_until(|| TcpStream::connect(address).is_err()), "the server still listens");
    let response = connection.send(&ready);
    assert_eq!((response.status, response.json()), (503, json!({ "status": "stopping", "checks": {} })));
    running.wait().unwrap();
}

#[test]
fn a_stopping_server_handles_a_request_that_a_client_is_just_sending() {
    let running = serve_with_timeout(&SlowHandler::default().engine(), Duration::from_secs(30));
    let address = running.addresses()[0];
    let (mut used, mut idle) = (Connection::open(address), Connection::open(address));
    for connection in [&mut used, &mut idle] {
        let response = connection.send(&Request::new("GET", "/healthz"));
        assert_eq!((response.status, response.field("connection")), (200, None));
    }
    running.stopper().stop();
    assert!(wait_until(|| TcpStream::connect(address).is_err()), "the server still listens");
    let response = used.send(&Request::new("GET", "/healthz"));
    assert_eq!((response.status, response.field("connection")), (200, Some("close")));
    used.assert_closed();
    // This client sends nothing more.
    let begun = Instant::now();
    running.wait().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    idle.assert_closed();
}

#[test]
fn a_stopping_server_serves_the_connections_that_clients_have_opened() {
    let running = serve_with_timeout(&SlowHandler::default().engine(), Duration::from_secs(30));
    let address = running.addresses()[0];
    let request = Request::new("GET", "/healthz");
    // Opens connections until the server refuses them. Returns how many were not served.
    let connect_again_and_again = || {
        let mut lost = 0;
        while let Ok(stream) = TcpStream::connect(address) {
            let mut connection = Connection::over(stream);
            let is_sent = std::io::Write::write_all(&mut connection.stream, &request.bytes()).is_ok();
            lost += usize::from(!is_sent || connection.try_read_response(false).is_err());
        }
        lost
    };
    let lost: usize = std::thread::scope(|scope| {
        let clients = [(); 4].map(|()| scope.spawn(connect_again_and_again));
        assert!(wait_until(|| Connection::open(address).send(&request).status == 200));
        running.stopper().stop();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    running.wait().unwrap();
    // A connection that is opened in the microsecond in which the server stops listening is reset.
    assert!(lost <= 1, "{lost} connections");
}

#[test]
fn a_stopping_server_waits_for_a_worker_that_has_not_begun_to_serve_a_connection() {
    // The server has no other connection, so that it would stop at once.
    assert_request_to_busy_worker_is_handled(false, Duration::from_millis(200));
}

#[test]
fn a_stopping_server_handles_a_request_that_its_worker_reads_late() {
    // The server closes connections on which no request has arrived for one second.
    assert_request_to_busy_worker_is_handled(true, Duration::from_millis(1500));
}

/// Sends a request while the only worker of a server is busy, asks the server to stop, and lets the worker continue
/// some time after the server has stopped listening. The request must be handled. It is sent on a new connection, or on
/// one that has been used before.
fn assert_request_to_busy_worker_is_handled(is_used: bool, busy_for: Duration) {
    let (release, released) = mpsc::channel::<()>();
    let (released, is_busy) = (Arc::new(Mutex::new(released)), Arc::new(AtomicBool::default()));
    let busy = Arc::clone(&is_busy);
    let keep_busy = move |_: Context| {
        let (released, busy) = (Arc::clone(&released), Arc::clone(&busy));
        async move {
            actix_web::rt::spawn(async move {
                // The request that has called the handler ends before, and its connection.
                tokio::time::sleep(Duration::from_millis(200)).await;
                busy.store(true, Ordering::Relaxed);
                let _ = released.lock().unwrap().recv();
            });
            Ok(())
        }
    };
    let engine = shop_engine_with_put(keep_busy, |rulebook| rulebook);
    let running = engine.serve(&Settings::new().with_bind(["127.0.0.1:0"]).with_workers(1)).unwrap();
    let address = running.addresses()[0];
    let health = Request::new("GET", "/healthz");
    let used = is_used.then(|| {
        let mut connection = Connection::open(address);
        assert_eq!(connection.send(&health).status, 200);
        connection
    });
    assert_eq!(Connection::open(address).send(&Request::new("PUT", "/shop")).status, 204);
    assert!(wait_until(|| is_busy.load(Ordering::Relaxed)));
    let mut connection = used.unwrap_or_else(|| Connection::open(address));
    connection.write(&health.bytes());
    running.stopper().stop();
    assert!(wait_until(|| TcpStream::connect(address).is_err()), "the server still listens");
    std::thread::sleep(busy_for);
    drop(release);
    assert_eq!(connection.read_response(false).status, 200);
    running.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn requests_in_flight_finish_after_a_signal() {
    let note = json!({ "info": "Takes a note", "in": { "text": { "info": "The note", "type": "string" } } });
    let folder =
        definition_folder(&[("app.json", json!({ "unbound": "echo" })), ("note.json", json!({ "POST": note }))]);
    for signal in ["TERM", "INT"] {
        let address = free_address();
        let mut process = ServerProcess::start(folder.path(), &address, &["serve"]);
        let request = Request::new("POST", "/").body("application/json", r#"{"text": "written slowly"}"#).bytes();
        let (first, rest) = request.split_at(request.len() - 5);
        let mut connection = Connection::open(address.parse().unwrap());
        connection.write(first);
        assert!(
            wait_until(|| requests_in_flight(address.parse().unwrap()) == 2),
            "its own request, and the one that is coming"
        );
        process.signal(signal);
        assert!(wait_until(|| TcpStream::connect(&address).is_err()), "{signal}: it still takes connections");
        connection.write(rest);
        connection.read_response(false).assert_args(&json!({ "text": "written slowly" }));
        assert_eq!(process.wait(), Some(0), "{signal}");
        connection.assert_closed();
        let log = process.log();
        assert!(log.contains("stopping") && !log.contains("cut off"), "{log}");
    }
}
