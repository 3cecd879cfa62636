//! Tests of the paths `/healthz` and `/readyz`, and of the readiness checks that a program adds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rulebook::Rulebook;
use serde_json::{Value as Json, json};
use tokio::sync::Barrier;

use super::{shop_engine, shop_engine_with_put};
use crate::captured_log::{self, logged};
use crate::client::{Request, Response, TestServer};

/// Starts a server of the shop with the readiness checks that `add` adds.
fn start_server(add: impl FnOnce(Rulebook) -> Rulebook) -> TestServer {
    TestServer::start(&shop_engine_with_put(|_| async { Ok(()) }, add))
}

#[test]
fn healthz_responds_while_the_process_runs() {
    let server = TestServer::start(&shop_engine());
    let response = server.send(&Request::new("GET", "/healthz"));
    assert_eq!((response.status, &response.body[..]), (200, &b"ok\n"[..]));
    assert_eq!(response.field("content-type"), Some("text/plain; charset=utf-8"));
}

#[test]
fn health_paths_allow_only_get_head_and_options() {
    let server = TestServer::start(&shop_engine());
    for path in ["/healthz", "/readyz", "/metrics"] {
        let response = server.send(&Request::new("GET", path));
        assert_eq!((response.status, response.field("cache-control")), (200, Some("no-store")), "{response:?}");
        let head = server.send(&Request::new("HEAD", path));
        assert_eq!((head.status, head.body.len()), (200, 0), "{head:?}");
        assert_eq!(head.field("content-type"), response.field("content-type"));
        for method in ["POST", "PUT", "DELETE", "PATCH", "BREW"] {
            let response = server.send(&Request::new(method, path).body("text/plain", "x"));
            response.assert_error(405, "unknown method");
            assert_eq!(response.field("allow"), Some("GET, HEAD, OPTIONS"), "{response:?}");
        }
        let options = server.send(&Request::new("OPTIONS", path));
        assert_eq!((options.status, options.field("allow")), (204, Some("GET, HEAD, OPTIONS")), "{options:?}");
        let response = server.send(&Request::new("GET", path).field("expect", "100-continue"));
        assert_eq!(response.status, 200, "no body is read: {response:?}");
        assert_eq!(server.send(&Request::new("GET", format!("{path}/x"))).status, 404);
    }
}

/// Returns the body of `/readyz` without the version and the digest of the definition.
fn readiness(response: &Response) -> Json {
    let mut body = response.json();
    let members = body.as_object_mut().unwrap();
    assert!(members.remove("version").is_some() && members.remove("digest").is_some(), "{response:?}");
    body
}

#[test]
fn readyz_and_metrics_name_the_definition_that_is_served() {
    let server = TestServer::start(&shop_engine());
    let options = server.send(&Request::new("OPTIONS", "/"));
    let digest = options.field("etag").unwrap().trim_matches('"').to_owned();
    let ready = server.send(&Request::new("GET", "/readyz")).json();
    assert_eq!((&ready["version"], &ready["digest"]), (&json!("1.0.0"), &json!(digest)));
    let metrics = server.send(&Request::new("GET", "/metrics"));
    let sample = format!("rulebook_definition_info{{version=\"1.0.0\",digest=\"{digest}\"}} 1\n");
    assert!(String::from_utf8_lossy(&metrics.body).contains(&sample), "{metrics:?}");
}

#[test]
fn readyz_succeeds_if_all_checks_pass() {
    let ready = TestServer::start(&shop_engine()).send(&Request::new("GET", "/readyz"));
    assert_eq!((ready.status, readiness(&ready)), (200, json!({ "status": "ready", "checks": {} })));
    let passing = start_server(|rulebook| {
        rulebook.readiness_check("database", || async { Ok(()) }).readiness_check("disk", || async { Ok(()) })
    });
    let ready = passing.send(&Request::new("GET", "/readyz"));
    let all = json!({ "status": "ready", "checks": { "database": "ok", "disk": "ok" } });
    assert_eq!((ready.status, readiness(&ready)), (200, all));
    assert_eq!(ready.field("content-type"), Some("application/json"));
}

