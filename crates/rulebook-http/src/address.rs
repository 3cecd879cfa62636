//! The addresses of upstreams in definitions: `http://host:port/path`, `https://host:port/path` and
//! `unix:/socket:/path`, with places for arguments in the path and the query: `/notes/{id}?full={full}`.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;
use std::ops::Range;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rulebook::ApiError;
use rulebook::handler_kind::{ArgumentSlot, HandlerError};
use rulebook_model::call::{ParameterError, ParameterErrorKind, Source, TypeMismatch, Value, is_secret_name};
use rulebook_model::model::{Location, Method, Parameter};
use rulebook_model::span::Spanned;
use rulebook_model::suggest::closest_word;
use rulebook_model::types::{Arity, Structure};
use tokio_rustls::rustls::pki_types::ServerName;

const TCP_PREFIX: &str = "http://";
const TLS_PREFIX: &str = "https://";
const UNIX_PREFIX: &str = "unix:";
/// What the errors about addresses suggest.
const FORMS: &str = "write `http://127.0.0.1:9000/path`, `https://notes.example/path`, or `unix:/run/app.sock:/path`";

/// Where connections to an upstream lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Tcp {
        /// The name or the IP address of the host, without brackets.
        host: String,
        /// The port, from 1.
        port: u16,
        is_tls: bool,
    },
    Unix(PathBuf),
}

impl Origin {
    pub fn host_field(&self) -> String {
        match self {
            Self::Tcp { host, port, is_tls } => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                if *port == default_port(*is_tls) { host } else { format!("{host}:{port}") }
            }
            Self::Unix(_) => "localhost".to_owned(),
        }
    }

    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tcp { is_tls: true, .. })
    }

    /// Returns `true` if a URL with this scheme, such as `http:`, and this host and port leads to the upstream. Without
    /// a scheme, it has that of the upstream.
    pub fn has_address(&self, scheme: &str, authority: &str) -> bool {
        let Self::Tcp { host, port, is_tls } = self else { return false };
        let (name, digits) = match authority.rsplit_once(':') {
            Some((name, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => (name, digits),
            _ => (authority, ""),
        };
        let is_port = if digits.is_empty() { *port == default_port(*is_tls) } else { digits.parse() == Ok(*port) };
        let is_host = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            Some(name) => name.parse::<Ipv6Addr>().is_ok_and(|address| address.to_string() == *host),
            None => name.eq_ignore_ascii_case(host),
        };
        let upstream_scheme = if *is_tls { "https:" } else { "http:" };
        (scheme.is_empty() || scheme.eq_ignore_ascii_case(upstream_scheme)) && is_host && is_port
    }
}

