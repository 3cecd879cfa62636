//! Tests a server with a full disk, without permissions on its folder, without a database, or with lost connections:
//! the server reports errors, leaves no partial files, and recovers.

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

use super::{CONTENT_DISPOSITION, FILENAME_DISPOSITION, GIF_START, InternalApiServer, staged_files, upload_parts};
use crate::client::{Connection, Request, Response, wait_until};
use crate::server_process::clear;
use crate::store::disk_errors::Disk;
use support::unprivileged_user::UNPRIVILEGED_USER_ID;

fn gif_of_size(size: usize) -> Vec<u8> {
    let mut content = GIF_START.to_vec();
    content.resize(size, b'x');
    content
}

/// Asserts that a response is a server error that does not contain file paths.
#[track_caller]
fn assert_server_error(peer: &InternalApiServer, response: &Response) {
    assert!([500, 503, 507].contains(&response.status), "{response:?}");
    let code = response.json()["code"].as_str().map(|code| code.replace('_', "-"));
    assert_eq!(response.status == 507, code.expect("the response has a code") == "no-room", "{response:?}");
    let body = String::from_utf8_lossy(&response.body).into_owned();
    for word in [peer.folder().to_str().unwrap(), "staging", "os error", "data/"] {
        assert!(!body.contains(word), "{word}: {response:?}");
    }
}

/// Asserts that uploads of one file and of several files fail with this status and store no file.
#[track_caller]
fn assert_uploads_fail(peer: &InternalApiServer, content: &[u8], status: u16) {
    let before = peer.stored_tree();
    let several = peer.upload_all_request(&[("public/new/two.gif", GIF_START), ("public/old.gif", content)]);
    let one = |name| peer.upload(name, content);
    for response in [one("public/new/one.gif"), one("public/old.gif"), peer.send(&several)] {
        assert_server_error(peer, &response);
        assert_eq!(response.status, status, "{response:?}");
    }
    assert!(peer.stored_tree() == before, "{:?} instead of {:?}", peer.stored_tree().keys(), before.keys());
    peer.assert_staged(0);
}

/// Asserts that a request for caches fails and leaves no files.
#[track_caller]
fn assert_caches_fail(peer: &InternalApiServer) {
    let before = peer.stored_tree();
    assert_server_error(peer, &peer.send(&peer.cache_request("cache/texts")));
    assert!(peer.stored_tree() == before, "{:?} instead of {:?}", peer.stored_tree().keys(), before.keys());
    peer.assert_staged(0);
}

#[test]
fn uploads_fail_while_the_disk_is_full_and_work_again_afterwards() {
    let Some(disk) = Disk::mount() else {
        support::skip("this user cannot mount a disk");
        return;
    };
    let mut peer = InternalApiServer::without_start(|_| ());
    symlink(disk.path(), peer.store()).unwrap();
    peer.start_process();
    let old = gif_of_size(1_000);
    assert_eq!(peer.upload("public/old.gif", &old).status, 204);
    let filler = disk.path().join("filler");
    fs::write(&filler, vec![0; 300 << 10]).unwrap();
    // The file is smaller than the limit of uploads, but larger than the disk.
    assert_uploads_fail(&peer, &gif_of_size(900 << 10), 507);
    assert!(peer.download("public/old.gif").body == old, "files can still be read");
    // Other files fill the disk completely.
    let mut more = fs::File::create(disk.path().join("more")).unwrap();
    while more.write_all(&[0; 1 << 10]).is_ok() {}
    assert_uploads_fail(&peer, &gif_of_size(20 << 10), 507);
    assert_caches_fail(&peer);
    drop(more);
    for file in [filler, disk.path().join("more")] {
        fs::remove_file(file).unwrap();
    }
    // A file of an earlier upload may use its space until another thread has closed it.
    assert!(wait_until(|| peer.upload("public/new/one.gif", &gif_of_size(900 << 10)).status == 204));
    peer.assert_healthy();
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_size_limit_of_the_process_is_reported_as_a_server_error() {
    let mut peer = InternalApiServer::without_start(|_| ());
    // The shell limits the size of files to 512 KiB. It ignores the signal that would end the process when a file
    // exceeds this limit.
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; ulimit -S -f 512; exec \"$@\"", "bash", env!("CARGO_BIN_EXE_article-site")]);
    command.current_dir(peer.folder());
    clear(&mut command);
    peer.start_command(command);
    let old = gif_of_size(1_000);
    assert_eq!(peer.upload("public/old.gif", &old).status, 204);
    assert_uploads_fail(&peer, &gif_of_size(600 << 10), 500);
    assert!(peer.download("public/old.gif").body == old, "files can still be read");
    let limit = format!("--pid={}", peer.process_id());
    assert!(Command::new("prlimit").args([&limit, "--fsize=unlimited"]).status().unwrap().success());
    assert_eq!(peer.upload("public/new/one.gif", &gif_of_size(600 << 10)).status, 204);
    peer.assert_healthy();
}

