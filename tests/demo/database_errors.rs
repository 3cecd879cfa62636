//! Errors of the database: the demo reports them, loses no acknowledged writes, and recovers.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{POSTGRES, Place, Server};
use crate::client::{Request, Response, wait_until};

/// Asserts that a response has status 503 and does not reveal the cause.
#[track_caller]
fn assert_unavailable(response: &Response) {
    response.assert_error(503, "unavailable");
    for word in ["demo", "sql", "postgres", "database", "/"] {
        assert!(!String::from_utf8_lossy(&response.body).contains(word), "{response:?}");
    }
}

/// Asserts that `/readyz` soon reports this.
#[track_caller]
fn assert_ready(server: &Server, ready: bool) {
    let expected = if ready { (200, "ok") } else { (503, "failed") };
    let readiness = || {
        let response = server.get("/readyz");
        (response.status, response.json()["checks"]["database"].as_str().unwrap().to_owned())
    };
    assert!(wait_until(|| readiness() == (expected.0, expected.1.to_owned())), "{:?}", readiness());
}

/// Tries to create an article.
fn try_writing(server: &Server, token: &str, text: &str) -> Response {
    server.send_json("POST", "/article", Some(token), &json!({ "title": "Try", "text": text }))
}

/// Replaces the database file.
fn replace(place: &Place, other: &Path) {
    for end in ["-wal", "-shm"] {
        fs::remove_file(format!("{}{end}", place.file().display())).unwrap();
    }
    fs::rename(other, place.file()).unwrap();
}

#[test]
fn a_database_file_that_cannot_be_opened_is_reported() {
    let place = Place::sqlite();
    fs::create_dir_all(place.file()).unwrap();
    let server = place.serve();
    assert_unavailable(&server.get("/article"));
    assert_unavailable(&server.send_json("POST", "/user/login", None, &json!({ "login": "ada", "password": "x" })));
    assert_eq!(server.get("/article?page=0").status, 400, "errors that need no database are returned");
    assert!(server.process.log().contains("unable to open database file"), "{}", server.process.log());
    fs::remove_dir(place.file()).unwrap();
    assert_eq!(server.total(), 12);
}

#[test]
fn a_file_that_is_not_a_database_is_reported_and_left_unchanged() {
    let place = Place::sqlite();
    fs::create_dir(place.folder.path().join("data")).unwrap();
    fs::write(place.file(), "This is not a database. ".repeat(100)).unwrap();
    let server = place.serve();
    assert_unavailable(&server.get("/article"));
    assert_eq!(fs::read_to_string(place.file()).unwrap().len(), 2400, "the file is unchanged");
    assert_ready(&server, false);
    fs::remove_file(place.file()).unwrap();
    assert_eq!(server.total(), 12);
    assert_ready(&server, true);
}

#[test]
fn a_locked_database_can_be_read() {
    let place = Place::sqlite();
    let server = place.serve();
    let token = server.editor();
    let mut other = place.sql();
    other.execute("BEGIN EXCLUSIVE");
    assert_eq!(server.total(), 12, "reads succeed");
    let begun = Instant::now();
    assert_unavailable(&try_writing(&server, &token, "Locked"));
    assert!(begun.elapsed() < Duration::from_secs(8), "it waited {:?}", begun.elapsed());
    other.execute("ROLLBACK");
    assert_eq!(try_writing(&server, &token, "Unlocked").status, 201);
    assert_eq!(server.total(), 13);
}

#[test]
fn readers_do_not_wait_for_writers() {
    let place = Place::sqlite();
    let server = place.serve();
    let token = server.editor();
    let mut other = place.sql();
    other.execute("BEGIN EXCLUSIVE");
    std::thread::scope(|scope| {
        let (server, token) = (&server, &token);
        // More writers than connections.
        let writers: Vec<_> =
            (0..48).map(|_| scope.spawn(move || try_writing(server, token, "Locked").status)).collect();
        let mut reads = 0;
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            assert_eq!(server.total(), 12, "after {reads} reads");
            reads += 1;
        }
        assert!(reads > 0);
        let statuses: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        assert_eq!(statuses, [503; 48]);
    });
    other.execute("ROLLBACK");
    assert_eq!(try_writing(&server, &token, "Unlocked").status, 201);
}

#[test]
fn a_database_that_is_locked_at_the_start_is_opened_later() {
    let place = Place::sqlite();
    let _ = place.serve().total();
    let server = place.serve();
    let mut other = place.sql();
    other.execute("PRAGMA journal_mode = DELETE");
    other.execute("BEGIN EXCLUSIVE");
    assert_unavailable(&server.get("/article"));
    other.execute("ROLLBACK");
    assert_eq!(server.total(), 12);
}

#[test]
fn a_removed_database_is_used_again_when_it_is_restored() {
    let place = Place::sqlite();
    let server = place.serve();
    let token = server.editor();
    server.write(&token, "Acknowledged");
    let away = place.folder.path().join("away");
    fs::rename(place.file(), &away).unwrap();
    for _ in 0..2 {
        assert_unavailable(&server.get("/article"));
        assert_unavailable(&try_writing(&server, &token, "Lost"));
        let public = Request::new("GET", "/article").field("authorization", format_args!("Bearer {token}"));
        assert_unavailable(&server.send(&public));
    }
    assert_ready(&server, false);
    assert!(!place.file().exists(), "no new file is created");
    assert!(server.process.log().contains("was removed"), "{}", server.process.log());
    fs::rename(&away, place.file()).unwrap();
    assert_eq!(server.total(), 13);
    assert_ready(&server, true);
    server.write(&token, "Again");
    drop(server);
    assert_eq!(place.serve().total(), 14);
}

