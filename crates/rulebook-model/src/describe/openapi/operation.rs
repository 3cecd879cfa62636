//! The OpenAPI operation that describes a method at one of its paths.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use utoipa::openapi::Components;

use super::component_name::to_component_name;
use super::error_classes::possible_error_classes;
use super::parameters::{describe_parameter, operation_parameters};
use super::parts::{PartIndex, PartName, Parts};
use super::responses::ErrorResponses;
use super::schemas::Schemas;
use super::server_parameters::server_parameters;
use super::{OpenapiDetail, headers, request_body};
use crate::model::{Api, Method, Module, Parameter};

/// Describes the operations of a document. Parts of operations that have the same content are described once.
pub(super) struct OperationDescriber<'a> {
    api: &'a Api,
    detail: OpenapiDetail,
    schemas: Schemas,
    error_responses: ErrorResponses,
    parameters: Parts,
    request_bodies: Parts,
    responses: Parts,
}

/// A method, and its name in the document.
#[derive(Clone, Copy)]
pub(super) struct DescribedMethod<'a> {
    pub(super) module: &'a Module,
    pub(super) method: &'a Method,
    /// The id of the operation for the method at its longest path.
    pub(super) name: &'a str,
}

pub(super) struct DescribedOperation {
    /// The parameters outside the request body.
    pub(super) parameters: Box<[PartIndex]>,
    /// The request body; `None` if no parameter is read from the body.
    pub(super) request_body: Option<PartIndex>,
    pub(super) responses: BTreeMap<String, PartIndex>,
}

impl<'a> OperationDescriber<'a> {
    /// Creates a describer that has not described any operations.
    pub(super) fn new(api: &'a Api, detail: OpenapiDetail) -> Self {
        let mut schemas = Schemas::new(api);
        Self {
            api,
            detail,
            error_responses: ErrorResponses::new(api, detail, &mut schemas),
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
        described: DescribedMethod<'_>,
        segments: &[(&str, &Parameter)],
    ) -> DescribedOperation {
        let DescribedMethod { module, method, .. } = described;
        self.schemas.begin_method(method);
        let parameters = self.describe_parameters(described, segments);
        let request_body = self.describe_request_body(described);
        let classes = possible_error_classes(self.api, (module, method), request_body.is_some());
        let contents = (&mut self.responses, &mut self.schemas);
        let responses = self.error_responses.operation_responses(self.api, described, &classes, contents);
        parameters.iter().for_each(|index| self.parameters.count_occurrence(*index));
        request_body.into_iter().for_each(|index| self.request_bodies.count_occurrence(index));
        responses.values().for_each(|index| self.responses.count_occurrence(*index));
        DescribedOperation { parameters, request_body, responses }
    }

    fn describe_parameters(
        &mut self,
        described: DescribedMethod<'_>,
        segments: &[(&str, &Parameter)],
    ) -> Box<[PartIndex]> {
        let Self { api, detail, parameters: parts, schemas, .. } = self;
        let placed = operation_parameters(described.method, segments);
        let mut indexes = Vec::new();
        for parameter in &placed {
            let content = describe_parameter(*parameter, described, schemas);
            indexes.push(parts.find_or_add(&content, part_name(parameter.name, described), schemas));
        }
        for (name, content) in server_parameters(api, *detail, described.method, &placed, schemas) {
            indexes.push(parts.find_or_add(&content, part_name(name, described), schemas));
        }
        indexes.into()
    }

    fn describe_request_body(&mut self, described: DescribedMethod<'_>) -> Option<PartIndex> {
        let fields = request_body::body_fields(described.method);
        if fields.is_empty() {
            return None;
        }
        let body = request_body::request_body((self.api, self.detail), &fields, described, &mut self.schemas);
        Some(self.request_bodies.find_or_add(&body, part_name("Request", described), &mut self.schemas))
    }

    /// Returns the components to which the described operations refer, together with the components in `others`. Fails
    /// if a component cannot be serialized.
    pub(super) fn make_components(&mut self, mut others: Components) -> serde_json::Result<Map<String, Json>> {
        others.headers = match self.detail {
            OpenapiDetail::Full => headers::header_components(self.api, &mut self.schemas),
            OpenapiDetail::Lean => BTreeMap::new(),
        };
        others.schemas = self.schemas.component_placeholders();
        let mut others = serde_json::to_value(others)?;
        self.schemas.fill_placeholders(&mut others);
        let mut components = Map::new();
        components.extend(others.get_mut("schemas").map(|schemas| ("schemas".to_owned(), schemas.take())));
        let kinds = [&mut self.responses, &mut self.parameters, &mut self.request_bodies];
        for (member, object) in Parts::name_components(kinds, self.schemas.folded_names()) {
            if !object.is_empty() {
                components.insert(member.to_owned(), Json::Object(object));
            }
        }
        if let Json::Object(others) = others {
            components.extend(others.into_iter().filter(|(_, component)| !component.is_null()));
        }
        Ok(components)
    }

    pub(super) fn parameters(&self) -> &Parts {
        &self.parameters
    }

    pub(super) fn request_bodies(&self) -> &Parts {
        &self.request_bodies
    }

    pub(super) fn responses(&self) -> &Parts {
        &self.responses
    }
}

/// Returns the names of a part that equal parts of other methods in the module share.
fn part_name(base: &str, DescribedMethod { module, name, .. }: DescribedMethod<'_>) -> PartName {
    let base = to_component_name(base);
    PartName {
        scope: module.name.clone(),
        candidates: vec![format!("{}.{base}", to_component_name(&module.name)), format!("{name}.{base}")],
        is_always_component: false,
    }
}
