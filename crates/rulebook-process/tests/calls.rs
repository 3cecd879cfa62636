//! Calls that workers handle: results, errors, the caller, and calls back into the API.

use futures_util::future::join_all;
use rulebook::trace::TraceContext;
use rulebook::{Response, Rulebook};
use rulebook_process::ProcessKind;
use rulebook_test::Client;
use serde_json::{Value as Json, json};

use crate::captured_log;
use crate::support::{Api, NoSpans, PROTOCOL, act, echo_worker, failed_act, python_library, wait_until, worker};

#[tokio::test]
async fn results_are_outputs() {
    let api = Api::new(&echo_worker(), json!({}));
    let engine = api.engine();
    for value in [json!("é\n😀\u{0}"), json!(1.5), json!([1, null, {"a": []}]), json!(u64::MAX), json!({})] {
        assert_eq!(act(&engine, "echo", value.clone()).await.get("value"), Some(&value));
    }
    let omitted = engine.call("act.get").send().await;
    assert_eq!(omitted.get("value"), Some(&Json::Null));
}

#[tokio::test]
async fn many_calls_share_a_worker() {
    let api = Api::new(&echo_worker(), json!({ "concurrency": 8, "queue": 500 }));
    let engine = api.engine();
    let calls = (0..300).map(|number| act(&engine, "echo", number));
    for (number, response) in join_all(calls).await.into_iter().enumerate() {
        assert_eq!(response.get("value"), Some(&json!(number)));
    }
    assert_eq!(api.workers().len(), 1);
}

#[tokio::test]
async fn several_workers_handle_calls_at_the_same_time() {
    // Each worker waits until the other one handles a call, too.
    let branches = r#"
open(f"call-{value}", "w").close()
while not os.path.exists(f"call-{1 - value}"): time.sleep(0.01)
"#;
    let api = Api::new(&worker(branches), json!({ "workers": 2 }));
    let engine = api.engine();
    let responses = join_all([act(&engine, "meet", 0), act(&engine, "meet", 1)]).await;
    assert_eq!(responses.iter().map(Response::status).collect::<Vec<_>>(), [200, 200]);
    assert_ne!(responses[0].get("pid"), responses[1].get("pid"));
}

#[tokio::test]
async fn errors_are_declared_or_internal() {
    let branches = r#"
errors = {
    "declared": {"code": 1, "message": "secret", "data": {"name": "not_found", "members": {"id": 5}}},
    "undeclared": {"code": 1, "message": "secret", "data": {"name": "other"}},
    "unnamed": {"code": -32603, "message": "secret\u001b"},
    "odd": "secret",
    "traced": {"code": 1, "message": "secret", "data": {"traceback": "at a:1\u001b\n  at b:2\n"}},
    "long": {"code": 1, "message": "secret", "data": {"traceback": "first\n" + "x\n" * 50_000 + "last"}},
}
if what in errors:
    send(id=id, error=errors[what])
    continue
if what == "invalid":
    send(id=id, result={"value": 1, "pid": "text"})
    continue
if what == "list":
    send(id=id, result=[])
    continue
"#;
    let api = Api::new(&worker(branches), json!({}));
    let engine = api.engine();
    let declared = act(&engine, "declared", 1).await;
    assert_eq!(declared.status(), 404);
    let body: Json = serde_json::from_str(&declared.serialize()).unwrap();
    assert_eq!((&body["name"], &body["id"]), (&json!("not_found"), &json!(5)));
    assert!(!declared.serialize().contains("secret"));
    for what in ["undeclared", "unnamed", "odd", "invalid", "traced", "long"] {
        let response = act(&engine, what, 1).await;
        assert_eq!(response.status(), 500, "{what}");
        assert!(!response.serialize().contains("secret"), "{what}");
    }
    assert_eq!(failed_act(&engine, "unnamed").await.1, r"act.get: secret\u{1b}");
    assert_eq!(failed_act(&engine, "traced").await.1, "act.get: secret\nat a:1\\u{1b}\n  at b:2");
    let long = failed_act(&engine, "long").await.1;
    assert!(long.len() < 20_000 && long.starts_with("act.get: secret\nfirst\nx\n") && long.ends_with("x\nlast"));
    assert_eq!(act(&engine, "list", 1).await.status(), 200, "an empty array is an object without outputs");
}

#[tokio::test]
async fn a_worker_can_refuse_an_argument() {
    let branches = r#"
send(id=id, error={"code": -32602, "message": "secret", "data": {"parameter": what, "path": str(value), "expected": "a date"}})
continue
"#;
    let api = Api::new(&worker(branches), json!({}));
    let engine = api.engine();
    for (parameter, path, expected) in [("value", "", "value"), ("what", "[2]", "what[2]")] {
        let refused = act(&engine, parameter, path).await;
        let body: Json = serde_json::from_str(&refused.serialize()).unwrap();
        assert_eq!(refused.status(), 400);
        assert_eq!(refused.error().unwrap().to_string(), format!("{expected} in the query: expected a date"), "{body}");
    }
    assert_eq!(failed_act(&engine, "other").await, (500, "act.get: secret".to_owned()), "there is no such parameter");
}

