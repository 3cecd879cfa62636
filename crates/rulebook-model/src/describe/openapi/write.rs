//! Writes the OpenAPI document. It consists of the frame (the document without paths), the paths and the components.

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::SecurityRequirement;

use super::super::in_words::{describe_deprecation, describe_rate_limits, join_first_items};
use super::operation::{DescribedMethod, DescribedOperation, OperationDescriber};
use super::parameters::{has_request_body, is_ignored_header};
use super::parts::PartInOperation;
use super::paths::{Operations, PathOperation};
use super::{OpenapiDetail, security};
use crate::call::HttpMethod;
use crate::model::{Api, Location, Method, Module, date_or_time};

/// The member of the document that contains the paths.
const PATHS_MEMBER: &str = "paths";
/// The member of the document that contains the components.
const COMPONENTS_MEMBER: &str = "components";

/// Writes an OpenAPI document. `frame` contains the members of the document except the paths, and only those components
/// that operations do not add.
///
/// The operations are described before any of them is written, because only then it is known which of their parts occur
/// more than once. Returns the errors of the serializer.
pub(super) fn write_document<S: Serializer>(
    frame: &OpenApi,
    (api, detail): (&Api, OpenapiDetail),
    operations: &Operations<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut describer = OperationDescriber::new(api, detail);
    let mut described = Vec::new();
    for operation in operations.paths().flat_map(|(_, operations)| operations) {
        let module = operations.service_of(operation).module;
        let method = DescribedMethod { module, method: operation.method, name: &operation.method_name };
        described.push(describer.describe(method, &operations.path_parameters(operation)));
    }
    let components = describer.make_components(frame.components.clone().unwrap_or_default());
    let components = components.map_err(S::Error::custom)?;
    let members = serde_json::to_value(frame).map_err(S::Error::custom)?;
    let mut document = serializer.serialize_map(None)?;
    for (name, member) in members.as_object().into_iter().flatten() {
        document.serialize_key(name)?;
        match name.as_str() {
            PATHS_MEMBER => {
                document.serialize_value(&PathsObject {
                    api,
                    operations,
                    describer: &describer,
                    described: &described,
                })?;
            }
            COMPONENTS_MEMBER => document.serialize_value(&components)?,
            _ => document.serialize_value(member)?,
        }
    }
    document.end()
}

/// The paths of a document. The objects in it are created while they are serialized, because all objects of a large API
/// would need much memory.
struct PathsObject<'o, 'a> {
    api: &'o Api,
    operations: &'o Operations<'a>,
    describer: &'o OperationDescriber<'o>,
    /// The parts of each operation, in the order of the operations.
    described: &'o [DescribedOperation],
}

impl Serialize for PathsObject<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut described = self.described.iter();
        let mut paths = serializer.serialize_map(None)?;
        for (path, operations) in self.operations.paths() {
            let operations = operations.iter().zip(&mut described);
            let operations = operations.map(|(operation, parts)| {
                let name = operation.method.http.as_str().to_ascii_lowercase();
                (name, self.operation_object(operation, parts))
            });
            paths.serialize_entry(path, &EntriesObject(operations.collect()))?;
        }
        paths.end()
    }
}

impl<'o> PathsObject<'o, '_> {
    fn operation_object(&self, operation: &'o PathOperation<'_>, parts: &'o DescribedOperation) -> OperationObject<'o> {
        let Self { api, operations, describer, .. } = *self;
        let method = operation.method;
        let module = operations.service_of(operation).module;
        let responses = parts.responses.iter();
        let responses =
            responses.map(|(status, index)| (status.as_str(), describer.responses().part_in_operation(*index)));
        OperationObject {
            tags: [&module.name],
            summary: method.info.trim().lines().next().unwrap_or_default(),
            description: operation_description(api, (module, method), operations.uris_below(operation)),
            operation_id: &operation.operation_id,
            parameters: parts.parameters.iter().map(|index| describer.parameters().part_in_operation(*index)).collect(),
            request_body: parts.request_body.map(|index| describer.request_bodies().part_in_operation(index)),
            responses: EntriesObject(responses.collect()),
            deprecated: method.options.deprecation.is_some(),
            sunset: method.options.deprecation.as_ref().and_then(|it| it.sunset).map(date_or_time),
            security: security::security_requirements(api, method),
            constraints: method
                .constraints
                .iter()
                .map(|constraint| constraint.to_json_with(&|name| method.request_name(name)))
                .collect(),
        }
    }
}

