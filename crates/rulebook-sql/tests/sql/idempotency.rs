//! Tests of the storage of idempotency keys in databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rulebook::idempotency::{ClaimedKey, IdempotencyKeyState, IdempotencyStorage, KeyClaim};
use rulebook::{ApiError, Args, Context, Module, Rulebook};
use rulebook_sql::SqlIdempotency;
use rulebook_test::Client;
use serde_json::{Value as Json, json};

use crate::databases::{Kind, TestDatabase, execute, for_each_database};
use crate::waiting::{WAIT, wait_until};

/// A time that does not pass during a test.
pub const LONG: Duration = Duration::from_secs(600);
/// A time that passes during a test.
pub const SHORT: Duration = Duration::from_millis(300);

pub fn open(database: &TestDatabase) -> SqlIdempotency {
    SqlIdempotency::open(&database.url, database.folder.path(), WAIT).unwrap()
}

/// Returns a claim of a key with a payload. Each claim has another token.
pub fn claim(id: &str, payload: &str, lease: Duration) -> KeyClaim {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let token = format!("{:032x}", COUNT.fetch_add(1, Ordering::Relaxed));
    KeyClaim::new(ClaimedKey::new(format!("{id:0>64}"), format!("{payload:0>64}"), token), lease, 1_000_000)
}

pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub fn try_claim(storage: &SqlIdempotency, claim: &KeyClaim) -> IdempotencyKeyState {
    wait(storage.claim(claim.clone())).unwrap()
}

#[test]
fn a_key_is_claimed_once_and_its_response_is_kept() {
    for_each_database(|database| {
        let storages = [open(database), open(database)];
        let first = claim("a", "p", LONG);
        assert_eq!(try_claim(&storages[0], &first), IdempotencyKeyState::Claimed);
        let in_use = IdempotencyKeyState::InUse { payload: first.key.payload.clone() };
        for storage in &storages {
            assert_eq!(try_claim(storage, &claim("a", "other", LONG)), in_use);
        }
        let response: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        wait(storages[0].store(&first.key, response.clone(), LONG)).unwrap();
        let stored = IdempotencyKeyState::Stored { payload: first.key.payload.clone(), response: response.clone() };
        for storage in &storages {
            assert!(try_claim(storage, &claim("a", "p", LONG)) == stored, "{:?}", database.kind);
        }
        wait(storages[1].renew(&first.key, SHORT)).unwrap();
        std::thread::sleep(SHORT * 2);
        assert!(try_claim(&storages[1], &claim("a", "p", LONG)) == stored, "a stored response has no lease");
        drop(storages);
        assert!(try_claim(&open(database), &claim("a", "p", LONG)) == stored, "after a restart");
    });
}

#[test]
fn a_released_key_can_be_claimed_again() {
    for_each_database(|database| {
        let storage = open(database);
        let (first, second) = (claim("a", "p", LONG), claim("a", "q", LONG));
        assert_eq!(try_claim(&storage, &first), IdempotencyKeyState::Claimed);
        wait(storage.release(&first.key)).unwrap();
        assert_eq!(try_claim(&storage, &second), IdempotencyKeyState::Claimed);
        // The first claim has ended.
        wait(storage.release(&first.key)).unwrap();
        wait(storage.store(&first.key, b"first".to_vec(), LONG)).unwrap();
        let in_use = IdempotencyKeyState::InUse { payload: second.key.payload.clone() };
        assert_eq!(try_claim(&storage, &claim("a", "p", LONG)), in_use);
    });
}

#[test]
fn a_claim_ends_with_its_lease_unless_it_is_renewed() {
    for_each_database(|database| {
        let storage = open(database);
        let first = claim("a", "p", SHORT);
        assert_eq!(try_claim(&storage, &first), IdempotencyKeyState::Claimed);
        wait(storage.renew(&first.key, LONG)).unwrap();
        // The time itself is tested.
        std::thread::sleep(SHORT * 2);
        assert_eq!(
            try_claim(&storage, &claim("a", "p", LONG)),
            IdempotencyKeyState::InUse { payload: first.key.payload.clone() }
        );
        wait(storage.renew(&first.key, SHORT)).unwrap();
        let second = claim("a", "q", LONG);
        wait_until(WAIT, || try_claim(&storage, &second) == IdempotencyKeyState::Claimed);
        wait(storage.renew(&first.key, SHORT)).unwrap();
        wait(storage.store(&first.key, b"first".to_vec(), LONG)).unwrap();
        std::thread::sleep(SHORT * 2);
        let in_use = IdempotencyKeyState::InUse { payload: second.key.payload.clone() };
        assert_eq!(try_claim(&storage, &claim("a", "p", LONG)), in_use, "the first claim has ended");
    });
}

#[test]
fn a_response_expires() {
    for_each_database(|database| {
        let storage = open(database);
        let first = claim("a", "p", LONG);
        assert_eq!(try_claim(&storage, &first), IdempotencyKeyState::Claimed);
        wait(storage.store(&first.key, b"response".to_vec(), SHORT)).unwrap();
        wait_until(WAIT, || try_claim(&storage, &claim("a", "q", LONG)) == IdempotencyKeyState::Claimed);
    });
}

