//! Tests how the storage of idempotency keys counts and removes records, and that it replaces closed connections.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use rulebook::idempotency::{IdempotencyKeyState, IdempotencyStorage, KeyClaim};
use rulebook_sql::SqlIdempotency;
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection, Executor, Row};

use crate::databases::{Kind, TestDatabase, execute, for_each_database, try_execute};
use crate::idempotency::{LONG, SHORT, claim, open, try_claim, wait};
use crate::waiting::{WAIT, wait_until};

/// Returns a claim for a storage with at most `max` records.
fn limited(id: &str, lease: Duration, max: u64) -> KeyClaim {
    let mut claim = claim(id, "p", lease);
    claim.max_records = max;
    claim
}

/// Claims keys at the same time, each in a separate thread.
fn claim_concurrently(storage: &SqlIdempotency, claims: &[KeyClaim]) -> Vec<IdempotencyKeyState> {
    let barrier = Barrier::new(claims.len());
    thread::scope(|scope| {
        let claim = |claim| {
            barrier.wait();
            try_claim(storage, claim)
        };
        let claims: Vec<_> = claims.iter().map(|key| scope.spawn(move || claim(key))).collect();
        claims.into_iter().map(|claim| claim.join().unwrap()).collect()
    })
}

/// Returns the address of a database for connections of the test.
fn address(database: &TestDatabase) -> String {
    match database.kind {
        Kind::Sqlite => format!("sqlite:{}", database.folder.path().join("test.db").display()),
        Kind::Postgres | Kind::Mariadb => database.url.clone(),
    }
}

/// Returns the whole numbers that a query selects.
fn numbers(database: &TestDatabase, sql: &str) -> Vec<i64> {
    install_default_drivers();
    wait(async {
        let mut connection = AnyConnection::connect(&address(database)).await.unwrap();
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    })
}

/// Lets the database close a connection. `list` selects the connections, and `command` is the statement that closes
/// one.
fn close_connection(database: &TestDatabase, list: &str, command: &str, connection: i64) {
    let closed = try_execute(&database.url, &format!("{command}({connection})"));
    // A connection that has ended meanwhile cannot be closed.
    assert!(closed.is_ok() || !numbers(database, list).contains(&connection), "{:?}: {closed:?}", database.kind);
}

fn count_expired(database: &TestDatabase) -> i64 {
    numbers(database, "SELECT COUNT(*) FROM rulebook_idempotency WHERE expires = 1")[0]
}

/// Adds records that have expired.
fn insert_expired(database: &TestDatabase, count: usize) {
    let rows: Vec<String> = (0..count).map(|index| format!("('expired {index}', 'p', 't', 1)")).collect();
    let sql = format!("INSERT INTO rulebook_idempotency (id, payload, token, expires) VALUES {}", rows.join(", "));
    execute(&address(database), &sql);
}

#[test]
fn expired_records_do_not_count() {
    for_each_database(|database| {
        let storage = open(database);
        insert_expired(database, 2_500);
        assert_eq!(try_claim(&storage, &limited("a", LONG, 2)), IdempotencyKeyState::Claimed);
        assert_eq!(try_claim(&storage, &limited("b", LONG, 2)), IdempotencyKeyState::Claimed);
        assert_eq!(try_claim(&storage, &limited("c", LONG, 2)), IdempotencyKeyState::Full, "{:?}", database.kind);
    });
}

#[test]
fn all_expired_records_are_removed_at_the_start() {
    for_each_database(|database| {
        let key = claim("a", "p", LONG);
        assert_eq!(try_claim(&open(database), &key), IdempotencyKeyState::Claimed);
        insert_expired(database, 3_500);
        let storage = open(database);
        wait_until(WAIT, || count_expired(database) == 0);
        assert_eq!(
            try_claim(&storage, &claim("a", "p", LONG)),
            IdempotencyKeyState::InUse { payload: key.key.payload }
        );
    });
}

#[test]
fn locked_expired_records_delay_neither_the_start_nor_claims() {
    for_each_database(|database| {
        if database.kind == Kind::Sqlite {
            // A transaction that writes locks the whole database.
            return;
        }
        drop(open(database));
        // MariaDB reads and locks a whole table that is small.
        insert_expired(database, 2_500);
        wait(async {
            let mut locking = AnyConnection::connect(&database.url).await.unwrap();
            let lock = "SELECT COUNT(*) FROM (SELECT id FROM rulebook_idempotency \
                        WHERE id = 'expired 0' FOR UPDATE) AS locked";
            locking.execute("BEGIN").await.unwrap();
            locking.execute(lock).await.unwrap();
            thread::scope(|scope| {
                let start = scope.spawn(|| {
                    let storage = SqlIdempotency::open(&database.url, database.folder.path(), Duration::ZERO).unwrap();
                    assert_eq!(try_claim(&storage, &limited("a", LONG, 1)), IdempotencyKeyState::Claimed);
                    assert_eq!(try_claim(&storage, &limited("b", LONG, 1)), IdempotencyKeyState::Full);
                });
                start.join().unwrap();
            });
            locking.execute("ROLLBACK").await.unwrap();
        });
    });
}

