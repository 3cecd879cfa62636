//! Tests the limits of connections.

use std::path::Path;
use std::process::Command;

use rulebook::Settings;
use serde_json::json;
use tempfile::TempDir;

use crate::client::{Connection, Request, engine, wait_until};
use crate::server_process::{ServerProcess, clear, copy_files, free_address};

#[test]
fn a_client_address_has_a_maximum_number_of_connections() {
    let definition = json!({ "GET": { "info": "Nothing" } });
    let engine = engine(&[("app.json", json!({ "unbound": "echo" })), ("site.json", definition)], |engine| engine);
    let settings = Settings::new().with_bind(["127.0.0.1:0"]).with_workers(1).with_address_connections(2);
    let running = engine.serve(&settings).unwrap();
    let address = running.addresses()[0];
    let mut connections: Vec<_> = (0..2).map(|_| Connection::open(address)).collect();
    for connection in &mut connections {
        assert_eq!(connection.send(&Request::new("GET", "/")).status, 200);
    }
    Connection::open(address).assert_closed();
    let metrics = connections[0].send(&Request::new("GET", "/metrics"));
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.contains("rulebook_connection_limits_exceeded_total{limit=\"address-connections\"} 1\n"), "{text}");
    drop(connections.pop());
    // The server learns in its next turn that the client has closed the connection.
    let is_accepted = || {
        let mut connection = Connection::open(address);
        connection.write(&Request::new("GET", "/").bytes());
        connection.try_read_response(false).is_ok()
    };
    assert!(wait_until(is_accepted), "the connection does not become free");
    running.stop().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn the_state_of_a_server_can_be_requested_while_all_its_connections_are_used() {
    let folder = TempDir::new().unwrap();
    copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &folder.path().join("api"));
    // Half of the files of the process are connections.
    let mut command = Command::new("bash");
    command.args(["-c", "ulimit -n 200; exec \"$@\"", "bash", env!("CARGO_BIN_EXE_article-site")]);
    command.args(["--address-connections", "0"]).current_dir(folder.path());
    clear(&mut command);
    let address = free_address();
    let _server = ServerProcess::run(&mut command, folder.path(), &address);
    let address = address.parse().unwrap();
    let mut connections = Vec::new();
    while connections.len() < 100 {
        let mut connection = Connection::open(address);
        let response = connection.send(&Request::new("GET", "/healthz"));
        assert_eq!(response.status, 200);
        // The connection that has shown that the server listens may still count, so that this one is reserved.
        if response.field("connection").is_none() {
            connections.push(connection);
        }
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        let response = Connection::open(address).send(&Request::new("GET", path));
        assert_eq!((response.status, response.field("connection")), (200, Some("close")), "{path}");
    }
    let response = Connection::open(address).send(&Request::new("GET", "/article/3"));
    assert_eq!((response.status, response.field("connection")), (503, Some("close")));
    let silent: Vec<_> = (0..16).map(|_| Connection::open(address)).collect();
    Connection::open(address).assert_closed();
    // The reserved connections are soon free again.
    silent.into_iter().for_each(|connection| connection.assert_closed());
    let is_healthy = || {
        let mut connection = Connection::open(address);
        connection.write(&Request::new("GET", "/healthz").bytes());
        connection.try_read_response(false).is_ok_and(|response| response.status == 200)
    };
    assert!(wait_until(is_healthy), "the reserved connections do not become free");
    drop(connections);
}
