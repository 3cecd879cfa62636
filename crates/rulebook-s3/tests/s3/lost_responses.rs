//! Loses the responses to writes of link heads: the bucket has written the object, but the server does not know it. A
//! link must still be created, and its downloads must be counted exactly.

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread;

use rulebook_test::Client;
use serde_json::json;

use super::links::{create_link, servers};
use super::places::new_url;
use super::proxy::run_behind_proxy;

/// The variable from which the program behind the proxy reads the URL of its bucket.
const CHILD: &str = "RULEBOOK_LOST_RESPONSES_URL";
const LINKS: usize = 12;

/// The program behind the proxy: without the variable, this test does nothing.
#[test]
fn program_whose_responses_are_lost() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let servers: [Client; 2] = servers(&url, &json!({}));
    for number in 0..LINKS {
        let uses = number % 3 + 1;
        let link = create_link(&servers[number % 2], 100, u32::try_from(uses).unwrap());
        let statuses: Vec<u16> = thread::scope(|scope| {
            let request = |server: usize| servers[server % 2].get(&link).send().status();
            let threads: Vec<_> = (0..6).map(|server| scope.spawn(move || request(server))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let delivered = statuses.iter().filter(|status| **status == 200).count();
        // A server finds its own download in the head, even if another server has counted one since.
        assert!(delivered == uses && statuses.iter().all(|status| [200, 410].contains(status)), "{uses}: {statuses:?}");
        assert_eq!(servers[0].get(&link).send().status(), 410);
    }
}

#[test]
fn lost_responses_of_the_bucket_change_no_number_of_downloads() {
    let Some(url) = new_url() else { return };
    let lost = Arc::new(Mutex::new(HashSet::new()));
    let seen = Arc::clone(&lost);
    run_behind_proxy("lost_responses::program_whose_responses_are_lost", [CHILD, &url], move |exchange| {
        let is_write = exchange.head.starts_with("PUT") && exchange.head.contains("/links/heads/");
        // The first response to each write is lost. The requests of a retry have the same body.
        if is_write && seen.lock().unwrap().insert(exchange.body.clone()) {
            return Ok(());
        }
        (&mut &*exchange.client).write_all(&exchange.response)
    });
    let lost = lost.lock().unwrap().len();
    assert!(lost > 2 * LINKS, "{lost} responses were lost");
}
