//! Tests of the files that a server stores for links. A file is either complete or absent, and all files together stay
//! within the storage limit.

use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use rulebook::Download;
use serde_json::json;
use tempfile::TempDir;

use super::link_place::{LinkPlace, link_places, stored_link_files};
use super::links::{digits_file, get_target, link_engine, link_request, read_link};
use crate::client::{Connection, Request, TestServer, wait_until};

/// The server also deletes unfinished files, which a killed server has left.
#[test]
fn links_stay_valid_after_a_restart() {
    let data = TempDir::new().unwrap();
    let place = LinkPlace::existing(data.path(), None);
    let large = || Download::bytes(vec![7; 1 << 20]).name("large.bin");
    let server = TestServer::start(&link_engine(&place, &json!({}), large));
    let link = read_link(&server.send(&link_request()));
    drop(server);
    let folder = data.path().join("links");
    let nonce = "0123456789abcdef0123456789abcdef";
    for name in ["writing.Ab1Cd2", &format!("1000000000-{nonce}"), "zebra"] {
        fs::write(folder.join(name), "torn").unwrap();
    }
    // A locked file is one that another server with the same data folder is writing.
    let written = fs::File::create(folder.join("writing.locked")).unwrap();
    written.lock().unwrap();
    let server = TestServer::start(&link_engine(&place, &json!({}), large));
    let mut left: Vec<_> = stored_link_files(data.path())
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    left.sort();
    assert_eq!(left[1..], ["writing.locked", "zebra"], "what is none of ours stays");
    let file = get_target(&server, &link);
    assert_eq!((file.status, file.body.len()), (200, 1 << 20));
    assert!(file.body.iter().all(|byte| *byte == 7));
}

#[cfg(unix)]
#[test]
fn stored_links_can_only_be_read_by_the_user_of_the_server() {
    use std::os::unix::fs::PermissionsExt;
    let data = TempDir::new().unwrap();
    let folder = data.path().join("deep").join("data");
    let place = LinkPlace::existing(&folder, None);
    let server = TestServer::start(&link_engine(&place, &json!({}), digits_file));
    get_target(&server, "/it");
    assert!(!folder.exists(), "nothing is made for what is not asked for");
    read_link(&server.send(&link_request()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.join("links")), 0o700);
    assert_eq!(mode(&folder.join("links.key")), 0o600);
    assert_eq!(stored_link_files(&folder).iter().map(|path| mode(path)).collect::<Vec<_>>(), [0o600]);
}

#[test]
fn an_invalid_link_key_is_not_used() {
    let data = TempDir::new().unwrap();
    let place = LinkPlace::existing(data.path(), None);
    fs::write(data.path().join("links.key"), "short").unwrap();
    let server = TestServer::start(&link_engine(&place, &json!({}), digits_file));
    server.send(&link_request()).assert_error(500, "internal error");
    assert_eq!(fs::read(data.path().join("links.key")).unwrap(), b"short");
}

#[test]
fn links_over_the_storage_limit_are_refused() {
    for place in link_places() {
        let limits = json!({ "links": 3000, "link": 2 });
        let server = TestServer::start(&link_engine(&place, &limits, || Download::bytes(vec![0; 1800])));
        read_link(&server.send(&link_request()));
        let full = server.send(&link_request());
        full.assert_error(503, "try again later");
        assert!(full.field("retry-after").is_some());
        assert_eq!(place.link_files().len(), 1, "what had no room is not left");
        assert_eq!(get_target(&server, "/it").status, 200, "the file itself needs none");
        assert!(wait_until(|| server.send(&link_request()).status == 200), "room comes back");
    }
}

/// Another server with the same data folder, or an administrator, may delete files.
#[test]
fn space_of_files_that_another_program_deleted_can_be_used_again() {
    for place in link_places() {
        let server =
            TestServer::start(&link_engine(&place, &json!({ "links": 3000 }), || Download::bytes(vec![0; 1800])));
        read_link(&server.send(&link_request()));
        server.send(&link_request()).assert_error(503, "try again later");
        place.delete_one();
        assert!(wait_until(|| server.send(&link_request()).status == 200), "room is lost");
    }
}

