//! The head of a request: everything that the server knows before the body of the request arrives.

use std::fmt;
use std::sync::Arc;

use http::header::{self, HeaderName, HeaderValue};

use super::{ClientCertificate, TlsSession, is_secret_name};
use crate::trace::RequestTrace;

/// The head of a request: HTTP method, request target and header fields. The `Debug` output of a head omits
/// credentials and the query, which may contain secrets.
#[derive(Clone)]
#[non_exhaustive]
pub struct Head {
    /// The HTTP method of the request, including HEAD and OPTIONS.
    pub method: http::Method,
    /// The request target, whose path and query are percent-encoded.
    pub uri: http::Uri,
    /// The header fields, in the order in which the request contains them.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// `true` if the request may have a body that no header field announces, as over HTTP/2, which the server of an
    /// `App` of a program may speak.
    pub streams: bool,
    /// The network address of the client, or of the proxy that forwards the request; `None` if the address is unknown.
    pub peer: Option<std::net::SocketAddr>,
    /// The network address of the client. If a proxy in [`Settings::trusted_proxies`](crate::Settings) has forwarded
    /// the request, this is the address that the proxy has sent in a header field, otherwise that of `peer`. `None` if
    /// the address is unknown.
    pub client: Option<std::net::IpAddr>,
    /// The id of the request, which the response and the log contain.
    pub id: RequestId,
    /// What the TLS connection shows about its client; `None` if the connection has no TLS.
    pub(crate) tls: Option<Arc<TlsSession>>,
    /// The trace of the request; `None` if the program has no exporter for traces.
    pub(crate) trace: Option<Arc<RequestTrace>>,
    /// The name of a version of the API with which the path of the request began. `uri` does not contain it.
    pub(crate) version: Option<Box<str>>,
    /// `true` if the path of the request ended with this name, without a slash. `uri` has the path `/`.
    pub(crate) ends_with_version: bool,
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value): &(HeaderName, HeaderValue)| {
            (
                name.clone(),
                if is_secret_header_field(name.as_str()) { HeaderValue::from_static("-") } else { value.clone() },
            )
        };
        let headers: Vec<_> = self.headers.iter().map(shown).collect();
        f.debug_struct("Head")
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .field("headers", &headers)
            .field("peer", &self.peer)
            .field("client", &self.client)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Returns `true` if the header field with this name contains a credential, which the server must not log and must not
/// return to the client.
#[must_use]
pub fn is_secret_header_field(name: &str) -> bool {
    const SECRET_HEADERS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];
    SECRET_HEADERS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) || is_secret_name(name)
}

/// Splits the value of `Authorization` into the name of the authentication scheme and the credentials after this name,
/// which may be empty (RFC 9110 section 11.4).
fn split_credentials(value: &HeaderValue) -> (&[u8], &[u8]) {
    let value = value.as_bytes().trim_ascii();
    match value.iter().position(|byte| *byte == b' ') {
        Some(at) => (&value[..at], value[at..].trim_ascii()),
        None => (value, b""),
    }
}

/// Returns the token in the value of `Authorization` if the authentication scheme is Bearer (RFC 6750 section 2.1).
/// Names of schemes are case-insensitive.
fn bearer_token(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = split_credentials(value);
    scheme.eq_ignore_ascii_case(b"Bearer").then_some(token)
}

impl Head {
    /// Creates a head without header fields.
    #[must_use]
    pub fn new(method: http::Method, uri: http::Uri) -> Self {
        Self {
            method,
            uri,
            headers: Vec::new(),
            streams: false,
            peer: None,
            client: None,
            id: RequestId::random(),
            tls: None,
            trace: None,
            version: None,
            ends_with_version: false,
        }
    }