/// Returns the port of addresses without one.
fn default_port(is_tls: bool) -> u16 {
    if is_tls { 443 } else { 80 }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Returns the origin in an address, and the offset at which its path begins. The path may be empty.
/// Fails if the address has another scheme, or its host, port or socket is not valid.
pub fn split_origin(address: &Spanned<String>) -> Result<(Origin, usize), HandlerError> {
    let text = address.value.as_str();
    for (prefix, is_tls) in [(TCP_PREFIX, false), (TLS_PREFIX, true)] {
        if let Some(rest) = text.strip_prefix(prefix) {
            let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
            let origin = parse_authority(address, prefix.len(), authority, is_tls)?;
            return Ok((origin, prefix.len() + authority.len()));
        }
    }
    if let Some(rest) = text.strip_prefix(UNIX_PREFIX) {
        let socket = &rest[..rest.find(":/").unwrap_or(rest.len())];
        let end = UNIX_PREFIX.len() + socket.len();
        let origin = parse_socket(address, UNIX_PREFIX.len(), socket)?;
        // The colon after the socket belongs to neither part.
        return Ok((origin, if end < text.len() { end + 1 } else { end }));
    }
    Err(if text.starts_with('/') {
        HandlerError::new("the address has no host")
            .at(address.span)
            .help("set `base` in `handlers.http` of `app.json`, or write `http://127.0.0.1:9000` before the path")
    } else {
        HandlerError::new("the address does not begin with `http://`, `https://` or `unix:`")
            .at(address.span)
            .help(FORMS)
    })
}

/// Parses the host and the port. `start` is the offset of the authority in the address.
fn parse_authority(
    address: &Spanned<String>,
    start: usize,
    authority: &str,
    is_tls: bool,
) -> Result<Origin, HandlerError> {
    refuse_arguments(address, start, authority, "the host and the port")?;
    if let Some(at) = authority.find('@') {
        let error = HandlerError::new("the address contains a user name or a password");
        let error = error.at(address.part(start, start + at + 1));
        return Err(error.help("send the credential in a header field, with `headers`").hide_line());
    }
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_ip6 = authority.starts_with('[');
    let is_host = |host: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if is_ip6 { host.parse::<Ipv6Addr>().is_ok() } else { host.bytes().all(is_allowed) }
    };
    // A certificate is compared with the host.
    let is_name = |host: &str| !is_tls || ServerName::try_from(host).is_ok();
    if host.is_empty() || !is_host(host) || !is_name(host) {
        let span = if authority.is_empty() { address.span } else { address.part(start, start + authority.len()) };
        let message = format!("`{}` is not a host", host.escape_debug());
        return Err(HandlerError::new(message).at(span).help(FORMS));
    }
    let port_number = match port.strip_prefix(':') {
        None if port.is_empty() => Some(default_port(is_tls)),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0)
        }
        _ => None,
    };
    let Some(port) = port_number else {
        let end = start + authority.len();
        let message = format!("`{}` is not a port", port.trim_start_matches(':').escape_debug());
        let error = HandlerError::new(message).at(address.part(end - port.len(), end));
        return Err(error.help("a port is a number from 1 to 65535"));
    };
    // Equal hosts have equal texts, so that methods with the same upstream share its connections.
    let host = match host.parse::<Ipv6Addr>() {
        Ok(address) if is_ip6 => address.to_string(),
        _ => host.to_ascii_lowercase(),
    };
    Ok(Origin::Tcp { host, port, is_tls })
}

/// Parses the path of a socket. `start` is its offset in the address.
fn parse_socket(address: &Spanned<String>, start: usize, socket: &str) -> Result<Origin, HandlerError> {
    refuse_arguments(address, start, socket, "the path of the socket")?;
    if !socket.starts_with('/') {
        let error = HandlerError::new("the path of the socket is not absolute").at(address.span);
        return Err(error.help("write `unix:/run/app.sock:/path`: the socket, a colon, and the path of the request"));
    }
    if cfg!(not(unix)) {
        return Err(HandlerError::new("this system has no sockets in the file system").at(address.span));
    }
    Ok(Origin::Unix(PathBuf::from(socket)))
}

/// Fails if a part of the address contains an argument, because a request must not select the upstream.
fn refuse_arguments(address: &Spanned<String>, start: usize, part: &str, subject: &str) -> Result<(), HandlerError> {
    let Some(open) = part.find('{') else { return Ok(()) };
    let close = part[open..].find('}').map_or(part.len(), |close| open + close + 1);
    let message = format!("{subject} cannot contain an argument, so that a request cannot select another server");
    let error = HandlerError::new(message).at(address.part(start + open, start + close));
    Err(error.help("write arguments only in the path and in the query, such as `http://127.0.0.1:9000/notes/{id}`"))
}

/// The characters that are percent-encoded in arguments: all except the unreserved ones (RFC 3986 section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const EXPECTED_SEGMENT: &str = "a text that is not empty and has no path segment `.` or `..`, also before a `;`";

/// A path and a query with places for arguments.
#[derive(Debug)]
pub struct Template {
    /// The segments of the path, each without the slash before it. Empty if the address has no path.
    pub segments: Vec<Vec<Piece>>,
    /// The query; `None` if the address has no `?`.
    pub query: Option<Vec<Piece>>,
}

/// A part of a path segment or of a query.
#[derive(Debug)]
pub enum Piece {
    /// Text of the definition, which may be percent-encoded.
    Text(String),
    Argument(ArgumentPlace),
}

