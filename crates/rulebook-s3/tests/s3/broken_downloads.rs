//! Breaks the connection between a server and the bucket in the middle of a download: the server must be able to read
//! the rest of the file, even if the link cannot be used again.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rulebook_test::Client;
use serde_json::json;

use super::links::{content, count_links, create_link, servers};
use super::places::{Objects, new_url, open_s3, wait_until};
use super::proxy::run_behind_proxy;

/// The variable from which the program behind the proxy reads the URL of its bucket.
const CHILD: &str = "RULEBOOK_BROKEN_DOWNLOADS_URL";
const LENGTH: usize = 1_000_000;
/// The object that the proxy creates when it has sent a part of the first download.
const HELD: &str = "held/object";

/// The program behind the proxy: without the variable, this test does nothing.
#[test]
fn program_whose_first_download_breaks() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let servers: [Client; 2] = servers(&url, &json!({}));
    let objects = Objects::new(&url);
    let link = create_link(&servers[0], LENGTH, 2);
    thread::scope(|scope| {
        let first = scope.spawn(|| servers[0].get(&link).send());
        assert!(wait_until(|| objects.count("held") == 1), "the first download has begun");
        assert!(servers[1].get(&link).send().body() == content(LENGTH));
        assert_eq!(servers[1].get(&link).send().status(), 410, "this was the last download");
        // The proxy breaks the first download when the file of this link is deleted.
        let other = create_link(&servers[1], 1, 1);
        assert_eq!(servers[1].get(&other).send().status(), 200);
        let first = first.join().unwrap();
        assert!(first.status() == 200 && first.body() == content(LENGTH));
    });
    assert!(wait_until(|| count_links(&objects) == [1, 1]), "{:?}", objects.list("links"));
}

#[test]
fn an_earlier_download_that_breaks_after_the_last_download_of_its_link_is_completed() {
    let Some(url) = new_url() else { return };
    // Opening a store installs the implementation of TLS, which `Objects` needs.
    drop(open_s3(&url));
    let objects = Objects::new(&url);
    let (is_held, is_deleted) = (AtomicBool::new(false), AtomicBool::new(false));
    let is_broken = Arc::new(AtomicBool::new(false));
    let broken = Arc::clone(&is_broken);
    run_behind_proxy("broken_downloads::program_whose_first_download_breaks", [CHILD, &url], move |exchange| {
        let (mut client, response) = (exchange.client, &exchange.response);
        // The keys of objects to delete are in the body.
        let (is_get, is_deletion) = (exchange.head.starts_with("GET"), exchange.head.starts_with("POST"));
        if is_deletion && exchange.body.contains("/links/content/") {
            is_deleted.store(true, Ordering::SeqCst);
        }
        let is_content = is_get && exchange.head.contains("/links/content/");
        if !is_content || is_held.swap(true, Ordering::SeqCst) {
            return client.write_all(response);
        }
        client.write_all(&response[..response.len() / 2])?;
        objects.put(HELD, "");
        assert!(wait_until(|| is_deleted.load(Ordering::SeqCst)), "the file of another link is deleted");
        broken.store(true, Ordering::SeqCst);
        Ok(())
    });
    assert!(is_broken.load(Ordering::SeqCst), "the first download was broken");
}
