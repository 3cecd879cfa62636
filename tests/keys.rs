//! Bearer keys: the file that keeps them, and whom a request's key stands for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use http::{HeaderValue, Method, Uri, header};
use rulebook::{Head, Identity, Inspect, Inspection, Keys};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::handlers::wait;
use crate::served::program;

/// Makes a key with the program, in `folder`.
fn add(folder: &Path, arguments: &[&str]) -> String {
    let output = program(folder).args(["keys", "add", "--data", "data"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let key = String::from_utf8(output.stdout).unwrap();
    key.strip_suffix('\n').unwrap().to_owned()
}

fn hash(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

/// A folder with a key file of this content.
fn kept(content: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys.json");
    fs::write(&path, content).unwrap();
    (folder, path)
}

/// What is said of a request with these `Authorization` fields.
fn inspect(keys: &Keys, fields: &[&[u8]]) -> Inspection {
    let mut head = Head::new(Method::GET, Uri::from_static("/"));
    let fields = fields.iter().map(|field| (header::AUTHORIZATION, HeaderValue::from_bytes(field).unwrap()));
    head.headers.extend(fields);
    wait(keys.inspect(&head))
}

fn identity(keys: &Keys, fields: &[&[u8]]) -> Option<Identity> {
    match inspect(keys, fields) {
        Inspection::Identity(identity) => Some(identity),
        Inspection::Nobody | Inspection::Invalid(_) | Inspection::Unavailable(_) => None,
    }
}

#[test]
fn a_key_is_shown_once_and_kept_as_its_hash() {
    let folder = TempDir::new().unwrap();
    let first = add(folder.path(), &["--name", "ada", "--scope", "reader,user[1]", "--scope", "writer"]);
    let second = add(folder.path(), &["--name", "bo"]);
    for key in [&first, &second] {
        let secret = key.strip_prefix("rb_").unwrap();
        assert_eq!(hex::decode(secret).unwrap().len(), 32);
    }
    assert_ne!(first, second);
    let file = folder.path().join("data/keys.json");
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&first[3..]) && text.ends_with('\n'), "{text}");
    let expected = json!({ "keys": [
        { "hash": hash(&first), "name": "ada", "scope": ["reader", "user[1]", "writer"] },
        { "hash": hash(&second), "name": "bo", "scope": [] }
    ] });
    assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), expected);
    let keys = Keys::load(&file).unwrap();
    assert_eq!(keys.len(), 2);
    let ada = Identity::new("ada", ["reader", "user[1]", "writer"]);
    assert_eq!(identity(&keys, &[format!("Bearer {first}").as_bytes()]), Some(ada));
    assert_eq!(identity(&keys, &[format!("bearer   {second} ").as_bytes()]), Some(Identity::new("bo", [""; 0])));
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone_and_replaced_as_a_whole() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("data/keys.json");
    add(folder.path(), &["--name", "ada"]);
    let first = fs::metadata(&file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    add(folder.path(), &["--name", "bo"]);
    let second = fs::metadata(&file).unwrap();
    assert_eq!((first.mode() & 0o777, second.mode() & 0o777), (0o600, 0o600));
    assert_ne!(first.ino(), second.ino());
    let beside: Vec<_> = fs::read_dir(folder.path().join("data")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(beside, [file], "nothing is left beside it");
}

#[test]
fn keys_that_are_made_at_once_are_all_kept() {
    let folder = TempDir::new().unwrap();
    let made: Vec<_> = (0..8)
        .map(|number| {
            let mut command = program(folder.path());
            command.args(["keys", "add", "--data", "data", "--name", &number.to_string()]);
            command.stdout(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let keys: BTreeSet<_> = made.into_iter().map(|child| child.wait_with_output().unwrap().stdout).collect();
    assert_eq!(keys.len(), 8);
    let kept = Keys::load(&folder.path().join("data/keys.json")).unwrap();
    assert_eq!(kept.len(), 8);
    for key in keys {
        assert!(identity(&kept, &[&[b"Bearer ", key.trim_ascii_end()].concat()]).is_some());
    }
}

#[test]
fn what_is_no_known_key_is_invalid_and_never_repeated() {
    let content = json!({ "keys": [{ "hash": hash("rb_right"), "name": "ada", "scope": ["a"] }] }).to_string();
    let (_folder, path) = kept(&content);
    let keys = Keys::load(&path).unwrap();
    assert!(matches!(inspect(&keys, &[]), Inspection::Nobody));
    assert!(identity(&keys, &[b"Bearer rb_right"]).is_some());
    let stored = format!("Bearer {}", hash("rb_right"));
    let cases: &[&[&[u8]]] = &[
        &[b"Bearer rb_wrong"],
        &[b"Bearer RB_RIGHT"],
        &[b"Bearer rb_right rb_right"],
        &[b"Bearer"],
        &[b"Bearer "],
        &[b""],
        &[b"rb_right"],
        &[b"Basic rb_right"],
        &[b"Bearer \xff"],
        &[stored.as_bytes()],
        &[b"Bearer rb_right", b"Bearer rb_right"],
        &[b"Bearer rb_right", b"Basic x"],
    ];
    for fields in cases {
        let shown = fields.iter().map(|field| field.escape_ascii().to_string()).collect::<Vec<_>>().join("; ");
        let Inspection::Invalid(why) = inspect(&keys, fields) else { panic!("{shown} is not refused") };
        assert!(!why.contains("rb_") && !why.contains("RB_") && !why.contains(&hash("rb_right")), "{shown}: {why}");
    }
    assert_eq!(keys.challenge(), "Bearer");
    assert!(!format!("{keys:?}").contains(&hash("rb_right")), "{keys:?}");
}

#[test]
fn where_no_file_is_there_are_no_keys() {
    let folder = TempDir::new().unwrap();
    let keys = Keys::load(&folder.path().join("keys.json")).unwrap();
    assert!(keys.is_empty());
    assert!(matches!(inspect(&keys, &[b"Bearer x"]), Inspection::Invalid(_)));
}

/// Key files that are none, each with what is said of it.
fn faulty_files() -> Vec<(String, &'static str)> {
    let good = hash("rb_right");
    let shape = "expected {\"keys\":";
    vec![
        (String::new(), shape),
        ("{".to_owned(), shape),
        ("[]".to_owned(), shape),
        ("{}".to_owned(), shape),
        (json!({ "keys": "rb_secret" }).to_string(), shape),
        (json!({ "keys": ["rb_secret"] }).to_string(), shape),
        (json!({ "keys": [{ "name": "ada", "scope": [] }] }).to_string(), shape),
        (json!({ "keys": [{ "hash": good, "scope": [] }] }).to_string(), shape),
        (json!({ "keys": [{ "hash": good, "name": "ada", "scope": "rb_secret" }] }).to_string(), shape),
        (json!({ "keys": [{ "hash": good, "name": "ada", "rb_secret": 1 }] }).to_string(), shape),
        (json!({ "keys": [{ "hash": "rb_secret", "name": "ada" }] }).to_string(), "\"ada\" is no SHA-256"),
        (json!({ "keys": [{ "hash": &good[2..], "name": "ada" }] }).to_string(), "\"ada\" is no SHA-256"),
        (
            json!({ "keys": [{ "hash": good, "name": "bo" }, { "hash": good, "name": "ada" }] }).to_string(),
            "\"ada\" stands twice",
        ),
    ]
}

#[test]
fn a_faulty_file_is_told_by_its_name_and_not_quoted() {
    for (content, expected) in faulty_files() {
        let (_folder, path) = kept(&content);
        let error = Keys::load(&path).err().unwrap_or_else(|| panic!("{content} is read")).to_string();
        assert!(error.contains(expected) && error.contains(path.to_str().unwrap()), "{content}: {error}");
        assert!(!error.contains("rb_secret"), "{error}");
    }
    let folder = TempDir::new().unwrap();
    let error = Keys::load(folder.path()).err().unwrap().to_string();
    assert!(error.contains(folder.path().to_str().unwrap()), "a folder is no file: {error}");
}

#[test]
fn a_faulty_file_stops_the_start_and_is_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::create_dir(folder.path().join("api")).unwrap();
    fs::write(folder.path().join("api/it.json"), "{}").unwrap();
    let content = "{\"keys\": \"rb_secret\"}";
    fs::write(data.join("keys.json"), content).unwrap();
    for arguments in [&["serve", "--bind", "127.0.0.1:0"][..], &["keys", "add", "--name", "ada"]] {
        let output = program(folder.path()).args(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {told}");
        assert!(told.contains("data/keys.json") && !told.contains("rb_secret"), "{told}");
        assert!(output.stdout.is_empty());
        assert_eq!(fs::read_to_string(data.join("keys.json")).unwrap(), content);
    }
}

#[test]
fn a_head_that_is_printed_shows_no_credential() {
    let mut head = Head::new(http::Method::GET, http::Uri::from_static("/a"));
    for name in ["authorization", "proxy-authorization", "cookie", "accept"] {
        let value = http::HeaderValue::from_str(&format!("value of {name}")).unwrap();
        head.headers.push((http::HeaderName::from_static(name), value));
    }
    let printed = format!("{head:?}");
    assert_eq!(printed.matches("value of ").count(), 1, "{printed}");
    assert!(printed.contains("value of accept") && printed.contains("proxy-authorization"), "{printed}");
}
