//! The head of a request: what is known before any byte of its body.

use std::fmt;

use http::header::{HeaderName, HeaderValue};

use super::RequestId;

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

/// Method, target and header fields of a request. Printed for debugging, credentials are left out.
#[derive(Clone)]
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
    /// Its name in the log.
    pub id: RequestId,
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value): &(HeaderName, HeaderValue)| {
            (name.clone(), if is_secret_field(name.as_str()) { HeaderValue::from_static("-") } else { value.clone() })
        };
        let headers: Vec<_> = self.headers.iter().map(shown).collect();
        f.debug_struct("Head")
            .field("method", &self.method)
            .field("uri", &self.uri)
            .field("headers", &headers)
            .field("peer", &self.peer)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Whether the header field of this name holds a credential, which is never told back.
#[must_use]
pub fn is_secret_field(name: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie"].iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Whether an authentication scheme is that of bearer tokens (RFC 6750); schemes have no case.
#[must_use]
pub fn is_bearer(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("Bearer")
}

impl Head {
    /// A head without header fields.
    #[must_use]
    pub fn new(method: http::Method, uri: http::Uri) -> Self {
        Self { method, uri, headers: Vec::new(), streams: false, peer: None, id: RequestId::random() }
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
