//! Tests the OpenAPI document of an API module: it is the document of the API without the parts that belong only to
//! other modules.

use std::collections::BTreeSet;
use std::path::Path;

use rulebook_model::describe::{ModulePart, OpenapiDetail, openapi, openapi_part};
use rulebook_model::model::{Api, Unbound};
use serde_json::{Map, Value as Json, json};

use super::{engine_of_folder, engine_with_definition, operations, resolved};
use crate::client::{Request, TestServer};

/// The maximum number of references within each other that are replaced, because schemas can be recursive.
const MAX_REFERENCES: usize = 6;

/// Returns a part of a document in which each reference is replaced by what it refers to.
pub(super) fn inline_references(document: &Json, part: &Json) -> Json {
    inline_at_depth(document, part, MAX_REFERENCES)
}

fn inline_at_depth(document: &Json, part: &Json, depth: usize) -> Json {
    let depth = if part.get("$ref").is_some() { depth.saturating_sub(1) } else { depth };
    if depth == 0 {
        // The names of components can differ.
        return Json::Null;
    }
    match resolved(document, part) {
        Json::Object(members) => {
            let inline = |(name, member): (&String, &Json)| match name.as_str() {
                "discriminator" => (name.clone(), with_indexes(member, &members["oneOf"])),
                _ => (name.clone(), inline_at_depth(document, member, depth)),
            };
            members.iter().map(inline).collect()
        }
        Json::Array(items) => items.iter().map(|item| inline_at_depth(document, item, depth)).collect(),
        plain => plain.clone(),
    }
}

/// Returns a discriminator in which each reference in `mapping` is replaced by the index of its branch.
fn with_indexes(discriminator: &Json, branches: &Json) -> Json {
    let index = |reference: &Json| branches.as_array()?.iter().position(|branch| branch["$ref"] == *reference);
    let mut discriminator = discriminator.clone();
    for reference in discriminator["mapping"].as_object_mut().into_iter().flat_map(|mapping| mapping.values_mut()) {
        *reference = json!(index(reference));
    }
    discriminator
}

/// Returns the members of a document that do not depend on modules.
fn members_without_modules(document: &Json) -> Map<String, Json> {
    let members = document.as_object().unwrap().iter();
    let of_modules = ["paths", "components", "tags"];
    members
        .filter(|(name, _)| !of_modules.contains(&name.as_str()))
        .map(|(name, one)| (name.clone(), one.clone()))
        .collect()
}

fn operation_ids(document: &Json) -> Vec<String> {
    operations(document).iter().map(|own| own.id.to_owned()).collect()
}

/// Checks the documents of all API modules, and of the parts into which large modules are split.
pub fn assert_module_documents(api: &Api) {
    let whole = openapi(api);
    let all = operations(&whole);
    let mut met = BTreeSet::new();
    for (index, module) in api.modules.iter().enumerate() {
        let part = ModulePart::whole_module(api, index);
        let document = openapi_part(api, Some(&part), OpenapiDetail::Full);
        let own: BTreeSet<_> =
            all.iter().filter(|own| own.operation_object["tags"] == json!([module.name])).map(|own| own.id).collect();
        assert_eq!(document["tags"], json!([whole["tags"][index]]), "{}", module.name);
        assert_eq!(members_without_modules(&document), members_without_modules(&whole), "{}", module.name);
        assert_eq!(document["components"]["securitySchemes"], whole["components"]["securitySchemes"]);
        let described = operations(&document);
        assert_eq!(described.iter().map(|own| own.id).collect::<BTreeSet<_>>(), own, "{}", module.name);
        for operation in described {
            let same = all.iter().find(|own| own.id == operation.id).unwrap();
            assert_eq!((operation.path, &operation.http_method), (same.path, &same.http_method));
            assert_eq!(
                inline_references(&document, &operation.operation_object),
                inline_references(&whole, &same.operation_object),
                "{}",
                operation.id
            );
            assert!(met.insert(operation.id.to_owned()), "{} is in two modules", operation.id);
        }
        let parts: Vec<_> = part.split().collect();
        if parts != [part] {
            let in_parts: Vec<_> = parts
                .iter()
                .flat_map(|part| operation_ids(&openapi_part(api, Some(part), OpenapiDetail::Full)))
                .collect();
            assert_eq!(in_parts.iter().map(String::as_str).collect::<BTreeSet<_>>(), own, "{}", module.name);
            assert_eq!(in_parts.len(), own.len(), "{}: a method is in two parts", module.name);
        }
    }
    assert_eq!(met.len(), all.len());
}

