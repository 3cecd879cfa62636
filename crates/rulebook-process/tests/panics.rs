//! Panics in the tasks that run processes.

use serde_json::json;

use crate::captured_log::{self, PANIC};
use crate::support::{Api, act, failed_act, is_running, wait_until, worker};

#[tokio::test]
async fn a_worker_whose_task_panics_is_replaced_and_its_call_fails() {
    captured_log::begin();
    let panicking =
        format!("if what == 'panic':\n    sys.stderr.write('{PANIC}\\n')\n    sys.stderr.flush()\n    continue");
    let api = Api::new(&worker(&panicking), json!({ "timeout": 60 }));
    let engine = api.engine();
    for _ in 0..5 {
        let pid = act(&engine, "echo", 1).await.get("pid").unwrap().as_i64().unwrap();
        let expected = (502, "act.get: the worker ended: its task panicked".to_owned());
        assert_eq!(failed_act(&engine, "panic").await, expected);
        wait_until("the worker is killed", || !is_running(i32::try_from(pid).unwrap()));
    }
    assert_eq!(act(&engine, "echo", 2).await.get("value"), Some(&json!(2)));
}

#[tokio::test]
async fn a_call_whose_process_has_a_panicking_task_fails_and_leaves_its_place_to_others() {
    captured_log::begin();
    let program = format!(
        "import json, sys, time\n\
         if json.load(sys.stdin)['what'] == 'panic':\n    sys.stderr.write('{PANIC}\\n')\n    sys.stderr.flush()\n    \
         time.sleep(1000)\nprint('{{}}')"
    );
    let api = Api::new(&program, json!({ "once": true, "timeout": 60 }));
    let engine = api.engine();
    for _ in 0..3 {
        let expected = (502, "act.get: the process was killed: its task panicked".to_owned());
        assert_eq!(failed_act(&engine, "panic").await, expected);
    }
    assert_eq!(act(&engine, "echo", 2).await.status(), 200);
}
