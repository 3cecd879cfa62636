//! Finds the service that a request for a URI reaches, by the same rules as routing.

use std::collections::HashMap;

use super::fold;
use crate::model::Segment;

/// All services by the segments of their paths: those compared exactly, and those compared without regard to case.
#[derive(Default)]
pub(super) struct RouteTree {
    exact: Branches,
    folded: Branches,
}

impl RouteTree {
    /// Adds a service whose methods have this many positions at most.
    pub(super) fn insert(&mut self, path: &[Segment], ignore_case: bool, positions: usize) {
        let branches = if ignore_case { &mut self.folded } else { &mut self.exact };
        branches.insert(path, ignore_case, positions);
    }

    /// Returns `true` if a request for this path reaches a service, where captures of the path have values that equal no
    /// static segment: the longest matching service reads the remaining segments as positions.
    pub(super) fn has_service_for(&self, path: &[Segment]) -> bool {
        let service = match (self.exact.match_path(path, false), self.folded.match_path(path, true)) {
            (Some(exact), Some(folded)) => {
                // The longer one; of two of equal length the one with the leftmost static segment.
                let is_folded = (folded.0, &exact.1.captures) > (exact.0, &folded.1.captures);
                Some(if is_folded { folded } else { exact })
            }
            (exact, folded) => exact.or(folded),
        };
        service.is_some_and(|(length, service)| path.len() - length <= service.positions)
    }
}

/// The branches of a tree. The first one is the root.
struct Branches(Vec<Branch>);

/// A node of the tree, with the indexes of the branches below it.
#[derive(Default)]
struct Branch {
    statics: HashMap<String, usize>,
    capture: Option<usize>,
    service: Option<LeafService>,
}

/// The service whose path ends at a branch.
struct LeafService {
    /// The maximum number of positions that its methods have.
    positions: usize,
    /// For each segment of the path, `true` if it is a capture.
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
                Segment::Static(text) => *branch.statics.entry(branch_key(text, ignore_case)).or_insert(new),
                Segment::Capture(_) => *branch.capture.get_or_insert(new),
            };
            if at == new {
                self.0.push(Branch::default());
            }
        }
        let captures = path.iter().map(|segment| matches!(segment, Segment::Capture(_))).collect();
        self.0[at].service = Some(LeafService { positions, captures });
    }

    /// Returns the service with the longest matching path, and the number of segments of that path.
    fn match_path(&self, path: &[Segment], ignore_case: bool) -> Option<(usize, &LeafService)> {
        let mut best: Option<(usize, &LeafService)> = None;
        let mut open = vec![(0, 0)];
        while let Some((depth, at)) = open.pop() {
            let branch = &self.0[at];
            if let Some(service) = &branch.service
                && best.is_none_or(|(length, _)| length < depth)
            {
                best = Some((depth, service));
            }
            // The last branch that is pushed is visited first: the static segment before the capture.
            let Some(segment) = path.get(depth) else { continue };
            open.extend(branch.capture.map(|at| (depth + 1, at)));
            if let Segment::Static(text) = segment {
                let next = branch.statics.get(&branch_key(text, ignore_case));
                open.extend(next.map(|at| (depth + 1, *at)));
            }
        }
        best
    }
}

/// Returns the key of a static segment among the branches.
fn branch_key(text: &str, ignore_case: bool) -> String {
    if ignore_case { fold(text) } else { text.to_owned() }
}
