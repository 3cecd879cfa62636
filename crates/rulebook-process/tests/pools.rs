//! Which methods share a pool of workers.

use serde_json::json;

use crate::captured_log;
use crate::support::{Api, act, worker};

#[tokio::test]
async fn methods_with_equal_settings_share_their_workers() {
    let settings = json!({ "environment": { "A": "1", "B": "2" } });
    let api = Api::new(&worker(""), settings).other_settings(json!({
        "environment": { "B": "2", "A": "1" },
        "once": false, "concurrency": 1, "queue": 1000, "max_message": "8MB", "start_timeout": 30.0, "stop_timeout": 5
    }));
    let engine = api.engine();
    let first = act(&engine, "echo", 1).await;
    let second = engine.call("other.get").arg("what", "echo").scope(["reader"]).send().await;
    assert_eq!(first.get("pid"), second.get("pid"));
    assert_eq!(api.workers().len(), 1);
}

#[tokio::test]
async fn workers_may_have_handlers_for_methods_of_other_pools() {
    captured_log::begin();
    let methods = "['act.get', 'other.get', 'upload.post', 'file.get', 'pools.unknown']";
    let ready = format!("send(method='ready', params={{'methods': {methods}}})");
    let program = worker("").replace("send(method='ready')", &ready);
    let api = Api::new(&program, json!({})).other_settings(json!({ "queue": 5 }));
    let engine = api.engine();
    let first = act(&engine, "echo", 1).await;
    let second = engine.call("other.get").arg("what", "echo").scope(["reader"]).send().await;
    assert_ne!(first.get("pid"), second.get("pid"));
    assert_eq!(captured_log::records("the definition has no method `other.get`"), []);
    assert_eq!(captured_log::records("the definition has no method `act.get`"), []);
    assert_eq!(captured_log::records("the definition has no method `pools.unknown`").len(), 2);
}
