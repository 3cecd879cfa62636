//! Keys that are created, listed, replaced and revoked while a server runs.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rulebook::key::Keys;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{add, check, id, keys, secret};
use crate::client::wait_until;

/// The time within which a server notices changed keys.
const NOTICE_TIME: Duration = Duration::from_secs(1);

/// Asserts that a condition is met within [`NOTICE_TIME`].
fn assert_soon(what: &str, is_met: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_met() {
        assert!(start.elapsed() < NOTICE_TIME, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn load(folder: &Path) -> Keys {
    Keys::load(&folder.join("data/keys.json")).unwrap()
}

fn listed(folder: &Path) -> Vec<Json> {
    let result = keys(folder, &["list", "--json"]);
    assert_eq!((result.code, result.err.as_str()), (Some(0), ""));
    serde_json::from_str(&result.out).unwrap()
}

#[test]
fn new_and_revoked_keys_take_effect_within_a_second() {
    let folder = TempDir::new().unwrap();
    let known = load(folder.path());
    let watcher = known.watch().unwrap();
    let first = add(folder.path(), &["--name", "ada"]);
    assert_soon("the first key is valid", || check(&known, &first).is_ok());
    let second = add(folder.path(), &["--name", "bo"]);
    assert_soon("the second key is valid", || check(&known, &second).is_ok());
    let result = keys(folder.path(), &["revoke", id(&first)]);
    assert_eq!((result.code, result.out.as_str(), result.err.as_str()), (Some(0), "", ""));
    assert_soon("the first key is revoked", || check(&known, &first) == Err("the key is unknown".to_owned()));
    check(&known, &second).unwrap();
    // A file that cannot be read changes nothing until it can be read again.
    let file = folder.path().join("data/keys.json");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, "{").unwrap();
    std::thread::sleep(NOTICE_TIME);
    check(&known, &second).unwrap();
    fs::write(&file, whole).unwrap();
    let third = add(folder.path(), &["--name", "eve"]);
    assert_soon("the third key is valid", || check(&known, &third).is_ok());
    fs::remove_file(&file).unwrap();
    assert_soon("there are no keys", || known.is_empty());
    drop(watcher);
    add(folder.path(), &["--name", "ada"]);
    std::thread::sleep(NOTICE_TIME);
    assert!(known.is_empty(), "the watcher has stopped");
}

#[test]
fn a_replaced_key_stays_valid_for_a_grace_period() {
    let folder = TempDir::new().unwrap();
    let options = ["--name", "ada", "--scope", "a,b", "--files", "c/*", "--requests", "5", "--per", "ever"];
    let old = add(folder.path(), &options);
    let rotate = |id: &str, arguments: &[&str]| keys(folder.path(), &[&["rotate", id], arguments].concat());
    let result = rotate(id(&old), &[]);
    assert_eq!((result.code, result.err.as_str()), (Some(0), ""));
    let new = result.out.trim_end().to_owned();
    assert_ne!(secret(&old), secret(&new));
    let [old_entry, new_entry] = listed(folder.path()).try_into().unwrap();
    assert_eq!(old_entry["replaced_by"], id(&new));
    for field in ["name", "scope", "files", "limit"] {
        assert_eq!(old_entry[field], new_entry[field], "{field}");
    }
    assert_eq!(new_entry["expires"], Json::Null, "the new key has the expiry that the old one had");
    let end: jiff::Timestamp = old_entry["expires"].as_str().unwrap().parse().unwrap();
    let left = end.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((24 * 3600 - 60..=24 * 3600).contains(&left), "{left}");
    let known = load(folder.path());
    assert_eq!(check(&known, &old).unwrap(), check(&known, &new).unwrap());

    let result = rotate(id(&old), &[]);
    assert_eq!((result.code, result.out.as_str()), (Some(1), ""));
    assert!(result.err.contains(&format!("replaced already, by {}", id(&new))), "{}", result.err);
    let newest = rotate(id(&new), &["--grace", "0s"]);
    assert_eq!(newest.code, Some(0));
    let known = load(folder.path());
    check(&known, newest.out.trim_end()).unwrap();
    assert_eq!(check(&known, &new), Err("the key has expired".to_owned()));
    assert_eq!(listed(folder.path())[1]["valid"], false);
}

#[test]
fn a_replaced_key_expires_no_later_than_before() {
    let folder = TempDir::new().unwrap();
    let key = add(folder.path(), &["--name", "ada", "--expires", "2h"]);
    let before = listed(folder.path()).remove(0)["expires"].clone();
    assert_eq!(keys(folder.path(), &["rotate", id(&key), "--grace", "7d"]).code, Some(0));
    let [old_entry, new_entry] = listed(folder.path()).try_into().unwrap();
    assert_eq!((&old_entry["expires"], &new_entry["expires"]), (&before, &before));
}

#[test]
fn an_expired_key_is_invalid_and_cannot_be_replaced() {
    let folder = TempDir::new().unwrap();
    let key = add(folder.path(), &["--name", "ada", "--expires", "3s"]);
    let known = load(folder.path());
    check(&known, &key).unwrap();
    let expired = Err("the key has expired".to_owned());
    assert!(wait_until(|| check(&known, &key) == expired), "the key does not expire");
    let result = keys(folder.path(), &["rotate", id(&key)]);
    assert_eq!(result.code, Some(1), "{}", result.err);
    assert!(result.err.contains("has expired"), "{}", result.err);
}

#[test]
fn unknown_keys_cannot_be_revoked_or_replaced() {
    let folder = TempDir::new().unwrap();
    let key = add(folder.path(), &["--name", "ada"]);
    for command in ["revoke", "rotate"] {
        for (unknown, expected) in
            [("00000000", "has no key"), ("ada", "an id has"), ("", "an id has"), (&key, "an id has")]
        {
            let result = keys(folder.path(), &[command, unknown]);
            assert_eq!((result.code, result.out.as_str()), (Some(1), ""), "{command} {unknown:?}");
            assert!(result.err.contains(expected) && !result.err.contains(secret(&key).0), "{}", result.err);
        }
    }
    assert_eq!(listed(folder.path()).len(), 1);
}

#[test]
fn keys_are_listed_without_secrets() {
    let folder = TempDir::new().unwrap();
    assert_eq!(listed(folder.path()), [] as [Json; 0]);
    let options = ["--scope", "a,b", "--files", "c/*", "--requests", "5", "--per", "hour", "--expires", "2999-01-31"];
    let first = add(folder.path(), &[&["--name", "ada"], &options[..]].concat());
    let second = add(folder.path(), &["--name", "B\u{1b}[2J"]);
    let text = keys(folder.path(), &["list"]).out;
    let created = |index: usize| listed(folder.path())[index]["created"].as_str().unwrap().to_owned();
    let expected = format!(
        "ID        NAME   SCOPE  FILES  REQUESTS    CREATED               LAST USED  EXPIRES               STATE\n\
         {}  ada    a,b    c/*    5 per hour  {}  -          2999-01-31T00:00:00Z  valid\n\
         {}  B\u{fffd}[2J  -      -      -           {}  -          -                     valid\n",
        id(&first),
        created(0),
        id(&second),
        created(1)
    );
    assert_eq!(text, expected);
    let expected = json!({
        "id": id(&first), "name": "ada", "scope": ["a", "b"], "files": ["c/*"],
        "limit": { "requests": 5, "per": "hour" }, "created": created(0), "used": null, "spent": null, "expires": "2999-01-31T00:00:00Z",
        "replaced_by": null, "valid": true
    });
    assert_eq!(listed(folder.path())[0], expected);
}
