//! The data of a call of an API method, from its arguments to its result. These types are used for HTTP requests and
//! for calls from code.
//!
//! The stages of a request pass these types to each other: the [`Head`] of the request, the [`Identity`] of the caller,
//! the arguments in [`ArgumentSlots`], and the [`Outcome`] or an [`ApiError`]. This Rust module must not depend on
//! definitions, plans or servers.

mod authenticate;
mod client_certificates;
mod download;
mod etag;
mod head;
mod identity;
mod rate_limiter;

use std::fmt;
use std::io;

use bytes::Bytes;
use futures_core::Stream;
use http::header::{self, HeaderName, HeaderValue};
pub use rulebook_model::call::*;
use serde_json::Value as Json;
use thiserror::Error;

pub use authenticate::{AuthError, Authenticate, Authentication, BodyFields, DynAuthenticate};
pub(crate) use client_certificates::TlsSession;
#[cfg(feature = "tls")]
pub(crate) use client_certificates::certificate_expiry;
pub use client_certificates::{CertificateName, ClientCertificate, ClientCertificates, InvalidCertificateName};
pub use download::{ByteStream, Content, Download, RangedContent};
pub use etag::ETag;
pub(crate) use etag::{ETagList, tag_of_coded_version};
pub use head::{Head, RequestId, is_secret_header_field};
pub(crate) use head::{TrustedProxies, applied_preference, parse_word, preferred_value, split_outside_of_quotes};
pub(crate) use identity::QualifiedName;
pub use identity::{Claims, Identity};
pub use rate_limiter::{Quota, RateLimiter};

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
    pub headers: Vec<(HeaderName, HeaderValue)>,
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

impl fmt::Debug for ReturnedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outputs(outputs) => f.debug_tuple("Outputs").field(&outputs.to_json()).finish(),
            Self::Download(download) => f.debug_tuple("Download").field(download).finish(),
            Self::Response(response) => f.debug_tuple("Response").field(response).finish(),
        }
    }
}

/// A complete response that a handler of a definition returns instead of outputs: it has no envelope, and any status
/// from 200 to 599. The engine adds only the fields that all responses have, such as `Date` and `X-Request-Id`.
pub struct RawResponse {
    pub(crate) status: u16,
    pub(crate) media_type: Option<HeaderValue>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: ByteStream,
    /// In bytes; `None` if it is not known before the body ends.
    pub(crate) length: Option<u64>,
    /// They are compared with the definition; `None` if they are not known.
    pub(crate) outputs: Option<Json>,
}

impl RawResponse {
    /// Creates a response whose body is a stream. The stream is polled as fast as the client receives the body, and
    /// dropped if the client disconnects. If the request has an idempotency key, the engine first reads the stream up
    /// to the limit `idempotency_response`, even if the client disconnects. `length` is the number of bytes in the
    /// stream, if it is known.
    ///
    /// # Errors
    /// Fails if the status is not from 200 to 599.
    pub fn new(
        status: u16,
        body: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        length: Option<u64>,
    ) -> Result<Self, ResponseError> {
        if !(200..=599).contains(&status) {
            return Err(ResponseError::InvalidStatus { status });
        }
        Ok(Self { status, media_type: None, headers: Vec::new(), body: Box::pin(body), length, outputs: None })
    }

    /// Adds the outputs that the body contains, if the handler has parsed it. They are compared with the definition as
    /// [`OutputsCheck::Described`](crate::handler_kind::OutputsCheck::Described) demands, and not sent.
    #[must_use]
    pub fn outputs(self, outputs: Json) -> Self {
        Self { outputs: Some(outputs), ..self }
    }

    /// Adds a header field. Fields with the same name are kept. Fields that describe how the body is sent, the id of
    /// the request and the fields of CORS are ignored, because the engine sends them itself.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if name == header::CONTENT_TYPE {
            self.media_type.get_or_insert(value);
        } else if !is_sent_by_engine(&name) {
            self.headers.push((name, value));
        }
        self
    }
}

impl fmt::Debug for RawResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawResponse")
            .field("status", &self.status)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// The argument for one parameter, after its check. A missing argument and null are different.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ArgumentSlot<'a> {
    /// The client has omitted the parameter, and the parameter has no default.
    #[default]
    Absent,
    /// The client has sent null, and the parameter has no default.
    Null,
    /// The client's value, which has passed the check, or the default of the parameter.
    Value(Value<'a>),
}

/// All arguments of a call, and the names of their parameters. `names` and `values` have the same length.
///
/// The arguments borrow from the request and the plan, so they must not be held across an await point.
#[derive(Debug)]
pub struct ArgumentSlots<'a, 'n> {
    /// The names of the parameters in code, in the order of the definition.
    pub names: &'n [Box<str>],
    /// The arguments, in the order of `names`.
    pub values: Vec<ArgumentSlot<'a>>,
}

/// The reason why a handler must not set a header field or a status. This error converts to an internal [`ApiError`],
/// because the program is wrong, not the client.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The name is not a valid name of a header field (RFC 9110 section 5.1).
    #[error("{name:?} is not a valid name for a header field")]
    InvalidName {
        /// The invalid name.
        name: String,
    },
    /// The value is not a valid value of a header field (RFC 9110 section 5.5), because it contains line breaks or
    /// other control characters; or it is not valid for this header field, such as an `ETag` without quotes.
    #[error("the value for the header field {name} is not valid")]
    InvalidValue {
        /// The name of the field.
        name: HeaderName,
    },
    /// The header field is reserved: only the engine sets it.
    #[error("the header field {name} is set by the engine, not by handlers")]
    Reserved {
        /// The name of the field.
        name: HeaderName,
    },
    /// The HTTP status does not mean success (200 to 299).
    #[error("{status} is not the status of a success (200 to 299)")]
    InvalidStatus {
        /// The rejected HTTP status.
        status: u16,
    },
}

impl From<ResponseError> for ApiError {
    fn from(error: ResponseError) -> Self {
        Self::internal(error)
    }
}

/// Never copied from the response of another server: it describes how the body is sent, or the engine sends it itself.
/// `Allow` and `Content-Encoding` are copied, unlike those that a handler sets.
fn is_sent_by_engine(name: &HeaderName) -> bool {
    let is_copied = [header::ALLOW, header::CONTENT_ENCODING].contains(name);
    !is_copied && is_reserved_header(name)
}

pub(crate) fn check_response_header(
    name: &str,
    value: impl TryInto<HeaderValue>,
) -> Result<(HeaderName, HeaderValue), ResponseError> {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(ResponseError::InvalidName { name: name.to_owned() });
    };
    if is_reserved_header(&name) {
        return Err(ResponseError::Reserved { name });
    }
    match value.try_into() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(ResponseError::InvalidValue { name }),
    }
}
