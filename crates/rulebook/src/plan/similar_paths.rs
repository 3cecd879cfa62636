//! Finds services whose paths are similar to a request path that does not exist, so that the error response can suggest
//! these services.
//!
//! The search is a best-first search in a tree of path segments in lower case. Two paths are similar if they differ in
//! a few letters: a segment of the request matches a static segment to which [`distance`] returns a distance, and a
//! capture (a segment that is a parameter) matches any segment. At most one segment of the request may be extra or
//! missing. Each search has the budget [`MAX_SEARCH_COST`], so that its time does not grow with the number of services.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rulebook_model::model::Segment;
use rulebook_model::suggest::{edit_distance, has_comparable_length};

/// The maximum number of services that are suggested for a request. The paths of all suggested services have the same
/// distance from the request path.
const MAX_SUGGESTIONS: usize = 3;
/// The maximum cost of a search. Comparing two letters has the cost 1, and visiting a segment has the cost
/// [`SEGMENT_VISIT_COST`].
const MAX_SEARCH_COST: usize = 12_000;
/// The cost of visiting a segment of the tree.
const SEGMENT_VISIT_COST: usize = 8;
/// The maximum length in bytes of segments for which a distance is computed. Longer segments match only if they are
/// equal, because computing their distance takes too long.
const MAX_COMPARED_SEGMENT_LENGTH: usize = 64;
/// The distance that a missing segment adds.
const MISSING_SEGMENT_DISTANCE: usize = 2;
/// The distance that an extra segment adds. This distance is greater than [`MISSING_SEGMENT_DISTANCE`], because the
/// client sent the extra segment on purpose.
const EXTRA_SEGMENT_DISTANCE: usize = 3;

/// The paths of all services, as a tree of segments.
#[derive(Debug)]
pub struct SimilarPaths {
    /// The nodes of the tree. The first node is the root, and the nodes of the base path follow it.
    nodes: Vec<SegmentNode>,
    /// The index of the node at the base path.
    base_node: usize,
    /// The maximum number of segments that a request path for a service can have, including positional parameters.
    max_segments: usize,
}

/// A node of the tree. A node stands for the sequence of segments from the root to the node.
#[derive(Debug, Default)]
struct SegmentNode {
    /// The static segments that can follow, in lower case and sorted, with the indices of their nodes.
    children: Vec<(Box<str>, usize)>,
    /// The index of the node for a capture that can follow.
    capture: Option<usize>,
    /// The services at this node: their URIs, and the numbers of their positional parameters.
    services: Vec<(Box<str>, usize)>,
}

/// A state of the search: a node, and the number of request segments that lead to it. States are ordered by their
/// fields, from the first to the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct SearchState {
    distance: usize,
    /// The number of captures on the way from the root to the node.
    captures: usize,
    /// `true` if the search continues from this state with similar segments; `false` if it continues with equal
    /// segments.
    visits_similar_segments: bool,
    /// `true` if a segment on the way to this state was treated as extra or missing.
    has_skipped_segment: bool,
    /// `true` if a static segment below the base path has matched. A path in which only captures match is not similar.
    has_matched_static: bool,
    /// The number of segments of the request path that have been matched.
    index: usize,
    node: usize,
}

impl SimilarPaths {
    /// Creates a tree without services. `base` is the base path of the API without a slash at its end.
    pub fn new(base: &str) -> Self {
        let mut similar = Self { nodes: vec![SegmentNode::default()], base_node: 0, max_segments: 0 };
        for segment in base.split('/').skip(1) {
            similar.base_node = similar.child_or_insert(similar.base_node, &segment.to_lowercase());
        }
        similar
    }

