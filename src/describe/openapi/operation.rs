//! What one method does at one of its paths.

use utoipa::openapi::Deprecated;
use utoipa::openapi::path::{Operation, OperationBuilder};

use super::super::when::some;
use super::answers::Answers;
use super::parameters::{is_undescribed, parameters, place};
use super::rows::{self, Row};
use super::schemas::Schemas;
use super::text::Place;
use super::{bodies, jsonp, security};
use crate::model::{Api, Method, Module, Parameter, Unbound};
use crate::types::Takes;

/// The operation `id`, at a path whose segments these parameters fill, by their names there; the services at the URIs
/// `below` take some of their values for themselves.
pub(super) fn operation(
    (api, module, method): (&Api, &Module, &Method),
    id: String,
    (segments, below): (&[(&str, &Parameter)], &[String]),
    schemas: &mut Schemas,
    answers: &mut Answers,
) -> Operation {
    let mut lines = method.info.trim().lines();
    let summary = lines.next().unwrap_or_default();
    let mut words: Vec<String> = Vec::new();
    if lines.next().is_some() {
        words.push(method.info.trim().to_owned());
    }
    words.extend(security::words(method));
    for own in method.parameters.iter().filter(|own| is_undescribed(own)) {
        words.push(format!("Reads the header field `{}`: {}", own.key, own.info));
    }
    if !below.is_empty() {
        let uris = some(below.iter().map(|uri| format!("`{uri}`")), " or ");
        words.push(format!("What begins with {uris} is of another service."));
    }
    let body = bodies::body(api, method, schemas);
    let rows = reachable(api, method, body.is_some());
    let mut parameters = parameters(method, segments, schemas);
    if method.answers_jsonp(api.jsonp) {
        parameters.push(jsonp::parameter(schemas));
    }
    OperationBuilder::new()
        .operation_id(Some(id))
        .tag(module.name.as_str())
        .summary(Some(summary))
        .description((!words.is_empty()).then(|| words.join("\n\n")))
        .deprecated(method.options.deprecated.then_some(Deprecated::True))
        .securities(Some(security::requirements(method)))
        .parameters(Some(parameters))
        .request_body(body)
        .responses(answers.answers((api, module, method), &rows, schemas))
        .build()
}

/// What the engine may refuse such a request for, besides what it may refuse any for.
pub(super) fn reachable(api: &Api, method: &Method, has_body: bool) -> Vec<&'static Row> {
    let stands = |wanted: &[Place]| {
        let mut places = method.parameters.iter().filter_map(|own| place(method.http, own));
        places.any(|place| wanted.contains(&place))
    };
    let takes_files =
        method.parameters.iter().any(|own| matches!(own.r#type.check.takes(), Takes::File | Takes::Files));
    let refuses = api.unknown == crate::model::UnknownParameters::Refuse || method.answers_jsonp(api.jsonp);
    let has_parameters = !method.parameters.is_empty() || refuses;
    let rows = [
        (has_parameters, &rows::BAD_REQUEST),
        (!method.scope.is_public(), &rows::UNAUTHENTICATED),
        (!method.scope.is_public(), &rows::FORBIDDEN),
        (!method.scope.is_public(), &rows::TOO_MANY),
        (has_body, &rows::TIMEOUT),
        (has_body || stands(&[Place::Query]), &rows::TOO_LARGE),
        (stands(&[Place::Path, Place::Query]), &rows::URI_TOO_LONG),
        (has_body, &rows::UNSUPPORTED),
        (stands(&[Place::Header, Place::Cookie]), &rows::HEAD_TOO_LARGE),
        (takes_files, &rows::INTERNAL_OR_UPLOAD),
        (!takes_files, &rows::INTERNAL),
        (api.unbound == Unbound::NotImplemented, &rows::NOT_IMPLEMENTED),
        (true, &rows::UNAVAILABLE),
        (takes_files, &rows::NO_ROOM),
    ];
    rows.into_iter().filter_map(|(reachable, row)| reachable.then_some(row)).collect()
}
