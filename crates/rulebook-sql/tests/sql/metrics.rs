//! What `/metrics` reports of databases.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use rulebook::{Rulebook, Settings};
use rulebook_sql::SqlKind;
use serde_json::json;

use crate::databases::method;

/// A statement that takes longer than a millisecond.
const SLOW: &str = "with recursive number(n) as (select 1 union all select n + 1 from number where n < 200000) \
                    select sum(n) as sum from number";

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn connections_and_slow_calls_are_measured() {
    let folder = tempfile::tempdir().unwrap();
    let app = json!({ "handlers": { "sql": { "slow_call": 0.001, "pool": 3 } } }).to_string();
    let sum = json!({ "sum": { "info": "A sum", "type": "int" } });
    let method = method(json!({}), sum, json!({ "sql": SLOW, "missing": false }));
    let files =
        vec![("app.json".into(), app.into()), ("a.json".into(), json!({ "/": { "sum": method } }).to_string().into())];
    let rulebook = Rulebook::read(files).handler_kind(SqlKind::new()).data_folder(folder.path());
    let engine = rulebook.build().unwrap_or_else(|report| panic!("{report}"));
    engine.start().unwrap();
    let server = engine.serve(&Settings::new().with_bind(["127.0.0.1:0"])).unwrap();
    let address = server.addresses()[0];
    for _ in 0..2 {
        assert!(get(address, "/sum").starts_with("HTTP/1.1 200"));
    }
    let metrics = get(address, "/metrics");
    for sample in [
        "sql_slow_calls_total{database=\"main\"} 2\n",
        "sql_connections_max{database=\"main\"} 3\n",
        "sql_connections_used{database=\"main\"} 0\n",
        "sql_connections_idle{database=\"main\"} 1\n",
        "sql_waiting_calls{database=\"main\"} 0\n",
        "sql_pool_timeouts_total{database=\"main\"} 0\n",
    ] {
        assert!(metrics.contains(&format!("\nrulebook_{sample}")), "{sample}{metrics}");
    }
    server.stop().unwrap();
}
