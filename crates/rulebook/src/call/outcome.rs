//! The result of a call of an API method.

use super::{ApiError, Download, Encode, RawResponse};

/// The result of a call of an API method: a success or an error.
pub type Outcome = Result<Success, ApiError>;

/// The result of a successful call: what the handler has returned, and the data for the response.
pub struct Success {
    /// The outputs or the file that the handler has returned.
    pub returned: ReturnedValue,
    /// The HTTP status of the response, from 200 to 299.
    pub status: u16,
    /// `true` if the API method has a single output, which is the whole body of the response (`out: {"*": …}`).
    pub has_whole_output: bool,
    /// The header fields that the handler has set for the response.
    pub headers: Vec<(http::HeaderName, http::HeaderValue)>,
}

impl std::fmt::Debug for Success {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Success").field("status", &self.status).field("returned", &self.returned).finish()
    }
}

/// The value that a handler has returned: outputs or a file.
pub enum ReturnedValue {
    /// The handler has returned outputs. The response contains them in an envelope (a JSON structure around the
    /// outputs).
    Outputs(Box<dyn Encode>),
    /// The handler has returned a file. The body of the response is the file, without an envelope.
    Download(Box<Download>),
    /// The handler has returned a complete response, which is sent as it is. Only handlers of a definition can.
    Response(Box<RawResponse>),
}

impl std::fmt::Debug for ReturnedValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Outputs(outputs) => f.debug_tuple("Outputs").field(&outputs.to_json()).finish(),
            Self::Download(download) => f.debug_tuple("Download").field(download).finish(),
            Self::Response(response) => f.debug_tuple("Response").field(response).finish(),
        }
    }
}
