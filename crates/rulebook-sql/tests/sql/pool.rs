//! The connections of a database, which the worker threads of a server share.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use rulebook::Settings;
use serde_json::{Value as Json, json};

use crate::databases::{Kind, TestDatabase, for_each_database, method, of_type};

/// The maximum number of connections.
const POOL: usize = 4;

/// Returns the methods of the test: one returns the number of open connections and the id of its connection, after a
/// while, and one is a download.
fn methods(database: &TestDatabase) -> Json {
    let connections = database.pick([
        "select 1 as open, 1 as connection",
        "select (select count(*) from pg_stat_activity where datname = current_database()) as open, \
         pg_backend_pid() as connection, pg_sleep(0.05)::text as slept",
        "select (select count(*) from information_schema.processlist where db = database()) as open, \
         connection_id() as connection, sleep(0.05) as slept",
    ]);
    let mut out = json!({ "open": of_type("int"), "connection": of_type("int") });
    if database.kind != Kind::Sqlite {
        out["slept"] = of_type("any");
    }
    let mut download = method(json!({}), json!({}), json!({ "sql": "select 1 as n" }));
    download["GET"]["options"] = json!({ "download": true });
    json!({ "connections": method(json!({}), out, json!({ "sql": connections, "missing": false })), "download": download })
}

/// Sends a request on a connection of its own, so that all workers get some. Returns the body of the response.
fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{response}");
    body.to_owned()
}

#[test]
fn worker_threads_together_open_at_most_the_connections_of_the_pool_and_can_use_all_of_them() {
    for_each_database(|database| {
        let engine = database.engine(json!({ "pool": POOL, "pool_timeout": 20 }), methods(database));
        let server = engine.serve(&Settings::new().with_bind(["127.0.0.1:0"]).with_workers(3)).unwrap();
        let address = server.addresses()[0];
        let responses: Vec<Json> = thread::scope(|scope| {
            let client = || {
                (0..5).map(|_| {
                    // Downloads have connections that belong to no worker thread.
                    get(address, "/download");
                    serde_json::from_str(&get(address, "/connections")).unwrap()
                })
            };
            let clients: Vec<_> = (0..3 * POOL).map(|_| scope.spawn(move || client().collect::<Vec<Json>>())).collect();
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
        });
        let open = responses.iter().map(|outputs| outputs["open"].as_u64().unwrap()).max().unwrap();
        // A connection that was closed may still be listed.
        assert!(open <= POOL as u64 + 1, "{open} connections were open");
        let used: BTreeSet<_> = responses.iter().map(|outputs| outputs["connection"].as_u64().unwrap()).collect();
        assert!(database.kind == Kind::Sqlite || used.len() >= POOL, "{used:?}");
        server.stop().unwrap();
    });
}
