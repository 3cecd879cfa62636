//! Finds the service that handles a request for a URI, by the same rules as the routing of requests.

use std::collections::HashMap;

use super::fold_case;
use crate::model::Segment;

/// All services by the segments of their paths, in one tree for case-sensitive and one for case-insensitive paths.
#[derive(Default)]
pub(super) struct RouteTree {
    exact: Branches,
    folded: Branches,
}

impl RouteTree {
    /// Adds a service. `positions` is the maximum number of positions of its methods.
    pub(super) fn insert(&mut self, path: &[Segment], ignore_case: bool, positions: usize) {
        let branches = if ignore_case { &mut self.folded } else { &mut self.exact };
        branches.insert(path, ignore_case, positions);
    }

    /// Returns `true` if a request for this path reaches a service. The captures of the path are assumed to have values
    /// that are not equal to any static segment. The service with the longest matching path reads further segments as
    /// positions.
    pub(super) fn has_service_for(&self, path: &[Segment]) -> bool {
        let service = match (self.exact.match_path(path, false), self.folded.match_path(path, true)) {
            (Some(exact), Some(folded)) => {
                // The longer path takes precedence; if both are equally long, the path with the first static segment
                // does.
                let is_folded = (folded.0, &exact.1.captures) > (exact.0, &folded.1.captures);
                Some(if is_folded { folded } else { exact })
            }
            (exact, folded) => exact.or(folded),
        };
        service.is_some_and(|(length, service)| path.len() - length <= service.positions)
    }
}

/// The nodes of a tree, beginning with the root.
struct Branches(Vec<Branch>);

/// A node of the tree, with the indexes of its child nodes.
#[derive(Default)]
struct Branch {
    statics: HashMap<String, usize>,
    capture: Option<usize>,
    service: Option<LeafService>,
}

/// The service whose path ends at a node.
struct LeafService {
    /// The maximum number of positions of its methods.
    positions: usize,
    /// One item for each segment of the path: `true` for a capture.
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
            // The node that is pushed last is visited first: the static segment takes precedence over the capture.
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

/// Returns the key of a static segment in a node.
fn branch_key(text: &str, ignore_case: bool) -> String {
    if ignore_case { fold_case(text) } else { text.to_owned() }
}
