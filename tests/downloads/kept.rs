//! The files that links lead to, in the folder of the server: whole or not there, and no more than there is room for.

use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use rulebook::Download;
use serde_json::json;
use tempfile::TempDir;

use super::links::{asking, figures, get, kept, link, returning};
use crate::client::{Connection, Request, Site, wait};

/// What is whole stays good over a restart; what is left of a server that was killed does not.
#[test]
fn links_outlive_the_server() {
    let data = TempDir::new().unwrap();
    let large = || Download::bytes(vec![7; 1 << 20]).name("large.bin");
    let site = Site::start(&returning(data.path(), &json!({}), large));
    let link = link(&site.send(&asking()));
    drop(site);
    let folder = data.path().join("links");
    let nonce = "0123456789abcdef0123456789abcdef";
    for name in ["writing.Ab1Cd2", &format!("1000000000-{nonce}"), "zebra"] {
        fs::write(folder.join(name), "torn").unwrap();
    }
    // Another server of the same folder is at this one.
    let written = fs::File::create(folder.join("writing.locked")).unwrap();
    written.lock().unwrap();
    let site = Site::start(&returning(data.path(), &json!({}), large));
    let mut left: Vec<_> =
        kept(data.path()).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    left.sort();
    assert_eq!(left[1..], ["writing.locked", "zebra"], "what is none of ours stays");
    let file = get(&site, &link);
    assert_eq!((file.status, file.body.len()), (200, 1 << 20));
    assert!(file.body.iter().all(|byte| *byte == 7));
}

#[cfg(unix)]
#[test]
fn only_the_server_reads_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let data = TempDir::new().unwrap();
    let folder = data.path().join("deep").join("data");
    let site = Site::start(&returning(&folder, &json!({}), figures));
    get(&site, "/it");
    assert!(!folder.exists(), "nothing is made for what is not asked for");
    link(&site.send(&asking()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.join("links")), 0o700);
    assert_eq!(mode(&folder.join("links.key")), 0o600);
    assert_eq!(kept(&folder).iter().map(|path| mode(path)).collect::<Vec<_>>(), [0o600]);
}

#[test]
fn a_key_that_is_none_is_not_used() {
    let data = TempDir::new().unwrap();
    fs::write(data.path().join("links.key"), "short").unwrap();
    let site = Site::start(&returning(data.path(), &json!({}), figures));
    site.send(&asking()).assert_refused(500, "internal error");
    assert_eq!(fs::read(data.path().join("links.key")).unwrap(), b"short");
}

#[test]
fn there_is_room_for_so_many_bytes_only() {
    let data = TempDir::new().unwrap();
    let limits = json!({ "links": 3000, "link": 2 });
    let site = Site::start(&returning(data.path(), &limits, || Download::bytes(vec![0; 1800])));
    link(&site.send(&asking()));
    let full = site.send(&asking());
    full.assert_refused(503, "try again later");
    assert!(full.field("retry-after").is_some());
    assert_eq!(kept(data.path()).len(), 1, "what had no room is not left");
    assert_eq!(get(&site, "/it").status, 200, "the file itself needs none");
    assert!(wait(|| site.send(&asking()).status == 200), "room comes back");
}

/// By another server of the same folder, or by whoever looks after the machine.
#[test]
fn room_of_what_somebody_else_removed_comes_back() {
    let data = TempDir::new().unwrap();
    let site = Site::start(&returning(data.path(), &json!({ "links": 3000 }), || Download::bytes(vec![0; 1800])));
    link(&site.send(&asking()));
    site.send(&asking()).assert_refused(503, "try again later");
    fs::remove_file(&kept(data.path())[0]).unwrap();
    assert!(wait(|| site.send(&asking()).status == 200), "room is lost");
}

#[test]
fn a_stream_of_nothing_holds_up_nobody() {
    let data = TempDir::new().unwrap();
    let nothing = || Download::stream(stream::repeat_with(|| Ok(Bytes::new())));
    let site = Site::start(&returning(data.path(), &json!({}), nothing));
    let mut connection = site.connect();
    connection.write(&asking().bytes());
    assert!(wait(|| kept(data.path()).len() == 1), "it is being written");
    assert_eq!(get(&site, "/nowhere").status, 404, "the worker does something else, too");
}

#[test]
fn what_breaks_off_is_not_kept() {
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
    for make in broken {
        let data = TempDir::new().unwrap();
        let site = Site::start(&returning(data.path(), &json!({}), make));
        site.send(&asking()).assert_refused(500, "internal error");
        assert!(wait(|| kept(data.path()).is_empty()));
    }
}

#[test]
fn a_server_that_ends_meanwhile_leaves_nothing() {
    let data = TempDir::new().unwrap();
    let endless = || Download::stream(stream::iter([Ok(Bytes::from_static(b"a"))]).chain(stream::pending()));
    let site = Site::start(&returning(data.path(), &json!({}), endless));
    let mut connection = Connection::to(site.address());
    connection.write(&asking().bytes());
    assert!(wait(|| kept(data.path()).len() == 1), "it is being written");
    drop(site);
    assert!(wait(|| kept(data.path()).is_empty()), "it is left");
}

/// What was said of the length counts for streams alone, with a link and without.
#[test]
fn bytes_know_their_length_themselves() {
    let data = TempDir::new().unwrap();
    let site = Site::start(&returning(data.path(), &json!({}), || Download::bytes("abc").length(7)));
    assert_eq!(get(&site, "/it").body, b"abc");
    assert_eq!(get(&site, &link(&site.send(&asking()))).body, b"abc");
}

#[test]
fn large_files_and_streams_are_kept_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("large.bin");
    let content: Vec<u8> = (0..700_001_u32).map(|at| (at % 251) as u8).collect();
    fs::write(&path, &content).unwrap();
    let pieces: Vec<_> = content.chunks(10_007).map(Bytes::copy_from_slice).collect();
    let data = TempDir::new().unwrap();
    let of_file = Site::start(&returning(data.path(), &json!({}), move || Download::file(path.as_path())));
    let of_stream = Site::start(&returning(data.path(), &json!({}), move || {
        Download::stream(stream::iter(pieces.clone()).map(Ok)).name("large.bin")
    }));
    for site in [of_file, of_stream] {
        let link = link(&site.send(&asking()));
        assert!(get(&site, &link).body == content);
        let part = site.send(&Request::new("GET", &link).field("range", "bytes=262140-262149"));
        assert_eq!((part.status, &part.body[..]), (206, &content[262_140..262_150]));
    }
}
