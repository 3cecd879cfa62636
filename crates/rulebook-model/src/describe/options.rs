//! The JSON documents in responses to OPTIONS: definitions that can be loaded again, with links for clients.

use serde_json::{Value as Json, json};

use super::canonical::{CanonicalForm, ObjectWriter, write_api, write_service};
use super::{IntermediateUri, ServiceUri, Uris};
use crate::model::Api;

/// Returns the response to OPTIONS for the base path, for the paths above it and for `*`: the whole API, without the
/// settings of the server.
#[must_use]
pub fn options_all(api: &Api, uris: &Uris<'_>) -> Json {
    with_links(write_api(api, CanonicalForm::ForClients), &uris.below)
}

/// Returns the response to OPTIONS for a service: a definition file with this service only.
#[must_use]
pub fn options_service(api: &Api, uri: &ServiceUri<'_>) -> Json {
    with_links(write_service(api, uri.module, uri.service, CanonicalForm::ForClients), &uri.below)
}

/// Returns the response to OPTIONS for a URI that has services only below it: a definition file without services.
#[must_use]
pub fn options_intermediate(uri: &IntermediateUri<'_>) -> Json {
    with_links(ObjectWriter::default(), &uri.below)
}

/// Adds links to the URIs below and to other documents, under keys that the parser of definitions ignores.
fn with_links(mut object: ObjectWriter, below: &[String]) -> Json {
    object.if_some("$below", Some(json!(below)));
    object.if_some("$links", cfg!(feature = "documents").then(|| json!({ "openapi": OPENAPI, "docs": DOCS })));
    object.json()
}

/// The path of the OpenAPI document on the server.
pub(super) const OPENAPI: &str = "/openapi.json";
/// The path of the documentation pages on the server.
pub(super) const DOCS: &str = "/docs";