#[test]
fn a_released_key_no_longer_counts() {
    for_each_database(|database| {
        let storage = open(database);
        let (first, second) = (limited("a", LONG, 2), limited("b", LONG, 2));
        assert_eq!(try_claim(&storage, &first), IdempotencyKeyState::Claimed);
        assert_eq!(try_claim(&storage, &second), IdempotencyKeyState::Claimed);
        // Afterwards, the records are not counted again for a second.
        assert_eq!(try_claim(&storage, &limited("c", LONG, 2)), IdempotencyKeyState::Full);
        wait(storage.release(&first.key)).unwrap();
        assert_eq!(try_claim(&storage, &limited("c", LONG, 2)), IdempotencyKeyState::Claimed, "{:?}", database.kind);
    });
}

#[test]
fn concurrent_claims_wait_until_the_records_are_counted() {
    const CLAIMS: usize = 8;
    for_each_database(|database| {
        let storage = open(database);
        for index in 0..CLAIMS {
            let first = limited(&format!("a{index}"), SHORT, CLAIMS as u64);
            assert_eq!(try_claim(&storage, &first), IdempotencyKeyState::Claimed);
        }
        // The time itself is tested: the claims expire.
        thread::sleep(SHORT * 2);
        let claims: Vec<_> = (0..CLAIMS).map(|index| limited(&format!("b{index}"), LONG, CLAIMS as u64)).collect();
        let states = claim_concurrently(&storage, &claims);
        assert_eq!(states, [const { IdempotencyKeyState::Claimed }; CLAIMS], "{:?}", database.kind);
    });
}

#[test]
fn servers_that_share_a_database_count_the_records_of_all_of_them() {
    const MAX: u64 = 48;
    for_each_database(|database| {
        let storages = [(); 3].map(|()| open(database));
        let try_claim =
            |server: usize, index: u64| try_claim(&storages[server], &limited(&format!("{server}{index}"), LONG, MAX));
        // Each server counts the records while there are few.
        assert_eq!([0, 1, 2].map(|server| try_claim(server, 0)), [const { IdempotencyKeyState::Claimed }; 3]);
        let claimed =
            |server| (1..).take_while(|index| try_claim(server, *index) == IdempotencyKeyState::Claimed).count() as u64;
        let total = 3 + claimed(0) + claimed(1) + claimed(2);
        assert!((MAX..=MAX + 2 * MAX / 16).contains(&total), "{:?}: {total}", database.kind);
    });
}

#[test]
fn claims_succeed_after_the_database_has_closed_all_connections() {
    const CLAIMS: usize = 32;
    const CONNECTIONS: usize = 8;
    for_each_database(|database| {
        let (list, close) = match database.kind {
            Kind::Sqlite => return,
            Kind::Postgres => (
                "SELECT pid::bigint FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
                "SELECT pg_terminate_backend",
            ),
            Kind::Mariadb => (
                "SELECT CAST(id AS SIGNED) FROM information_schema.processlist \
                 WHERE db = DATABASE() AND id <> CONNECTION_ID()",
                "KILL ",
            ),
        };
        let storage = open(database);
        for round in 0..3 {
            let claims = |part: &str| -> Vec<KeyClaim> {
                (0..CLAIMS).map(|index| claim(&format!("{part}{round}-{index}"), "p", LONG)).collect()
            };
            claim_concurrently(&storage, &claims("a"));
            // The earlier connections of the test itself end a moment after they have been closed.
            // Not every round needs all connections.
            wait_until(WAIT, || (1..=CONNECTIONS).contains(&numbers(database, list).len()));
            let connections = numbers(database, list);
            for connection in &connections {
                close_connection(database, list, close, *connection);
            }
            wait_until(WAIT, || !numbers(database, list).iter().any(|open| connections.contains(open)));
            // A single claim must not use more than one of the closed connections.
            assert_eq!(
                try_claim(&storage, &claim(&format!("single {round}"), "p", LONG)),
                IdempotencyKeyState::Claimed
            );
            for connection in numbers(database, list) {
                close_connection(database, list, close, connection);
            }
            let states = claim_concurrently(&storage, &claims("b"));
            assert_eq!(states, [const { IdempotencyKeyState::Claimed }; CLAIMS], "{:?}", database.kind);
        }
    });
}
