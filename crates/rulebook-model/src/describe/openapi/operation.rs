//! The OpenAPI operation that describes a method at one of its paths.

use utoipa::openapi::Deprecated;
use utoipa::openapi::path::{Operation, OperationBuilder};

use super::super::conditions::join_first_items;
use super::error_classes::{self, ErrorClass};
use super::parameters::{is_ignored_header, operation_parameters, placement};
use super::responses::ResponseComponents;
use super::schemas::Schemas;
use super::serialization::Placement;
use super::{jsonp, request_body, security};
use crate::model::{Api, Method, Module, Parameter, Unbound, UnknownParameters};
use crate::types::Arity;

/// Returns the operation for a method. `segments` are the parameters in the path, with their names in the path.
/// `uris_below` are the URIs of other services: if the parameters in the path have certain values, one of these
/// services handles the request.
pub(super) fn build_operation(
    (api, module, method): (&Api, &Module, &Method),
    id: String,
    (segments, uris_below): (&[(&str, &Parameter)], &[String]),
    schemas: &mut Schemas,
    responses: &mut ResponseComponents,
) -> Operation {
    let mut lines = method.info.trim().lines();
    let summary = lines.next().unwrap_or_default();
    let mut paragraphs: Vec<String> = Vec::new();
    if lines.next().is_some() {
        paragraphs.push(method.info.trim().to_owned());
    }
    paragraphs.extend(security::describe_required_permissions(method));
    for header in method.parameters.iter().filter(|parameter| is_ignored_header(parameter)) {
        paragraphs.push(format!("Reads the header field `{}`: {}", header.key, header.info));
    }
    if !uris_below.is_empty() {
        let uris = join_first_items(uris_below.iter().map(|uri| format!("`{uri}`")), " or ");
        paragraphs.push(format!("Paths that begin with {uris} belong to another service."));
    }
    let body = request_body::request_body(api, method, schemas);
    let errors = possible_error_classes(api, method, body.is_some());
    let mut parameters = operation_parameters(method, segments, schemas);
    if method.allows_jsonp(api.jsonp) {
        parameters.push(jsonp::callback_parameter(schemas));
    }
    OperationBuilder::new()
        .operation_id(Some(id))
        .tag(module.name.as_str())
        .summary(Some(summary))
        .description((!paragraphs.is_empty()).then(|| paragraphs.join("\n\n")))
        .deprecated(method.options.deprecated.then_some(Deprecated::True))
        .securities(Some(security::security_requirements(api, method)))
        .parameters(Some(parameters))
        .request_body(body)
        .responses(responses.operation_responses((api, module, method), &errors, schemas))
        .build()
}

/// Returns the classes of server errors that a call of the method can cause. The class of errors that any request can
/// cause is not included.
pub(super) fn possible_error_classes(api: &Api, method: &Method, has_body: bool) -> Vec<&'static ErrorClass> {
    let has_parameter_in = |expected: &[Placement]| {
        let mut placements = method.parameters.iter().filter_map(|parameter| placement(method.http, parameter));
        placements.any(|placement| expected.contains(&placement))
    };
    let has_files =
        method.parameters.iter().any(|parameter| matches!(parameter.r#type.check.arity(), Arity::File | Arity::Files));
    let checks_query = api.unknown == UnknownParameters::Refuse || method.allows_jsonp(api.jsonp);
    let has_parameters = !method.parameters.is_empty() || checks_query;
    let classes = [
        (has_parameters, &error_classes::BAD_REQUEST),
        (!method.scope.is_public(), &error_classes::UNAUTHENTICATED),
        (!method.scope.is_public(), &error_classes::FORBIDDEN),
        (!method.scope.is_public(), &error_classes::TOO_MANY_REQUESTS),
        (has_body, &error_classes::TIMEOUT),
        (has_body || has_parameter_in(&[Placement::Query]), &error_classes::TOO_LARGE),
        (has_parameter_in(&[Placement::Path, Placement::Query]), &error_classes::URI_TOO_LONG),
        (has_body, &error_classes::UNSUPPORTED_MEDIA_TYPE),
        (has_parameter_in(&[Placement::Header, Placement::Cookie]), &error_classes::HEAD_TOO_LARGE),
        (has_files, &error_classes::INTERNAL_OR_UPLOAD_ERROR),
        (!has_files, &error_classes::INTERNAL_ERROR),
        (api.unbound == Unbound::NotImplemented, &error_classes::NOT_IMPLEMENTED),
        (true, &error_classes::UNAVAILABLE),
        (has_files, &error_classes::INSUFFICIENT_STORAGE),
    ];
    classes.into_iter().filter_map(|(is_possible, class)| is_possible.then_some(class)).collect()
}
