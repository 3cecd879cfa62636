//! Tests of when the demo creates, opens and closes its database.

use std::process::{Command, Stdio};

use super::{DemoFolder, Server};
use crate::client::wait_until;

#[test]
fn the_database_is_opened_by_the_first_request_that_needs_it() {
    let place = DemoFolder::new();
    let run = |arguments: &[&str]| {
        let result = place.command().args(arguments).stdout(Stdio::null()).status().unwrap();
        assert!(result.success(), "{arguments:?}");
        assert!(!place.database_file().exists(), "{arguments:?}");
    };
    run(&["check", "--bound"]);
    run(&["routes"]);
    run(&["keys", "add", "--name", "ada"]);
    run(&["call", "article.list", "--unbound", "echo"]);
    let mut echo = place.command();
    echo.args(["--unbound", "echo"]);
    let server = place.serve_with_command(echo);
    assert_eq!(server.get("/article").json()["args"]["page"], 1);
    assert_eq!(server.get("/readyz").status, 200);
    assert!(!place.database_file().exists());
    drop(server);
    let server = place.serve();
    assert!(!place.database_file().exists());
    assert_eq!(server.article_count(), 12);
    assert!(place.database_file().exists());
}

#[test]
fn the_command_call_uses_the_same_database() {
    let place = DemoFolder::new();
    let server = place.serve();
    server.create_article(&server.log_in_as_editor(), "Called");
    let call = place.command().args(["call", "GET /article/13"]).output().unwrap();
    let output: serde_json::Value = serde_json::from_slice(&call.stdout).unwrap();
    assert_eq!(output["article"]["title"], "Called");
}

#[test]
fn the_database_is_in_the_data_folder() {
    let place = DemoFolder::new();
    for (arguments, file) in
        [(&["--data", "own folder/#1?x=%41"][..], "own folder/#1?x=%41/demo.db"), (&["--data", "."], "demo.db")]
    {
        let mut command = place.command();
        let server = place.serve_with_command({
            command.args(arguments);
            command
        });
        assert_eq!(server.article_count(), 12);
        assert!(place.folder.path().join(file).is_file(), "{file}");
    }
    assert!(!place.database_file().exists());
}

#[test]
fn concurrent_processes_create_the_database_once() {
    let place = DemoFolder::new();
    let servers: Vec<Server> = (0..3).map(|_| place.serve_beside_others()).collect();
    let totals: Vec<u64> = std::thread::scope(|scope| {
        let asked: Vec<_> = servers
            .iter()
            .flat_map(|server| [server, server])
            .map(|server| scope.spawn(|| server.article_count()))
            .collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(totals, [12; 6]);
    let token = servers[0].log_in_as_editor();
    servers[1].create_article(&token, "Seen by all");
    assert_eq!(servers[2].article_count(), 13);
}

#[test]
fn acknowledged_writes_survive_a_kill() {
    let place = DemoFolder::new();
    let mut acknowledged = 12;
    for _ in 0..3 {
        let server = place.serve();
        assert_eq!(server.article_count(), acknowledged);
        let token = server.log_in_as_editor();
        for n in 0..5 {
            server.create_article(&token, &n.to_string());
        }
        acknowledged += 5;
        // Dropping the server kills its process, so that it cannot close the database.
        drop(server);
    }
    assert_eq!(place.serve().article_count(), acknowledged);
}

#[cfg(unix)]
#[test]
fn requests_in_progress_are_completed_when_the_server_stops() {
    let place = DemoFolder::new();
    let mut command = place.command();
    command.args(["--workers", "4"]);
    let server = place.serve_with_command(command);
    let token = server.log_in_as_editor();
    let together = |count: u32, work: &(dyn Fn(u32) + Sync), meanwhile: &mut dyn FnMut()| {
        std::thread::scope(|scope| {
            let working: Vec<_> = (0..count).map(|n| scope.spawn(move || work(n))).collect();
            meanwhile();
            working.into_iter().for_each(|one| one.join().unwrap());
        });
    };
    // All workers open connections to the database. Most of the workers have no request to complete when the server
    // stops.
    together(32, &|_| assert_eq!(server.article_count(), 12), &mut || ());
    let other = place.connect_to_database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    together(3, &|n| assert!(server.create_article(&token, &n.to_string()) > 12), &mut || {
        // The requests in flight are the three writes and the request for the metrics.
        let in_flight = || String::from_utf8(server.get("/metrics").body).unwrap();
        assert!(wait_until(|| in_flight().contains("\nrulebook_requests_in_flight 4\n")), "{}", in_flight());
        let id = server.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(wait_until(|| server.process.log().contains("stopping")), "{}", server.process.log());
        other.execute_batch("ROLLBACK").unwrap();
    });
    drop(server);
    assert_eq!(place.serve().article_count(), 15);
}
