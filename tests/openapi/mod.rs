//! The OpenAPI document: what it says of each part of a definition, and that the server does as it says.

mod answers;
mod examples;
mod golden;
pub mod modules;
mod parts;
pub mod paths;
mod requests;

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use rulebook::describe::openapi;
use rulebook::model::Api;
use rulebook::{Engine, Rulebook, Unbound};
use serde_json::{Value as Json, json};

/// The engine of these files; no method has a handler.
fn engine(files: Vec<(PathBuf, Vec<u8>)>) -> Engine {
    Rulebook::read(files).unbound(Unbound::Echo).build().unwrap_or_else(|report| panic!("{report}"))
}

/// The engine of a definition of one file.
fn engine_of(app: &Json) -> Engine {
    engine(vec![("app.json".into(), app.to_string().into_bytes())])
}

/// The engine of a folder.
fn engine_in(folder: &Path) -> Engine {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    engine(files.map(|file| (file.clone(), fs::read(file).unwrap())).collect())
}

/// The document of one module with these URIs.
fn document(uris: &Json) -> Json {
    openapi(engine_of(&json!({ "modules": { "site": { "/": uris } } })).api())
}

/// One operation of a document.
struct Operation<'d> {
    path: &'d str,
    http: String,
    id: &'d str,
    json: &'d Json,
}

/// All operations of a document.
fn operations(document: &Json) -> Vec<Operation<'_>> {
    let items = document["paths"].as_object().unwrap();
    let all = items.iter().flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |pair| (path, pair)));
    all.map(|(path, (http, json))| {
        let id = json["operationId"].as_str().unwrap();
        Operation { path, http: http.to_ascii_uppercase(), id, json }
    })
    .collect()
}

/// What a part of a document refers to, or the part itself.
pub fn resolved<'d>(document: &'d Json, part: &'d Json) -> &'d Json {
    match part.get("$ref").and_then(Json::as_str) {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap();
            document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
        }
        None => part,
    }
}

/// A validator for a schema that stands in a document.
fn judge(document: &Json, schema: &Json) -> Validator {
    let whole = json!({ "components": document["components"], "allOf": [schema] });
    crate::types::judge(&whole)
}

/// The methods of an API with the paths of their services.
fn methods(api: &Api) -> impl Iterator<Item = (&rulebook::model::Service, &rulebook::model::Method)> {
    let services = api.modules.iter().flat_map(|module| &module.services);
    services.flat_map(|service| service.methods.iter().map(move |method| (service, method)))
}