#[test]
fn workers_get_the_caller_and_the_id_of_the_request() {
    let branches = r#"
value = message["params"]
print("noted", file=sys.stderr, flush=True)
"#;
    captured_log::begin();
    let api = Api::new(&worker(branches), json!({}));
    let client = Client::new(api.rulebook()).unwrap();
    let response =
        client.get("/other").identity("ada", ["reader", "user[7]"]).header("x-request-id", "caller-1").send();
    let params = response.output("value");
    assert_eq!(params["identity"], json!({ "name": "ada", "permissions": ["reader", "user[7]"] }));
    assert_eq!(params["request_id"], "caller-1");
    let anonymous = client.get("/act?what=x").send().output("value");
    assert_eq!((&anonymous["identity"], &anonymous["arguments"]), (&Json::Null, &json!({ "what": "x" })));

    // What a worker prints belongs to the request that it handles.
    let of_request = |(_, id): &(String, Option<String>)| id.as_deref() == Some("caller-1");
    assert_eq!(captured_log::records("handlers.py: noted").iter().filter(|record| of_request(record)).count(), 1);
    assert_eq!(client.get("/readyz").send().status(), 200);
}

#[test]
fn workers_get_the_trace_of_the_request() {
    let api = Api::new(&worker("value = message[\"params\"].get(\"traceparent\")"), json!({}));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let client = Client::new(api.rulebook().trace_exporter(NoSpans, 100)).unwrap();
    let value = client.get("/act").header("traceparent", trace).send().output("value");
    let received = TraceContext::parse(value.as_str().unwrap()).unwrap();
    let sent = TraceContext::parse(trace).unwrap();
    assert_eq!((received.trace_id, received.is_sampled), (sent.trace_id, true));
    assert_ne!(received.span_id, sent.span_id);
    let client = Client::new(api.rulebook()).unwrap();
    assert_eq!(client.get("/act").header("traceparent", trace).send().output("value"), Json::Null);
}

#[tokio::test]
async fn workers_call_the_api_with_the_permissions_of_the_caller() {
    let program = r#"
from rulebook import Call, CallError, handler, serve
@handler("act.get")
def act(what, value, call: Call):
    try:
        if what == "unknown":
            return {"value": call.api("no.such", id=1)}
        return {"value": [call.api("other.get", what="inner", value=n) for n in range(value)]}
    except CallError as error:
        return {"value": [error.name, error.status]}
@handler("other.get")
def other(what, value):
    return {"value": value}
@handler("upload.post")
def upload(file): pass
@handler("file.get")
def file(what): pass
serve()
"#;
    // Without a second worker, the call of the API would wait for the worker that makes it.
    let api = Api::new(program, json!({ "workers": 2 })).environment("PYTHONPATH", &python_library());
    let engine = api.engine();
    let call = |what: &str| engine.call("act.get").arg("what", what).arg("value", 3);
    let permitted = call("inner").scope(["reader"]).send().await;
    let values = |value: &Json| value.as_array().unwrap().iter().map(|item| item["value"].clone()).collect::<Vec<_>>();
    assert_eq!(values(permitted.get("value").unwrap()), [json!(0), json!(1), json!(2)]);
    assert_eq!(call("inner").send().await.get("value"), Some(&json!(["unauthenticated", 401])));
    assert_eq!(call("unknown").send().await.get("value"), Some(&json!(["unknown-service", 404])));
}

#[tokio::test]
async fn calls_of_the_api_name_the_call_that_they_serve() {
    let branches = r#"
if what == "wrong":
    send(id="c1", method="call", params={"target": "act.get", "for": id + 1000})
    send(id="c2", method="call", params={"target": "act.get"})
    send(id="c3", method="other", params={})
    value = [json.loads(sys.stdin.readline()) for _ in range(3)]
    value = [[message["id"], message["error"]["code"]] for message in value]
"#;
    let api = Api::new(&worker(branches), json!({}));
    let engine = api.engine();
    let response = act(&engine, "wrong", 1).await;
    assert_eq!(response.get("value"), Some(&json!([["c1", -32600], ["c2", -32600], ["c3", -32601]])));
}

#[test]
fn an_empty_array_is_an_object_if_the_method_returns_an_object() {
    let folder = tempfile::tempdir().unwrap();
    let program = format!("{PROTOCOL}\nsend(method='ready')\nfor id, *_ in calls(): send(id=id, result=[])");
    std::fs::write(folder.path().join("handlers.py"), program).unwrap();
    let types = ["array<int>", "map<int>", "?map<int>", "any"];
    let service = |r#type: &&str| {
        let out = json!({ "*": { "info": "All", "type": r#type } });
        json!({ "GET": { "info": "A method", "out": out } })
    };
    let services: Json = (0..).zip(&types).map(|(index, r#type)| (format!("m{index}"), service(r#type))).collect();
    let process = json!({ "workers": 1, "directory": folder.path() });
    let default = json!({ "process": ["python3", "handlers.py"] });
    let app = json!({ "envelope": "plain", "handlers": { "default": default, "process": process } });
    let files = vec![
        ("app.json".into(), app.to_string().into()),
        ("m.json".into(), json!({ "/": services }).to_string().into()),
    ];
    let rulebook = Rulebook::read(files).data_folder(folder.path().join("data")).handler_kind(ProcessKind::new());
    let client = Client::new(rulebook).unwrap();
    for (index, expected) in (0..).zip([json!([]), json!({}), json!({}), json!([])]) {
        let response = client.get(&format!("/m{index}")).send();
        assert_eq!((response.status(), response.json()), (200, expected), "{}", types[index]);
    }
}

#[test]
fn readiness_needs_a_ready_worker() {
    let branches = r#"
if what == "end":
    open("stay-down", "w").close()
    os._exit(0)
"#;
    let program = worker(branches)
        .replace("send(method='ready')", "if os.path.exists('stay-down'): time.sleep(1000)\nsend(method='ready')");
    let api = Api::new(&program, json!({ "stop_timeout": 0.1 }));
    let client = Client::new(api.rulebook()).unwrap();
    assert_eq!(client.get("/readyz").send().status(), 200);
    assert_eq!(client.get("/act?what=end").send().status(), 502);
    wait_until("the server is not ready", || client.get("/readyz").send().status() == 503);
}
