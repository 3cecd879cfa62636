//! Refuses the records of multipart uploads: nothing else would find such an upload, so it must be aborted at once.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use rulebook::store::StoreError;

use super::places::{new_url, open_s3};
use super::proxy::run_behind_proxy;

/// The variable from which the program behind the proxy reads the URL of its bucket.
const CHILD: &str = "RULEBOOK_REFUSED_RECORDS_URL";
const REFUSAL: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The program behind the proxy: without the variable, this test does nothing.
#[test]
fn program_whose_records_are_refused() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let mut writer = open_s3(&url).writer(1 << 30).unwrap();
    let failed = writer.write(&vec![b'x'; 11 << 20]);
    assert!(matches!(failed, Err(StoreError::Unavailable { .. })), "{failed:?}");
}

#[test]
fn an_upload_without_a_record_is_aborted() {
    let Some(url) = new_url() else { return };
    let [begun, aborted]: [&'static AtomicUsize; 2] = [Box::leak(Box::default()), Box::leak(Box::default())];
    run_behind_proxy("failed_uploads::program_whose_records_are_refused", [CHILD, &url], |exchange| {
        let line = exchange.head.lines().next().unwrap_or_default();
        if line.starts_with("POST") && line.contains("?uploads") {
            begun.fetch_add(1, Ordering::Relaxed);
        }
        if line.starts_with("DELETE") && line.contains("uploadId=") {
            aborted.fetch_add(1, Ordering::Relaxed);
        }
        let is_record = line.starts_with("PUT") && line.contains("/uploads/");
        (&mut &*exchange.client).write_all(if is_record { REFUSAL } else { &exchange.response })
    });
    assert_eq!([begun, aborted].map(|count| count.load(Ordering::Relaxed)), [1, 1]);
}
