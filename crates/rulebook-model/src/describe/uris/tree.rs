//! Finds the service that handles a request for a URI. The rules are the same as in the routing of requests.

use std::collections::HashMap;

use crate::model::Segment;
use crate::routing::fold_case;

/// All services, in trees whose edges are path segments. One tree contains the services with case-sensitive paths,
/// another tree contains the services with case-insensitive paths.
#[derive(Default)]
pub(super) struct RouteTree {
    case_sensitive: RouteNodes,
    case_insensitive: RouteNodes,
}

impl RouteTree {
    /// Adds a service with the path `path`. `max_positions` is the maximum number of positional parameters that a
    /// method of the service has.
    pub(super) fn insert(&mut self, path: &[Segment], ignore_case: bool, max_positions: usize) {
        let nodes = if ignore_case { &mut self.case_insensitive } else { &mut self.case_sensitive };
        nodes.insert(path, ignore_case, max_positions);
    }

    /// Returns `true` if a request for this path reaches a service. The values of the path's captures are assumed to be
    /// different from all static segments. The service with the longest matching path reads the segments after its path
    /// as positional parameters.
    pub(super) fn has_service_for(&self, path: &[Segment]) -> bool {
        let service = match (
            self.case_sensitive.match_path_prefix(path, false),
            self.case_insensitive.match_path_prefix(path, true),
        ) {
            (Some(case_sensitive), Some(case_insensitive)) => {
                // The longer path takes precedence. Among paths of equal length, the first segment that is static in
                // one path and a capture in the other decides: the path with the static segment takes precedence.
                let is_case_insensitive = (case_insensitive.0, &case_sensitive.1.capture_flags)
                    > (case_sensitive.0, &case_insensitive.1.capture_flags);
                Some(if is_case_insensitive { case_insensitive } else { case_sensitive })
            }
            (case_sensitive, case_insensitive) => case_sensitive.or(case_insensitive),
        };
        service.is_some_and(|(length, service)| path.len() - length <= service.max_positions)
    }
}

/// The nodes of a tree. The first node is the root.
struct RouteNodes(Vec<RouteNode>);

/// A node of a tree, with the indexes of its child nodes.
#[derive(Default)]
struct RouteNode {
    static_children: HashMap<String, usize>,
    capture_child: Option<usize>,
    service: Option<ServiceAtNode>,
}

/// The service whose path ends at a node.
struct ServiceAtNode {
    /// The maximum number of positional parameters that a method of the service has.
    max_positions: usize,
    /// An item for each segment of the service's path. The item is `true` if the segment is a capture.
    capture_flags: Box<[bool]>,
}

impl Default for RouteNodes {
    fn default() -> Self {
        Self(vec![RouteNode::default()])
    }
}

impl RouteNodes {
    fn insert(&mut self, path: &[Segment], ignore_case: bool, max_positions: usize) {
        let mut at = 0;
        for segment in path {
            let new = self.0.len();
            let node = &mut self.0[at];
            at = match segment {
                Segment::Static(text) => {
                    *node.static_children.entry(static_segment_key(text, ignore_case)).or_insert(new)
                }
                Segment::Capture(_) => *node.capture_child.get_or_insert(new),
            };
            if at == new {
                self.0.push(RouteNode::default());
            }
        }
        let capture_flags = path.iter().map(|segment| matches!(segment, Segment::Capture(_))).collect();
        self.0[at].service = Some(ServiceAtNode { max_positions, capture_flags });
    }

    /// Returns the service with the longest path that is a prefix of `path`, and the number of segments in the
    /// service's path.
    fn match_path_prefix(&self, path: &[Segment], ignore_case: bool) -> Option<(usize, &ServiceAtNode)> {
        let mut best: Option<(usize, &ServiceAtNode)> = None;
        let mut open = vec![(0, 0)];
        while let Some((depth, at)) = open.pop() {
            let node = &self.0[at];
            if let Some(service) = &node.service
                && best.is_none_or(|(length, _)| length < depth)
            {
                best = Some((depth, service));
            }
            // The node that is pushed last is visited first. It is the node of the static segment, which takes
            // precedence over the capture.
            let Some(segment) = path.get(depth) else { continue };
            open.extend(node.capture_child.map(|at| (depth + 1, at)));
            if let Segment::Static(text) = segment {
                let next = node.static_children.get(&static_segment_key(text, ignore_case));
                open.extend(next.map(|at| (depth + 1, *at)));
            }
        }
        best
    }
}

/// Returns the key of a static segment in [`RouteNode::static_children`].
fn static_segment_key(text: &str, ignore_case: bool) -> String {
    if ignore_case { fold_case(text) } else { text.to_owned() }
}
