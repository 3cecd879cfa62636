//! The addresses in raw responses: those of the upstream are replaced by paths of the API, so that clients can follow
//! them and do not see the address of the upstream.

use std::borrow::Cow;

use hyper::Uri;
use hyper::header::{CONTENT_LOCATION, HOST, HeaderName, HeaderValue, LOCATION, REFRESH};
use rulebook::Head;

use super::address::Origin;
use super::exchange::Outgoing;

/// A request that was sent on, and the upstream that received it.
#[derive(Debug)]
pub struct SentRequest {
    /// The target of the request of the client.
    public: rulebook::http::Uri,
    /// The target of the request to the upstream.
    target: Uri,
    /// The value of the header field `Host` of the request to the upstream.
    host: Option<HeaderValue>,
}

impl SentRequest {
    /// Returns what is needed of a request after it was sent.
    pub fn new(head: &Head, outgoing: &Outgoing) -> Self {
        let host = outgoing.fields.get(HOST).cloned();
        Self { public: head.uri.clone(), target: outgoing.target.clone(), host }
    }

    /// Returns the value of a header field of the response for the client.
    pub fn public_value<'v>(&self, name: &HeaderName, value: &'v HeaderValue, origin: &Origin) -> Cow<'v, [u8]> {
        let text = std::str::from_utf8(value.as_bytes()).ok();
        let public = if *name == LOCATION || *name == CONTENT_LOCATION {
            text.and_then(|text| self.public_path(text, origin))
        } else if *name == REFRESH {
            text.and_then(|text| self.public_refresh(text, origin))
        } else {
            None
        };
        public.map_or(Cow::Borrowed(value.as_bytes()), |public| Cow::Owned(public.into_bytes()))
    }

    /// Returns the value of `Refresh`, such as `5; url=http://127.0.0.1:9000/a`, with a path of the API; `None` if it
    /// does not contain an address of the upstream.
    fn public_refresh(&self, value: &str, origin: &Origin) -> Option<String> {
        let start = value.to_ascii_lowercase().find("url=")? + "url=".len();
        let (before, url) = value.split_at(start);
        let quote = url.chars().next().filter(|first| matches!(first, '"' | '\''));
        let (url, after) = match quote {
            Some(quote) => url[1..].split_once(quote)?,
            None => (url, ""),
        };
        let quote = quote.map(String::from).unwrap_or_default();
        Some(format!("{before}{quote}{}{quote}{after}", self.public_path(url, origin)?))
    }

    /// Returns the path of the API for a URL of the upstream; `None` if the URL is another one, or leads to a path of
    /// the upstream that belongs to no path of the API.
    fn public_path(&self, url: &str, origin: &Origin) -> Option<String> {
        // Browsers remove tabs from URLs before they parse them.
        if url.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
            return None;
        }
        let (scheme, rest) = url.split_once("//")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let is_host = self.host.as_ref().is_some_and(|host| authority.as_bytes().eq_ignore_ascii_case(host.as_bytes()));
        let is_web = scheme.is_empty() || scheme.eq_ignore_ascii_case("http:") || scheme.eq_ignore_ascii_case("https:");
        if !(is_web && is_host || origin.has_address(scheme, authority)) {
            return None;
        }
        let (upstream_prefix, public_prefix) = self.prefixes();
        let rest =
            path.strip_prefix(upstream_prefix).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))?;
        let path = format!("{public_prefix}{rest}");
        // A path that begins with two slashes would be the name of a host.
        Some(match path.as_bytes() {
            [b'/', b'/' | b'\\', ..] => format!("/.{path}"),
            [b'/', ..] => path,
            _ => format!("/{path}"),
        })
    }

    /// Returns the prefixes in which the paths of the upstream and of the API differ: the paths of the request, without
    /// the segments at their end that are equal, and without a slash at the end.
    fn prefixes(&self) -> (&str, &str) {
        let (mut upstream, mut public) = (self.target.path(), self.public.path());
        while let (Some((before_upstream, last_upstream)), Some((before_public, last_public))) =
            (upstream.rsplit_once('/'), public.rsplit_once('/'))
        {
            if last_upstream != last_public {
                break;
            }
            (upstream, public) = (before_upstream, before_public);
        }
        (upstream.trim_end_matches('/'), public.trim_end_matches('/'))
    }
}
