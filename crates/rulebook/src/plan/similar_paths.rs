//! Suggestions for paths that do not exist: services with a similar path.
//!
//! Uses a best-first search in a tree of lower-case segments. A segment of the request may differ from a static segment
//! within [`distance`], a capture matches any segment, and at most one segment of the path may be extra or missing.
//! Each search has a budget of [`MAX_COST`], so that its time does not depend on the number of services.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rulebook_model::model::Segment;
use rulebook_model::suggest::{distance, has_comparable_length};

/// The maximum number of suggested services. All suggestions have the same distance.
const MAX_SUGGESTIONS: usize = 3;
/// The maximum cost of a search. Comparing two letters costs 1, visiting a segment [`VISIT_COST`].
const MAX_COST: usize = 12_000;
/// The cost of visiting a segment.
const VISIT_COST: usize = 8;
/// The maximum length in bytes of segments for which a distance is computed. Longer segments match only if they are
/// equal.
const MAX_SEGMENT: usize = 64;
/// The distance for a missing segment.
const MISSING_SEGMENT: usize = 2;
/// The distance for an extra segment. It is greater, because the client sent that segment on purpose.
const EXTRA_SEGMENT: usize = 3;

/// The paths of all services, as a tree of segments.
#[derive(Debug)]
pub struct SimilarPaths {
    /// The nodes. The first is the root, followed by those of the base path.
    nodes: Vec<Node>,
    /// The index of the node at the base path.
    base: usize,
    /// The maximum number of segments of a path, including positional parameters.
    max_segments: usize,
}

/// A node of the tree. It represents the segments on the path from the root.
#[derive(Debug, Default)]
struct Node {
    /// The static segments that follow, in lower case and sorted, with the indices of their nodes.
    children: Vec<(Box<str>, usize)>,
    /// The node of a capture that follows.
    capture: Option<usize>,
    /// The services at this path: their URIs, and the number of their positional parameters.
    services: Vec<(Box<str>, usize)>,
}

/// A state of the search. States are ordered by distance, then by the number of guesses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    distance: usize,
    /// The number of captures on the path to the node.
    captures: usize,
    /// `true` if the search continues with similar segments; equal segments were visited before.
    similar: bool,
    /// `true` if an extra or missing segment was assumed.
    skipped: bool,
    /// `true` if a static segment below the base path has matched. Paths without such a segment are not similar.
    matched_static: bool,
    /// The number of segments of the path that have been matched.
    index: usize,
    node: usize,
}

impl SimilarPaths {
    /// Creates a tree without services. `base` is the base path without a trailing slash.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let mut similar = Self { nodes: vec![Node::default()], base: 0, max_segments: 0 };
        for segment in base.split('/').skip(1) {
            similar.base = similar.child(similar.base, &segment.to_lowercase());
        }
        similar
    }

    /// Adds a service with its path below the base path, its URI, and the number of its positional parameters.
    pub fn insert(&mut self, path: &[Segment], uri: &str, positions: usize) {
        let mut node = self.base;
        for segment in path {
            node = match segment {
                Segment::Static(text) => self.child(node, &text.to_lowercase()),
                Segment::Capture(_) => match self.nodes[node].capture {
                    Some(next) => next,
                    None => {
                        let next = self.add();
                        self.nodes[node].capture = Some(next);
                        next
                    }
                },
            };
        }
        self.nodes[node].services.push((uri.into(), positions));
        // The first nodes are those of the base path, one for each segment.
        self.max_segments = self.max_segments.max(self.base + path.len() + positions);
    }

    /// Returns the child of a node for a static segment. Adds the child if it does not exist.
    fn child(&mut self, node: usize, segment: &str) -> usize {
        match self.nodes[node].find(segment) {
            Ok(at) => self.nodes[node].children[at].1,
            Err(at) => {
                let next = self.add();
                self.nodes[node].children.insert(at, (segment.into(), next));
                next
            }
        }
    }

    fn add(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    /// Returns the URIs of the services whose paths are most similar to these decoded segments, at most three.
    #[must_use]
    pub fn find(&self, segments: &[&str]) -> Vec<String> {
        if segments.len() > self.max_segments + 1 {
            return Vec::new();
        }
        let segments: Vec<_> = segments.iter().map(|segment| segment.to_lowercase()).collect();
        let mut search = Search { segments: &segments, base: self.base, budget: MAX_COST, open: BinaryHeap::new() };
        search.push(State::default());
        let mut uris: Vec<String> = Vec::new();
        let mut max_distance = usize::MAX;
        while let Some(Reverse(state)) = search.open.pop() {
            if state.distance > max_distance || uris.len() == MAX_SUGGESTIONS {
                break;
            }
            let node = &self.nodes[state.node];
            if state.similar {
                search.visit_similar(state, node, &self.nodes);
                continue;
            }
            let remaining = segments.len() - state.index;
            let services =
                node.services.iter().filter(|(_, positions)| remaining <= *positions && state.matched_static);
            for (uri, _) in services {
                if uris.len() < MAX_SUGGESTIONS && !uris.iter().any(|other| **other == **uri) {
                    uris.push(uri.to_string());
                    max_distance = state.distance;
                }
            }
            search.visit_equal(state, node);
        }
        uris
    }
}