    /// Adds a service to the tree. `path` is its path below the base path, and `positions` the maximum number of its
    /// positional parameters.
    pub fn insert_service(&mut self, path: &[Segment], uri: &str, positions: usize) {
        let mut node = self.base_node;
        for segment in path {
            node = match segment {
                Segment::Static(text) => self.child_or_insert(node, &text.to_lowercase()),
                Segment::Capture(_) => match self.nodes[node].capture {
                    Some(next) => next,
                    None => {
                        let next = self.add_node();
                        self.nodes[node].capture = Some(next);
                        next
                    }
                },
            };
        }
        let services = &mut self.nodes[node].services;
        reserve_first(services);
        services.push((uri.into(), positions));
        // The first nodes of the tree belong to the segments of the base path, so that `self.base_node` is the number
        // of these segments.
        self.max_segments = self.max_segments.max(self.base_node + path.len() + positions);
    }

    /// Returns the index of a node's child for a static segment. If the child does not exist, adds it.
    fn child_or_insert(&mut self, node: usize, segment: &str) -> usize {
        match self.nodes[node].find_child(segment) {
            Ok(at) => self.nodes[node].children[at].1,
            Err(at) => {
                let next = self.add_node();
                let children = &mut self.nodes[node].children;
                reserve_first(children);
                children.insert(at, (segment.into(), next));
                next
            }
        }
    }

    fn add_node(&mut self) -> usize {
        self.nodes.push(SegmentNode::default());
        self.nodes.len() - 1
    }

    /// Returns `true` if a path with this number of segments can be similar to the path of a service.
    pub fn can_be_similar(&self, segments: usize) -> bool {
        segments <= self.max_segments + 1
    }

    /// Returns the URIs of the services whose paths are most similar to these percent-decoded segments of a request
    /// path; at most [`MAX_SUGGESTIONS`] URIs.
    pub fn find_similar(&self, segments: &[&str]) -> Vec<String> {
        if !self.can_be_similar(segments.len()) {
            return Vec::new();
        }
        let segments: Vec<_> = segments.iter().map(|segment| segment.to_lowercase()).collect();
        let mut search = Search {
            segments: &segments,
            base_node: self.base_node,
            budget: MAX_SEARCH_COST,
            open_states: BinaryHeap::new(),
        };
        search.push_state(SearchState::default());
        let mut uris: Vec<String> = Vec::new();
        let mut max_distance = usize::MAX;
        while let Some(Reverse(state)) = search.open_states.pop() {
            if state.distance > max_distance || uris.len() == MAX_SUGGESTIONS {
                break;
            }
            let node = &self.nodes[state.node];
            if state.visits_similar_segments {
                search.visit_similar_segments(state, node, &self.nodes);
                continue;
            }
            let remaining = segments.len() - state.index;
            let services =
                node.services.iter().filter(|(_, positions)| remaining <= *positions && state.has_matched_static);
            for (uri, _) in services {
                if uris.len() < MAX_SUGGESTIONS && !uris.iter().any(|other| **other == **uri) {
                    uris.push(uri.to_string());
                    max_distance = state.distance;
                }
            }
            search.visit_equal_segments(state, node);
        }
        uris
    }
}

/// Reserves the capacity of one item in an empty list. By default, a list reserves the capacity of four items, but most
/// lists in the tree of a large API have one item.
fn reserve_first<T>(list: &mut Vec<T>) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
}

impl SegmentNode {
    fn find_child(&self, segment: &str) -> Result<usize, usize> {
        self.children.binary_search_by(|(child, _)| (**child).cmp(segment))
    }

    /// Returns the children of the node, those with a name close to `segment` in alphabetical order first.
    fn children_around(&self, segment: &str) -> impl Iterator<Item = &(Box<str>, usize)> {
        let (before, after) = self.children.split_at(self.find_child(segment).unwrap_or_else(|at| at));
        let before = move |turn: usize| before.len().checked_sub(turn + 1).map(|at| &before[at]);
        (0..self.children.len()).flat_map(move |turn| after.get(turn).into_iter().chain(before(turn)))
    }
}

/// The state of a running search.
struct Search<'s> {
    segments: &'s [String],
    /// The index of the node at the base path.
    base_node: usize,
    /// The part of [`MAX_SEARCH_COST`] that the search has not spent yet.
    budget: usize,
    /// The states from which the search can continue; the state with the smallest distance comes first.
    open_states: BinaryHeap<Reverse<SearchState>>,
}

