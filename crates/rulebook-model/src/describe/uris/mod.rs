//! The URIs that OPTIONS describes, and the links between them.
//!
//! This module finds the URIs above services that have no service themselves, and links each URI to the URIs directly
//! below it. A client that starts at the base path and follows the links reaches every service. This module must not
//! depend on how the URIs are described.

mod tree;

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::{Api, Module, Segment, Service};
use tree::RouteTree;

/// All URIs of an API. Each one is a percent-encoded template that includes the base path and has captures in braces.
#[derive(Debug)]
pub struct Uris<'a> {
    /// The template of the base path.
    pub base: String,
    /// The URIs directly below the base path.
    pub below: Vec<String>,
    /// The services, in the order of the modules of the API.
    pub services: Vec<ServiceUri<'a>>,
    /// The URIs that have services only below them, except the base path.
    pub intermediate: Vec<IntermediateUri<'a>>,
}

/// The URI of a service.
#[derive(Debug)]
pub struct ServiceUri<'a> {
    /// The module of the service.
    pub module: &'a Module,
    /// The service.
    pub service: &'a Service,
    /// The URI template.
    pub uri: String,
    /// The URIs directly below this one.
    pub below: Vec<String>,
}

/// A URI without a service, which has services below it.
#[derive(Debug)]
pub struct IntermediateUri<'a> {
    /// The path below the base path.
    pub path: &'a [Segment],
    /// `true` if the path is compared case-insensitively.
    pub ignore_case: bool,
    /// The URI template.
    pub uri: String,
    /// The URIs directly below this one.
    pub below: Vec<String>,
}

/// Returns the URIs of an API.
///
/// A path above a service is not an intermediate URI if a request for it reaches a service: a service whose captures
/// have other names, or one that reads a segment as the value of a capture or position. OPTIONS then describes that
/// service, and the URIs below the path are linked from the next shorter URI.
#[must_use]
pub fn uris(api: &Api) -> Uris<'_> {
    let modules = api.modules.iter();
    let services: Vec<_> =
        modules.flat_map(|module| module.services.iter().map(move |service| (module, service))).collect();
    let mut tree = RouteTree::default();
    for (module, service) in &services {
        tree.insert(&service.path, module.ignore_case, positions(service));
    }
    let mut nodes = UriNodes::new(api);
    for (module, service) in &services {
        nodes.add(&service.path, module.ignore_case);
    }
    for (module, service) in &services {
        let shapes = PathShapes::of(&service.path);
        for length in 1..service.path.len() {
            let shape = shapes.prefix(length);
            // A request for a longer URI would be rejected.
            if shape.exact.len() as u64 > api.limits.uri {
                break;
            }
            let path = &service.path[..length];
            if !nodes.contains(shape, module.ignore_case) && !tree.has_service_for(path) {
                nodes.add(path, module.ignore_case);
            }
        }
    }
    nodes.link(&services)
}

/// Returns the maximum number of positions of the methods of a service.
fn positions(service: &Service) -> usize {
    service.methods.iter().map(|method| method.positions().len()).max().unwrap_or(0)
}

/// A URI, while the URIs below it are being collected.
struct UriNode<'a> {
    shapes: PathShapes,
    path: &'a [Segment],
    ignore_case: bool,
    uri: String,
    below: Vec<String>,
}

/// The known URIs, beginning with the services.
struct UriNodes<'a> {
    base: String,
    list: Vec<UriNode<'a>>,
    /// The indexes in `list` by [`PathShapes::folded`].
    by_shape: HashMap<String, Vec<usize>>,
}

impl<'a> UriNodes<'a> {
    fn new(api: &Api) -> Self {
        let mut base = String::new();
        for segment in api.base.split('/').filter(|segment| !segment.is_empty()) {
            base.push('/');
            base.extend(utf8_percent_encode(segment, ENCODED));
        }
        Self { base, list: Vec::new(), by_shape: HashMap::new() }
    }

    fn add(&mut self, path: &'a [Segment], ignore_case: bool) {
        let shapes = PathShapes::of(path);
        self.by_shape.entry(shapes.folded.clone()).or_default().push(self.list.len());
        let uri = template(&self.base, path);
        self.list.push(UriNode { shapes, path, ignore_case, uri, below: Vec::new() });
    }

