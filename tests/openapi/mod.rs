//! The OpenAPI document: its description of each part of a definition, and that the server behaves as described.

mod examples;
mod golden;
pub mod modules;
mod parts;
pub mod paths;
mod requests;
mod responses;

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use rulebook::{Engine, Rulebook, Unbound};
use rulebook_model::describe::openapi;
use rulebook_model::model::Api;
use serde_json::{Value as Json, json};

/// Returns an engine with these files. It echoes the arguments, since no method has a handler.
fn engine(files: Vec<(PathBuf, Vec<u8>)>) -> Engine {
    Rulebook::read(files).unbound(Unbound::Echo).build().unwrap_or_else(|report| panic!("{report}"))
}

/// Returns an engine with a definition in one file.
fn engine_of(app: &Json) -> Engine {
    engine(vec![("app.json".into(), app.to_string().into_bytes())])
}

/// Returns an engine with the definition in a folder.
fn engine_in(folder: &Path) -> Engine {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    engine(files.map(|file| (file.clone(), fs::read(file).unwrap())).collect())
}

/// Returns the document of a definition with one module, which has these URIs.
fn document(uris: &Json) -> Json {
    openapi(engine_of(&json!({ "modules": { "site": { "/": uris } } })).api())
}

/// An operation of a document.
struct Operation<'d> {
    path: &'d str,
    http: String,
    id: &'d str,
    json: &'d Json,
}

/// Returns all operations of a document.
fn operations(document: &Json) -> Vec<Operation<'_>> {
    let items = document["paths"].as_object().unwrap();
    let all = items.iter().flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |pair| (path, pair)));
    all.map(|(path, (http, json))| {
        let id = json["operationId"].as_str().unwrap();
        Operation { path, http: http.to_ascii_uppercase(), id, json }
    })
    .collect()
}

/// Resolves a reference in a document.
pub fn resolved<'d>(document: &'d Json, part: &'d Json) -> &'d Json {
    match part.get("$ref").and_then(Json::as_str) {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap();
            document.pointer(pointer).unwrap_or_else(|| panic!("{reference} does not exist"))
        }
        None => part,
    }
}

/// Returns a validator for a schema of a document.
fn validator(document: &Json, schema: &Json) -> Validator {
    let whole = json!({ "components": document["components"], "allOf": [schema] });
    support::schema_validator::validator(&whole)
}

/// Returns the methods of an API with their services.
fn methods(api: &Api) -> impl Iterator<Item = (&rulebook_model::model::Service, &rulebook_model::model::Method)> {
    let services = api.modules.iter().flat_map(|module| &module.services);
    services.flat_map(|service| service.methods.iter().map(move |method| (service, method)))
}
