//! The tree of all paths.
//!
//! One radix tree for the whole API. Static segments are kept with `%` and `/`
//! encoded, so that a decoded segment can be joined into a path again; captures
//! are numbered, so that their names cannot differ at one place. Positions are
//! not in the tree.

use std::borrow::Cow;

use crate::model::Segment;

/// From the segments of a path to the longest service that they begin with.
#[derive(Default)]
pub struct Routes {
    tree: matchit::Router<usize>,
    root: Option<usize>,
    longest: usize,
}

/// A path that the tree cannot hold beside those it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unroutable;

impl Routes {
    /// Adds the path of the service `service`.
    ///
    /// # Errors
    /// The path is in the tree already. A definition that has been judged has no such path.
    pub fn insert(&mut self, path: &[Segment], service: usize) -> Result<(), Unroutable> {
        if path.is_empty() {
            return match self.root.replace(service) {
                None => Ok(()),
                Some(_) => Err(Unroutable),
            };
        }
        let mut pattern = String::new();
        for (index, segment) in path.iter().enumerate() {
            pattern.push('/');
            match segment {
                Segment::Static(text) => pattern.push_str(&joinable(text)),
                Segment::Capture(_) => pattern.push_str(&format!("{{{index}}}")),
            }
        }
        self.longest = self.longest.max(path.len());
        self.tree.insert(pattern, service).map_err(|_| Unroutable)
    }

    /// The longest service that the path begins with. `path` is `/` and the
    /// [`joinable`] segments joined by `/`; `segments` is how many there are.
    #[must_use]
    pub fn find(&self, path: &str, segments: usize) -> Option<usize> {
        let mut rest = path;
        for count in (1..=segments).rev() {
            if count <= self.longest
                && let Ok(found) = self.tree.at(rest)
            {
                return Some(*found.value);
            }
            rest = &rest[..rest.rfind('/')?];
        }
        self.root
    }
}

/// A decoded segment as it stands in a joined path: `%` and `/` encoded, all else as it is.
#[must_use]
pub fn joinable(segment: &str) -> Cow<'_, str> {
    if segment.contains(['%', '/']) {
        Cow::Owned(segment.replace('%', "%25").replace('/', "%2F"))
    } else {
        Cow::Borrowed(segment)
    }
}
