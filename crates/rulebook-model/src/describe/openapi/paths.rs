//! The paths of all methods. A position is a parameter that is read from a path segment after the path of its service.
//! If the last positions of a method are optional, the method has a path for each possible number of segments.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use percent_encoding::utf8_percent_encode;

use super::ModulePart;
use super::schemas::{folded, to_component_name};
use crate::call::HttpMethod;
use crate::describe::options::{ENCODED_IN_PATH_SEGMENTS, ServiceUri, encode_base_path, uris};
use crate::distinct_names::{candidates, distinct_names};
use crate::model::{Api, Location, Method, Module, Parameter, Segment, Service};
use crate::routing::push_segment_shape;

pub(super) struct Operations<'a> {
    services: Vec<ServiceUri<'a>>,
    paths: BTreeMap<String, Vec<PathOperation<'a>>>,
}

pub(super) struct PathOperation<'a> {
    /// The index of the method's service in [`Operations::services`].
    service_index: usize,
    pub(super) method: &'a Method,
    /// The number of positions at the end of the method's longest path that this path omits.
    omitted_positions: usize,
    /// The id of the operation (`operationId`), which is the name of the method, or begins with it.
    pub(super) operation_id: Rc<str>,
    /// The name of the method in the document: the id of the operation at its longest path.
    pub(super) method_name: Rc<str>,
    /// The names of the parameters in the path, in the order of the path.
    parameter_names: Vec<String>,
}

