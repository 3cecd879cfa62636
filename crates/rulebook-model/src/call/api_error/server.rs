//! The functions of [`ApiError`] that only the server calls: they create the errors of requests, and add the data that
//! the response needs.

use std::num::NonZeroU32;

use http::{HeaderName, HeaderValue};

use super::super::{ErrorKind, Limit, MalformedRequest, ParameterError};
use super::ApiError;
use crate::error::ErrorStatus;

impl ApiError {
    /// Creates the error for a request that exceeds `limit`. `parameter` is the parameter or multipart part that
    /// exceeds the limit, or `None` if the whole request does.
    #[doc(hidden)]
    #[cold]
    pub fn too_large(limit: Limit, parameter: Option<&str>) -> Self {
        Self::new(ErrorKind::TooLarge { limit, parameter: parameter.map(str::to_owned) })
    }

    /// Creates the error for a request that cannot be decoded.
    #[doc(hidden)]
    #[cold]
    pub fn malformed(cause: MalformedRequest) -> Self {
        Self::new(ErrorKind::MalformedRequest(cause))
    }

    /// Creates the error for a path that belongs to no service, without suggestions of similar services.
    #[doc(hidden)]
    #[cold]
    pub fn unknown_service() -> Self {
        Self::new(ErrorKind::UnknownService { similar: Vec::new() })
    }

    /// Creates the error for a request with missing or invalid parameters.
    #[doc(hidden)]
    #[cold]
    pub fn parameters(errors: Vec<ParameterError>) -> Self {
        Self::new(ErrorKind::Parameters { errors, truncated: false })
    }

    /// Sets the number that the declaration of the error contains; it replaces a number that the handler has set.
    #[must_use]
    #[doc(hidden)]
    pub fn with_declared_number(mut self, number: Option<u32>) -> Self {
        self.0.number = number.and_then(NonZeroU32::new).or(self.0.number);
        self
    }

    /// Replaces the HTTP status.
    #[must_use]
    #[doc(hidden)]
    pub fn with_status(mut self, status: ErrorStatus) -> Self {
        self.0.status = status;
        self
    }

    /// Sets the message of a declared error that has no message.
    #[must_use]
    #[doc(hidden)]
    pub fn with_default_message(mut self, default: &str) -> Self {
        if let ErrorKind::Declared { message, .. } = &mut self.0.kind
            && message.is_empty()
        {
            default.clone_into(message);
        }
        self
    }

    /// Sets the similar services that an [`ErrorKind::UnknownService`] suggests to the client. Other kinds are not
    /// changed.
    #[must_use]
    #[doc(hidden)]
    pub fn with_similar_services(mut self, services: Vec<String>) -> Self {
        if let ErrorKind::UnknownService { similar } = &mut self.0.kind {
            *similar = services;
        }
        self
    }

    /// Sets the id of the failed request in an [`ErrorKind::Internal`]. Other kinds are not changed.
    #[must_use]
    #[doc(hidden)]
    pub fn with_request_id(mut self, id: &str) -> Self {
        if let ErrorKind::Internal { request_id } = &mut self.0.kind {
            id.clone_into(request_id);
        }
        self
    }

    /// Removes a member that the handler added to a declared error.
    #[must_use]
    #[doc(hidden)]
    pub fn without_member(mut self, name: &str) -> Self {
        if let ErrorKind::Declared { data, .. } = &mut self.0.kind {
            data.retain(|(other, _)| other != name);
        }
        self
    }

    /// Adds header fields for the response. They replace earlier header fields of the error that have the same names.
    #[must_use]
    #[doc(hidden)]
    pub fn with_headers(mut self, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        self.0.headers.retain(|(existing, _)| headers.iter().all(|(name, _)| name != existing));
        self.0.headers.extend(headers);
        self
    }
}
