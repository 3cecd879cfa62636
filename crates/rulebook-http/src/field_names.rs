//! The names of header fields that are not forwarded, because they belong to one connection or are set by this crate.

use hyper::header::{self, HeaderName};
use rulebook::Head;

/// The header field with the identity of the caller.
pub const IDENTITY: HeaderName = HeaderName::from_static("x-rulebook-identity");
/// The header field with the id of the request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header fields that connect the traces of servers (W3C Trace Context).
pub const TRACE: [HeaderName; 2] = [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate")];

/// The header fields of a single connection (RFC 9110 sections 7.6.1 and 11.7), and those that describe the framing.
pub const HOP_BY_HOP: [HeaderName; 12] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-authentication-info"),
    HeaderName::from_static("proxy-connection"),
];

/// The header fields from which some servers take the HTTP method, the host or the path of the request, so that a
/// client could choose another one than the definition; the address or the identity of the client, which proxies
/// determine; or, from `Proxy` as the variable `HTTP_PROXY` of CGI, the address of their own proxy.
const OVERRIDES: [&str; 33] = [
    "base-url",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "client-ip",
    "fastly-client-ip",
    "proxy",
    "remote-addr",
    "remote-user",
    "ssl-client-cert",
    "ssl-client-s-dn",
    "ssl-client-verify",
    "true-client-ip",
    "x-client-cert",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-envoy-internal",
    "x-envoy-original-host",
    "x-envoy-original-path",
    "x-forwarded",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-forwarded-for",
    "x-original-host",
    "x-original-url",
    "x-remote-user",
    "x-rewrite-url",
    "x-ssl-client-cert",
    "x-ssl-client-dn",
    "x-ssl-client-s-dn",
    "x-ssl-client-verify",
];

/// The header fields that are not copied from the request of a client, even if the definition names them: `Host` could
/// select another site of the upstream, `Proxy` the server to which it sends its own requests (httpoxy), and the others
/// describe the body, or request a part of it.
pub const NEVER_COPIED: [HeaderName; 7] = [
    header::ACCEPT_ENCODING,
    header::CONTENT_ENCODING,
    header::CONTENT_TYPE,
    header::HOST,
    header::IF_RANGE,
    header::RANGE,
    HeaderName::from_static("proxy"),
];

/// Returns `true` if only this crate sets the header field with this name in requests.
pub fn is_reserved(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(name) || *name == IDENTITY || *name == REQUEST_ID
}

/// Returns `true` if the header field with this name of a client is not trusted: proxies set it, or servers and
/// programs take something from it that the definition determines.
pub fn is_untrusted(name: &HeaderName) -> bool {
    let text = name.as_str();
    *name == header::FORWARDED || text.starts_with("x-forwarded-") || text == "x-real-ip" || OVERRIDES.contains(&text)
}

/// Returns `true` if no server takes the header field with this name for another one. Servers with variables such as
/// `HTTP_X_REAL_IP` (CGI, WSGI, PHP) take the fields `X_Real_IP` and `X.Real.IP` for `X-Real-IP`.
pub fn is_unambiguous(name: &HeaderName) -> bool {
    name.as_str().bytes().all(is_unambiguous_byte)
}

/// Returns the name of the header field for which some servers take the one with this name.
pub fn unambiguous_name(name: &HeaderName) -> HeaderName {
    let bytes = name.as_str().bytes().map(|byte| if is_unambiguous_byte(byte) { byte } else { b'-' });
    HeaderName::from_bytes(&bytes.collect::<Vec<_>>()).unwrap_or_else(|_| name.clone())
}

fn is_unambiguous_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// Returns `true` if the field `Connection` of a request contains this name, so that the field with this name concerns
/// only the connection of the client.
pub fn is_named_by_connection(head: &Head, name: &HeaderName) -> bool {
    head.header_values("connection").any(|value| lists_name(value.as_bytes(), name))
}

/// Returns `true` if a comma-separated list contains a name.
pub fn lists_name(list: &[u8], name: &HeaderName) -> bool {
    list.split(|byte| *byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes()))
}
