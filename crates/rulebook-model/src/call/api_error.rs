//! The error that ends a request, or a call from code, with the data for the response and for the log; the kinds of
//! these errors; and the limit that a request exceeds.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use serde_json::Value as Json;

use super::parameter_error::MAX_PHALAPI_CODE;
use super::{CustomError, HttpMethod, ParameterError, ParameterErrorKind};
use crate::error::{ErrorCode, ErrorStatus};
use crate::model::DeclaredError;

/// The error that ends a request, or a call from code.
///
/// Handlers return the errors that the definition declares for their method:
///
/// ```
/// # use rulebook_model as rulebook;
/// use rulebook::ApiError;
///
/// let error = ApiError::declared("no_such_article").with_member("article_id", 23);
/// ```
///
/// The content of the error is boxed, so that a `Result` with an `ApiError` stays small.
#[derive(Debug, Clone)]
pub struct ApiError(Box<ErrorData>);

#[derive(Debug, Clone)]
struct ErrorData {
    kind: ErrorKind,
    status: ErrorStatus,
    /// Details for the log, which are never sent to the client.
    log_details: Option<String>,
    /// The header fields that the response gets because of this error.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The code for the `phalapi` envelope, from 0 to 99; `None` if the handler set none.
    phalapi_code: Option<u8>,
    /// The number for the `aicra` envelope; `None` if neither the declaration nor the handler set one.
    number: Option<NonZeroU32>,
    /// `true` if the message is the URL to which the client is redirected.
    is_redirect: bool,
}

// The functions that create errors of the engine are `#[cold]`: the compiler then keeps the code of the branches that
// call them apart from the code of requests without errors.
impl ApiError {
    /// Creates an error of this kind. Its HTTP status is the status of the kind's [`ErrorCode`].
    #[must_use]
    #[cold]
    pub fn new(kind: ErrorKind) -> Self {
        let status = kind.code().status();
        let headers = kind.header().into_iter().collect();
        let (log_details, phalapi_code, number) = (None, None, None);
        Self(Box::new(ErrorData { kind, status, log_details, headers, phalapi_code, number, is_redirect: false }))
    }

    /// Creates an error that has a code but no further data ([`ErrorKind::Plain`]).
    #[must_use]
    #[cold]
    pub fn plain(code: ErrorCode) -> Self {
        Self::new(ErrorKind::Plain(code))
    }

