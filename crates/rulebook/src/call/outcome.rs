//! The result of a call.

use super::{ApiError, Download, Encode};

/// The result of a call: a success or an error.
pub type Outcome = Result<Success, ApiError>;

/// A call that succeeded.
pub struct Success {
    /// What the handler returned.
    pub returned: Returned,
    /// HTTP status, from 200 to 299.
    pub status: u16,
    /// `true` if the method has a single output that is the whole body (`out: {"*": …}`).
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
    /// Outputs. The response contains them in its envelope.
    Outputs(Box<dyn Encode>),
    /// A file. The response contains only the file, without an envelope.
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
