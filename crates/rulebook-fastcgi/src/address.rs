//! The address of a FastCGI server: a Unix socket, or a host and a port.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// The prefix of the path of a Unix socket.
const UNIX_PREFIX: &str = "unix:";

/// The address of a FastCGI server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// The absolute path of a Unix socket.
    Unix(PathBuf),
    /// The name or the IP address of a host, without brackets, and a port.
    Tcp {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
}

/// The reason why a text is not an address.
#[derive(Debug, PartialEq, Eq)]
pub struct AddressError {
    pub message: String,
    /// The bytes of the text that are wrong.
    pub part: Range<usize>,
    pub help: String,
}

impl Address {
    /// Parses `unix:/run/php/php-fpm.sock`, `127.0.0.1:9000`, `[::1]:9000` or `php:9000`.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let all = 0..text.len();
        let error =
            |message: String, part: Range<usize>, help: &str| AddressError { message, part, help: help.to_owned() };
        if let Some(path) = text.strip_prefix(UNIX_PREFIX) {
            return if path.len() > 1 && path.starts_with('/') && !path.contains('\0') {
                Ok(Self::Unix(path.into()))
            } else {
                let message = "the path of the socket must be absolute".to_owned();
                Err(error(message, UNIX_PREFIX.len()..text.len(), "for example `unix:/run/php/php-fpm.sock`"))
            };
        }
        if text.starts_with('/') {
            let message = "the path of a Unix socket needs the prefix `unix:`".to_owned();
            return Err(error(message, all, &format!("write `{UNIX_PREFIX}{text}`")));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            let message = "the address of a FastCGI server is not a URL".to_owned();
            return Err(error(message, 0..scheme.len() + 3, "write `unix:/path/of/the.sock` or `host:port`"));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            let message = "the address has no port".to_owned();
            return Err(error(message, all, "write `unix:/path/of/the.sock` or `host:port`, such as `127.0.0.1:9000`"));
        };
        let start = text.len() - port.len();
        let port = port.parse().ok().filter(|port| *port > 0);
        let port = port.ok_or_else(|| {
            error("the port must be a number from 1 to 65535".to_owned(), start..text.len(), "such as `127.0.0.1:9000`")
        })?;
        // Equal hosts have equal texts, so that methods with the same server share its connections.
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address = address.map(str::parse::<std::net::Ipv6Addr>);
        let is_host = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        };
        match address {
            Some(Ok(address)) => Ok(Self::Tcp { host: address.to_string(), port }),
            None if is_host(host) => Ok(Self::Tcp { host: host.to_ascii_lowercase(), port }),
            _ => {
                let message = "the host is neither a name nor an IP address".to_owned();
                Err(error(message, 0..host.len(), "an IPv6 address is in brackets: `[::1]:9000`"))
            }
        }
    }

    /// Returns `true` if the server runs on this machine, so that it probably sees the same files.
    pub fn is_unix_socket(&self) -> bool {
        matches!(self, Self::Unix(_))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{UNIX_PREFIX}{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}
