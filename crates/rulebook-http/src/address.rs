//! The addresses of upstreams in definitions: `http://host:port/path`, `https://host:port/path` and
//! `unix:/socket:/path`.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use rulebook::handler_kind::HandlerError;
use rulebook_model::span::Spanned;
use tokio_rustls::rustls::pki_types::ServerName;

/// The start of the address of an upstream that is reached over TCP.
const TCP_PREFIX: &str = "http://";
/// The start of the address of an upstream that is reached over TLS.
const TLS_PREFIX: &str = "https://";
/// The start of the address of an upstream that is reached over a socket in the file system.
const UNIX_PREFIX: &str = "unix:";
/// What the errors about addresses suggest.
const FORMS: &str = "write `http://127.0.0.1:9000/path`, `https://notes.example/path`, or `unix:/run/app.sock:/path`";

/// Where connections to an upstream lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A host and a port.
    Tcp {
        /// The name or the IP address of the host, without brackets.
        host: String,
        /// The port, from 1.
        port: u16,
        /// `true` if connections use TLS.
        is_tls: bool,
    },
    /// A socket in the file system.
    Unix(PathBuf),
}

impl Origin {
    /// Returns the value of the header field `Host`.
    pub fn host_field(&self) -> String {
        match self {
            Self::Tcp { host, port, is_tls } => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                if *port == default_port(*is_tls) { host } else { format!("{host}:{port}") }
            }
            Self::Unix(_) => "localhost".to_owned(),
        }
    }

    /// Returns `true` if connections use TLS.
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
