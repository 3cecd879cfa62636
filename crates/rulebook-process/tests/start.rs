//! Errors that prevent the start of the API.

use serde_json::json;

use crate::support::{Api, PROTOCOL, act, echo_worker, worker};

/// Returns the message of the error with which an API does not start.
#[track_caller]
fn start_error(api: &Api) -> String {
    api.engine().start().unwrap_err().to_string()
}

#[test]
fn workers_that_do_not_start_are_errors() {
    let program = "import sys\nprint('loading', file=sys.stderr)\nsys.exit('there is no module `notes`')\n";
    let api = Api::new(program, json!({}));
    let error = start_error(&api);
    assert!(error.contains("the worker `python3 handlers.py` does not start: exit status: 1"), "{error}");
    assert!(error.contains("its last line on standard error: there is no module `notes`"), "{error}");
    assert!(error.contains("app.json:1:"), "the error shows the command in the definition: {error}");

    let api = Api::with_command(&json!(["no-such-program-of-rulebook"]), "", json!({}));
    assert!(start_error(&api).contains("No such file or directory"));

    let api = Api::new("", json!({}));
    let missing = api.folder.path().join("missing");
    let api = Api::new("", json!({})).environment("A", &missing);
    assert!(start_error(&api).contains("does not start: exit status: 0"));
}

#[tokio::test]
async fn calls_fail_if_the_api_does_not_start() {
    let api = Api::new("raise SystemExit(1)", json!({}));
    let response = act(&api.engine(), "echo", 1).await;
    assert_eq!(response.status(), 503);
    assert!(!response.serialize().contains("python3"));
}

#[test]
fn a_worker_must_be_ready_in_time() {
    for program in ["time.sleep(1000)", "while True: write('noise\\n')", "while True: sys.stderr.write('noise\\n')"] {
        let api = Api::new(&format!("{PROTOCOL}\n{program}"), json!({ "start_timeout": 1 }));
        let error = start_error(&api);
        assert!(error.contains("does not start: it has not sent `ready` within 1s"), "{error}");
        assert!(api.running_workers().is_empty(), "the worker was killed");
    }
}

#[test]
fn workers_need_a_handler_for_each_method() {
    let methods = "send(method='ready', params={'methods': ['act.get', 'file.get', 'odd.get']})";
    let api = Api::new(&worker("").replace("send(method='ready')", methods), json!({}));
    let error = start_error(&api);
    for (method, position) in [("other.get", "act.json"), ("upload.post", "act.json")] {
        let expected = format!("the worker `python3 handlers.py` has no handler for the method `{method}`");
        assert!(error.contains(&expected) && error.contains(position), "{error}");
    }
    assert!(!error.contains("act.get") && !error.contains("file.get`"), "{error}");
    assert!(api.running_workers().is_empty());
}

#[test]
fn an_api_starts_and_ends_without_calls() {
    let api = Api::new(&echo_worker(), json!({ "workers": 2 }));
    let engine = api.engine();
    engine.start().unwrap();
    assert!(!api.workers().is_empty());
    drop(engine);
    assert!(api.running_workers().is_empty());
}