#[derive(Debug)]
pub struct ArgumentPlace {
    pub slot: usize,
    /// The name of the parameter in requests, for errors.
    pub name: String,
    /// The part of requests that contains the parameter, for errors.
    pub source: Source,
    /// `true` if the value may be a secret, which errors do not contain.
    pub is_secret: bool,
}

impl Template {
    /// Returns the indices of the parameters that have a place.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        let pieces = self.segments.iter().flatten().chain(self.query.iter().flatten());
        pieces.filter_map(Piece::argument).map(|place| place.slot)
    }

    /// Fails if an argument would make a path segment empty, or one that servers remove together with its parent.
    pub fn expand(&self, arguments: &[ArgumentSlot<'_>]) -> Result<String, ApiError> {
        let mut target = String::with_capacity(64);
        for segment in &self.segments {
            target.push('/');
            expand_segment(segment, arguments, &mut target)?;
        }
        if self.segments.is_empty() {
            target.push('/');
        }
        self.expand_query(arguments, &mut target)?;
        Ok(target)
    }

    /// Fails if an argument is not a single value.
    pub fn expand_query(&self, arguments: &[ArgumentSlot<'_>], target: &mut String) -> Result<(), ApiError> {
        let Some(query) = &self.query else { return Ok(()) };
        target.push('?');
        for piece in query {
            match piece {
                Piece::Text(text) => target.push_str(text),
                Piece::Argument(place) => target.extend(utf8_percent_encode(&place.text(arguments)?, ENCODED)),
            }
        }
        Ok(())
    }
}

/// Appends a path segment, and checks that it is not removed.
fn expand_segment(segment: &[Piece], arguments: &[ArgumentSlot<'_>], target: &mut String) -> Result<(), ApiError> {
    let Some(first) = segment.iter().find_map(Piece::argument) else {
        // A segment without arguments was checked when the definition was read.
        target.extend(segment.iter().filter_map(Piece::text));
        return Ok(());
    };
    let mut decoded = String::new();
    for piece in segment {
        match piece {
            Piece::Text(text) => {
                target.push_str(text);
                decoded.push_str(&percent_decode_str(text).decode_utf8_lossy());
            }
            Piece::Argument(place) => {
                let text = place.text(arguments)?;
                target.extend(utf8_percent_encode(&text, ENCODED));
                decoded.push_str(&text);
            }
        }
    }
    // A segment that begins with a `;` of the definition is not empty on purpose.
    let is_empty =
        segment.first().is_some_and(|piece| piece.argument().is_some()) && decoded.split(';').next() == Some("");
    if is_empty || has_dot_segment(&decoded) { Err(first.error(arguments)) } else { Ok(()) }
}

impl Piece {
    fn argument(&self) -> Option<&ArgumentPlace> {
        match self {
            Self::Text(_) => None,
            Self::Argument(place) => Some(place),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Argument(_) => None,
        }
    }
}

impl ArgumentPlace {
    fn text<'v>(&self, arguments: &'v [ArgumentSlot<'_>]) -> Result<Cow<'v, str>, ApiError> {
        let value = match arguments.get(self.slot) {
            Some(ArgumentSlot::Value(value)) => value_text(value),
            _ => None,
        };
        value.ok_or_else(|| self.error(arguments))
    }

    fn error(&self, arguments: &[ArgumentSlot<'_>]) -> ApiError {
        let got = match arguments.get(self.slot) {
            Some(ArgumentSlot::Value(value)) if !self.is_secret => {
                Some(TypeMismatch::new(EXPECTED_SEGMENT, value).into_details().got)
            }
            _ => None,
        };
        let error = ParameterError::new(ParameterErrorKind::Invalid, self.name.clone(), self.source, EXPECTED_SEGMENT);
        ApiError::parameters(vec![error.with_got(got)])
    }
}

/// Returns `true` if a decoded path segment is removed by servers, alone or together with its parent. Some servers
/// decode `%2F` before they remove segments, so that the parts between encoded slashes are checked like segments.
/// Others, such as Tomcat, first remove the parameters of segments, which a semicolon begins (RFC 3986 section 3.3), or
/// remove control characters and blanks, or end a text at U+0000.
pub fn has_dot_segment(decoded: &str) -> bool {
    let is_dots = |segment: &str| {
        let name = segment.split([';', '\0']).next().unwrap_or_default();
        let mut shown = name.chars().filter(|c| !c.is_control() && !c.is_whitespace());
        matches!((shown.next(), shown.next(), shown.next()), (Some('.'), None | Some('.'), None))
    };
    decoded.split(['/', '\\']).any(is_dots)
}

/// Returns a text, a number or a boolean as the text that an address contains; `None` for other values.
pub fn value_text<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Bool(bool) => Some(Cow::Borrowed(if *bool { "true" } else { "false" })),
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => serde_json::to_string(value).ok().map(Cow::Owned),
        Value::Null | Value::List(_) | Value::Map(_) | Value::File(_) => None,
    }
}

/// Appends a field to a query. `is_first` is `true` if the query has no field before it.
pub fn push_query_field(target: &mut String, is_first: &mut bool, name: &str, value: &str) {
    target.push(if std::mem::take(is_first) { '?' } else { '&' });
    target.extend(utf8_percent_encode(name, ENCODED));
    target.push('=');
    target.extend(utf8_percent_encode(value, ENCODED));
}

/// Parses the part of an address after its origin, which begins at the offset `start`. `base` contains the segments
/// before it.
/// Fails for characters that a path or a query cannot contain, for segments that servers remove, and for places whose
/// names do not belong to a parameter with a single value.
pub fn parse_template(
    base: &[String],
    address: &Spanned<String>,
    start: usize,
    method: &Method,
) -> Result<Template, Vec<HandlerError>> {
    let text = &address.value;
    if let Some(at) = text[start..].find('#') {
        let error = HandlerError::new("the address has a fragment (`#`), which is never sent");
        return Err(vec![error.at(address.part(start + at, text.len())).help("remove it")]);
    }
    let mut errors = Vec::new();
    let path_end = text[start..].find('?').map_or(text.len(), |at| start + at);
    let mut segments: Vec<_> = base.iter().map(|segment| vec![Piece::Text(segment.clone())]).collect();
    // A path begins with a slash.
    let mut begin = start + 1;
    while begin <= path_end {
        let end = text[begin..path_end].find('/').map_or(path_end, |at| begin + at);
        check_segment(address, begin..end, &mut errors);
        segments.push(parse_pieces(address, begin..end, b"", method, &mut errors));
        begin = end + 1;
    }
    let query =
        (path_end < text.len()).then(|| parse_pieces(address, path_end + 1..text.len(), b"/?", method, &mut errors));
    if errors.is_empty() { Ok(Template { segments, query }) } else { Err(errors) }
}

/// The segments of a base address, which has no arguments and no query. Fails like [`parse_template`].
pub fn parse_base_path(address: &Spanned<String>, start: usize) -> Result<Vec<String>, Vec<HandlerError>> {
    let text = &address.value[start..];
    if let Some(at) = text.find(['{', '?', '#']) {
        let error = HandlerError::new("`base` can have neither arguments nor a query");
        return Err(vec![error.at(address.part(start + at, address.value.len())).help("write them in `http`")]);
    }
    let mut errors = Vec::new();
    check_characters(address, start..address.value.len(), b"/", &mut errors);
    check_segment(address, start..address.value.len(), &mut errors);
    let segments = text.trim_matches('/').split('/').filter(|segment| !segment.is_empty());
    if errors.is_empty() { Ok(segments.map(str::to_owned).collect()) } else { Err(errors) }
}

/// Reports a segment that servers remove.
fn check_segment(address: &Spanned<String>, range: Range<usize>, errors: &mut Vec<HandlerError>) {
    if has_dot_segment(&percent_decode_str(&address.value[range.clone()]).decode_utf8_lossy()) {
        let error = HandlerError::new("the path has a segment `.` or `..`, which servers remove");
        errors.push(error.at(address.part(range.start, range.end)).help("write the path to which it leads"));
    }
}

/// Splits a segment or a query at the places of its arguments.
fn parse_pieces(
    address: &Spanned<String>,
    range: Range<usize>,
    also_allowed: &[u8],
    method: &Method,
    errors: &mut Vec<HandlerError>,
) -> Vec<Piece> {
    let (text, mut pieces, mut begin) = (&address.value, Vec::new(), range.start);
    while let Some(open) = text[begin..range.end].find('{').map(|at| begin + at) {
        let Some(close) = text[open..range.end].find('}').map(|at| open + at) else {
            let error = HandlerError::new("`{` has no `}`").at(address.part(open, range.end));
            errors.push(error.help("write the name of a parameter in braces, or `%7B` for the character `{`"));
            return pieces;
        };
        if open > begin {
            check_characters(address, begin..open, also_allowed, errors);
            pieces.push(Piece::Text(text[begin..open].to_owned()));
        }
        let name = Spanned::new(&text[open + 1..close], address.part(open, close + 1));
        match find_place(name, method) {
            Ok(place) => pieces.push(Piece::Argument(place)),
            Err(error) => errors.push(error),
        }
        begin = close + 1;
    }
    if begin < range.end {
        check_characters(address, begin..range.end, also_allowed, errors);
        pieces.push(Piece::Text(text[begin..range.end].to_owned()));
    }
    pieces
}

/// Reports the first character that a path segment or a query cannot contain (RFC 3986 section 3.3).
fn check_characters(
    address: &Spanned<String>,
    range: Range<usize>,
    also_allowed: &[u8],
    errors: &mut Vec<HandlerError>,
) {
    let part = &address.value[range.clone()];
    let is_allowed = |(at, c): (usize, char)| match c {
        '%' => part.as_bytes().get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        c => {
            c.is_ascii_alphanumeric()
                || "-._~!$&'()*+,;=:@".contains(c)
                || u8::try_from(c).is_ok_and(|byte| also_allowed.contains(&byte))
        }
    };
    if let Some((at, c)) = part.char_indices().find(|found| !is_allowed(*found)) {
        let message = format!("an address cannot contain the character `{}`", c.escape_debug());
        let start = range.start + at;
        let error = HandlerError::new(message).at(address.part(start, start + c.len_utf8()));
        errors.push(error.help("write it percent-encoded, such as `%20` for a space"));
    }
}

fn find_place(name: Spanned<&str>, method: &Method) -> Result<ArgumentPlace, HandlerError> {
    let known = || method.parameters.iter().map(|parameter| parameter.name.as_str());
    let Some(slot) = known().position(|known| known == name.value) else {
        let message = format!("the method has no parameter `{}`", name.value.escape_debug());
        let help = match closest_word(name.value, known()) {
            Some(close) => format!("did you mean `{{{close}}}`?"),
            None if method.parameters.is_empty() => "declare it in `in`".to_owned(),
            None => format!("its parameters are `{}`", known().collect::<Vec<_>>().join("`, `")),
        };
        return Err(HandlerError::new(message).at(name.span).help(help));
    };
    let parameter = &method.parameters[slot];
    if let Some((problem, help)) = problem_in_address(parameter) {
        let message = format!("the parameter `{}` {problem}, so that an address cannot contain it", parameter.name);
        return Err(HandlerError::new(message).at(name.span).help(help));
    }
    let is_secret = matches!(parameter.from, Location::Header | Location::Cookie)
        || is_secret_name(&parameter.key)
        || is_secret_name(&parameter.name);
    let name = parameter.request_name().to_owned();
    Ok(ArgumentPlace { slot, name, source: parameter.from.source(), is_secret })
}

/// Returns why an address cannot contain the values of a parameter, and what to do.
fn problem_in_address(parameter: &Parameter) -> Option<(&'static str, &'static str)> {
    let check = &parameter.r#type.check;
    if matches!(check.arity(), Arity::File | Arity::Files) {
        return Some(("is a file", "files are sent in the body; remove the place"));
    }
    if !matches!(check.structure(), Structure::Scalar | Structure::Nullable(_)) || parameter.is_whole_body() {
        return Some(("is not a single value", "use a parameter that is a text, a number or a boolean"));
    }
    if parameter.optional && parameter.default.is_none() || check.accepts_null() {
        return Some(("can be missing", "require it, give it a default, or remove the place"));
    }
    None
}
