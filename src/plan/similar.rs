//! From a path that no service has to services of a similar one.
//!
//! A tree of segments without case, searched from the nearest on: letters of a
//! segment may differ as far as [`distance`] goes, a capture is any segment, and
//! one segment of the whole path may be too many or missing. One search takes
//! [`MOST_STEPS`] at most, however many services there are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::Segment;
use crate::near::{comparable, distance};

/// How many services are told, all of them as near as the nearest one.
const MOST_TOLD: usize = 3;
/// What one search may cost: a pair of letters that is compared is a step, a segment that is looked at [`LOOK`].
const MOST_STEPS: usize = 12_000;
/// What looking at a segment costs.
const LOOK: usize = 8;
/// Segments of more bytes are compared as a whole only.
const LONGEST: usize = 64;
/// How far away a path is that lacks a segment.
const LACKING: usize = 2;
/// How far away a path is that has a segment too many: farther, for that one was meant for something.
const ADDED: usize = 3;

/// The paths of all services, for clients that asked for another one.
#[derive(Debug)]
pub struct Similar {
    /// The root is the first, those of base follow.
    nodes: Vec<Node>,
    /// The node of base.
    base: usize,
    /// The most segments that a path of a service has, positions included.
    longest: usize,
}

/// A place in the tree: the segments on the way to it.
#[derive(Debug, Default)]
struct Node {
    /// Static segments behind it, without case, in order.
    children: Vec<(Box<str>, usize)>,
    /// Any segment.
    capture: Option<usize>,
    /// The services here: how they are written, and how many positions they take.
    services: Vec<(Box<str>, usize)>,
}

/// How a search came to a node. Ordered by distance, then by how little was guessed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    distance: usize,
    /// Captures on the way.
    captures: usize,
    /// Whether static segments that are only near are looked for; those that are the same were.
    near: bool,
    /// Whether a segment was passed over already.
    passed: bool,
    /// Whether a static segment behind base was met on the way: without one nothing is similar.
    compared: bool,
    /// How many segments of the path are behind.
    index: usize,
    node: usize,
}

impl Similar {
    /// No services so far. `base`: the path that they stand below, without a slash at its end.
    #[must_use]
    pub fn below(base: &str) -> Self {
        let mut similar = Self { nodes: vec![Node::default()], base: 0, longest: 0 };
        for segment in base.split('/').skip(1) {
            similar.base = similar.child(similar.base, &segment.to_lowercase());
        }
        similar
    }

    /// Adds a service: its path below base, how it is written as a whole, and how many positions it takes.
    pub fn insert(&mut self, path: &[Segment], written: &str, positions: usize) {
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
        self.nodes[node].services.push((written.into(), positions));
        // The nodes of base are the first ones, one a segment.
        self.longest = self.longest.max(self.base + path.len() + positions);
    }

    /// The static segment behind a node, added where it is not there.
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

    /// The services whose paths are nearest to that of these decoded segments, at most three; none where none is near.
    #[must_use]
    pub fn find(&self, segments: &[&str]) -> Vec<String> {
        if segments.len() > self.longest + 1 {
            return Vec::new();
        }
        let segments: Vec<_> = segments.iter().map(|segment| segment.to_lowercase()).collect();
        let mut search = Search { segments: &segments, base: self.base, steps: MOST_STEPS, open: BinaryHeap::new() };
        search.open(Step::default());
        let mut found: Vec<String> = Vec::new();
        let mut farthest = usize::MAX;
        while let Some(Reverse(step)) = search.open.pop() {
            if step.distance > farthest || found.len() == MOST_TOLD {
                break;
            }
            let node = &self.nodes[step.node];
            if step.near {
                search.near(step, node, &self.nodes);
                continue;
            }
            let left = segments.len() - step.index;
            let here = node.services.iter().filter(|(_, positions)| left <= *positions && step.compared);
            for (written, _) in here {
                if found.len() < MOST_TOLD && !found.iter().any(|other| **other == **written) {
                    found.push(written.to_string());
                    farthest = step.distance;
                }
            }
            search.same(step, node);
        }
        found
    }
}

