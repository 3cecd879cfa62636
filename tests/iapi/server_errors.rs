//! A server with a full disk, missing permissions, a missing database or lost connections: it reports errors, leaves no
//! partial files, and recovers.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write};
use std::net::Shutdown;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::{CONTENT, FILENAME, GIF, Peer, parts, staged_files};
use crate::client::{Connection, Request, Response, wait_until};
use crate::server_process::clear;
use crate::store::disk_errors::Disk;

/// The user id of the unprivileged Unix account `nobody`.
const NOBODY: u32 = 65_534;

fn picture(size: usize) -> Vec<u8> {
    let mut content = GIF.to_vec();
    content.resize(size, b'x');
    content
}

/// Asserts that a response is a server error without the paths of files.
#[track_caller]
fn assert_failed(peer: &Peer, response: &Response) {
    assert!([500, 503, 507].contains(&response.status), "{response:?}");
    let code = response.json()["code"].as_str().map(|code| code.replace('_', "-"));
    assert_eq!(response.status == 507, code.expect("the response has a code") == "no-room", "{response:?}");
    let body = String::from_utf8_lossy(&response.body).into_owned();
    for word in [peer.folder().to_str().unwrap(), "staging", "os error", "data/"] {
        assert!(!body.contains(word), "{word}: {response:?}");
    }
}

/// Asserts that uploads of one file and of several fail with this status and store nothing.
#[track_caller]
fn assert_nothing_kept(peer: &Peer, content: &[u8], status: u16) {
    let before = peer.tree();
    let several = peer.upload_all_request(&[("public/new/two.gif", GIF), ("public/old.gif", content)]);
    let one = |name| peer.upload(name, content);
    for response in [one("public/new/one.gif"), one("public/old.gif"), peer.send(&several)] {
        assert_failed(peer, &response);
        assert_eq!(response.status, status, "{response:?}");
    }
    assert!(peer.tree() == before, "{:?} instead of {:?}", peer.tree().keys(), before.keys());
    peer.assert_staged(0);
}

/// Asserts that caches cannot be written, and leave no files.
#[track_caller]
fn assert_no_caches(peer: &Peer) {
    let before = peer.tree();
    assert_failed(peer, &peer.send(&peer.cache_request("cache/texts")));
    assert!(peer.tree() == before, "{:?} instead of {:?}", peer.tree().keys(), before.keys());
    peer.assert_staged(0);
}

#[test]
fn a_full_disk_is_reported_until_there_is_space() {
    let Some(disk) = Disk::mount() else {
        eprintln!("SKIPPED a_full_disk_is_reported_until_there_is_space: this user cannot mount a disk");
        return;
    };
    let mut peer = Peer::prepared(|_| ());
    symlink(disk.path(), peer.store()).unwrap();
    peer.serve();
    let old = picture(1_000);
    assert_eq!(peer.upload("public/old.gif", &old).status, 204);
    let filler = disk.path().join("filler");
    fs::write(&filler, vec![0; 300 << 10]).unwrap();
    // The file is smaller than the limit and larger than the disk.
    assert_nothing_kept(&peer, &picture(900 << 10), 507);
    assert!(peer.download("public/old.gif").body == old, "files can still be read");
    // There is no space for a single byte.
    let mut more = fs::File::create(disk.path().join("more")).unwrap();
    while more.write_all(&[0; 1 << 10]).is_ok() {}
    assert_nothing_kept(&peer, &picture(20 << 10), 507);
    assert_no_caches(&peer);
    drop(more);
    for file in [filler, disk.path().join("more")] {
        fs::remove_file(file).unwrap();
    }
    assert_eq!(peer.upload("public/new/one.gif", &picture(900 << 10)).status, 204);
    peer.assert_healthy();
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_on_the_size_of_files_is_reported() {
    let mut peer = Peer::prepared(|_| ());
    // The limit is 512 KiB, and its signal is ignored.
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; ulimit -S -f 512; exec \"$@\"", "bash", env!("CARGO_BIN_EXE_article-site")]);
    command.current_dir(peer.folder());
    clear(&mut command);
    peer.serve_as(command);
    let old = picture(1_000);
    assert_eq!(peer.upload("public/old.gif", &old).status, 204);
    assert_nothing_kept(&peer, &picture(600 << 10), 500);
    assert!(peer.download("public/old.gif").body == old, "files can still be read");
    let limit = format!("--pid={}", peer.process.as_ref().unwrap().id());
    assert!(Command::new("prlimit").args([&limit, "--fsize=unlimited"]).status().unwrap().success());
    assert_eq!(peer.upload("public/new/one.gif", &picture(600 << 10)).status, 204);
    peer.assert_healthy();
}

