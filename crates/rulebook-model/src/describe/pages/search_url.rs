//! Finds the methods that a request for a URL calls, for searches such as `/article/3/picture`.

use std::borrow::Cow;

use crate::call::HttpMethod;
use crate::model::Method;
use crate::uri::percent_decode;

/// The maximum number of segments of a URL in a query. Longer URLs match no method.
const MAX_SEGMENTS: usize = 64;

/// A URL that a reader searches for, and the HTTP method before it, if there is one.
#[derive(Debug)]
pub(super) struct RequestUrl<'q> {
    http: Option<HttpMethod>,
    /// The decoded segments of the path.
    pub(super) segments: Vec<Cow<'q, str>>,
    /// The query of the URL, percent-encoded.
    pub(super) query: &'q str,
    pub(super) called: CalledService,
}

/// The service that a request for a URL calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CalledService {
    /// The service at the path of the URL.
    AtPath,
    /// The service with this index, whatever the path is.
    Named(usize),
    /// The URL names a service that does not exist.
    Unknown,
}

impl<'q> RequestUrl<'q> {
    /// Returns the URL that a text consists of, such as `/article/3`, `GET /article/3` or
    /// `https://example.org/article/3?x=1`. Returns `None` if the text is not a URL.
    pub(super) fn parse(text: &'q str) -> Option<Self> {
        let text = text.trim();
        let with_http = text.split_once(char::is_whitespace);
        let named = |name: &str| HttpMethod::ALL.into_iter().find(|http| http.as_str().eq_ignore_ascii_case(name));
        let (http, url) = match with_http.and_then(|(name, url)| Some((named(name)?, url.trim()))) {
            Some((http, url)) => (Some(http), url),
            None => (None, text),
        };
        if url.contains(char::is_whitespace) {
            return None;
        }
        let url = url.split('#').next().unwrap_or_default();
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let path = match path.split_once("://") {
            Some((_, behind)) => behind.find('/').map_or("/", |start| &behind[start..]),
            None => path,
        };
        // The server removes a single slash at the end of a path.
        let path = path.strip_prefix('/')?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let decode = |segment| percent_decode(segment).unwrap_or(Cow::Borrowed(segment));
        let segments: Vec<_> = segments(path).take(MAX_SEGMENTS + 1).map(decode).collect();
        (segments.len() <= MAX_SEGMENTS).then_some(Self { http, segments, query, called: CalledService::AtPath })
    }

    /// Returns the URL of a path with corrected segments, or `None` if `correct` corrects no segment. The argument of
    /// `correct` is in lower case.
    pub(super) fn with_corrected_segments(&self, correct: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let corrected: Vec<_> = self.segments.iter().map(|segment| correct(&segment.to_lowercase())).collect();
        let is_changed = corrected.iter().any(Option::is_some);
        let segments = corrected.into_iter().zip(&self.segments);
        let segments = segments.map(|(corrected, segment)| corrected.map_or_else(|| segment.clone(), Cow::Owned));
        let called = CalledService::AtPath;
        is_changed.then(|| Self { http: self.http, segments: segments.collect(), query: "", called })
    }

    /// Returns the path as text.
    pub(super) fn to_text(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }
}

/// The HTTP method and the URI template of a method, as far as a search compares them.
#[derive(Debug)]
pub(super) struct UriTemplate {
    http: HttpMethod,
    /// The index of the service.
    service: usize,
    /// The segments in lower case; `None` for a captured segment.
    segments: Vec<Option<String>>,
    /// The number of positional parameters, which are further segments.
    positions: usize,
}

impl UriTemplate {
    pub(super) fn new(uri: &str, service: usize, method: &Method) -> Self {
        let text = |segment: &str| (!segment.starts_with('{')).then(|| segment.to_lowercase());
        let segments = segments(uri.trim_start_matches('/')).map(text).collect();
        Self { http: method.http, service, segments, positions: method.positions().len() }
    }

    /// Returns the number of segments that are equal in the template and in the path of a URL, plus 1. Returns `None`
    /// if a request for the URL does not call the method.
    pub(super) fn matching_segments(&self, url: &RequestUrl<'_>) -> Option<u32> {
        if url.http.is_some_and(|http| http != self.http) {
            return None;
        }
        match url.called {
            CalledService::AtPath => {}
            CalledService::Named(service) => return (service == self.service).then_some(1),
            CalledService::Unknown => return None,
        }
        if url.segments.len().checked_sub(self.segments.len())? > self.positions {
            return None;
        }
        let mut equal = 1;
        for (template, segment) in self.segments.iter().zip(&url.segments) {
            match template {
                None if !segment.is_empty() => {}
                Some(text) if *text == segment.to_lowercase() => equal += 1,
                _ => return None,
            }
        }
        Some(equal)
    }
}

/// Returns the segments of a path without the slash at its beginning. The path `/` has no segments.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(move |_| !path.is_empty())
}
