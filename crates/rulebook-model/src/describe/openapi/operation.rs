//! The OpenAPI operation that describes a method at one of its paths.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value as Json};
use utoipa::openapi::Components;

use super::super::example::compared::is_compared;
use super::error_classes::{self, ErrorClass};
use super::headers::has_rate_limits;
use super::parameters::{self, describe_parameter, operation_parameters, placement};
use super::parts::{PartIndex, PartName, Parts};
use super::responses::{OperationResponse, ResponseComponents};
use super::same_content::{ErrorsContent, OutputsContent, PlacedParameter, ResponsesContent};
use super::schemas::Schemas;
use super::serialization::Placement;
use super::{downloads, headers, idempotency, jsonp, request_body};
use crate::call::Callback;
use crate::model::{Api, Idempotency, Method, Module, Parameter, Unbound, UnknownParameters};
use crate::types::Arity;

/// Describes the operations of a document. Parts of operations that have the same content are described once.
pub(super) struct OperationDescriber<'a> {
    api: &'a Api,
    schemas: Schemas,
    error_responses: ResponseComponents,
    parameters: Parts<'a>,
    request_bodies: Parts<'a>,
    responses: Parts<'a>,
    known_parameters: HashMap<PlacedParameter<'a>, PartIndex>,
    known_bodies: HashMap<Vec<PlacedParameter<'a>>, PartIndex>,
    known_responses: HashMap<ResponsesContent<'a>, Rc<[(String, OperationResponse)]>>,
}

/// The parts of an operation.
pub(super) struct DescribedOperation {
    /// The parameters outside the request body.
    pub(super) parameters: Box<[PartIndex]>,
    /// The request body; `None` if no parameter is read from the body.
    pub(super) request_body: Option<PartIndex>,
    /// The responses by status, in order.
    pub(super) responses: Rc<[(String, OperationResponse)]>,
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
            known_parameters: HashMap::new(),
            known_bodies: HashMap::new(),
            known_responses: HashMap::new(),
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
        let responses = self.describe_responses((module, method), request_body.is_some());
        parameters.iter().for_each(|index| self.parameters.count_occurrence(*index));
        request_body.into_iter().for_each(|index| self.request_bodies.count_occurrence(index));
        for (_, response) in &*responses {
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
        let Self { parameters: parts, schemas, known_parameters, .. } = self;
        let part_name = |base| part_name(base, module, method);
        let placed = operation_parameters(method, segments);
        let has_undeclared_link_header = parameters::has_undeclared_link_header(method, &placed);
        let mut indexes: Vec<_> = placed
            .into_iter()
            .map(|parameter| {
                let mut describe = || {
                    let described = describe_parameter(parameter, method, schemas);
                    parts.find_or_add(&described, part_name(parameter.name), schemas)
                };
                // The example of such a parameter depends on the other parameters of its method.
                if is_compared(method, parameter.parameter) {
                    return describe();
                }
                *known_parameters.entry(parameter).or_insert_with(describe)
            })
            .collect();
        if has_undeclared_link_header {
            let header = downloads::link_request_header(schemas);
            indexes.push(parts.find_or_add(&header, part_name(downloads::LINK_REQUEST_HEADER), schemas));
        }
        if let Some(parameter) = idempotency::key_parameter(self.api, method, schemas) {
            indexes.push(parts.find_or_add(&parameter, part_name(Idempotency::HEADER), schemas));
        }
        if method.allows_jsonp(self.api.jsonp) {
            let callback = jsonp::callback_parameter(schemas);
            indexes.push(parts.find_or_add(&callback, part_name(Callback::PARAMETER), schemas));
        }
        indexes.into()
    }

    fn describe_request_body(&mut self, (module, method): (&'a Module, &'a Method)) -> Option<PartIndex> {
        let fields = request_body::body_fields(method);
        if fields.is_empty() {
            return None;
        }
        let has_constraints = !request_body::body_constraints(method, &fields).is_empty();
        if let Some(index) = self.known_bodies.get(&fields).filter(|_| !has_constraints) {
            return Some(*index);
        }
        let body = request_body::request_body(self.api, &fields, method, &mut self.schemas);
        let name = PartName { is_meaningful_alone: false, ..part_name("Body", module, method) };
        let index = self.request_bodies.find_or_add(&body, name, &mut self.schemas);
        if !has_constraints {
            self.known_bodies.insert(fields, index);
        }
        Some(index)
    }

