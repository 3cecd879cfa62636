//! The failures of calls of upstreams.

use std::io;
use std::time::Duration;

use rulebook::{ApiError, describe_with_causes};
use thiserror::Error;

use super::address::Origin;

/// Why an upstream has not responded, or not with a valid response.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// All connections are in use for as long as a call waits for one.
    #[error("all {0} connections of this thread are in use")]
    Busy(usize),
    /// The connection cannot be opened.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// The TLS connection cannot be opened, for example because the certificate of the upstream is not valid.
    #[error("cannot open a TLS connection: {0}")]
    Tls(#[source] io::Error),
    /// The connection was not opened in time.
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    /// The response, or the next part of its body, has not arrived in time.
    #[error("no response within {0:?}")]
    Timeout(Duration),
    /// The connection failed, or what arrived is not a response.
    #[error("{}", describe_with_causes(.0))]
    Connection(#[source] hyper::Error),
    /// The response is not one that a handler accepts.
    #[error("{0}")]
    Response(String),
    /// The body of a response is too large.
    #[error("the body of the response is larger than {0} bytes")]
    TooLarge(usize),
    /// An uploaded file cannot be read.
    #[error("an uploaded file cannot be read: {0}")]
    Upload(String),
}

impl UpstreamError {
    pub fn from_connection(error: hyper::Error) -> Self {
        // Only the body of a request is code of this crate: a file that cannot be read.
        if error.is_user() { Self::Upload(describe_with_causes(&error)) } else { Self::Connection(error) }
    }

    /// Returns the error for the client. The log names the upstream.
    pub fn for_client(&self, origin: &Origin) -> ApiError {
        let reason = format_args!("the upstream {origin}: {self}");
        match self {
            // The upstream has not received the request.
            Self::Busy(_) | Self::Connect(_) => ApiError::unavailable(reason),
            Self::ConnectTimeout(_) | Self::Timeout(_) => ApiError::gateway_timeout(reason),
            Self::Tls(_) | Self::Connection(_) | Self::Response(_) | Self::TooLarge(_) => ApiError::bad_gateway(reason),
            Self::Upload(_) => ApiError::internal(reason),
        }
    }
}
