//! The outputs of a method, as a Rust value that can be serialized as JSON.

use serde::Serialize;
use serde_json::Value as Json;

/// The outputs of a method. Every type that implements [`Serialize`] implements this trait; programs need not
/// implement it.
pub trait Encode: Send {
    /// Appends the outputs to `to`, as JSON text.
    ///
    /// # Errors
    /// Fails if the `Serialize` implementation of the type fails, or if a map has keys that are not strings.
    fn write_json(&self, to: &mut Vec<u8>) -> Result<(), serde_json::Error>;

    /// Returns the outputs as a JSON value, of which a caller can read single members.
    ///
    /// # Errors
    /// Fails in the same cases as [`Encode::write_json`].
    fn to_json(&self) -> Result<Json, serde_json::Error>;
}

impl<T: Serialize + Send> Encode for T {
    fn write_json(&self, to: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(to, self)
    }

    fn to_json(&self) -> Result<Json, serde_json::Error> {
        serde_json::to_value(self)
    }
}
