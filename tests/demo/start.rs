//! When the database is opened, and how often it is made.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Place, Server};

#[test]
fn nothing_is_opened_before_it_is_needed() {
    let place = Place::sqlite();
    let run = |arguments: &[&str]| {
        let ran = place.command().args(arguments).stdout(Stdio::null()).status().unwrap();
        assert!(ran.success(), "{arguments:?}");
        assert!(!place.file().exists(), "{arguments:?}");
    };
    run(&["check", "--bound"]);
    run(&["routes"]);
    run(&["keys", "add", "--name", "ada"]);
    run(&["call", "article.list", "--unbound", "echo"]);
    let mut echo = place.command();
    echo.args(["--unbound", "echo"]);
    let server = place.serve_as(echo);
    assert_eq!(server.get("/article").json()["args"]["page"], 1);
    assert_eq!(server.get("/readyz").status, 200);
    assert!(!place.file().exists());
    drop(server);
    let server = place.serve();
    assert!(!place.file().exists());
    assert_eq!(server.total(), 12);
    assert!(place.file().exists());
}

#[test]
fn a_call_without_a_socket_uses_the_same_database() {
    Place::each(|place| {
        let server = place.serve();
        server.write(&server.editor(), "Called");
        let call = place.command().args(["call", "GET /article/13"]).output().unwrap();
        let said: serde_json::Value = serde_json::from_slice(&call.stdout).unwrap();
        assert_eq!(said["article"]["title"], "Called");
    });
}

#[test]
fn the_folder_is_the_servers() {
    let place = Place::sqlite();
    for (arguments, file) in
        [(&["--data", "own folder/#1?x=%41"][..], "own folder/#1?x=%41/demo.db"), (&["--data", "."], "demo.db")]
    {
        let mut command = place.command();
        let server = place.serve_as({
            command.args(arguments);
            command
        });
        assert_eq!(server.total(), 12);
        assert!(place.folder.path().join(file).is_file(), "{file}");
    }
    assert!(!place.file().exists());
}

#[test]
fn processes_that_start_at_once_make_it_once() {
    Place::each(|place| {
        let servers: Vec<Server> = (0..3).map(|_| place.serve()).collect();
        let totals: Vec<u64> = std::thread::scope(|scope| {
            let asked: Vec<_> = servers
                .iter()
                .flat_map(|server| [server, server])
                .map(|server| scope.spawn(|| server.total()))
                .collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(totals, [12; 6]);
        let token = servers[0].editor();
        servers[1].write(&token, "Seen by all");
        assert_eq!(servers[2].total(), 13);
    });
}

#[test]
fn what_was_acknowledged_survives_being_killed() {
    Place::each(|place| {
        let mut acknowledged = 12;
        for _ in 0..3 {
            let server = place.serve();
            assert_eq!(server.total(), acknowledged);
            let token = server.editor();
            for n in 0..5 {
                server.write(&token, &n.to_string());
            }
            acknowledged += 5;
            // It is killed: nothing is closed, nothing written at the end.
            drop(server);
        }
        assert_eq!(place.serve().total(), acknowledged);
    });
}

#[cfg(unix)]
#[test]
fn what_is_in_flight_when_it_stops_is_finished() {
    Place::each(|place| {
        let mut command = place.command();
        command.args(["--workers", "4"]);
        let server = place.serve_as(command);
        let token = server.editor();
        let together = |count: u32, work: &(dyn Fn(u32) + Sync), meanwhile: &mut dyn FnMut()| {
            std::thread::scope(|scope| {
                let working: Vec<_> = (0..count).map(|n| scope.spawn(move || work(n))).collect();
                meanwhile();
                working.into_iter().for_each(|one| one.join().unwrap());
            });
        };
        // Connections to the database are opened by all workers, most of which then have nothing to finish.
        together(32, &|_| assert_eq!(server.total(), 12), &mut || ());
        let mut other = place.sql();
        other.execute(if place.is_postgres() { "BEGIN; LOCK TABLE articles" } else { "BEGIN EXCLUSIVE" });
        together(3, &|n| assert!(server.write(&token, &n.to_string()) > 12), &mut || {
            std::thread::sleep(Duration::from_millis(400));
            let id = server.served.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
            std::thread::sleep(Duration::from_millis(600));
            other.execute("ROLLBACK");
        });
        drop(server);
        assert_eq!(place.serve().total(), 15);
    });
}