#[test]
fn failed_readiness_checks_are_named_in_the_response_and_their_reasons_are_only_logged() {
    captured_log::begin();
    let failing = start_server(|rulebook| {
        rulebook
            .readiness_check("fine", || async { Ok(()) })
            .readiness_check("broken", || async { Err("the socket at 10.0.0.7 is gone".to_owned()) })
            .readiness_check("panics", || async { panic!("no such table in 10.0.0.8") })
            .readiness_check("panics-at-once", || -> std::future::Ready<Result<(), String>> {
                panic!("nothing at 10.0.0.9")
            })
            .readiness_check("hangs-for-ever", std::future::pending)
    });
    let begun = Instant::now();
    let response = failing.send(&Request::new("GET", "/readyz"));
    assert!((1..8).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let checks = json!({
        "fine": "ok", "broken": "failed", "panics": "failed", "panics-at-once": "failed", "hangs-for-ever": "failed"
    });
    assert_eq!((response.status, readiness(&response)), (503, json!({ "status": "not ready", "checks": checks })));
    let reasons = [
        "the check broken fails: the socket at 10.0.0.7 is gone",
        "the check panics fails: it panicked: no such table in 10.0.0.8",
        "the check panics-at-once fails: it panicked: nothing at 10.0.0.9",
        "the check hangs-for-ever fails: no result within 2 s",
    ];
    for why in reasons {
        assert_eq!(logged(why).len(), 1, "{why}");
    }
    // The checks run again after a second. An unchanged result is not logged again.
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(failing.send(&Request::new("GET", "/readyz")).status, 503);
    for why in reasons {
        assert_eq!(logged(why).len(), 1, "{why}");
    }
    assert_eq!(failing.send(&Request::new("GET", "/healthz")).status, 200);
}

#[test]
fn a_readiness_check_that_passes_again_is_logged_once() {
    captured_log::begin();
    let broken = Arc::new(AtomicBool::new(true));
    let own = Arc::clone(&broken);
    let check = move || {
        let broken = own.load(Ordering::Relaxed);
        async move { if broken { Err("it is being mended".to_owned()) } else { Ok(()) } }
    };
    let server = start_server(|rulebook| rulebook.readiness_check("mended", check));
    let status = || server.send(&Request::new("GET", "/readyz")).status;
    assert_eq!(status(), 503);
    broken.store(false, Ordering::Relaxed);
    assert!(crate::client::wait_until(|| status() == 200), "what is known is not asked again");
    assert_eq!(logged("the check mended fails").len(), 1);
    assert_eq!(logged("the check mended passes again").len(), 1);
}

#[test]
fn concurrent_requests_share_one_run_of_the_readiness_checks() {
    let asked = Arc::new(AtomicUsize::new(0));
    let own = Arc::clone(&asked);
    let check = move || {
        own.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(())
        }
    };
    let server = start_server(|rulebook| rulebook.readiness_check("database", check));
    let begun = Instant::now();
    // These requests arrive while the readiness check is running.
    let mut waiting: Vec<_> = (0..20).map(|_| server.connect()).collect();
    waiting.iter_mut().for_each(|connection| connection.write(&Request::new("GET", "/readyz").bytes()));
    waiting.iter_mut().for_each(|connection| assert_eq!(connection.read_response(false).status, 200));
    let mut connection = server.connect();
    for _ in 0..500 {
        assert_eq!(connection.send(&Request::new("GET", "/readyz")).status, 200);
    }
    let most = 1 + usize::try_from(begun.elapsed().as_secs()).unwrap();
    assert!((1..=most).contains(&asked.load(Ordering::Relaxed)), "{asked:?} of {most}");
}

#[test]
fn readiness_checks_finish_although_their_client_disconnects() {
    captured_log::begin();
    let asked = Arc::new(AtomicUsize::new(0));
    let own = Arc::clone(&asked);
    let check = move || {
        own.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Err("it takes too long to say".to_owned())
        }
    };
    let server = start_server(|rulebook| rulebook.readiness_check("impatient", check));
    let mut connection = server.connect();
    // Closing a socket with unread bytes resets the connection, so that the server ends the request immediately.
    connection.write(&[Request::new("GET", "/healthz").bytes(), Request::new("GET", "/readyz").bytes()].concat());
    assert!(crate::client::wait_until(|| asked.load(Ordering::Relaxed) == 1));
    connection.stream.peek(&mut [0]).unwrap();
    drop(connection);
    assert!(crate::client::wait_until(|| logged("the check impatient fails: it takes too long to say").len() == 1));
}

#[test]
fn readiness_checks_run_concurrently() {
    let barrier = Arc::new(Barrier::new(3));
    let server = start_server(|rulebook| {
        ["one", "two", "three"].into_iter().fold(rulebook, |rulebook, name| {
            let barrier = Arc::clone(&barrier);
            rulebook.readiness_check(name, move || {
                let barrier = Arc::clone(&barrier);
                async move {
                    barrier.wait().await;
                    Ok(())
                }
            })
        })
    });
    assert_eq!(server.send(&Request::new("GET", "/readyz")).status, 200);
}

#[test]
fn a_readiness_check_replaces_an_earlier_check_with_the_same_name() {
    let server = start_server(|rulebook| {
        let rulebook = rulebook.readiness_check("database", || async { Err("the old one".to_owned()) });
        rulebook.readiness_check("database", || async { Ok(()) })
    });
    let response = server.send(&Request::new("GET", "/readyz"));
    assert_eq!(readiness(&response), json!({ "status": "ready", "checks": { "database": "ok" } }));
}
