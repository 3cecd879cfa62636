//! The JSON documents in responses to OPTIONS, and the URIs that they describe. Each document is a definition that
//! rulebook can load, with additional links for clients.
//!
//! Some URIs have no service themselves but are above the URI of a service; they are called intermediate URIs. Each URI
//! is linked to the URIs directly below it, so that a client that starts at the base path and follows the links reaches
//! every service. The search for the URIs must not depend on how they are described.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, utf8_percent_encode};
use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::{Value as Json, json};

use super::canonical::{
    CanonicalForm, ModulesObject, ObjectWriter, SchemaReferences, json_schemas, schemas_of_methods, write_schemas,
    write_service, write_settings,
};
use crate::model::{Api, Module, Segment, Service};
use crate::routing::{Routes, encode_segment, fold_case, path_shape, push_segment_shape};
use crate::uri::ALL_EXCEPT_UNRESERVED;

/// Returns the response to OPTIONS for the base path, for the paths above the base path and for the request target `*`.
/// The response describes the whole API, without the settings of the server.
#[must_use]
pub fn options_for_api(api: &Api, uris: &Uris<'_>) -> Json {
    // Serializing the response to a JSON value cannot fail.
    write_options_for_api(api, uris, serde_json::value::Serializer).unwrap_or_default()
}

/// Writes the response that [`options_for_api`] returns.
///
/// # Errors
/// Returns the errors of the serializer.
pub fn write_options_for_api<S: Serializer>(api: &Api, uris: &Uris<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let references = SchemaReferences::ByKey;
    let form = CanonicalForm::ForClients(references);
    let mut links = ObjectWriter::default();
    add_links(&mut links, &uris.uris_below);
    let mut object = serializer.serialize_map(None)?;
    for (key, value) in write_settings(api, form).into_entries() {
        object.serialize_entry(&key, &value)?;
    }
    if !api.schemas.is_empty() {
        object.serialize_entry("schemas", &write_schemas(&api.schemas))?;
    }
    object.serialize_entry("modules", &ModulesObject { api, form })?;
    let used = schemas_of_methods(api.methods().map(|(.., method)| method));
    if !used.is_empty() {
        object.serialize_entry("$defs", &json_schemas(&used, references))?;
    }
    for (key, value) in links.into_entries() {
        object.serialize_entry(&key, &value)?;
    }
    object.end()
}

/// Returns the response to OPTIONS for the URI of a service: a definition file that contains only this service.
#[must_use]
pub fn options_for_service(api: &Api, uri: &ServiceUri<'_>) -> Json {
    let form = CanonicalForm::ForClients(SchemaReferences::ByName);
    let mut object = write_service(api, uri.module, uri.service, form);
    add_links(&mut object, &uri.uris_below);
    object.into_json()
}

/// Returns the response to OPTIONS for a URI that has no service itself but has services below it. The response is a
/// definition file without services.
#[must_use]
pub fn options_for_intermediate_uri(uri: &IntermediateUri<'_>) -> Json {
    let mut object = ObjectWriter::default();
    add_links(&mut object, &uri.uris_below);
    object.into_json()
}

/// Adds the links to an OPTIONS response: `$below` lists the URIs below the requested URI, and `$links` contains the
/// paths of other documents. The parser of definitions ignores both keys.
fn add_links(object: &mut ObjectWriter, uris_below: &[String]) {
    object.add_if_some("$below", Some(json!(uris_below)));
    object.add_if_some(
        "$links",
        cfg!(feature = "documents").then(|| json!({ "openapi": "/openapi.json", "docs": "/docs" })),
    );
}

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
    let mut routes = Routes::default();
    let mut nodes = UriNodes::new(api);
    for (index, (module, service)) in services.iter().enumerate() {
        // Definitions with errors can contain a path twice; the first one is linked.
        let _ = routes.insert(&service.path, index, module.ignore_case);
        nodes.add(&service.path, module.ignore_case);
    }
    for (module, service) in &services {
        for length in 1..service.path.len() {
            let path = &service.path[..length];
            let shape = path_shape(path);
            // The server rejects requests for longer URIs.
            if shape.len() as u64 > api.limits.uri {
                break;
            }
            if !nodes.contains(&shape, module.ignore_case) && !reaches_service(path, &routes, &services) {
                nodes.add(path, module.ignore_case);
            }
        }
    }
    nodes.into_linked_uris(&services)
}

