//! The JSON documents in responses to OPTIONS. Each document is a definition that rulebook can load, with additional
//! links for clients.

use serde_json::{Value as Json, json};

use super::canonical::{CanonicalForm, ObjectWriter, write_api, write_service};
use super::{IntermediateUri, ServiceUri, Uris};
use crate::model::Api;

/// Returns the response to OPTIONS for the base path, for the paths above the base path and for the request target `*`.
/// The response describes the whole API, without the settings of the server.
#[must_use]
pub fn options_for_api(api: &Api, uris: &Uris<'_>) -> Json {
    add_links(write_api(api, CanonicalForm::ForClients), &uris.uris_below)
}

/// Returns the response to OPTIONS for the URI of a service: a definition file that contains only this service.
#[must_use]
pub fn options_for_service(api: &Api, uri: &ServiceUri<'_>) -> Json {
    add_links(write_service(api, uri.module, uri.service, CanonicalForm::ForClients), &uri.uris_below)
}

/// Returns the response to OPTIONS for a URI that has no service itself but has services below it. The response is a
/// definition file without services.
#[must_use]
pub fn options_for_intermediate_uri(uri: &IntermediateUri<'_>) -> Json {
    add_links(ObjectWriter::default(), &uri.uris_below)
}

/// Adds the links to an OPTIONS response: `$below` lists the URIs below the requested URI, and `$links` contains the
/// paths of other documents. The parser of definitions ignores both keys.
fn add_links(mut object: ObjectWriter, uris_below: &[String]) -> Json {
    object.add_if_some("$below", Some(json!(uris_below)));
    object.add_if_some(
        "$links",
        cfg!(feature = "documents").then(|| json!({ "openapi": OPENAPI_PATH, "docs": DOCS_PATH })),
    );
    object.into_json()
}

/// The URI path at which the server offers the OpenAPI document.
pub(super) const OPENAPI_PATH: &str = "/openapi.json";
/// The URI path at which the server offers the documentation pages.
pub(super) const DOCS_PATH: &str = "/docs";
