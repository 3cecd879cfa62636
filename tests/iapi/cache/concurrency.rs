//! Tests concurrent requests for caches (files with the values of a database column), and requests while the database
//! is written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::CacheServer;
use super::databases::{DatabaseKind, TestDatabase};

const CREATE_TABLE: &str = "CREATE TABLE t (id VARCHAR(9) PRIMARY KEY, v TEXT)";

#[test]
fn all_values_of_one_call_are_read_from_the_same_state_of_the_database() {
    TestDatabase::for_each(|database| {
        if database.kind == DatabaseKind::Sqlite {
            database.connect().execute("PRAGMA journal_mode = WAL");
        }
        let server = CacheServer::new(database, &[CREATE_TABLE, "INSERT INTO t VALUES ('a', '0'), ('b', '0')"], "t.v");
        let done = AtomicBool::new(false);
        let states = thread::scope(|scope| {
            scope.spawn(|| {
                let mut sql = database.connect();
                let mut number = 0;
                while !done.load(Ordering::Relaxed) {
                    number += 1;
                    sql.execute(&format!("UPDATE t SET v = '{number}'"));
                }
            });
            let states: Vec<_> = (0..40)
                .map(|_| {
                    assert_eq!(server.request_caches(&["a", "b"], &["a", "b"]).status, 200);
                    let files = server.stored_files();
                    (files["cache/a"].clone(), files["cache/b"].clone())
                })
                .collect();
            done.store(true, Ordering::Relaxed);
            states
        });
        for (a, b) in &states {
            assert_eq!(a, b);
        }
        assert!(states.first() != states.last(), "the other thread wrote nothing");
    });
}

#[test]
fn many_concurrent_requests_for_caches_all_succeed() {
    TestDatabase::for_each(|database| {
        let server = CacheServer::new(database, &[CREATE_TABLE, "INSERT INTO t VALUES ('a', 'one')"], "t.v");
        let fetch = |number: u32| server.request_caches(&["a"], &[format!("{number}")]).status;
        thread::scope(|scope| {
            let asked: Vec<_> = (0..60).map(|number| scope.spawn(move || fetch(number))).collect();
            for status in asked {
                assert_eq!(status.join().unwrap(), 200);
            }
        });
        assert_eq!(server.stored_files().values().filter(|content| *content == "one").count(), 60);
    });
}
