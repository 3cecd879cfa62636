//! Tests the OpenAPI document: how it describes each part of a definition, and that the server behaves as described.

mod descriptions;
mod discriminators;
mod echo;
mod examples;
mod generators;
mod golden;
pub mod modules;
pub mod paths;
mod requests;
mod responses;
mod shared_parts;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use rulebook::{Engine, Rulebook, Unbound};
use rulebook_model::describe::openapi;
use rulebook_model::model::Api;
use serde_json::{Value as Json, json};

/// Builds an engine with these definition files. No method has a handler, so that methods return their arguments.
fn engine_with_files(files: Vec<(PathBuf, Vec<u8>)>) -> Engine {
    Rulebook::read(files).unbound(Unbound::Echo).build().unwrap_or_else(|report| panic!("{report}"))
}

/// Builds an engine with a definition in a single file.
fn engine_with_definition(app: &Json) -> Engine {
    engine_with_files(vec![("app.json".into(), app.to_string().into_bytes())])
}

/// Builds an engine with the definition in a folder.
fn engine_of_folder(folder: &Path) -> Engine {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    engine_with_files(files.map(|file| (file.clone(), fs::read(file).unwrap())).collect())
}

/// Returns the OpenAPI document of a definition with one module. `uris` are the paths of this module with their
/// methods.
fn openapi_of_uris(uris: &Json) -> Json {
    openapi(engine_with_definition(&json!({ "modules": { "site": { "/": uris } } })).api())
}

/// An operation of an OpenAPI document.
struct Operation<'d> {
    path: &'d str,
    http_method: String,
    id: &'d str,
    /// The operation, in which references to parameters, request bodies and responses are replaced by what they refer
    /// to.
    operation_object: Json,
}

/// Returns all operations of an OpenAPI document.
fn operations(document: &Json) -> Vec<Operation<'_>> {
    let items = document["paths"].as_object().unwrap();
    let all = items.iter().flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |pair| (path, pair)));
    all.map(|(path, (http, operation_object))| {
        let id = operation_object["operationId"].as_str().unwrap();
        let operation_object = with_resolved_parts(document, operation_object);
        Operation { path, http_method: http.to_ascii_uppercase(), id, operation_object }
    })
    .collect()
}

/// Returns the id of the method that the operation with the id `id` describes; `None` if it has no such method. The id
/// of the operation is that of the method without signs that generators of code do not know. At a path that omits
/// positions, it names the first of them. If several methods would have the same id, it names captures, or has a hash.
pub fn method_of_operation<'k>(id: &str, known: &[&'k str]) -> Option<&'k str> {
    if let Some(same) = known.iter().find(|known| **known == id) {
        return Some(same);
    }
    let to_name = |text: &str| -> String {
        let letter = |char: char| match char {
            '{' | '}' => String::new(),
            char if char.is_ascii_alphanumeric() || ".-_".contains(char) => char.to_string(),
            char if char.is_alphanumeric() => format!("u{:x}", u32::from(char)),
            _ => "_".to_owned(),
        };
        text.chars().map(letter).collect()
    };
    let is_hash = |end: &str| end.len() == 8 && end.bytes().all(|byte| byte.is_ascii_hexdigit());
    let without_hash = |id: &str| id.rsplit_once('.').filter(|(_, end)| is_hash(end)).map(|(id, _)| id.to_owned());
    let find = |id: &str| {
        let is_same = |known: &&&str| to_name(known) == id || to_name(&known.replace('{', "by_")) == id;
        // The ids of two methods can differ only in braces.
        let with_braces = id.contains("by_").then(|| known.iter().filter(is_same).find(|known| known.contains('{')));
        with_braces.flatten().or_else(|| known.iter().find(is_same)).copied()
    };
    let hashed = without_hash(id);
    let ids = [Some(id), hashed.as_deref()].into_iter().flatten();
    let shorter = |id: &str| id.rsplit_once(".without_").map(|(id, _)| id.to_owned());
    let mut ids = ids.flat_map(|id| [Some(id.to_owned()), shorter(id)]).flatten();
    ids.find_map(|id| find(&id))
}

/// Returns an operation in which references to parameters, request bodies and responses are replaced by what they refer
/// to.
fn with_resolved_parts(document: &Json, operation: &Json) -> Json {
    let mut operation = operation.clone();
    let members = operation.as_object_mut().unwrap();
    let resolve = |part: &mut Json| *part = resolved(document, part).clone();
    members["parameters"].as_array_mut().unwrap().iter_mut().for_each(resolve);
    members["responses"].as_object_mut().unwrap().values_mut().for_each(resolve);
    members.get_mut("requestBody").into_iter().for_each(resolve);
    operation
}

/// Returns a part of a document. If the part is a reference, returns what it refers to.
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
    let schemas = referenced_schemas(&document["components"]["schemas"], schema);
    support::schema_validator::validator(&json!({ "components": { "schemas": schemas }, "allOf": [schema] }))
}

/// Returns those of these schemas that a schema refers to, directly or through others. A validator for all schemas of a
/// document takes long to create.
fn referenced_schemas(schemas: &Json, schema: &Json) -> Json {
    let mut found = serde_json::Map::new();
    let mut pending = vec![schema];
    while let Some(part) = pending.pop() {
        match part {
            Json::Array(items) => pending.extend(items),
            Json::Object(members) => pending.extend(members.values()),
            Json::String(text) => {
                let name = text.strip_prefix("#/components/schemas/").unwrap_or_default();
                if let Some(schema) = schemas.get(name).filter(|_| !found.contains_key(name)) {
                    found.insert(name.to_owned(), schema.clone());
                    pending.push(schema);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
    Json::Object(found)
}

/// Returns all methods of an API with their services.
fn methods(api: &Api) -> impl Iterator<Item = (&rulebook_model::model::Service, &rulebook_model::model::Method)> {
    let services = api.modules.iter().flat_map(|module| &module.services);
    services.flat_map(|service| service.methods.iter().map(move |method| (service, method)))
}