    /// Creates an error that the definition declares under this name in the `errors` of the method. The definition sets
    /// the HTTP status and the message of the error.
    ///
    /// If the definition declares no such error for the method, the client receives an internal error.
    pub fn declared(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Declared { name: name.into(), message: String::new(), data: Vec::new() })
    }

    /// Creates a declared error that redirects the client to `location`, which becomes its message.
    ///
    /// In the `phalapi` envelope, `ret` is 300 plus the [code](Self::with_phalapi_code). The HTTP status is the one
    /// that the definition declares for the error, because clients would follow a redirection status (3xx)
    /// automatically.
    pub fn redirect(name: impl Into<Cow<'static, str>>, location: impl Into<String>) -> Self {
        let mut error = Self::declared(name).with_message(location);
        error.0.is_redirect = true;
        error
    }

    /// Creates an error for a failure of the program, with status 500. The client receives the id of the request; the
    /// reason is written to the log.
    #[cold]
    pub fn internal(reason: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal { request_id: String::new() }).with_log(reason)
    }

    /// Creates an error with status 503, for a program that cannot handle the request at the moment. The reason is
    /// written to the log and not sent to the client.
    #[cold]
    pub fn unavailable(reason: impl fmt::Display) -> Self {
        Self::plain(ErrorCode::Unavailable).with_log(reason)
    }

    /// Creates an error with status 502, for a failure of another server or process that handles the request for the
    /// program. The reason is written to the log and not sent to the client.
    #[cold]
    pub fn bad_gateway(reason: impl fmt::Display) -> Self {
        Self::plain(ErrorCode::BadGateway).with_log(reason)
    }

    /// Creates an error with status 504, for another server or process that handles the request for the program and
    /// does not respond in time. The reason is written to the log and not sent to the client.
    #[cold]
    pub fn gateway_timeout(reason: impl fmt::Display) -> Self {
        Self::plain(ErrorCode::GatewayTimeout).with_log(reason)
    }

    /// Creates the error for a request that exceeds `limit`. `parameter` is the parameter or multipart part that
    /// exceeds the limit, or `None` if the whole request does.
    #[must_use]
    #[cold]
    pub fn too_large(limit: Limit, parameter: Option<&str>) -> Self {
        Self::new(ErrorKind::TooLarge { limit, parameter: parameter.map(str::to_owned) })
    }

    /// Creates the error for a request that cannot be decoded.
    #[must_use]
    #[cold]
    pub fn malformed(cause: MalformedRequest) -> Self {
        Self::new(ErrorKind::MalformedRequest(cause))
    }

    /// Creates the error for a path that belongs to no service, without suggestions of similar services.
    #[must_use]
    #[cold]
    pub fn unknown_service() -> Self {
        Self::new(ErrorKind::UnknownService { similar: Vec::new() })
    }

    /// Creates the error for a request with missing or invalid parameters.
    #[must_use]
    #[cold]
    pub fn parameters(errors: Vec<ParameterError>) -> Self {
        Self::new(ErrorKind::Parameters { errors, truncated: false })
    }

    /// Adds a member to the response of a declared error, or replaces the member with the same name. Errors of other
    /// kinds are not changed.
    ///
    /// A handler cannot replace the members that the envelope itself writes: `error`, `ErrorDescription` and `name` in
    /// `aicra`, `status` and `message` in `iapi`, `type`, `title`, `status`, `detail` and `code` in problem documents.
    /// In the `phalapi` envelope, the added member is part of `data`.
    #[must_use]
    pub fn with_member(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Json>) -> Self {
        if let ErrorKind::Declared { data, .. } = &mut self.0.kind {
            let name = name.into();
            data.retain(|(other, _)| *other != name);
            data.push((name, value.into()));
        }
        self
    }

    /// Replaces the message that the definition sets for a declared error. Errors of other kinds are not changed.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        if let ErrorKind::Declared { message: text, .. } = &mut self.0.kind {
            *text = message.into();
        }
        self
    }

    /// Sets the code of a declared error, from 0 to 99, for the `phalapi` envelope: `ret` is 400 plus the code, or 500
    /// plus the code if the status of the error is from 500 to 599. Without a code, `ret` is the status.
    ///
    /// Other envelopes ignore the code, and so do errors of other kinds. A code above 99 is a mistake in the program:
    /// the code is ignored, and the log reports it.
    ///
    /// ```
    /// # use rulebook_model as rulebook;
    /// use rulebook::ApiError;
    ///
    /// let error = ApiError::declared("wrong_sign").with_phalapi_code(1);
    /// assert_eq!(error.phalapi_ret(), 401);
    /// ```
    #[must_use]
    pub fn with_phalapi_code(mut self, code: u32) -> Self {
        if !matches!(self.0.kind, ErrorKind::Declared { .. }) {
            return self;
        }
        self.0.phalapi_code = u8::try_from(code).ok().filter(|code| *code <= MAX_PHALAPI_CODE);
        if self.0.phalapi_code.is_none() {
            self.add_log(format!("the code {code} is above {MAX_PHALAPI_CODE}"));
        }
        self
    }

    /// Sets the number of a declared error, from 1, for the member `error` of the `aicra` envelope. It is used only if
    /// the definition does not set the `number` of the error; if neither sets one, the number is 1.
    ///
    /// Other envelopes ignore the number, and so do errors of other kinds. The number 0 means success and is a mistake
    /// in the program: the number is ignored, and the log reports it.
    ///
    /// ```
    /// # use rulebook_model as rulebook;
    /// use rulebook::ApiError;
    ///
    /// let error = ApiError::declared("invalid_line").with_number(12);
    /// assert_eq!(error.number(), 12);
    /// ```
    #[must_use]
    pub fn with_number(mut self, number: u32) -> Self {
        if !matches!(self.0.kind, ErrorKind::Declared { .. }) {
            return self;
        }
        self.0.number = NonZeroU32::new(number);
        if self.0.number.is_none() {
            self.add_log("the number of an error cannot be 0".to_owned());
        }
        self
    }

    fn add_log(&mut self, reason: String) {
        self.0.log_details = Some(match self.0.log_details.take() {
            Some(details) => format!("{details}; {reason}"),
            None => reason,
        });
    }

    /// Sets details for the log, which are never sent to the client.
    #[must_use]
    pub fn with_log(mut self, details: impl fmt::Display) -> Self {
        self.0.log_details = Some(details.to_string());
        self
    }

    /// Sets what the declaration of the error contains: its HTTP status, its number, and its message unless the handler
    /// has set another one.
    #[must_use]
    pub fn with_declaration(mut self, declared: &DeclaredError) -> Self {
        self.0.status = declared.status;
        self.0.number = declared.number.and_then(NonZeroU32::new).or(self.0.number);
        if let ErrorKind::Declared { message, .. } = &mut self.0.kind
            && message.is_empty()
        {
            message.clone_from(&declared.info);
        }
        self
    }

    /// Adds header fields for the response. They replace earlier header fields of the error that have the same names.
    #[must_use]
    pub fn with_headers(mut self, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        self.0.headers.retain(|(existing, _)| headers.iter().all(|(name, _)| name != existing));
        self.0.headers.extend(headers);
        self
    }

    /// Returns the kind of the error, which contains its data.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Returns the kind of the error, to change its data. The HTTP status and the header fields do not change with it.
    pub fn kind_mut(&mut self) -> &mut ErrorKind {
        &mut self.0.kind
    }

    /// Returns the code of the error, by which clients recognize it.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.kind.code()
    }

    /// Returns the HTTP status of the error, before an envelope changes it.
    #[must_use]
    pub fn status(&self) -> ErrorStatus {
        self.0.status
    }

    /// Returns the value of the member `ret` in the `phalapi` envelope, from 300 to 599.
    ///
    /// Without a code, `ret` is the HTTP status. With a code, which the handler has [set](Self::with_phalapi_code) or
    /// which a function's [`CustomError`] contains, `ret` is 400 or 500 plus the code, or 300 plus the code for a
    /// redirect.
    #[must_use]
    pub fn phalapi_ret(&self) -> u16 {
        let status = if self.0.is_redirect { 300 } else { self.0.status.get() };
        let custom = || self.parameter_errors().first()?.custom_error().map(CustomError::phalapi_code);
        let code = self.0.phalapi_code.or_else(custom);
        code.map_or(status, |code| status / 100 * 100 + u16::from(code))
    }

    /// Returns the number of the error in the `aicra` envelope. For a declared error, this is the number that its
    /// declaration or the handler has [set](Self::with_number); otherwise it is the number of the [`ErrorCode`].
    #[must_use]
    pub fn number(&self) -> u32 {
        self.0.number.map_or_else(|| self.code().row().aicra_number, NonZeroU32::get)
    }

    /// Returns `true` if [`ApiError::redirect`] created the error.
    #[must_use]
    pub fn is_redirect(&self) -> bool {
        self.0.is_redirect
    }

    /// Returns the details that are written to the log and never sent to the client.
    #[must_use]
    pub fn log(&self) -> Option<&str> {
        self.0.log_details.as_deref()
    }

    /// Returns the header fields of the response: `Allow`, `WWW-Authenticate`, `Retry-After`, and the fields that a
    /// handler has set.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// Returns the errors of single parameters. For kinds other than [`ErrorKind::Parameters`], the list is empty.
    #[must_use]
    pub fn parameter_errors(&self) -> &[ParameterError] {
        match &self.0.kind {
            ErrorKind::Parameters { errors, .. } => errors,
            _ => &[],
        }
    }
}

