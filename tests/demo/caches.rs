//! Caches of the demo's texts, requested as in the documents of internal-api: `POST /iapi/cache`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{Place, Server};
use crate::client::{Request, Response};
use crate::keys::add;
use crate::store::tree;

/// The fields of the request in the document.
const DOCUMENTED: [(&str, &str); 4] = [
    ("fromDB", "user_info.intro_json"),
    ("storePath", "./cache/user-intro"),
    ("keys", "id001,id002,id003"),
    ("filenames", "about-us.json,contact-us.json,privacy-policy.json"),
];

/// Sends a request with curl and returns the status and the body.
fn curl(server: &Server, key: &str, fields: &[(&str, &str)]) -> (u16, Value) {
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

/// Returns all stored files and folders.
fn files(place: &Path) -> BTreeMap<String, String> {
    let root = place.join("data/files");
    if root.exists() { tree(&root) } else { BTreeMap::new() }
}

/// Requests caches in `cache/` of these keys, with these names.
fn fetch(server: &Server, key: &str, keys: &Value, filenames: &Value) -> Response {
    let body = json!({ "fromDB": "user_info.intro_json", "storePath": "cache", "keys": keys, "filenames": filenames });
    server.send_json("POST", "/iapi/cache", Some(key), &body)
}

#[test]
fn the_example_of_the_document_works() {
    Place::each(|place| {
        let folder = place.folder.path();
        let key = add(folder, &["--name", "remote", "--scope", "iapi"]);
        let server = place.serve();
        let (status, paths) = curl(&server, &key, &DOCUMENTED);
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
    });
}

#[test]
fn the_error_of_the_document_is_returned() {
    Place::each(|place| {
        let key = add(place.folder.path(), &["--name", "remote", "--scope", "iapi.cache"]);
        let server = place.serve();
        let mut fields = DOCUMENTED;
        fields[3].1 = "about-us.json,contact-us.json";
        let (status, error) = curl(&server, &key, &fields);
        assert_eq!(status, 400);
        assert!(error.to_string().contains("keys and filenames count not match"), "{error}");
        assert_eq!(files(place.folder.path()), BTreeMap::new());
    });
}

#[test]
fn callers_without_the_permission_cannot_write_caches() {
    let place = Place::sqlite();
    let folder = place.folder.path();
    let reader = add(folder, &["--name", "reader", "--scope", "iapi.read"]);
    let server = place.serve();
    assert_eq!(fetch(&server, &reader, &json!(["id001"]), &json!(["1.json"])).status, 403);
    let anonymous = Request::new("POST", "/iapi/cache").body("application/json", "{}");
    assert_eq!(server.send(&anonymous).status, 401);
    assert_eq!(files(folder), BTreeMap::new());
}

#[test]
fn a_database_of_an_older_version_gets_the_texts() {
    Place::each(|place| {
        let key = add(place.folder.path(), &["--name", "remote", "--scope", "iapi"]);
        let server = place.serve();
        let token = server.editor();
        server.write(&token, "Written before");
        drop(server);
        let mut sql = place.sql();
        sql.execute("DROP TABLE user_info");
        sql.execute("DELETE FROM demo_version WHERE version > 1");
        drop(sql);
        let server = place.serve();
        assert_eq!(fetch(&server, &key, &json!(["id003"]), &json!(["3.json"])).status, 200);
        assert_eq!(server.total(), 13, "existing rows are not inserted again");
    });
}

#[test]
fn a_removed_database_is_not_created_again() {
    let place = Place::sqlite();
    let key = add(place.folder.path(), &["--name", "remote", "--scope", "iapi"]);
    let server = place.serve();
    assert_eq!(server.total(), 12);
    fs::remove_file(place.file()).unwrap();
    let refused = fetch(&server, &key, &json!(["id001"]), &json!(["1.json"]));
    let body = String::from_utf8(refused.body).unwrap();
    assert!(refused.status >= 400 && body.contains("the database is unavailable"), "{body}");
    assert!(server.process.log().contains("restore it"), "{}", server.process.log());
    assert!(!place.file().exists());
    assert_eq!(files(place.folder.path()), BTreeMap::new());
}

/// Returns the peak memory of a process in bytes.
#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_value_is_written_with_little_memory() {
    const LINES: u64 = 64 << 10;
    Place::each(|place| {
        let key = add(place.folder.path(), &["--name", "remote", "--scope", "iapi"]);
        let server = place.serve();
        // A first call allocates what every call needs.
        assert_eq!(fetch(&server, &key, &json!(["id001"]), &json!(["small.json"])).status, 200);
        let value = if place.is_postgres() {
            format!(
                "SELECT string_agg(lpad(i::text, 1023, '0') || chr(10), '' ORDER BY i) FROM generate_series(1, {LINES}) i"
            )
        } else {
            format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {LINES}) \
                 SELECT group_concat(printf('%01023d', i) || char(10), '') FROM n"
            )
        };
        place.sql().execute(&format!("INSERT INTO user_info (id, intro_json) VALUES ('large', ({value}))"));
        let before = peak_memory(server.process.id());
        assert_eq!(fetch(&server, &key, &json!(["large"]), &json!(["large.txt"])).status, 200);
        let more = peak_memory(server.process.id()) - before;
        assert!(more < 16 << 20, "{more} bytes of memory for 64 MiB");
        let written = fs::read_to_string(place.folder.path().join("data/files/cache/large.txt")).unwrap();
        assert_eq!(written.len() as u64, LINES << 10);
        for (line, number) in written.lines().zip(1..) {
            assert_eq!(line.trim_start_matches('0').parse(), Ok::<u64, _>(number));
        }
    });
}
