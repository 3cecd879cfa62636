//! Statements that end early: the time is over, the client is gone, or the server of the database is stopped.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use rulebook::Content;
use serde_json::json;

use crate::databases::{
    Kind, MARIADB, POSTGRES, Server, TestApi, TestDatabase, for_each_database, method, of_type, runtime,
};

/// Returns a statement that takes longer than each test.
pub fn slow(database: &TestDatabase) -> &'static str {
    database.pick([
        "with recursive c(n) as (select 1 union all select n + 1 from c where n < 4000000000) select count(*) as n from c",
        "select pg_sleep(300)::text as n",
        "select sleep(300) as n",
    ])
}

/// Returns an API with one connection, and the time limit of its calls in seconds.
fn api(database: &TestDatabase, timeout: f64) -> TestApi {
    let running = database.pick([
        "select 0 as n",
        "select count(*) as n from pg_stat_activity where state = 'active' and query like '%pg_sleep(300)%' \
         and pid <> pg_backend_pid() and datname = current_database()",
        "select count(*) as n from information_schema.processlist where info like '%sleep(300)%' \
         and id <> connection_id() and db = database()",
    ]);
    let rows = database.pick([
        "with recursive c(n) as (select 1 union all select n + 1 from c where n < 100000), \
         d(n) as (select 1 union all select n + 1 from d where n < 4000000000) \
         select n, case when n > 5000 then (select count(*) from d) else 0 end as slow from c",
        "select n, case when n > 5000 then pg_sleep(300)::text else '' end as slow from generate_series(1, 100000) c(n)",
        "select 1 as n",
    ]);
    let mut export = method(json!({}), json!({}), json!({ "sql": rows }));
    export["GET"]["options"] = json!({ "download": true });
    database.api_with(
        json!({ "pool": 1, "pool_timeout": 10, "timeout": timeout }),
        json!({
            "slow": method(json!({}), json!({ "n": of_type("any") }), json!({ "sql": slow(database), "missing": false })),
            "longer": method(json!({}), json!({ "n": of_type("any") }),
                json!({ "sql": slow(database), "missing": false, "timeout": 0.3 })),
            "export": export,
            "running": method(json!({}), json!({ "n": of_type("int") }), json!({ "sql": running, "missing": false })),
            "fast": method(json!({}), json!({ "n": of_type("int") }), json!({ "sql": "select 1 as n" })),
        }),
    )
}

/// Waits until the database runs no slow statement.
#[track_caller]
fn wait_until_stopped(api: &TestApi) {
    let start = Instant::now();
    while api.outputs("running.get", json!({})) != json!({ "n": 0 }) {
        assert!(start.elapsed() < Duration::from_secs(60), "the statement is still running");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_statement_is_stopped_at_the_time_limit() {
    for_each_database(|database| {
        let api = api(database, 2.0);
        let (status, reason) = api.error("slow.get", json!({}));
        assert_eq!(status, 504, "{reason}");
        assert_eq!(api.outputs("fast.get", json!({})), json!({ "n": 1 }));
        wait_until_stopped(&api);
    });
}

#[test]
fn a_method_can_have_a_time_limit_of_its_own() {
    for_each_database(|database| {
        let api = api(database, 100.0);
        assert_eq!(api.error("longer.get", json!({})).0, 504);
        assert_eq!(api.outputs("fast.get", json!({})), json!({ "n": 1 }));
        wait_until_stopped(&api);
    });
}

#[test]
fn a_statement_is_stopped_when_the_client_leaves_a_download() {
    for_each_database(|database| {
        // MariaDB notices that the client is gone only when it sends the next row.
        if database.kind == Kind::Mariadb {
            return;
        }
        let api = api(database, 5.0);
        let download = api.call("export.get", json!({})).into_download().unwrap();
        let Content::Stream(mut stream) = download.into_content() else { panic!("the download is not a stream") };
        assert!(api.runtime.block_on(stream.next()).unwrap().is_ok());
        drop(stream);
        assert_eq!(api.outputs("fast.get", json!({})), json!({ "n": 1 }));
        wait_until_stopped(&api);
    });
}

#[test]
fn a_server_that_was_stopped_is_used_again_after_its_start() {
    for server in [&POSTGRES, &MARIADB] {
        restart(server);
    }
}

fn restart(server: &Server) {
    server.with_control(|database, control| {
        let client = database.serve(
            json!({ "pool_timeout": 2 }),
            json!({
                "fast": method(json!({}), json!({ "n": of_type("int") }), json!({ "sql": "select 1 as n" })),
                "add": method(json!({ "GET@title": of_type("string") }), json!({}), json!({ "sql": [
                    "insert into note (title) values (:title)", "update note set stars = 1"
                ] })),
            }),
        );
        let status = |target: &str| client.get(target).send().status();
        assert_eq!((status("/fast"), status("/readyz")), (200, 200));
        control("stop");
        for target in ["/fast", "/add?title=a"].repeat(3) {
            assert_eq!(status(target), 503, "{target}");
        }
        // The server keeps the result of a readiness check for a short time.
        let wait_for_readiness = |expected: u16| {
            let start = Instant::now();
            while status("/readyz") != expected {
                assert!(start.elapsed() < Duration::from_secs(30), "{expected} is expected");
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        wait_for_readiness(503);
        control("start");
        wait_for_readiness(200);
        assert_eq!((status("/fast"), status("/add?title=a")), (200, 200));
        // The response shows the name of the check only.
        assert!(client.get("/readyz").send().text().contains("sql:main"));
    });
}

#[test]
fn the_end_of_the_api_merges_the_write_ahead_log_of_sqlite() {
    let database = TestDatabase::sqlite();
    let add = method(
        json!({ "GET@title": of_type("string") }),
        json!({}),
        json!({ "sql": "insert into note (title) values (:title)" }),
    );
    let api = database.api(json!({ "add": add }));
    let log = database.folder.path().join("data/test.db-wal");
    api.outputs("add.get", json!({ "title": "a" }));
    assert!(log.exists());
    let (ended, runtime) = (api.engine.ended(), runtime());
    drop(api);
    runtime.block_on(ended);
    assert!(!log.exists());
}
