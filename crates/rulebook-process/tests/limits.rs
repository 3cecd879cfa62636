//! Limits of waiting calls, and workers that start again and again.

use std::fs;

use futures_util::future::{join, join3};
use serde_json::json;

use crate::support::{Api, act, failed_act, wait_until, worker};

const WAITING: &str = r#"
if what == "wait":
    open("waiting", "w").close()
    while not os.path.exists("wake"): time.sleep(0.01)
if what == "end":
    os._exit(0)
"#;

#[tokio::test]
async fn a_full_queue_is_unavailable() {
    let api = Api::new(&worker(WAITING), json!({ "queue": 1 }));
    let engine = api.engine();
    act(&engine, "echo", 0).await;
    let (first, second, third) = join3(act(&engine, "wait", 1), act(&engine, "echo", 2), async {
        let third = failed_act(&engine, "echo").await;
        fs::write(api.folder.path().join("wake"), "").unwrap();
        third
    })
    .await;
    assert_eq!((first.get("value"), second.get("value")), (Some(&json!(1)), Some(&json!(2))));
    assert_eq!(third, (503, "act.get: 1 calls wait for a worker already".to_owned()));
}

#[tokio::test]
async fn a_call_waits_for_a_worker_at_most_for_its_time_limit() {
    // Both methods share the worker, but have different time limits.
    let api = Api::new(&worker(WAITING), json!({ "timeout": 0.3 })).other_timeout(60);
    let engine = api.engine();
    let handled = engine.call("other.get").arg("what", "wait").arg("value", 1).scope(["reader"]).send();
    let waiting = async {
        while !api.folder.path().join("waiting").exists() {
            tokio::task::yield_now().await;
        }
        let failed = failed_act(&engine, "echo").await;
        fs::write(api.folder.path().join("wake"), "").unwrap();
        failed
    };
    let (handled, waiting) = join(handled, waiting).await;
    assert_eq!(waiting, (503, "act.get: no worker took the call within 300ms".to_owned()));
    assert_eq!(handled.get("value"), Some(&json!(1)));
    assert_eq!(api.workers().len(), 1);
}

#[tokio::test]
async fn a_debugger_extends_the_time_limits_of_its_worker() {
    let branches = r#"
if what == "debug":
    send(method="debug")
if what in ("debug", "slow"):
    time.sleep(1.5)
"#;
    let api = Api::new(&worker(branches), json!({ "timeout": 1 }));
    let engine = api.engine();
    for what in ["debug", "slow"] {
        assert_eq!(act(&engine, what, 1).await.status(), 200, "{what}");
    }
    assert_eq!(api.workers().len(), 1);
}

#[tokio::test]
async fn workers_that_cannot_start_are_started_again_later() {
    // Each start adds a line to `starts`. While `broken` exists, the worker ends at once.
    let program = worker(WAITING).replace(
        "send(method='ready')",
        "open('starts', 'a').write('x')\nif os.path.exists('broken'): sys.exit('it is broken')\nsend(method='ready')",
    );
    let api = Api::new(&program, json!({}));
    let engine = api.engine();
    let broken = api.folder.path().join("broken");
    assert_eq!(act(&engine, "echo", 1).await.status(), 200);
    fs::write(&broken, "").unwrap();
    assert_eq!(failed_act(&engine, "end").await.0, 502);
    // The call waits for a worker as long as one is expected soon.
    assert_eq!(failed_act(&engine, "echo").await, (503, "act.get: no worker can be started".to_owned()));
    let starts = fs::read_to_string(api.folder.path().join("starts")).unwrap().len();
    assert!((3..=8).contains(&starts), "{starts} starts");
    assert_eq!(failed_act(&engine, "echo").await.0, 503, "calls fail at once");
    fs::remove_file(&broken).unwrap();
    loop {
        let response = act(&engine, "echo", 2).await;
        if response.status() == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    wait_until("the worker runs", || !api.running_workers().is_empty());
}
