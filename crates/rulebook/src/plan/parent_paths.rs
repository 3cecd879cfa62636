//! The parent paths of an API. A parent path is not the path of a service, but the API has services below it. The
//! server responds to OPTIONS at parent paths.
//!
//! An API can have more parent paths than services, and requests for them are rare. So they are in trees of segments,
//! which are slower than [`Routes`](super::Routes) but need much less memory.

use std::collections::HashMap;

use rulebook_model::model::Segment;

use super::{RouteConflict, encode_segment};

/// The parent paths of the API, as trees of path segments.
#[derive(Debug, Default)]
pub struct ParentPaths {
    case_sensitive: SegmentTree,
    /// Paths in lower case that requests may write in upper or lower case.
    case_insensitive: SegmentTree,
    len: usize,
}

/// A tree of path segments. The first node is the root.
#[derive(Debug, Default)]
struct SegmentTree {
    nodes: Vec<SegmentNode>,
}

/// A node of a tree. A node stands for the sequence of segments from the root to the node.
#[derive(Debug, Default)]
struct SegmentNode {
    /// The nodes that can follow with a static segment, by the percent-encoded text of the segment.
    children: HashMap<Box<str>, usize>,
    /// The node that can follow with any segment.
    capture: Option<usize>,
    /// The index of the parent path that ends at this node.
    parent_path: Option<usize>,
}

/// A path in a tree that matches a request. Paths are ordered by precedence.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct MatchedPath {
    /// For each segment, `true` if it is a capture. The first segment that is static in one path and a capture in the
    /// other decides: the path with the static segment takes precedence.
    capture_flags: Vec<bool>,
    index: usize,
}

impl ParentPaths {
    /// Adds a parent path. The index of the path is the number of paths that were added before. If `ignore_case` is
    /// `true`, requests may write the path in upper or lower case.
    ///
    /// # Errors
    /// Fails if the same path was added before.
    pub fn insert_parent_path(&mut self, path: &[Segment], ignore_case: bool) -> Result<(), RouteConflict> {
        let tree = if ignore_case { &mut self.case_insensitive } else { &mut self.case_sensitive };
        tree.insert(path, ignore_case, self.len)?;
        self.len += 1;
        Ok(())
    }

    /// Returns the index of a parent path. `path` consists of [encoded](encode_segment) segments, each with a leading
    /// `/`.
    #[must_use]
    pub fn find_parent_path(&self, path: &str) -> Option<usize> {
        let sensitive = self.case_sensitive.find(path);
        let insensitive = if self.case_insensitive.nodes.is_empty() {
            None
        } else {
            self.case_insensitive.find(&path.to_lowercase())
        };
        match (sensitive, insensitive) {
            (Some(one), Some(other)) if other.capture_flags < one.capture_flags => Some(other.index),
            (one, other) => one.or(other).map(|path| path.index),
        }
    }
}

impl SegmentTree {
    fn insert(&mut self, path: &[Segment], ignore_case: bool, index: usize) -> Result<(), RouteConflict> {
        if self.nodes.is_empty() {
            self.nodes.push(SegmentNode::default());
        }
        let mut node = 0;
        for segment in path {
            let next = self.nodes.len();
            let known = match segment {
                Segment::Static(text) => {
                    let text = encode_segment(text);
                    let text = if ignore_case { text.to_lowercase() } else { text.into_owned() };
                    *self.nodes[node].children.entry(text.into()).or_insert(next)
                }
                Segment::Capture(_) => *self.nodes[node].capture.get_or_insert(next),
            };
            if known == next {
                self.nodes.push(SegmentNode::default());
            }
            node = known;
        }
        match self.nodes[node].parent_path.replace(index) {
            None => Ok(()),
            Some(first) => {
                self.nodes[node].parent_path = Some(first);
                Err(RouteConflict)
            }
        }
    }

    /// Returns the path that matches `path`. If several paths match, returns the one that takes precedence.
    fn find(&self, path: &str) -> Option<MatchedPath> {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let mut capture_flags = Vec::with_capacity(segments.len());
        let index = self.find_below(0, &segments, &mut capture_flags)?;
        Some(MatchedPath { capture_flags, index })
    }

    /// Returns the parent path below a node that matches these segments. Adds an item to `capture_flags` for each of
    /// the segments. The tree is not deeper than the longest path of the definition.
    fn find_below(&self, node: usize, segments: &[&str], capture_flags: &mut Vec<bool>) -> Option<usize> {
        let node = self.nodes.get(node)?;
        let Some((segment, rest)) = segments.split_first() else { return node.parent_path };
        // A capture does not match an empty segment.
        let capture = node.capture.filter(|_| !segment.is_empty());
        for (next, is_capture) in [(node.children.get(*segment).copied(), false), (capture, true)] {
            capture_flags.push(is_capture);
            if let Some(found) = next.and_then(|next| self.find_below(next, rest, capture_flags)) {
                return Some(found);
            }
            capture_flags.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent_paths(paths: &[(&str, bool)]) -> ParentPaths {
        let mut parents = ParentPaths::default();
        for (path, ignore_case) in paths {
            let segments: Vec<_> = path.split('/').skip(1).map(segment).collect();
            parents.insert_parent_path(&segments, *ignore_case).unwrap();
        }
        parents
    }

    fn segment(text: &str) -> Segment {
        match text.strip_prefix('{') {
            Some(name) => Segment::Capture(name.trim_end_matches('}').to_owned()),
            None => Segment::Static(text.to_owned()),
        }
    }

    #[test]
    fn static_segments_take_precedence_from_the_left() {
        let parents = parent_paths(&[("/{x}/b", false), ("/a/{y}", false), ("/a/c/d", false), ("/{x}/c/e", false)]);
        let find = |path| parents.find_parent_path(path);
        assert_eq!([find("/a/b"), find("/z/b"), find("/a/c"), find("/a/c/d")], [Some(1), Some(0), Some(1), Some(2)]);
        assert_eq!(find("/a/c/e"), Some(3), "the search goes back to a capture");
        assert_eq!([find("/a"), find("/a/"), find("/a/c/f"), find("/a/b/c"), find("")], [None; 5]);
    }

    #[test]
    fn paths_of_modules_that_ignore_case_match_in_any_case() {
        let parents = parent_paths(&[("/Ab/{y}", true), ("/Ab/C", false), ("/aB/{y}", false), ("/d/E", true)]);
        let find = |path| parents.find_parent_path(path);
        assert_eq!([find("/AB/x"), find("/Ab/C"), find("/aB/x"), find("/D/e")], [Some(0), Some(1), Some(2), Some(3)]);
        let parents = parent_paths(&[("/{x}/b", false), ("/a/{y}", true)]);
        assert_eq!(parents.find_parent_path("/a/b"), Some(1));
    }

    #[test]
    fn a_path_cannot_be_inserted_twice() {
        let mut parents = parent_paths(&[("/a/{x}", false)]);
        assert_eq!(parents.insert_parent_path(&[segment("a"), segment("{y}")], false), Err(RouteConflict));
        assert_eq!(parents.find_parent_path("/a/b"), Some(0));
    }
}
