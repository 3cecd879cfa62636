//! Where the other server's calls are.

use std::fmt;
use std::str::FromStr;

use url::{ParseError, Url};

/// A server, or one call of its API.
#[derive(Debug, Clone)]
pub(crate) struct Server(Url);

/// Why a text names no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerError {
    /// It is no URL.
    NoUrl(ParseError),
    /// It is no URL of HTTP.
    Scheme,
    /// It holds a name or a password.
    Credentials,
}

impl Server {
    /// The call for one file.
    pub(super) fn file(&self) -> Url {
        self.call("/iapi/file")
    }

    /// The call for several files.
    pub(super) fn files(&self) -> Url {
        self.call("/iapi/files")
    }

    /// The URL itself if it has a path, else the call at this one.
    fn call(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        if url.path() == "/" {
            url.set_path(path);
        }
        url
    }
}

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut url = Url::parse(text).map_err(|error| match error {
            // As `host` or `127.0.0.1:8080`.
            ParseError::RelativeUrlWithoutBase => ServerError::Scheme,
            other => ServerError::NoUrl(other),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ServerError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ServerError::Credentials);
        }
        url.set_fragment(None);
        Ok(Self(url))
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUrl(error) => write!(f, "{error}"),
            Self::Scheme => f.write_str("it does not begin with https:// or http://"),
            Self::Credentials => {
                f.write_str("it holds a name or a password; a key is taken from elsewhere, see --help")
            }
        }
    }
}

impl std::error::Error for ServerError {}
