//! Finds services whose paths are similar to a request path that does not exist, so that the error response can suggest
//! these services.
//!
//! Two paths are similar if they differ in a few letters; a capture (a segment that is a parameter) matches any
//! segment. At most one segment of the request may be extra or missing. Services are sorted by their paths, and those
//! next to the path of the request are compared first: each search has the budget [`MAX_SEARCH_COST`], so that its time
//! does not grow with the number of services.

use rulebook_model::model::Segment;
use rulebook_model::suggest::{edit_distance, has_comparable_length};

use super::static_text;

/// The maximum number of services that are suggested for a request. The paths of all suggested services have the same
/// distance from the request path.
const MAX_SUGGESTIONS: usize = 3;
/// The maximum cost of a search. Comparing two letters has the cost 1, and visiting a segment has the cost
/// [`SEGMENT_VISIT_COST`].
const MAX_SEARCH_COST: usize = 12_000;
const SEGMENT_VISIT_COST: usize = 8;
/// The maximum length in bytes of segments for which a distance is computed. Longer segments match only if they are
/// equal, because computing their distance takes too long.
const MAX_COMPARED_SEGMENT_LENGTH: usize = 64;
const MISSING_SEGMENT_DISTANCE: usize = 2;
/// The distance that an extra segment adds. This distance is greater than [`MISSING_SEGMENT_DISTANCE`], because the
/// client sent the extra segment on purpose.
const EXTRA_SEGMENT_DISTANCE: usize = 3;

#[derive(Debug)]
pub struct SimilarPaths {
    services: Box<[KnownPath]>,
    base_segments: usize,
    /// The maximum number of segments that a request path for a service can have, including positional parameters.
    max_segments: usize,
}

#[derive(Debug)]
struct KnownPath {
    /// The segments in lower case, with those of the base path; `None` for a capture.
    segments: Box<[Option<Box<str>>]>,
    /// The position of the service in the definition.
    index: usize,
    uri: Box<str>,
    /// The maximum number of positional parameters after the path.
    positions: usize,
}

/// How much a path of a request differs from that of a service. Smaller values are more similar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct PathDistance {
    distance: usize,
    captures: usize,
    /// `true` if a segment was treated as extra or missing.
    has_skipped_segment: bool,
}

impl SimilarPaths {
    /// Creates the list of services. `base` is the base path of the API without a slash at its end. Each service has
    /// its path below the base path, its URI, and the maximum number of its positional parameters.
    pub fn new<'s>(base: &str, services: impl IntoIterator<Item = (&'s [Segment], String, usize)>) -> Self {
        let base: Vec<_> = base.split('/').skip(1).map(|segment| Some(segment.to_lowercase().into())).collect();
        let to_text = |segment: &Segment| Some(static_text(segment)?.to_lowercase().into());
        let known = services.into_iter().enumerate().map(|(index, (path, uri, positions))| KnownPath {
            segments: base.iter().cloned().chain(path.iter().map(to_text)).collect(),
            index,
            uri: uri.into(),
            positions,
        });
        let mut services: Vec<_> = known.collect();
        services.sort_by(|one, other| one.segments.cmp(&other.segments));
        let lengths = services.iter().map(|service| service.segments.len() + service.positions);
        let max_segments = lengths.max().unwrap_or_default();
        Self { services: services.into(), base_segments: base.len(), max_segments }
    }

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
        let mut search = PathSearch { base_segments: self.base_segments, budget: MAX_SEARCH_COST };
        let mut similar = Vec::new();
        for service in self.services_around(&segments) {
            if !search.spend_budget(SEGMENT_VISIT_COST * service.segments.len().max(1)) {
                break;
            }
            let distance = search.distance(&segments, service, 0, PathDistance::default(), false);
            similar.extend(distance.map(|distance| (distance, service.index, &service.uri)));
        }
        similar.sort_unstable();
        let min = similar.first().map(|(distance, ..)| distance.distance);
        let closest = similar.into_iter().take_while(|(distance, ..)| Some(distance.distance) == min);
        closest.take(MAX_SUGGESTIONS).map(|(_, _, uri)| uri.to_string()).collect()
    }

    /// Returns the services, those with a path close to that of the request in alphabetical order first.
    fn services_around(&self, segments: &[String]) -> impl Iterator<Item = &KnownPath> {
        let is_before = |service: &KnownPath| {
            let known = service.segments.iter().map(|segment| segment.as_deref().unwrap_or_default());
            known.lt(segments.iter().map(String::as_str))
        };
        let (before, after) = self.services.split_at(self.services.partition_point(is_before));
        let before = move |turn: usize| before.len().checked_sub(turn + 1).map(|at| &before[at]);
        (0..self.services.len()).flat_map(move |turn| after.get(turn).into_iter().chain(before(turn)))
    }
}

