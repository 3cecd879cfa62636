//! The routing table: finds the service for a path.
//!
//! A radix tree contains the paths of all services. Static segments are stored with `%` and `/` encoded, so that
//! decoded segments can be joined to a path again. Captures are numbered instead of named, because two services can
//! have different names for the same capture. Case-insensitive paths are in a second tree, in lower case. The
//! positional parameters after the path of a service are not part of the tree.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::Segment;

/// Finds the service with the longest path that is a prefix of a request's path.
#[derive(Default)]
pub struct Routes {
    case_sensitive: matchit::Router<usize>,
    case_insensitive: matchit::Router<usize>,
    /// For each service, one item per segment: `true` for a capture. Static segments take precedence over captures.
    captures: HashMap<usize, Box<[bool]>>,
    /// The service at the base path.
    root: Option<usize>,
    /// The number of segments of the longest path in `case_sensitive`.
    max_case_sensitive: usize,
    /// The number of segments of the longest path in `case_insensitive`.
    max_case_insensitive: usize,
}

/// The error for a path that conflicts with another path in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteConflict;

impl Routes {
    /// Adds the path of the service with the index `service`.
    ///
    /// # Errors
    /// Fails if the tree already contains the path. A definition without errors has no duplicate paths.
    pub fn insert(&mut self, path: &[Segment], service: usize, ignore_case: bool) -> Result<(), RouteConflict> {
        if path.is_empty() {
            return match self.root.replace(service) {
                None => Ok(()),
                Some(_) => Err(RouteConflict),
            };
        }
        let mut pattern = String::new();
        for (index, segment) in path.iter().enumerate() {
            pattern.push('/');
            match segment {
                Segment::Static(text) if ignore_case => pattern.push_str(&to_lowercase(&encode_segment(text))),
                Segment::Static(text) => pattern.push_str(&encode_segment(text)),
                Segment::Capture(_) => pattern.push_str(&format!("{{{index}}}")),
            }
        }
        let captures = path.iter().map(|segment| matches!(segment, Segment::Capture(_))).collect();
        self.captures.insert(service, captures);
        let (tree, max) = if ignore_case {
            (&mut self.case_insensitive, &mut self.max_case_insensitive)
        } else {
            (&mut self.case_sensitive, &mut self.max_case_sensitive)
        };
        *max = path.len().max(*max);
        tree.insert(pattern, service).map_err(|_| RouteConflict)
    }

    /// Returns the service with the longest path that is a prefix of `path`. If two paths have the same length, the
    /// first segment that is static in one and a capture in the other decides: the static one takes precedence. `path`
    /// consists of the [encoded](encode_segment) segments, each after a `/`; `segments` is their number.
    #[must_use]
    pub fn find(&self, path: &str, segments: usize) -> Option<usize> {
        let lowercase = if self.max_case_insensitive > 0 { to_lowercase(path) } else { Cow::Borrowed("") };
        let (mut prefix, mut lowercase_prefix) = (path, &*lowercase);
        for count in (1..=segments).rev() {
            let sensitive = if count <= self.max_case_sensitive { self.case_sensitive.at(prefix).ok() } else { None };
            let insensitive =
                if count <= self.max_case_insensitive { self.case_insensitive.at(lowercase_prefix).ok() } else { None };
            match (sensitive.map(|route| *route.value), insensitive.map(|route| *route.value)) {
                (None, None) => {}
                (Some(one), Some(other)) if self.captures.get(&other) < self.captures.get(&one) => return Some(other),
                (Some(one), _) | (None, Some(one)) => return Some(one),
            }
            prefix = &prefix[..prefix.rfind('/')?];
            lowercase_prefix = lowercase_prefix.rfind('/').map_or("", |end| &lowercase_prefix[..end]);
        }
        self.root
    }
}

/// Returns the path in lower case.
fn to_lowercase(path: &str) -> Cow<'_, str> {
    // Most paths have no uppercase letters and need not be copied.
    if path.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(path.to_lowercase())
    }
}

/// Encodes `%` and `/` in a decoded segment, so that the segments of a path can be joined.
#[must_use]
pub fn encode_segment(segment: &str) -> Cow<'_, str> {
    if segment.contains(['%', '/']) {
        Cow::Owned(segment.replace('%', "%25").replace('/', "%2F"))
    } else {
        Cow::Borrowed(segment)
    }
}
