//! What a call ended in.

use serde::Serialize;
use serde_json::Value as Json;

use super::{Download, Refusal};

/// How a call ended.
pub type Outcome = Result<Success, Refusal>;

/// A call that succeeded.
pub struct Success {
    /// What the handler returned.
    pub returned: Returned,
    /// HTTP status, from 200 to 299.
    pub status: u16,
    /// Whether the outputs are one value that is the whole body (`out: {"*": …}`).
    pub whole: bool,
    /// Header fields set by the handler.
    pub headers: Vec<(http::HeaderName, http::HeaderValue)>,
}

impl std::fmt::Debug for Success {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Success").field("status", &self.status).field("returned", &self.returned).finish()
    }
}

/// What a handler returned.
pub enum Returned {
    /// Outputs, which an answer has in its envelope.
    Outputs(Box<dyn Encode>),
    /// A file, which is the answer itself.
    Download(Box<Download>),
}

impl std::fmt::Debug for Returned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Outputs(outputs) => f.debug_tuple("Outputs").field(&outputs.to_json()).finish(),
            Self::Download(download) => f.debug_tuple("Download").field(download).finish(),
        }
    }
}

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
