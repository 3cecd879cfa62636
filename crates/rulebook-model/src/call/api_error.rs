//! The error that a request or a call ends with: its kind, and what the response and the log say about it.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderName, HeaderValue};
use serde_json::Value as Json;

use super::{CustomError, ErrorKind, Limit, MalformedRequest, ParameterError};
use crate::error::{ErrorCode, ErrorStatus};

/// The greatest PhalApi code that a declared error can have.
const MAX_PHALAPI_CODE: u8 = 99;

/// The error that a request or a call ends with.
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
/// The data is boxed, so that a `Result` with an `ApiError` stays small.
#[derive(Debug, Clone)]
pub struct ApiError(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    status: ErrorStatus,
    /// Details for the log, which the client never gets.
    log: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// From 0 to 99.
    phalapi_code: Option<u8>,
    /// `true` if the message is the place to which the client is redirected.
    redirects: bool,
}

impl ApiError {
    /// An error of this kind, with the status of its code.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        let status = kind.code().status();
        let headers = kind.headers();
        Self(Box::new(Inner { kind, status, log: None, headers, phalapi_code: None, redirects: false }))
    }

    /// Returns an error without data.
    #[must_use]
    pub fn plain(code: ErrorCode) -> Self {
        Self::new(ErrorKind::Plain(code))
    }

    /// Returns the error for a request that exceeds `limit`, in the given parameter or part of a body if there is one.
    #[doc(hidden)]
    pub fn too_large(limit: Limit, parameter: Option<&str>) -> Self {
        Self::new(ErrorKind::TooLarge { limit, parameter: parameter.map(str::to_owned) })
    }

    /// Returns the error for a request that cannot be decoded.
    #[doc(hidden)]
    pub fn malformed(what: MalformedRequest) -> Self {
        Self::new(ErrorKind::MalformedRequest(what))
    }

    /// Returns the error for a path that no service has, without any suggestion.
    #[doc(hidden)]
    pub fn unknown_service() -> Self {
        Self::new(ErrorKind::UnknownService { similar: Vec::new() })
    }

    /// Returns the error for invalid parameters.
    #[doc(hidden)]
    pub fn parameters(errors: Vec<ParameterError>) -> Self {
        Self::new(ErrorKind::Parameters { errors, truncated: false })
    }

    /// The error with this name in the `errors` of the method. Status and message come from the definition.
    ///
    /// If the definition declares no such error for the method, the client gets an internal error.
    pub fn declared(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Declared { name: name.into(), message: String::new(), data: Vec::new() })
    }

    /// The error with this name in the `errors` of the method, which redirects the client to `location`, its message.
    ///
    /// In the `phalapi` envelope `ret` is 300 plus the [code](Self::with_phalapi_code). The HTTP status is not a
    /// redirection in any envelope, because clients would follow it by themselves.
    pub fn redirect(name: impl Into<Cow<'static, str>>, location: impl Into<String>) -> Self {
        let mut error = Self::declared(name).with_message(location);
        error.0.redirects = true;
        error
    }

    /// A failure of the program, with status 500. The client gets the id of the request; the reason is written to the
    /// log.
    pub fn internal(reason: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal { request_id: String::new() }).with_log(reason)
    }

    /// The program cannot handle the request at the moment: status 503. The reason is written to the log and not sent to
    /// the client.
    pub fn unavailable(reason: impl fmt::Display) -> Self {
        Self::plain(ErrorCode::Unavailable).with_log(reason)
    }

    /// Adds a member to the response of a declared error. A member with the same name is replaced. Other kinds of errors
    /// ignore it.
    ///
    /// The members of the envelope itself cannot be replaced: `error`, `ErrorDescription` and `name` in `aicra`,
    /// `status` and `message` in `iapi`, `type`, `title`, `status`, `detail` and `code` in problem documents. In the
    /// `phalapi` envelope the member is part of `data`.
    #[must_use]
    pub fn with_member(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Json>) -> Self {
        if let ErrorKind::Declared { data, .. } = &mut self.0.kind {
            let name = name.into();
            data.retain(|(other, _)| *other != name);
            data.push((name, value.into()));
        }
        self
    }

    /// Replaces the message of a declared error, which the definition sets. Other kinds of errors ignore it.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        if let ErrorKind::Declared { message: own, .. } = &mut self.0.kind {
            *own = message.into();
        }
        self
    }

    /// Sets a code of a declared error, from 0 to 99, for the `phalapi` envelope: `ret` is 400 plus the code, or 500 plus
    /// the code if the status of the error is one of the server. Without a code, `ret` is the status.
    ///
    /// Other envelopes do not show the code, and other kinds of errors ignore it. A greater code is a mistake of the
    /// program: it is logged and ignored.
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
            let why = format!("the code {code} is above {MAX_PHALAPI_CODE}");
            self.0.log = Some(self.0.log.map_or(why.clone(), |log| format!("{log}; {why}")));
        }
        self
    }

    /// Sets details for the log, which the client never gets.
    #[must_use]
    pub fn with_log(mut self, details: impl fmt::Display) -> Self {
        self.0.log = Some(details.to_string());
        self
    }

    /// Sets the status.
    #[must_use]
    #[doc(hidden)]
    pub fn with_status(mut self, status: ErrorStatus) -> Self {
        self.0.status = status;
        self
    }

    /// Sets the message of a declared error that has none.
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

    /// Sets the similar services of [`ErrorKind::UnknownService`].
    #[must_use]
    #[doc(hidden)]
    pub fn with_similar_services(mut self, services: Vec<String>) -> Self {
        if let ErrorKind::UnknownService { similar } = &mut self.0.kind {
            *similar = services;
        }
        self
    }

    /// Sets the request id of [`ErrorKind::Internal`].
    #[must_use]
    #[doc(hidden)]
    pub fn with_request_id(mut self, id: &str) -> Self {
        if let ErrorKind::Internal { request_id } = &mut self.0.kind {
            id.clone_into(request_id);
        }
        self
    }

    /// Removes the member with this name from a declared error.
    #[must_use]
    #[doc(hidden)]
    pub fn without_member(mut self, name: &str) -> Self {
        if let ErrorKind::Declared { data, .. } = &mut self.0.kind {
            data.retain(|(other, _)| other != name);
        }
        self
    }

    /// Adds header fields, and replaces those of the error with the same names.
    #[must_use]
    #[doc(hidden)]
    pub fn with_headers(mut self, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        self.0.headers.retain(|(own, _)| headers.iter().all(|(name, _)| name != own));
        self.0.headers.extend(headers);
        self
    }

    /// The kind of the error, with its data.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The code of the error, by which clients recognize it.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.kind.code()
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> ErrorStatus {
        self.0.status
    }

    /// The value of `ret` in the `phalapi` envelope, from 300 to 599. It is the status, or 400 or 500 plus the
    /// [code](Self::with_phalapi_code) of the error or of a function's [`CustomError`]; of a redirection, 300 plus the
    /// code.
    #[must_use]
    pub fn phalapi_ret(&self) -> u16 {
        let status = if self.0.redirects { 300 } else { self.0.status.get() };
        let custom = || self.parameter_errors().first()?.custom_error().map(CustomError::phalapi_code);
        let code = self.0.phalapi_code.or_else(custom);
        code.map_or(status, |code| status / 100 * 100 + u16::from(code))
    }

    /// Returns `true` for an error that was made with [`ApiError::redirect`].
    #[must_use]
    pub fn is_redirect(&self) -> bool {
        self.0.redirects
    }

    /// The details for the log.
    #[must_use]
    pub fn log(&self) -> Option<&str> {
        self.0.log.as_deref()
    }

    /// The header fields of the response: `Allow`, `WWW-Authenticate`, `Retry-After`, and those that a handler set.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// Returns `true` for [`ErrorKind::UnknownService`].
    #[doc(hidden)]
    pub fn is_unknown_service(&self) -> bool {
        matches!(self.0.kind, ErrorKind::UnknownService { .. })
    }

    /// The errors of parameters; empty for other kinds of errors.
    #[must_use]
    pub fn parameter_errors(&self) -> &[ParameterError] {
        match &self.0.kind {
            ErrorKind::Parameters { errors, .. } => errors,
            _ => &[],
        }
    }
}

impl std::error::Error for ApiError {}
