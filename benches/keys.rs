//! The keys of callers, which both servers accept.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// The default number of callers.
pub const COUNT: usize = 100;

/// The permission of every caller.
pub const SCOPE: &str = "author";

/// The secret with which rulebook hashes keys.
pub const PEPPER: [u8; 64] = [7; 64];

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns the bearer token of the `n`-th caller, from 0. It has the format of rulebook's keys, and is not secret.
pub fn token(n: usize) -> String {
    let key = format!("rb_{}_{}", id(n), secret(n));
    let mut sum = crc32fast::hash(key.as_bytes()) as usize;
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[sum % 62];
        sum /= 62;
    }
    key + &String::from_utf8_lossy(&digits)
}

fn id(n: usize) -> String {
    format!("{n:08x}")
}

fn secret(n: usize) -> String {
    format!("{n:054}")
}

/// Returns the name of the `n`-th caller.
pub fn name(n: usize) -> String {
    format!("caller-{n:03}")
}

/// Returns the hash of a token in the hand-written server.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Returns the content of keys.json for this number of callers.
pub fn file(count: usize) -> Json {
    let entry = |n| {
        let mut mac = Hmac::<Sha256>::new((&PEPPER).into());
        mac.update(secret(n).as_bytes());
        json!({
            "id": id(n),
            "hash": hex::encode(mac.finalize().into_bytes()),
            "name": name(n),
            "scope": [SCOPE],
            "created": "2026-01-01T00:00:00Z",
        })
    };
    json!({ "keys": (0..count).map(entry).collect::<Vec<_>>() })
}
