//! Tests of the header fields of downloads: file names in both forms of `Content-Disposition`, and media types.

use rulebook::Download;

use super::engine_returning;
use crate::client::{Request, Response, TestServer};

fn download(make_download: impl Fn() -> Download + Clone + Send + Sync + 'static) -> Response {
    TestServer::start(&engine_returning(make_download)).send(&Request::new("GET", "/it"))
}

/// File names, each with the expected parameters after `attachment` in `Content-Disposition`.
const FILE_NAMES: &[(&str, &str)] = &[
    ("figures.csv", "; filename=\"figures.csv\""),
    ("two words.txt", "; filename=\"two words.txt\""),
    ("figures é.csv", "; filename=\"figures _.csv\"; filename*=UTF-8''figures%20%C3%A9.csv"),
    ("图.png", "; filename=\"_.png\"; filename*=UTF-8''%E5%9B%BE.png"),
    ("100%.txt", "; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
    ("a'b(c);d.txt", "; filename=\"a'b(c);d.txt\""),
    ("../../etc/passwd", "; filename=\"passwd\""),
    ("C:\\temp\\a.txt", "; filename=\"a.txt\""),
    ("a\r\nSet-Cookie: b=1.txt", "; filename=\"aSet-Cookie: b=1.txt\""),
    ("a\0b\u{7f}c.txt", "; filename=\"abc.txt\""),
    ("\"quoted\".txt", "; filename=\"quoted.txt\""),
    ("cod\u{202e}gpj.exe", "; filename=\"codgpj.exe\""),
    ("a\u{61c}b\u{200b}c\u{feff}.txt", "; filename=\"abc.txt\""),
    (" .. ", ""),
    ("..", ""),
    ("folder/", ""),
    ("", ""),
];

#[test]
fn content_disposition_has_the_file_name_in_ascii_and_in_utf_8() {
    for (name, actual) in FILE_NAMES {
        let response = download(move || Download::bytes("a").name(*name));
        let expected = format!("attachment{actual}");
        assert_eq!(response.field("content-disposition"), Some(expected.as_str()), "{name:?}");
        assert_eq!(response.field("set-cookie"), None, "{name:?}");
    }
    let long = "é".repeat(5_000);
    let response = download(move || Download::bytes("a").name(long.as_str()));
    assert!(response.field("content-disposition").unwrap().len() < 2_000);
}

#[test]
fn the_header_fields_of_a_download_are_sent() {
    let shown = download(|| Download::bytes("%PDF-").name("a.pdf").inline());
    assert_eq!(shown.field("content-disposition"), Some("inline; filename=\"a.pdf\""));
    assert_eq!(shown.field("content-type"), Some("application/pdf"));
    assert_eq!(download(|| Download::bytes("a")).field("content-type"), Some("application/octet-stream"));
    assert_eq!(
        download(|| Download::bytes("a").name("a.unheard")).field("content-type"),
        Some("application/octet-stream")
    );
    let own = download(|| Download::bytes("a").name("a.pdf").media_type("text/plain; charset=utf-8"));
    assert_eq!(own.field("content-type"), Some("text/plain; charset=utf-8"));
    let page = download(|| Download::bytes("<script>alert(1)</script>").name("a.html").inline());
    assert_eq!(page.field("content-security-policy"), Some("sandbox"));
    assert_eq!(page.field("x-content-type-options"), Some("nosniff"));
}

/// Handlers for api 3.0 return a download as header fields and a body.
#[test]
fn a_download_can_be_created_from_header_fields_and_a_body() {
    let headers = [
        ("Content-Type", "text/plain"),
        ("Content-Length", "999"),
        ("content-disposition", "attachment; filename=own.txt"),
        ("ETag", "\"mine\""),
        ("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT"),
        ("X-Own", "1"),
    ];
    let response = download(move || Download::from_parts(headers, "text"));
    let fields = ["content-type", "content-length", "content-disposition", "etag", "last-modified", "x-own"];
    let actual = fields.map(|name| response.field(name).unwrap_or_default());
    let expected =
        ["text/plain", "4", "attachment; filename=own.txt", "\"mine\"", "Fri, 02 Jan 2026 03:04:05 GMT", "1"];
    assert_eq!(actual, expected, "{response:?}");
    assert_eq!(response.body, b"text");
}

#[test]
fn invalid_header_values_of_a_download_are_internal_errors() {
    let wrong: [fn() -> Download; 6] = [
        || Download::bytes("secret").header("Transfer-Encoding", "gzip"),
        || Download::bytes("secret").header("X-Own", "a\r\nb"),
        || Download::bytes("secret").header("no name", "a"),
        || Download::bytes("secret").media_type("a\nb"),
        || Download::bytes("secret").header("ETag", "unquoted"),
        || Download::file("/nowhere/secret"),
    ];
    for make in wrong {
        let response = download(make);
        response.assert_error(500, "internal error");
        assert!(!String::from_utf8_lossy(&response.body).contains("secret"), "{response:?}");
        assert_eq!(response.field("content-disposition"), None);
    }
}
