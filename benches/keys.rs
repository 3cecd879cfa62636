//! The bearer keys of the callers. Both servers accept these keys.

use hmac::{Hmac, Mac};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// The default number of callers.
pub const DEFAULT_COUNT: usize = 100;

/// The permission that every caller has.
pub const PERMISSION: &str = "author";

/// The secret that rulebook uses to hash keys.
pub const PEPPER: [u8; 64] = [7; 64];

const BASE62_DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns the bearer token of the `n`-th caller; the first caller has the number 0. The token has the format of
/// rulebook's keys, but it is not random.
pub fn bearer_token(n: usize) -> String {
    let key = format!("rb_{}_{}", key_id(n), key_secret(n));
    let mut sum = crc32fast::hash(key.as_bytes()) as usize;
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62_DIGITS[sum % 62];
        sum /= 62;
    }
    key + &String::from_utf8_lossy(&digits)
}

fn key_id(n: usize) -> String {
    format!("{n:08x}")
}

fn key_secret(n: usize) -> String {
    format!("{n:054}")
}

/// Returns the name of the `n`-th caller.
pub fn caller_name(n: usize) -> String {
    format!("caller-{n:03}")
}

/// Returns the hash by which the hand-written server looks up a token.
pub fn hash_token(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Returns the content of keys.json for this number of callers.
pub fn key_file(count: usize) -> Json {
    let entry = |n| {
        let mut mac = Hmac::<Sha256>::new((&PEPPER).into());
        mac.update(key_secret(n).as_bytes());
        json!({
            "id": key_id(n),
            "hash": hex::encode(mac.finalize().into_bytes()),
            "name": caller_name(n),
            "scope": [PERMISSION],
            "created": "2026-01-01T00:00:00Z",
        })
    };
    json!({ "keys": (0..count).map(entry).collect::<Vec<_>>() })
}