/// The values of the path's captures are assumed to be different from all static segments.
fn reaches_service(path: &[Segment], routes: &Routes, services: &[(&Module, &Service)]) -> bool {
    let mut request_path = String::new();
    for segment in path {
        push_segment_shape(&mut request_path, segment.static_text().map(encode_segment).as_deref());
    }
    routes.find(&request_path, path.len()).is_some_and(|index| {
        let service = services[index].1;
        // The service reads the segments after its path as positional parameters.
        let max_positions = service.methods.iter().map(|method| method.positions().len()).max().unwrap_or(0);
        path.len() - service.path.len() <= max_positions
    })
}

struct UriNode<'a> {
    shape: String,
    path: &'a [Segment],
    ignore_case: bool,
    uri: String,
    uris_below: Vec<String>,
}

/// The known URIs, beginning with the URIs of the services.
struct UriNodes<'a> {
    base: String,
    nodes: Vec<UriNode<'a>>,
    /// The indexes of the URIs in `nodes`, by their shapes in lower case.
    indexes_by_shape: HashMap<String, Vec<usize>>,
}

impl<'a> UriNodes<'a> {
    fn new(api: &Api) -> Self {
        Self { base: encode_base_path(&api.base), nodes: Vec::new(), indexes_by_shape: HashMap::new() }
    }

    fn add(&mut self, path: &'a [Segment], ignore_case: bool) {
        let shape = path_shape(path);
        // Most lists of the nodes have one item, so that the default capacity of four items would be unused.
        let indexes = self.indexes_by_shape.entry(fold_case(&shape)).or_insert_with(|| Vec::with_capacity(1));
        indexes.push(self.nodes.len());
        let uri = uri_template(&self.base, path);
        self.nodes.push(UriNode { shape, path, ignore_case, uri, uris_below: Vec::new() });
    }

    fn contains(&self, shape: &str, ignore_case: bool) -> bool {
        self.nodes_like(shape, ignore_case).any(|(_, node)| node.ignore_case == ignore_case)
    }

    /// Case is ignored if `ignore_case` is `true`, or if the other node ignores it.
    fn nodes_like(&self, shape: &str, ignore_case: bool) -> impl Iterator<Item = (usize, &UriNode<'a>)> {
        let indexes = self.indexes_by_shape.get(&fold_case(shape)).into_iter().flatten();
        let nodes = indexes.map(|index| (*index, &self.nodes[*index]));
        nodes.filter(move |(_, node)| ignore_case || node.ignore_case || node.shape == shape)
    }

    /// The longest known URIs above a URI. The result has several items if URIs differ only in case.
    fn parent_indexes(&self, index: usize) -> Vec<usize> {
        let node = &self.nodes[index];
        let parents = (1..node.path.len()).rev().map(|length| {
            let shape = path_shape(&node.path[..length]);
            self.nodes_like(&shape, node.ignore_case).map(|(index, _)| index).collect::<Vec<_>>()
        });
        parents.into_iter().find(|indexes| !indexes.is_empty()).unwrap_or_default()
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
                self.nodes[parent].uris_below.push(uri.clone());
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
        let intermediate_uris = nodes.map(to_intermediate_uri).collect();
        Uris { base: uri_template(&self.base, &[]), services, intermediate_uris, uris_below }
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

/// Returns the percent-encoded base path, without a slash at its end.
pub(super) fn encode_base_path(base: &str) -> String {
    let segments = base.split('/').filter(|segment| !segment.is_empty());
    segments.map(|segment| format!("/{}", utf8_percent_encode(segment, ENCODED_IN_PATH_SEGMENTS))).collect()
}

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
