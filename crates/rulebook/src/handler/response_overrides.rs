//! The header fields and the status that a handler sets for its response, in place of the defaults of the definition.

use http::header::{HeaderName, HeaderValue};

use crate::call::{ApiError, ErrorKind, ResponseError};

/// The header fields and the status that a call's handler and hooks have set for the response.
#[derive(Debug, Default)]
pub(crate) struct ResponseOverrides {
    /// The HTTP status of the response if the call succeeds; `None` for the status that the definition sets.
    pub(crate) status: Option<u16>,
    /// The header fields of the response.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl ResponseOverrides {
    /// Adds the header fields to an error. An internal error does not get any, because the handler may have failed
    /// before it had set all of them.
    pub(crate) fn add_headers_to_error(self, error: ApiError) -> ApiError {
        match error.kind() {
            ErrorKind::Internal { .. } => error,
            _ => error.with_headers(self.headers),
        }
    }

    /// Sets the HTTP status of the response if the call succeeds. Fails unless the status is from 200 to 299.
    pub(super) fn set_status(&mut self, status: u16) -> Result<(), ResponseError> {
        if !(200..300).contains(&status) {
            return Err(ResponseError::InvalidStatus { status });
        }
        self.status = Some(status);
        Ok(())
    }

    /// Sets a header field of the response, and removes earlier fields with the same name.
    pub(super) fn set_header(&mut self, (name, value): (HeaderName, HeaderValue)) {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value));
    }

    /// Adds a header field to the response, and keeps earlier fields with the same name.
    pub(super) fn append_header(&mut self, field: (HeaderName, HeaderValue)) {
        self.headers.push(field);
    }
}