#[test]
fn the_openapi_document_of_a_module_is_a_part_of_the_whole_document() {
    for folder in ["api", "crates/rulebook-model/tests/definitions/good/everything"] {
        assert_module_documents(engine_of_folder(Path::new(folder)).api());
    }
}

/// Returns a definition with a module that has one method, and a module with this number of methods.
fn definition_with_large_module(methods: usize) -> Json {
    let service = |n: usize| {
        let method =
            json!({ "info": "One of many", "in": { "URL#0": { "info": "Which", "type": "?id", "name": "id" } } });
        (format!("s{n}"), json!({ "GET": method }))
    };
    let many: Map<_, _> = (0..methods).map(service).collect();
    json!({ "modules": { "a&b=c": { "/": { "one": { "GET": { "info": "Alone" } } } }, "many": { "/": many } } })
}

#[test]
fn a_large_module_is_split_into_several_openapi_documents() {
    let engine = engine_with_definition(&definition_with_large_module(600));
    assert_module_documents(engine.api());
    let sizes = |module| {
        ModulePart::whole_module(engine.api(), module).split().map(|part| part.methods.len()).collect::<Vec<_>>()
    };
    assert_eq!(sizes(0), [1]);
    assert_eq!(sizes(1), [250, 250, 100]);
}

#[test]
fn the_query_selects_the_openapi_document_of_a_module_or_part() {
    let engine = engine_with_definition(&definition_with_large_module(300));
    let (small, large) = (ModulePart::whole_module(engine.api(), 0), ModulePart::whole_module(engine.api(), 1));
    // The server has no handlers, so that its documents describe the arguments as output.
    let mut served = engine.api().clone();
    served.unbound = Unbound::Echo;
    let server = TestServer::start(&engine);
    let get = |query: &str| server.send(&Request::new("GET", format!("/openapi.json{query}")));
    let parts: Vec<_> = large.split().collect();
    let (full, lean) = (OpenapiDetail::Full, OpenapiDetail::Lean);
    let cases = [
        ("", None, full),
        ("?lean", None, lean),
        ("?module=a%26b%3Dc", Some(&small), full),
        ("?module=a%26b%3Dc&part=1", Some(&small), full),
        ("?module=a%26b%3Dc&lean=", Some(&small), lean),
        ("?module=many", Some(&large), full),
        ("?lean&module=many", Some(&large), lean),
        ("?part=1&module=many", Some(&parts[0]), full),
        ("?module=many&part=2&other=x", Some(&parts[1]), full),
        ("?module=many&lean&part=2", Some(&parts[1]), lean),
    ];
    for (query, part, detail) in cases {
        for _ in 0..2 {
            let response = get(query);
            assert_eq!((response.status, response.field("content-type")), (200, Some("application/json")), "{query}");
            assert_eq!(response.json(), openapi_part(&served, part, detail), "{query}");
            let known = Request::new("GET", format!("/openapi.json{query}"));
            assert_eq!(server.send(&known.field("if-none-match", response.field("etag").unwrap())).status, 304);
        }
    }
    let (module, part) = ("the name of a module, or no `module`", "the number of a part of `module`, or no `part`");
    let refused = [
        ("?module=", "module", module, json!("\"\"")),
        ("?module=man", "module", module, json!("\"man\"")),
        ("?lean=1", "lean", "no value, or no `lean`", json!("\"1\"")),
        ("?module=many%20lean", "module", module, json!("\"many lean\"")),
        ("?module=many%201", "module", module, json!("\"many 1\"")),
        ("?module=many&module=many", "module", module, Json::Null),
        ("?part=1", "part", part, json!("\"1\"")),
        ("?module=many&part=0", "part", part, json!("\"0\"")),
        ("?module=many&part=3", "part", part, json!("\"3\"")),
        ("?module=many&part=01", "part", part, json!("\"01\"")),
        ("?module=many&part=+1", "part", part, json!("\" 1\"")),
    ];
    for (query, name, expected, got) in refused {
        let response = get(query);
        assert_eq!(response.status, 400, "{query}");
        let error = &response.json()["errors"][0];
        assert_eq!(
            (&error["parameter"], &error["in"], &error["expected"]),
            (&json!(name), &json!("query"), &json!(expected))
        );
        assert_eq!(error["got"], got, "{query}");
    }
}
