//! Workers that are killed under load: every call has a response, and never the result of another call.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

use crate::support::{Api, act, is_running, worker};

/// The number of workers that the test kills, unless the environment variable `KILLS` says otherwise.
const KILLS: usize = 50;
/// The number of clients that call at the same time.
const CLIENTS: usize = 32;
/// The number of calls that succeed between two kills.
const CALLS_BETWEEN_KILLS: usize = 10;
/// The maximum time between two kills.
const LIMIT: Duration = Duration::from_secs(60);

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
    let kills = std::env::var("KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let api = Api::new(&program, json!({ "workers": 4, "concurrency": 4, "timeout": 60 }));
    let engine = api.engine();
    let (is_ended, succeeded, failed) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    // The worker that has responded last.
    let last = AtomicI32::new(0);
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
                    last.store(
                        response.get("pid").and_then(Json::as_i64).unwrap().try_into().unwrap(),
                        Ordering::Relaxed,
                    );
                    succeeded.fetch_add(1, Ordering::Relaxed);
                }
                502 | 503 => {
                    failed.fetch_add(1, Ordering::Relaxed);
                    // Calls fail at once while no worker can be started.
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                status => panic!("{status}: {:?}", response.error()),
            }
        }
    };
    // Only workers that have responded are killed, so that the others can start, however slow this machine is.
    let killing = async {
        let (mut killed, mut succeeded_before, mut start) = (0, 0, Instant::now());
        while killed < kills {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let (succeeded, failed) = (succeeded.load(Ordering::Relaxed), failed.load(Ordering::Relaxed));
            assert!(
                start.elapsed() < LIMIT,
                "{succeeded} calls have succeeded, {failed} failed; {killed} workers killed"
            );
            if succeeded < succeeded_before + CALLS_BETWEEN_KILLS {
                continue;
            }
            // 0 until a worker responds. The system uses the ids of processes again.
            let pid = last.swap(0, Ordering::Relaxed);
            if pid != 0 && is_running(pid) && kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).is_ok() {
                killed += 1;
                (succeeded_before, start) = (succeeded, Instant::now());
            }
        }
        is_ended.store(true, Ordering::Relaxed);
    };
    join(killing, join_all((0..CLIENTS).map(client))).await;
    let (succeeded, failed) = (succeeded.into_inner(), failed.into_inner());
    eprintln!("{kills} workers killed, {succeeded} calls have succeeded, {failed} have failed");
    assert!(failed > 0, "no call has failed");
}
