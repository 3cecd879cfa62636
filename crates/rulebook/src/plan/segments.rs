//! The decoded segments of a request path.

use std::borrow::Cow;

use memchr::memchr_iter;

/// The decoded segments of a request path. The segments of a path without percent-encoding need no allocation.
#[derive(Debug, Clone)]
pub struct Segments<'h>(Form<'h>);

#[derive(Debug, Clone)]
enum Form<'h> {
    /// The path, without a slash at its beginning or end. It contains no percent-encoding.
    Plain { path: &'h str, count: usize },
    /// The segments one by one.
    Decoded(Vec<Cow<'h, str>>),
}

impl<'h> Segments<'h> {
    /// Returns a path without segments.
    #[must_use]
    pub fn none() -> Self {
        Self(Form::Plain { path: "", count: 0 })
    }

    /// Returns the segments of a path, which must contain no percent-encoding and no slash at its beginning or end.
    #[must_use]
    pub fn of_plain_path(path: &'h str) -> Self {
        Self(Form::Plain { path, count: 1 + memchr_iter(b'/', path.as_bytes()).count() })
    }

    /// Returns the number of segments.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Plain { count, .. } => *count,
            Form::Decoded(segments) => segments.len(),
        }
    }

    /// Returns `true` if the path has no segments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the segment with this index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&str> {
        match &self.0 {
            Form::Plain { path, count } => (index < *count).then(|| plain_segment(path, index)).flatten(),
            Form::Decoded(segments) => segments.get(index).map(AsRef::as_ref),
        }
    }

    /// Returns the segments in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (plain, decoded) = match &self.0 {
            Form::Plain { path, count } => ((*count > 0).then_some(*path), None),
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

impl<'h> From<Vec<Cow<'h, str>>> for Segments<'h> {
    fn from(segments: Vec<Cow<'h, str>>) -> Self {
        Self(Form::Decoded(segments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_path_have_the_same_segments() {
        for path in ["a", "a/b", "a//b/", "/", ""] {
            let (plain, split) =
                (Segments::of_plain_path(path), path.split('/').map(Cow::Borrowed).collect::<Vec<_>>());
            assert!(plain.iter().eq(split.iter().map(AsRef::as_ref)), "{path:?}");
            assert_eq!((plain.len(), plain.get(plain.len())), (split.len(), None), "{path:?}");
            assert!((0..plain.len()).all(|index| plain.get(index) == Some(&*split[index])), "{path:?}");
        }
        assert!(Segments::none().is_empty() && Segments::none().get(0).is_none());
    }
}
