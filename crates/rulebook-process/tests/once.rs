//! Programs that are started for each call.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use futures_util::future::{join, join_all};
use rulebook::trace::{Span, TraceContext, TraceExporter};
use rulebook::{Response, Rulebook};
use rulebook_process::ProcessKind;
use rulebook_test::Client;
use serde_json::{Value as Json, json};

use crate::captured_log;
use crate::support::{Api, NoSpans, act, failed_act, is_running, wait_until};

/// A shell program whose arguments are in the variable `arguments`.
const PROGRAM: &str = r#"#!/bin/sh
arguments=$(cat)
case $arguments in
*'"what":"fail"'*) echo '{"value": 1}'; exit 3 ;;
*'"what":"missing"'*) echo '{"error": {"name": "not_found", "members": {"id": 5}}}'; exit 1 ;;
*'"what":"signal"'*) kill -9 $$ ;;
*'"what":"text"'*) echo 'no JSON' ;;
*'"what":"nothing"'*) echo 'a warning' >&2 ;;
*'"what":"large"'*) yes ;;
*'"what":"hang"'*) sleep 1000 & echo $! > child; wait ;;
*'"what":"fork"'*) sleep 1000 & echo $! > child; echo '{"value": "forked"}' ;;
*'"what":"trace"'*) printf '{"value": "%s"}' "$TRACEPARENT" ;;
*'"what":"ignore"'*) exec 0<&-; echo '{"value": 1}' ;;
*) printf '{"value": [%s, "%s", "%s", %s]}' "$arguments" "$RULEBOOK_METHOD" "$RULEBOOK_REQUEST_ID" "${RULEBOOK_IDENTITY:-null}" ;;
esac
"#;

fn once(mut settings: Json) -> Api {
    settings["once"] = json!(true);
    let api = Api::with_command(&json!(["./program.sh"]), "", settings);
    let program = api.folder.path().join("program.sh");
    fs::write(&program, PROGRAM).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    api
}

#[test]
fn a_program_gets_the_arguments_of_its_call() {
    captured_log::begin();
    let api = once(json!({}));
    let client = Client::new(api.rulebook()).unwrap();
    let request = client.get("/other?what=x&value=%C3%A9").identity("ada", ["reader"]).header("x-request-id", "once-1");
    let identity = json!({ "name": "ada", "permissions": ["reader"] });
    let arguments = json!({ "what": "x", "value": "é" });
    assert_eq!(request.send().output("value"), json!([arguments, "other.get", "once-1", identity]));
    assert_eq!(client.get("/act?what=x").send().output("value")[3], Json::Null);
    assert_eq!(client.get("/act?what=nothing").header("x-request-id", "once-2").send().status(), 200);
    let of_request = |(_, id): &(String, Option<String>)| id.as_deref() == Some("once-2");
    assert_eq!(captured_log::records("program.sh: a warning").iter().filter(|record| of_request(record)).count(), 1);
    assert_eq!(client.get("/readyz").send().status(), 200);
}

#[test]
fn a_program_gets_the_trace_of_the_request() {
    let api = once(json!({}));
    let client = Client::new(api.rulebook().trace_exporter(NoSpans, 100)).unwrap();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let value = client.get("/act?what=trace").header("traceparent", trace).send().output("value");
    let received = TraceContext::parse(value.as_str().unwrap()).unwrap();
    assert_eq!(received.trace_id, TraceContext::parse(trace).unwrap().trace_id);
}

/// Keeps the names of spans.
#[derive(Clone, Default)]
struct SpanNames(Arc<Mutex<Vec<String>>>);

impl TraceExporter for SpanNames {
    fn export(&self, span: Span) {
        self.0.lock().unwrap().push(span.name.into_owned());
    }
}

