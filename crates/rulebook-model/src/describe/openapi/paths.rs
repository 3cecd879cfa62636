//! The paths of all methods. A method with optional positions at the end has a path for each possible number of
//! segments.

use std::collections::{BTreeMap, HashMap, HashSet};

use percent_encoding::utf8_percent_encode;
use utoipa::openapi::path::{Operation, PathItem};

use super::super::module_part::ModulePart;
use super::super::uris::{ENCODED, ServiceUri, uris};
use super::operation;
use super::responses::ResponseComponents;
use super::schemas::Schemas;
use crate::call::HttpMethod;
use crate::model::{Api, Location, Method, Module, Parameter, Segment, Service};

/// The operations of a document, by their paths. Each operation is generated when it is written, which saves memory.
pub(super) struct Operations<'a> {
    api: &'a Api,
    services: Vec<ServiceUri<'a>>,
    paths: BTreeMap<String, Vec<PathOperation<'a>>>,
}

/// A method at one of its paths.
pub(super) struct PathOperation<'a> {
    /// The index of the service.
    service: usize,
    method: &'a Method,
    /// How many positions at the end of the method's longest path are missing in this path.
    omitted: usize,
    /// The id of the operation.
    id: String,
    /// The names of the path parameters, in order.
    parameter_names: Vec<String>,
}

impl<'a> Operations<'a> {
    /// Returns the methods of the API, or of a part of it, at each of their paths. The names of path parameters and the
    /// ids of operations are chosen for the whole API, so that an operation is the same in every document.
    pub(super) fn new(api: &'a Api, part: Option<&ModulePart>) -> Self {
        let services = uris(api).services;
        let mut included = included_methods(api, part);
        let mut ids: HashSet<String> =
            services.iter().flat_map(|uri| &uri.service.methods).map(|method| method.id.clone()).collect();
        let mut templates = PathTemplates::default();
        let mut paths: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (service, uri) in services.iter().enumerate() {
            for method in &uri.service.methods {
                let is_included = included.next().unwrap_or_default();
                let segments = segments(uri.service, method);
                for omitted in 0..=trailing_optional(&method.positions()) {
                    let PathTemplate { path, names } =
                        templates.get_or_add_template(&api.base, &segments[..segments.len() - omitted]);
                    let id = if omitted == 0 { method.id.clone() } else { shorter_id(&method.id, omitted, &mut ids) };
                    if is_included {
                        let operation = PathOperation { service, method, omitted, id, parameter_names: names.clone() };
                        paths.entry(path.clone()).or_default().push(operation);
                    }
                }
            }
        }
        Self { api, services, paths }
    }

