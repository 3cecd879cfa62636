//! The header fields and the status that a handler sets for its response.

use http::header::{HeaderName, HeaderValue};

use crate::call::{ApiError, ErrorKind, ResponseError};

/// The header fields and the status that the handler and the hooks of a call have set.
#[derive(Debug, Default)]
pub(crate) struct ResponseOverrides {
    /// The status of a success; `None` for the status of the definition.
    pub(crate) status: Option<u16>,
    /// The header fields.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl ResponseOverrides {
    /// Adds the header fields to an error. An internal error does not get them, because the handler may have failed
    /// before it had set all of them.
    pub(crate) fn apply_to(self, error: ApiError) -> ApiError {
        match error.kind() {
            ErrorKind::Internal { .. } => error,
            _ => error.with_headers(self.headers),
        }
    }

    /// Sets the status of a success.
    pub(super) fn set_status(&mut self, status: u16) -> Result<(), ResponseError> {
        if !(200..300).contains(&status) {
            return Err(ResponseError::InvalidStatus { status });
        }
        self.status = Some(status);
        Ok(())
    }

    /// Sets a header field, and removes those with the same name.
    pub(super) fn set_header(&mut self, (name, value): (HeaderName, HeaderValue)) {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value));
    }

    /// Adds a header field to those with the same name.
    pub(super) fn append_header(&mut self, field: (HeaderName, HeaderValue)) {
        self.headers.push(field);
    }
}
