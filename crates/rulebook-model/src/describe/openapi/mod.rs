//! Describes the API in an OpenAPI 3.1 document.
//!
//! This Rust module generates the structure and the texts of the document. It builds a frame, which is the document
//! without paths, and the parts of operations from the types of the crate `utoipa`, converts them to JSON, and inserts
//! the schemas. Parts that several operations have in common become components. The schemas come from the parameter
//! types and from the envelopes (the formats of responses). This Rust module only restricts a schema to the values that
//! can be serialized as text. [`convert_openapi`] converts the complete document to another version of OpenAPI. This
//! Rust module must not depend on the plan that handles requests, or on requests.

mod errors;
mod openapi_3_0;
mod operation;
mod paths;
mod request_body;
mod response_headers;
mod responses;
mod schemas;
mod serialization;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::Range;

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use utoipa::openapi::extensions::{Extensions, ExtensionsBuilder};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, OpenIdConnect, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Contact, ContactBuilder, Info, InfoBuilder, License, LicenseBuilder, OpenApi, OpenApiBuilder,
    Paths, Server, ServerBuilder,
};

use super::in_words::{
    self, CredentialKind, credential_kind, describe_deprecation, describe_rate_limits, join_first_items,
};
use super::markdown::code_span;
use crate::call::{AuthScheme, HttpMethod};
use crate::error::ErrorCode;
use crate::model::{
    Api, DEFAULT_TIMEZONE, Location, Method, Module, Parameter, Permission, PermissionPart, date_or_time,
};
use operation::{
    DescribedMethod, DescribedOperation, OperationDescriber, PartInOperation, has_request_body, is_ignored_header,
};
use paths::{Operations, PathOperation};

pub(super) use errors::{error_body, sample_declared_error, sample_error};
pub use openapi_3_0::{OpenapiVersion, convert_openapi};
pub(super) use operation::placement;
pub(super) use serialization::{Placement, TextStyle, text_style};

/// How much an OpenAPI document says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenapiDetail {
    /// Everything: each media type, each status with its errors, header fields and examples.
    #[default]
    Full,
    /// What a generator of clients needs: bodies in JSON, the schema of each result as a component with the name of its
    /// method, the errors that methods declare, and one response for all other errors.
    Lean,
}

/// Returns the OpenAPI document of an API.
#[must_use]
pub fn openapi(api: &Api) -> Json {
    openapi_part(api, None, OpenapiDetail::Full)
}

/// Returns the OpenAPI document of an API or, if `part` is given, of an API module or a part of it.
#[must_use]
pub fn openapi_part(api: &Api, part: Option<&ModulePart>, detail: OpenapiDetail) -> Json {
    // Serializing an OpenAPI document to a JSON value cannot fail.
    write_openapi(api, part, detail, serde_json::value::Serializer).unwrap_or_default()
}

/// Writes the OpenAPI document of an API, or only of the given part of an API module. The operations are
/// written one by one, because the complete document of a large API would need much more memory as a tree of JSON
/// values than as text.
///
/// # Errors
/// Returns the errors of the serializer.
pub fn write_openapi<S: Serializer>(
    api: &Api,
    part: Option<&ModulePart>,
    detail: OpenapiDetail,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let modules = match part {
        Some(part) => api.modules.get(part.module..=part.module).unwrap_or_default(),
        None => &api.modules[..],
    };
    let tags = modules
        .iter()
        .map(|module| TagBuilder::new().name(module.name.as_str()).description(module.info.as_deref()).build());
    let mut components = ComponentsBuilder::new();
    for (name, scheme) in security_schemes(api) {
        components = components.security_scheme(name, scheme);
    }
    let mut frame = OpenApiBuilder::new()
        .info(document_info(api))
        .servers(Some(document_servers(api)))
        .tags(Some(tags))
        .paths(Paths::new())
        .components(Some(components.build()))
        // An operation without security requirements of its own requires no permission.
        .security(Some([]))
        .build();
    frame.extensions = timezone_extension(api);
    write_document(&frame, (api, detail), &Operations::new(api, part), serializer)
}

/// Returns the codes ordered by status, without the errors that any request can cause.
pub(super) fn possible_error_codes(api: &Api, module: &Module, method: &Method) -> Vec<ErrorCode> {
    let has_body = !request_body::body_fields(method).is_empty();
    let classes = errors::possible_error_classes(api, (module, method), has_body);
    let mut codes: Vec<_> = classes.iter().flat_map(|class| class.codes).copied().collect();
    codes.sort_by_key(|code| code.status());
    codes
}

