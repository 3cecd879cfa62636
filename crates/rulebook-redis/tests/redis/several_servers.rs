//! Limits that several servers count together.

use std::sync::atomic::{AtomicU32, Ordering};

use rulebook::{Claim, SharedCounterSettings};
use rulebook_redis::RedisCounter;

use super::server::{RedisServer, claim, serve, wait_for_quiet_minute};

fn definition(requests: u32, by: &str) -> String {
    format!(
        r#"{{ "GET": {{ "info": "Limited", "options": {{
            "rate_limit": {{ "requests": {requests}, "per": "day", "by": "{by}" }} }} }} }}"#
    )
}

#[test]
fn three_servers_together_allow_exactly_the_limit() {
    let Some(redis) = RedisServer::start() else { return };
    for (requests, by) in [(1, "all"), (10, "address"), (500, "all"), (500, "caller")] {
        let servers = [0, 1, 2].map(|_| {
            let settings = SharedCounterSettings::new().prefix(format!("{requests}-{by}"));
            serve(&definition(requests, by), &redis, settings)
        });
        let allowed = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for server in &servers {
                for _ in 0..2 {
                    scope.spawn(|| {
                        loop {
                            match server.get("/").send().status() {
                                200 => allowed.fetch_add(1, Ordering::Relaxed),
                                429 => break,
                                status => panic!("{status}"),
                            };
                        }
                    });
                }
            }
        });
        assert_eq!(allowed.into_inner(), requests, "{by}");
    }
}

#[test]
fn claims_of_many_threads_grant_exactly_the_limit() {
    let Some(redis) = RedisServer::start() else { return };
    wait_for_quiet_minute();
    const REQUESTS: u32 = 200_000;
    let granted = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..6_u32 {
            let (granted, redis) = (&granted, &redis);
            scope.spawn(move || {
                let counter = RedisCounter::new(&redis.url()).unwrap();
                for round in 0_u32.. {
                    // Blocks of different sizes.
                    let needed = 1 + (round * 7 + thread * 13) % 3;
                    let wanted = needed + (round * 31 + thread) % 50;
                    let grant = claim(&counter, Claim::new("k", REQUESTS, 86_400, needed, wanted));
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
