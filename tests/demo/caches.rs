//! Tests of `POST /iapi/cache`, which writes texts from the demo's database to files. The requests are those in the
//! documents of the predecessor internal-api.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{DemoFolder, Server};
use crate::client::{Request, Response};
use crate::keys::add_key;
use crate::store::tree;

/// The form fields of the example request in the document.
const DOCUMENTED_FIELDS: [(&str, &str); 4] = [
    ("fromDB", "user_info.intro_json"),
    ("storePath", "./cache/user-intro"),
    ("keys", "id001,id002,id003"),
    ("filenames", "about-us.json,contact-us.json,privacy-policy.json"),
];

/// Sends a request with the program curl. Returns the status and the body of the response.
fn send_with_curl(server: &Server, key: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--write-out", "\n%{http_code}"]);
    command.args(["--header", &format!("Authorization: Bearer {key}")]);
    for (name, value) in fields {
        command.args(["--data", &format!("{name}={value}")]);
    }
    let result = command.arg(format!("http://{}/iapi/cache", server.address)).output().unwrap();
    let body = String::from_utf8(result.stdout).unwrap();
    assert!(result.status.success(), "{body}{}", String::from_utf8_lossy(&result.stderr));
    let (body, status) = body.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).unwrap())
}

/// Returns all stored files and folders of a server, with the contents of the files.
fn stored_files(place: &Path) -> BTreeMap<String, String> {
    let root = place.join("data/files");
    if root.exists() { tree(&root) } else { BTreeMap::new() }
}

/// Requests that the texts with these keys are written to files with these names in the folder `cache`.
fn request_caches(server: &Server, key: &str, keys: &Value, filenames: &Value) -> Response {
    let body = json!({ "fromDB": "user_info.intro_json", "storePath": "cache", "keys": keys, "filenames": filenames });
    server.send_json("POST", "/iapi/cache", Some(key), &body)
}

#[test]
fn the_example_request_of_the_document_writes_its_files() {
    let place = DemoFolder::new();
    let folder = place.folder.path();
    let key = add_key(folder, &["--name", "remote", "--scope", "iapi"]);
    let server = place.serve();
    let (status, paths) = send_with_curl(&server, &key, &DOCUMENTED_FIELDS);
    let root = folder.canonicalize().unwrap().join("data/files/cache/user-intro");
    let expected = ["about-us.json", "contact-us.json", "privacy-policy.json"].map(|file| root.join(file));
    assert_eq!((status, paths), (200, json!(expected)));
    let titles = expected.map(|path| {
        let text: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        text["title"].as_str().unwrap().to_owned()
    });
    assert_eq!(titles, ["About us", "Contact us", "Privacy policy"]);
    let written = server.send(
        &Request::new("GET", "/iapi/file?filename=cache/user-intro/contact-us.json")
            .field("authorization", format_args!("Bearer {key}")),
    );
    assert_eq!((written.status, written.json()["title"].as_str()), (200, Some("Contact us")));
}

#[test]
fn the_error_in_the_document_is_returned_for_unequal_counts() {
    let place = DemoFolder::new();
    let key = add_key(place.folder.path(), &["--name", "remote", "--scope", "iapi.cache"]);
    let server = place.serve();
    let mut fields = DOCUMENTED_FIELDS;
    fields[3].1 = "about-us.json,contact-us.json";
    let (status, error) = send_with_curl(&server, &key, &fields);
    assert_eq!(status, 400);
    assert!(error.to_string().contains("keys and filenames count not match"), "{error}");
    assert_eq!(stored_files(place.folder.path()), BTreeMap::new());
}

#[test]
fn callers_without_the_permission_cannot_write_caches() {
    let place = DemoFolder::new();
    let folder = place.folder.path();
    let reader = add_key(folder, &["--name", "reader", "--scope", "iapi.read"]);
    let server = place.serve();
    assert_eq!(request_caches(&server, &reader, &json!(["id001"]), &json!(["1.json"])).status, 403);
    let anonymous = Request::new("POST", "/iapi/cache").body("application/json", "{}");
    assert_eq!(server.send(&anonymous).status, 401);
    assert_eq!(stored_files(folder), BTreeMap::new());
}

#[test]
fn a_removed_database_is_not_created_again() {
    let place = DemoFolder::new();
    let key = add_key(place.folder.path(), &["--name", "remote", "--scope", "iapi"]);
    let server = place.serve();
    assert_eq!(server.article_count(), 12);
    fs::remove_file(place.database_file()).unwrap();
    let refused = request_caches(&server, &key, &json!(["id001"]), &json!(["1.json"]));
    let body = String::from_utf8(refused.body).unwrap();
    assert!(refused.status >= 400 && body.contains("the database is unavailable"), "{body}");
    assert!(!place.database_file().exists());
    assert_eq!(stored_files(place.folder.path()), BTreeMap::new());
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_value_is_written_with_little_memory() {
    const LINES: u64 = 64 << 10;
    let place = DemoFolder::new();
    let key = add_key(place.folder.path(), &["--name", "remote", "--scope", "iapi"]);
    let server = place.serve();
    // The first call allocates memory that later calls use again.
    assert_eq!(request_caches(&server, &key, &json!(["id001"]), &json!(["small.json"])).status, 200);
    let insert = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {LINES})
         INSERT INTO user_info (id, intro_json)
         SELECT 'large', group_concat(printf('%01023d', i) || char(10), '') FROM n"
    );
    place.connect_to_database().execute_batch(&insert).unwrap();
    let before = support::memory::peak_bytes(server.process.id());
    assert_eq!(request_caches(&server, &key, &json!(["large"]), &json!(["large.txt"])).status, 200);
    let more = support::memory::peak_bytes(server.process.id()).saturating_sub(before);
    assert!(more < 16 << 20, "{more} bytes of memory for 64 MiB");
    let written = fs::read_to_string(place.folder.path().join("data/files/cache/large.txt")).unwrap();
    assert_eq!(written.len() as u64, LINES << 10);
    for (line, number) in written.lines().zip(1..) {
        assert_eq!(line.trim_start_matches('0').parse(), Ok::<u64, _>(number));
    }
}
