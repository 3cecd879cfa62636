//! Names and passwords in several files.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rulebook_test::Client;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::basic::{bcrypt_hash, send};
use super::{rulebook, serve};

/// The lines of the two files. Ada has two passwords, and Jules has the same password in both files.
fn lines() -> [String; 2] {
    let hash = bcrypt_hash;
    [
        format!("ada:{}:a1\njules:{}:j1,reader\n", hash("one"), hash("same")),
        format!("ada:{}:a2\njules:{}:j2,reader\nbob:{}:reader\n", hash("two"), hash("same"), hash("secret")),
    ]
}

fn settings(folder: &Path) -> Json {
    let file = |name: &str| json!({ "users": folder.join(name).to_str().unwrap(), "permissions": "me" });
    json!({ "basic": [file("a.users"), file("b.users")] })
}

fn serve_files(changes: &Json) -> (Client, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in ["a.users", "b.users"].into_iter().zip(lines()) {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut auth = settings(folder.path());
    auth.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    (serve(&auth), folder)
}

#[test]
fn users_of_each_file_can_send_any_number_of_requests() {
    let (client, _folder) = serve_files(&json!({}));
    for number in 0..12 {
        for (name, password) in [("bob", "secret"), ("ada", "two"), ("ada", "one"), ("jules", "same")] {
            assert_eq!(send(&client, "/me", name, password).status(), 200, "{number}: {name}:{password}");
        }
    }
    // For an unknown name, the hash of any user is computed.
    for password in ["one", "two", "same", "secret"] {
        assert_eq!(send(&client, "/me", "unknown", password).status(), 401, "{password}");
    }
}

#[test]
fn a_password_gives_the_permissions_of_the_files_that_accept_it() {
    let cases = [
        ("ada", "one", json!(["a1", "me"]), json!(["a1", "me"])),
        ("ada", "two", json!(["a2", "me"]), json!(["a2", "me"])),
        ("jules", "same", json!(["j1", "reader", "me", "j2"]), json!(["j1", "reader", "me"])),
        ("bob", "secret", json!(["reader", "me"]), json!(["reader", "me"])),
    ];
    for combine in [true, false] {
        let (client, _folder) = serve_files(&if combine { json!({}) } else { json!({ "combine": false }) });
        for (name, password, combined, first) in &cases {
            for _ in 0..2 {
                let me = send(&client, "/me", name, password);
                assert_eq!(me.output("name"), *name);
                assert_eq!(me.output("permissions"), *if combine { combined } else { first }, "{name}:{password}");
            }
        }
        assert_eq!(send(&client, "/me", "bob", "same").status(), 401, "the password of another user");
    }
}

#[test]
fn a_login_that_no_file_accepts_fails_once() {
    let (client, _folder) = serve_files(&json!({}));
    assert_eq!(send(&client, "/me", "ada", "two").status(), 200);
    for number in 0..5 {
        assert_eq!(send(&client, "/me", "ada", &number.to_string()).status(), 401, "{number}");
    }
    let response = send(&client, "/me", "ada", "another");
    assert_eq!((response.status(), response.code()), (429, Some("too_many_failures")));
    assert_eq!(send(&client, "/me", "ada", "two").status(), 200, "the worker remembers the password");
    for number in 0..5 {
        assert_eq!(send(&client, "/me", &format!("unknown{number}"), "x").status(), 401, "{number}");
    }
    assert_eq!(send(&client, "/me", "unknown", "x").status(), 429, "ten logins of the address have failed");
}

#[test]
fn a_change_of_one_file_takes_effect() {
    let (client, folder) = serve_files(&json!({}));
    assert_eq!(send(&client, "/me", "jules", "same").output("permissions"), json!(["j1", "reader", "me", "j2"]));
    std::fs::write(folder.path().join("b.users"), format!("bob:{}:reader\n", bcrypt_hash("new"))).unwrap();
    let start = Instant::now();
    while send(&client, "/me", "jules", "same").output("permissions") != json!(["j1", "reader", "me"]) {
        assert!(start.elapsed() < Duration::from_secs(5), "the remembered permissions are forgotten");
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(send(&client, "/me", "bob", "new").status(), 200);
    assert_eq!(send(&client, "/me", "bob", "secret").status(), 401);
    assert_eq!(send(&client, "/me", "ada", "one").status(), 200, "the users of the other file stay");
    assert_eq!(send(&client, "/me", "ada", "two").status(), 401);
}

#[test]
fn errors_in_all_files_are_reported_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.users"), "ada\n").unwrap();
    let error = rulebook(&settings(folder.path())).build().unwrap().start().unwrap_err().to_string();
    assert!(error.contains("a.users: line 1: a line has the form"), "{error}");
    assert!(error.contains("b.users: No such file"), "{error}");
    assert_eq!(error.matches("error[bad-auth]").count(), 2, "{error}");
}
