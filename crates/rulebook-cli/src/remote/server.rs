//! The URLs of another server's internal API.

use std::str::FromStr;

use thiserror::Error;
use url::{ParseError, Url};

/// The URL of a server, or of one method of its API.
#[derive(Debug, Clone)]
pub(crate) struct Server(Url);

/// Why a text is not the URL of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum ServerError {
    /// The text is not a URL.
    #[error(transparent)]
    InvalidUrl(ParseError),
    /// The scheme is neither `http` nor `https`.
    #[error("the URL must begin with https:// or http://")]
    Scheme,
    /// The URL contains a user name or a password.
    #[error("the URL must not contain a user name or password; pass a key with --key-file instead")]
    Credentials,
}

impl Server {
    /// Returns the URL of the method for a single file.
    pub(super) fn file_url(&self) -> Url {
        self.call_url("/iapi/file")
    }

    /// Returns the URL of the method for several files.
    pub(super) fn files_url(&self) -> Url {
        self.call_url("/iapi/files")
    }

    /// Returns the URL itself if it has a path, otherwise the URL with `path`.
    fn call_url(&self, path: &str) -> Url {
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
            // The user wrote `host` or `127.0.0.1:8080`.
            ParseError::RelativeUrlWithoutBase => ServerError::Scheme,
            other => ServerError::InvalidUrl(other),
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