#[test]
fn a_stream_of_empty_pieces_does_not_block_the_worker() {
    let data = TempDir::new().unwrap();
    let place = LinkPlace::existing(data.path(), None);
    let nothing = || Download::stream(stream::repeat_with(|| Ok(Bytes::new())));
    let server = TestServer::start(&link_engine(&place, &json!({}), nothing));
    let mut connection = server.connect();
    connection.write(&link_request().bytes());
    assert!(wait_until(|| stored_link_files(data.path()).len() == 1), "it is being written");
    assert_eq!(get_target(&server, "/nowhere").status, 404, "the worker does something else, too");
}

#[test]
fn a_failing_stream_leaves_no_file() {
    let broken: [fn() -> Download; 4] = [
        || Download::stream(stream::iter([Ok(Bytes::from_static(b"a")), Err(io::Error::other("gone"))])),
        || {
            Download::stream(
                stream::iter([Ok(Bytes::from_static(b"a"))]).chain(stream::once(async { panic!("asked") })),
            )
        },
        || Download::stream(stream::iter([Ok(Bytes::from_static(b"a"))])).length(2),
        || Download::file("/nowhere/at/all"),
    ];
    for (make, place) in broken.into_iter().flat_map(|make| link_places().into_iter().map(move |place| (make, place))) {
        let server = TestServer::start(&link_engine(&place, &json!({}), make));
        server.send(&link_request()).assert_error(500, "internal error");
        assert!(wait_until(|| place.has_no_files()));
    }
}

#[test]
fn a_server_that_stops_while_it_writes_a_file_leaves_no_file() {
    let data = TempDir::new().unwrap();
    let place = LinkPlace::existing(data.path(), None);
    let endless = || Download::stream(stream::iter([Ok(Bytes::from_static(b"a"))]).chain(stream::pending()));
    let server = TestServer::start(&link_engine(&place, &json!({}), endless));
    let mut connection = Connection::open(server.address());
    connection.write(&link_request().bytes());
    assert!(wait_until(|| stored_link_files(data.path()).len() == 1), "it is being written");
    drop(server);
    assert!(wait_until(|| stored_link_files(data.path()).is_empty()), "it is left");
}

/// This is so for downloads with a link and for downloads without a link.
#[test]
fn the_length_that_a_handler_sets_is_used_only_for_streams() {
    for place in link_places() {
        let server = TestServer::start(&link_engine(&place, &json!({}), || Download::bytes("abc").length(7)));
        assert_eq!(get_target(&server, "/it").body, b"abc");
        assert_eq!(get_target(&server, &read_link(&server.send(&link_request()))).body, b"abc");
    }
}

#[test]
fn large_files_and_streams_are_stored_completely() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("large.bin");
    let content: Vec<u8> = (0..700_001_u32).map(|at| (at % 251) as u8).collect();
    fs::write(&path, &content).unwrap();
    let pieces: Vec<_> = content.chunks(10_007).map(Bytes::copy_from_slice).collect();
    for place in link_places() {
        let (path, pieces) = (path.clone(), pieces.clone());
        let of_file = TestServer::start(&link_engine(&place, &json!({}), move || Download::file(path.as_path())));
        let of_stream = TestServer::start(&link_engine(&place, &json!({}), move || {
            Download::stream(stream::iter(pieces.clone()).map(Ok)).name("large.bin")
        }));
        for server in [of_file, of_stream] {
            let link = read_link(&server.send(&link_request()));
            assert!(get_target(&server, &link).body == content);
            let part = server.send(&Request::new("GET", &link).field("range", "bytes=262140-262149"));
            assert_eq!((part.status, &part.body[..]), (206, &content[262_140..262_150]));
        }
    }
}
