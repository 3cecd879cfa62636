//! Tests of downloads of files that are only on the disk, that several requests read at the same time, or that change
//! while they are sent.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use rulebook::Download;

use super::engine_returning;
use crate::client::{Connection, Request, TestServer};

/// A number of bytes that exceeds all buffers between the server and a client that does not read.
const LARGE_LEN: usize = 24 << 20;

/// Returns the bytes from one offset to another of a content that does not repeat.
fn content_bytes(from: usize, to: usize) -> Vec<u8> {
    (from..to).map(|at| ((at * 31) >> 8) as u8 ^ at as u8).collect()
}

fn create_file(path: &Path, length: usize) -> File {
    fs::write(path, content_bytes(0, length)).unwrap();
    File::options().read(true).write(true).open(path).unwrap()
}

/// Removes the content of a file after this offset from the page cache of the system, if the system supports that.
fn drop_from_page_cache(file: &File, from: u64) {
    file.sync_all().unwrap();
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(file, from, None, rustix::fs::Advice::DontNeed).unwrap();
}

fn get_file() -> Request {
    Request::new("GET", "/it")
}

/// Reads a response until the connection ends, and returns its body.
fn read_body(mut connection: Connection) -> Vec<u8> {
    while connection.read_more() {}
    let end = connection.unread.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    connection.unread.split_off(end)
}

/// The file is read when it is only on the disk, partly in memory, and completely in memory.
#[test]
fn a_file_has_the_same_content_from_disk_and_from_memory() {
    const PIECE: usize = 256 << 10;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it");
    let own = path.clone();
    let server = TestServer::start(&engine_returning(move || Download::file(own.as_path())));
    for length in [1, 4096, 65_536, 65_537, PIECE - 1, PIECE, PIECE + 1, 4 * PIECE, 5 * PIECE + 4097] {
        let file = create_file(&path, length);
        for kept in [0, 4096, 60_000, PIECE, 2 * PIECE + 5000, length] {
            drop_from_page_cache(&file, kept as u64);
            let response = server.send(&get_file());
            assert_eq!(response.status, 200);
            assert!(response.body == content_bytes(0, length), "{length} bytes, of which {kept} are in memory");
        }
    }
}

#[test]
fn several_requests_can_read_one_open_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(create_file(&folder.path().join("it"), 2_000_003));
    let server = TestServer::start(&engine_returning(move || Download::file(file.try_clone().unwrap())));
    std::thread::scope(|scope| {
        for from in (0..8).map(|number| number * 200_001) {
            let server = &server;
            scope.spawn(move || {
                let mut connection = server.connect();
                for _ in 0..8 {
                    let response = connection.send(&get_file().field("range", format!("bytes={from}-")));
                    assert!(response.body == content_bytes(from, 2_000_003), "from {from}");
                }
            });
        }
    });
}

/// If a file grows, only the announced length is sent; if it shrinks, the response is visibly incomplete.
#[test]
fn a_file_that_changes_while_it_is_sent_has_the_announced_length_or_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it");
    let own = path.clone();
    let server = TestServer::start(&engine_returning(move || Download::file(own.as_path())));
    for (length, whole) in [(LARGE_LEN + 100_000, true), (LARGE_LEN / 2, false)] {
        let mut file = create_file(&path, LARGE_LEN);
        let mut connection = server.connect();
        connection.write(&get_file().field("connection", "close").bytes());
        assert!(connection.read_more());
        if whole {
            file.seek(SeekFrom::End(0)).unwrap();
            file.write_all(&content_bytes(LARGE_LEN, length)).unwrap();
        } else {
            file.set_len(length as u64).unwrap();
        }
        let body = read_body(connection);
        assert_eq!(body.len() == LARGE_LEN, whole, "{} of {LARGE_LEN} bytes came, there are {length}", body.len());
        assert!(body == content_bytes(0, body.len()));
        assert_eq!(server.send(&Request::new("HEAD", "/it")).status, 200, "the server goes on");
    }
}
