//! The routing table, which finds the service of an API for the path of a request.
//!
//! A radix tree contains the paths of all services. In static segments, `%` and `/` are percent-encoded, so that
//! decoded segments can be joined to a path again. Captures (variable segments) are numbered instead of named, because
//! two services can have different names for the same capture. Case-insensitive paths are in a second tree, in lower
//! case. The trees do not contain the positional parameters, which follow the path of a service.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::Segment;

/// The paths of all services. Finds the service with the longest path that is a prefix of a request's path.
#[derive(Debug, Default)]
pub struct Routes {
    case_sensitive: PathTree,
    case_insensitive: PathTree,
    /// For each service, a list with an item for each segment of its path. The item is `true` if the segment is a
    /// capture. Static segments take precedence over captures.
    capture_flags: HashMap<usize, Box<[bool]>>,
    /// The index of the service at the base path.
    service_at_base_path: Option<usize>,
}

#[derive(Debug, Default)]
struct PathTree {
    services: matchit::Router<usize>,
    /// The number of segments of the longest path.
    max_segments: usize,
}

impl PathTree {
    fn find(&self, path: &str, segments: usize) -> Option<usize> {
        if segments <= self.max_segments { self.services.at(path).ok().map(|route| *route.value) } else { None }
    }
}

/// The error if a path is added that conflicts with another path in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteConflict;

impl Routes {
    /// Adds a path to the table. `service` is the index of the service that has this path.
    ///
    /// # Errors
    /// Fails if the tree already contains the path. This does not occur in definitions without errors, because they
    /// have no duplicate paths.
    pub fn insert(&mut self, path: &[Segment], service: usize, ignore_case: bool) -> Result<(), RouteConflict> {
        if path.is_empty() {
            return match self.service_at_base_path.replace(service) {
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
        let capture_flags = path.iter().map(|segment| matches!(segment, Segment::Capture(_))).collect();
        self.capture_flags.insert(service, capture_flags);
        let tree = if ignore_case { &mut self.case_insensitive } else { &mut self.case_sensitive };
        tree.max_segments = tree.max_segments.max(path.len());
        tree.services.insert(pattern, service).map_err(|_| RouteConflict)
    }

    /// Returns the index of the service with the longest path that is a prefix of `path`. If two paths have the same
    /// length, the first segment that is static in one path and a capture in the other decides: the path with the
    /// static segment takes precedence. `path` consists of [encoded](encode_segment) segments, each with a leading `/`.
    /// `segments` is the number of these segments.
    #[must_use]
    pub fn find(&self, path: &str, segments: usize) -> Option<usize> {
        // The segments after the longest path of a service are irrelevant.
        let max = self.case_sensitive.max_segments.max(self.case_insensitive.max_segments);
        let end = if segments > max { path.match_indices('/').nth(max) } else { None };
        let path = end.map_or(path, |(end, _)| &path[..end]);
        let lowercase = if self.case_insensitive.max_segments > 0 { to_lowercase(path) } else { Cow::Borrowed("") };
        let (mut prefix, mut lowercase_prefix) = (path, &*lowercase);
        for count in (1..=segments.min(max)).rev() {
            if let Some(service) = self.find_whole(prefix, lowercase_prefix, count) {
                return Some(service);
            }
            prefix = &prefix[..prefix.rfind('/')?];
            lowercase_prefix = lowercase_prefix.rfind('/').map_or("", |end| &lowercase_prefix[..end]);
        }
        self.service_at_base_path
    }

    /// Returns the index of the service with exactly this path, of `segments` segments.
    #[must_use]
    pub fn find_exact(&self, path: &str, segments: usize) -> Option<usize> {
        self.find_whole(path, &to_lowercase(path), segments)
    }

    fn find_whole(&self, path: &str, lowercase_path: &str, segments: usize) -> Option<usize> {
        let sensitive = self.case_sensitive.find(path, segments);
        match (sensitive, self.case_insensitive.find(lowercase_path, segments)) {
            (Some(one), Some(other)) if self.capture_flags.get(&other) < self.capture_flags.get(&one) => Some(other),
            (one, other) => one.or(other),
        }
    }
}

fn to_lowercase(path: &str) -> Cow<'_, str> {
    // Most paths contain no uppercase letters and need not be copied.
    if path.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(path.to_lowercase())
    }
}

/// Percent-encodes `%` and `/` in a decoded segment, so that the segments of a path can be joined with `/`.
#[must_use]
pub fn encode_segment(segment: &str) -> Cow<'_, str> {
    if segment.contains(['%', '/']) {
        Cow::Owned(segment.replace('%', "%25").replace('/', "%2F"))
    } else {
        Cow::Borrowed(segment)
    }
}

/// The notation of a capture in a shape. It is unambiguous, because static segments contain no braces. It is as long as
/// the shortest value of a capture, so that a shape is never longer than a path that it describes.
const CAPTURE_SHAPE: &str = "/{";

/// Returns the shape of a path: the path without the names of its captures, such as `/articles/{`. Two paths with the
/// same shape match the same requests. The shape of the root path is empty.
pub(crate) fn path_shape(path: &[Segment]) -> String {
    let mut shape = String::new();
    for segment in path {
        push_segment_shape(&mut shape, segment.static_text());
    }
    shape
}

/// Adds the shape of one more segment. `static_text` is `None` if the segment is a capture or a position.
pub(crate) fn push_segment_shape(shape: &mut String, static_text: Option<&str>) {
    match static_text {
        Some(text) => shape.extend(["/", text]),
        None => shape.push_str(CAPTURE_SHAPE),
    }
}

/// Converts a segment or a shape to lower case, for comparisons that ignore case.
pub(crate) fn fold_case(text: &str) -> String {
    text.to_lowercase()
}