#[test]
fn a_database_that_is_replaced_by_a_copy_is_used() {
    let place = Place::sqlite();
    let server = place.serve();
    server.write(&server.editor(), "Before the copy");
    place.sql().execute("PRAGMA wal_checkpoint(TRUNCATE)");
    let copy = place.folder.path().join("copy");
    fs::copy(place.file(), &copy).unwrap();
    let token = server.editor();
    server.write(&token, "After the copy");
    assert_eq!(server.total(), 14);
    replace(&place, &copy);
    assert_eq!(server.total(), 13, "the new file is used");
    server.write(&server.editor(), "In the copy");
    drop(server);
    assert_eq!(place.serve().total(), 14);
}

#[test]
fn writes_are_acknowledged_only_if_the_file_was_not_replaced_meanwhile() {
    let place = Place::sqlite();
    let server = place.serve();
    let token = server.editor();
    place.sql().execute("PRAGMA wal_checkpoint(TRUNCATE)");
    let copy = place.folder.path().join("copy");
    fs::copy(place.file(), &copy).unwrap();
    let mut other = place.sql();
    other.execute("BEGIN EXCLUSIVE");
    let response = std::thread::scope(|scope| {
        let writer = scope.spawn(|| try_writing(&server, &token, "To which one?"));
        std::thread::sleep(Duration::from_millis(300));
        replace(&place, &copy);
        // The server opens the new file when no request uses the old one.
        let reader = scope.spawn(|| server.get("/article"));
        std::thread::sleep(Duration::from_millis(300));
        other.execute("ROLLBACK");
        let _ = reader.join();
        writer.join().unwrap()
    });
    if response.status == 201 {
        assert_eq!(server.total(), 13, "no acknowledged write is lost");
    } else {
        assert_unavailable(&response);
        assert_eq!(server.total(), 12);
    }
}

#[test]
fn a_database_that_is_deleted_while_the_server_is_stopped_is_created_again() {
    let place = Place::sqlite();
    let server = place.serve();
    server.write(&server.editor(), "Deleted");
    drop(server);
    fs::remove_file(place.file()).unwrap();
    assert_eq!(place.serve().total(), 12, "a new database");
}

#[cfg(unix)]
#[test]
fn a_read_only_database_can_be_read() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    use std::os::unix::process::CommandExt;

    /// The user id of the unprivileged Unix account `nobody`.
    const NOBODY: u32 = 65534;

    let place = Place::sqlite();
    let _ = place.serve().total();
    let folder = place.folder.path().join("data");
    let restrict = |folder_mode, file_mode| {
        for entry in fs::read_dir(&folder).unwrap() {
            fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(file_mode)).unwrap();
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(folder_mode)).unwrap();
    };
    let mut command = place.command();
    if fs::metadata(&folder).unwrap().uid() == 0 {
        // Nothing is read-only for root, so that another user runs the server.
        let program = place.folder.path().join("program");
        fs::copy(env!("CARGO_BIN_EXE_article-site"), &program).unwrap();
        command = Command::new(program);
        command.current_dir(place.folder.path()).env_clear().uid(NOBODY).gid(NOBODY);
        fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        for entry in fs::read_dir(&folder).unwrap() {
            chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    restrict(0o555, 0o444);
    let server = place.serve_as(command);
    assert_eq!(server.total(), 12, "reads succeed");
    let login = json!({ "login": "ada", "password": "analytical engine" });
    assert_unavailable(&server.send_json("POST", "/user/login", None, &login));
    restrict(0o755, 0o644);
    server.write(&server.editor(), "Writable");
    assert_eq!(server.total(), 13);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_no_acknowledged_write() {
    let place = Place::sqlite();
    let _ = place.serve().total();
    // The limit on the size of files is 512 KiB, and its signal is ignored.
    let mut command = Command::new("bash");
    let program = env!("CARGO_BIN_EXE_article-site");
    command.args(["-c", "trap '' XFSZ; ulimit -S -f 512; exec \"$@\"", "bash", program]);
    command.current_dir(place.folder.path());
    crate::server_process::clear(&mut command);
    let server = place.serve_as(command);
    let token = server.editor();
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
    assert_eq!(server.total(), acknowledged, "reads succeed");
    let limit = format!("--pid={}", server.process.id());
    assert!(Command::new("prlimit").args([&limit, "--fsize=unlimited"]).status().unwrap().success());
    assert_eq!(try_writing(&server, &token, &text).status, 201);
    drop(server);
    assert_eq!(place.serve().total(), acknowledged + 1);
}

#[test]
fn postgres_can_be_stopped_and_started_again() {
    let Some(place) = Place::postgres(false) else { return };
    let _nobody_else = POSTGRES.write().unwrap_or_else(PoisonError::into_inner);
    let control = |what: &str| {
        let control = std::env::var("TEST_POSTGRES_CTL").unwrap();
        assert!(Command::new(control).arg(what).output().unwrap().status.success(), "{what}");
    };
    let server = place.serve();
    let token = server.editor();
    server.write(&token, "Acknowledged");
    control("stop");
    let unopened = place.serve();
    let begun = Instant::now();
    for server in [&server, &unopened] {
        assert_unavailable(&server.get("/article"));
        assert_unavailable(&try_writing(server, &token, "Lost"));
        assert_ready(server, false);
        assert_unavailable(&server.send_json("POST", "/user/login", None, &json!({ "login": "ada", "password": "x" })));
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "they waited {:?}", begun.elapsed());
    control("start");
    for server in [&server, &unopened] {
        assert_eq!(server.total(), 13);
        assert_ready(server, true);
    }
    unopened.write(&token, "Again");
    assert_eq!(server.total(), 14);
}
