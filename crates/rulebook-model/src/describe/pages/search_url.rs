//! Finds the methods that a request for a URL calls, for searches such as `/article/3/picture`.

use std::borrow::Cow;

use crate::call::HttpMethod;
use crate::model::Method;
use crate::uri::percent_decode;

/// The maximum number of segments of a URL in a query. Longer URLs match no method.
const MAX_SEGMENTS: usize = 64;

/// The path of a URL in a query, and the HTTP method before it, if there is one.
#[derive(Debug)]
pub(super) struct RequestPath<'q> {
    http: Option<HttpMethod>,
    segments: Vec<Cow<'q, str>>,
}

impl<'q> RequestPath<'q> {
    /// Returns the path of the URL that a query consists of, such as `/article/3`, `GET /article/3` or
    /// `https://example.org/article/3?x=1`. Returns `None` if the query is not a URL.
    pub(super) fn parse(query: &'q str) -> Option<Self> {
        let query = query.trim();
        let with_http = query.split_once(char::is_whitespace);
        let named = |name: &str| HttpMethod::ALL.into_iter().find(|http| http.as_str().eq_ignore_ascii_case(name));
        let (http, url) = match with_http.and_then(|(name, url)| Some((named(name)?, url.trim()))) {
            Some((http, url)) => (Some(http), url),
            None => (None, query),
        };
        if url.contains(char::is_whitespace) {
            return None;
        }
        let path = match url.split_once("://") {
            Some((_, behind)) => behind.find('/').map_or("/", |start| &behind[start..]),
            None => url,
        };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let decode = |segment| percent_decode(segment).unwrap_or(Cow::Borrowed(segment));
        let segments: Vec<_> = segments(path.strip_prefix('/')?).take(MAX_SEGMENTS + 1).map(decode).collect();
        (segments.len() <= MAX_SEGMENTS).then_some(Self { http, segments })
    }

    /// Returns the path with corrected segments, or `None` if `correct` corrects no segment. The argument of `correct`
    /// is in lower case.
    pub(super) fn with_corrected_segments(&self, correct: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let corrected: Vec<_> = self.segments.iter().map(|segment| correct(&segment.to_lowercase())).collect();
        let is_changed = corrected.iter().any(Option::is_some);
        let segments = corrected.into_iter().zip(&self.segments);
        let segments = segments.map(|(corrected, segment)| corrected.map_or_else(|| segment.clone(), Cow::Owned));
        is_changed.then(|| Self { http: self.http, segments: segments.collect() })
    }

    /// Returns the path as text.
    pub(super) fn to_text(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }
}

/// The segments of a service's path, as far as a search compares them.
#[derive(Debug)]
pub(super) struct UriTemplate {
    http: HttpMethod,
    /// The segments in lower case; `None` for a captured segment.
    segments: Vec<Option<String>>,
    /// The number of positional parameters, which are further segments.
    positions: usize,
}

impl UriTemplate {
    pub(super) fn new(uri: &str, method: &Method) -> Self {
        let text = |segment: &str| (!segment.starts_with('{')).then(|| segment.to_lowercase());
        let segments = segments(uri.trim_start_matches('/')).map(text).collect();
        Self { http: method.http, segments, positions: method.positions().len() }
    }

    /// Returns the number of segments that are equal in the template and in a path, plus 1. Returns `None` if a request
    /// for the path does not call the method.
    pub(super) fn matching_segments(&self, path: &RequestPath<'_>) -> Option<u32> {
        let more = path.segments.len().checked_sub(self.segments.len())?;
        if more > self.positions || path.http.is_some_and(|http| http != self.http) {
            return None;
        }
        let mut equal = 1;
        for (template, segment) in self.segments.iter().zip(&path.segments) {
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
