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
    assert!(!error.contains("method `act.get`") && !error.contains("method `file.get`"), "{error}");
    assert!(error.contains("the handlers of the program are `act.get`, `file.get`, `odd.get`"), "{error}");
    assert!(api.running_workers().is_empty());
}

#[test]
fn functions_must_fit_their_methods() {
    // What the worker says about the function of `act.get`, and the parts of the error; none if the API starts.
    let cases: [(&str, &[&str]); 9] = [
        ("{}", &[]),
        ("{'function': 'act', 'location': 'a.py:3'}", &[]),
        ("{'parameters': ['what', 'value'], 'required': []}", &[]),
        ("{'parameters': ['value'], 'required': ['other']}", &[]),
        (
            "{'function': 'act', 'location': 'a.py:3', 'parameters': ['waht']}",
            &[
                "the function `act` (a.py:3) has a parameter `waht`, which is not a parameter of the method `act.get`",
                "did you mean `what`? the parameters of the method are `what`, `value`",
                "act.json:1:",
            ],
        ),
        ("{'location': 'a.py:3', 'parameters': ['zzz']}", &["the handler (a.py:3) has a parameter `zzz`"]),
        ("{'parameters': ['\\u001b']}", &["the handler has a parameter `\\u{1b}`"]),
        (
            "{'function': 'act', 'parameters': ['what', 'value'], 'required': ['value']}",
            &["the function `act` does not accept null for its parameter `value`, which is optional", "act.json:1:"],
        ),
        ("{'parameters': ['a', 'value'], 'required': ['value']}", &["a parameter `a`", "its parameter `value`"]),
    ];
    for (function, expected) in cases {
        let methods = format!("{{'act.get': {function}, 'other.get': {{}}, 'upload.post': {{}}, 'file.get': {{}}}}");
        let ready = format!("send(method='ready', params={{'methods': {methods}}})");
        let api = Api::new(&worker("").replace("send(method='ready')", &ready), json!({}));
        let error = api.engine().start().err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error.is_empty(), expected.is_empty(), "{function}: {error}");
        assert!(expected.iter().all(|text| error.contains(text)), "{function}: {error}");
    }
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