    /// Returns all paths with their operations, in order.
    pub(super) fn paths(&self) -> impl Iterator<Item = (&str, &[PathOperation<'a>])> {
        self.paths.iter().map(|(path, operations)| (path.as_str(), operations.as_slice()))
    }

    /// Returns the path item with these operations.
    pub(super) fn path_item(
        &self,
        operations: &[PathOperation<'_>],
        schemas: &mut Schemas,
        responses: &mut ResponseComponents,
    ) -> PathItem {
        let mut item = PathItem::default();
        for operation in operations {
            *operation_mut(&mut item, operation.method.http) = Some(self.operation(operation, schemas, responses));
        }
        item
    }

    fn operation(
        &self,
        operation: &PathOperation<'_>,
        schemas: &mut Schemas,
        responses: &mut ResponseComponents,
    ) -> Operation {
        let PathOperation { service, method, omitted, id, parameter_names } = operation;
        let ServiceUri { module, service, below, .. } = &self.services[*service];
        let segments = segments(service, method);
        let parameters: Vec<_> = parameters(&segments[..segments.len() - omitted], parameter_names).collect();
        // Without positions, no parameter of this method can match the path of a service below.
        let below = if *omitted < method.positions().len() { &below[..] } else { &[] };
        operation::operation((self.api, module, method), id.clone(), (&parameters, below), schemas, responses)
    }
}

/// Returns, for each method of the API in order, whether it belongs to the part.
fn included_methods(api: &Api, part: Option<&ModulePart>) -> impl Iterator<Item = bool> {
    let methods = move |(index, module): (usize, &Module)| {
        let all = module.services.iter().flat_map(|service| &service.methods).count();
        (0..all).map(move |method| part.is_none_or(|part| part.module == index && part.methods.contains(&method)))
    };
    api.modules.iter().enumerate().flat_map(methods)
}

fn operation_mut(item: &mut PathItem, http: HttpMethod) -> &mut Option<Operation> {
    match http {
        HttpMethod::Get => &mut item.get,
        HttpMethod::Post => &mut item.post,
        HttpMethod::Put => &mut item.put,
        HttpMethod::Delete => &mut item.delete,
        HttpMethod::Patch => &mut item.patch,
    }
}

/// A segment of the path of a method.
enum PathSegment<'a> {
    Static(&'a str),
    /// The value of a parameter, with the name of its capture or position.
    Variable(&'a str, &'a Parameter),
}

/// Returns the segments of a method's path, including all of its positions.
fn segments<'a>(service: &'a Service, method: &'a Method) -> Vec<PathSegment<'a>> {
    let captured = |name: &str| {
        method.parameters.iter().find(|parameter| parameter.from == Location::Path && parameter.key == name)
    };
    let segments = service.path.iter().filter_map(|segment| match segment {
        Segment::Static(text) => Some(PathSegment::Static(text)),
        // In a valid definition, every capture has a parameter.
        Segment::Capture(name) => captured(name).map(|parameter| PathSegment::Variable(name, parameter)),
    });
    let positions = method.positions().into_iter();
    segments.chain(positions.map(|parameter| PathSegment::Variable(&parameter.name, parameter))).collect()
}

/// Returns how many positions at the end are optional.
fn trailing_optional(positions: &[&Parameter]) -> usize {
    positions.iter().rev().take_while(|position| position.optional).count()
}

/// Returns the parameters in the segments, each with its name in the path.
fn parameters<'a>(segments: &[PathSegment<'a>], names: &'a [String]) -> impl Iterator<Item = (&'a str, &'a Parameter)> {
    let parameters = segments.iter().filter_map(|segment| match segment {
        PathSegment::Variable(_, parameter) => Some(*parameter),
        PathSegment::Static(_) => None,
    });
    names.iter().map(String::as_str).zip(parameters.collect::<Vec<_>>())
}

/// Returns an unused operation id for a method at the path without its last `omitted` positions.
fn shorter_id(id: &str, omitted: usize, ids: &mut HashSet<String>) -> String {
    let mut id = format!("{id}.{omitted}");
    while ids.contains(&id) {
        id.push('_');
    }
    ids.insert(id.clone());
    id
}

/// The path templates, by their shapes. Paths that differ only in the names of their parameters share a template.
#[derive(Default)]
struct PathTemplates(HashMap<String, PathTemplate>);

struct PathTemplate {
    path: String,
    /// The names of the parameters, in order.
    names: Vec<String>,
}

impl PathTemplates {
    fn get_or_add_template(&mut self, base: &str, segments: &[PathSegment<'_>]) -> &PathTemplate {
        let mut shape = String::new();
        for segment in segments {
            shape.push('/');
            match segment {
                PathSegment::Static(text) => shape.extend(utf8_percent_encode(text, ENCODED)),
                PathSegment::Variable(..) => shape.push_str("{}"),
            }
        }
        self.0.entry(shape).or_insert_with(|| make_template(base, segments))
    }
}

fn make_template(base: &str, segments: &[PathSegment<'_>]) -> PathTemplate {
    let mut path: String = base.trim_end_matches('/').split('/').skip(1).fold(String::new(), |mut path, segment| {
        path.push('/');
        path.extend(utf8_percent_encode(segment, ENCODED));
        path
    });
    let mut names: Vec<String> = Vec::new();
    for segment in segments {
        path.push('/');
        match segment {
            PathSegment::Static(text) => path.extend(utf8_percent_encode(text, ENCODED)),
            PathSegment::Variable(name, _) => {
                let name = unused_name(name, &names);
                path.extend(["{", &name, "}"]);
                names.push(name);
            }
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    PathTemplate { path, names }
}

/// Returns a name that is valid in a template and does not occur in `names`.
fn unused_name(name: &str, names: &[String]) -> String {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let mut name: String = name.chars().map(plain).collect();
    while names.contains(&name) {
        name.push('_');
    }
    name
}
