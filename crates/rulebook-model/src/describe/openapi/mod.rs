//! Describes the API in an OpenAPI 3.1 document.
//!
//! This Rust module generates the structure and the texts of the document. It builds a frame, which is the document
//! without paths, and the parts of operations from the types of the crate `utoipa`, converts them to JSON, and inserts
//! the schemas. Parts that several operations have in common become components. The schemas come from the parameter
//! types and from the envelopes (the formats of responses). This Rust module only restricts a schema to the values that
//! can be serialized as text. [`convert_openapi`] converts the complete document to another version of OpenAPI. This
//! Rust module must not depend on the plan that handles requests, or on requests.

mod component_name;
mod content;
mod discriminator;
mod downloads;
mod error_classes;
mod error_group;
mod headers;
mod kinds;
mod members;
mod openapi_3_0;
mod operation;
mod parameters;
mod parts;
mod paths;
mod placement_texts;
mod plain_keywords;
mod request_body;
mod response_fields;
mod responses;
mod sample_errors;
mod schemas;
mod security;
mod serialization;
mod server_parameters;
mod single_item;
mod success;
mod write;

use serde::Serializer;
use serde_json::Value as Json;
use utoipa::openapi::extensions::{Extensions, ExtensionsBuilder};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, ContactBuilder, InfoBuilder, LicenseBuilder, OpenApiBuilder, ServerBuilder};
use utoipa::openapi::{Contact, Info, License, Paths, Server};

use super::module_part::ModulePart;
use crate::error::ErrorCode;
use crate::model::{Api, DEFAULT_TIMEZONE, Method, Module};
use paths::Operations;

pub(super) use parameters::placement;
pub(super) use serialization::{Placement, TextStyle, text_style};

pub use openapi_3_0::{OpenapiVersion, convert_openapi};

pub(super) use sample_errors::{error_body, sample_declared_error, sample_error};

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
    for (name, scheme) in security::security_schemes(api) {
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
    write::write_document(&frame, (api, detail), &Operations::new(api, part), serializer)
}

/// Returns the server errors that a call of the method can cause, ordered by status. Errors that any request can cause
/// are not included.
pub(super) fn possible_error_codes(api: &Api, module: &Module, method: &Method) -> Vec<ErrorCode> {
    let has_body = !request_body::body_fields(method).is_empty();
    let classes = error_classes::possible_error_classes(api, (module, method), has_body);
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

/// The OpenAPI extension with the time zone of dates and times that have no offset. It applies to dates and times in
/// schemas and in requests. Its value is the name of a time zone in the IANA database. If the document does not have
/// this extension, the time zone is UTC.
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
