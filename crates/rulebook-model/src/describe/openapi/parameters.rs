//! The parameters of an operation. Parameters in the request body are not included, because OpenAPI describes them as a
//! part of the body.

use serde_json::Value as Json;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ContentBuilder, Required};

use super::super::example;
use super::operation::DescribedMethod;
use super::schemas::{SchemaPlace, Schemas, with_description};
use super::serialization::{
    Placement, TextStyle, alternative_note, default_for_documents, text_encoding, value_for_documents,
};
use crate::call::{HttpMethod, Value};
use crate::model::{self, Location, Method};

/// The header fields that OpenAPI does not allow as parameters (OpenAPI 3.1.1, Parameter Object, `name`).
const HEADERS_IGNORED_BY_OPENAPI: [&str; 3] = ["accept", "content-type", "authorization"];

/// A parameter of a method, with its name in the request and the part of the request that carries it.
#[derive(Clone, Copy)]
pub(super) struct PlacedParameter<'a> {
    pub(super) name: &'a str,
    pub(super) parameter: &'a model::Parameter,
    pub(super) placement: Placement,
}

/// Returns the part of a request that carries a parameter, or `None` if the body carries the parameter.
pub(in crate::describe) fn placement(http: HttpMethod, parameter: &model::Parameter) -> Option<Placement> {
    match parameter.from {
        Location::Path | Location::Position(_) => Some(Placement::Path),
        Location::Query => Some(Placement::Query),
        Location::Any if !has_request_body(http) => Some(Placement::Query),
        Location::Header => Some(Placement::Header),
        Location::Cookie => Some(Placement::Cookie),
        Location::Any | Location::Body | Location::WholeBody => None,
    }
}

/// Returns `true` if requests with this HTTP method have a body, from which parameters are read.
pub(super) fn has_request_body(http: HttpMethod) -> bool {
    !matches!(http, HttpMethod::Get | HttpMethod::Delete)
}

/// Returns `true` if a parameter is a header field that OpenAPI does not allow as a parameter.
pub(super) fn is_ignored_header(parameter: &model::Parameter) -> bool {
    parameter.from == Location::Header && HEADERS_IGNORED_BY_OPENAPI.contains(&parameter.key.as_str())
}

/// Returns the parameters of an operation, without those in the body. `segments` are the parameters in the path of the
/// operation, with their names in the path.
pub(super) fn operation_parameters<'a>(
    method: &'a Method,
    segments: &[(&'a str, &'a model::Parameter)],
) -> Vec<PlacedParameter<'a>> {
    let mut placed: Vec<_> = segments
        .iter()
        .map(|(name, parameter)| PlacedParameter { name, parameter, placement: Placement::Path })
        .collect();
    for parameter in method.parameters.iter().filter(|parameter| !is_ignored_header(parameter)) {
        let Some(placement) = placement(method.http, parameter).filter(|placement| *placement != Placement::Path)
        else {
            continue;
        };
        let name = parameter.key.as_str();
        // If two parameters are read from the same field of a request, only the first parameter is described.
        if !placed.iter().any(|other| other.name == name && other.placement == placement) {
            placed.push(PlacedParameter { name, parameter, placement });
        }
    }
    placed
}

fn openapi_location(placement: Placement) -> ParameterIn {
    match placement {
        Placement::Path => ParameterIn::Path,
        // OpenAPI describes the fields of a form as part of the request body.
        Placement::Query | Placement::Form => ParameterIn::Query,
        Placement::Header => ParameterIn::Header,
        Placement::Cookie => ParameterIn::Cookie,
    }
}

pub(super) fn describe_parameter(
    PlacedParameter { name, parameter, placement }: PlacedParameter<'_>,
    described: DescribedMethod<'_>,
    schemas: &mut Schemas,
) -> Parameter {
    let method = described.method;
    let is_required = placement == Placement::Path || !parameter.optional;
    let encoding = text_encoding(&parameter.r#type, placement, is_required);
    let notes = encoding.note.into_iter().chain(alternative_note(parameter, placement, &encoding.style));
    let info = notes.fold(parameter.info.clone(), |info, note| format!("{info}\n\n{note}"));
    let place = SchemaPlace { method: described.name, part: placement.as_str(), key: name };
    let schema = schemas.add_referenced(encoding.schema, &*parameter.r#type.check, place);
    let schema = schemas.type_schema_or_reference(place, schema);
    let value = example::parameter_example(method, parameter);
    let example = value.and_then(|value| value_for_documents(&parameter.r#type, &encoding.style, value));
    // The serialization of a value other than a text can contain characters that are not allowed in this part of the
    // request. A default or an example with such characters is omitted.
    let is_json = matches!(encoding.style, TextStyle::Json | TextStyle::Members);
    let is_sendable = |value: &Json| is_json || example::is_sendable(parameter.from, &Value::from(value));
    let example = example.filter(is_sendable);
    let default = default_for_documents(parameter, &encoding.style).filter(is_sendable);
    let schema = with_default_and_example(schema, parameter, default, example.as_ref());
    // Some tools, such as Swagger UI, send every parameter that has an example here. The schema contains the others.
    let example = example.filter(|_| is_required);
    let (style, explode) = encoding.style.openapi_style_and_explode(placement);
    let builder = ParameterBuilder::new()
        .name(name)
        .parameter_in(openapi_location(placement))
        .description(Some(info))
        .required(if is_required { Required::True } else { Required::False })
        .style(style)
        .explode(explode);
    let schema = schemas.add_with_placeholder(schema);
    if encoding.style == TextStyle::Json {
        let content = ContentBuilder::new().schema(Some(schema)).example(example).build();
        builder.content("application/json", content).build()
    } else {
        builder.schema(Some(schema)).example(example).build()
    }
}

/// Adds the default and the example of a parameter to the parameter's schema. The description is not added, because the
/// OpenAPI parameter has a separate member for it.
fn with_default_and_example(
    schema: Json,
    parameter: &model::Parameter,
    default: Option<Json>,
    example: Option<&Json>,
) -> Json {
    let example = example.filter(|_| example::has_additional_example(parameter));
    let mut schema = with_description(schema, &parameter.info, default, example);
    if let Json::Object(members) = &mut schema {
        members.remove("description");
    }
    schema
}
