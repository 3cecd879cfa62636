//! The URLs of servers.

use url::{ParseError, Url};

/// Parses the URL of a server, or of a method or a document on it. Returns an error message if the text is no such URL.
pub(crate) fn parse_server_url(text: &str) -> Result<Url, String> {
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
        return Err("the URL must not contain a user name or password; pass a key with --key-file instead".to_owned());
    }
    url.set_fragment(None);
    Ok(url)
}

/// Returns the URL that the user gave. If it has no path, `default_path` is added to it.
pub(super) fn with_default_path(server: &Url, default_path: &str) -> Url {
    let mut url = server.clone();
    if url.path() == "/" {
        url.set_path(default_path);
    }
    url
}

/// Returns the URL of a document of a server. The path of the URL that the user gave is the prefix of a reverse proxy.
pub(crate) fn document_url(server: &Url, path: &str) -> Url {
    let mut url = server.clone();
    let prefix = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{prefix}{path}"));
    url
}
