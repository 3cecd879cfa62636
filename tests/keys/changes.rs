//! Tests of the commands that create, list, replace and revoke keys, and of how a running server notices the changes.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rulebook::Authentication;
use rulebook::key::Keys;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{add_key, authenticate, authenticate_key, key_id, key_secret, run_keys_command};
use crate::client::wait_until;

/// The maximum time until a server notices that the keys have changed.
const NOTICE_TIME: Duration = Duration::from_secs(1);

/// Asserts that a condition is met within [`NOTICE_TIME`].
fn assert_soon(what: &str, is_met: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_met() {
        assert!(start.elapsed() < NOTICE_TIME, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn load_keys(folder: &Path) -> Keys {
    Keys::load(&folder.join("data/keys.json")).unwrap()
}

fn list_keys(folder: &Path) -> Vec<Json> {
    let result = run_keys_command(folder, &["list", "--json"]);
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&result.stdout).unwrap()
}

#[test]
fn new_and_revoked_keys_take_effect_within_a_second() {
    let folder = TempDir::new().unwrap();
    let known = load_keys(folder.path());
    let watcher = known.watch().unwrap();
    let first = add_key(folder.path(), &["--name", "ada"]);
    assert_soon("the first key is valid", || authenticate_key(&known, &first).is_ok());
    let second = add_key(folder.path(), &["--name", "bo"]);
    assert_soon("the second key is valid", || authenticate_key(&known, &second).is_ok());
    let result = run_keys_command(folder.path(), &["revoke", key_id(&first)]);
    assert_eq!((result.exit_code, result.stdout.as_str(), result.stderr.as_str()), (Some(0), "", ""));
    assert_soon("the first key is revoked", || {
        authenticate_key(&known, &first) == Err("the key is unknown".to_owned())
    });
    authenticate_key(&known, &second).unwrap();
    // While the key file cannot be parsed, the old keys remain valid.
    let file = folder.path().join("data/keys.json");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, "{").unwrap();
    std::thread::sleep(NOTICE_TIME);
    authenticate_key(&known, &second).unwrap();
    let unknown = authenticate(&known, &[format!("Bearer {first}").as_bytes()]);
    assert!(matches!(unknown, Authentication::Unavailable(_)), "the file may contain the key: {unknown:?}");
    fs::write(&file, whole).unwrap();
    let third = add_key(folder.path(), &["--name", "eve"]);
    assert_soon("the third key is valid", || authenticate_key(&known, &third).is_ok());
    fs::remove_file(&file).unwrap();
    assert_soon("there are no keys", || known.is_empty());
    drop(watcher);
    add_key(folder.path(), &["--name", "ada"]);
    std::thread::sleep(NOTICE_TIME);
    assert!(known.is_empty(), "the watcher has stopped");
}

#[test]
fn a_replaced_key_stays_valid_for_a_grace_period() {
    let folder = TempDir::new().unwrap();
    let options = ["--name", "ada", "--scope", "a,b", "--files", "c/*", "--requests", "5", "--per", "ever"];
    let old = add_key(folder.path(), &options);
    let rotate = |id: &str, arguments: &[&str]| run_keys_command(folder.path(), &[&["rotate", id], arguments].concat());
    let result = rotate(key_id(&old), &[]);
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""));
    let new = result.stdout.trim_end().to_owned();
    assert_ne!(key_secret(&old), key_secret(&new));
    let [old_entry, new_entry] = list_keys(folder.path()).try_into().unwrap();
    assert_eq!(old_entry["replaced_by"], key_id(&new));
    for field in ["name", "scope", "files", "limit"] {
        assert_eq!(old_entry[field], new_entry[field], "{field}");
    }
    assert_eq!(new_entry["expires"], Json::Null, "the new key has the expiry that the old one had");
    let end: jiff::Timestamp = old_entry["expires"].as_str().unwrap().parse().unwrap();
    let left = end.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((24 * 3600 - 60..=24 * 3600).contains(&left), "{left}");
    let known = load_keys(folder.path());
    assert_eq!(authenticate_key(&known, &old).unwrap(), authenticate_key(&known, &new).unwrap());

    let result = rotate(key_id(&old), &[]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(1), ""));
    assert!(result.stderr.contains(&format!("replaced already, by {}", key_id(&new))), "{}", result.stderr);
    let newest = rotate(key_id(&new), &["--grace", "0s"]);
    assert_eq!(newest.exit_code, Some(0));
    let known = load_keys(folder.path());
    authenticate_key(&known, newest.stdout.trim_end()).unwrap();
    assert_eq!(authenticate_key(&known, &new), Err("the key has expired".to_owned()));
    assert_eq!(list_keys(folder.path())[1]["valid"], false);
}