impl Node {
    fn find(&self, segment: &str) -> Result<usize, usize> {
        self.children.binary_search_by(|(own, _)| (**own).cmp(segment))
    }

    /// Its children, in turns from both sides of where this segment would stand.
    fn around(&self, segment: &str) -> impl Iterator<Item = &(Box<str>, usize)> {
        let (before, behind) = self.children.split_at(self.find(segment).unwrap_or_else(|at| at));
        let before = move |turn: usize| before.len().checked_sub(turn + 1).map(|at| &before[at]);
        (0..self.children.len()).flat_map(move |turn| behind.get(turn).into_iter().chain(before(turn)))
    }
}

/// A search under way.
struct Search<'s> {
    segments: &'s [String],
    /// The node of base.
    base: usize,
    /// How many steps are left.
    steps: usize,
    /// Where it can go on, the nearest first.
    open: BinaryHeap<Reverse<Step>>,
}

impl Search<'_> {
    fn open(&mut self, step: Step) {
        self.open.push(Reverse(step));
    }

    /// Goes on behind a static segment that the path has, or nearly so. That of base is nobody's in particular.
    fn meet(&mut self, step: Step) {
        self.open(Step { compared: step.compared || step.node > self.base, ..step });
    }

    /// Takes a number of steps; false where there are not as many left, and then there are none.
    fn pay(&mut self, steps: usize) -> bool {
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or(0);
        left.is_some()
    }

    /// Goes on to all that is behind a node but static segments that are only near.
    fn same(&mut self, step: Step, node: &Node) {
        if !self.pay(LOOK) {
            return;
        }
        let segment = self.segments.get(step.index).map(String::as_str);
        if let Some(segment) = segment {
            let next = Step { index: step.index + 1, ..step };
            if let Ok(at) = node.find(segment) {
                self.meet(Step { node: node.children[at].1, ..next });
            }
            if let Some(capture) = node.capture.filter(|_| !segment.is_empty()) {
                self.open(Step { node: capture, distance: step.distance + 1, captures: step.captures + 1, ..next });
            }
            if !step.passed {
                // An empty one is but a slash too many.
                let distance = step.distance + if segment.is_empty() { 1 } else { ADDED };
                self.open(Step { distance, passed: true, ..next });
            }
        }
        // What is near differs in one letter at least.
        self.open(Step { near: true, distance: step.distance + 1, ..step });
    }

    /// Goes on to static segments that are near, and to those that the path lacks. Those that begin alike come first.
    fn near(&mut self, step: Step, node: &Node, nodes: &[Node]) {
        let base = step.distance - 1;
        let segment = self.segments.get(step.index).map(String::as_str);
        let lacking = |next: usize| match segment {
            Some(segment) => nodes[next].find(segment).is_ok(),
            None => !nodes[next].services.is_empty(),
        };
        let lacks = |next: usize| Step { distance: base + LACKING, near: false, passed: true, node: next, ..step };
        if let Some(capture) = node.capture.filter(|capture| !step.passed && lacking(*capture)) {
            self.open(lacks(capture));
        }
        for (own, next) in node.around(segment.unwrap_or_default()) {
            if !self.pay(LOOK) {
                return;
            }
            if !step.passed && lacking(*next) {
                self.open(lacks(*next));
            }
            // Their letters are counted by the next, which is not for nothing: no long ones.
            let Some(segment) = segment.filter(|segment| segment.len().max(own.len()) <= LONGEST) else {
                continue;
            };
            if !comparable(segment, own) || *segment == **own || !self.pay(segment.len() * own.len()) {
                continue;
            }
            if let Some(distance) = distance(segment, own) {
                let (distance, index) = (base + distance, step.index + 1);
                self.meet(Step { distance, near: false, index, node: *next, ..step });
            }
        }
    }
}
