//! Compares the checksums that the server of a bucket receives with the contents that it receives.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

use super::places::{new_url, open_s3, publish_file};
use super::proxy::run_behind_proxy;

/// The variable from which the program behind the proxy reads the URL of its bucket.
const CHILD: &str = "RULEBOOK_CHECKSUMS_URL";

/// The program behind the proxy: without the variable, this test does nothing.
#[test]
fn program_that_stores_files() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let store = open_s3(&url);
    for length in [1, 6 << 20] {
        publish_file(&store, "file", &vec![b'x'; length]).unwrap();
    }
}

#[test]
fn every_content_has_a_checksum() {
    let Some(url) = new_url() else { return };
    let [right, wrong]: [&'static AtomicUsize; 2] = [Box::leak(Box::default()), Box::leak(Box::default())];
    run_behind_proxy("checksums::program_that_stores_files", [CHILD, &url], move |exchange| {
        let mut lines = exchange.head.lines();
        if lines.next().is_some_and(|line| line.starts_with("PUT") && line.contains("/content/")) {
            let found = lines.find_map(|line| line.strip_prefix("x-amz-checksum-sha256: "));
            let expected = BASE64.encode(Sha256::digest(&exchange.body));
            if found == Some(&expected) { right } else { wrong }.fetch_add(1, Ordering::Relaxed);
        }
        (&mut &*exchange.client).write_all(&exchange.response)
    });
    // The second file has two parts.
    assert_eq!([right, wrong].map(|count| count.load(Ordering::Relaxed)), [3, 0]);
}
