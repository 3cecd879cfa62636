//! Files that are streamed from the upstream to the client.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rulebook_test::Client;
use serde_json::json;

use super::fake::{self, Fake, PATIENCE};
use super::serve;

fn serve_file(fake: &Fake) -> Client {
    serve(&json!({ "file": { "GET": {
        "info": "A file", "options": { "download": true },
        "errors": { "no_file": { "status": 404, "info": "there is no file" } },
        "handler": { "http": fake.url("/"), "errors": { "404": "no_file" }, "timeout": 0.5 }
    } } }))
}

/// Sends a GET request and returns the connection, from which the response can be read.
fn request_file(client: &Client) -> TcpStream {
    let mut stream = TcpStream::connect(client.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    stream
}

fn read_all(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset ends like one that is closed.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_file_keeps_its_header_fields() {
    let fake = fake::respond(|_| {
        let fields = "Content-Type: text/csv\r\nContent-Disposition: attachment; filename=\"a.csv\"\r\n\
            ETag: \"v1\"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\nCache-Control: max-age=60\r\n\
            Set-Cookie: a=b\r\nX-Powered-By: test\r\nConnection: Content-Language\r\n";
        format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 5\r\n\r\na,b\r\n")
    });
    let client = serve_file(&fake);
    let response = client.get("/file").send();
    assert_eq!((response.status(), response.text()), (200, "a,b\r\n"));
    for (name, value) in [
        ("content-type", "text/csv"),
        ("content-disposition", "attachment; filename=\"a.csv\""),
        ("etag", "\"v1\""),
        ("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ("cache-control", "max-age=60"),
        ("content-length", "5"),
    ] {
        assert_eq!(response.header(name), Some(value), "{name}");
    }
    for name in ["set-cookie", "x-powered-by"] {
        assert_eq!(response.header(name), None, "{name}");
    }
    assert_eq!(client.get("/file").header("If-None-Match", "\"v1\"").send().status(), 304);
    assert_eq!(client.get("/file").send().text(), "a,b\r\n");
}

#[test]
fn invalid_descriptions_of_a_file_are_omitted() {
    let fake = fake::respond(|_| {
        "HTTP/1.1 200 OK\r\nETag: v1\r\nLast-Modified: yesterday\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n0\r\n\r\n"
            .to_owned()
    });
    let client = serve_file(&fake);
    for _ in 0..2 {
        let response = client.get("/file").send();
        assert_eq!((response.status(), response.text()), (200, "abc"));
        assert_eq!(response.header("last-modified"), None);
        assert_eq!(response.header("content-type"), Some("application/octet-stream"));
    }
    assert_eq!(fake.opened(), 1, "the connection is used again after the end of a file");
}

#[test]
fn an_error_instead_of_a_file_has_the_envelope() {
    let fake = fake::respond(|_| "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\nabsent".to_owned());
    let response = serve_file(&fake).get("/file").send();
    assert_eq!((response.status(), response.json()["name"].as_str()), (404, Some("no_file")));
}

#[test]
fn an_incomplete_file_closes_the_connection_of_the_client() {
    for sent in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nbeginning\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nbeginning\r\nzz\r\n",
    ] {
        let fake = fake::start(move |connection| {
            connection.request();
            connection.send(sent);
        });
        let client = serve_file(&fake);
        let received = read_all(request_file(&client));
        assert!(received.starts_with("HTTP/1.1 200") && received.contains("beginning"), "{received}");
        let is_complete =
            received.to_lowercase().contains("transfer-encoding: chunked") && received.ends_with("0\r\n\r\n");
        assert!(!is_complete, "{received}");
    }
}

#[test]
fn a_file_that_stalls_closes_both_connections() {
    let fake = fake::start(|connection| {
        connection.request();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbeginning");
        connection.wait_for_end();
    });
    let client = serve_file(&fake);
    assert!(read_all(request_file(&client)).ends_with("beginning"));
    fake.wait_for_closed(1);
}

#[test]
fn a_file_may_take_longer_than_the_timeout_if_it_makes_progress() {
    let fake = fake::start(|connection| {
        connection.request();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n");
        for _ in 0..40 {
            connection.send("a");
            thread::sleep(Duration::from_millis(25));
        }
    });
    assert_eq!(serve_file(&fake).get("/file").send().body().len(), 40);
}

/// The client reads nothing, so that the upstream must not be read either.
#[test]
fn a_large_file_waits_for_the_client_and_ends_with_it() {
    const SIZE: u64 = 400 << 20;
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let fake = fake::start(move |connection| {
        connection.request();
        connection.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n"));
        let piece = vec![b'a'; 64 << 10];
        while connection.stream.write_all(&piece).is_ok() && counter.load(Ordering::Relaxed) < SIZE {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
    });
    let client = serve_file(&fake);
    let mut stream = request_file(&client);
    let mut beginning = [0; 4];
    stream.read_exact(&mut beginning).unwrap();
    assert_eq!(&beginning, b"HTTP");
    let mut before = u64::MAX;
    fake::wait_until(
        || {
            thread::sleep(Duration::from_millis(200));
            let now = sent.load(Ordering::Relaxed);
            std::mem::replace(&mut before, now) == now
        },
        "the upstream waits",
    );
    // The buffers of both connections in the operating system hold some megabytes.
    let waiting = sent.load(Ordering::Relaxed);
    assert!(waiting < 64 << 20, "the upstream could send {waiting} bytes");
    drop(stream);
    fake.wait_for_closed(1);
}
