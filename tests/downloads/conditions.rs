//! Tests of conditional requests and range requests for downloads from memory and from files.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime};

use rulebook::{ApiError, Args, Context, Download, ETag, Module};
use serde::Deserialize;
use serde_json::json;

use super::{download_definition, engine_returning};
use crate::client::{Request, Response, TestServer, case, engine};

#[derive(Deserialize)]
struct ConditionCase {
    what: String,
    send: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    status: u16,
    body: String,
    #[serde(default)]
    fields: BTreeMap<String, Option<String>>,
}

/// Returns the time 2026-01-02T03:04:05.678Z. Dates in header fields have no fractions of seconds.
fn modification_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_323_045_678)
}

fn with_metadata(download: Download) -> Download {
    let etag = ETag::parse("\"v,1\"").unwrap();
    download.name("digits.csv").etag(etag).last_modified(modification_time()).header("Cache-Control", "max-age=60")
}

fn send_with_fields(server: &TestServer, method: &str, headers: &[(&str, &str)]) -> Response {
    let request = headers.iter().fold(Request::new(method, "/it"), |request, (name, value)| request.field(name, value));
    server.send(&request)
}

#[test]
fn conditions_and_ranges_decide_what_is_sent() {
    let cases: Vec<ConditionCase> = case::read(include_str!("conditions.json"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("figures.txt");
    fs::write(&path, "0123456789").unwrap();
    let open = path.clone();
    let servers = [
        ("bytes", TestServer::start(&engine_returning(|| with_metadata(Download::bytes("0123456789"))))),
        ("path", TestServer::start(&engine_returning(move || with_metadata(Download::file(path.as_path()))))),
        (
            "open file",
            TestServer::start(&engine_returning(move || with_metadata(Download::file(fs::File::open(&open).unwrap())))),
        ),
    ];
    for (kind, server) in &servers {
        for ConditionCase { what, send, headers, status, body, fields } in &cases {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let response = send_with_fields(server, send, &headers);
            assert_eq!(response.status, *status, "{kind}: {what}: {response:?}");
            assert_eq!(String::from_utf8_lossy(&response.body), *body, "{kind}: {what}: {response:?}");
            for (name, value) in fields {
                assert_eq!(response.field(name), value.as_deref(), "{kind}: {what}: {name}: {response:?}");
            }
        }
    }
}

#[test]
fn a_large_file_is_sent_in_pieces_and_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.bin");
    let content: Vec<u8> = (0..1_000_003_u32).map(|at| ((at * 31) >> 3) as u8).collect();
    fs::write(&path, &content).unwrap();
    let server = TestServer::start(&engine_returning(move || Download::file(path.as_path())));
    let mut connection = server.connect();
    let whole = connection.send(&Request::new("GET", "/it"));
    assert_eq!((whole.status, whole.field("content-length")), (200, Some("1000003")));
    assert!(whole.body == content);
    // The same connection is used again. This works only if the response had the announced length.
    for (from, to) in [(0, 0), (0, 65_535), (1, 262_145), (262_143, 999_999), (999_999, 1_000_002)] {
        let part = connection.send(&Request::new("GET", "/it").field("range", format!("bytes={from}-{to}")));
        assert_eq!(part.status, 206);
        assert_eq!(part.field("content-range"), Some(&*format!("bytes {from}-{to}/1000003")));
        assert!(part.body == content[from..=to], "{from}-{to}");
    }
    let head = connection.send(&Request::new("HEAD", "/it"));
    assert_eq!((head.status, head.field("content-length")), (200, Some("1000003")));
}

#[test]
fn files_and_bytes_have_entity_tags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    let old = SystemTime::now() - Duration::from_secs(60);
    let write = |content: &str, time: SystemTime| {
        fs::write(&path, content).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    };
    write("one", old);
    let own = path.clone();
    let server = TestServer::start(&engine_returning(move || Download::file(own.as_path())));
    let response = send_with_fields(&server, "GET", &[]);
    let tag = response.field("etag").unwrap().to_owned();
    assert!(tag.starts_with('"'), "{tag} is not strong");
    assert_eq!(response.field("content-type"), Some("text/plain"));
    assert_eq!(response.field("content-disposition"), Some("attachment; filename=\"a.txt\""));
    let date = response.field("last-modified").unwrap().to_owned();
    assert_eq!(send_with_fields(&server, "GET", &[("if-none-match", &tag)]).status, 304);
    assert_eq!(send_with_fields(&server, "GET", &[("if-modified-since", &date)]).status, 304);
    write("two", old + Duration::from_millis(1));
    assert_eq!(send_with_fields(&server, "GET", &[("if-none-match", &tag)]).body, b"two");
    write("six", SystemTime::now());
    let fresh = send_with_fields(&server, "GET", &[]);
    assert!(fresh.field("etag").unwrap().starts_with("W/"), "what may change once more unseen: {fresh:?}");

    let tag_of = |content: &'static str| {
        let server = TestServer::start(&engine_returning(move || Download::bytes(content)));
        send_with_fields(&server, "GET", &[]).field("etag").unwrap().to_owned()
    };
    assert_eq!(tag_of("one"), tag_of("one"));
    assert_ne!(tag_of("one"), tag_of("two"));
    assert!(tag_of("one").starts_with('"'));
}

#[test]
fn ranges_of_empty_content_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty");
    fs::write(&path, "").unwrap();
    for server in [engine_returning(|| Download::bytes("")), engine_returning(move || Download::file(path.as_path()))] {
        let server = TestServer::start(&server);
        for range in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            let response = send_with_fields(&server, "GET", &[("range", range)]);
            assert_eq!((response.status, response.field("content-length")), (200, Some("0")), "{range}: {response:?}");
        }
    }
}

/// A status that the definition sets is not replaced by a conditional status either.
#[test]
fn conditions_are_ignored_for_methods_that_write() {
    let mut files = download_definition(&json!({}));
    let method = files["/"]["it"]["GET"].take();
    files["/"]["it"] =
        json!({ "POST": method, "GET": { "info": "Made", "options": { "download": true, "status": 201 } } });
    let report = |_: Args<()>, _: Context| async { Ok::<_, ApiError>(with_metadata(Download::bytes("0123456789"))) };
    let engine = engine(&[("files.json", files)], |rulebook| {
        rulebook.module(Module::new("files").post("/it", report).get("/it", report))
    });
    let server = TestServer::start(&engine);
    for (method, status) in [("POST", 200), ("GET", 201)] {
        let response =
            send_with_fields(&server, method, &[("if-none-match", "*"), ("range", "bytes=0-1"), ("if-match", "\"a\"")]);
        assert_eq!((response.status, &response.body[..]), (status, &b"0123456789"[..]), "{method}: {response:?}");
    }
}