/// Returns the path of a folder, and the paths of all files and folders below it.
fn paths_below(folder: &Path) -> Vec<PathBuf> {
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
fn uploads_fail_while_the_store_is_read_only_and_work_again_afterwards() {
    let mut peer = InternalApiServer::without_start(|_| ());
    let data = peer.folder().join("data");
    let mut command = crate::server_process::program(peer.folder());
    if fs::metadata(&data).unwrap().uid() == 0 {
        // root may write to every folder, so that the server runs as another user.
        let program = peer.folder().join("program");
        fs::copy(env!("CARGO_BIN_EXE_article-site"), &program).unwrap();
        command = Command::new(program);
        command.current_dir(peer.folder()).env_clear().uid(UNPRIVILEGED_USER_ID).gid(UNPRIVILEGED_USER_ID);
        fs::set_permissions(peer.folder(), Permissions::from_mode(0o755)).unwrap();
        for path in paths_below(&data) {
            chown(path, Some(UNPRIVILEGED_USER_ID), Some(UNPRIVILEGED_USER_ID)).unwrap();
        }
    }
    peer.start_command(command);
    let old = gif_of_size(1_000);
    assert_eq!(peer.upload("public/old.gif", &old).status, 204);
    let allow = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();

    let public = peer.store().join("public");
    allow(&public, 0o555);
    assert_uploads_fail(&peer, GIF_START, 500);
    assert_eq!(peer.download("public/old.gif").body, old, "files can still be read");
    allow(&public, 0o755);

    let folders: Vec<_> = paths_below(&peer.store()).into_iter().filter(|path| path.is_dir()).collect();
    for folder in &folders {
        allow(folder, 0o555);
    }
    assert_uploads_fail(&peer, GIF_START, 500);
    assert_caches_fail(&peer);
    assert_eq!(peer.download("public/old.gif").body, old, "files can still be read");
    for folder in &folders {
        allow(folder, 0o755);
    }

    let file = public.join("old.gif");
    allow(&file, 0);
    assert_server_error(&peer, &peer.download("public/old.gif"));
    allow(&file, 0o644);
    assert_eq!(peer.download("public/old.gif").body, old);
    assert_eq!(peer.upload("public/old.gif", GIF_START).status, 204);
    peer.assert_healthy();
}

#[test]
fn a_store_that_cannot_be_opened_at_start_is_opened_later() {
    let mut peer = InternalApiServer::without_start(|_| ());
    fs::write(peer.store(), "a file where the folder should be").unwrap();
    peer.start_process();
    assert_server_error(&peer, &peer.download("public/a.gif"));
    assert_server_error(&peer, &peer.upload("public/a.gif", GIF_START));
    assert_eq!(peer.send(&Request::new("GET", "/article")).status, 200, "other methods work");
    fs::remove_file(peer.store()).unwrap();
    peer.assert_healthy();
}

#[test]
fn uploads_fail_after_the_store_has_been_removed() {
    let mut peer = InternalApiServer::start();
    assert_eq!(peer.upload("public/old.gif", GIF_START).status, 204);
    fs::remove_dir_all(peer.store()).unwrap();
    assert_eq!(peer.download("public/old.gif").status, 404);
    assert_server_error(&peer, &peer.upload("public/new.gif", GIF_START));
    assert!(!peer.store().exists(), "the server does not create a new folder");
    peer.start_process();
    peer.assert_healthy();
}

#[test]
fn a_database_that_is_moved_away_and_back_is_used_again() {
    let peer = InternalApiServer::start();
    assert_eq!(peer.send(&peer.cache_request("cache/first")).status, 200);
    let (file, away) = (peer.folder().join("data/demo.db"), peer.folder().join("data/away.db"));
    fs::rename(&file, &away).unwrap();
    assert_caches_fail(&peer);
    assert_eq!(peer.upload("public/meanwhile.gif", GIF_START).status, 204, "files need no database");
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
                    assert_server_error(&peer, &response);
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

/// Opens a connection, and sends the first bytes of a request.
fn send_prefix(peer: &InternalApiServer, request: &Request, length: usize) -> Connection {
    let mut connection = peer.connect();
    connection.write(&request.bytes()[..length]);
    connection
}

#[test]
fn interrupted_uploads_leave_no_staged_files() {
    let peer = InternalApiServer::start();
    let content = gif_of_size(700 << 10);
    let one = peer.upload_request("public/one.gif", &content);
    let named_first = [(FILENAME_DISPOSITION, &b"public/one.gif"[..]), (CONTENT_DISPOSITION, &content)];
    let named_first = peer.request("POST", "/iapi/file").multipart(&named_first);
    let several =
        peer.upload_all_request(&[("public/a.gif", &content[..200 << 10]), ("public/b.gif", &content[..200 << 10])]);
    for request in [&one, &named_first, &several] {
        let (head, all) = (request.head().len(), request.bytes().len());
        let ends = [head, head + 20, head + 100, head + (100 << 10), head + (350 << 10), all - 200, all - 4, all - 1];
        for end in ends {
            drop(send_prefix(&peer, request, end));
            // A client that stops sending, but still reads, receives an error.
            let mut half = send_prefix(&peer, request, end);
            half.stream.shutdown(Shutdown::Write).unwrap();
            if let Ok(response) = half.try_read_response(false) {
                assert_eq!(response.status, 400, "{end} of {all}: {response:?}");
            }
        }
        // Uploads of slow clients do not block other uploads. Their staged files are removed when the clients
        // disconnect.
        let waiting: Vec<_> = (0..4).map(|_| send_prefix(&peer, request, all - 4)).collect();
        assert!(wait_until(|| !staged_files(&peer.store()).is_empty()), "files are staged");
        assert_eq!(peer.upload("public/other.gif", GIF_START).status, 204);
        drop(waiting);
        peer.assert_staged(0);
        assert_eq!(peer.stored_tree().into_keys().collect::<Vec<_>>(), ["public/", "public/other.gif"]);
    }
    peer.assert_healthy();
}

#[test]
fn an_upload_whose_client_disconnects_before_the_response_stores_all_files_or_none() {
    let peer = InternalApiServer::start();
    let content = gif_of_size(300 << 10);
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
fn interrupted_downloads_do_not_block_other_requests() {
    let peer = InternalApiServer::start();
    let path = peer.store().join("public/large.gif");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, gif_of_size(32 << 20)).unwrap();
    for _ in 0..8 {
        let mut connection = peer.connect();
        connection.write(&peer.download_request("GET", "public/large.gif").bytes());
        assert!(connection.read_more());
    }
    let open = || {
        let files = fs::read_dir(format!("/proc/{}/fd", peer.process_id())).unwrap();
        files.filter(|file| fs::read_link(file.as_ref().unwrap().path()).is_ok_and(|target| target == path)).count()
    };
    if cfg!(target_os = "linux") {
        assert!(wait_until(|| open() == 0), "{} are still open", open());
    }
    peer.assert_healthy();
}

#[test]
fn a_truncated_multipart_upload_is_refused() {
    let peer = InternalApiServer::start();
    let whole = crate::client::multipart(&upload_parts(&[("public/a.gif", &gif_of_size(1_000))]));
    for cut in [10, 60, 200, 1_000, whole.len() - 30, whole.len() - 5] {
        let request = peer.request("POST", "/iapi/file").body("multipart/form-data; boundary=XX", &whole[..cut]);
        let response = peer.send(&request);
        assert_eq!(response.status, 400, "{cut}: {response:?}");
    }
    assert_eq!(peer.stored_tree(), [].into());
    peer.assert_staged(0);
    peer.assert_healthy();
}
