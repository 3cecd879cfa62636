//! Cursors: the keys of the last row of a page, which only the server can write.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use blake3::Hash;
use serde_json::Value as Json;

/// The key that authenticates cursors.
pub(crate) type Secret = [u8; blake3::KEY_LEN];

/// Returns the cursor with these keys, which is valid in a context only.
pub(super) fn seal(secret: &Secret, context: &str, keys: &Json) -> String {
    let keys = keys.to_string();
    let mut bytes = tag(secret, context, keys.as_bytes()).as_bytes().to_vec();
    bytes.extend_from_slice(keys.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the keys in a cursor; `None` unless [`seal`] has returned the cursor for the same context.
pub(super) fn open(secret: &Secret, context: &str, cursor: &str) -> Option<Vec<Json>> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (found, keys) = bytes.split_first_chunk::<{ blake3::OUT_LEN }>()?;
    // Two hashes are compared in constant time.
    let is_valid = Hash::from_bytes(*found) == tag(secret, context, keys);
    if is_valid { serde_json::from_slice(keys).ok() } else { None }
}

fn tag(secret: &Secret, context: &str, keys: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new_keyed(secret);
    // The length separates the context from the keys.
    hasher.update(&(context.len() as u64).to_le_bytes());
    hasher.update(context.as_bytes());
    hasher.update(keys);
    hasher.finalize()
}
