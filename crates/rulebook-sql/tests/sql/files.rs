//! Uploaded files that are stored in a database, and files that are downloaded from it.

use std::io::{Read, Write};
use std::net::TcpStream;

use rulebook_test::{Client, TestResponse};
use serde_json::{Value as Json, json};

use crate::databases::{TestDatabase, for_each_database, of_type};

/// All bytes, which are not valid UTF-8.
fn all_bytes() -> Vec<u8> {
    (0..=255).cycle().take(1000).collect()
}

fn api(database: &TestDatabase) -> Client {
    let missing = json!({ "missing": { "info": "There is no such file", "status": 404 } });
    let store = json!({ "POST": {
        "info": "Stores a file",
        "in": { "id": of_type("int"), "file": of_type("?file"), "title": of_type("?string") },
        "handler": { "sql": "insert into attachment (id, content, name, type, size) \
                             values (:id, :file, coalesce(:title, :file.name), :file.type, :file.size)" }
    } });
    let download = |handler: Json| {
        json!({ "GET": {
            "info": "Returns a file", "in": { "GET@id": of_type("int") }, "options": { "download": true },
            "errors": missing, "handler": handler
        } })
    };
    let size = json!({ "GET": {
        "info": "Returns the sizes of a file", "in": { "GET@id": of_type("int") },
        "out": { "size": of_type("?int"), "stored": of_type("?int") }, "errors": missing,
        "handler": { "sql": "select size, octet_length(content) as stored from attachment where id = :id",
                     "missing": "missing" }
    } });
    let methods = json!({
        "store": store,
        "size": size,
        "file": download(json!({ "sql": "select content, name, type from attachment where id = :id",
                                 "format": "file", "missing": "missing" })),
        "shown": download(json!({ "sql": "select content, name, type from attachment where id = :id",
                                  "format": "file", "inline": true, "missing": "missing" })),
        "content": download(json!({ "sql": "select content from attachment where id = :id", "format": "file",
                                    "missing": "missing" })),
        "text": download(json!({ "sql": "select name as content, 'text/plain' as type from attachment where id = :id",
                                 "format": "file", "missing": false })),
        "all": download(json!({ "sql": "select content from attachment where :id = :id", "format": "file",
                                "missing": false })),
        "steps": download(json!({ "sql": [
            "update attachment set name = 'new.png' where id = :id",
            "select content, name from attachment where id = :id",
            "delete from attachment where id = :id"
        ], "format": "file", "missing": "missing" })),
    });
    database.serve(json!({ "max_file": "10MB" }), methods)
}

#[test]
fn the_conditions_of_a_path_with_files_are_compared_or_refused() {
    for_each_database(|database| {
        let read = json!({ "info": "Returns a file", "options": { "download": true }, "handler": {
            "sql": "select 'text' as content from author where id = 1", "format": "file", "missing": false
        } });
        let write =
            json!({ "info": "Changes a file", "handler": { "sql": "update author set name = 'a' where id = 1" } });
        let client = database.serve(json!({}), json!({ "file": { "GET": read, "PUT": write, "DELETE": write } }));
        let tag = client.get("/file").send().header("etag").map(str::to_owned);
        assert!(tag.is_some());
        for method in ["PUT", "DELETE"] {
            for (field, value) in [("If-Match", "\"other\""), ("If-None-Match", "*")] {
                let response = client.request(method, "/file").header(field, value).send();
                assert_eq!(response.status(), 400, "{method} {field}");
            }
            assert_eq!(client.request(method, "/file").send().status(), 200, "{method}");
        }
    });
}

fn store(client: &Client, id: u32, name: &str, content: impl Into<Vec<u8>>) -> TestResponse {
    client.post("/store").field("id", id.to_string()).file("file", name, content).send()
}