    fn describe_responses(
        &mut self,
        (module, method): (&'a Module, &'a Method),
        has_body: bool,
    ) -> Rc<[(String, OperationResponse)]> {
        let error_classes = possible_error_classes(self.api, (module, method), has_body);
        let content = ResponsesContent {
            envelope: self.api.envelope_name(module),
            error_classes: error_classes.iter().map(|class| class.component_suffix).collect(),
            outputs: OutputsContent(&method.outputs),
            errors: ErrorsContent(&method.errors),
            http: method.http,
            status: method.options.status,
            download: method.options.download,
            is_public: method.scope.is_public(),
            allows_jsonp: method.allows_jsonp(self.api.jsonp),
        };
        let Self { api, error_responses, responses, schemas, .. } = self;
        let describe = || {
            let contents = (responses, schemas);
            error_responses.operation_responses((api, module, method), &error_classes, contents).into_iter().collect()
        };
        Rc::clone(self.known_responses.entry(content).or_insert_with(describe))
    }

    /// Returns the components to which the described operations refer, together with the components in `others`.
    ///
    /// # Errors
    /// Fails if a component cannot be serialized.
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

    /// Returns the parameters of operations.
    pub(super) fn parameters(&self) -> &Parts<'a> {
        &self.parameters
    }

    /// Returns the request bodies of operations.
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

/// Returns the classes of server errors that a call of the method can cause. The class of errors that any request can
/// cause is not included.
pub(super) fn possible_error_classes(
    api: &Api,
    (module, method): (&Module, &Method),
    has_body: bool,
) -> Vec<&'static ErrorClass> {
    let has_parameter_in = |expected: &[Placement]| {
        let mut placements = method.parameters.iter().filter_map(|parameter| placement(method.http, parameter));
        placements.any(|placement| expected.contains(&placement))
    };
    let has_files =
        method.parameters.iter().any(|parameter| matches!(parameter.r#type.check.arity(), Arity::File | Arity::Files));
    let checks_query = api.unknown == UnknownParameters::Refuse || method.allows_jsonp(api.jsonp);
    let has_parameters = !method.parameters.is_empty() || checks_query;
    let is_idempotent = method.options.idempotent.is_some();
    let classes = [
        (has_parameters, &error_classes::BAD_REQUEST),
        (is_idempotent, &error_classes::INVALID_IDEMPOTENCY_KEY),
        (is_idempotent, &error_classes::IDEMPOTENCY_KEY_IN_USE),
        (is_idempotent, &error_classes::IDEMPOTENCY_KEY_REUSED),
        (!method.scope.is_public(), &error_classes::UNAUTHENTICATED),
        (!method.scope.is_public(), &error_classes::FORBIDDEN),
        (has_rate_limits(api, module, method), &error_classes::TOO_MANY_REQUESTS),
        (has_body, &error_classes::TIMEOUT),
        (has_body || has_parameter_in(&[Placement::Query]), &error_classes::TOO_LARGE),
        (has_parameter_in(&[Placement::Path, Placement::Query]), &error_classes::URI_TOO_LONG),
        (has_body, &error_classes::UNSUPPORTED_MEDIA_TYPE),
        (is_idempotent || has_parameter_in(&[Placement::Header, Placement::Cookie]), &error_classes::HEAD_TOO_LARGE),
        (has_files, &error_classes::INTERNAL_OR_UPLOAD_ERROR),
        (!has_files, &error_classes::INTERNAL_ERROR),
        (api.unbound == Unbound::NotImplemented, &error_classes::NOT_IMPLEMENTED),
        (true, &error_classes::UNAVAILABLE),
        (has_files || is_idempotent || method.options.download, &error_classes::INSUFFICIENT_STORAGE),
    ];
    classes.into_iter().filter_map(|(is_possible, class)| is_possible.then_some(class)).collect()
}
