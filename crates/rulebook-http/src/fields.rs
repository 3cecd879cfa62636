//! The header fields of requests to upstreams: fixed ones, those of the request that are passed on, and the identity;
//! and the names of fields that are not forwarded, because they belong to one connection or are set by this crate.

use std::fmt::Write;

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use rulebook::handler_kind::settings::{boolean, texts, wrong_value};
use rulebook::handler_kind::{HandlerError, JsonData, JsonNode, SettingsReader, expand_variables};
use rulebook::{Context, Head, Identity};

/// The header fields of requests that the definition chooses.
#[derive(Debug, Clone, Default)]
pub struct FieldRules {
    /// Fields that each request has.
    pub fixed: Vec<(HeaderName, HeaderValue)>,
    /// The names of the fields that are copied from the request of the client.
    pub forward: Vec<HeaderName>,
    /// `true` if the upstream gets the name and the permissions of the caller.
    pub identity: bool,
}

impl FieldRules {
    /// The fields of a handler are added to those of all handlers, and replace those with equal names.
    pub fn read(reader: &mut SettingsReader<'_>) -> Self {
        let nodes = |name| [reader.shared_node(name), reader.method.optional_setting(name)].into_iter().flatten();
        let (headers, forwards) = (nodes("headers"), nodes("forward"));
        let mut rules = Self { identity: reader.read("identity", boolean).unwrap_or(false), ..Self::default() };
        for node in headers {
            let added = read_fixed(node, &mut reader.errors);
            rules.fixed.retain(|(name, _)| added.iter().all(|(other, _)| other != name));
            rules.fixed.extend(added);
        }
        for name in forwards.flat_map(|node| read_forward(node, &mut reader.errors)) {
            if !rules.forward.contains(&name) {
                rules.forward.push(name);
            }
        }
        rules
    }

    /// Adds the fields of a call to those that the handler has set. Fixed fields replace all others.
    pub fn write(&self, fields: &mut HeaderMap, context: &Context) {
        for name in TRACE.iter().chain(&self.forward) {
            copy_field(fields, context, name);
        }
        if let Some(id) = context.request_id().and_then(|id| HeaderValue::try_from(id.to_string()).ok()) {
            fields.insert(REQUEST_ID, id);
        }
        if let Some(identity) = context.identity().filter(|_| self.identity).and_then(identity_field) {
            fields.insert(IDENTITY, identity);
        }
        for (name, value) in &self.fixed {
            fields.insert(name, value.clone());
        }
    }
}

/// Copies a field of the request, unless it concerns only the connection of the client.
fn copy_field(fields: &mut HeaderMap, context: &Context, name: &HeaderName) {
    let Some(head) = context.head().filter(|head| !is_named_by_connection(head, name)) else { return };
    fields.remove(name);
    for value in head.header_values(name.as_str()) {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            fields.append(name, value);
        }
    }
}

/// Returns the name and the permissions of a caller as JSON in ASCII, which every server accepts in a header field.
fn identity_field(identity: &Identity) -> Option<HeaderValue> {
    let json = serde_json::to_string(identity).ok()?;
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(ascii, "\\u{unit:04x}").ok()?;
            }
        }
    }
    HeaderValue::try_from(ascii).ok()
}

fn read_fixed(node: &JsonNode, errors: &mut Vec<HandlerError>) -> Vec<(HeaderName, HeaderValue)> {
    let JsonData::Object(members) = &node.data else {
        errors.push(wrong_value(node, "headers", "an object").help("write `{\"X-Source\": \"api\"}`"));
        return Vec::new();
    };
    let mut fixed: Vec<(HeaderName, HeaderValue)> = Vec::new();
    // Unlike elsewhere, names that begin with `x-` are not comments.
    for member in members.list.iter().filter(|member| !member.key.value.starts_with('$')) {
        let name = read_name(&member.key.value, member.key.span, errors);
        let value = read_value(&member.key.value, &member.value).map_err(|error| errors.push(error)).ok();
        let Some((name, mut value)) = name.zip(value) else { continue };
        // Fixed fields may be credentials.
        value.set_sensitive(true);
        if fixed.iter().any(|(other, _)| *other == name) {
            let message = format!("`headers` contains `{name}` twice");
            errors.push(HandlerError::new(message).at(member.key.span).help("remove one of them"));
        }
        fixed.push((name, value));
    }
    fixed
}

/// Replaces environment variables, unless the value is from `app.json`, whose variables have been replaced.
fn read_value(name: &str, node: &JsonNode) -> Result<HeaderValue, HandlerError> {
    let text = node.string().map(|text| text.value);
    let expanded = match (text, &node.expanded) {
        (Some(text), None) => Some(expand_variables(&text, node.span)?),
        (text, _) => text,
    };
    expanded.and_then(|text| HeaderValue::try_from(text).ok()).ok_or_else(|| {
        let message = format!("the value of the header field `{}` is not valid", name.escape_debug());
        let error = HandlerError::new(message).at(node.span);
        error.help("a value is a text without line breaks and control characters")
    })
}

fn read_forward(node: &JsonNode, errors: &mut Vec<HandlerError>) -> Vec<HeaderName> {
    let items = texts(node, "forward").map_err(|found| errors.extend(found)).unwrap_or_default();
    let mut names = Vec::new();
    for text in items {
        let Some(name) = read_name(&text.value, text.span, errors) else { continue };
        if NEVER_COPIED.contains(&unambiguous_name(&name)) {
            let error = HandlerError::new(format!("the header field `{name}` of a request is never passed on"));
            errors.push(error.at(text.span).help("remove it, or set a fixed value with `headers`"));
        } else {
            names.push(name);
        }
    }
    names
}

fn read_name(text: &str, span: rulebook::model::Span, errors: &mut Vec<HandlerError>) -> Option<HeaderName> {
    let Ok(name) = HeaderName::from_bytes(text.as_bytes()) else {
        let message = format!("`{}` is not a name of a header field", text.escape_debug());
        errors.push(HandlerError::new(message).at(span));
        return None;
    };
    if is_reserved(&unambiguous_name(&name)) {
        let error = HandlerError::new(format!("the header field `{name}` is set by the server"));
        errors.push(error.at(span).help("remove it"));
        return None;
    }
    Some(name)
}

const IDENTITY: HeaderName = HeaderName::from_static("x-rulebook-identity");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header fields that connect the traces of servers (W3C Trace Context).
const TRACE: [HeaderName; 2] = [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate")];

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
const NEVER_COPIED: [HeaderName; 7] = [
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
fn unambiguous_name(name: &HeaderName) -> HeaderName {
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

pub fn lists_name(list: &[u8], name: &HeaderName) -> bool {
    list.split(|byte| *byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes()))
}
