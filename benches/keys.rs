//! The keys of the callers. Both servers know the same ones.

use sha2::{Digest, Sha256};

/// How many callers there are.
pub const COUNT: usize = 100;

/// A caller's bearer token, in the words of C's and Lua's `format`.
pub const TOKEN_PATTERN: &str = "benchmark-%03d-00000000000000000000000000";

/// What a caller may do.
pub const SCOPE: &str = "author";

/// The token of the `n`-th caller, `n` from 0.
pub fn token(n: usize) -> String {
    TOKEN_PATTERN.replace("%03d", &format!("{n:03}"))
}

/// The name of the `n`-th caller.
pub fn name(n: usize) -> String {
    format!("caller-{n:03}")
}

/// What is kept of a token.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
