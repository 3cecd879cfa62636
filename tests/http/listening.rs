//! Tests at which addresses a server listens, and that it stops after a signal.

#[cfg(unix)]
use std::io::Read;
#[cfg(unix)]
use std::net::TcpStream;
#[cfg(unix)]
use std::process::{Command, Stdio};
use std::time::Duration;

use rulebook::Settings;
use serde_json::json;

use super::echo_server;
#[cfg(unix)]
use crate::client::wait_until;
use crate::client::{Connection, Request, engine};
#[cfg(unix)]
use crate::server_process;

#[test]
fn starting_a_server_at_an_address_in_use_is_an_error() {
    let server = echo_server(&json!({}));
    let taken = server.address().to_string();
    let settings = Settings::new().with_bind([&taken]);
    let error = engine(&[("site.json", json!({}))], |engine| engine).serve(&settings).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&taken), "{error}");
    let nowhere = Settings::new().with_bind([""; 0]);
    assert!(engine(&[("site.json", json!({}))], |engine| engine).serve(&nowhere).is_err());
}

#[test]
fn the_server_listens_at_every_given_address() {
    // A connection may stay open for the longest possible time.
    let two = Settings::new().with_bind(["127.0.0.1:0"; 2]).with_workers(2).with_keep_alive(Duration::MAX);
    let definition = json!({ "GET": { "info": "Nothing" } });
    let running = engine(&[("app.json", json!({ "unbound": "echo" })), ("site.json", definition)], |engine| engine)
        .serve(&two)
        .unwrap();
    assert_eq!(running.addresses().len(), 2);
    for address in running.addresses() {
        let mut connection = Connection::open(*address);
        for _ in 0..2 {
            let response = connection.send(&Request::new("GET", "/"));
            assert_eq!(response.status, 200, "{response:?}");
        }
    }
    running.stop().unwrap();
}

#[cfg(unix)]
#[test]
fn the_program_stops_after_a_termination_signal() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("api")).unwrap();
        std::fs::write(folder.path().join("api/site.json"), r#"{ "GET": { "info": "Nothing" } }"#).unwrap();
        let address = server_process::free_address();
        let mut child = server_process::program(folder.path())
            .args(["serve", "--unbound", "echo", "--bind", &address])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The program catches signals before it prints its first line.
        let count = child.stdout.as_mut().unwrap().read(&mut [0]).unwrap();
        assert_eq!(count, 1, "the program has stopped");
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let ended = wait_until(|| TcpStream::connect(&address).is_err());
        if !ended {
            child.kill().unwrap();
        }
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
    }
}
