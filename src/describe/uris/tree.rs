//! Which service answers a URI, as requests are routed.

use std::collections::HashMap;

use super::fold;
use crate::model::Segment;

/// All services by the segments of their paths: those that compare letter by letter, and those that do not.
#[derive(Default)]
pub(super) struct Tree {
    exact: Branches,
    folded: Branches,
}

impl Tree {
    /// Adds a service whose methods take this many positions at most.
    pub(super) fn insert(&mut self, path: &[Segment], ignore_case: bool, positions: usize) {
        let branches = if ignore_case { &mut self.folded } else { &mut self.exact };
        branches.insert(path, ignore_case, positions);
    }

    /// Whether a service answers the URI of these segments, with captures that hold what is no static segment
    /// anywhere: the longest service that it begins with takes the rest as positions.
    pub(super) fn answers(&self, path: &[Segment]) -> bool {
        let found = match (self.exact.longest(path, false), self.folded.longest(path, true)) {
            (Some(exact), Some(folded)) => {
                // The longer one; of two of one length the one whose leftmost static segment is the first.
                let is_folded = (folded.0, &exact.1.captures) > (exact.0, &folded.1.captures);
                Some(if is_folded { folded } else { exact })
            }
            (exact, folded) => exact.or(folded),
        };
        found.is_some_and(|(length, service)| path.len() - length <= service.positions)
    }
}

/// The branches of a tree; the first one is its root.
struct Branches(Vec<Branch>);

/// A place in a tree.
#[derive(Default)]
struct Branch {
    statics: HashMap<String, usize>,
    capture: Option<usize>,
    service: Option<Served>,
}

/// A service whose path ends at a branch.
struct Served {
    positions: usize,
    /// Which segments of its path are captures.
    captures: Box<[bool]>,
}

impl Default for Branches {
    fn default() -> Self {
        Self(vec![Branch::default()])
    }
}

impl Branches {
    fn insert(&mut self, path: &[Segment], ignore_case: bool, positions: usize) {
        let mut at = 0;
        for segment in path {
            let new = self.0.len();
            let branch = &mut self.0[at];
            at = match segment {
                Segment::Static(text) => *branch.statics.entry(written(text, ignore_case)).or_insert(new),
                Segment::Capture(_) => *branch.capture.get_or_insert(new),
            };
            if at == new {
                self.0.push(Branch::default());
            }
        }
        let captures = path.iter().map(|segment| matches!(segment, Segment::Capture(_))).collect();
        self.0[at].service = Some(Served { positions, captures });
    }

    /// The longest service that the path begins with, and how many segments that is.
    fn longest(&self, path: &[Segment], ignore_case: bool) -> Option<(usize, &Served)> {
        let mut longest: Option<(usize, &Served)> = None;
        let mut open = vec![(0, 0)];
        while let Some((depth, at)) = open.pop() {
            let branch = &self.0[at];
            if let Some(service) = &branch.service
                && longest.is_none_or(|(length, _)| length < depth)
            {
                longest = Some((depth, service));
            }
            // What is pushed last is looked at first: the static segment before the capture.
            let Some(segment) = path.get(depth) else { continue };
            open.extend(branch.capture.map(|at| (depth + 1, at)));
            if let Segment::Static(text) = segment {
                let found = branch.statics.get(&written(text, ignore_case));
                open.extend(found.map(|at| (depth + 1, *at)));
            }
        }
        longest
    }
}

/// A static segment as it stands in a tree.
fn written(text: &str, ignore_case: bool) -> String {
    if ignore_case { fold(text) } else { text.to_owned() }
}
