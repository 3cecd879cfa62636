//! The address of a FastCGI server: a Unix socket, or a host and a port.

use std::fmt;
use std::net::Ipv6Addr;
use std::ops::Range;
use std::path::PathBuf;

use rulebook::handler_kind::HandlerError;
use rulebook::model::Spanned;

/// The prefix of the path of a Unix socket.
const UNIX_PREFIX: &str = "unix:";

/// The address of a FastCGI server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// The absolute path of a Unix socket.
    Unix(PathBuf),
    /// The name or the IP address of a host, without brackets, and a port.
    Tcp { host: String, port: u16 },
}

impl Address {
    /// Parses `unix:/run/php/php-fpm.sock`, `127.0.0.1:9000`, `[::1]:9000` or `php:9000`.
    /// Fails if the text is not an address. The error is at the part that is wrong.
    pub fn parse(address: &Spanned<String>) -> Result<Self, HandlerError> {
        let text = address.value.as_str();
        let error = |message: &str, part: Range<usize>, help: &str| {
            HandlerError::new(message).at(address.part(part.start, part.end)).help(help)
        };
        if let Some(path) = text.strip_prefix(UNIX_PREFIX) {
            if path.len() > 1 && path.starts_with('/') && !path.contains('\0') {
                return Ok(Self::Unix(path.into()));
            }
            let part = UNIX_PREFIX.len()..text.len();
            return Err(error(
                "the path of the socket must be absolute",
                part,
                "for example `unix:/run/php/php-fpm.sock`",
            ));
        }
        if text.starts_with('/') {
            let help = format!("write `{UNIX_PREFIX}{text}`");
            return Err(error("the path of a Unix socket needs the prefix `unix:`", 0..text.len(), &help));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            let help = "write `unix:/path/of/the.sock` or `host:port`";
            return Err(error("the address of a FastCGI server is not a URL", 0..scheme.len() + 3, help));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            let help = "write `unix:/path/of/the.sock` or `host:port`, such as `127.0.0.1:9000`";
            return Err(error("the address has no port", 0..text.len(), help));
        };
        let part = text.len() - port.len()..text.len();
        let port = port.parse().ok().filter(|port| *port > 0);
        let port =
            port.ok_or_else(|| error("the port must be a number from 1 to 65535", part, "such as `127.0.0.1:9000`"))?;
        // Equal hosts have equal texts, so that methods with the same server share its connections.
        let ip6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::parse::<Ipv6Addr>);
        let is_host = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        };
        match ip6 {
            Some(Ok(ip6)) => Ok(Self::Tcp { host: ip6.to_string(), port }),
            None if is_host(host) => Ok(Self::Tcp { host: host.to_ascii_lowercase(), port }),
            _ => {
                let help = "an IPv6 address is in brackets: `[::1]:9000`";
                Err(error("the host is neither a name nor an IP address", 0..host.len(), help))
            }
        }
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
