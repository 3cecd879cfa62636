//! Upstreams that are reached over sockets in the file system.

#![cfg(unix)]

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::thread;

use serde_json::json;

use super::{json_response, serve};

#[test]
fn an_upstream_is_reached_over_a_socket_in_the_file_system() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let upstream = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).unwrap();
        stream.write_all(json_response(r#"{"text":"socket"}"#).as_bytes()).unwrap();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    });
    let client = serve(&json!({ "note/{id}": { "GET": {
        "info": "A note", "in": { "{id}": { "info": "The id", "type": "id" } },
        "out": { "text": { "info": "The text", "type": "string" } },
        "handler": { "http": format!("unix:{}:/notes/{{id}}", path.display()) }
    } } }));
    assert_eq!(client.get("/note/7").send().output("text"), "socket");
    let request = upstream.join().unwrap();
    assert!(request.starts_with("GET /notes/7 HTTP/1.1\r\nhost: localhost\r\n"), "{request}");
    // The listener is closed, but its file exists.
    let response = client.get("/note/7").send();
    assert_eq!(response.status(), 503);
    assert!(!response.text().contains("app.sock"));
}