#[test]
fn an_uploaded_file_is_stored_and_downloaded() {
    for_each_database(|database| {
        let client = api(database);
        assert_eq!(store(&client, 1, "b'ytes é.bin", all_bytes()).status(), 200);
        assert_eq!(client.get("/size?id=1").send().outputs(), json!({ "size": 1000, "stored": 1000 }));
        let file = client.get("/file?id=1").send();
        assert_eq!((file.status(), file.body()), (200, &*all_bytes()));
        assert_eq!(file.header("content-type"), Some("application/octet-stream"));
        let disposition = file.header("content-disposition").unwrap();
        assert!(
            disposition.starts_with("attachment") && disposition.contains("b%27ytes%20%C3%A9.bin"),
            "{disposition}"
        );
        assert!(file.header("etag").is_some());

        assert_eq!(store(&client, 2, "page.html", "<html></html>").status(), 200);
        let page = client.get("/file?id=2").send();
        assert_eq!((page.text(), page.header("content-type")), ("<html></html>", Some("text/html")));
        assert!(page.header("content-disposition").unwrap().starts_with("attachment"));

        // Browsers show only files that contain no scripts.
        let svg = "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"></svg>";
        assert_eq!(store(&client, 3, "drawing.svg", svg).status(), 200);
        assert_eq!(store(&client, 4, "dot.png", &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..]).status(), 200);
        for (id, shown) in [(1, "attachment"), (2, "attachment"), (3, "attachment"), (4, "inline")] {
            let file = client.get(&format!("/shown?id={id}")).send();
            let disposition = file.header("content-disposition").unwrap();
            assert!(disposition.starts_with(shown), "{id}: {disposition}");
        }
    });
}

#[test]
fn the_name_and_the_type_of_a_download_have_defaults() {
    for_each_database(|database| {
        let client = api(database);
        store(&client, 1, "a.png", "x");
        let file = client.get("/content?id=1").send();
        assert_eq!((file.text(), file.header("content-type")), ("x", Some("application/octet-stream")));
        assert!(file.header("content-disposition").unwrap().contains("content.get"), "{file:?}");
        let file = client.get("/text?id=1").send();
        assert_eq!((file.text(), file.header("content-type")), ("a.png", Some("text/plain")));
        let file = client.get("/steps?id=1").send();
        assert_eq!((file.text(), file.header("content-type")), ("x", Some("image/png")));
        assert_eq!(client.get("/file?id=1").send().status(), 404);
    });
}

#[test]
fn a_missing_file_is_the_declared_error() {
    for_each_database(|database| {
        let client = api(database);
        assert_eq!(client.get("/file?id=1").send().status(), 404);
        assert_eq!(client.get("/steps?id=1").send().status(), 404);
        assert_eq!(client.get("/all?id=1").send().status(), 500);
        // A file is optional: without one, its content and its facts are null.
        assert_eq!(client.post("/store").field("id", "1").field("title", "none").send().status(), 200);
        assert_eq!(client.get("/size?id=1").send().outputs(), json!({ "size": null, "stored": null }));
        assert_eq!(client.get("/file?id=1").send().status(), 404);
        store(&client, 2, "a", "");
        let empty = client.get("/file?id=2").send();
        assert_eq!((empty.status(), empty.body()), (200, &b""[..]));
        assert_eq!(client.get("/all?id=1").send().status(), 500);
    });
}

#[test]
fn a_file_above_the_limit_is_refused() {
    for_each_database(|database| {
        let client = api(database);
        let response = store(&client, 1, "a", vec![0; 10_000_001]);
        assert_eq!((response.status(), response.code()), (413, Some("too-large")), "{}", response.text());
        assert!(response.text().contains("file") && response.text().contains("10000000"), "{}", response.text());
        assert_eq!(client.get("/size?id=1").send().status(), 404);
        assert_eq!(store(&client, 1, "a", vec![0; 10_000_000]).status(), 200);
    });
}

#[test]
fn a_large_file_is_downloaded_in_parts() {
    for_each_database(|database| {
        let client = api(database);
        let content: Vec<u8> = (0_u32..2_000_000).flat_map(u32::to_le_bytes).collect();
        assert_eq!(store(&client, 1, "large.bin", &*content).status(), 200);
        let whole = client.get("/file?id=1").send();
        assert!(whole.body() == content);
        let etag = whole.header("etag").unwrap();
        let part = client.get("/file?id=1").header("range", "bytes=7999996-").header("if-range", etag).send();
        assert_eq!((part.status(), part.body()), (206, &content[7_999_996..]));
        assert_eq!(client.get("/file?id=1").header("if-none-match", etag).send().status(), 304);
        // Clients that do not receive their files do not use the memory for responses.
        let slow: Vec<_> = (0..10).map(|_| slow_download(&client)).collect();
        assert!(client.get("/file?id=1").send().body() == content);
        for mut stream in slow {
            let mut received = Vec::new();
            stream.read_to_end(&mut received).unwrap();
            assert!(received.ends_with(&content[content.len() - 1000..]));
        }
    });
}

/// Requests a file, and does not receive it.
fn slow_download(client: &Client) -> TcpStream {
    let mut stream = TcpStream::connect(client.address()).unwrap();
    stream.write_all(b"GET /file?id=1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stream
}
