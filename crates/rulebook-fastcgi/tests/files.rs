//! Uploads to plain scripts, and downloads from them.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Duration;

use rulebook_test::Client;
use serde_json::{Value as Json, json};

use super::definitions::rulebook;
use super::php_fpm::{PhpFpm, data};

fn client(fpm: &PhpFpm, script: &str, method: &Json, shared: &Json) -> Client {
    let mut app = super::definitions::settings(&fpm.address(), shared);
    app["handlers"]["fastcgi"]["script"] = json!(data(script));
    let http = if script.contains("download") { "GET" } else { "PUT" };
    Client::new(rulebook(&app, &json!({ "/": { "file": { http: method } } }))).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn uploaded_files_reach_a_script() {
    let Some(fpm) = PhpFpm::start() else { return };
    let method = json!({
        "info": "Saves files",
        "in": {
            "title": { "info": "A title", "type": "string" },
            "sizes": { "info": "Sizes", "type": "?map<string>" },
            "picture": { "info": "A picture", "type": "file", "max": "2MB" },
            "more": { "info": "More", "type": "?array<file>" }
        },
        "out": { "*": { "info": "All", "type": "object" } }
    });
    let client = client(&fpm, "plain/files.php", &method, &json!({}));
    // Bytes that look like the end of a part, and more than the buffers of a socket.
    let content: Vec<u8> = b"\r\n--rulebook-\r\n\0\xff".repeat(90_000);
    let request = client.put("/file").field("title", "a\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n");
    // Characters that a form escapes, or that could end the name.
    let sizes = json!({ "a\"b": "1", "\\": "2", "c\\\"; x=\"y": "3", "\u{1}\t\u{2028}é": "4" });
    let request = request.field("sizes", sizes.to_string());
    let request = request.file("picture", "é.png", content.clone()).file("more", "empty", "").file("more", "b", "b");
    let response = request.send();
    let json = &response.json()["result"];
    assert_eq!(json["title"], "a\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n", "{}", response.text());
    assert_eq!((&json["picture"]["name"], &json["picture"]["size"]), (&json!("é.png"), &json!(content.len())));
    assert_eq!(json["sizes"], sizes);
    assert!(json["picture"]["content"] == hex::encode(&content), "the content has changed");
    let sizes: Vec<_> = json["more"].as_array().unwrap().iter().map(|file| file["size"].clone()).collect();
    assert_eq!(sizes, [0, 1]);
}

fn download() -> Json {
    json!({
        "info": "A file",
        "options": { "download": true },
        "in": { "GET@size": { "info": "Its size", "type": "int" }, "GET@breaks": { "info": "Whether it breaks", "type": "?bool" } },
        "errors": { "no_such_article": { "status": 404, "info": "there is no such article" } }
    })
}

#[test]
fn a_script_returns_a_file_or_a_declared_error() {
    let Some(fpm) = PhpFpm::start() else { return };
    let client = client(&fpm, "plain/download.php", &download(), &json!({}));
    let file = client.get("/file?size=100").send();
    assert_eq!(file.body().len(), 100);
    assert_eq!(file.header("Content-Type").map(|value| value.starts_with("text/csv")), Some(true));
    assert_eq!(file.header("Content-Disposition"), Some("attachment; filename=\"all articles.csv\""));
    assert_eq!(file.header("Cache-Control"), Some("no-store"));
    assert_eq!(file.header("X-Powered-By"), None);
    let error = client.get("/file?size=0").send();
    assert_eq!((error.status(), error.code()), (404, Some("no_such_article")));
}

/// Sends a request without a client that would read the response into memory.
fn open(client: &Client, target: &str) -> TcpStream {
    let mut socket = TcpStream::connect(client.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    io::Write::write_all(&mut socket, request.as_bytes()).unwrap();
    socket
}

#[test]
fn a_large_file_needs_little_memory() {
    const SIZE: u64 = 400 << 20;
    let Some(fpm) = PhpFpm::start() else { return };
    let client = client(&fpm, "plain/download.php", &download(), &json!({}));
    let before = support::memory::peak_bytes(std::process::id());
    let mut socket = open(&client, &format!("/file?size={SIZE}"));
    // A client that pauses does not make the server collect the file.
    socket.read_exact(&mut [0]).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    // `io::copy` retries a read that a signal interrupts, as one does when a process of another test ends.
    let received = io::copy(&mut socket, &mut io::sink()).unwrap();
    assert!(received > SIZE, "{received} bytes");
    let used = support::memory::peak_bytes(std::process::id()).saturating_sub(before);
    assert!(used < SIZE / 2, "the process needed {} MiB more", used >> 20);
}

#[test]
fn a_file_that_php_does_not_complete_ends_its_connection() {
    let Some(fpm) = PhpFpm::start() else { return };
    let client = client(&fpm, "plain/download.php", &download(), &json!({}));
    let mut received = Vec::new();
    let _ = open(&client, "/file?size=2000000&breaks=true").read_to_end(&mut received);
    assert!(received.len() > 500_000, "{} bytes", received.len());
    assert!(!received.ends_with(b"0\r\n\r\n"), "the response looks complete");
    assert_eq!(client.get("/file?size=10").send().body().len(), 10);
}
