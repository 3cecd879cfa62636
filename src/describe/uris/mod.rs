//! The URIs that OPTIONS describes, and what is directly below each.
//!
//! In charge of finding the URIs above services, and of the way from one URI to
//! the next: who begins at base and goes on with what is below meets every
//! service. Must not know what is said of a URI.

mod tree;

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::{Api, Module, Segment, Service};
use tree::Tree;

/// All URIs of an API. URIs are written as templates: percent-encoded, base included, captures in braces.
#[derive(Debug)]
pub struct Uris<'a> {
    /// The template of base.
    pub base: String,
    /// The URIs directly below base.
    pub below: Vec<String>,
    /// The services, module by module as in the API.
    pub services: Vec<ServiceUri<'a>>,
    /// The URIs that have services below them, and none of their own; base is not among them.
    pub above: Vec<Above<'a>>,
}

/// The URI of a service.
#[derive(Debug)]
pub struct ServiceUri<'a> {
    /// Its module.
    pub module: &'a Module,
    /// The service.
    pub service: &'a Service,
    /// Its template.
    pub uri: String,
    /// The URIs directly below it.
    pub below: Vec<String>,
}

/// A URI that has services below it, and none of its own.
#[derive(Debug)]
pub struct Above<'a> {
    /// Its path below base.
    pub path: &'a [Segment],
    /// Whether it compares without regard to case.
    pub ignore_case: bool,
    /// Its template.
    pub uri: String,
    /// The URIs directly below it.
    pub below: Vec<String>,
}

/// The URIs of an API.
///
/// A path above a service is none of them where it is a service's, written with other names of captures or as the
/// value of a capture or position: there OPTIONS describes that service. What is below it is below the next
/// shorter one.
#[must_use]
pub fn uris(api: &Api) -> Uris<'_> {
    let services: Vec<_> = api.modules.iter().flat_map(|own| own.services.iter().map(move |one| (own, one))).collect();
    let mut tree = Tree::default();
    for (module, service) in &services {
        tree.insert(&service.path, module.ignore_case, positions(service));
    }
    let mut nodes = Nodes::new(api);
    for (module, service) in &services {
        nodes.add(&service.path, module.ignore_case);
    }
    for (module, service) in &services {
        let shapes = Shapes::of(&service.path);
        for length in 1..service.path.len() {
            let shape = shapes.first(length);
            // What is longer than a request may be cannot be asked for.
            if shape.exact.len() as u64 > api.limits.uri {
                break;
            }
            let path = &service.path[..length];
            if !nodes.has(shape, module.ignore_case) && !tree.answers(path) {
                nodes.add(path, module.ignore_case);
            }
        }
    }
    nodes.link(&services)
}

/// How many segments behind a service's path one of its methods takes.
fn positions(service: &Service) -> usize {
    service.methods.iter().map(|method| method.positions().len()).max().unwrap_or(0)
}

/// A URI while its neighbours are looked for.
struct Node<'a> {
    shapes: Shapes,
    path: &'a [Segment],
    ignore_case: bool,
    uri: String,
    below: Vec<String>,
}

/// The URIs that are known, the services first.
struct Nodes<'a> {
    base: String,
    list: Vec<Node<'a>>,
    /// Where in the list those stand whose shapes are alike without case.
    by_shape: HashMap<String, Vec<usize>>,
}

impl<'a> Nodes<'a> {
    fn new(api: &Api) -> Self {
        let mut base = String::new();
        for segment in api.base.split('/').filter(|segment| !segment.is_empty()) {
            base.push('/');
            base.extend(utf8_percent_encode(segment, ENCODED));
        }
        Self { base, list: Vec::new(), by_shape: HashMap::new() }
    }

    fn add(&mut self, path: &'a [Segment], ignore_case: bool) {
        let shapes = Shapes::of(path);
        self.by_shape.entry(shapes.folded.clone()).or_default().push(self.list.len());
        let uri = template(&self.base, path);
        self.list.push(Node { shapes, path, ignore_case, uri, below: Vec::new() });
    }

    /// Whether this very URI is known.
    fn has(&self, shape: Shape<'_>, ignore_case: bool) -> bool {
        let mut alike = self.alike(shape).map(|index| &self.list[index]);
        alike.any(|node| node.ignore_case == ignore_case && (ignore_case || node.shapes.exact == shape.exact))
    }

    /// Those whose shapes are alike without case.
    fn alike(&self, shape: Shape<'_>) -> impl Iterator<Item = usize> {
        self.by_shape.get(shape.folded).into_iter().flatten().copied()
    }

    /// The longest known URIs above one: more than one where they differ in case alone.
    fn parents(&self, index: usize) -> Vec<usize> {
        let node = &self.list[index];
        for length in (1..node.path.len()).rev() {
            let shape = node.shapes.first(length);
            let meets = |other: &usize| {
                let other = &self.list[*other];
                node.ignore_case || other.ignore_case || other.shapes.exact == shape.exact
            };
            let parents: Vec<usize> = self.alike(shape).filter(meets).collect();
            if !parents.is_empty() {
                return parents;
            }
        }
        Vec::new()
    }

    /// Tells each URI what is below it.
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
        // In an order that does not depend on which file a service stands in.
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
        let above = nodes.map(|Node { path, ignore_case, uri, below, .. }| Above { path, ignore_case, uri, below });
        Uris { base: template(&self.base, &[]), services, above: above.collect(), below }
    }
}

/// A path with nameless captures, and the same without case.
struct Shapes {
    exact: String,
    folded: String,
    /// Where each segment ends in either.
    ends: Vec<(usize, usize)>,
}

/// The beginning of a path in its shapes.
#[derive(Clone, Copy)]
struct Shape<'s> {
    exact: &'s str,
    folded: &'s str,
}

impl Shapes {
    fn of(path: &[Segment]) -> Self {
        let mut shapes = Self { exact: String::new(), folded: String::new(), ends: Vec::with_capacity(path.len()) };
        for segment in path {
            // No static segment holds a brace.
            let text = if let Segment::Static(text) = segment { text } else { "{" };
            shapes.exact.extend(["/", text]);
            shapes.folded.extend(["/", &fold(text)]);
            shapes.ends.push((shapes.exact.len(), shapes.folded.len()));
        }
        shapes
    }

    /// The first segments.
    fn first(&self, length: usize) -> Shape<'_> {
        let (exact, folded) = self.ends[..length].last().copied().unwrap_or_default();
        Shape { exact: &self.exact[..exact], folded: &self.folded[..folded] }
    }
}

/// A segment without regard to case.
fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// What is encoded in a segment of a path (RFC 3986 section 3.3).
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

/// The template of a path below base.
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
