//! What happens while the shared counter is unavailable.

use std::net::TcpListener;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use log::{Level, LevelFilter, Log, Metadata, Record};
use rulebook::{Claim, ClaimError, Grant, SharedCounter, SharedCounterSettings, WhenUnavailable};
use rulebook_redis::RedisCounter;
use rulebook_test::Client;

use super::server::{RedisServer, api, serve, use_alone, wait_until_status};

const DEFINITION: &str = r#"{ "GET": { "info": "Limited", "options": {
    "rate_limit": { "requests": 20, "per": "day", "by": "all" } } },
    "/": { "free": { "GET": { "info": "Free" } } } }"#;

/// The lines in the log about the shared counter.
static LOGGED: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let text = record.args().to_string();
        if text.contains("the shared counter") && record.level() <= Level::Info {
            LOGGED.lock().unwrap().push((record.level(), text));
        }
    }

    fn flush(&self) {}
}

#[test]
fn closed_refuses_requests_with_limits_while_the_counter_is_unavailable() {
    let Some(redis) = RedisServer::get() else { return };
    let _ = log::set_logger(&Logger);
    log::set_max_level(LevelFilter::Info);
    let settings = SharedCounterSettings::new().when_unavailable(WhenUnavailable::Closed);
    let client = serve(DEFINITION, redis.url(), settings.prefix("closed"));
    assert_eq!(client.get("/").send().status(), 200);
    assert_eq!(client.get("/readyz").send().status(), 200);
    LOGGED.lock().unwrap().clear();
    redis.kill();
    let started = Instant::now();
    let statuses: Vec<_> = (0..25).map(|_| client.get("/").send().status()).collect();
    // At first, the requests that had been claimed before are used.
    assert!(statuses.ends_with(&[503; 23]), "{statuses:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "requests wait one by one: {:?}", started.elapsed());
    assert_eq!(client.get("/free").send().status(), 200, "a method without limits");
    wait_until_status(503, || client.get("/readyz").send().status());
    redis.start();
    wait_until_status(200, || client.get("/").send().status());
    wait_until_status(200, || client.get("/readyz").send().status());
    let logged = LOGGED.lock().unwrap();
    let levels: Vec<_> = logged.iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, [Level::Warn, Level::Info], "the log names each change once: {logged:?}");
}

#[test]
fn open_counts_on_each_server_while_the_counter_is_unavailable() {
    let Some(redis) = RedisServer::get() else { return };
    let settings = SharedCounterSettings::new().when_unavailable(WhenUnavailable::Open);
    let client = serve(DEFINITION, redis.url(), settings.prefix("open"));
    assert_eq!(client.get("/").send().status(), 200);
    redis.kill();
    let allowed = (0..60).filter(|_| client.get("/").send().status() == 200).count();
    // The limit of this server, and what it had claimed before.
    assert!((20..=22).contains(&allowed), "{allowed}");
    assert_eq!(client.get("/readyz").send().status(), 200, "the server is ready without the counter");
    redis.start();
    // The counter remembers only what it has granted.
    wait_until_status(200, || client.get("/").send().status());
}

#[test]
fn a_request_waits_only_for_the_time_limit() {
    // What it logs would disturb other tests.
    let _alone = use_alone();
    // Connections to it are accepted by the system, but nothing responds.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    for (when, status) in [(WhenUnavailable::Closed, 503), (WhenUnavailable::Open, 200)] {
        let settings = SharedCounterSettings::new().when_unavailable(when).timeout(Duration::from_millis(400));
        let client = serve(DEFINITION, &url, settings);
        client.get("/free").send();
        let started = Instant::now();
        assert_eq!(client.get("/").send().status(), status);
        let waited = started.elapsed();
        assert!((Duration::from_millis(350)..Duration::from_secs(3)).contains(&waited), "{waited:?}");
        let started = Instant::now();
        assert_eq!(client.get("/").send().status(), status);
        assert!(started.elapsed() < Duration::from_millis(350), "only one request per second tries the counter");
    }
}

/// Grants five requests in total, later than a request waits.
struct LateCounter(AtomicU32);

impl SharedCounter for LateCounter {
    fn claim(&self, claim: Claim) -> Pin<Box<dyn Future<Output = Result<Grant, ClaimError>> + Send>> {
        let granted = self.0.swap(0, Ordering::Relaxed).min(claim.requests);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            Ok(Grant { granted, remaining: 0, period: 1, ends_in: Duration::from_secs(3600) })
        })
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), ClaimError>> + Send>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[test]
fn requests_that_are_granted_after_the_time_limit_are_used() {
    let _alone = use_alone();
    let settings = SharedCounterSettings::new().when_unavailable(WhenUnavailable::Closed);
    let settings = settings.timeout(Duration::from_millis(50));
    let client = Client::new(api(DEFINITION).shared_counter(LateCounter(AtomicU32::new(5)), settings)).unwrap();
    assert_eq!(client.get("/").send().status(), 503);
    wait_until_status(200, || client.get("/").send().status());
    let statuses: Vec<_> = (0..5).map(|_| client.get("/").send().status()).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
}

#[test]
fn errors_in_urls_do_not_contain_the_url() {
    for url in ["redis://ada:hunter2@[", "http://ada:hunter2@localhost", "hunter2", ""] {
        let error = RedisCounter::new(url).unwrap_err().to_string();
        assert!(error.contains("invalid") && !error.contains("hunter2"), "{error}");
    }
    let counter = RedisCounter::new("redis://ada:hunter2@localhost").unwrap();
    assert!(!format!("{counter:?}").contains("hunter2"));
}
