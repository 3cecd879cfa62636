//! Responses of workers that are JSON-RPC, but not valid: their calls fail at once.

use futures_util::future::join;
use serde_json::json;

use crate::support::{Api, PROTOCOL, act, failed_act, worker};

const INVALID: &str = r#"
if what == "both": send(id=id, result=1, error={"code": 1, "message": "an error"})
if what == "null error": send(id=id, result=1, error=None)
if what == "neither": send(id=id)
if what == "nan": write('{"jsonrpc": "2.0", "id": %d, "result": {"value": NaN}}\n' % id)
if what == "nan before the id": write('{"jsonrpc": "2.0", "result": {"value": NaN}, "id": %d}\n' % id)
if what == "cut": write('{"jsonrpc": "2.0", "id": %d, "result": {"value": "é\n' % id)
if what == "twice": write('{"jsonrpc": "2.0", "id": %d, "result": 1, "result": 2}\n' % id)
if what == "rest": write('{"jsonrpc": "2.0", "id": %d, "result": 1} x\n' % id)
if what == "bytes": os.write(1, b'{"jsonrpc": "2.0", "id": %d, "result": "\xff"}\n' % id)
if what == "null": send(id=None, result={})
if what == "missing": send(result={})
if what == "no id": send(id=None, error={"code": -32700, "message": "Parse error"})
if what != "echo": continue
"#;

#[tokio::test]
async fn a_call_with_an_invalid_response_fails_at_once() {
    let api = Api::new(&worker(INVALID), json!({ "timeout": 60 }));
    let engine = api.engine();
    for (what, reason) in [
        ("both", "it has both `result` and `error`"),
        ("null error", "it has both `result` and `error`"),
        ("neither", "it has neither `result` nor `error`"),
        ("nan", "it cannot be read: expected value at line 1 column"),
        ("nan before the id", "it cannot be read: expected value at line 1 column"),
        ("cut", "it cannot be read: EOF while parsing a string at line 1 column"),
        ("twice", "it cannot be read: a member appears twice at line 1 column"),
        ("rest", "it cannot be read: trailing characters at line 1 column"),
        ("bytes", "it cannot be read: invalid unicode code point at line 1 column"),
        ("null", "its id is null"),
        ("missing", "it has no id"),
        ("no id", r#"its id is null, and its error is {"code": -32700, "message": "Parse error"}"#),
    ] {
        let (status, log) = failed_act(&engine, what).await;
        let expected = format!("act.get: the response of the worker is not valid: {reason}");
        assert!(status == 502 && log.starts_with(&expected), "{what}: {status}: {log}");
        assert_eq!(act(&engine, "echo", what).await.get("value"), Some(&json!(what)));
    }
    assert_eq!(api.workers().len(), 1, "the worker was never replaced");
}

#[tokio::test]
async fn an_invalid_response_fails_no_other_call_of_its_worker() {
    let two_calls = "send(method='ready')\nall = calls()\nfirst, second = next(all), next(all)\nsend(id=first[0])\n\
        send(id=second[0], result={'value': 'second'})\nnext(all)";
    let api = Api::new(&format!("{PROTOCOL}\n{two_calls}"), json!({ "timeout": 60, "concurrency": 2 }));
    let engine = api.engine();
    // Calls that wait for the start can change their order.
    engine.start().unwrap();
    let (first, second) = join(act(&engine, "a", 1), act(&engine, "b", 2)).await;
    assert_eq!((first.status(), second.get("value")), (502, Some(&json!("second"))));
}

#[tokio::test]
async fn an_invalid_call_of_the_api_has_an_error_at_once() {
    let call = r#"
write('{"jsonrpc": "2.0", "id": "c1", "method": "call", "params": {"value": NaN}}\n')
value = json.loads(sys.stdin.readline())
"#;
    let api = Api::new(&worker(call), json!({ "timeout": 60 }));
    let response = act(&api.engine(), "call", 1).await;
    let error = response.get("value").unwrap();
    assert_eq!((&error["id"], &error["error"]["code"]), (&json!("c1"), &json!(-32_700)));
}
