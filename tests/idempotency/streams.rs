//! Tests responses whose bodies are streams, and storages that fail while a response is stored.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use rulebook::Rulebook;
use rulebook::handler_kind::{
    ArgumentSlots, CompiledHandler, HandledMethod, HandlerError, HandlerFuture, HandlerKind, RawResponse, ReturnedValue,
};
use rulebook::idempotency::{
    ClaimedKey, IdempotencyError, IdempotencyKeyState, IdempotencyStorage, KeyClaim, MemoryStorage, StorageFuture,
};
use serde_json::json;
use tokio::sync::Notify;

use super::is_replayed;
use crate::client::{Request, Response, TestServer, wait_until};

/// A kind of handler whose response has the pieces `first` and `last`. The second one waits for `proceed`.
#[derive(Clone, Default)]
struct Pieces {
    runs: Arc<AtomicUsize>,
    proceed: Arc<Notify>,
    /// The stream ends with an error instead of the second piece.
    is_broken: bool,
}

impl HandlerKind for Pieces {
    fn name(&self) -> &str {
        "pieces"
    }

    fn compile(&self, _: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>> {
        Ok(Arc::new(self.clone()))
    }
}

impl CompiledHandler for Pieces {
    fn start(&self, _: ArgumentSlots<'_, '_>, _: rulebook::Context) -> HandlerFuture {
        let runs = Arc::clone(&self.runs);
        let (proceed, is_broken) = (Arc::clone(&self.proceed), self.is_broken);
        let pieces = stream::unfold(0, move |index| {
            let proceed = Arc::clone(&proceed);
            async move {
                let piece = match index {
                    0 => Ok(Bytes::from("first ")),
                    1 if is_broken => Err(io::Error::other("broken")),
                    1 => {
                        proceed.notified().await;
                        Ok(Bytes::from("last"))
                    }
                    _ => return None,
                };
                Some((piece, index + 1))
            }
        });
        let response = RawResponse::new(200, pieces, None).unwrap();
        Box::pin(async move {
            runs.fetch_add(1, Ordering::SeqCst);
            Ok(ReturnedValue::Response(Box::new(response)))
        })
    }
}

impl Pieces {
    /// Starts a server with one method, which has this handler.
    fn serve(&self, lease: u64, storage: impl IdempotencyStorage) -> TestServer {
        let app = json!({ "limits": { "idempotency_lease": lease } }).to_string();
        let method = json!({
            "info": "Orders an item", "options": { "idempotent": "required" }, "handler": { "pieces": true }
        });
        let shop = json!({ "/": { "order": { "POST": method } } }).to_string();
        let files = vec![("app.json".into(), app.into()), ("shop.json".into(), shop.into())];
        let rulebook = Rulebook::read(files).handler_kind(self.clone()).idempotency_storage(Arc::new(storage));
        let engine = rulebook.build().unwrap_or_else(|report| panic!("{report}"));
        TestServer::with_settings(&engine, |settings| settings.with_workers(2))
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

fn send(server: &TestServer) -> Response {
    server.send(&Request::new("POST", "/order").field("idempotency-key", "a"))
}

#[test]
fn a_claim_lasts_until_the_stream_of_the_response_ends() {
    let pieces = Pieces::default();
    let server = pieces.serve(1, MemoryStorage::default());
    thread::scope(|scope| {
        let first = scope.spawn(|| send(&server));
        assert!(wait_until(|| pieces.runs() == 1));
        // The time itself is tested: three leases.
        for _ in 0..12 {
            thread::sleep(Duration::from_millis(250));
            send(&server).assert_error(409, "still being handled");
        }
        pieces.proceed.notify_one();
        assert_eq!(first.join().unwrap().body, b"first last");
    });
    let again = send(&server);
    assert!(is_replayed(&again));
    assert_eq!((again.body.as_slice(), pieces.runs()), (&b"first last"[..], 1));
}

#[test]
fn an_incomplete_response_is_not_kept_but_the_handler_does_not_run_again() {
    let pieces = Pieces { is_broken: true, ..Pieces::default() };
    let server = pieces.serve(60, MemoryStorage::default());
    let request = Request::new("POST", "/order").field("idempotency-key", "a");
    // The server closes the connection in the middle of the response.
    let mut connection = server.connect();
    connection.write(&request.bytes());
    while connection.read_more() {}
    assert!(wait_until(|| send(&server).status == 409));
    send(&server).assert_error(409, "too long or incomplete");
    assert_eq!(pieces.runs(), 1);
}

/// A storage in memory that cannot store responses at first.
#[derive(Clone)]
struct Unavailable {
    storage: Arc<MemoryStorage>,
    /// The number of attempts to store a response that fail.
    failures: usize,
    /// The time that an attempt takes.
    duration: Duration,
    log: Arc<Mutex<Vec<(&'static str, Instant)>>>,
}

impl Unavailable {
    fn new(failures: usize, duration: Duration) -> Self {
        Self { storage: Arc::default(), failures, duration, log: Arc::default() }
    }

    /// Returns the times of the calls of a function.
    fn times(&self, function: &str) -> Vec<Instant> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(name, _)| *name == function).map(|(_, time)| *time).collect()
    }
}

impl IdempotencyStorage for Unavailable {
    fn claim(&self, claim: KeyClaim) -> StorageFuture<IdempotencyKeyState> {
        self.storage.claim(claim)
    }

    fn renew(&self, claimed: &ClaimedKey, lease: Duration) -> StorageFuture<()> {
        self.log.lock().unwrap().push(("renew", Instant::now()));
        self.storage.renew(claimed, lease)
    }

    fn store(&self, claimed: &ClaimedKey, response: Vec<u8>, lifetime: Duration) -> StorageFuture<()> {
        self.log.lock().unwrap().push(("store", Instant::now()));
        let (storage, claimed, duration) = (Arc::clone(&self.storage), claimed.clone(), self.duration);
        let fails = self.times("store").len() <= self.failures;
        Box::pin(async move {
            tokio::time::sleep(duration).await;
            if fails {
                return Err(IdempotencyError::new("unavailable"));
            }
            storage.store(&claimed, response, lifetime).await
        })
    }

    fn release(&self, claimed: &ClaimedKey) -> StorageFuture<()> {
        self.storage.release(claimed)
    }

    fn check(&self) -> StorageFuture<()> {
        self.storage.check()
    }
}

#[test]
fn a_claim_is_renewed_between_the_attempts_to_store_its_response() {
    let (pieces, storage) = (Pieces::default(), Unavailable::new(2, Duration::from_millis(50)));
    let server = pieces.serve(15, storage.clone());
    pieces.proceed.notify_one();
    assert_eq!(send(&server).body, b"first last");
    assert!(is_replayed(&send(&server)));
    let (stores, renewals) = (storage.times("store"), storage.times("renew"));
    assert_eq!((stores.len(), pieces.runs()), (3, 1));
    for pair in stores.windows(2) {
        let between = renewals.iter().filter(|time| (pair[0]..pair[1]).contains(*time));
        assert_eq!(between.count(), 1);
    }
}

#[test]
fn attempts_to_store_a_response_end_within_the_lease_even_if_each_of_them_takes_long() {
    let (pieces, storage) = (Pieces::default(), Unavailable::new(usize::MAX, Duration::from_millis(700)));
    let server = pieces.serve(3, storage.clone());
    pieces.proceed.notify_one();
    assert_eq!(send(&server).body, b"first last");
    // The first one begins at once, and the second one after 0.9 seconds. It ends after a third of the lease.
    assert_eq!(storage.times("store").len(), 2);
}
