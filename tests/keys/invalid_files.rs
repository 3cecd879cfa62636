//! Tests of the error messages for invalid key files.

use std::fs;
use std::path::PathBuf;

use rulebook::key::Keys;
use serde_json::json;
use tempfile::TempDir;

use crate::server_process::program;

/// Creates a folder with a key file that has this content. Returns the folder and the path of the file.
fn create_key_file(content: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys.json");
    fs::write(&path, content).unwrap();
    (folder, path)
}

/// Returns the contents of invalid key files, each with a text that its error message contains.
fn invalid_files() -> Vec<(String, &'static str)> {
    let format = "expected {\"pepper\":";
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
        (String::new(), format),
        ("{".to_owned(), format),
        ("[]".to_owned(), format),
        ("{}".to_owned(), format),
        ("{\"keys\": [],\n \"rb_secret\": 1}".to_owned(), "at line 2, column"),
        (json!({ "keys": "rb_secret" }).to_string(), format),
        (json!({ "keys": ["rb_secret"] }).to_string(), format),
        (keys(&[unnamed]), format),
        (one(json!({ "scope": "rb_secret" })), format),
        (one(json!({ "rb_secret": 1 })), format),
        (one(json!({ "created": "rb_secret" })), format),
        (one(json!({ "expires": "rb_secret" })), format),
        (one(json!({ "limit": { "requests": 1, "per": "rb_secret" } })), format),
        (one(json!({ "limit": { "requests": -1, "per": "hour" } })), format),
        (one(json!({ "limit": { "requests": 0, "per": "hour" } })), "in key 1, the limit is less than 1 request"),
        (one(json!({ "files": ["public/**", "../rb_secret"] })), "in key 1, a pattern for files is not one like"),
        (one(json!({ "files": ["rb_secret[" ] })), "a pattern for files is not one like"),
        (one(json!({ "files": "rb_secret" })), format),
        (one(json!({ "id": "rb_secret" })), "in key 1, the id is not 8 hexadecimal digits"),
        (one(json!({ "id": "0123ABCD" })), "in key 1, the id is not 8 hexadecimal digits"),
        (one(json!({ "hash": "rb_secret" })), "in key 1, the hash is not 64 hexadecimal digits"),
        (one(json!({ "hash": "ab".repeat(31) })), "in key 1, the hash is not 64 hexadecimal digits"),
        (keys(&[good.clone(), good]), "in key 2, the id is that of another key"),
        (
            json!({ "keys": [{ "hash": "ab", "name": "ada", "scope": ["a"] }, { "hash": "cd", "name": "bo" }] })
                .to_string(),
            "of an earlier version, whose keys are not valid any more: move it away, and create new keys with `keys add` \
             for \"ada\", \"bo\"",
        ),
    ]
}

#[test]
fn errors_of_key_files_contain_path_and_position_and_no_content_of_the_file() {
    for (content, expected) in invalid_files() {
        let (_folder, path) = create_key_file(&content);
        let error = Keys::load(&path).err().unwrap_or_else(|| panic!("{content} is valid")).to_string();
        assert!(error.contains(expected) && error.contains(path.to_str().unwrap()), "{content}: {error}");
        assert!(!error.contains("rb_secret"), "{error}");
    }
    let folder = TempDir::new().unwrap();
    let error = Keys::load(folder.path()).err().unwrap().to_string();
    assert!(error.contains(folder.path().to_str().unwrap()), "a folder instead of a file: {error}");
}

#[test]
fn commands_fail_on_an_invalid_key_file_and_leave_it_unchanged() {
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
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {err}");
        assert!(err.contains("data/keys.json") && !err.contains("rb_secret"), "{err}");
        assert!(output.stdout.is_empty());
        assert_eq!(fs::read_to_string(data.join("keys.json")).unwrap(), content);
    }
}