#[test]
fn a_repeated_response_has_no_span_of_a_process() {
    let method = json!({
        "info": "Returns its arguments",
        "in": { "id": { "info": "A number", "type": "int" } },
        "out": { "id": { "info": "The number", "type": "int" } },
        "options": { "idempotent": "optional" },
        "handler": { "process": ["cat"], "once": true }
    });
    let definition = json!({ "/": { "act": { "POST": method } } }).to_string();
    let (folder, spans) = (tempfile::tempdir().unwrap(), SpanNames::default());
    let rulebook = Rulebook::read(vec![("act.json".into(), definition.into())]).data_folder(folder.path());
    let client = Client::new(rulebook.handler_kind(ProcessKind::new()).trace_exporter(spans.clone(), 100)).unwrap();
    for replayed in [None, Some("true")] {
        let response = client.post("/act").header("idempotency-key", "1").json(json!({ "id": 5 })).send();
        assert_eq!((response.output("id"), response.header("idempotent-replayed")), (json!(5), replayed));
    }
    drop(client);
    let names = spans.0.lock().unwrap();
    let count = |name: &str| names.iter().filter(|other| *other == name).count();
    assert_eq!((count("POST /act"), count("process")), (2, 1), "{names:?}");
}

#[tokio::test]
async fn programs_that_fail_are_bad_gateways() {
    let api = once(json!({ "max_message": 5_000, "timeout": 20 }));
    let engine = api.engine();
    for (what, reason) in [
        ("fail", "exit status: 3"),
        ("signal", "signal: 9 (SIGKILL)"),
        ("text", "its standard output is not a JSON value"),
        ("large", "its output is longer than 5000 bytes"),
    ] {
        let (status, log) = failed_act(&engine, what).await;
        assert!(status == 502 && log.contains(reason), "{what}: {status} {log}");
    }
    let missing = act(&engine, "missing", 1).await;
    let body: Json = serde_json::from_str(&missing.serialize()).unwrap();
    assert_eq!((missing.status(), &body["id"]), (404, &json!(5)));
    assert_eq!(act(&engine, "ignore", "x".repeat(4_000)).await.status(), 200, "arguments need not be read");
}

#[tokio::test]
async fn programs_have_a_time_limit() {
    let api = once(json!({ "timeout": 1 }));
    let engine = api.engine();
    assert_eq!(failed_act(&engine, "hang").await, (504, "act.get: the worker has not responded within 1s".to_owned()));
    let child = || fs::read_to_string(api.folder.path().join("child")).unwrap().trim().parse().unwrap();
    wait_until("the program and its child are killed", || !is_running(child()));
    let forked = act(&engine, "fork", 1).await;
    assert_eq!(forked.get("value"), Some(&json!("forked")), "a program that continues to run is not awaited");
    wait_until("it is killed", || !is_running(child()));
}

#[tokio::test]
async fn programs_are_bounded() {
    let program = "import json, os, sys, time\n\
        value = json.load(sys.stdin)['value']\n\
        open(f'running-{value}', 'w').close()\n\
        running = len([name for name in os.listdir() if name.startswith('running-')])\n\
        time.sleep(0.1)\n\
        os.remove(f'running-{value}')\n\
        print(json.dumps({'value': running}))\n";
    let api = Api::new(program, json!({ "once": true, "workers": 2, "queue": 4 }));
    let engine = api.engine();
    let responses = join_all((0..9).map(|number| act(&engine, "run", number))).await;
    let running: Vec<_> = responses.iter().filter_map(|response| response.get("value")?.as_u64()).collect();
    assert!(running.iter().all(|running| *running <= 2), "{running:?}");
    let statuses: Vec<_> = responses.iter().map(Response::status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 3, "{statuses:?}");
}

#[tokio::test]
async fn a_call_waits_for_a_process_at_most_for_its_time_limit() {
    let program = "import os, time\n\
        open('waiting', 'w').close()\n\
        while not os.path.exists('wake'): time.sleep(0.01)\n\
        print('{}')\n";
    let api = Api::new(program, json!({ "once": true, "timeout": 0.3 })).other_timeout(60);
    let engine = api.engine();
    let handled = engine.call("other.get").scope(["reader"]).send();
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
    assert_eq!(handled.status(), 200);
}

#[test]
fn a_missing_program_is_an_error_of_the_start() {
    for command in ["./missing.sh", "no-such-program-of-rulebook", "./handlers.py"] {
        let api = Api::with_command(&json!([command]), "", json!({ "once": true }));
        let error = api.engine().start().unwrap_err().to_string();
        let expected = format!("the worker `{command}` does not start: there is no such program");
        assert!(error.contains(&expected), "{error}");
    }
}