impl Search<'_> {
    fn push_state(&mut self, state: SearchState) {
        self.open_states.push(Reverse(state));
    }

    /// Adds a state that was reached by an equal or similar static segment. Segments of the base path do not count as a
    /// match.
    fn push_matched_state(&mut self, state: SearchState) {
        self.push_state(SearchState {
            has_matched_static: state.has_matched_static || state.node > self.base_node,
            ..state
        });
    }

    /// Subtracts a cost from the budget. If the budget is less than the cost, sets the budget to 0 and returns `false`.
    fn spend_budget(&mut self, cost: usize) -> bool {
        let remaining = self.budget.checked_sub(cost);
        self.budget = remaining.unwrap_or(0);
        remaining.is_some()
    }

    /// Adds the states that can follow this state without similar segments: an equal static segment, a capture, or an
    /// extra segment of the request.
    fn visit_equal_segments(&mut self, state: SearchState, node: &SegmentNode) {
        if !self.spend_budget(SEGMENT_VISIT_COST) {
            return;
        }
        let segment = self.segments.get(state.index).map(String::as_str);
        if let Some(segment) = segment {
            let next = SearchState { index: state.index + 1, ..state };
            if let Ok(at) = node.find_child(segment) {
                self.push_matched_state(SearchState { node: node.children[at].1, ..next });
            }
            if let Some(capture) = node.capture.filter(|_| !segment.is_empty()) {
                let (distance, captures) = (state.distance + 1, state.captures + 1);
                self.push_state(SearchState { node: capture, distance, captures, ..next });
            }
            if !state.has_skipped_segment {
                // An empty segment is the result of an extra slash, which clients often write by mistake.
                let distance = state.distance + if segment.is_empty() { 1 } else { EXTRA_SEGMENT_DISTANCE };
                self.push_state(SearchState { distance, has_skipped_segment: true, ..next });
            }
        }
        // The distance increases by 1, because similar segments differ in at least one letter.
        self.push_state(SearchState { visits_similar_segments: true, distance: state.distance + 1, ..state });
    }

    /// Adds the states that can follow this state with similar static segments, or with segments that the request
    /// lacks. Segments with a common prefix are visited first, because the budget may not be sufficient for all.
    fn visit_similar_segments(&mut self, state: SearchState, node: &SegmentNode, nodes: &[SegmentNode]) {
        let base = state.distance - 1;
        let segment = self.segments.get(state.index).map(String::as_str);
        let may_be_missing = |next: usize| match segment {
            Some(segment) => nodes[next].find_child(segment).is_ok(),
            None => !nodes[next].services.is_empty(),
        };
        let after_missing = |node: usize| SearchState {
            distance: base + MISSING_SEGMENT_DISTANCE,
            visits_similar_segments: false,
            has_skipped_segment: true,
            node,
            ..state
        };
        if let Some(capture) = node.capture.filter(|capture| !state.has_skipped_segment && may_be_missing(*capture)) {
            self.push_state(after_missing(capture));
        }
        for (child, next) in node.children_around(segment.unwrap_or_default()) {
            if !self.spend_budget(SEGMENT_VISIT_COST) {
                return;
            }
            if !state.has_skipped_segment && may_be_missing(*next) {
                self.push_state(after_missing(*next));
            }
            // The distance of long segments is not computed, because computing it takes too long.
            let Some(segment) = segment.filter(|segment| segment.len().max(child.len()) <= MAX_COMPARED_SEGMENT_LENGTH)
            else {
                continue;
            };
            if !has_comparable_length(segment, child)
                || *segment == **child
                || !self.spend_budget(segment.len() * child.len())
            {
                continue;
            }
            if let Some(distance) = edit_distance(segment, child) {
                let (distance, index) = (base + distance, state.index + 1);
                self.push_matched_state(SearchState {
                    distance,
                    visits_similar_segments: false,
                    index,
                    node: *next,
                    ..state
                });
            }
        }
    }
}