/// Returns the paths of a folder and everything below it.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut at = 0;
    while at < found.len() {
        if found[at].is_dir() {
            found.extend(fs::read_dir(&found[at]).unwrap().map(|entry| entry.unwrap().path()));
        }
        at += 1;
    }
    found
}

#[test]
fn a_read_only_store_is_reported_until_it_is_writable() {
    let mut peer = Peer::prepared(|_| ());
    let data = peer.folder().join("data");
    let mut command = crate::server_process::program(peer.folder());
    if fs::metadata(&data).unwrap().uid() == 0 {
        // Nothing is denied to root, so that another user runs the server.
        let program = peer.folder().join("program");
        fs::copy(env!("CARGO_BIN_EXE_article-site"), &program).unwrap();
        command = Command::new(program);
        command.current_dir(peer.folder()).env_clear().uid(NOBODY).gid(NOBODY);
        fs::set_permissions(peer.folder(), Permissions::from_mode(0o755)).unwrap();
        for path in all_below(&data) {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    peer.serve_as(command);
    let old = picture(1_000);
    assert_eq!(peer.upload("public/old.gif", &old).status, 204);
    let allow = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();

    let public = peer.store().join("public");
    allow(&public, 0o555);
    assert_nothing_kept(&peer, GIF, 500);
    assert_eq!(peer.download("public/old.gif").body, old, "files can still be read");
    allow(&public, 0o755);

    let folders: Vec<_> = all_below(&peer.store()).into_iter().filter(|path| path.is_dir()).collect();
    for folder in &folders {
        allow(folder, 0o555);
    }
    assert_nothing_kept(&peer, GIF, 500);
    assert_no_caches(&peer);
    assert_eq!(peer.download("public/old.gif").body, old, "files can still be read");
    for folder in &folders {
        allow(folder, 0o755);
    }

    let file = public.join("old.gif");
    allow(&file, 0);
    assert_failed(&peer, &peer.download("public/old.gif"));
    allow(&file, 0o644);
    assert_eq!(peer.download("public/old.gif").body, old);
    assert_eq!(peer.upload("public/old.gif", GIF).status, 204);
    peer.assert_healthy();
}

#[test]
fn a_store_that_cannot_be_opened_is_opened_later() {
    let mut peer = Peer::prepared(|_| ());
    fs::write(peer.store(), "a file where the folder should be").unwrap();
    peer.serve();
    assert_failed(&peer, &peer.download("public/a.gif"));
    assert_failed(&peer, &peer.upload("public/a.gif", GIF));
    assert_eq!(peer.send(&Request::new("GET", "/article")).status, 200, "other methods work");
    fs::remove_file(peer.store()).unwrap();
    peer.assert_healthy();
}

#[test]
fn a_store_that_is_removed_while_it_is_served_is_reported() {
    let mut peer = Peer::start();
    assert_eq!(peer.upload("public/old.gif", GIF).status, 204);
    fs::remove_dir_all(peer.store()).unwrap();
    assert_eq!(peer.download("public/old.gif").status, 404);
    assert_failed(&peer, &peer.upload("public/new.gif", GIF));
    assert!(!peer.store().exists(), "the server does not create a new folder");
    peer.serve();
    peer.assert_healthy();
}

#[test]
fn a_database_that_is_moved_away_and_back_is_used_again() {
    let peer = Peer::start();
    assert_eq!(peer.send(&peer.cache_request("cache/first")).status, 200);
    let (file, away) = (peer.folder().join("data/demo.db"), peer.folder().join("data/away.db"));
    fs::rename(&file, &away).unwrap();
    assert_no_caches(&peer);
    assert_eq!(peer.upload("public/meanwhile.gif", GIF).status, 204, "files need no database");
    fs::rename(&away, &file).unwrap();

    let mut seen = BTreeMap::new();
    std::thread::scope(|scope| {
        let moving = scope.spawn(|| {
            for _ in 0..20 {
                fs::rename(&file, &away).unwrap();
                sleep(Duration::from_millis(15));
                fs::rename(&away, &file).unwrap();
                sleep(Duration::from_millis(25));
            }
        });
        let mut number = 0;
        while !moving.is_finished() {
            let folder = format!("cache/{number}");
            let response = peer.send(&peer.cache_request(&folder));
            let there = (1..=3).filter(|name| peer.store().join(format!("{folder}/{name}.json")).exists()).count();
            match response.status {
                200 => assert_eq!(there, 3, "{response:?}"),
                503 => {
                    assert_eq!(there, 0, "{response:?}");
                    assert_failed(&peer, &response);
                }
                _ => panic!("{response:?}"),
            }
            *seen.entry(response.status).or_insert(0) += 1;
            number += 1;
        }
    });
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert_eq!(peer.send(&peer.cache_request("cache/last")).status, 200);
    peer.assert_staged(0);
    assert!(wait_until(|| peer.send(&Request::new("GET", "/readyz")).status == 200));
    peer.assert_healthy();
}

/// Sends the first bytes of a request and returns the connection.
fn send_part(peer: &Peer, request: &Request, length: usize) -> Connection {
    let mut connection = peer.connect();
    connection.write(&request.bytes()[..length]);
    connection
}

#[test]
fn interrupted_uploads_leave_no_files() {
    let peer = Peer::start();
    let content = picture(700 << 10);
    let one = peer.upload_request("public/one.gif", &content);
    let named_first = [(FILENAME, &b"public/one.gif"[..]), (CONTENT, &content)];
    let named_first = peer.request("POST", "/iapi/file").multipart(&named_first);
    let several =
        peer.upload_all_request(&[("public/a.gif", &content[..200 << 10]), ("public/b.gif", &content[..200 << 10])]);
    for request in [&one, &named_first, &several] {
        let (head, all) = (request.head().len(), request.bytes().len());
        let ends = [head, head + 20, head + 100, head + (100 << 10), head + (350 << 10), all - 200, all - 4, all - 1];
        for end in ends {
            drop(send_part(&peer, request, end));
            // A client that still reads receives the error.
            let mut half = send_part(&peer, request, end);
            half.stream.shutdown(Shutdown::Write).unwrap();
            if let Ok(response) = half.try_read_response(false) {
                assert_eq!(response.status, 400, "{end} of {all}: {response:?}");
            }
        }
        // Slow clients do not block others, and their staged files are removed when they disconnect.
        let waiting: Vec<_> = (0..4).map(|_| send_part(&peer, request, all - 4)).collect();
        assert!(wait_until(|| !staged_files(&peer.store()).is_empty()), "files are staged");
        assert_eq!(peer.upload("public/other.gif", GIF).status, 204);
        drop(waiting);
        peer.assert_staged(0);
        assert_eq!(peer.tree().into_keys().collect::<Vec<_>>(), ["public/", "public/other.gif"]);
    }
    peer.assert_healthy();
}

#[test]
fn clients_that_disconnect_before_the_response_store_all_or_nothing() {
    let peer = Peer::start();
    let content = picture(300 << 10);
    for number in 0..20 {
        let names = [format!("public/{number}/a.gif"), format!("public/{number}/b.gif")];
        let request = peer.upload_all_request(&[(&names[0], &content), (&names[1], &content)]);
        let mut connection = peer.connect();
        connection.write(&request.bytes());
        drop(connection);
    }
    peer.assert_staged(0);
    for number in 0..20 {
        let there = |name| fs::read(peer.store().join(format!("public/{number}/{name}.gif")));
        let (a, b) = (there("a"), there("b"));
        let is_missing =
            |file: &std::io::Result<_>| file.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        let all = [&a, &b].iter().all(|file| file.as_ref().is_ok_and(|stored| *stored == content));
        assert!(all || (is_missing(&a) && is_missing(&b)), "{number}");
    }
    peer.assert_healthy();
}

#[test]
fn interrupted_downloads_do_not_block_others() {
    let peer = Peer::start();
    let path = peer.store().join("public/large.gif");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, picture(32 << 20)).unwrap();
    for _ in 0..8 {
        let mut connection = peer.connect();
        connection.write(&peer.download_request("GET", "public/large.gif").bytes());
        assert!(connection.read_more());
    }
    let open = || {
        let files = fs::read_dir(format!("/proc/{}/fd", peer.process.as_ref().unwrap().id())).unwrap();
        files.filter(|file| fs::read_link(file.as_ref().unwrap().path()).is_ok_and(|target| target == path)).count()
    };
    if cfg!(target_os = "linux") {
        assert!(wait_until(|| open() == 0), "{} are still open", open());
    }
    peer.assert_healthy();
}

#[test]
fn a_truncated_form_is_refused() {
    let peer = Peer::start();
    let whole = crate::client::multipart(&parts(&[("public/a.gif", &picture(1_000))]));
    for cut in [10, 60, 200, 1_000, whole.len() - 30, whole.len() - 5] {
        let request = peer.request("POST", "/iapi/file").body("multipart/form-data; boundary=XX", &whole[..cut]);
        let response = peer.send(&request);
        assert_eq!(response.status, 400, "{cut}: {response:?}");
    }
    assert_eq!(peer.tree(), [].into());
    peer.assert_staged(0);
    peer.assert_healthy();
}
