//! Workers that end, hang, or break the protocol while they handle a call.

use futures_util::future::join;
use serde_json::json;

use crate::support::{Api, act, failed_act, is_running, wait_until, worker};

const MISBEHAVING: &str = r#"
if what == "crash":
    os._exit(3)
if what == "signal":
    os.kill(os.getpid(), signal.SIGSEGV)
if what == "hang":
    subprocess.Popen(["sleep", "1000"])
    time.sleep(1000)
if what == "noise":
    write("a log line\n\n{\n{}\n[]\n{\"jsonrpc\": \"2.0\"}\n{\"jsonrpc\": \"1.0\", \"id\": %d, \"result\": 1}\n" % id)
    sys.stdout.buffer.write(b"\xff\xfe\x00\n" + b"x" * 100000 + b"\n")
    send(method="unknown")
    send(id=id + 1)
if what == "partial":
    write("{\"jsonrpc\": \"2.0\", \"id\": %d, \"result\": {\"value\": 1" % id)
    os._exit(0)
if what == "endless":
    while True: sys.stdout.write("x" * 65536)
if what == "long":
    write(json.dumps({"jsonrpc": "2.0", "id": id, "result": {"value": "x" * 20000}}) + "\n")
    continue
if what == "pieces":
    write("x" * 9000)
    time.sleep(0.1)
    write("x" * 2000 + "\n" + "y" * 60000)
    write("y\n")
    time.sleep(1000)
if what == "fork":
    child = subprocess.Popen(["sleep", "1000"])
    open("child", "w").write(str(child.pid))
    os._exit(1)
if what == "others":
    for other in [id - 1, id + 1, str(id), -id, 0]: send(id=other, result={"value": "wrong"})
if what == "twice":
    send(id=id, result={"value": value})
    send(id=id, result={"value": "wrong"})
    continue
if what == "close":
    os.close(1)
    time.sleep(1000)
if what == "sleep":
    open("sleeping", "w").close()
    while not os.path.exists("wake"): time.sleep(0.01)
"#;

fn misbehaving(settings: serde_json::Value) -> Api {
    Api::new(&worker(MISBEHAVING), settings)
}

#[tokio::test]
async fn a_crash_fails_the_call_and_the_next_call_has_a_new_worker() {
    let api = misbehaving(json!({}));
    let engine = api.engine();
    for (what, reason) in [
        ("crash", "act.get: the worker ended: exit status: 3"),
        ("signal", "act.get: the worker ended: signal: 11 (SIGSEGV) (core dumped)"),
        ("partial", "act.get: the worker ended: exit status: 0"),
        ("fork", "act.get: the worker ended: exit status: 1"),
        ("close", "act.get: the worker ended: it has closed its standard output"),
    ] {
        let (status, log) = failed_act(&engine, what).await;
        assert_eq!(status, 502, "{what}");
        assert_eq!(log.trim_end_matches(" (core dumped)"), reason.trim_end_matches(" (core dumped)"), "{what}");
        assert_eq!(act(&engine, "echo", what).await.get("value"), Some(&json!(what)));
    }
    assert_eq!(api.workers().len(), 6);
    let fork = std::fs::read_to_string(api.folder.path().join("child")).unwrap().parse().unwrap();
    wait_until("the process that the worker has started is killed", || !is_running(fork));
}

#[tokio::test]
async fn calls_that_end_their_workers_do_not_delay_the_next_worker_for_long() {
    let api = misbehaving(json!({}));
    let engine = api.engine();
    for _ in 0..8 {
        assert_eq!(failed_act(&engine, "crash").await.0, 502);
    }
    // If each crash doubled the delay, this call would fail at once.
    assert_eq!(act(&engine, "echo", 5).await.get("value"), Some(&json!(5)));
}

#[tokio::test]
async fn a_crash_fails_only_the_calls_of_its_worker() {
    let api = misbehaving(json!({ "workers": 2, "timeout": 60 }));
    let engine = api.engine();
    let crash = async {
        let asleep = api.folder.path().join("sleeping");
        while !asleep.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let crashed = failed_act(&engine, "crash").await;
        std::fs::write(api.folder.path().join("wake"), "").unwrap();
        crashed
    };
    let (slept, crashed) = join(act(&engine, "sleep", "slept"), crash).await;
    assert_eq!((slept.get("value"), crashed.0), (Some(&json!("slept")), 502));
}

#[tokio::test]
async fn a_late_worker_is_killed_and_replaced() {
    let api = misbehaving(json!({ "timeout": 0.3 }));
    let engine = api.engine();
    let first = act(&engine, "echo", 1).await.get("pid").unwrap().clone();
    let (status, log) = failed_act(&engine, "hang").await;
    assert_eq!((status, log.as_str()), (504, "act.get: the worker has not responded within 300ms"));
    wait_until("the late worker is killed", || !is_running(i32::try_from(first.as_i64().unwrap()).unwrap()));
    wait_until("a new worker has started", || api.running_workers().len() == 1);
    let second = loop {
        let response = act(&engine, "echo", 2).await;
        if response.status() == 200 {
            break response.get("pid").unwrap().clone();
        }
    };
    assert_ne!(first, second);
}

#[tokio::test]
async fn noise_between_messages_is_ignored() {
    let api = misbehaving(json!({}));
    let engine = api.engine();
    for what in ["noise", "others", "noise", "twice", "echo"] {
        let response = act(&engine, what, what).await;
        assert_eq!(response.get("value"), Some(&json!(what)));
    }
    assert_eq!(api.workers().len(), 1, "the worker was never replaced");
}

#[tokio::test]
async fn lines_are_bounded() {
    let api = misbehaving(json!({ "max_message": 10_000 }));
    let engine = api.engine();
    for what in ["endless", "long", "pieces"] {
        let (status, log) = failed_act(&engine, what).await;
        assert_eq!(status, 502);
        assert!(log.contains("it has sent a line of more than 10000 bytes, the setting `max_message`"), "{log}");
    }
    let arguments = act(&engine, "echo", "x".repeat(10_000)).await;
    assert_eq!(arguments.status(), 413);
    assert!(arguments.error().unwrap().log().unwrap().contains("but `max_message` is 10000"));
    let limit = json!({ "name": "arguments", "max": 10_000, "unit": "bytes" });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&arguments.serialize()).unwrap()["limit"], limit);
    assert_eq!(act(&engine, "echo", "x".repeat(9_000)).await.status(), 200);
}