impl<'a> Operations<'a> {
    /// Returns the operations of the API, or only those of the given part. The names of path parameters and the ids of
    /// operations are always chosen for the whole API, so that an operation is the same in every document.
    pub(super) fn new(api: &'a Api, part: Option<&ModulePart>) -> Self {
        let services = uris(api).services;
        let mut operation_ids = operation_ids(&services).into_iter();
        let mut included = method_inclusion_flags(api, part);
        let mut templates = PathTemplates::default();
        let mut paths: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (service_index, uri) in services.iter().enumerate() {
            for method in &uri.service.methods {
                let is_included = included.next().unwrap_or_default();
                let segments = path_segments(uri.service, method);
                let mut method_name: Option<Rc<str>> = None;
                for omitted_positions in 0..=count_trailing_optional(&method.positions()) {
                    let PathTemplate { path, names } =
                        templates.get_or_add_template(&api.base, &segments[..segments.len() - omitted_positions]);
                    let operation_id: Rc<str> = operation_ids.next().unwrap_or_default().into();
                    let method_name = method_name.get_or_insert_with(|| Rc::clone(&operation_id));
                    if is_included {
                        let operation = PathOperation {
                            service_index,
                            method,
                            omitted_positions,
                            method_name: Rc::clone(method_name),
                            operation_id,
                            parameter_names: names.clone(),
                        };
                        // Most paths of large APIs have one operation.
                        let at_path = paths.entry(path.clone()).or_insert_with(|| Vec::with_capacity(1));
                        // A path has at most one operation for each HTTP method.
                        at_path.retain(|other: &PathOperation<'_>| other.method.http != method.http);
                        at_path.push(operation);
                    }
                }
            }
        }
        for at_path in paths.values_mut() {
            at_path
                .sort_by_key(|operation| HTTP_METHODS_IN_ORDER.iter().position(|http| *http == operation.method.http));
        }
        Self { services, paths }
    }

    /// Returns all paths in alphabetical order, each with its operations.
    pub(super) fn paths(&self) -> impl Iterator<Item = (&str, &[PathOperation<'a>])> {
        self.paths.iter().map(|(path, operations)| (path.as_str(), operations.as_slice()))
    }

    pub(super) fn service_of(&self, operation: &PathOperation<'a>) -> &ServiceUri<'a> {
        &self.services[operation.service_index]
    }

    /// Returns the parameters in the path of an operation, each with its name in the path.
    pub(super) fn path_parameters<'o>(&'o self, operation: &'o PathOperation<'a>) -> Vec<(&'o str, &'o Parameter)> {
        let segments = path_segments(self.service_of(operation).service, operation.method);
        let segments = &segments[..segments.len() - operation.omitted_positions];
        path_parameters(segments, &operation.parameter_names).collect()
    }

    /// Services at these URIs handle a request if the parameters in the path have certain values.
    pub(super) fn uris_below(&self, operation: &PathOperation<'a>) -> &[String] {
        // If this path contains no position, no parameter of the method can have the value of a segment in the path of
        // another service below it.
        let contains_position = operation.omitted_positions < operation.method.positions().len();
        if contains_position { &self.service_of(operation).uris_below } else { &[] }
    }
}

/// Returns a flag for each method, in the order of the API: `true` if the part includes it, or if no part is given.
fn method_inclusion_flags(api: &Api, part: Option<&ModulePart>) -> impl Iterator<Item = bool> {
    let methods = move |(index, module): (usize, &Module)| {
        let all = module.services.iter().flat_map(|service| &service.methods).count();
        (0..all).map(move |method| part.is_none_or(|part| part.module == index && part.methods.contains(&method)))
    };
    api.modules.iter().enumerate().flat_map(methods)
}

const HTTP_METHODS_IN_ORDER: [HttpMethod; 5] =
    [HttpMethod::Get, HttpMethod::Put, HttpMethod::Post, HttpMethod::Delete, HttpMethod::Patch];

enum PathSegment<'a> {
    Static(&'a str),
    /// A segment with the value of a parameter: the name of the capture or position, and the parameter.
    Variable(&'a str, &'a Parameter),
}

/// Returns the segments of a method's longest path, which includes all positions.
fn path_segments<'a>(service: &'a Service, method: &'a Method) -> Vec<PathSegment<'a>> {
    let captured = |name: &str| {
        method.parameters.iter().find(|parameter| parameter.from == Location::Path && parameter.key == name)
    };
    let segments = service.path.iter().filter_map(|segment| match segment {
        Segment::Static(text) => Some(PathSegment::Static(text)),
        // Every capture has a parameter, because definitions without this parameter are rejected.
        Segment::Capture(name) => captured(name).map(|parameter| PathSegment::Variable(name, parameter)),
    });
    let positions = method.positions().into_iter();
    segments.chain(positions.map(|parameter| PathSegment::Variable(&parameter.name, parameter))).collect()
}

fn count_trailing_optional(positions: &[&Parameter]) -> usize {
    positions.iter().rev().take_while(|position| position.optional).count()
}

/// Returns the parameters in a path, each with its name in the path template. `names` are these names, in the order of
/// the path.
fn path_parameters<'a>(
    segments: &[PathSegment<'a>],
    names: &'a [String],
) -> impl Iterator<Item = (&'a str, &'a Parameter)> {
    let parameters = segments.iter().filter_map(|segment| match segment {
        PathSegment::Variable(_, parameter) => Some(*parameter),
        PathSegment::Static(_) => None,
    });
    names.iter().map(String::as_str).zip(parameters.collect::<Vec<_>>())
}

/// Returns the ids of the operations of all methods, in the order of the methods. The operation at the longest path of
/// a method comes first, and then those at the paths that omit one more position each. The id of the first is the id of
/// the method without braces, and those of the others name the first omitted position, such as `line.get.without_to`.
fn operation_ids(services: &[ServiceUri<'_>]) -> Vec<String> {
    let mut all = Vec::new();
    for method in services.iter().flat_map(|uri| &uri.service.methods) {
        let name = to_component_name(&method.id);
        // The ids of methods that the definition does not name contain the captures of the path.
        let with_captures = to_component_name(&method.id.replace('{', "by_"));
        let names = if name == with_captures { vec![name] } else { vec![name, with_captures] };
        let positions = method.positions();
        for omitted in 0..=count_trailing_optional(&positions) {
            let without = match positions.get(positions.len() - omitted) {
                Some(position) => format!(".without_{}", to_component_name(&position.name)),
                None => String::new(),
            };
            let names = names.iter().map(|name| format!("{name}{without}")).collect();
            all.push(candidates(names, ".", &format!("{}\n{without}", method.id)));
        }
    }
    distinct_names(all, folded)
}

/// The path templates, by [shape](crate::routing::path_shape). Paths with the same shape share a template.
#[derive(Default)]
struct PathTemplates(HashMap<String, PathTemplate>);

struct PathTemplate {
    path: String,
    /// The names of the parameters, in the order of the path.
    names: Vec<String>,
}

impl PathTemplates {
    fn get_or_add_template(&mut self, base: &str, segments: &[PathSegment<'_>]) -> &PathTemplate {
        let mut shape = String::new();
        for segment in segments {
            let static_text = match segment {
                PathSegment::Static(text) => Some(*text),
                PathSegment::Variable(..) => None,
            };
            push_segment_shape(&mut shape, static_text);
        }
        self.0.entry(shape).or_insert_with(|| make_path_template(base, segments))
    }
}

fn make_path_template(base: &str, segments: &[PathSegment<'_>]) -> PathTemplate {
    let allowed_character = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let names = segments.iter().filter_map(|segment| match segment {
        PathSegment::Static(_) => None,
        PathSegment::Variable(name, parameter) => {
            Some(candidates(vec![name.chars().map(allowed_character).collect()], "_", &parameter.name))
        }
    });
    let names = distinct_names(names, str::to_owned);
    let mut path = encode_base_path(base);
    let mut variables = names.iter();
    for segment in segments {
        path.push('/');
        match segment {
            PathSegment::Static(text) => path.extend(utf8_percent_encode(text, ENCODED_IN_PATH_SEGMENTS)),
            PathSegment::Variable(..) => path.extend(["{", variables.next().map_or("", String::as_str), "}"]),
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    PathTemplate { path, names }
}
