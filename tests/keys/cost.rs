//! A request costs the same however many keys there are, and no secret is told anywhere.

use std::fs;
use std::time::{Duration, Instant};

use rulebook::Keys;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{add, judge, secret};
use crate::cli::shop;
use crate::client::{Connection, Request};
use crate::served::{Served, free_address};

#[test]
fn a_thousand_keys_cost_what_one_does() {
    let folder = TempDir::new().unwrap();
    let key = add(folder.path(), &["--name", "ada"]);
    let file = folder.path().join("data/keys.json");
    let one = Keys::load(&file).unwrap();
    let mut kept: Json = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for number in 0..999 {
        let (id, hash) = (format!("{number:08x}"), format!("{number:064x}"));
        let entry = json!({ "id": id, "hash": hash, "name": "bo", "created": "2026-01-01T00:00:00Z" });
        kept["keys"].as_array_mut().unwrap().insert(0, entry);
    }
    fs::write(&file, kept.to_string()).unwrap();
    let many = Keys::load(&file).unwrap();
    assert_eq!((one.len(), many.len()), (1, 1000));
    // The best of many tries: what else the machine does only makes them longer.
    let cost = |keys: &Keys| -> Duration {
        let round = || {
            let begun = Instant::now();
            for _ in 0..20 {
                judge(keys, &key).unwrap();
            }
            begun.elapsed()
        };
        (0..50).map(|_| round()).min().unwrap()
    };
    let (one, many) = (cost(&one), cost(&many));
    assert!(many < one * 2, "{many:?} instead of {one:?}");
}

#[test]
fn no_secret_is_told_anywhere() {
    let folder = shop();
    let limited = ["--scope", "admin", "--requests", "2", "--per", "day"];
    let good = add(folder.path(), &[&["--name", "ada"], &limited[..]].concat());
    let revoked = add(folder.path(), &["--name", "bo"]);
    let [id, rest] = [super::id(&revoked), &revoked[13..]];
    assert_eq!(super::keys(folder.path(), &["revoke", id]).code, Some(0));
    let mistyped = format!("{}0{}", &good[..40], &good[41..]);
    let address = free_address();
    let served = Served::start(folder.path(), &address, &["serve", "--log", "trace"]);
    let mut said = String::new();
    let targets =
        ["/article", "/article/x", "/nowhere", "/openapi.json", "/docs/swagger", "/metrics", "/readyz", "/llms.txt"];
    for key in [&good, &revoked, &mistyped, &good.to_lowercase(), &format!("{good} {good}")] {
        for (method, target) in
            targets.iter().flat_map(|target| ["GET", "POST", "OPTIONS", "PUT"].map(|own| (own, target)))
        {
            let request = Request::new(method, target).field("authorization", format!("Bearer {key}"));
            let answer = Connection::to(address.parse().unwrap()).ask(&request);
            said += &format!("{}{}\n", answer.head, String::from_utf8_lossy(&answer.body));
        }
    }
    assert!(said.contains(" 429 ") && said.contains(" 401 "), "there is something to be told");
    said += &served.told();
    drop(served);
    said += &super::keys(folder.path(), &["list"]).out;
    said += &super::keys(folder.path(), &["list", "--json"]).out;
    let data = folder.path().join("data");
    said += &fs::read_to_string(data.join("keys.used.json")).unwrap_or_default();
    let kept = fs::read_to_string(data.join("keys.json")).unwrap();
    let hash = serde_json::from_str::<Json>(&kept).unwrap()["keys"][0]["hash"].as_str().unwrap().to_owned();
    let pepper = hex::encode(fs::read(data.join("pepper")).unwrap());
    let said = said.to_lowercase();
    for part in [&secret(&good).0[30..], &secret(&good).0[..26], &rest[..30], &hash, &pepper] {
        assert!(!said.contains(&part.to_lowercase()), "{part} is told");
        assert!(!kept.to_lowercase().contains(&part.to_lowercase()) || part == hash, "{part} is kept");
    }
}
