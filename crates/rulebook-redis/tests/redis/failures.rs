//! What happens while the shared counter is unavailable.

use std::time::{Duration, Instant};

use rulebook::{SharedCounterSettings, WhenUnavailable};

use super::server::{RedisServer, serve};

const DEFINITION: &str = r#"{ "GET": { "info": "Limited", "options": {
    "rate_limit": { "requests": 20, "per": "day", "by": "all" } } },
    "/": { "free": { "GET": { "info": "Free" } } } }"#;

#[test]
fn closed_refuses_requests_with_limits_while_the_counter_is_unavailable() {
    let Some(mut redis) = RedisServer::start() else { return };
    let settings = SharedCounterSettings::new().when_unavailable(WhenUnavailable::Closed);
    let client = serve(DEFINITION, &redis, settings);
    assert_eq!(client.get("/").send().status(), 200);
    assert_eq!(client.get("/readyz").send().status(), 200);
    redis.kill();
    let started = Instant::now();
    let statuses: Vec<_> = (0..25).map(|_| client.get("/").send().status()).collect();
    // At first, the requests that had been claimed before are used.
    assert!(statuses.len() == 25 && statuses.ends_with(&[503; 20]), "{statuses:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "requests do not wait for the timeout one by one");
    assert_eq!(client.get("/free").send().status(), 200, "a method without limits");
    redis.start_again();
    wait_until_status(200, || client.get("/").send().status());
    wait_until_status(200, || client.get("/readyz").send().status());
}

#[test]
fn open_counts_on_each_server_while_the_counter_is_unavailable() {
    let Some(mut redis) = RedisServer::start() else { return };
    let settings = SharedCounterSettings::new().when_unavailable(WhenUnavailable::Open);
    let client = serve(DEFINITION, &redis, settings);
    assert_eq!(client.get("/").send().status(), 200);
    redis.kill();
    let allowed = (0..60).filter(|_| client.get("/").send().status() == 200).count();
    // The limit of this server, and what it had claimed before.
    assert!((20..=22).contains(&allowed), "{allowed}");
    assert_eq!(client.get("/readyz").send().status(), 200, "the server is ready without the counter");
    redis.start_again();
    // The new server is empty, so that the period begins anew.
    wait_until_status(200, || client.get("/").send().status());
}

fn wait_until_status(expected: u16, status: impl Fn() -> u16) {
    let started = Instant::now();
    while status() != expected {
        assert!(started.elapsed() < Duration::from_secs(10), "the status stays {}", status());
        std::thread::sleep(Duration::from_millis(100));
    }
}