/// Returns the description of an operation; `None` if its summary is sufficient. If the parameters in the path have
/// certain values, a service at one of `uris_below` handles the request.
fn operation_description(api: &Api, (module, method): (&Module, &Method), uris_below: &[String]) -> Option<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let info = method.info.trim();
    if info.lines().nth(1).is_some() {
        paragraphs.push(info.to_owned());
    }
    if let Some(deprecation) = &method.options.deprecation {
        let details = describe_deprecation(deprecation, |id| format!("`{id}`"));
        paragraphs.extend((!details.is_empty()).then(|| format!("Deprecated {details}.")));
    }
    paragraphs.extend(security::describe_required_permissions(method));
    let limits = describe_rate_limits(api, module, method);
    if !limits.is_empty() {
        paragraphs.push(limits.join(" "));
    }
    for header in method.parameters.iter().filter(|parameter| is_ignored_header(parameter)) {
        paragraphs.push(format!("Reads the header field `{}`: {}", header.key, header.info));
    }
    paragraphs.extend(describe_alternative_sources(method));
    let constraints: Vec<_> = method.constraints_in_words().iter().map(|text| format!("- {text}")).collect();
    if !constraints.is_empty() {
        paragraphs.push(format!("Between the parameters:\n\n{}", constraints.join("\n")));
    }
    if !uris_below.is_empty() {
        let uris = join_first_items(uris_below.iter().map(|uri| format!("`{uri}`")), " or ");
        paragraphs.push(format!("Paths that begin with {uris} belong to another service."));
    }
    (!paragraphs.is_empty()).then(|| paragraphs.join("\n\n"))
}

/// Returns a sentence about the parameters that a client can send in the query or in the body; `None` if there are no
/// such parameters. OpenAPI cannot express the choice, so the document describes them in the usual part of the request.
/// The body of a GET request is not mentioned, because many programs cannot send it (RFC 9110 section 9.3.1).
fn describe_alternative_sources(method: &Method) -> Option<String> {
    if method.http == HttpMethod::Get {
        return None;
    }
    let parameters = method.parameters.iter().filter(|parameter| parameter.from == Location::Any);
    let names: Vec<_> = parameters.map(|parameter| format!("`{}`", parameter.key)).collect();
    let (described, other) = match has_request_body(method.http) {
        true => ("body", "query"),
        false => ("query", "body, as fields of a form or members of a JSON object"),
    };
    (!names.is_empty()).then(|| {
        let names = join_first_items(names.into_iter(), ", ");
        format!("Instead of in the {described}, a client can send {names} in the {other}.")
    })
}

/// An operation (Operation Object in OpenAPI).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationObject<'o> {
    tags: [&'o str; 1],
    summary: &'o str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    operation_id: &'o str,
    parameters: Vec<PartInOperation<'o>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<PartInOperation<'o>>,
    responses: EntriesObject<&'o str, PartInOperation<'o>>,
    #[serde(skip_serializing_if = "is_false")]
    deprecated: bool,
    /// The end of a deprecated operation, under the name by which tools know it.
    #[serde(rename = "x-sunset", skip_serializing_if = "Option::is_none")]
    sunset: Option<String>,
    /// The permissions that a caller needs. If a method requires no permission, this member is omitted, so that the
    /// security requirements of the document apply, which are empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    security: Vec<SecurityRequirement>,
    /// What must hold between the parameters, which OpenAPI can say only of the members of a body.
    #[serde(rename = "x-constraints", skip_serializing_if = "Vec::is_empty")]
    constraints: Vec<serde_json::Value>,
}

fn is_false(value: &bool) -> bool {
    !value
}

struct EntriesObject<K, V>(Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for EntriesObject<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, member)| (name, member)))
    }
}
