//! Tests of how keys are stored in the key file.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use hmac::{Hmac, Mac};
use rulebook::key::Keys;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256, Sha512};
use tempfile::TempDir;

use super::{add_key, authenticate_key, key_id, key_secret, run_keys_command};
use crate::server_process::program;

fn keyed_hash(pepper: &[u8; 64], text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new(pepper.into());
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[test]
fn a_key_is_printed_once_and_stored_as_a_keyed_hash() {
    let folder = TempDir::new().unwrap();
    let options = ["--files", "a/*", "--files", "b.txt", "--requests", "5", "--per", "day", "--expires", "2999-01-31"];
    let first = add_key(
        folder.path(),
        &[&["--name", "ada", "--scope", "reader,user[1]", "--scope", "writer"], &options[..]].concat(),
    );
    let second = add_key(folder.path(), &["--name", "bo"]);
    let file = folder.path().join("data/keys.json");
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains(key_secret(&first).0) && text.ends_with('\n'), "{text}");
    let pepper: [u8; 64] = fs::read(folder.path().join("data/pepper")).unwrap().try_into().unwrap();
    let mut stored: Json = serde_json::from_str(&text).unwrap();
    for key in stored["keys"].as_array_mut().unwrap() {
        let created = key.as_object_mut().unwrap().remove("created").unwrap();
        let age = jiff::Timestamp::now().duration_since(created.as_str().unwrap().parse().unwrap());
        assert!((0..60).contains(&age.as_secs()), "{created}");
    }
    let expected = json!({ "pepper": &keyed_hash(&pepper, "pepper")[..16], "keys": [
        {
            "id": key_id(&first), "hash": keyed_hash(&pepper, key_secret(&first).0), "name": "ada",
            "scope": ["reader", "user[1]", "writer"], "files": ["a/*", "b.txt"],
            "limit": { "requests": 5, "per": "day" }, "expires": "2999-01-31T00:00:00Z"
        },
        { "id": key_id(&second), "hash": keyed_hash(&pepper, key_secret(&second).0), "name": "bo", "scope": [] }
    ] });
    assert_eq!(stored, expected);
    let keys = Keys::load(&file).unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(
        authenticate_key(&keys, &first),
        Ok(("ada".to_owned(), ["reader", "user[1]", "writer"].map(str::to_owned).into()))
    );
    assert_eq!(authenticate_key(&keys, &second), Ok(("bo".to_owned(), Vec::new())));
    let shown = format!("{keys:?}");
    assert_eq!(shown, "Keys { keys: 2 }");
}

#[test]
fn keys_have_a_recognizable_format_with_a_checksum() {
    let folder = TempDir::new().unwrap();
    let created: Vec<_> = (0..4).map(|_| add_key(folder.path(), &["--name", "ada"])).collect();
    assert_eq!(created.iter().map(|key| key_id(key)).collect::<BTreeSet<_>>().len(), created.len());
    assert_eq!(created.iter().map(|key| key_secret(key).0).collect::<BTreeSet<_>>().len(), created.len());
    for key in &created {
        assert_eq!((&key[..3], key_id(key).len(), key.len()), ("rb_", 8, 72), "{key}");
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{key}");
        let digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let sum = key_secret(key).1.chars().fold(0, |sum, digit| sum * 62 + digits.find(digit).unwrap());
        assert_eq!(sum, crc32fast::hash(&key.as_bytes()[..66]) as usize, "{key}");
    }
}

#[test]
fn a_pepper_in_the_environment_variable_is_used_instead_of_a_file() {
    let folder = TempDir::new().unwrap();
    let add = |pepper: &str| {
        let mut command = program(folder.path());
        command.args(["keys", "add", "--name", "ada", "--data", "data"]).env("RULEBOOK_PEPPER", pepper);
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let short = "so short that it can be guessed";
    let (code, out, err) = add(short);
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(err.contains("32 characters") && !err.contains(short), "{err}");
    let long = format!("{short}!");
    let (code, key, _) = add(&long);
    assert_eq!(code, Some(0));
    let data = folder.path().join("data");
    assert!(!data.join("pepper").exists());
    let stored: Json = serde_json::from_slice(&fs::read(data.join("keys.json")).unwrap()).unwrap();
    let pepper = Sha512::digest(&long).into();
    assert_eq!(stored["keys"][0]["hash"], keyed_hash(&pepper, key_secret(key.trim()).0));

    let other = "another pepper that is long enough";
    for (pepper, expected) in [(other, "another pepper"), ("", "a pepper that is missing")] {
        let (code, out, err) = add(pepper);
        assert_eq!((code, out.as_str()), (Some(3), ""), "{pepper}: {err}");
        assert!(err.contains(expected) && !err.contains(other), "{err}");
    }
    let error = Keys::load(&data.join("keys.json")).unwrap_err().to_string();
    assert!(error.contains("a pepper that is missing"), "{error}");
    fs::write(data.join("pepper"), [0; 64]).unwrap();
    let error = Keys::load(&data.join("keys.json")).unwrap_err().to_string();
    assert!(error.contains("another pepper"), "{error}");
    fs::write(data.join("pepper"), [0; 63]).unwrap();
    let error = Keys::load(&data.join("keys.json")).unwrap_err().to_string();
    assert!(error.contains("data/pepper") && error.contains("it is not a secret of 64 bytes"), "{error}");
    // If there are no keys, a new pepper (the secret of the hashes) is created.
    fs::remove_file(data.join("keys.json")).unwrap();
    fs::remove_file(data.join("pepper")).unwrap();
    assert_eq!(run_keys_command(folder.path(), &["add", "--name", "ada"]).exit_code, Some(0));
}

#[cfg(unix)]
#[test]
fn key_files_are_readable_by_their_owner_only_and_replaced_atomically() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let file = data.join("keys.json");
    add_key(folder.path(), &["--name", "ada"]);
    let first = fs::metadata(&file).unwrap();
    let pepper = fs::metadata(data.join("pepper")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    add_key(folder.path(), &["--name", "bo"]);
    let second = fs::metadata(&file).unwrap();
    assert_eq!([&first, &second, &pepper].map(|file| file.mode() & 0o777), [0o600; 3]);
    assert_ne!(first.ino(), second.ino());
    let beside: BTreeSet<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(beside, BTreeSet::from([file, data.join("pepper")]), "no temporary files are left");
}

#[test]
fn keys_that_are_created_concurrently_are_all_stored() {
    let folder = TempDir::new().unwrap();
    let commands: Vec<_> = (0..8)
        .map(|number| {
            let mut command = program(folder.path());
            command.args(["keys", "add", "--data", "data", "--name", &number.to_string()]);
            command.stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let created: BTreeSet<_> = commands.into_iter().map(|child| child.wait_with_output().unwrap().stdout).collect();
    assert_eq!(created.len(), 8);
    let keys = Keys::load(&folder.path().join("data/keys.json")).unwrap();
    assert_eq!(keys.len(), 8);
    for key in created {
        authenticate_key(&keys, String::from_utf8(key).unwrap().trim_end()).unwrap();
    }
}

#[test]
fn a_missing_key_file_is_read_as_no_keys() {
    let folder = TempDir::new().unwrap();
    let elsewhere = add_key(folder.path(), &["--name", "ada"]);
    let keys = Keys::load(&folder.path().join("keys.json")).unwrap();
    assert!(keys.is_empty());
    assert_eq!(authenticate_key(&keys, &elsewhere), Err("the key is unknown".to_owned()));
    assert!(!folder.path().join("pepper").exists(), "loading creates no file");
}
