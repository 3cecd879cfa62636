//! Keys that are good for so many requests.

use std::net::SocketAddr;
use std::path::Path;

use rulebook::{Meter, Quota};
use serde_json::Value as Json;

use super::{add, id, keys};
use crate::cli::shop;
use crate::client::{Answer, Connection, Request};
use crate::served::{Served, free_address};

#[test]
fn one_worker_lets_exactly_as_many_through_in_each_time() {
    for (requests, workers) in [(1, 1), (1, 8), (7, 2), (100, 1), (1000, 4), (12_345, 64)] {
        let meter = Meter::new(requests, 60, workers);
        for (time, begin) in [(0, 0), (1, 60), (2, 150), (9, 599), (9000, 540_030)] {
            for made in 1..=requests {
                let expected =
                    Quota { requests, seconds: 60, remaining: requests - made, reset: (time + 1) * 60 - begin };
                assert_eq!(meter.take_at(begin), Ok(expected), "{requests} by {workers}");
            }
            let spent = Quota { requests, seconds: 60, remaining: 0, reset: (time + 1) * 60 - begin };
            assert_eq!(meter.take_at(begin), Err(spent), "{requests} by {workers}");
            assert_eq!(meter.spent(true), (time * 60, requests));
        }
    }
}

#[test]
fn many_workers_together_let_no_more_through() {
    for (requests, workers) in [(1, 2), (10, 3), (1000, 4), (5000, 4), (5000, 2), (5000, 64)] {
        let meter = Meter::new(requests, 0, workers);
        let let_through: u32 = std::thread::scope(|scope| {
            let work = || std::iter::from_fn(|| meter.take_at(5).ok()).count() as u32;
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(let_through, requests, "by {workers} workers: each asks until nothing is left");
        assert_eq!(meter.spent(false), (0, requests));
    }
}

#[test]
fn a_worker_takes_a_quarter_of_its_part_and_what_it_does_not_use_is_told() {
    let meter = Meter::new(1000, 60, 5);
    meter.take_at(0).unwrap();
    assert_eq!((meter.spent(false), meter.spent(true)), ((0, 50), (0, 1)));
    let after_crash = Meter::new(1000, 60, 5).starting(0, 50);
    assert_eq!(after_crash.take_at(1).unwrap().remaining, 949);
    let after_stop = Meter::new(1000, 60, 5).starting(0, 1);
    assert_eq!(after_stop.take_at(1).unwrap().remaining, 998);
    assert_eq!(Meter::new(1000, 60, 5).starting(0, 1).take_at(60).unwrap().remaining, 999, "another time");
    assert_eq!(Meter::new(10, 60, 5).starting(0, 11).take_at(1).unwrap_err().remaining, 0, "the limit was lowered");
}

#[test]
fn clocks_that_disagree_for_a_moment_begin_no_time_anew() {
    let meter = Meter::new(2, 60, 1);
    for now in [60, 59] {
        meter.take_at(now).unwrap();
    }
    for now in [60, 59, 61] {
        assert!(meter.take_at(now).is_err(), "{now}");
    }
    // One that was far ahead does not lock anybody out.
    meter.take_at(1_000_000).unwrap();
    meter.take_at(120).unwrap();
}

/// The shop behind a socket, and what is asked of it.
struct Limited {
    address: String,
    served: Served,
}

impl Limited {
    fn start(folder: &Path, workers: &str) -> Self {
        let address = free_address();
        let served = Served::start(folder, &address, &["serve", "--workers", workers]);
        Self { address, served }
    }

    fn connect(&self) -> Connection {
        Connection::to(self.address.parse::<SocketAddr>().unwrap())
    }

    fn ask(&self, request: &Request) -> Answer {
        self.connect().ask(request)
    }
}

fn get(key: &str) -> Request {
    Request::new("GET", "/article").field("authorization", format!("Bearer {key}"))
}

fn post(key: &str, body: &str) -> Request {
    let request = Request::new("POST", "/article").field("authorization", format!("Bearer {key}"));
    request.body("application/x-www-form-urlencoded", body)
}

/// Status, `RateLimit-Policy`, and how many are left by `RateLimit`.
fn told(answer: &Answer) -> (u16, Option<&str>, Option<u32>) {
    let left = answer.field("ratelimit").map(|field| {
        let left = field.strip_prefix("\"default\";r=").unwrap();
        left.split(';').next().unwrap().parse().unwrap()
    });
    (answer.status, answer.field("ratelimit-policy"), left)
}

#[test]
fn requests_that_are_too_many_are_refused_and_all_are_told_what_is_left() {
    let folder = shop();
    let day = add(folder.path(), &["--name", "ada", "--scope", "admin", "--requests", "6", "--per", "day"]);
    let ever = add(folder.path(), &["--name", "bo", "--requests", "1", "--per", "ever"]);
    let free = add(folder.path(), &["--name", "eve"]);
    let server = Limited::start(folder.path(), "1");
    let policy = Some("\"default\";q=6;w=86400");
    // Whatever it ends in, a request is one: also one that is refused later.
    assert_eq!(told(&server.ask(&get(&day))), (200, policy, Some(5)));
    assert_eq!(told(&server.ask(&post(&day, "title=x"))), (200, policy, Some(4)));
    assert_eq!(told(&server.ask(&post(&day, ""))), (400, policy, Some(3)));
    // One that is asked for its body counts once.
    let asked = post(&day, "title=x").field("expect", "100-continue");
    let mut connection = server.connect();
    connection.write(&asked.head());
    assert_eq!(connection.answer(false).status, 100);
    connection.write(&asked.body);
    assert_eq!(told(&connection.answer(false)), (200, policy, Some(2)));
    // What is about no method does not count.
    for (method, path, status) in
        [("OPTIONS", "/article", 200), ("GET", "/nowhere", 404), ("GET", "/openapi.json", 200)]
    {
        let request = Request::new(method, path).field("authorization", format!("Bearer {day}"));
        assert_eq!(told(&server.ask(&request)), (status, None, None), "{method} {path}");
    }
    assert_eq!(told(&server.ask(&get(&day))), (200, policy, Some(1)));
    assert_eq!(told(&server.ask(&get(&day))), (200, policy, Some(0)));
    for _ in 0..2 {
        let refused = server.ask(&get(&day));
        assert_eq!(told(&refused), (429, policy, Some(0)), "{refused:?}");
        assert_eq!(refused.json()["error"], 407);
        let retry: u64 = refused.field("retry-after").unwrap().parse().unwrap();
        assert!((1..=86400).contains(&retry), "{retry}");
        assert!(refused.field("ratelimit").unwrap().ends_with(&format!(";t={retry}")), "{refused:?}");
    }
    // Nobody asks for the body of a request that is refused anyway.
    let mut connection = server.connect();
    connection.write(&post(&day, "title=x").field("expect", "100-continue").head());
    assert_eq!(connection.answer(false).status, 429);

    let policy = Some("\"default\";q=1");
    assert_eq!(told(&server.ask(&get(&ever))), (200, policy, Some(0)));
    let refused = server.ask(&get(&ever));
    assert_eq!((told(&refused), refused.field("retry-after")), ((429, policy, Some(0)), Some("86400")));
    for _ in 0..3 {
        assert_eq!(told(&server.ask(&get(&free))), (200, None, None));
    }
    assert_eq!(told(&server.ask(&Request::new("GET", "/article"))), (200, None, None));
}

/// What `keys list --json` says of a key.
fn listed(folder: &Path, key: &str) -> Json {
    let all: Vec<Json> = serde_json::from_str(&keys(folder, &["list", "--json"]).out).unwrap();
    all.into_iter().find(|own| own["id"] == id(key)).unwrap()
}

#[cfg(unix)]
#[test]
fn what_was_spent_is_known_after_a_restart_and_after_a_crash() {
    let folder = shop();
    let key = add(folder.path(), &["--name", "ada", "--requests", "100", "--per", "ever"]);
    let left = |server: &Limited| told(&server.ask(&get(&key))).2.unwrap();
    let mut server = Limited::start(folder.path(), "2");
    assert_eq!(left(&server), 99);
    server.served.signal("TERM");
    assert_eq!(server.served.wait(), Some(0));
    let known = listed(folder.path(), &key);
    assert_eq!(known["spent"]["requests"], 1, "{known}");
    assert!(known["used"].is_string(), "{known}");

    let mut server = Limited::start(folder.path(), "2");
    assert_eq!(left(&server), 98, "exactly as many as before");
    // A worker has taken 12 of the 99 that were left. They are noted within a second.
    std::thread::sleep(std::time::Duration::from_secs(2));
    server.served.signal("KILL");
    server.served.wait();
    assert_eq!(listed(folder.path(), &key)["spent"]["requests"], 13);
    let server = Limited::start(folder.path(), "2");
    assert_eq!(left(&server), 86, "but for the last block");
    // Another key counts by itself, and one that is changed while the server is at work goes on where it was.
    add(folder.path(), &["--name", "bo"]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let mut connection = server.connect();
    let first = told(&connection.ask(&get(&key))).2.unwrap();
    let second = told(&connection.ask(&get(&key))).2.unwrap();
    assert!(first < 86 && second == first - 1, "{first}, {second}");
}
