//! Keys that are made, listed, replaced and revoked, beside a server at work.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rulebook::Keys;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{add, id, judge, keys, secret};

/// How long a server may take to see that its keys have been changed.
const SEEN: Duration = Duration::from_secs(1);

/// Waits until something is so, at most [`SEEN`].
fn until(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < SEEN, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn load(folder: &Path) -> Keys {
    Keys::load(&folder.join("data/keys.json")).unwrap()
}

fn listed(folder: &Path) -> Vec<Json> {
    let ran = keys(folder, &["list", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn keys_that_are_made_and_revoked_count_at_once() {
    let folder = TempDir::new().unwrap();
    let known = load(folder.path());
    let keeper = known.keep().unwrap();
    let first = add(folder.path(), &["--name", "ada"]);
    until("the first is known", || judge(&known, &first).is_ok());
    let second = add(folder.path(), &["--name", "bo"]);
    until("the second is known", || judge(&known, &second).is_ok());
    let ran = keys(folder.path(), &["revoke", id(&first)]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), "", ""));
    until("the first is refused", || judge(&known, &first) == Err("an unknown key".to_owned()));
    judge(&known, &second).unwrap();
    // What cannot be read revokes nobody, and is over when it can be read again.
    let file = folder.path().join("data/keys.json");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, "{").unwrap();
    std::thread::sleep(SEEN);
    judge(&known, &second).unwrap();
    fs::write(&file, whole).unwrap();
    let third = add(folder.path(), &["--name", "eve"]);
    until("the third is known", || judge(&known, &third).is_ok());
    fs::remove_file(&file).unwrap();
    until("nobody is known", || known.is_empty());
    drop(keeper);
    add(folder.path(), &["--name", "ada"]);
    std::thread::sleep(SEEN);
    assert!(known.is_empty(), "nobody looks any more");
}

#[test]
fn a_key_that_is_replaced_is_good_for_a_while() {
    let folder = TempDir::new().unwrap();
    let wish = ["--name", "ada", "--scope", "a,b", "--files", "c/*", "--requests", "5", "--per", "ever"];
    let old = add(folder.path(), &wish);
    let rotate = |id: &str, arguments: &[&str]| keys(folder.path(), &[&["rotate", id], arguments].concat());
    let ran = rotate(id(&old), &[]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let new = ran.out.trim_end().to_owned();
    assert_ne!(secret(&old), secret(&new));
    let [was, is] = listed(folder.path()).try_into().unwrap();
    assert_eq!(was["replaced_by"], id(&new));
    for field in ["name", "scope", "files", "limit"] {
        assert_eq!(was[field], is[field], "{field}");
    }
    assert_eq!(is["expires"], Json::Null, "the new one ends as the old one would have");
    let end: jiff::Timestamp = was["expires"].as_str().unwrap().parse().unwrap();
    let left = end.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((24 * 3600 - 60..=24 * 3600).contains(&left), "{left}");
    let known = load(folder.path());
    assert_eq!(judge(&known, &old).unwrap(), judge(&known, &new).unwrap());

    let ran = rotate(id(&old), &[]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains(&format!("replaced already, by {}", id(&new))), "{}", ran.err);
    let newest = rotate(id(&new), &["--grace", "0s"]);
    assert_eq!(newest.code, Some(0));
    let known = load(folder.path());
    judge(&known, newest.out.trim_end()).unwrap();
    assert_eq!(judge(&known, &new), Err("a key that has expired".to_owned()));
    assert_eq!(listed(folder.path())[1]["valid"], false);
}

#[test]
fn a_replaced_key_ends_no_later_than_it_would_have() {
    let folder = TempDir::new().unwrap();
    let key = add(folder.path(), &["--name", "ada", "--expires", "2h"]);
    let before = listed(folder.path()).remove(0)["expires"].clone();
    assert_eq!(keys(folder.path(), &["rotate", id(&key), "--grace", "7d"]).code, Some(0));
    let [was, is] = listed(folder.path()).try_into().unwrap();
    assert_eq!((&was["expires"], &is["expires"]), (&before, &before));
}

#[test]
fn a_key_that_has_expired_is_refused() {
    let folder = TempDir::new().unwrap();
    let key = add(folder.path(), &["--name", "ada", "--expires", "3s"]);
    let known = load(folder.path());
    judge(&known, &key).unwrap();
    std::thread::sleep(Duration::from_millis(3100));
    assert_eq!(judge(&known, &key), Err("a key that has expired".to_owned()));
    let ran = keys(folder.path(), &["rotate", id(&key)]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("has expired"), "{}", ran.err);
}

#[test]
fn a_key_that_is_not_there_is_not_revoked() {
    let folder = TempDir::new().unwrap();
    let key = add(folder.path(), &["--name", "ada"]);
    for command in ["revoke", "rotate"] {
        for (unknown, expected) in
            [("00000000", "has no key"), ("ada", "an id is"), ("", "an id is"), (&key, "an id is")]
        {
            let ran = keys(folder.path(), &[command, unknown]);
            assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{command} {unknown:?}");
            assert!(ran.err.contains(expected) && !ran.err.contains(secret(&key).0), "{}", ran.err);
        }
    }
    assert_eq!(listed(folder.path()).len(), 1);
}

#[test]
fn keys_are_listed_without_what_is_secret() {
    let folder = TempDir::new().unwrap();
    assert_eq!(listed(folder.path()), [] as [Json; 0]);
    let wish = ["--scope", "a,b", "--files", "c/*", "--requests", "5", "--per", "hour", "--expires", "2999-01-31"];
    let first = add(folder.path(), &[&["--name", "ada"], &wish[..]].concat());
    let second = add(folder.path(), &["--name", "B\u{1b}[2J"]);
    let text = keys(folder.path(), &["list"]).out;
    let created = |index: usize| listed(folder.path())[index]["created"].as_str().unwrap().to_owned();
    let expected = format!(
        "ID        NAME   SCOPE  FILES  REQUESTS   CREATED               LAST USED  EXPIRES               STATE\n\
         {}  ada    a,b    c/*    5 an hour  {}  -          2999-01-31T00:00:00Z  valid\n\
         {}  B\u{fffd}[2J  -      -      -          {}  -          -                     valid\n",
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
