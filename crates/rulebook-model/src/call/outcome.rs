//! What a method returns, which can write itself as JSON.

use serde::Serialize;
use serde_json::Value as Json;

/// Outputs of any type that serde can write. Implemented for every such type; not meant to be written by hand.
pub trait Encode: Send {
    /// Appends the outputs as JSON text.
    ///
    /// # Errors
    /// The type's own `Serialize` failed, or a map has keys that are no strings.
    fn write_json(&self, to: &mut Vec<u8>) -> Result<(), serde_json::Error>;

    /// The outputs as a JSON value, for whoever needs to look into them.
    ///
    /// # Errors
    /// As for [`Encode::write_json`].
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
