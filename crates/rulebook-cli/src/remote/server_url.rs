//! The URLs of servers.

use std::str::FromStr;

use url::{ParseError, Url};

/// The URL of a server, or the URL of one method or document on it.
#[derive(Debug, Clone)]
pub(crate) struct ServerUrl(pub(super) Url);

impl ServerUrl {
    /// Returns the URL that the user gave. If it has no path, `default_path` is added to it.
    pub(super) fn with_default_path(&self, default_path: &str) -> Url {
        let mut url = self.0.clone();
        if url.path() == "/" {
            url.set_path(default_path);
        }
        url
    }

    /// Returns the URL of a document of the server. The path of the URL that the user gave is the prefix of a reverse
    /// proxy.
    pub(crate) fn document(&self, path: &str) -> Self {
        let mut url = self.0.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}"));
        Self(url)
    }
}

impl FromStr for ServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid_scheme = || "the URL must begin with https:// or http://".to_owned();
        let mut url = Url::parse(text).map_err(|error| match error {
            // The text has no scheme, for example `127.0.0.1:8080`.
            ParseError::RelativeUrlWithoutBase => invalid_scheme(),
            other => other.to_string(),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid_scheme());
        }
        if !url.username().is_empty() || url.password().is_some() {
            let why = "the URL must not contain a user name or password; pass a key with --key-file instead";
            return Err(why.to_owned());
        }
        url.set_fragment(None);
        Ok(Self(url))
    }
}
