//! The decoded segments of a request path.

use std::ops::Range;

use http::Uri;
use memchr::memchr_iter;

/// The decoded segments of a request path. The segments of a path without percent-encoding need no allocation.
#[derive(Debug, Clone)]
pub struct Segments(Form);

#[derive(Debug, Clone)]
enum Form {
    /// A part of the path of a request target, whose bytes are shared with the head of the request. The part contains
    /// no percent-encoding, and no slash at its beginning or end.
    Plain { target: Uri, part: Range<usize>, count: usize },
    /// The segments one by one.
    Decoded(Vec<String>),
}

impl Segments {
    /// Returns a path without segments.
    pub fn none() -> Self {
        Self(Form::Decoded(Vec::new()))
    }

    /// Returns the segments of a part of a path, which must contain no percent-encoding and no slash at its beginning
    /// or end.
    pub fn of_plain_path(target: &Uri, part: Range<usize>) -> Self {
        let count = 1 + memchr_iter(b'/', target.path()[part.clone()].as_bytes()).count();
        Self(Form::Plain { target: target.clone(), part, count })
    }

    /// Returns the number of segments.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Plain { count, .. } => *count,
            Form::Decoded(segments) => segments.len(),
        }
    }

    /// Returns `true` if the path has no segments.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the segment with this index.
    pub fn get(&self, index: usize) -> Option<&str> {
        match &self.0 {
            Form::Plain { target, part, .. } => plain_segment(&target.path()[part.clone()], index),
            Form::Decoded(segments) => segments.get(index).map(AsRef::as_ref),
        }
    }

    /// Returns the segments in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (plain, decoded) = match &self.0 {
            Form::Plain { target, part, .. } => (Some(&target.path()[part.clone()]), None),
            Form::Decoded(segments) => (None, Some(segments)),
        };
        let plain = plain.into_iter().flat_map(|path| path.split('/'));
        plain.chain(decoded.into_iter().flatten().map(AsRef::as_ref))
    }
}

/// Returns the segment of a path with this index. The iterator of the standard library costs several times as much.
fn plain_segment(path: &str, index: usize) -> Option<&str> {
    let mut slashes = memchr_iter(b'/', path.as_bytes());
    let start = match index.checked_sub(1) {
        Some(slashes_before) => slashes.nth(slashes_before)? + 1,
        None => 0,
    };
    Some(&path[start..slashes.next().unwrap_or(path.len())])
}

impl From<Vec<String>> for Segments {
    fn from(segments: Vec<String>) -> Self {
        Self(Form::Decoded(segments))
    }
}
