//! The head of a request: what is known before any byte of its body.

use http::header::{HeaderName, HeaderValue};

/// The HTTP methods that a definition can have (RFC 9110 section 9, RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Http {
    /// GET; HEAD runs it too.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
    /// PATCH.
    Patch,
}

impl Http {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Delete, Self::Patch];

    /// The method of this name; names are case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|http| http.as_str() == name)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
        }
    }
}

/// Method, target and header fields of a request.
#[derive(Debug, Clone)]
pub struct Head {
    /// The method as sent, HEAD and OPTIONS included.
    pub method: http::Method,
    /// The target; its path and query are as they were sent, still percent-encoded.
    pub uri: http::Uri,
    /// Header fields in the order in which they came.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether a body may follow although no header field announces one, as in HTTP/2.
    pub streams: bool,
    /// The client's address, where there is one.
    pub peer: Option<std::net::SocketAddr>,
}

impl Head {
    /// A head without header fields.
    #[must_use]
    pub fn new(method: http::Method, uri: http::Uri) -> Self {
        Self { method, uri, headers: Vec::new(), streams: false, peer: None }
    }

    /// The first header field of this name as text; none where it is not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.to_str().ok())
    }

    /// All header fields of this name, as bytes.
    pub fn header_values<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a HeaderValue> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value)
    }

    /// The query behind `?`, still encoded; empty where there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        self.uri.query().unwrap_or("")
    }
}