impl std::error::Error for ApiError {}

/// The kind of an [`ApiError`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No service has the path of the request.
    UnknownService {
        /// The URIs of services with a similar path, including the base path and in the notation of definitions
        /// (`/article/{id}`). The most similar URI is first.
        similar: Vec<String>,
    },
    /// The query or the body of the request selects a service by name, and no service has this name.
    InvalidServiceName {
        /// The name that the client sent, shortened to 100 characters, and the parts that PhalApi adds to it, such as
        /// `App.`.
        name: String,
        /// What is wrong with the name.
        error: ServiceNameError,
    },
    /// The service exists, but does not support the HTTP method of the request.
    UnknownMethod {
        /// The HTTP methods that the service supports.
        allowed: AllowedMethods,
    },
    /// The deprecated method has reached its `sunset`.
    MethodGone {
        /// The date of the end, as in definitions.
        sunset: String,
        /// The HTTP method and the URI of the method that replaces it, such as `GET /v2/article/{id}`.
        successor: Option<String>,
    },
    /// The method requires a permission and the request carries no credential, or the credential is not valid.
    Unauthenticated {
        /// `true` if the request carries a credential that is not valid.
        invalid: bool,
        /// The value of `WWW-Authenticate`.
        challenge: String,
    },
    /// The identity lacks a permission that the method requires.
    Forbidden {
        /// The groups of permissions that the method accepts, each without the permissions that the identity has. The
        /// identity lacks at least one permission of every group, and needs all permissions of any one group.
        missing: Vec<Vec<String>>,
    },
    /// An error that has a code but no further data.
    Plain(ErrorCode),
    /// At least one parameter is missing or invalid.
    Parameters {
        /// The errors in the order of the definition, at most 50.
        errors: Vec<ParameterError>,
        /// `true` if the request has more errors than `errors` lists.
        truncated: bool,
    },
    /// The path or the body cannot be decoded.
    MalformedRequest(MalformedRequest),
    /// The request exceeds a limit.
    TooLarge {
        /// The exceeded limit.
        limit: Limit,
        /// The name of the multipart part or parameter that exceeds the limit; `None` if the whole request exceeds it.
        parameter: Option<String>,
    },
    /// The method does not read bodies of this media type.
    UnsupportedMediaType {
        /// The media type of the body.
        got: String,
        /// The media types of bodies that the method reads.
        accepted: Vec<String>,
    },
    /// The identity has exceeded its rate limit.
    TooManyRequests {
        /// The number of seconds until the next request can succeed.
        retry_after: u64,
    },
    /// An error that the definition declares for the method.
    Declared {
        /// The name of the error in the definition.
        name: Cow<'static, str>,
        /// The message, which comes from the definition unless the handler sets another one.
        message: String,
        /// The members that the handler adds to the error response, as names and values.
        data: Vec<(Cow<'static, str>, Json)>,
    },
    /// The method is defined but has no handler.
    NotImplemented {
        /// The id of the method.
        id: String,
    },
    /// A failure of the program, such as a panic.
    Internal {
        /// The id of the request. The log entry with this id contains the reason of the failure.
        request_id: String,
    },
}

