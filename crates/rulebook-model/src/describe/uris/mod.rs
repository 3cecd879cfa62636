//! The URIs that responses to OPTIONS describe, and the links between these URIs.
//!
//! Some URIs have no service themselves but are above the URI of a service; they are called intermediate URIs. This
//! Rust module finds them, and links each URI to the URIs directly below it. A client that starts at the base path and
//! follows the links reaches every service. This Rust module must not depend on how the URIs are described.

mod tree;

use std::collections::HashMap;

use percent_encoding::{AsciiSet, utf8_percent_encode};

use crate::model::{Api, Module, Segment, Service};
use crate::routing::{fold_case, push_segment_shape};
use crate::uri::ALL_EXCEPT_UNRESERVED;
use tree::RouteTree;

/// All URIs of an API. Each URI is a percent-encoded template: it includes the base path, and has captures (variable
/// segments) in braces.
#[derive(Debug)]
pub struct Uris<'a> {
    /// The URI template of the base path.
    pub base: String,
    /// The URIs directly below the base path.
    pub uris_below: Vec<String>,
    /// The URIs of the services, in the order of the API modules.
    pub services: Vec<ServiceUri<'a>>,
    /// The URIs without a service that have services below them, except the base path.
    pub intermediate_uris: Vec<IntermediateUri<'a>>,
}

/// The URI of a service.
#[derive(Debug)]
pub struct ServiceUri<'a> {
    /// The API module of the service.
    pub module: &'a Module,
    /// The service at this URI.
    pub service: &'a Service,
    /// The URI template.
    pub uri: String,
    /// The URIs directly below this URI.
    pub uris_below: Vec<String>,
}

/// A URI that has no service itself but has services below it.
#[derive(Debug)]
pub struct IntermediateUri<'a> {
    /// The segments of the URI after the base path.
    pub path: &'a [Segment],
    /// `true` if the case of the path is ignored when a request is routed.
    pub ignore_case: bool,
    /// The URI template.
    pub uri: String,
    /// The URIs directly below this URI.
    pub uris_below: Vec<String>,
}

/// Returns the URIs of an API.
///
/// A path above a service is not an intermediate URI if a request for this path reaches a service. The captures of that
/// service can have different names, or that service reads a segment of the path as the value of a capture or of a
/// positional parameter. The response to OPTIONS then describes that service, and the URIs below the path are linked
/// from the next shorter URI.
#[must_use]
pub fn uris(api: &Api) -> Uris<'_> {
    let modules = api.modules.iter();
    let services: Vec<_> =
        modules.flat_map(|module| module.services.iter().map(move |service| (module, service))).collect();
    let mut tree = RouteTree::default();
    for (module, service) in &services {
        tree.insert(&service.path, module.ignore_case, max_positions(service));
    }
    let mut nodes = UriNodes::new(api);
    for (module, service) in &services {
        nodes.add(&service.path, module.ignore_case);
    }
    for (module, service) in &services {
        let shapes = PathShapes::new(&service.path);
        for length in 1..service.path.len() {
            let shape = shapes.prefix_shape(length);
            // The server rejects requests for longer URIs.
            if shape.original_case.len() as u64 > api.limits.uri {
                break;
            }
            let path = &service.path[..length];
            if !nodes.contains(shape, module.ignore_case) && !tree.has_service_for(path) {
                nodes.add(path, module.ignore_case);
            }
        }
    }
    nodes.into_linked_uris(&services)
}

/// Returns the maximum number of positional parameters that a method of the service has.
fn max_positions(service: &Service) -> usize {
    service.methods.iter().map(|method| method.positions().len()).max().unwrap_or(0)
}

/// A URI, and the URIs below it that have been found so far.
struct UriNode<'a> {
    shapes: PathShapes,
    path: &'a [Segment],
    ignore_case: bool,
    uri: String,
    uris_below: Vec<String>,
}

/// The known URIs, beginning with the URIs of the services.
struct UriNodes<'a> {
    base: String,
    nodes: Vec<UriNode<'a>>,
    /// The indexes of the URIs in `nodes`, by [`PathShapes::lowercase`].
    indexes_by_shape: HashMap<String, Vec<usize>>,
}

impl<'a> UriNodes<'a> {
    fn new(api: &Api) -> Self {
        let mut base = String::new();
        for segment in api.base.split('/').filter(|segment| !segment.is_empty()) {
            base.push('/');
            base.extend(utf8_percent_encode(segment, ENCODED_IN_PATH_SEGMENTS));
        }
        Self { base, nodes: Vec::new(), indexes_by_shape: HashMap::new() }
    }

    fn add(&mut self, path: &'a [Segment], ignore_case: bool) {
        let shapes = PathShapes::new(path);
        // Most lists of the nodes have one item, so that the default capacity of four items would be unused.
        let indexes = self.indexes_by_shape.entry(shapes.lowercase.clone()).or_insert_with(|| Vec::with_capacity(1));
        indexes.push(self.nodes.len());
        let uri = uri_template(&self.base, path);
        self.nodes.push(UriNode { shapes, path, ignore_case, uri, uris_below: Vec::new() });
    }

