//! The API as an OpenAPI 3.1 document.
//!
//! In charge of what the document says and how it is laid out: the frame is of
//! utoipa's types, the schemas are those of the types and the envelopes and are
//! put into the frame when it is JSON. Must not know plans or requests, and
//! makes no schema of a type itself: it only says how a value is written as text.

mod answers;
mod bodies;
mod files;
mod jsonp;
mod operation;
mod parameters;
mod paths;
mod rows;
mod samples;
mod schemas;
mod security;
mod shown;
mod success;
mod text;
mod whole;

use serde::Serializer;
use serde_json::Value as Json;
use utoipa::openapi::extensions::{Extensions, ExtensionsBuilder};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, ContactBuilder, InfoBuilder, LicenseBuilder, OpenApiBuilder, ServerBuilder};
use utoipa::openapi::{Contact, Info, License, Paths, Server};

use super::part::Part;
use crate::error::Code;
use crate::model::{Api, DEFAULT_TIMEZONE, Method};
use answers::Answers;
use paths::Listing;
use schemas::Schemas;
use whole::Rest;

pub(super) use parameters::place;
pub(super) use text::{Place, Style, style};

pub(super) use answers::shown;
pub(super) use samples::sample;

/// The OpenAPI document of an API.
#[must_use]
pub fn openapi(api: &Api) -> Json {
    document(api, None)
}

/// The OpenAPI document of a part of an API.
#[must_use]
pub fn openapi_part(api: &Api, part: &Part) -> Json {
    document(api, Some(part))
}

fn document(api: &Api, part: Option<&Part>) -> Json {
    // What the document is made of always serialises.
    write_openapi(api, part, serde_json::value::Serializer).unwrap_or_default()
}

/// Writes the OpenAPI document of an API, path by path: all of a large one takes much more room as a tree than as text.
/// That of a part has fewer paths, tags and components, and is else the same.
///
/// # Errors
/// Those of the serializer.
pub fn write_openapi<S: Serializer>(api: &Api, part: Option<&Part>, serializer: S) -> Result<S::Ok, S::Error> {
    let modules = match part {
        Some(part) => api.modules.get(part.module..=part.module).unwrap_or_default(),
        None => &api.modules[..],
    };
    let tags = modules
        .iter()
        .map(|module| TagBuilder::new().name(module.name.as_str()).description(module.info.as_deref()).build());
    let mut components = ComponentsBuilder::new();
    if let Some(scheme) = security::scheme(api) {
        components = components.security_scheme(security::BEARER, scheme);
    }
    let mut frame = OpenApiBuilder::new()
        .info(info(api))
        .servers(Some(servers(api)))
        .tags(Some(tags))
        .paths(Paths::new())
        .components(Some(components.build()))
        .build();
    frame.extensions = timezone(api);
    let mut schemas = Schemas::default();
    let answers = Answers::new(api, &mut schemas);
    whole::write(&frame, Rest { api, listing: Listing::new(api, part), schemas, answers }, serializer)
}

/// What the engine may refuse a method for, besides what it may refuse any for, in the order of their statuses.
pub(super) fn refusals(api: &Api, method: &Method) -> Vec<Code> {
    let has_body = bodies::body(api, method, &mut Schemas::default()).is_some();
    let rows = operation::reachable(api, method, has_body);
    let mut codes: Vec<_> = rows.iter().flat_map(|row| row.codes).copied().collect();
    codes.sort_by_key(|code| code.status());
    codes
}

fn info(api: &Api) -> Info {
    let contact = api.contact.as_ref().map(|own| -> Contact {
        let contact = ContactBuilder::new().name(own.name.as_deref()).url(own.url.as_deref());
        contact.email(own.email.as_deref()).build()
    });
    let license = api.license.as_ref().map(|own| -> License {
        // The specification takes one of the two.
        let url = own.url.as_deref().filter(|_| own.identifier.is_none());
        LicenseBuilder::new().name(own.name.as_str()).identifier(own.identifier.as_deref()).url(url).build()
    });
    let info = InfoBuilder::new().title(api.title.as_str()).version(api.version.as_str());
    info.description(api.info.as_deref()).contact(contact).license(license).build()
}

/// The member of the document that names the zone of dates and times that name none themselves, in schemas as in
/// requests, as the IANA database calls it. Without it that is UTC.
const TIMEZONE: &str = "x-timezone";

fn timezone(api: &Api) -> Option<Extensions> {
    let is_told = api.timezone != DEFAULT_TIMEZONE;
    is_told.then(|| ExtensionsBuilder::new().add(TIMEZONE, api.timezone.as_str()).build())
}

/// Where the API is served: what its definition says, and last beside this document, whatever stands in front of
/// both.
fn servers(api: &Api) -> Vec<Server> {
    let declared = api.servers.iter().map(|own| {
        let server = ServerBuilder::new().url(own.url.as_str());
        server.description(own.info.as_deref()).build()
    });
    let beside = ServerBuilder::new().url(".").description(Some("The server that this document comes from"));
    declared.chain([beside.build()]).collect()
}