#[test]
fn the_number_of_records_is_limited_and_expired_records_are_removed() {
    for_each_database(|database| {
        let storage = open(database);
        let limited = |id: &str, lease| {
            let mut claim = claim(id, "p", lease);
            claim.max_records = 2;
            claim
        };
        let first = limited("a", LONG);
        assert_eq!(try_claim(&storage, &first), IdempotencyKeyState::Claimed);
        assert_eq!(try_claim(&storage, &limited("b", SHORT)), IdempotencyKeyState::Claimed);
        assert_eq!(try_claim(&storage, &limited("c", LONG)), IdempotencyKeyState::Full);
        assert_eq!(try_claim(&storage, &limited("a", LONG)), IdempotencyKeyState::InUse { payload: first.key.payload });
        wait_until(WAIT, || try_claim(&storage, &limited("c", LONG)) == IdempotencyKeyState::Claimed);
    });
}

#[test]
fn one_of_many_concurrent_claims_succeeds() {
    const TASKS: usize = 16;
    for_each_database(|database| {
        let storages: Vec<Arc<SqlIdempotency>> = (0..2).map(|_| Arc::new(open(database))).collect();
        for round in 0..20 {
            let id = format!("{round}");
            let states: Vec<IdempotencyKeyState> = std::thread::scope(|scope| {
                let tasks = (0..TASKS).map(|task| {
                    let (storage, id) = (Arc::clone(&storages[task % 2]), id.as_str());
                    scope.spawn(move || try_claim(&storage, &claim(id, "p", LONG)))
                });
                let tasks: Vec<_> = tasks.collect();
                tasks.into_iter().map(|task| task.join().unwrap()).collect()
            });
            let claimed = states.iter().filter(|state| **state == IdempotencyKeyState::Claimed).count();
            assert_eq!(claimed, 1, "{:?}: {states:?}", database.kind);
        }
    });
}

/// Starts a server whose handler inserts a row into the table `effect`, and counts its runs.
fn serve(database: &TestDatabase, runs: &Arc<AtomicUsize>) -> Client {
    let definition = json!({ "/": { "order": { "POST": {
        "info": "Orders an item",
        "in": { "item": { "info": "The item", "type": "string" } },
        "out": { "number": { "info": "The number of runs", "type": "int" } },
        "options": { "idempotent": "required" }
    } } } });
    let runs = Arc::clone(runs);
    let handler = move |_: Args<Json>, _: Context| {
        let runs = Arc::clone(&runs);
        async move {
            let number = runs.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok::<_, ApiError>(json!({ "number": number }))
        }
    };
    let files = vec![("shop.json".into(), definition.to_string().into_bytes())];
    let rulebook = Rulebook::read(files).module(Module::new("shop").post("/order", handler));
    Client::new(rulebook.idempotency_storage(Arc::new(open(database)))).unwrap()
}

fn send(server: &Client, key: &str) -> (u16, bool, Vec<u8>) {
    let response = server.call("order.post").arg("item", "tea").header("idempotency-key", key).send();
    (response.status(), response.header("idempotent-replayed").is_some(), response.body().to_vec())
}

#[test]
fn two_servers_with_one_database_run_a_handler_once() {
    const CLIENTS: usize = 12;
    for_each_database(|database| {
        let runs = Arc::new(AtomicUsize::new(0));
        let servers = [serve(database, &runs), serve(database, &runs)];
        for round in 0..10 {
            let key = format!("round-{round}");
            let responses: Vec<(u16, bool, Vec<u8>)> = std::thread::scope(|scope| {
                let clients = (0..CLIENTS).map(|client| {
                    let (server, key) = (&servers[client % 2], key.as_str());
                    scope.spawn(move || send(server, key))
                });
                let clients: Vec<_> = clients.collect();
                clients.into_iter().map(|client| client.join().unwrap()).collect()
            });
            assert_eq!(runs.load(Ordering::SeqCst), round + 1, "{:?}", database.kind);
            let statuses: Vec<u16> = responses.iter().map(|response| response.0).collect();
            assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
            let again: Vec<_> = servers.iter().map(|server| send(server, &key)).collect();
            assert!(again.iter().all(|(status, replayed, _)| (*status, *replayed) == (200, true)), "{again:?}");
            let successes = responses.iter().filter(|response| response.0 == 200);
            assert!(successes.chain(&again).all(|response| response.2 == again[0].2));
        }
    });
}

#[test]
fn responses_are_kept_when_the_server_is_started_again() {
    for_each_database(|database| {
        let runs = Arc::new(AtomicUsize::new(0));
        let first = send(&serve(database, &runs), "a");
        assert_eq!((first.0, first.1), (200, false));
        assert_eq!(send(&serve(database, &runs), "a"), (200, true, first.2));
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn requests_are_refused_while_the_database_is_unavailable() {
    for_each_database(|database| {
        let runs = Arc::new(AtomicUsize::new(0));
        let server = serve(database, &runs);
        assert_eq!(send(&server, "a").0, 200);
        let url = match database.kind {
            Kind::Sqlite => format!("sqlite:{}", database.folder.path().join("test.db").display()),
            Kind::Postgres | Kind::Mariadb => database.url.clone(),
        };
        execute(&url, "DROP TABLE rulebook_idempotency");
        assert_eq!(send(&server, "b").0, 503);
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn errors_show_no_part_of_the_address_that_may_be_secret() {
    let data = tempfile::tempdir().unwrap();
    for url in [
        "postgres://ada:hunter2@127.0.0.1:1/keys?password=hunter2",
        "mysql://ada:hunter2@127.0.0.1:hunter2/keys",
        "hunter2://ada@127.0.0.1/keys",
        "hunter2",
    ] {
        let error = SqlIdempotency::open(url, data.path(), Duration::ZERO).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