    /// Returns `true` if the list contains a URI with this shape that is compared in the same way (with or without
    /// case).
    fn contains(&self, shape: PrefixShape<'_>, ignore_case: bool) -> bool {
        let mut nodes = self.with_shape(shape).map(|index| &self.list[index]);
        nodes.any(|node| node.ignore_case == ignore_case && (ignore_case || node.shapes.exact == shape.exact))
    }

    /// Returns the indexes of the URIs whose shapes are equal if case is ignored.
    fn with_shape(&self, shape: PrefixShape<'_>) -> impl Iterator<Item = usize> {
        self.by_shape.get(shape.folded).into_iter().flatten().copied()
    }

    /// Returns the longest known URIs above the URI with this index. They are several if they differ only in case.
    fn parents(&self, index: usize) -> Vec<usize> {
        let node = &self.list[index];
        for length in (1..node.path.len()).rev() {
            let shape = node.shapes.prefix(length);
            let overlaps = |other: &usize| {
                let other = &self.list[*other];
                node.ignore_case || other.ignore_case || other.shapes.exact == shape.exact
            };
            let parents: Vec<usize> = self.with_shape(shape).filter(overlaps).collect();
            if !parents.is_empty() {
                return parents;
            }
        }
        Vec::new()
    }

    /// Adds a link to each URI to the URIs above it, and returns the result.
    fn link(mut self, services: &[(&'a Module, &'a Service)]) -> Uris<'a> {
        let mut below = Vec::new();
        for index in 0..self.list.len() {
            if self.list[index].path.is_empty() {
                continue;
            }
            let uri = self.list[index].uri.clone();
            let parents = self.parents(index);
            if parents.is_empty() {
                below.push(uri.clone());
            }
            for parent in parents {
                self.list[parent].below.push(uri.clone());
            }
        }
        // The links are sorted, so that their order does not depend on the files that define the services.
        for below in self.list.iter_mut().map(|node| &mut node.below).chain([&mut below]) {
            below.sort_unstable();
            below.dedup();
        }
        let mut nodes = self.list.into_iter();
        let services = services
            .iter()
            .zip(&mut nodes)
            .map(|((module, service), node)| {
                let below = if service.path.is_empty() { below.clone() } else { node.below };
                ServiceUri { module, service, uri: node.uri, below }
            })
            .collect();
        let to_intermediate =
            |UriNode { path, ignore_case, uri, below, .. }| IntermediateUri { path, ignore_case, uri, below };
        let intermediate = nodes.map(to_intermediate);
        Uris { base: template(&self.base, &[]), services, intermediate: intermediate.collect(), below }
    }
}

/// A path without the names of its captures, both in its original case and in lower case.
struct PathShapes {
    exact: String,
    folded: String,
    /// The end of each segment in `exact` and in `folded`, as byte offsets.
    ends: Vec<(usize, usize)>,
}

/// The shapes of the first segments of a path.
#[derive(Clone, Copy)]
struct PrefixShape<'s> {
    exact: &'s str,
    folded: &'s str,
}

impl PathShapes {
    fn of(path: &[Segment]) -> Self {
        let mut shapes = Self { exact: String::new(), folded: String::new(), ends: Vec::with_capacity(path.len()) };
        for segment in path {
            // Static segments contain no braces, so `{}` is unambiguous.
            let text = if let Segment::Static(text) = segment { text } else { "{" };
            shapes.exact.extend(["/", text]);
            shapes.folded.extend(["/", &fold_case(text)]);
            shapes.ends.push((shapes.exact.len(), shapes.folded.len()));
        }
        shapes
    }

    /// Returns the shape of the first `length` segments.
    fn prefix(&self, length: usize) -> PrefixShape<'_> {
        let (exact, folded) = self.ends[..length].last().copied().unwrap_or_default();
        PrefixShape { exact: &self.exact[..exact], folded: &self.folded[..folded] }
    }
}

/// Converts a segment to lower case, for comparison without case.
fn fold_case(text: &str) -> String {
    text.to_lowercase()
}

/// The characters that are percent-encoded in a path segment (RFC 3986 section 3.3).
pub(super) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Returns the URI template of a path, which includes the base path.
fn template(base: &str, path: &[Segment]) -> String {
    let mut uri = base.to_owned();
    for segment in path {
        uri.push('/');
        match segment {
            Segment::Static(text) => uri.extend(utf8_percent_encode(text, ENCODED)),
            Segment::Capture(name) => uri.extend(["{", name, "}"]),
        }
    }
    if uri.is_empty() { "/".to_owned() } else { uri }
}
