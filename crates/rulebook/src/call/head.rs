//! The head of a request: everything that the server knows before the body of the request arrives. Contains also
//! parsers of its header fields: quoted strings (RFC 9110 section 5.6.4), and `Prefer` (RFC 7240), with which a client
//! selects one of several responses.
//!
//! If a request comes through proxies, each of them appends the address from which it has received the request to a
//! header field. Clients can send such a field too, so that only the addresses that trusted proxies have appended are
//! believed: [`TrustedProxies`] reads the list from its end, and stops at the first address that is not that of a
//! trusted proxy.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::{self, FORWARDED, HeaderName, HeaderValue};
use rulebook_model::model::{AddressRange, ForwardedField};

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
    /// `None` if the connection has no TLS.
    pub(crate) tls: Option<Arc<TlsSession>>,
    /// `None` if the program has no exporter for traces.
    pub(crate) trace: Option<Arc<RequestTrace>>,
    /// The path began with it. `uri` does not contain it.
    pub(crate) version: Option<Box<str>>,
    /// Without a slash. `uri` then has the path `/`.
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

/// The scheme and the credentials after it, which may be empty (RFC 9110 section 11.4).
fn split_credentials(value: &HeaderValue) -> (&[u8], &[u8]) {
    let value = value.as_bytes().trim_ascii();
    match value.iter().position(|byte| *byte == b' ') {
        Some(at) => (&value[..at], value[at..].trim_ascii()),
        None => (value, b""),
    }
}

/// The scheme is Bearer (RFC 6750 section 2.1), in any case.
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

    pub(crate) fn get(&self, name: &HeaderName) -> Option<&str> {
        self.get_all(name).next().and_then(|value| value.to_str().ok())
    }

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

    /// Returns the names and the values of the cookies, without double quotes around values. Escapes are not decoded.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let pairs = self.get_all(&header::COOKIE).flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
        pairs.filter_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
            let unquoted = value.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\""));
            Some((name, unquoted.unwrap_or(value)))
        })
    }

    /// Makes references relative to `uri` relative to the path of the request.
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
        // If the system has no random bytes, the id is zero, but the request can still be handled.
        Self::Generated(getrandom::u64().unwrap_or_default())
    }

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

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The addresses of the trusted proxies, and the header field that the server reads from them.
#[derive(Debug, Default)]
pub(crate) struct TrustedProxies {
    pub(crate) ranges: Vec<AddressRange>,
    pub(crate) field: ForwardedField,
}

impl TrustedProxies {
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|range| range.contains(address))
    }

    /// The peer, unless it is a trusted proxy. An IPv6 address that contains an IPv4 address becomes the IPv4 address.
    #[inline]
    pub(crate) fn client_address(
        &self,
        peer: Option<SocketAddr>,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Option<IpAddr> {
        let peer = peer?.ip().to_canonical();
        Some(if self.ranges.is_empty() { peer } else { self.address_before_proxies(peer, headers) })
    }

    fn address_before_proxies(&self, peer: IpAddr, headers: &[(HeaderName, HeaderValue)]) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let name = match self.field {
            ForwardedField::Forwarded => &FORWARDED,
            _ => &X_FORWARDED_FOR,
        };
        let fields = headers.iter().rev().filter(|(known, _)| known == name).map(|(_, value)| value);
        let has_quotes = self.field == ForwardedField::Forwarded;
        let elements = fields.flat_map(|value| elements_from_end(value.as_bytes(), has_quotes));
        let mut client = peer;
        for element in elements {
            // An element without an address, such as `unknown`, hides everything before it.
            let Some(address) = self.address_in(element) else { break };
            client = address;
            if !self.contains(client) {
                break;
            }
        }
        client
    }

    fn address_in(&self, element: &[u8]) -> Option<IpAddr> {
        match self.field {
            ForwardedField::Forwarded => {
                let pairs = split_outside_of_quotes(element, b';');
                let mut pairs = pairs.into_iter().filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='));
                let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
                let value = value.trim();
                let unquoted = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value);
                parse_address(unquoted)
            }
            _ => parse_address(std::str::from_utf8(element).ok()?),
        }
    }
}

/// Returns the elements of a list, from the last one. With `has_quotes`, a comma in a quoted string (RFC 9110 section
/// 5.6.4) does not separate elements.
///
/// The quotes are matched from the end, because only the elements that trusted proxies have appended there are known to
/// be well-formed. If a client sends a quote without its counterpart, this hides nothing that a proxy has appended.
fn elements_from_end(list: &[u8], has_quotes: bool) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    // After a quote inside of a quoted string: whether it is a part of the string, because an odd number of backslashes
    // is in front of it. Otherwise the string begins with it.
    let mut is_part_of_string: Option<bool> = None;
    list.rsplit(move |byte| {
        if let Some(is_escaped) = is_part_of_string.take() {
            if *byte == b'\\' {
                is_part_of_string = Some(!is_escaped);
                return false;
            }
            is_quoted = is_escaped;
        }
        match (*byte, is_quoted) {
            (b'"', false) => is_quoted = has_quotes,
            (b'"', true) => is_part_of_string = Some(false),
            _ => {}
        }
        *byte == b',' && !is_quoted
    })
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711` (RFC 7239 section 6).
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address: Option<IpAddr> = text.parse().ok().or_else(bracketed);
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

/// Returns the value of a preference (RFC 7240 section 2). The case of `name` is ignored; the first preference with
/// this name counts; if it has no value, its value is empty. `None` if the value is not a word in UTF-8.
pub(crate) fn preferred_value<'h>(fields: impl Iterator<Item = &'h HeaderValue>, name: &str) -> Option<String> {
    for field in fields {
        for preference in split_outside_of_quotes(field.as_bytes(), b',') {
            // The parameters after `;` are those of another specification.
            let main = split_outside_of_quotes(preference, b';').first().map_or(&b""[..], |main| main.trim_ascii());
            let equals = main.iter().position(|byte| *byte == b'=');
            let (key, word) = equals.map_or((main, &b""[..]), |at| (&main[..at], &main[at + 1..]));
            if key.trim_ascii().eq_ignore_ascii_case(name.as_bytes()) {
                return String::from_utf8(parse_word(word.trim_ascii())?).ok();
            }
        }
    }
    None
}

/// `Preference-Applied` (RFC 7240 section 3); `None` if the value contains characters that no header field has.
pub(crate) fn applied_preference(name: &str, value: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(format!("{name}={}", format_word(value)).as_bytes()).ok()
}

/// The rest after an unmatched quote is one element.
pub(crate) fn split_outside_of_quotes(value: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_separator = |byte: &u8| {
        let escapes = is_quoted && *byte == b'\\' && !is_escaped;
        if *byte == b'"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = escapes;
        *byte == separator && !is_quoted
    };
    value.split(is_separator).collect()
}

/// A quoted string or a text without quotes; `None` if a quote is not matched.
pub(crate) fn parse_word(word: &[u8]) -> Option<Vec<u8>> {
    let Some(quoted) = word.strip_prefix(b"\"") else {
        return (!word.contains(&b'"')).then(|| word.to_vec());
    };
    let mut text = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return bytes.next().is_none().then_some(text),
            b'\\' => text.push(bytes.next()?),
            _ => text.push(byte),
        }
    }
    None
}

/// Returns the text unchanged if it is a token (RFC 9110 section 5.6.2), otherwise as a quoted string.
fn format_word(text: &str) -> String {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_token_byte) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