/// The reason why a service name in a query or a body is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceNameError {
    /// The name lacks the part that names the class or the method, or is not a single text.
    Illegal,
    /// No service has the name.
    Unknown,
}

/// The HTTP methods of a service. `Display` writes them as the value of the `Allow` field (RFC 9110 section 10.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedMethods(pub Vec<HttpMethod>);

impl AllowedMethods {
    /// Returns the HTTP methods without duplicates, in the order of [`HttpMethod::ALL`].
    #[must_use]
    pub fn sorted(methods: impl IntoIterator<Item = HttpMethod>) -> Self {
        let methods: Vec<_> = methods.into_iter().collect();
        Self(HttpMethod::ALL.into_iter().filter(|http| methods.contains(http)).collect())
    }

    /// Returns the names of the HTTP methods that the definition contains, without those that the server adds.
    pub(crate) fn defined(&self) -> String {
        self.0.iter().map(|http| http.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for AllowedMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for http in &self.0 {
            f.write_str(http.as_str())?;
            f.write_str(", ")?;
            if *http == HttpMethod::Get {
                f.write_str("HEAD, ")?;
            }
        }
        f.write_str("OPTIONS")
    }
}

impl ErrorKind {
    /// Returns the code of the error, by which clients recognize it.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidServiceName { error: ServiceNameError::Illegal, .. } => ErrorCode::InvalidParameter,
            Self::UnknownService { .. } | Self::InvalidServiceName { .. } => ErrorCode::UnknownService,
            Self::UnknownMethod { .. } => ErrorCode::UnknownMethod,
            Self::MethodGone { .. } => ErrorCode::MethodGone,
            Self::Unauthenticated { .. } => ErrorCode::Unauthenticated,
            Self::Forbidden { .. } => ErrorCode::Forbidden,
            Self::Plain(code) => *code,
            Self::Parameters { errors, .. } => {
                if errors.iter().all(|error| error.kind == ParameterErrorKind::Missing) {
                    ErrorCode::MissingParameter
                } else {
                    ErrorCode::InvalidParameter
                }
            }
            Self::MalformedRequest(_) => ErrorCode::MalformedRequest,
            Self::TooLarge { limit, .. } => limit.code,
            Self::UnsupportedMediaType { .. } => ErrorCode::UnsupportedMediaType,
            Self::TooManyRequests { .. } => ErrorCode::TooManyRequests,
            Self::Declared { .. } => ErrorCode::Failed,
            Self::NotImplemented { .. } => ErrorCode::NotImplemented,
            Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    /// Returns the header field that a response with this error must have.
    pub(super) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let (name, value) = match self {
            Self::UnknownMethod { allowed } => (header::ALLOW, allowed.to_string()),
            Self::Unauthenticated { challenge, .. } => (header::WWW_AUTHENTICATE, challenge.clone()),
            Self::TooManyRequests { retry_after } => (header::RETRY_AFTER, retry_after.to_string()),
            _ => (header::RETRY_AFTER, self.code().row().retry_after?.to_string()),
        };
        Some((name, HeaderValue::try_from(value).ok()?))
    }
}