    /// Adds a header field, for tests of authenticators ([`Authenticate`](super::Authenticate)).
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds the certificate of a client, for tests of authenticators ([`Authenticate`](super::Authenticate)).
    #[must_use]
    pub fn with_client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.tls = Some(Arc::new(TlsSession { client_certificate: Some(certificate) }));
        self
    }

    /// Returns `true` if the connection to the server has TLS. Behind a proxy, this is the connection of the proxy.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.tls.is_some()
    }

    /// Returns the certificate of the client, which the server has verified with the authorities in
    /// [`TlsSettings::client_ca`](crate::TlsSettings); `None` if the client has sent none, or the connection has no
    /// TLS.
    #[must_use]
    pub fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.tls.as_ref().and_then(|session| session.client_certificate.as_ref())
    }

    /// Returns the trace of the request; `None` if the program has no
    /// [exporter for traces](crate::Rulebook::trace_exporter).
    #[must_use]
    pub fn trace(&self) -> Option<&Arc<RequestTrace>> {
        self.trace.as_ref()
    }

    /// Returns the value of the first header field with this name, whose case is ignored. Returns `None` if the request
    /// has no such header field, or its value is not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_values(name).next().and_then(|value| value.to_str().ok())
    }

    /// Returns the values of all header fields with this name, in the order of the request. The case of the name is
    /// ignored.
    pub fn header_values<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h HeaderValue> {
        self.headers.iter().filter(move |(known, _)| known.as_str().eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the same as [`Head::header`], for a name that is known at compile time.
    pub(crate) fn get(&self, name: &HeaderName) -> Option<&str> {
        self.get_all(name).next().and_then(|value| value.to_str().ok())
    }

    /// Returns the same as [`Head::header_values`], for a name that is known at compile time.
    pub(crate) fn get_all<'h>(&'h self, name: &HeaderName) -> impl Iterator<Item = &'h HeaderValue> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value)
    }

    /// Returns the token of `Authorization: Bearer <token>` (RFC 6750 section 2.1), which may be empty.
    ///
    /// Returns `None` if the request has no `Authorization` field or several such fields, if the authentication scheme
    /// is not Bearer, or if the token is not visible ASCII.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        let mut fields = self.get_all(&header::AUTHORIZATION);
        let field = fields.next().filter(|_| fields.next().is_none())?;
        let token = bearer_token(field)?;
        // Without an end at the first other character, many characters are compared at once: tokens are long.
        let is_visible = token.iter().fold(true, |is_visible, byte| is_visible & byte.is_ascii_graphic());
        std::str::from_utf8(token).ok().filter(|_| is_visible)
    }

    /// Returns `true` if an `Authorization` field has the authentication scheme Bearer, with any token.
    #[must_use]
    pub fn has_bearer_scheme(&self) -> bool {
        self.get_all(&header::AUTHORIZATION).any(|field| bearer_token(field).is_some())
    }

    /// Returns the value of the first cookie with this name (RFC 6265 section 4.2.1). Double quotes around the value
    /// are removed. Returns `None` if the request has no such cookie, or its value is not UTF-8.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut cookies = self.cookies();
        cookies.find(|(known, _)| *known == name.as_bytes()).and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Returns the names and values of all cookies. Double quotes around values are removed; escapes in values are not
    /// decoded.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let pairs = self.get_all(&header::COOKIE).flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
        pairs.filter_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
            let unquoted = value.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\""));
            Some((name, unquoted.unwrap_or(value)))
        })
    }

    /// Returns the beginning of references that are relative to the path in `uri`, so that they are relative to the
    /// path of the request.
    pub(crate) fn reference_start(&self) -> String {
        let version = self.version.as_ref().filter(|_| self.ends_with_version);
        version.map(|name| format!("{name}/")).unwrap_or_default()
    }

    /// Returns the percent-encoded query of the request target, without `?`; empty if the request target has no query.
    #[must_use]
    pub fn query(&self) -> &str {
        self.uri.query().unwrap_or("")
    }
}

/// The id of a request, which its response, its error messages and its log lines contain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestId {
    /// An id that the server generated, formatted as 16 hexadecimal digits.
    Generated(u64),
    /// An id that the client or a proxy sent in `X-Request-Id`: 1 to 64 letters, digits, `-`, `_`, `.` and `:`.
    Received(Box<str>),
}

impl RequestId {
    /// The maximum length in characters of an id that a client or a proxy sends.
    pub const MAX_LEN: usize = 64;

    /// Parses an id that a client or a proxy has sent. Returns `None` if the text is empty, is longer than
    /// [`RequestId::MAX_LEN`], or contains a character that is not allowed in an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        let is_id = (1..=Self::MAX_LEN).contains(&text.len()) && text.bytes().all(is_allowed);
        is_id.then(|| Self::Received(text.into()))
    }

    /// Creates a random id, which clients cannot guess.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 8];
        // If the system has no random bytes, the id is zero, but the request can still be handled.
        let _ = getrandom::fill(&mut bytes);
        Self::Generated(u64::from_ne_bytes(bytes))
    }

    /// Calls a function with the text of the id.
    pub(crate) fn with_text<T>(&self, use_text: impl FnOnce(&[u8]) -> T) -> T {
        let mut digits = [0; 16];
        match self {
            Self::Generated(id) => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                for (pair, byte) in digits.chunks_exact_mut(2).zip(id.to_be_bytes()) {
                    pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]]);
                }
                use_text(&digits)
            }
            Self::Received(text) => use_text(text.as_bytes()),
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generated(id) => write!(f, "{id:016x}"),
            Self::Received(text) => f.write_str(text),
        }
    }
}
