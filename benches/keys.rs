//! The keys of the callers. Both servers know the same ones.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// How many callers there are, unless more is said.
pub const COUNT: usize = 100;

/// What a caller may do.
pub const SCOPE: &str = "author";

/// The secret that rulebook's file of keys is made with.
pub const PEPPER: [u8; 64] = [7; 64];

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The bearer token of the `n`-th caller, `n` from 0: as rulebook's are, though nothing about it is secret.
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

/// The name of the `n`-th caller.
pub fn name(n: usize) -> String {
    format!("caller-{n:03}")
}

/// What the hand-written server keeps of a token.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// What rulebook keeps of the tokens of so many callers.
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
