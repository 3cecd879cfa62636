//! Workers that are killed under load: every call has a response, and never the result of another call.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::{Api, act, worker};

/// The number of workers that the test kills.
const KILLS: usize = 50;
/// The number of clients that call at the same time.
const CLIENTS: usize = 32;

#[tokio::test]
async fn killed_workers_fail_calls_but_never_mix_them_up() {
    // Results arrive in another order than the calls, and in parts.
    let program = worker("").replace(
        "for id, what, value, message in calls():",
        "import random, threading\nlock = threading.Lock()\n\
         def respond(id, value):\n    \
             time.sleep(random.random() / 200)\n    \
             text = json.dumps({'jsonrpc': '2.0', 'id': id, 'result': {'value': value, 'pid': os.getpid()}}) + '\\n'\n    \
             with lock:\n        \
                 write(text[:20])\n        \
                 write(text[20:])\n\
         for id, what, value, message in calls():\n    \
             threading.Thread(target=respond, args=(id, value), daemon=True).start()\n    \
             continue",
    );
    let api = Api::new(&program, json!({ "workers": 4, "concurrency": 4, "timeout": 60 }));
    let engine = api.engine();
    let (is_ended, succeeded, failed) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let client = async |client: usize| {
        for number in 0.. {
            if is_ended.load(Ordering::Relaxed) {
                break;
            }
            let value = format!("{client}-{number}");
            let response = act(&engine, "echo", value.as_str()).await;
            match response.status() {
                200 => {
                    assert_eq!(response.get("value"), Some(&json!(value)));
                    succeeded.fetch_add(1, Ordering::Relaxed);
                }
                502 | 503 => {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
                status => panic!("{status}: {:?}", response.error()),
            }
        }
    };
    let killing = async {
        let mut killed = BTreeSet::new();
        while killed.len() < KILLS {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let running = api.running_workers();
            // The workers are killed in turn.
            let Some(pid) = running.get(killed.len() % running.len().max(1)) else { continue };
            if kill_process(Pid::from_raw(*pid).unwrap(), Signal::KILL).is_ok() {
                killed.insert(*pid);
            }
        }
        is_ended.store(true, Ordering::Relaxed);
    };
    join(killing, join_all((0..CLIENTS).map(client))).await;
    let (succeeded, failed) = (succeeded.into_inner(), failed.into_inner());
    assert!(succeeded > KILLS && failed > 0, "{succeeded} calls have succeeded, {failed} have failed");
    assert!(api.workers().len() >= KILLS, "{} workers have started", api.workers().len());
}
