//! Tests of keys that limit the number of requests.

use std::net::SocketAddr;
use std::path::Path;

use rulebook::{Quota, RateLimiter};
use serde_json::Value as Json;

use super::{add_key, key_id, run_keys_command};
use crate::cli::shop_folder;
use crate::client::{Connection, Request, Response, wait_until};
use crate::server_process::{ServerProcess, free_address};

/// Returns the fields of a quota: maximum requests, seconds of the window, remaining requests, and seconds until the
/// reset.
fn quota_numbers(quota: Quota) -> (u32, u32, u32, u64) {
    (quota.requests, quota.seconds, quota.remaining, quota.reset)
}

#[test]
fn one_worker_allows_exactly_the_limited_requests_in_each_window() {
    for (requests, workers) in [(1, 1), (1, 8), (7, 2), (100, 1), (1000, 4), (12_345, 64)] {
        let limiter = RateLimiter::new(requests, 60, workers);
        for (window, now) in [(0, 0), (1, 60), (2, 150), (9, 599), (9000, 540_030)] {
            let reset = (window + 1) * 60 - now;
            for made in 1..=requests {
                let expected = (requests, 60, requests - made, reset);
                assert_eq!(limiter.take_at(now).map(quota_numbers), Ok(expected), "{requests} by {workers}");
            }
            let used_up = (requests, 60, 0, reset);
            assert_eq!(limiter.take_at(now).map_err(quota_numbers), Err(used_up), "{requests} by {workers}");
            assert_eq!(limiter.last_window_usage(true), (window * 60, requests));
        }
    }
}

