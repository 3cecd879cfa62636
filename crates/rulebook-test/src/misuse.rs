//! The error of a test that uses the client incorrectly.

use std::fmt;

/// Why a test cannot be carried out as it is written: for example, the API has no method with this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misuse(pub(super) String);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// Returns the value, or fails the test. The panic has the line of the test, because the caller and its callers have
/// the attribute `track_caller`, which closures do not pass on.
#[track_caller]
pub(super) fn or_fail<T>(result: Result<T, Misuse>) -> T {
    match result {
        Ok(value) => value,
        Err(misuse) => panic!("{misuse}"),
    }
}
