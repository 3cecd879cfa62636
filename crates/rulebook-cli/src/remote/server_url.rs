//! The URLs of the methods that send and fetch files.

use std::str::FromStr;

use thiserror::Error;
use url::{ParseError, Url};

/// The URL of a server, or the URL of one method on it.
#[derive(Debug, Clone)]
pub(crate) struct ServerUrl(Url);

/// The reason why a text is not the URL of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum ServerUrlError {
    #[error(transparent)]
    InvalidUrl(ParseError),
    #[error("the URL must begin with https:// or http://")]
    InvalidScheme,
    #[error("the URL must not contain a user name or password; pass a key with --key-file instead")]
    HasCredentials,
}

impl ServerUrl {
    /// Returns the URL of the method that stores or returns a single file.
    pub(super) fn file_url(&self) -> Url {
        self.method_url("/iapi/file")
    }

    /// Returns the URL of the method that stores several files.
    pub(super) fn files_url(&self) -> Url {
        self.method_url("/iapi/files")
    }

    /// Returns the URL of the TypeScript declarations of the server's API. The path of the URL that the user gave is
    /// the prefix of a reverse proxy.
    pub(super) fn declarations_url(&self) -> Url {
        let mut url = self.0.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}/docs/api.d.ts"));
        url
    }

    /// Returns the URL that the user gave.
    pub(super) fn document_url(&self) -> &Url {
        &self.0
    }

    /// Returns the URL that the user gave. If it has no path, `default_path` is added to it.
    fn method_url(&self, default_path: &str) -> Url {
        let mut url = self.0.clone();
        if url.path() == "/" {
            url.set_path(default_path);
        }
        url
    }
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut url = Url::parse(text).map_err(|error| match error {
            // The text has no scheme, for example `127.0.0.1:8080`.
            ParseError::RelativeUrlWithoutBase => ServerUrlError::InvalidScheme,
            other => ServerUrlError::InvalidUrl(other),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ServerUrlError::InvalidScheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ServerUrlError::HasCredentials);
        }
        url.set_fragment(None);
        Ok(Self(url))
    }
}
