//! Files that are not in memory, are read by several requests at once, or change while they are sent.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use rulebook::Download;

use super::returning;
use crate::client::{Connection, Request, TestServer};

/// More bytes than all buffers between the server and a client that does not read.
const LARGE: usize = 24 << 20;

/// Returns bytes that differ at every offset.
fn bytes(from: usize, to: usize) -> Vec<u8> {
    (from..to).map(|at| ((at * 31) >> 8) as u8 ^ at as u8).collect()
}

fn written(path: &Path, length: usize) -> File {
    fs::write(path, bytes(0, length)).unwrap();
    File::options().read(true).write(true).open(path).unwrap()
}

/// Removes the content of a file from the page cache of the system, if it can.
fn forget(file: &File, from: u64) {
    file.sync_all().unwrap();
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(file, from, None, rustix::fs::Advice::DontNeed).unwrap();
}

fn get() -> Request {
    Request::new("GET", "/it")
}

/// Returns the bytes of a connection from the end of the head to its end.
fn rest(mut connection: Connection) -> Vec<u8> {
    while connection.read_more() {}
    let end = connection.unread.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    connection.unread.split_off(end)
}

/// The file is on disk only, partly in memory, and in memory.
#[test]
fn a_file_is_sent_alike_from_disk_and_from_memory() {
    const PIECE: usize = 256 << 10;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it");
    let own = path.clone();
    let server = TestServer::start(&returning(move || Download::file(own.as_path())));
    for length in [1, 4096, 65_536, 65_537, PIECE - 1, PIECE, PIECE + 1, 4 * PIECE, 5 * PIECE + 4097] {
        let file = written(&path, length);
        for kept in [0, 4096, 60_000, PIECE, 2 * PIECE + 5000, length] {
            forget(&file, kept as u64);
            let response = server.send(&get());
            assert_eq!(response.status, 200);
            assert!(response.body == bytes(0, length), "{length} bytes, of which {kept} are in memory");
        }
    }
}

#[test]
fn several_requests_can_read_one_open_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(written(&folder.path().join("it"), 2_000_003));
    let server = TestServer::start(&returning(move || Download::file(file.try_clone().unwrap())));
    std::thread::scope(|scope| {
        for from in (0..8).map(|number| number * 200_001) {
            let server = &server;
            scope.spawn(move || {
                let mut connection = server.connect();
                for _ in 0..8 {
                    let response = connection.send(&get().field("range", format!("bytes={from}-")));
                    assert!(response.body == bytes(from, 2_000_003), "from {from}");
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
    let server = TestServer::start(&returning(move || Download::file(own.as_path())));
    for (length, whole) in [(LARGE + 100_000, true), (LARGE / 2, false)] {
        let mut file = written(&path, LARGE);
        let mut connection = server.connect();
        connection.write(&get().field("connection", "close").bytes());
        assert!(connection.read_more());
        if whole {
            file.seek(SeekFrom::End(0)).unwrap();
            file.write_all(&bytes(LARGE, length)).unwrap();
        } else {
            file.set_len(length as u64).unwrap();
        }
        let body = rest(connection);
        assert_eq!(body.len() == LARGE, whole, "{} of {LARGE} bytes came, there are {length}", body.len());
        assert!(body == bytes(0, body.len()));
        assert_eq!(server.send(&Request::new("HEAD", "/it")).status, 200, "the server goes on");
    }
}
