//! Limits that several servers count together.

use std::sync::atomic::{AtomicU32, Ordering};

use rulebook::{Claim, SharedCounterSettings, WhenUnavailable};
use rulebook_redis::RedisCounter;
use rulebook_test::Client;

use super::server::{RedisServer, claim, serve, wait_for_new_hour, wait_until_status};

fn definition(requests: u32, by: &str) -> String {
    format!(
        r#"{{ "GET": {{ "info": "Limited", "options": {{
            "rate_limit": {{ "requests": {requests}, "per": "day", "by": "{by}" }} }} }} }}"#
    )
}

/// Starts three servers with a limit, which they count together.
fn three_servers(requests: u32, by: &str, redis: &RedisServer) -> [Client; 3] {
    three_servers_of(&definition(requests, by), &format!("{requests}-{by}"), redis)
}

/// Starts three servers of a definition that count together, with this prefix.
fn three_servers_of(definition: &str, prefix: &str, redis: &RedisServer) -> [Client; 3] {
    [0, 1, 2].map(|_| {
        let settings = SharedCounterSettings::new().when_unavailable(WhenUnavailable::Closed).prefix(prefix);
        // Other tests use the processors at the same time.
        serve(definition, redis.url(), settings.timeout(std::time::Duration::from_secs(10)))
    })
}

/// Sends `requests` requests to the servers, from two threads for each. Returns the numbers of requests that were
/// allowed, and of those that were refused because the limit is used up.
fn send(servers: &[Client; 3], requests: u32) -> (u32, u32) {
    let (left, allowed, refused) = (AtomicU32::new(requests), AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for server in servers.iter().chain(servers) {
            scope.spawn(|| {
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                    match server.get("/").send().status() {
                        200 => allowed.fetch_add(1, Ordering::Relaxed),
                        429 => refused.fetch_add(1, Ordering::Relaxed),
                        status => panic!("{status}"),
                    };
                }
            });
        }
    });
    (allowed.into_inner(), refused.into_inner())
}

#[test]
fn three_servers_together_allow_exactly_the_limit() {
    let Some(redis) = RedisServer::get() else { return };
    wait_for_new_hour();
    for (limit, by, requests) in [(1, "all", 12), (10, "address", 100), (500, "caller", 2000)] {
        let servers = three_servers(limit, by, &redis);
        assert_eq!(send(&servers, requests), (limit, requests - limit), "{by}");
    }
}

#[test]
fn of_requests_that_cost_more_than_one_fewer_than_the_cost_stay_unused_at_each_server() {
    const LIMIT: u32 = 200;
    const COST: u32 = 5;
    let Some(redis) = RedisServer::get() else { return };
    wait_for_new_hour();
    let definition = format!(
        r#"{{ "GET": {{ "info": "Limited", "options": {{
            "rate_limit": {{ "requests": {LIMIT}, "per": "day", "by": "all" }}, "cost": {COST} }} }} }}"#
    );
    let servers = three_servers_of(&definition, "cost", &redis);
    let (allowed, refused) = send(&servers, LIMIT);
    assert_eq!(allowed + refused, LIMIT);
    let unused = LIMIT.checked_sub(allowed * COST);
    assert!(unused.is_some_and(|unused| unused <= 3 * (COST - 1)), "{unused:?}");
}

#[test]
fn of_20_000_requests_to_three_servers_exactly_the_limit_is_allowed_although_the_counter_is_killed() {
    let Some(redis) = RedisServer::get() else { return };
    wait_for_new_hour();
    let servers = three_servers(12_000, "all", &redis);
    let mut sum = (0, 0);
    for part in 0..5 {
        let (allowed, refused) = send(&servers, 4_000);
        sum = (sum.0 + allowed, sum.1 + refused);
        if part < 4 {
            redis.kill();
            redis.start();
            // A server that has noticed the failure refuses requests until it tries again.
            for server in &servers {
                wait_until_status(200, || server.get("/readyz").send().status());
            }
        }
    }
    assert_eq!(sum, (12_000, 8_000));
}

#[test]
fn an_empty_counter_begins_anew() {
    let Some(redis) = RedisServer::get() else { return };
    wait_for_new_hour();
    let count = || send(&three_servers(40, "all", &redis), 200);
    assert_eq!(count(), (40, 160));
    assert_eq!(count(), (0, 200), "new servers use the counts of the old ones");
    redis.clear();
    assert_eq!(count(), (40, 160));
}

#[test]
fn claims_of_many_threads_grant_exactly_the_limit() {
    let Some(redis) = RedisServer::get() else { return };
    wait_for_new_hour();
    const REQUESTS: u32 = 200_000;
    let granted = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..6_u32 {
            let (granted, redis) = (&granted, &redis);
            scope.spawn(move || {
                let counter = RedisCounter::new(redis.url()).unwrap();
                for round in 0_u32.. {
                    // Blocks of different sizes.
                    let needed = 1 + (round * 7 + thread * 13) % 3;
                    let desired = needed + (round * 31 + thread) % 50;
                    let grant = claim(&counter, Claim::new("k", REQUESTS, 86_400, needed, desired));
                    granted.fetch_add(grant.granted, Ordering::Relaxed);
                    assert!(grant.granted == 0 || grant.granted >= needed);
                    if grant.granted == 0 && grant.remaining == 0 {
                        break;
                    }
                }
            });
        }
    });
    assert_eq!(granted.into_inner(), REQUESTS);
}

#[test]
fn a_limit_without_a_period_and_a_new_period() {
    let Some(redis) = RedisServer::get() else { return };
    let counter = RedisCounter::new(redis.url()).unwrap();
    let total = || claim(&counter, Claim::new("total", 3, 0, 2, 2));
    assert_eq!([total(), total()].map(|grant| (grant.granted, grant.remaining)), [(2, 1), (0, 1)]);
    // In each second, one request is granted, and the periods have different numbers.
    let second = || claim(&counter, Claim::new("second", 1, 1, 1, 1));
    let first = second();
    assert!(first.granted == 1 && first.ends_in <= std::time::Duration::from_secs(1));
    std::thread::sleep(first.ends_in + std::time::Duration::from_millis(20));
    let next = second();
    assert!(next.granted == 1 && next.period > first.period, "{first:?} {next:?}");
}
