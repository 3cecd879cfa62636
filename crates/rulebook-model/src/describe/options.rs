//! The JSON documents in responses to OPTIONS. Each document is a definition that rulebook can load, with additional
//! links for clients.

use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::{Value as Json, json};

use super::canonical::{CanonicalForm, ModulesObject, ObjectWriter, write_service, write_settings};
use super::canonical_schemas::{SchemaReferences, json_schemas, schemas_of_methods, write_schemas};
use super::{IntermediateUri, ServiceUri, Uris};
use crate::model::Api;

/// Returns the response to OPTIONS for the base path, for the paths above the base path and for the request target `*`.
/// The response describes the whole API, without the settings of the server.
#[must_use]
pub fn options_for_api(api: &Api, uris: &Uris<'_>) -> Json {
    // Serializing the response to a JSON value cannot fail.
    write_options_for_api(api, uris, serde_json::value::Serializer).unwrap_or_default()
}

/// Writes the response that [`options_for_api`] returns.
///
/// # Errors
/// Returns the errors of the serializer.
pub fn write_options_for_api<S: Serializer>(api: &Api, uris: &Uris<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let references = SchemaReferences::ByKey;
    let form = CanonicalForm::ForClients(references);
    let mut links = ObjectWriter::default();
    add_links(&mut links, &uris.uris_below);
    let mut object = serializer.serialize_map(None)?;
    for (key, value) in write_settings(api, form).into_entries() {
        object.serialize_entry(&key, &value)?;
    }
    if !api.schemas.is_empty() {
        object.serialize_entry("schemas", &write_schemas(&api.schemas))?;
    }
    object.serialize_entry("modules", &ModulesObject { api, form })?;
    let services = api.services();
    let used = schemas_of_methods(services.flat_map(|service| &service.methods));
    if !used.is_empty() {
        object.serialize_entry("$defs", &json_schemas(&used, references))?;
    }
    for (key, value) in links.into_entries() {
        object.serialize_entry(&key, &value)?;
    }
    object.end()
}

/// Returns the response to OPTIONS for the URI of a service: a definition file that contains only this service.
#[must_use]
pub fn options_for_service(api: &Api, uri: &ServiceUri<'_>) -> Json {
    let form = CanonicalForm::ForClients(SchemaReferences::ByName);
    let mut object = write_service(api, uri.module, uri.service, form);
    add_links(&mut object, &uri.uris_below);
    object.into_json()
}

/// Returns the response to OPTIONS for a URI that has no service itself but has services below it. The response is a
/// definition file without services.
#[must_use]
pub fn options_for_intermediate_uri(uri: &IntermediateUri<'_>) -> Json {
    let mut object = ObjectWriter::default();
    add_links(&mut object, &uri.uris_below);
    object.into_json()
}

/// Adds the links to an OPTIONS response: `$below` lists the URIs below the requested URI, and `$links` contains the
/// paths of other documents. The parser of definitions ignores both keys.
fn add_links(object: &mut ObjectWriter, uris_below: &[String]) {
    object.add_if_some("$below", Some(json!(uris_below)));
    object.add_if_some(
        "$links",
        cfg!(feature = "documents").then(|| json!({ "openapi": "/openapi.json", "docs": "/docs" })),
    );
}
