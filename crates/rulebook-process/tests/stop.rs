//! The end of the workers, together with the API or after a kill of the server.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{Api, act, echo_worker, ignored_test, is_running, python_library, wait_until, worker};

#[tokio::test]
async fn workers_end_with_the_api() {
    let api = Api::new(&echo_worker(), json!({ "workers": 3 }));
    let engine = api.engine();
    assert_eq!(act(&engine, "echo", 1).await.status(), 200);
    wait_until("three workers have started", || api.workers().len() == 3);
    drop(engine);
    assert_eq!(api.running_workers(), Vec::<i32>::new(), "the end of the API waits for the workers");
}

#[tokio::test]
async fn workers_that_do_not_end_are_killed() {
    // The worker ignores the end of its input and SIGTERM, and has started another process.
    let program = worker("").replace(
        "send(method='ready')",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
        child = subprocess.Popen(['sleep', '1000'])\nopen(f'pids/{child.pid}', 'w').close()\nsend(method='ready')",
    ) + "\ntime.sleep(1000)\n";
    let api = Api::new(&program, json!({ "stop_timeout": 0.3 }));
    let engine = api.engine();
    assert_eq!(act(&engine, "echo", 1).await.status(), 200);
    assert_eq!(api.running_workers().len(), 2);
    drop(engine);
    wait_until("both processes are killed", || api.running_workers().is_empty());
}

#[tokio::test]
async fn workers_that_print_until_they_are_killed_do_not_delay_the_end() {
    let program = worker("") + "\nwhile True: write('noise\\n')\n";
    let api = Api::new(&program, json!({ "stop_timeout": 0.3 }));
    let engine = api.engine();
    assert_eq!(act(&engine, "echo", 1).await.status(), 200);
    drop(engine);
    wait_until("the worker is killed", || api.running_workers().is_empty());
}

#[test]
fn workers_end_after_a_kill_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = ignored_test("stop::serves_until_it_is_killed");
    server.env("SERVED_FOLDER", folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = server.spawn().unwrap();
    let file = folder.path().join("worker");
    wait_until("the worker has started", || std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')));
    let worker = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    assert!(is_running(worker));
    server.kill().unwrap();
    server.wait().unwrap();
    wait_until("the worker has ended", || !is_running(worker));
}

#[tokio::test]
#[ignore = "`workers_end_after_a_kill_of_the_server` runs it in another process"]
async fn serves_until_it_is_killed() {
    let program = "import os\nfrom rulebook import handler, serve\n\
        for name in ('act.get', 'other.get', 'upload.post', 'file.get'):\n    \
            handler(name)(lambda: {'value': os.getpid()})\nserve()\n";
    let api = Api::new(program, json!({})).environment("PYTHONPATH", &python_library());
    let engine = api.engine();
    let worker = act(&engine, "echo", 1).await.get("value").unwrap().clone();
    let folder = std::env::var_os("SERVED_FOLDER").unwrap();
    std::fs::write(std::path::Path::new(&folder).join("worker"), format!("{worker}\n")).unwrap();
    let _ = Command::new("sleep").arg("100").status();
}