#[test]
fn a_replaced_key_expires_no_later_than_before() {
    let folder = TempDir::new().unwrap();
    let key = add_key(folder.path(), &["--name", "ada", "--expires", "2h"]);
    let before = list_keys(folder.path()).remove(0)["expires"].clone();
    assert_eq!(run_keys_command(folder.path(), &["rotate", key_id(&key), "--grace", "7d"]).exit_code, Some(0));
    let [old_entry, new_entry] = list_keys(folder.path()).try_into().unwrap();
    assert_eq!((&old_entry["expires"], &new_entry["expires"]), (&before, &before));
}

#[test]
fn an_expired_key_is_invalid_and_cannot_be_replaced() {
    let folder = TempDir::new().unwrap();
    let key = add_key(folder.path(), &["--name", "ada", "--expires", "3s"]);
    let known = load_keys(folder.path());
    authenticate_key(&known, &key).unwrap();
    let expired = Err("the key has expired".to_owned());
    assert!(wait_until(|| authenticate_key(&known, &key) == expired), "the key does not expire");
    let result = run_keys_command(folder.path(), &["rotate", key_id(&key)]);
    assert_eq!(result.exit_code, Some(1), "{}", result.stderr);
    assert!(result.stderr.contains("has expired"), "{}", result.stderr);
}

#[test]
fn unknown_keys_cannot_be_revoked_or_replaced() {
    let folder = TempDir::new().unwrap();
    let key = add_key(folder.path(), &["--name", "ada"]);
    for command in ["revoke", "rotate"] {
        for (unknown, expected) in
            [("00000000", "has no key"), ("ada", "an id has"), ("", "an id has"), (&key, "an id has")]
        {
            let result = run_keys_command(folder.path(), &[command, unknown]);
            assert_eq!((result.exit_code, result.stdout.as_str()), (Some(1), ""), "{command} {unknown:?}");
            assert!(
                result.stderr.contains(expected) && !result.stderr.contains(key_secret(&key).0),
                "{}",
                result.stderr
            );
        }
    }
    assert_eq!(list_keys(folder.path()).len(), 1);
}

#[test]
fn keys_are_listed_without_secrets() {
    let folder = TempDir::new().unwrap();
    assert_eq!(list_keys(folder.path()), [] as [Json; 0]);
    let options = ["--scope", "a,b", "--files", "c/*", "--requests", "5", "--per", "hour", "--expires", "2999-01-31"];
    let first = add_key(folder.path(), &[&["--name", "ada"], &options[..]].concat());
    let second = add_key(folder.path(), &["--name", "B\u{1b}[2J"]);
    let text = run_keys_command(folder.path(), &["list"]).stdout;
    let created = |index: usize| list_keys(folder.path())[index]["created"].as_str().unwrap().to_owned();
    let expected = format!(
        "ID        NAME   SCOPE  FILES  REQUESTS    CREATED               LAST USED  EXPIRES               STATE\n\
         {}  ada    a,b    c/*    5 per hour  {}  -          2999-01-31T00:00:00Z  valid\n\
         {}  B\u{fffd}[2J  -      -      -           {}  -          -                     valid\n",
        key_id(&first),
        created(0),
        key_id(&second),
        created(1)
    );
    assert_eq!(text, expected);
    let expected = json!({
        "id": key_id(&first), "name": "ada", "scope": ["a", "b"], "files": ["c/*"],
        "limit": { "requests": 5, "per": "hour" }, "created": created(0), "used": null, "spent": null, "expires": "2999-01-31T00:00:00Z",
        "replaced_by": null, "valid": true
    });
    assert_eq!(list_keys(folder.path())[0], expected);
}