impl Node {
    fn find(&self, segment: &str) -> Result<usize, usize> {
        self.children.binary_search_by(|(child, _)| (**child).cmp(segment))
    }

    /// Returns the children, alternating between both sides of the position where a segment would be inserted.
    fn children_around(&self, segment: &str) -> impl Iterator<Item = &(Box<str>, usize)> {
        let (before, after) = self.children.split_at(self.find(segment).unwrap_or_else(|at| at));
        let before = move |turn: usize| before.len().checked_sub(turn + 1).map(|at| &before[at]);
        (0..self.children.len()).flat_map(move |turn| after.get(turn).into_iter().chain(before(turn)))
    }
}

/// A running search.
struct Search<'s> {
    segments: &'s [String],
    /// The index of the node at the base path.
    base: usize,
    /// The remaining cost that the search may spend.
    budget: usize,
    /// The states from which the search can continue, the nearest first.
    open: BinaryHeap<Reverse<State>>,
}

impl Search<'_> {
    fn push(&mut self, state: State) {
        self.open.push(Reverse(state));
    }

    /// Continues after a static segment that is equal or similar. Segments of the base path do not count as a match.
    fn push_matched(&mut self, state: State) {
        self.push(State { matched_static: state.matched_static || state.node > self.base, ..state });
    }

    /// Subtracts a cost from the budget. Returns `false` if the budget is not sufficient, and sets it to 0.
    fn spend(&mut self, cost: usize) -> bool {
        let remaining = self.budget.checked_sub(cost);
        self.budget = remaining.unwrap_or(0);
        remaining.is_some()
    }

    /// Continues with all children of a node except similar static segments.
    fn visit_equal(&mut self, state: State, node: &Node) {
        if !self.spend(VISIT_COST) {
            return;
        }
        let segment = self.segments.get(state.index).map(String::as_str);
        if let Some(segment) = segment {
            let next = State { index: state.index + 1, ..state };
            if let Ok(at) = node.find(segment) {
                self.push_matched(State { node: node.children[at].1, ..next });
            }
            if let Some(capture) = node.capture.filter(|_| !segment.is_empty()) {
                let (distance, captures) = (state.distance + 1, state.captures + 1);
                self.push(State { node: capture, distance, captures, ..next });
            }
            if !state.skipped {
                // An empty segment comes from an extra slash.
                let distance = state.distance + if segment.is_empty() { 1 } else { EXTRA_SEGMENT };
                self.push(State { distance, skipped: true, ..next });
            }
        }
        // Similar segments differ in at least one letter.
        self.push(State { similar: true, distance: state.distance + 1, ..state });
    }

    /// Continues with similar static segments, and with segments that the path lacks. Segments with a common prefix come
    /// first.
    fn visit_similar(&mut self, state: State, node: &Node, nodes: &[Node]) {
        let base = state.distance - 1;
        let segment = self.segments.get(state.index).map(String::as_str);
        let may_be_missing = |next: usize| match segment {
            Some(segment) => nodes[next].find(segment).is_ok(),
            None => !nodes[next].services.is_empty(),
        };
        let after_missing =
            |node: usize| State { distance: base + MISSING_SEGMENT, similar: false, skipped: true, node, ..state };
        if let Some(capture) = node.capture.filter(|capture| !state.skipped && may_be_missing(*capture)) {
            self.push(after_missing(capture));
        }
        for (child, next) in node.children_around(segment.unwrap_or_default()) {
            if !self.spend(VISIT_COST) {
                return;
            }
            if !state.skipped && may_be_missing(*next) {
                self.push(after_missing(*next));
            }
            // The distance of long segments is not computed, because that is slow.
            let Some(segment) = segment.filter(|segment| segment.len().max(child.len()) <= MAX_SEGMENT) else {
                continue;
            };
            if !has_comparable_length(segment, child) || *segment == **child || !self.spend(segment.len() * child.len())
            {
                continue;
            }
            if let Some(distance) = distance(segment, child) {
                let (distance, index) = (base + distance, state.index + 1);
                self.push_matched(State { distance, similar: false, index, node: *next, ..state });
            }
        }
    }
}
