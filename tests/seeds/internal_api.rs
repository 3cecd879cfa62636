//! Tests the examples about files in the documentation of internal-api. The requests are sent with curl, as the
//! documentation shows.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::demo::{DemoFolder, Server};
use crate::keys;

/// The beginning of a JPEG file, which is sent as `1.jpg`. Its media type is detected from its content.
const JPEG_START: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9";

/// The output of curl: the head of the response in lower case, and the body.
struct CurlOutput {
    head: String,
    body: Vec<u8>,
}

impl CurlOutput {
    #[track_caller]
    fn assert_error_document(&self, status: &str, message: &str) {
        assert!(self.head.starts_with(&format!("http/1.1 {status}")), "{}", self.head);
        let body: Json = serde_json::from_slice(&self.body).unwrap();
        assert_eq!((&body["status"], &body["message"]), (&"error".into(), &message.into()), "{body}");
    }
}

/// Runs curl with these arguments in a folder. Returns `None` if curl is not installed.
fn run_curl(folder: &Path, arguments: &[&str]) -> Option<CurlOutput> {
    let output = Command::new("curl").current_dir(folder).args(["-s", "-S", "-i"]).args(arguments).output().ok()?;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let end = output.stdout.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8(output.stdout[..end].to_vec()).unwrap().to_ascii_lowercase();
    Some(CurlOutput { head, body: output.stdout[end..].to_vec() })
}

fn start_demo() -> (DemoFolder, Server, String) {
    let place = DemoFolder::new();
    let key = keys::add_key(place.folder.path(), &["--name", "backend", "--scope", "iapi"]);
    fs::write(place.folder.path().join("1.jpg"), JPEG_START).unwrap();
    fs::write(place.folder.path().join("page.jpg"), "<!DOCTYPE html><script>alert(1)</script>").unwrap();
    let server = place.serve();
    (place, server, format!("Authorization: Bearer {key}"))
}

#[test]
fn files_are_uploaded_and_downloaded_as_the_internal_api_document_shows() {
    let (place, server, key) = start_demo();
    let folder = place.folder.path();
    let file = format!("http://{}/iapi/file", server.address);
    let named = |name: &str| format!("{file}?filename={name}");
    // Section 2.2: the fields `content: (binary)` and `filename: ./public/images/1.jpg` lead to `Status: 204 No
    // Content`.
    let upload = ["-H", &key, "-F", "content=@1.jpg", "-F", "filename=./public/images/1.jpg", &file];
    let Some(uploaded) = run_curl(folder, &upload) else {
        support::skip("curl is not installed");
        return;
    };
    assert!(uploaded.head.starts_with("http/1.1 204") && uploaded.body.is_empty(), "{}", uploaded.head);
    assert_eq!(fs::read(folder.join("data/files/public/images/1.jpg")).unwrap(), JPEG_START);
    // Section 2.1: `?filename=public/images/1.jpg` leads to `Status: 200 OK` and `Content-Type: image/jpg`, which is
    // not a registered media type.
    let get = |name: &str, more: &[&str]| run_curl(folder, &[&["-H", &key, &named(name)], more].concat()).unwrap();
    let got = get("public/images/1.jpg", &[]);
    assert!(
        got.head.starts_with("http/1.1 200") && got.head.contains("\r\ncontent-type: image/jpeg\r\n"),
        "{}",
        got.head
    );
    assert_eq!(got.body, JPEG_START);
    // The documentation does not show these requests: conditional requests, and a request for a range.
    let tag = got.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let same = get("public/images/1.jpg", &["-H", &format!("If-None-Match: {tag}")]);
    assert!(same.head.starts_with("http/1.1 304") && same.body.is_empty(), "{}", same.head);
    let part = get("public/images/1.jpg", &["-H", "Range: bytes=0-2"]);
    assert!(part.head.starts_with("http/1.1 206") && part.body == JPEG_START[..3], "{}", part.head);
    let absent = run_curl(folder, &[&upload[..], &["-H", "If-None-Match: *"]].concat()).unwrap();
    absent.assert_error_document("412", "the file does not meet the precondition");
    let matching = run_curl(folder, &[&upload[..], &["-H", &format!("If-Match: {tag}")]].concat()).unwrap();
    assert!(matching.head.starts_with("http/1.1 204"), "{}", matching.head);
}

#[test]
fn errors_are_structured_as_the_internal_api_document_shows() {
    let (place, server, key) = start_demo();
    let folder = place.folder.path();
    let file = format!("http://{}/iapi/file", server.address);
    let named = |name: &str| format!("{file}?filename={name}");
    // The documentation shows `Status: 400 Bad Request` and `{"status": "error", "message": …}`.
    let cases: [(&[&str], &str, &str); 7] = [
        (&["-H", &key, &named("public/images/2.jpg")], "400", "there is no such file"),
        (&["-H", &key, &file], "400", ""),
        (&["-H", &key, &named("../etc/passwd")], "400", ""),
        (&["-H", &key, "-F", "filename=public/images/1.jpg", &file], "400", ""),
        (&["-H", &key, "-F", "content=@page.jpg", "-F", "filename=public/images/1.jpg", &file], "400", ""),
        (&["-H", &key, "-F", "content=@1.jpg", "-F", "filename=private/1.jpg", &file], "400", ""),
        // Unlike in the documentation, errors of authentication and permission have the status 401 or 403.
        (&[&named("public/images/1.jpg")], "401", ""),
    ];
    for (arguments, status, message) in cases {
        let Some(response) = run_curl(folder, arguments) else {
            support::skip("curl is not installed");
            return;
        };
        let body: Json = serde_json::from_slice(&response.body).unwrap();
        let message =
            if message.is_empty() { body["message"].as_str().unwrap().to_owned() } else { message.to_owned() };
        assert!(!message.is_empty(), "{arguments:?}");
        response.assert_error_document(status, &message);
    }
    assert!(!folder.join("data/files/public").exists(), "no file is stored");
    // The API key in the documentation has another format.
    let old = "Authorization: Bearer b01fd1c05d93e77a887fa6c8c91088bb7f053fb220eaf87d51e5efa30fea9d25";
    let refused = run_curl(folder, &["-H", old, &named("public/images/1.jpg")]).unwrap();
    assert!(refused.head.starts_with("http/1.1 401"), "{}", refused.head);
    let other = keys::add_key(folder, &["--name", "other", "--scope", "iapi", "--files", "cache/**"]);
    let limited = format!("Authorization: Bearer {other}");
    let started = std::time::Instant::now();
    // A running server accepts a new API key within a second.
    let refused = loop {
        let refused = run_curl(folder, &["-H", &limited, &named("public/images/1.jpg")]).unwrap();
        if !refused.head.starts_with("http/1.1 401") || started.elapsed().as_secs() > 10 {
            break refused;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    refused.assert_error_document("403", "the key does not allow this name");
}