    /// Returns `true` if a known URI has this shape and the same case sensitivity.
    fn contains(&self, shape: PrefixShape<'_>, ignore_case: bool) -> bool {
        let mut nodes = self.indexes_with_shape(shape).map(|index| &self.nodes[index]);
        nodes.any(|node| {
            node.ignore_case == ignore_case && (ignore_case || node.shapes.original_case == shape.original_case)
        })
    }

    /// Returns the indexes of the URIs that have this shape if case is ignored.
    fn indexes_with_shape(&self, shape: PrefixShape<'_>) -> impl Iterator<Item = usize> {
        self.indexes_by_shape.get(shape.lowercase).into_iter().flatten().copied()
    }

    /// Returns the indexes of the longest known URIs above the URI with the index `index`. The result has several items
    /// if URIs differ only in case.
    fn parent_indexes(&self, index: usize) -> Vec<usize> {
        let node = &self.nodes[index];
        for length in (1..node.path.len()).rev() {
            let shape = node.shapes.prefix_shape(length);
            let overlaps = |other: &usize| {
                let other = &self.nodes[*other];
                node.ignore_case || other.ignore_case || other.shapes.original_case == shape.original_case
            };
            let parent_indexes: Vec<usize> = self.indexes_with_shape(shape).filter(overlaps).collect();
            if !parent_indexes.is_empty() {
                return parent_indexes;
            }
        }
        Vec::new()
    }

    /// Adds each URI to the links of the URIs directly above it, and returns all URIs with their links.
    fn into_linked_uris(mut self, services: &[(&'a Module, &'a Service)]) -> Uris<'a> {
        let mut uris_below = Vec::new();
        for index in 0..self.nodes.len() {
            if self.nodes[index].path.is_empty() {
                continue;
            }
            let uri = self.nodes[index].uri.clone();
            let parent_indexes = self.parent_indexes(index);
            if parent_indexes.is_empty() {
                uris_below.push(uri.clone());
            }
            for parent in parent_indexes {
                let uris_below = &mut self.nodes[parent].uris_below;
                if uris_below.is_empty() {
                    uris_below.reserve_exact(1);
                }
                uris_below.push(uri.clone());
            }
        }
        // The links are sorted, so that their order does not depend on the files that define the services.
        for uris_below in self.nodes.iter_mut().map(|node| &mut node.uris_below).chain([&mut uris_below]) {
            uris_below.sort_unstable();
            uris_below.dedup();
        }
        let mut nodes = self.nodes.into_iter();
        let services = services
            .iter()
            .zip(&mut nodes)
            .map(|((module, service), node)| {
                let uris_below = if service.path.is_empty() { uris_below.clone() } else { node.uris_below };
                ServiceUri { module, service, uri: node.uri, uris_below }
            })
            .collect();
        let to_intermediate_uri =
            |UriNode { path, ignore_case, uri, uris_below, .. }| IntermediateUri { path, ignore_case, uri, uris_below };
        let intermediate_uris = nodes.map(to_intermediate_uri);
        Uris {
            base: uri_template(&self.base, &[]),
            services,
            intermediate_uris: intermediate_uris.collect(),
            uris_below,
        }
    }
}

/// The [shape](crate::routing::path_shape) of a path, in the original case and in lower case.
struct PathShapes {
    original_case: String,
    lowercase: String,
    /// The byte offsets at which each segment ends in `original_case` and in `lowercase`.
    segment_ends: Vec<(usize, usize)>,
}

/// The shape of the first segments of a path.
#[derive(Clone, Copy)]
struct PrefixShape<'s> {
    original_case: &'s str,
    lowercase: &'s str,
}

impl PathShapes {
    fn new(path: &[Segment]) -> Self {
        let mut shapes = Self {
            original_case: String::new(),
            lowercase: String::new(),
            segment_ends: Vec::with_capacity(path.len()),
        };
        for segment in path {
            let text = segment.static_text();
            push_segment_shape(&mut shapes.original_case, text);
            push_segment_shape(&mut shapes.lowercase, text.map(fold_case).as_deref());
            shapes.segment_ends.push((shapes.original_case.len(), shapes.lowercase.len()));
        }
        shapes
    }

    /// Returns the shape of the first `length` segments of the path.
    fn prefix_shape(&self, length: usize) -> PrefixShape<'_> {
        let (original_case, lowercase) = self.segment_ends[..length].last().copied().unwrap_or_default();
        PrefixShape { original_case: &self.original_case[..original_case], lowercase: &self.lowercase[..lowercase] }
    }
}

/// The characters that are percent-encoded in a path segment (RFC 3986 section 3.3).
pub(super) const ENCODED_IN_PATH_SEGMENTS: &AsciiSet = &ALL_EXCEPT_UNRESERVED
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
fn uri_template(base: &str, path: &[Segment]) -> String {
    let mut uri = base.to_owned();
    for segment in path {
        uri.push('/');
        match segment {
            Segment::Static(text) => uri.extend(utf8_percent_encode(text, ENCODED_IN_PATH_SEGMENTS)),
            Segment::Capture(name) => uri.extend(["{", name, "}"]),
        }
    }
    if uri.is_empty() { "/".to_owned() } else { uri }
}
