//! Tests of links whose number of downloads is limited.

use std::num::NonZeroU32;
use std::thread;

use rulebook::Download;
use serde_json::json;

use super::link_place::link_places;
use super::links::{digits_file, get_target, link_engine, link_request, read_link};
use crate::client::{Request, TestServer, wait_until};

fn limited_file(uses: u32) -> impl Fn() -> Download + Clone + Send + Sync + 'static {
    move || digits_file().link_uses(NonZeroU32::new(uses).unwrap())
}

#[test]
fn a_link_for_one_download_is_gone_after_it_and_its_file_deleted() {
    for place in link_places() {
        let server = TestServer::start(&link_engine(&place, &json!({}), limited_file(1)));
        let link = read_link(&server.send(&link_request()));
        for _ in 0..2 {
            let head = server.send(&Request::new("HEAD", &link));
            assert_eq!((head.status, head.field("content-length")), (200, Some("10")), "HEAD does not count");
        }
        let request = Request::new("GET", &link).field("range", "bytes=3-5").field("if-none-match", "*");
        let file = server.send(&request);
        assert_eq!((file.status, &file.body[..]), (200, &b"0123456789"[..]), "the whole file is sent");
        let fields = ["etag", "last-modified", "accept-ranges", "cache-control"].map(|name| file.field(name));
        assert_eq!(fields, [None, None, Some("none"), Some("no-store")]);
        assert_eq!((file.field("x-own"), file.field("content-type")), (Some("2"), Some("text/csv")));
        get_target(&server, &link).assert_error(410, "the link has expired");
        assert_eq!(server.send(&Request::new("HEAD", &link)).status, 410);
        assert!(wait_until(|| place.has_no_files()), "the file is left");
        assert_eq!(get_target(&server, "/it").status, 200, "the file without a link has no limit");
    }
}

/// Two servers use the same place, as servers with the same data folder or the same bucket do.
#[test]
fn concurrent_requests_get_a_limited_file_as_often_as_it_may_be_downloaded() {
    for place in link_places() {
        for uses in [1, 3] {
            let servers = [0, 1].map(|_| TestServer::start(&link_engine(&place, &json!({}), limited_file(uses))));
            let link = read_link(&servers[0].send(&link_request()));
            let delivered = thread::scope(|scope| {
                let threads: Vec<_> = (0..10)
                    .map(|number| {
                        let (server, link) = (&servers[number % 2], &link);
                        scope.spawn(move || {
                            let response = get_target(server, link);
                            assert!([200, 410].contains(&response.status), "{response:?}");
                            assert!(response.status == 410 || response.body == b"0123456789");
                            u32::from(response.status == 200)
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>()
            });
            assert_eq!(delivered, uses);
            // A bucket keeps the file until the link expires: another download may have to read it again.
            let is_kept = uses > 1 && place.is_bucket();
            assert!(is_kept || wait_until(|| place.has_no_files()), "the file is left");
        }
    }
}

#[test]
fn the_number_of_downloads_that_are_left_survives_a_restart() {
    for place in link_places() {
        let engine = || link_engine(&place, &json!({}), limited_file(3));
        let mut server = TestServer::start(&engine());
        let link = read_link(&server.send(&link_request()));
        for expected in [200, 200, 200, 410] {
            drop(server);
            server = TestServer::start(&engine());
            assert_eq!(get_target(&server, &link).status, expected);
        }
    }
}

/// Servers with a folder redirect no clients.
#[test]
fn a_link_to_a_file_in_a_folder_is_never_redirected() {
    let place = super::link_place::LinkPlace::folder();
    let engine = link_engine(&place, &json!({}), digits_file);
    let server =
        TestServer::with_settings(&engine, |settings| settings.with_link_target(rulebook::LinkTarget::Presigned));
    let link = read_link(&server.send(&link_request()));
    assert_eq!(get_target(&server, &link).status, 200);
}
