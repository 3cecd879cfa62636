//! Tests with database errors: the demo reports them, loses no acknowledged writes, and works again after their cause
//! is removed.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{DemoFolder, Server};
use crate::client::{Response, wait_until};
use support::unprivileged_user::UNPRIVILEGED_USER_ID;

/// Asserts that a response has status 503 and does not reveal the cause of the error.
#[track_caller]
fn assert_unavailable(response: &Response) {
    response.assert_error(503, "");
    for word in ["demo", "sql", "database", "/data"] {
        assert!(!String::from_utf8_lossy(&response.body).contains(word), "{response:?}");
    }
}

/// Asserts that `/readyz` soon reports that the database is ready, or not ready.
#[track_caller]
fn assert_readiness(server: &Server, is_ready: bool) {
    let expected = if is_ready { (200, "ok") } else { (503, "failed") };
    let readiness = || {
        let response = server.get("/readyz");
        (response.status, response.json()["checks"]["database"].as_str().unwrap().to_owned())
    };
    assert!(wait_until(|| readiness() == (expected.0, expected.1.to_owned())), "{:?}", readiness());
}

/// Tries to create an article, and returns the response.
fn try_writing(server: &Server, token: &str, text: &str) -> Response {
    server.send_json("POST", "/article", Some(token), &json!({ "title": "Try", "text": text }))
}

#[test]
fn a_database_file_that_cannot_be_opened_is_reported() {
    let place = DemoFolder::new();
    fs::create_dir_all(place.database_file()).unwrap();
    let server = place.serve();
    assert_unavailable(&server.get("/article"));
    assert_unavailable(&server.send_json("POST", "/user/login", None, &json!({ "login": "ada", "password": "x" })));
    assert_eq!(server.get("/article?page=0").status, 400, "errors that need no database are returned");
    assert!(server.process.log().contains("unable to open database file"), "{}", server.process.log());
    fs::remove_dir(place.database_file()).unwrap();
    assert_eq!(server.article_count(), 12);
}

#[test]
fn a_file_that_is_not_a_database_is_reported_and_left_unchanged() {
    let place = DemoFolder::new();
    fs::create_dir(place.folder.path().join("data")).unwrap();
    fs::write(place.database_file(), "This is not a database. ".repeat(100)).unwrap();
    let server = place.serve();
    assert_unavailable(&server.get("/article"));
    assert_eq!(fs::read_to_string(place.database_file()).unwrap().len(), 2400, "the file is unchanged");
    assert_readiness(&server, false);
    fs::remove_file(place.database_file()).unwrap();
    assert_eq!(server.article_count(), 12);
    assert_readiness(&server, true);
}

#[test]
fn a_locked_database_can_be_read() {
    let place = DemoFolder::new();
    let server = place.serve();
    let token = server.log_in_as_editor();
    let other = place.connect_to_database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(server.article_count(), 12, "reads succeed");
    let begun = Instant::now();
    assert_unavailable(&try_writing(&server, &token, "Locked"));
    assert!(begun.elapsed() < Duration::from_secs(8), "it waited {:?}", begun.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(try_writing(&server, &token, "Unlocked").status, 201);
    assert_eq!(server.article_count(), 13);
}

#[test]
fn readers_do_not_wait_for_writers() {
    let place = DemoFolder::new();
    let server = place.serve();
    let token = server.log_in_as_editor();
    let other = place.connect_to_database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    std::thread::scope(|scope| {
        let (server, token) = (&server, &token);
        // There are more writers than connections to the database.
        let writers: Vec<_> =
            (0..48).map(|_| scope.spawn(move || try_writing(server, token, "Locked").status)).collect();
        let mut reads = 0;
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            assert_eq!(server.article_count(), 12, "after {reads} reads");
            reads += 1;
        }
        assert!(reads > 0);
        let statuses: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        assert_eq!(statuses, [503; 48]);
    });
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(try_writing(&server, &token, "Unlocked").status, 201);
}

#[test]
fn a_database_that_is_locked_at_the_start_is_opened_later() {
    let place = DemoFolder::new();
    let _ = place.serve().article_count();
    let server = place.serve();
    let other = place.connect_to_database();
    other.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_unavailable(&server.get("/article"));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.article_count(), 12);
}

#[test]
fn a_database_that_is_deleted_while_the_server_is_stopped_is_created_again() {
    let place = DemoFolder::new();
    let server = place.serve();
    server.create_article(&server.log_in_as_editor(), "Deleted");
    drop(server);
    fs::remove_file(place.database_file()).unwrap();
    assert_eq!(place.serve().article_count(), 12, "a new database");
}

#[cfg(unix)]
#[test]
fn a_read_only_database_can_be_read() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    use std::os::unix::process::CommandExt;

    let place = DemoFolder::new();
    let _ = place.serve().article_count();
    let folder = place.folder.path().join("data");
    let restrict = |folder_mode, file_mode| {
        for entry in fs::read_dir(&folder).unwrap() {
            fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(file_mode)).unwrap();
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(folder_mode)).unwrap();
    };
    let mut command = place.command();
    if fs::metadata(&folder).unwrap().uid() == 0 {
        // The user root can write every file, so that the server runs as another user.
        let program = place.folder.path().join("program");
        fs::copy(env!("CARGO_BIN_EXE_article-site"), &program).unwrap();
        command = Command::new(program);
        command.current_dir(place.folder.path()).env_clear().uid(UNPRIVILEGED_USER_ID).gid(UNPRIVILEGED_USER_ID);
        fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        chown(&folder, Some(UNPRIVILEGED_USER_ID), Some(UNPRIVILEGED_USER_ID)).unwrap();
        for entry in fs::read_dir(&folder).unwrap() {
            chown(entry.unwrap().path(), Some(UNPRIVILEGED_USER_ID), Some(UNPRIVILEGED_USER_ID)).unwrap();
        }
    }
    restrict(0o555, 0o444);
    let server = place.serve_with_command(command);
    assert_eq!(server.article_count(), 12, "reads succeed");
    let login = json!({ "login": "ada", "password": "analytical engine" });
    assert_unavailable(&server.send_json("POST", "/user/login", None, &login));
    restrict(0o755, 0o644);
    drop(server);
    let server = place.serve();
    server.create_article(&server.log_in_as_editor(), "Writable");
    assert_eq!(server.article_count(), 13);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_no_acknowledged_write() {
    let place = DemoFolder::new();
    let _ = place.serve().article_count();
    // The shell limits the size of files to 512 KiB, and ignores the signal that a write over the limit causes.
    let mut command = Command::new("bash");
    let program = env!("CARGO_BIN_EXE_article-site");
    command.args(["-c", "trap '' XFSZ; ulimit -S -f 512; exec \"$@\"", "bash", program]);
    command.current_dir(place.folder.path());
    crate::server_process::clear(&mut command);
    let server = place.serve_with_command(command);
    let token = server.log_in_as_editor();
    let text = "line\n".repeat(4000);
    let mut acknowledged = 12;
    let refused = loop {
        let response = try_writing(&server, &token, &text);
        if response.status != 201 {
            break response;
        }
        acknowledged += 1;
        assert!(acknowledged < 200, "the limit is never reached");
    };
    assert_unavailable(&refused);
    assert!(acknowledged > 12);
    assert_eq!(server.article_count(), acknowledged, "reads succeed");
    let limit = format!("--pid={}", server.process.id());
    assert!(Command::new("prlimit").args([&limit, "--fsize=unlimited"]).status().unwrap().success());
    assert_eq!(try_writing(&server, &token, &text).status, 201);
    drop(server);
    assert_eq!(place.serve().article_count(), acknowledged + 1);
}
