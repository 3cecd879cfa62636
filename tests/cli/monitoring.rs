//! Tests of what operators read of a running server: the address for monitoring, and metrics of keys and handlers.

use std::fs;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::definition_folder;
use crate::keys::add_key;
use crate::server_process::{ServerProcess, free_address};

/// A statement that takes longer than a millisecond.
const SLOW: &str = "with recursive number(n) as (select 1 union all select n + 1 from number where n < 200000) \
                    select sum(n) as sum from number";

fn folder(app: Json) -> TempDir {
    let sum = json!({ "sum": { "info": "The sum", "type": "int" } });
    let handler = json!({ "sql": SLOW, "missing": false });
    let module = json!({ "/": { "sum": { "GET": { "info": "A sum", "out": sum, "handler": handler } } } });
    definition_folder(&[("app.json", app), ("sum.json", module)])
}

/// Returns the status and the body of the response to a request with a key.
fn get(address: &str, path: &str, key: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.get(format!("http://{address}{path}"));
    let request = if key.is_empty() { request } else { request.header("authorization", format!("Bearer {key}")) };
    let mut response = request.call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

#[test]
fn metrics_have_an_address_of_their_own_and_count_keys_and_slow_calls() {
    let monitoring = free_address();
    let folder = folder(json!({ "monitoring": monitoring, "handlers": { "sql": { "slow_call": 0.001 } } }));
    let key = add_key(folder.path(), &["--name", "ada"]);
    let address = free_address();
    let process = ServerProcess::start(folder.path(), &address, &["serve"]);
    let listens = format!("listens    http://{address}/, http://{monitoring}/metrics\n");
    assert!(process.stdout.contains(&listens), "{}", process.stdout);
    for (path, api, own) in [("/healthz", 200, 200), ("/readyz", 404, 200), ("/metrics", 404, 200), ("/sum", 200, 404)]
    {
        let statuses = [&address, &monitoring].map(|address| get(address, path, "").0);
        assert_eq!(statuses, [api, own], "{path}");
    }
    for _ in 0..3 {
        assert_eq!(get(&address, "/sum", &key).0, 200);
    }
    let (_, metrics) = get(&monitoring, "/metrics", "");
    for sample in [
        "rulebook_key_requests_total{key=\"ada\",method=\"sum.get\"} 3\n",
        "rulebook_sql_slow_calls_total{database=\"main\"} 4\n",
        "rulebook_sql_connections_max{database=\"main\"} 10\n",
        "rulebook_sql_connections_used{database=\"main\"} 0\n",
        "rulebook_sql_waiting_calls{database=\"main\"} 0\n",
    ] {
        assert!(metrics.contains(sample), "{sample}{metrics}");
    }
    assert!(process.log().contains("sum.get: the database `main` took "), "{}", process.log());
}

#[test]
fn the_summary_is_json_if_the_log_is() {
    let folder = folder(json!({ "title": "Sums", "version": "1.2.3", "log_format": "json" }));
    let address = free_address();
    let process = ServerProcess::start(folder.path(), &address, &["serve"]);
    let summary: Json = serde_json::from_str(&process.stdout).unwrap();
    assert_eq!(summary["serving"], "Sums 1.2.3");
    assert_eq!(summary["listens"], format!("http://{address}/"));
    assert_eq!(process.stdout.lines().count(), 1);
    for line in fs::read_to_string(folder.path().join("stderr.txt")).unwrap().lines() {
        assert!(serde_json::from_str::<Json>(line).is_ok_and(|record| record.is_object()), "{line}");
    }
}
