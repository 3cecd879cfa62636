//! What OPTIONS answers: definitions that load again, with what helps a client beside them.

use serde_json::{Value as Json, json};

use super::canonical::{Keys, Reader, write_alone, write_api};
use super::{Above, ServiceUri, Uris};
use crate::model::Api;

/// What OPTIONS answers on base, above it and on `*`: the whole API, without what is the server's alone.
#[must_use]
pub fn options_all(api: &Api, uris: &Uris<'_>) -> Json {
    linked(write_api(api, Reader::Client), &uris.below)
}

/// What OPTIONS answers on a service: a file that defines it alone.
#[must_use]
pub fn options_service(api: &Api, uri: &ServiceUri<'_>) -> Json {
    linked(write_alone(api, uri.module, uri.service, Reader::Client), &uri.below)
}

/// What OPTIONS answers on a URI above services: a file that defines nothing.
#[must_use]
pub fn options_above(uri: &Above<'_>) -> Json {
    linked(Keys::default(), &uri.below)
}

/// A definition with where to go from here, in keys that its reader passes over.
fn linked(mut keys: Keys, below: &[String]) -> Json {
    keys.some("$below", Some(json!(below)));
    keys.some("$links", Some(json!({ "openapi": OPENAPI, "docs": DOCS })));
    keys.json()
}

/// Where the server has the OpenAPI document.
pub(super) const OPENAPI: &str = "/openapi.json";
/// Where the server has pages for people.
pub(super) const DOCS: &str = "/docs";
