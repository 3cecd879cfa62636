//! Tests of what operators read of a running server: the address for monitoring, the metrics of keys, and the summary.

use std::fs;

use serde_json::{Value as Json, json};

use super::{definition_folder, shop_module};
use crate::keys::add_key;
use crate::server_process::{ServerProcess, free_address};

/// Returns the status and the body of the response to a request with a key.
fn get(address: &str, path: &str, key: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.get(format!("http://{address}{path}"));
    let request = if key.is_empty() { request } else { request.header("authorization", format!("Bearer {key}")) };
    let mut response = request.call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

#[test]
fn metrics_have_an_address_of_their_own_and_count_keys() {
    let monitoring = free_address();
    let app = json!({ "unbound": "echo", "monitoring": monitoring });
    let folder = definition_folder(&[("app.json", app), ("shop.json", shop_module())]);
    let key = add_key(folder.path(), &["--name", "ada"]);
    let address = free_address();
    let process = ServerProcess::start(folder.path(), &address, &["serve"]);
    let listens = format!("listens    http://{address}/, http://{monitoring}/metrics\n");
    assert!(process.stdout.contains(&listens), "{}", process.stdout);
    for (path, api, own) in
        [("/healthz", 200, 200), ("/readyz", 404, 200), ("/metrics", 404, 200), ("/article", 200, 404)]
    {
        let statuses = [&address, &monitoring].map(|address| get(address, path, "").0);
        assert_eq!(statuses, [api, own], "{path}");
    }
    for _ in 0..3 {
        assert_eq!(get(&address, "/article", &key).0, 200);
    }
    let (_, metrics) = get(&monitoring, "/metrics", "");
    let sample = "rulebook_key_requests_total{key=\"ada\",method=\"article.get\"} 3\n";
    assert!(metrics.contains(sample), "{metrics}");
}

#[test]
fn the_summary_is_json_if_the_log_is() {
    let app = json!({ "title": "Shop", "version": "1.2.3", "log_format": "json", "unbound": "echo" });
    let folder = definition_folder(&[("app.json", app), ("shop.json", shop_module())]);
    let address = free_address();
    let process = ServerProcess::start(folder.path(), &address, &["serve"]);
    let summary: Json = serde_json::from_str(&process.stdout).unwrap();
    assert_eq!(summary["serving"], "Shop 1.2.3");
    assert_eq!(summary["listens"], format!("http://{address}/"));
    assert_eq!(process.stdout.lines().count(), 1);
    for line in fs::read_to_string(folder.path().join("stderr.txt")).unwrap().lines() {
        assert!(serde_json::from_str::<Json>(line).is_ok_and(|record| record.is_object()), "{line}");
    }
}