struct PathSearch {
    base_segments: usize,
    /// The part of [`MAX_SEARCH_COST`] that the search has not spent yet.
    budget: usize,
}

impl PathSearch {
    /// Subtracts a cost from the budget. If the budget is less than the cost, sets the budget to 0 and returns `false`.
    fn spend_budget(&mut self, cost: usize) -> bool {
        let remaining = self.budget.checked_sub(cost);
        self.budget = remaining.unwrap_or(0);
        remaining.is_some()
    }

    /// Returns the distance of a path whose first segments have been compared already: `request` are the other segments
    /// of the request, `matched` is the number of compared segments of the service, and `so_far` is their distance.
    /// `has_static` is `true` if a static segment below the base path has matched: a path in which only captures match
    /// is not similar.
    fn distance(
        &mut self,
        request: &[String],
        service: &KnownPath,
        matched: usize,
        so_far: PathDistance,
        has_static: bool,
    ) -> Option<PathDistance> {
        let path = &service.segments[matched..];
        if path.is_empty() && request.len() <= service.positions {
            return has_static.then_some(so_far);
        }
        let matching = request.first().zip(path.first()).and_then(|(segment, known)| {
            let added = self.segment_distance(segment, known.as_deref())?;
            let next = PathDistance {
                distance: so_far.distance + added,
                captures: so_far.captures + usize::from(known.is_none()),
                ..so_far
            };
            let has_static = has_static || (known.is_some() && matched >= self.base_segments);
            self.distance(&request[1..], service, matched + 1, next, has_static)
        });
        if so_far.has_skipped_segment {
            return matching;
        }
        let skip = |added| PathDistance { distance: so_far.distance + added, has_skipped_segment: true, ..so_far };
        let extra = request.split_first().and_then(|(segment, rest)| {
            // An empty segment is the result of an extra slash, which clients often write by mistake.
            let added = if segment.is_empty() { 1 } else { EXTRA_SEGMENT_DISTANCE };
            self.distance(rest, service, matched, skip(added), has_static)
        });
        let missing = path.split_first().and_then(|(_, after)| {
            let may_be_missing = match request.first() {
                Some(segment) => after.first().is_some_and(|next| next.as_deref() == Some(segment)),
                None => after.is_empty(),
            };
            if !may_be_missing {
                return None;
            }
            self.distance(request, service, matched + 1, skip(MISSING_SEGMENT_DISTANCE), has_static)
        });
        [matching, extra, missing].into_iter().flatten().min()
    }

    /// Returns the distance of a segment of the request from one of a path; `None` if they are not similar. `known` is
    /// `None` for a capture.
    fn segment_distance(&mut self, segment: &str, known: Option<&str>) -> Option<usize> {
        let Some(known) = known else { return (!segment.is_empty()).then_some(1) };
        if segment == known {
            return Some(0);
        }
        let is_short = segment.len().max(known.len()) <= MAX_COMPARED_SEGMENT_LENGTH;
        let is_comparable = is_short && has_comparable_length(segment, known);
        if is_comparable && self.spend_budget(segment.len() * known.len()) {
            edit_distance(segment, known)
        } else {
            None
        }
    }
}
