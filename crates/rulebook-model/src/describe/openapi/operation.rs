//! The OpenAPI operation that describes a method at one of its paths.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use utoipa::openapi::Components;

use super::error_classes::possible_error_classes;
use super::parameters::{describe_parameter, operation_parameters};
use super::parts::{PartIndex, PartName, Parts};
use super::responses::{OperationResponse, ResponseComponents};
use super::schemas::Schemas;
use super::server_parameters::server_parameters;
use super::{headers, request_body};
use crate::model::{Api, Method, Module, Parameter};

/// Describes the operations of a document. Parts of operations that have the same content are described once.
pub(super) struct OperationDescriber<'a> {
    api: &'a Api,
    schemas: Schemas,
    error_responses: ResponseComponents,
    parameters: Parts<'a>,
    request_bodies: Parts<'a>,
    responses: Parts<'a>,
}

pub(super) struct DescribedOperation {
    /// The parameters outside the request body.
    pub(super) parameters: Box<[PartIndex]>,
    /// The request body; `None` if no parameter is read from the body.
    pub(super) request_body: Option<PartIndex>,
    pub(super) responses: BTreeMap<String, OperationResponse>,
}

impl<'a> OperationDescriber<'a> {
    /// Creates a describer that has not described any operations.
    pub(super) fn new(api: &'a Api) -> Self {
        let mut schemas = Schemas::new(api);
        Self {
            api,
            error_responses: ResponseComponents::new(api, &mut schemas),
            schemas,
            parameters: Parts::new("parameters"),
            request_bodies: Parts::new("requestBodies"),
            responses: Parts::new("responses"),
        }
    }

    /// Describes the parts of the operation for a method. `segments` are the parameters in the path, with their names
    /// in the path.
    pub(super) fn describe(
        &mut self,
        (module, method): (&'a Module, &'a Method),
        segments: &[(&'a str, &'a Parameter)],
    ) -> DescribedOperation {
        let parameters = self.describe_parameters((module, method), segments);
        let request_body = self.describe_request_body((module, method));
        let classes = possible_error_classes(self.api, (module, method), request_body.is_some());
        let contents = (&mut self.responses, &mut self.schemas);
        let responses = self.error_responses.operation_responses((self.api, module, method), &classes, contents);
        parameters.iter().for_each(|index| self.parameters.count_occurrence(*index));
        request_body.into_iter().for_each(|index| self.request_bodies.count_occurrence(index));
        for response in responses.values() {
            if let OperationResponse::Part(index) = response {
                self.responses.count_occurrence(*index);
            }
        }
        DescribedOperation { parameters, request_body, responses }
    }

    fn describe_parameters(
        &mut self,
        (module, method): (&'a Module, &'a Method),
        segments: &[(&'a str, &'a Parameter)],
    ) -> Box<[PartIndex]> {
        let Self { api, parameters: parts, schemas, .. } = self;
        let placed = operation_parameters(method, segments);
        let mut indexes = Vec::new();
        for parameter in &placed {
            let described = describe_parameter(*parameter, method, schemas);
            indexes.push(parts.find_or_add(&described, part_name(parameter.name, module, method), schemas));
        }
        for (name, described) in server_parameters(api, method, &placed, schemas) {
            indexes.push(parts.find_or_add(&described, part_name(name, module, method), schemas));
        }
        indexes.into()
    }

    fn describe_request_body(&mut self, (module, method): (&'a Module, &'a Method)) -> Option<PartIndex> {
        let fields = request_body::body_fields(method);
        if fields.is_empty() {
            return None;
        }
        let body = request_body::request_body(self.api, &fields, method, &mut self.schemas);
        let name = PartName { is_meaningful_alone: false, ..part_name("Body", module, method) };
        Some(self.request_bodies.find_or_add(&body, name, &mut self.schemas))
    }

    /// Returns the components to which the described operations refer, together with the components in `others`. Fails
    /// if a component cannot be serialized.
    pub(super) fn make_components(&mut self, mut others: Components) -> serde_json::Result<Map<String, Json>> {
        others.headers = headers::header_components(self.api, &mut self.schemas);
        others.responses = self.error_responses.take_components();
        others.schemas = self.schemas.component_placeholders();
        let mut others = serde_json::to_value(others)?;
        self.schemas.fill_placeholders(&mut others);
        let mut components = Map::new();
        let mut take = |member: &str| others.get_mut(member).map(Json::take);
        components.extend(take("schemas").map(|schemas| ("schemas".to_owned(), schemas)));
        for parts in [&mut self.responses, &mut self.parameters, &mut self.request_bodies] {
            let mut object = match take(parts.member()) {
                Some(Json::Object(object)) => object,
                _ => Map::new(),
            };
            parts.add_components(&mut object);
            if !object.is_empty() {
                components.insert(parts.member().to_owned(), Json::Object(object));
            }
        }
        if let Json::Object(others) = others {
            components.extend(others.into_iter().filter(|(_, component)| !component.is_null()));
        }
        Ok(components)
    }

    pub(super) fn parameters(&self) -> &Parts<'a> {
        &self.parameters
    }

    pub(super) fn request_bodies(&self) -> &Parts<'a> {
        &self.request_bodies
    }

    /// Returns the responses of operations, except the responses that are always components.
    pub(super) fn responses(&self) -> &Parts<'a> {
        &self.responses
    }
}

fn part_name<'a>(base: &'a str, module: &'a Module, method: &'a Method) -> PartName<'a> {
    PartName { base, is_meaningful_alone: true, module: &module.name, method_id: &method.id }
}