fn document_info(api: &Api) -> Info {
    let contact = api.contact.as_ref().map(|contact| -> Contact {
        let builder = ContactBuilder::new().name(contact.name.as_deref()).url(contact.url.as_deref());
        builder.email(contact.email.as_deref()).build()
    });
    let license = api.license.as_ref().map(|license| -> License {
        // In OpenAPI, a license must not have both `identifier` and `url`.
        let url = license.url.as_deref().filter(|_| license.identifier.is_none());
        let builder = LicenseBuilder::new().name(license.name.as_str());
        builder.identifier(license.identifier.as_deref()).url(url).build()
    });
    let info = InfoBuilder::new().title(api.title.as_str()).version(api.version.as_str());
    info.description(api.info.as_deref()).contact(contact).license(license).build()
}

/// An extension for dates and times without offset, in schemas and in requests. Its value is the name of a time zone in
/// the IANA database; without it, the time zone is UTC.
const TIMEZONE_EXTENSION: &str = "x-timezone";

fn timezone_extension(api: &Api) -> Option<Extensions> {
    let is_set = api.timezone != DEFAULT_TIMEZONE;
    is_set.then(|| ExtensionsBuilder::new().add(TIMEZONE_EXTENSION, api.timezone.as_str()).build())
}

/// Returns the servers that the definition declares, followed by the server that sends the document. The URL of the
/// last server is relative, so that it is correct behind every reverse proxy.
fn document_servers(api: &Api) -> Vec<Server> {
    let declared = api.servers.iter().map(|server| {
        let builder = ServerBuilder::new().url(server.url.as_str());
        builder.description(server.info.as_deref()).build()
    });
    let this = ServerBuilder::new().url(".").description(Some("The server of this document"));
    declared.chain([this.build()]).collect()
}

const MAX_METHODS_PER_PART: usize = 250;

/// A part of an API module: a range of its methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModulePart {
    /// The index of the API module in [`Api::modules`].
    pub module: usize,
    /// The indexes of the methods. The methods of all services of the API module are numbered consecutively, from 0.
    pub methods: Range<usize>,
}

impl ModulePart {
    /// Returns a part with all methods of the API module whose index is `module`.
    #[must_use]
    pub fn whole_module(api: &Api, module: usize) -> Self {
        let services = api.modules.get(module).into_iter().flat_map(|module| &module.services);
        Self { module, methods: 0..services.map(|service| service.methods.len()).sum() }
    }

    /// Splits this part into parts of at most 250 methods, in order. If this part has no methods, the result is one
    /// part without methods.
    pub fn split(&self) -> impl Iterator<Item = Self> + use<> {
        let Self { module, methods: Range { start, end } } = *self;
        split_method_range(start..end).map(move |methods| Self { module, methods })
    }
}

/// If the range is empty, the result is one empty range.
pub(super) fn split_method_range(methods: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let Range { start, end } = methods;
    let parts = methods.len().div_ceil(MAX_METHODS_PER_PART).max(1);
    (0..parts)
        .map(move |part| start + part * MAX_METHODS_PER_PART..(start + (part + 1) * MAX_METHODS_PER_PART).min(end))
}

// Writing: the document consists of the frame (the document without paths), the paths and the components.

const PATHS_MEMBER: &str = "paths";
const COMPONENTS_MEMBER: &str = "components";

