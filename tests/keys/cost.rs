//! Tests that the cost of looking up a key does not depend on the number of keys, and that secrets are never shown.

use std::fs;
use std::time::{Duration, Instant};

use rulebook::key::Keys;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{add_key, authenticate_key, key_secret};
use crate::cli::shop_folder;
use crate::client::{Connection, Request};
use crate::server_process::{ServerProcess, free_address};

#[test]
fn a_lookup_among_a_thousand_keys_costs_the_same_as_among_one() {
    let folder = TempDir::new().unwrap();
    let key = add_key(folder.path(), &["--name", "ada"]);
    let file = folder.path().join("data/keys.json");
    let one = Keys::load(&file).unwrap();
    let mut stored: Json = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for number in 0..999 {
        let (id, hash) = (format!("{number:08x}"), format!("{number:064x}"));
        let entry = json!({ "id": id, "hash": hash, "name": "bo", "created": "2026-01-01T00:00:00Z" });
        stored["keys"].as_array_mut().unwrap().insert(0, entry);
    }
    fs::write(&file, stored.to_string()).unwrap();
    let many = Keys::load(&file).unwrap();
    assert_eq!((one.len(), many.len()), (1, 1000));
    // The fastest of many rounds is compared, because other processes on the machine can only make a round slower.
    let cost = |keys: &Keys| -> Duration {
        let round = || {
            let start = Instant::now();
            for _ in 0..20 {
                authenticate_key(keys, &key).unwrap();
            }
            start.elapsed()
        };
        (0..50).map(|_| round()).min().unwrap()
    };
    let (one, many) = (cost(&one), cost(&many));
    assert!(many < one * 2, "{many:?} instead of {one:?}");
}

#[test]
fn secrets_appear_in_no_response_log_or_file() {
    let folder = shop_folder();
    let limited = ["--scope", "admin", "--requests", "2", "--per", "day"];
    let valid = add_key(folder.path(), &[&["--name", "ada"], &limited[..]].concat());
    let revoked = add_key(folder.path(), &["--name", "bo"]);
    let [id, rest] = [super::key_id(&revoked), &revoked[13..]];
    assert_eq!(super::run_keys_command(folder.path(), &["revoke", id]).exit_code, Some(0));
    let mistyped = format!("{}0{}", &valid[..40], &valid[41..]);
    let address = free_address();
    let process = ServerProcess::start(folder.path(), &address, &["serve", "--log", "trace"]);
    let mut output = String::new();
    let targets =
        ["/article", "/article/x", "/nowhere", "/openapi.json", "/docs/swagger", "/metrics", "/readyz", "/llms.txt"];
    for key in [&valid, &revoked, &mistyped, &valid.to_lowercase(), &format!("{valid} {valid}")] {
        for (method, target) in
            targets.iter().flat_map(|target| ["GET", "POST", "OPTIONS", "PUT"].map(|method| (method, target)))
        {
            let request = Request::new(method, target).field("authorization", format!("Bearer {key}"));
            let response = Connection::open(address.parse().unwrap()).send(&request);
            output += &format!("{}{}\n", response.head, String::from_utf8_lossy(&response.body));
        }
    }
    assert!(output.contains(" 429 ") && output.contains(" 401 "), "responses of several kinds");
    output += &process.log();
    drop(process);
    output += &super::run_keys_command(folder.path(), &["list"]).stdout;
    output += &super::run_keys_command(folder.path(), &["list", "--json"]).stdout;
    let data = folder.path().join("data");
    output += &fs::read_to_string(data.join("keys.used.json")).unwrap_or_default();
    let stored = fs::read_to_string(data.join("keys.json")).unwrap();
    let hash = serde_json::from_str::<Json>(&stored).unwrap()["keys"][0]["hash"].as_str().unwrap().to_owned();
    let pepper = hex::encode(fs::read(data.join("pepper")).unwrap());
    let output = output.to_lowercase();
    for part in [&key_secret(&valid).0[30..], &key_secret(&valid).0[..26], &rest[..30], &hash, &pepper] {
        assert!(!output.contains(&part.to_lowercase()), "{part} is shown");
        assert!(!stored.to_lowercase().contains(&part.to_lowercase()) || part == hash, "{part} is stored");
    }
}
