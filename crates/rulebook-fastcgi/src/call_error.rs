//! The reasons why a call of PHP fails, except the errors that the method declares.

use std::io;

use rulebook::ApiError;
use thiserror::Error;

/// The reason why a call of PHP fails. The text is written to the log, and clients get only the status.
#[derive(Debug, Error)]
pub enum CallError {
    /// All connections were in use for too long.
    #[error("no connection to the FastCGI server was free in time")]
    Busy,
    /// The server has more calls than it can queue, or has refused this one for this reason.
    #[error("the FastCGI server is overloaded")]
    Overloaded,
    /// The server cannot be reached.
    #[error("the FastCGI server cannot be reached: {0}")]
    Connect(io::Error),
    /// The server has closed the connection before the end of the response.
    #[error("the FastCGI server closed the connection before the end of its response")]
    Closed,
    /// The connection has failed.
    #[error("the connection to the FastCGI server failed: {0}")]
    Connection(io::Error),
    /// The server has sent something else than the records of a response.
    #[error("the FastCGI server sent invalid data: {0}")]
    Record(String),
    /// The server does not accept the request.
    #[error("the FastCGI server rejected the request with the protocol status {0}")]
    Rejected(u8),
    /// The response took too long.
    #[error("the FastCGI server did not respond in time")]
    Late,
    /// The response is longer than the limit.
    #[error("the response of the FastCGI server exceeds `max_response`, which is {0} bytes")]
    TooLong(usize),
    /// The messages are longer than the limit.
    #[error("the FastCGI server sent more than {0} bytes of messages for the log")]
    TooManyMessages(usize),
    /// The response is not what the style of the handler requires.
    #[error("{0}")]
    Response(String),
    /// An uploaded file cannot be sent.
    #[error("an uploaded file cannot be read: {0}")]
    Upload(io::Error),
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Busy | CallError::Overloaded => Self::unavailable(error),
            CallError::Late => Self::gateway_timeout(error),
            CallError::Upload(_) => Self::internal(error),
            _ => Self::bad_gateway(error),
        }
    }
}