#[test]
fn many_workers_together_allow_no_more_than_the_limit() {
    for (requests, workers) in [(1, 2), (10, 3), (1000, 4), (5000, 4), (5000, 2), (5000, 64)] {
        let limiter = RateLimiter::new(requests, 0, workers);
        let allowed: u32 = std::thread::scope(|scope| {
            let work = || std::iter::from_fn(|| limiter.take_at(5).ok()).count() as u32;
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(allowed, requests, "{workers} workers, each until the limit is used up");
        assert_eq!(limiter.last_window_usage(false), (0, requests));
    }
}

#[test]
fn a_worker_uses_what_another_worker_has_claimed() {
    let limiter = RateLimiter::new(1000, 60, 2);
    let count_elsewhere = |requests: usize| {
        let work = || (0..requests).filter(|_| limiter.take_at(0).is_ok()).count();
        std::thread::scope(|scope| scope.spawn(work).join().unwrap())
    };
    limiter.take_at(0).unwrap();
    assert_eq!(limiter.last_window_usage(false), (0, 125), "the first worker has claimed a block");
    assert_eq!(count_elsewhere(998) + count_elsewhere(998), 999);
    assert_eq!(limiter.take_at(0).unwrap_err().remaining, 0);
}

#[test]
fn a_worker_claims_a_quarter_of_its_share_and_unused_requests_are_subtracted() {
    let limiter = RateLimiter::new(1000, 60, 5);
    limiter.take_at(0).unwrap();
    assert_eq!((limiter.last_window_usage(false), limiter.last_window_usage(true)), ((0, 50), (0, 1)));
    let after_crash = RateLimiter::new(1000, 60, 5).with_used(0, 50);
    assert_eq!(after_crash.take_at(1).unwrap().remaining, 949);
    let after_stop = RateLimiter::new(1000, 60, 5).with_used(0, 1);
    assert_eq!(after_stop.take_at(1).unwrap().remaining, 998);
    assert_eq!(RateLimiter::new(1000, 60, 5).with_used(0, 1).take_at(60).unwrap().remaining, 999, "another window");
    assert_eq!(
        RateLimiter::new(10, 60, 5).with_used(0, 11).take_at(1).unwrap_err().remaining,
        0,
        "the limit was lowered"
    );
}

#[test]
fn slightly_different_clocks_do_not_restart_a_window() {
    let limiter = RateLimiter::new(2, 60, 1);
    for now in [60, 59] {
        limiter.take_at(now).unwrap();
    }
    for now in [60, 59, 61] {
        assert!(limiter.take_at(now).is_err(), "{now}");
    }
    // After the clock has been set back by a long time, requests are allowed.
    limiter.take_at(1_000_000).unwrap();
    limiter.take_at(120).unwrap();
}

/// A running server of the API in `shop_folder`.
struct ShopServer {
    address: String,
    process: ServerProcess,
}

impl ShopServer {
    fn start(folder: &Path, workers: &str) -> Self {
        let address = free_address();
        let process = ServerProcess::start(folder, &address, &["serve", "--workers", workers]);
        Self { address, process }
    }

    fn connect(&self) -> Connection {
        Connection::open(self.address.parse::<SocketAddr>().unwrap())
    }

    fn fetch(&self, request: &Request) -> Response {
        self.connect().send(request)
    }
}

fn get_request(key: &str) -> Request {
    Request::new("GET", "/article").field("authorization", format!("Bearer {key}"))
}

fn post_request(key: &str, body: &str) -> Request {
    let request = Request::new("POST", "/article").field("authorization", format!("Bearer {key}"));
    request.body("application/x-www-form-urlencoded", body)
}

/// Returns the status of a response, its field `RateLimit-Policy`, and the number of remaining requests in its field
/// `RateLimit`.
fn response_quota(response: &Response) -> (u16, Option<&str>, Option<u32>) {
    let left = response.field("ratelimit").map(|field| {
        let left = field.strip_prefix("\"default\";r=").unwrap();
        left.split(';').next().unwrap().parse().unwrap()
    });
    (response.status, response.field("ratelimit-policy"), left)
}

#[test]
fn requests_over_the_limit_are_refused_and_responses_have_the_quota() {
    let folder = shop_folder();
    let day = add_key(folder.path(), &["--name", "ada", "--scope", "admin", "--requests", "6", "--per", "day"]);
    let ever = add_key(folder.path(), &["--name", "bo", "--requests", "1", "--per", "ever"]);
    let free = add_key(folder.path(), &["--name", "eve"]);
    let server = ShopServer::start(folder.path(), "1");
    let policy = Some("\"default\";q=6;w=86400");
    // A request is counted even if its response is an error.
    assert_eq!(response_quota(&server.fetch(&get_request(&day))), (200, policy, Some(5)));
    assert_eq!(response_quota(&server.fetch(&post_request(&day, "title=x"))), (200, policy, Some(4)));
    assert_eq!(response_quota(&server.fetch(&post_request(&day, ""))), (400, policy, Some(3)));
    // A request that waits for `100 Continue` is counted once.
    let asked = post_request(&day, "title=x").field("expect", "100-continue");
    let mut connection = server.connect();
    connection.write(&asked.head());
    connection.write(&asked.body);
    assert_eq!(response_quota(&connection.read_response(false)), (200, policy, Some(2)));
    // Requests that call no method are not counted.
    for (method, path, status) in
        [("OPTIONS", "/article", 200), ("GET", "/nowhere", 404), ("GET", "/openapi.json", 200)]
    {
        let request = Request::new(method, path).field("authorization", format!("Bearer {day}"));
        assert_eq!(response_quota(&server.fetch(&request)), (status, None, None), "{method} {path}");
    }
    assert_eq!(response_quota(&server.fetch(&get_request(&day))), (200, policy, Some(1)));
    assert_eq!(response_quota(&server.fetch(&get_request(&day))), (200, policy, Some(0)));
    for _ in 0..2 {
        let refused = server.fetch(&get_request(&day));
        assert_eq!(response_quota(&refused), (429, policy, Some(0)), "{refused:?}");
        assert_eq!(refused.json()["error"], 407);
        let retry: u64 = refused.field("retry-after").unwrap().parse().unwrap();
        assert!((1..=86400).contains(&retry), "{retry}");
        assert!(refused.field("ratelimit").unwrap().ends_with(&format!(";t={retry}")), "{refused:?}");
    }
    // A request over the limit does not receive `100 Continue`.
    let mut connection = server.connect();
    connection.write(&post_request(&day, "title=x").field("expect", "100-continue").head());
    assert_eq!(connection.read_response(false).status, 429);

    let policy = Some("\"default\";q=1");
    assert_eq!(response_quota(&server.fetch(&get_request(&ever))), (200, policy, Some(0)));
    let refused = server.fetch(&get_request(&ever));
    assert_eq!((response_quota(&refused), refused.field("retry-after")), ((429, policy, Some(0)), Some("86400")));
    for _ in 0..3 {
        assert_eq!(response_quota(&server.fetch(&get_request(&free))), (200, None, None));
    }
    assert_eq!(response_quota(&server.fetch(&Request::new("GET", "/article"))), (200, None, None));
}

/// Returns the entry for a key in the output of `keys list --json`.
fn listed_key(folder: &Path, key: &str) -> Json {
    let all: Vec<Json> = serde_json::from_str(&run_keys_command(folder, &["list", "--json"]).stdout).unwrap();
    all.into_iter().find(|own| own["id"] == key_id(key)).unwrap()
}

#[cfg(unix)]
#[test]
fn counted_requests_are_restored_after_a_restart_and_after_a_crash() {
    let folder = shop_folder();
    let key = add_key(folder.path(), &["--name", "ada", "--requests", "100", "--per", "ever"]);
    let left = |server: &ShopServer| response_quota(&server.fetch(&get_request(&key))).2.unwrap();
    let mut server = ShopServer::start(folder.path(), "2");
    assert_eq!(left(&server), 99);
    server.process.signal("TERM");
    assert_eq!(server.process.wait(), Some(0));
    let known = listed_key(folder.path(), &key);
    assert_eq!(known["spent"]["requests"], 1, "{known}");
    assert!(known["used"].is_string(), "{known}");

    let mut server = ShopServer::start(folder.path(), "2");
    assert_eq!(left(&server), 98, "the exact number after a restart");
    // A worker has claimed 12 of the 99 remaining requests. The server stores this number within a second.
    let used = || listed_key(folder.path(), &key)["spent"]["requests"].clone();
    assert!(wait_until(|| used() == 13), "{} requests are stored as used", used());
    server.process.signal("KILL");
    server.process.wait();
    assert_eq!(used(), 13);
    let server = ShopServer::start(folder.path(), "2");
    assert_eq!(left(&server), 86, "without the last block");
    // When the key file changes, the counted requests of a key are not reset.
    let other = add_key(folder.path(), &["--name", "bo"]);
    assert!(wait_until(|| server.fetch(&get_request(&other)).status != 401), "the server does not read the new key");
    let mut connection = server.connect();
    let first = response_quota(&connection.send(&get_request(&key))).2.unwrap();
    let second = response_quota(&connection.send(&get_request(&key))).2.unwrap();
    assert!(first < 86 && second == first - 1, "{first}, {second}");
}
