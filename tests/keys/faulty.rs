//! Key files that are none.

use std::fs;
use std::path::PathBuf;

use rulebook::Keys;
use serde_json::json;
use tempfile::TempDir;

use crate::served::program;

/// A folder with a key file of this content.
fn kept(content: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys.json");
    fs::write(&path, content).unwrap();
    (folder, path)
}

/// Key files that are none, each with what is said of it.
fn faulty_files() -> Vec<(String, &'static str)> {
    let shape = "expected {\"pepper\":";
    let key = |changed: serde_json::Value| {
        let mut key =
            json!({ "id": "0123abcd", "hash": "ab".repeat(32), "name": "ada", "created": "2026-01-01T00:00:00Z" });
        for (name, value) in changed.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    };
    let keys = |keys: &[serde_json::Value]| json!({ "keys": keys }).to_string();
    let one = |changed| keys(&[key(changed)]);
    let good = key(json!({}));
    let mut unnamed = good.clone();
    unnamed.as_object_mut().unwrap().remove("name");
    vec![
        (String::new(), shape),
        ("{".to_owned(), shape),
        ("[]".to_owned(), shape),
        ("{}".to_owned(), shape),
        ("{\"keys\": [],\n \"rb_secret\": 1}".to_owned(), "at line 2, column"),
        (json!({ "keys": "rb_secret" }).to_string(), shape),
        (json!({ "keys": ["rb_secret"] }).to_string(), shape),
        (keys(&[unnamed]), shape),
        (one(json!({ "scope": "rb_secret" })), shape),
        (one(json!({ "rb_secret": 1 })), shape),
        (one(json!({ "created": "rb_secret" })), shape),
        (one(json!({ "expires": "rb_secret" })), shape),
        (one(json!({ "limit": { "requests": 1, "per": "rb_secret" } })), shape),
        (one(json!({ "limit": { "requests": -1, "per": "hour" } })), shape),
        (one(json!({ "limit": { "requests": 0, "per": "hour" } })), "the limit (at least 1 request) of key 1"),
        (
            one(json!({ "files": ["public/**", "../rb_secret"] })),
            "the patterns of files (such as `public/**`) of key 1",
        ),
        (one(json!({ "files": ["rb_secret[" ] })), "the patterns of files"),
        (one(json!({ "files": "rb_secret" })), shape),
        (one(json!({ "id": "rb_secret" })), "the id (8 hexadecimal digits) of key 1"),
        (one(json!({ "id": "0123ABCD" })), "the id (8 hexadecimal digits) of key 1"),
        (one(json!({ "hash": "rb_secret" })), "the hash (64 hexadecimal digits) of key 1"),
        (one(json!({ "hash": "ab".repeat(31) })), "the hash (64 hexadecimal digits) of key 1"),
        (keys(&[good.clone(), good]), "which another key has, of key 2"),
        (
            json!({ "keys": [{ "hash": "ab", "name": "ada", "scope": ["a"] }, { "hash": "cd", "name": "bo" }] })
                .to_string(),
            "of an earlier version, whose keys are not taken any more: move it away, and make new keys with `keys add` \
             for \"ada\", \"bo\"",
        ),
    ]
}

#[test]
fn a_faulty_file_is_told_by_its_name_and_place_and_not_quoted() {
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
    let commands: [&[&str]; 5] = [
        &["serve", "--bind", "127.0.0.1:0"],
        &["keys", "add", "--name", "ada"],
        &["keys", "list"],
        &["keys", "revoke", "0123abcd"],
        &["keys", "rotate", "0123abcd"],
    ];
    for arguments in commands {
        let output = program(folder.path()).args(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {told}");
        assert!(told.contains("data/keys.json") && !told.contains("rb_secret"), "{told}");
        assert!(output.stdout.is_empty());
        assert_eq!(fs::read_to_string(data.join("keys.json")).unwrap(), content);
    }
}