/// `frame` contains the document except the paths, and only those components that operations do not add. The operations
/// are described before any of them is written, because only then it is known which of their parts occur more than
/// once.
fn write_document<S: Serializer>(
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

/// The objects are created while they are serialized, because all objects of a large API would need much memory.
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
            security: security_requirements(api, method),
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
    paragraphs.extend(describe_required_permissions(method));
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
    /// Omitted if the method requires no permission, so that the empty requirements of the document apply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    security: Vec<SecurityRequirement>,
    /// Conditions between the parameters. OpenAPI itself can express only those between the members of a body.
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

// The authentication schemes of the API, and the permissions that methods require: as security requirements and as
// sentences.

/// Returns the schemes with their names; none if no method requires a permission.
fn security_schemes(api: &Api) -> Vec<(String, SecurityScheme)> {
    if api.methods().all(|(.., method)| method.scope.is_public()) {
        return Vec::new();
    }
    let mut schemes: Vec<(String, SecurityScheme)> = Vec::new();
    for scheme in &api.auth_schemes {
        let name = scheme.name();
        if schemes.iter().all(|(known, _)| *known != name) {
            schemes.push((name, self::security_scheme(scheme)));
        }
    }
    schemes
}

const ROLES_NOTE: &str = " The roles of an operation are the permissions that it requires.";

fn security_scheme(scheme: &AuthScheme) -> SecurityScheme {
    let describe = |what: &str| format!("{what}.{ROLES_NOTE}");
    let key = |name: &str, what: String| ApiKeyValue::with_description(name.to_owned(), describe(&what));
    match scheme {
        AuthScheme::Header(name) => {
            SecurityScheme::ApiKey(ApiKey::Header(key(name, format!("A credential in the header field `{name}`"))))
        }
        AuthScheme::Cookie(name) => {
            SecurityScheme::ApiKey(ApiKey::Cookie(key(name, format!("A credential in the cookie `{name}`"))))
        }
        AuthScheme::Jwt { discovery: Some(url), .. } => SecurityScheme::OpenIdConnect(OpenIdConnect::with_description(
            url,
            &describe("A token from the issuer that this OpenID Connect discovery document describes"),
        )),
        AuthScheme::Jwt { discovery: None, .. } => {
            let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
            let what = "A token that an issuer has signed, sent as a bearer token (RFC 6750, RFC 7519)";
            SecurityScheme::Http(http.description(Some(describe(what))).build())
        }
        AuthScheme::Certificate => SecurityScheme::MutualTls {
            description: Some(describe("The certificate of the client, which the server verifies with TLS")),
            deprecated: None,
            extensions: None,
        },
        AuthScheme::Http(_) => {
            let name = scheme.http_scheme().unwrap_or_default();
            let known = match name.as_str() {
                "bearer" => HttpAuthScheme::Bearer,
                "basic" => HttpAuthScheme::Basic,
                "digest" => HttpAuthScheme::Digest,
                "negotiate" => HttpAuthScheme::Negotiate,
                // The type `HttpAuthScheme` of the crate `utoipa` has no variant for other schemes.
                name => {
                    let what = format!("A credential of the HTTP authentication scheme `{name}`");
                    return SecurityScheme::ApiKey(ApiKey::Header(key("Authorization", what)));
                }
            };
            let CredentialKind { noun, standard } = credential_kind(scheme);
            let what = format!("A {noun}{}", standard.map_or_else(String::new, |standard| format!(" ({standard})")));
            SecurityScheme::Http(HttpBuilder::new().scheme(known).description(Some(describe(&what))).build())
        }
    }
}

/// Returns the security requirements of a method. A caller must meet one of them: a group of permissions, all of which
/// the caller needs, for one authentication scheme. Each group is repeated for each scheme.
fn security_requirements(api: &Api, method: &Method) -> Vec<SecurityRequirement> {
    let mut names: Vec<_> = api.auth_schemes.iter().map(AuthScheme::name).collect();
    let mut known = BTreeSet::new();
    names.retain(|name| known.insert(name.clone()));
    let requirement = |group: &[Permission], name: &String| {
        SecurityRequirement::new(name, group.iter().map(|permission| permission.text.as_str()))
    };
    let groups = method.scope.groups.iter();
    groups.flat_map(|group| names.iter().map(move |name| requirement(group, name))).collect()
}

/// Describes the permissions that a method requires, in sentences. Returns `None` if the method is public.
fn describe_required_permissions(method: &Method) -> Option<String> {
    if method.scope.is_public() {
        return None;
    }
    let groups = method.scope.groups.iter().map(|group| {
        let texts: Vec<_> = group.iter().map(|permission| format!("`{}`", permission.text)).collect();
        texts.join(" and ")
    });
    let groups: Vec<_> = groups.collect();
    let mut text = format!("Requires the permission {}.", groups.join(", or "));
    let pieces = method.scope.groups.iter().flatten().flat_map(|permission| &permission.parts);
    let mut explained: Vec<&str> = Vec::new();
    for name in pieces.filter_map(permission_variable) {
        if let Some(parameter) = method.parameter(name).filter(|_| !explained.contains(&name)) {
            explained.push(name);
            // Writing to a `String` cannot fail.
            let _ = write!(text, " `[{name}]` is the value of {}, in brackets.", describe_parameter_source(parameter));
        }
    }
    if let Some(when) = in_words::describe_call_condition(method, code_span) {
        let _ = write!(text, " You may call it {when}.");
    }
    Some(text)
}

fn permission_variable(piece: &PermissionPart) -> Option<&str> {
    match piece {
        PermissionPart::Variable(name) => Some(name),
        PermissionPart::Literal(_) => None,
    }
}

/// Returns the name of a parameter and the part of the request that carries it, such as "`id` in the path".
fn describe_parameter_source(parameter: &Parameter) -> String {
    let name = if parameter.key.is_empty() { &parameter.name } else { &parameter.key };
    format!("`{name}` in the {}", parameter.from.source())
}
