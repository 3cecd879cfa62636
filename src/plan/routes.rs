//! The tree of all paths.
//!
//! One radix tree for the whole API. Static segments are kept with `%` and `/`
//! encoded, so that a decoded segment can be joined into a path again; captures
//! are numbered, so that their names cannot differ at one place. Paths that are
//! compared without regard to case stand folded in a tree of their own.
//! Positions are not in the tree.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::Segment;

/// From the segments of a path to the longest service that they begin with.
#[derive(Default)]
pub struct Routes {
    exact: matchit::Router<usize>,
    folded: matchit::Router<usize>,
    /// Which segments of a service's path are captures: they come after static ones.
    captures: HashMap<usize, Box<[bool]>>,
    root: Option<usize>,
    longest: usize,
    longest_folded: usize,
}

/// A path that the tree cannot hold beside those it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unroutable;

impl Routes {
    /// Adds the path of the service `service`.
    ///
    /// # Errors
    /// The path is in the tree already. A definition that has been judged has no such path.
    pub fn insert(&mut self, path: &[Segment], service: usize, ignore_case: bool) -> Result<(), Unroutable> {
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
                Segment::Static(text) if ignore_case => pattern.push_str(&fold(&joinable(text))),
                Segment::Static(text) => pattern.push_str(&joinable(text)),
                Segment::Capture(_) => pattern.push_str(&format!("{{{index}}}")),
            }
        }
        let captures = path.iter().map(|segment| matches!(segment, Segment::Capture(_))).collect();
        self.captures.insert(service, captures);
        let (tree, longest) = if ignore_case {
            (&mut self.folded, &mut self.longest_folded)
        } else {
            (&mut self.exact, &mut self.longest)
        };
        *longest = path.len().max(*longest);
        tree.insert(pattern, service).map_err(|_| Unroutable)
    }

    /// The longest service that the path begins with; of several, the one whose leftmost static segment is the
    /// first. `path` is `/` and the [`joinable`] segments joined by `/`; `segments` is how many there are.
    #[must_use]
    pub fn find(&self, path: &str, segments: usize) -> Option<usize> {
        let folded = if self.longest_folded > 0 { fold(path) } else { Cow::Borrowed("") };
        let (mut rest, mut rest_folded) = (path, &*folded);
        for count in (1..=segments).rev() {
            let exact = if count <= self.longest { self.exact.at(rest).ok() } else { None };
            let folded = if count <= self.longest_folded { self.folded.at(rest_folded).ok() } else { None };
            match (exact.map(|found| *found.value), folded.map(|found| *found.value)) {
                (None, None) => {}
                (Some(one), Some(other)) if self.captures.get(&other) < self.captures.get(&one) => return Some(other),
                (Some(one), _) | (None, Some(one)) => return Some(one),
            }
            rest = &rest[..rest.rfind('/')?];
            rest_folded = rest_folded.rfind('/').map_or("", |end| &rest_folded[..end]);
        }
        self.root
    }
}

/// A path without case.
fn fold(path: &str) -> Cow<'_, str> {
    // Most are written in small letters already.
    if path.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(path.to_lowercase())
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