/// The reason why a request cannot be decoded, and the position of the error where it is known. It never contains
/// content of the request. The serialized names are those of its message in the catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MalformedRequest {
    /// A `%` in the path is not followed by two hexadecimal digits.
    PathEscape,
    /// A segment of the path is not UTF-8.
    PathEncoding,
    /// The header field `Idempotency-Key` is not a string, or occurs more than once.
    IdempotencyKey,
    /// The body ends too early, or its transfer coding is malformed.
    BodyBroken,
    /// A JSON body is not UTF-8.
    JsonEncoding {
        /// The index of the first invalid byte, from 0.
        byte: usize,
    },
    /// A JSON body is valid JSON but not an object.
    JsonKind,
    /// A JSON body has a syntax error.
    JsonSyntax {
        /// The line of the error, from 1.
        line: usize,
        /// The column of the error in bytes, from 1.
        column: usize,
    },
    /// A JSON body ends too early.
    JsonEnd {
        /// The line of the error, from 1.
        line: usize,
        /// The column of the error in bytes, from 1.
        column: usize,
    },
    /// The Content-Type of a multipart body has no boundary.
    MultipartBoundary,
    /// The first bytes of a multipart body contain no part.
    MultipartStart {
        /// The number of bytes that were searched for the first part.
        searched: usize,
    },
    /// A part of a multipart body does not begin with a valid boundary.
    MultipartPart {
        /// The number of the multipart part, from 1.
        part: u64,
    },
    /// The header fields of a part of a multipart body are malformed.
    MultipartHead {
        /// The number of the multipart part, from 1.
        part: u64,
    },
    /// A part of a multipart body has no name.
    MultipartName {
        /// The number of the multipart part, from 1.
        part: u64,
    },
    /// The name of a part of a multipart body is too long.
    MultipartLongName {
        /// The number of the multipart part, from 1.
        part: u64,
        /// The maximum length of a name in bytes.
        max: usize,
    },
    /// A multipart body ends inside of a part.
    MultipartEnd {
        /// The number of the multipart part, from 1.
        part: u64,
    },
}

impl MalformedRequest {
    /// Converts an error of serde_json. Only its position is kept, because its message may quote the body.
    #[must_use]
    pub fn from_json_error(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_eof() { Self::JsonEnd { line, column } } else { Self::JsonSyntax { line, column } }
    }
}

/// A limit that a request exceeds: one of the limits in [`crate::limits`], or the maximum size of a file parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The name of the limit: its key below `limits` in `app.json`, or the attribute of the parameter's type.
    pub name: &'static str,
    /// The maximum that the request exceeds, in the unit `unit`.
    pub max: u64,
    /// The unit of the maximum.
    pub unit: Unit,
    /// The error code of a response to a request that exceeds the limit.
    pub code: ErrorCode,
}

/// The unit of a [`Limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Fields of a query or of a body.
    Fields,
    /// Parts of a multipart body.
    Parts,
    /// Items of an array, or members of an object.
    Items,
    /// Levels of nested arrays and objects.
    Levels,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// Returns the name of the unit in responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Fields => "fields",
            Self::Parts => "parts",
            Self::Items => "items",
            Self::Levels => "levels",
            Self::Seconds => "seconds",
        }
    }
}

impl Limit {
    /// Returns the limit of `max` bytes that the type of a file parameter sets.
    #[must_use]
    pub const fn file(max: u64) -> Self {
        Self { name: Self::FILE_LIMIT, max, unit: Unit::Bytes, code: ErrorCode::TooLarge }
    }

    /// The name of the limit that the type of a file parameter sets.
    const FILE_LIMIT: &str = "max";

    /// Returns `true` if the type of a file parameter sets the limit.
    #[must_use]
    pub fn is_of_file(self) -> bool {
        self.name == Self::FILE_LIMIT
    }
}
