//! The router, the OpenAPI document and OPTIONS agree on the methods of an API.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rulebook::Engine;
use rulebook::model::Span;
use rulebook_model::call::ErrorKind;
use rulebook_model::describe::{canonical_definition, openapi};
use rulebook_model::model::{Api, Audience, Location, Permission};
use serde_json::{Value as Json, json};

use super::{Operation, document, engine, engine_of, methods, operations};
use crate::client::{Request, TestServer};
use support::generate;

/// Returns the same API, where each method requires a permission with the id of the method. The error for a caller
/// without permissions then says which method a path leads to, whatever its parameters are.
fn with_permission_per_method(api: &Api) -> Engine {
    let mut api = api.clone();
    let services = api.modules.iter_mut().flat_map(|module| &mut module.services);
    for method in services.flat_map(|service| &mut service.methods) {
        method.scope.groups = vec![vec![Permission::parse(&method.id, Span::default()).unwrap()]];
        // Methods with JSONP cannot require permissions.
        method.options.jsonp = None;
    }
    engine_of(&canonical_definition(&api))
}

/// Returns the id of the method that a request is routed to.
async fn routed(engine: &Engine, target: &str) -> String {
    let response = engine.call(target).scope([""; 0]).send().await;
    match response.error().unwrap_or_else(|| panic!("{target} is answered")).kind() {
        ErrorKind::Forbidden { missing } => missing[0][0].clone(),
        other => panic!("{target}: {other:?}"),
    }
}

/// Replaces the parameters in a path by a value.
fn filled(path: &str) -> String {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        filled.push('1');
        rest = behind.split_once('}').unwrap().1;
    }
    filled + rest
}

/// Removes the segments of the base path.
fn below<'p>(base: &str, path: &'p str) -> &'p str {
    let segments = base.split('/').filter(|segment| !segment.is_empty()).count();
    let rest = (0..segments).fold(path, |path, _| path[1..].find('/').map_or("", |at| &path[at + 1..]));
    if rest.is_empty() { "/" } else { rest }
}

/// Returns the id of an operation's method. Operations at shorter paths have a number at the end of their ids.
fn method_id<'d>(operation: &Operation<'d>, known: &BTreeSet<&str>) -> &'d str {
    if known.contains(operation.id) {
        return operation.id;
    }
    let (id, number) = operation.id.trim_end_matches('_').rsplit_once('.').unwrap();
    assert!(number.parse::<usize>().is_ok() && known.contains(id), "{} has no method", operation.id);
    id
}

/// Checks that every reference exists and every schema is valid.
fn assert_sound(document: &Json, part: &Json) {
    match part {
        Json::Object(members) => {
            if let Some(Json::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} is external"));
                assert!(document.pointer(pointer).is_some(), "{reference} does not exist");
            }
            if let Some(schema) = members.get("schema") {
                assert!(jsonschema::draft202012::meta::is_valid(schema), "{schema} is no schema");
            }
            members.values().for_each(|member| assert_sound(document, member));
        }
        Json::Array(items) => items.iter().for_each(|item| assert_sound(document, item)),
        _ => {}
    }
}

pub async fn assert_consistent(api: &Api) {
    let document = openapi(api);
    let operations = operations(&document);
    let known: BTreeSet<&str> = methods(api).map(|(_, method)| &*method.id).collect();
    let engine = with_permission_per_method(api);
    let mut ids = BTreeSet::new();
    for operation in &operations {
        assert!(ids.insert(operation.id), "{} is there twice", operation.id);
        let target = format!("{} {}", operation.http, below(&api.base, &filled(operation.path)));
        assert_eq!(routed(&engine, &target).await, method_id(operation, &known), "{target}");
        let places = operation.json["parameters"].as_array().unwrap().iter();
        let in_path: Vec<_> = places.filter(|own| own["in"] == "path").map(|own| &own["name"]).collect();
        let in_template: Vec<_> =
            operation.path.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0).collect();
        assert_eq!(in_path, in_template, "{}", operation.path);
    }
    let whole: BTreeMap<_, _> = operations.iter().map(|own| (own.id, own)).collect();
    for (service, method) in methods(api) {
        let operation = whole.get(&*method.id).unwrap_or_else(|| panic!("{} is not described", method.id));
        assert_eq!(operation.http, method.http.as_str());
        let positions = method.parameters.iter().filter(|own| matches!(own.from, Location::Position(_))).count();
        let segments = below(&api.base, operation.path).split('/').filter(|segment| !segment.is_empty()).count();
        assert_eq!(segments, service.path.len() + positions, "{}", operation.path);
    }
    let server = TestServer::start(&engine_of(&canonical_definition(api)));
    let listed = engine_of(&server.send(&Request::new("OPTIONS", "*")).json());
    let listed: BTreeSet<&str> = methods(listed.api()).map(|(_, method)| &*method.id).collect();
    let open: BTreeSet<&str> = methods(api).filter(|(_, own)| own.scope.is_public()).map(|(_, own)| &*own.id).collect();
    // The request is anonymous.
    let expected = if api.options == Audience::Own { &open } else { &known };
    assert_eq!(&listed, expected, "the methods that OPTIONS lists");
    assert_sound(&document, &document);
}

pub fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future);
}

proptest! {
    #![proptest_config(support::random::cases(100))]

    #[test]
    fn the_router_the_document_and_options_agree_on_generated_definitions(generated in generate::definitions()) {
        block_on(assert_consistent(engine(generated.public().bytes()).api()));
    }
}

#[test]
fn trailing_optional_positions_have_paths_without_them() {
    let position = |optional: &str, name: &str| json!({ "info": "I", "type": format!("{optional}id"), "name": name });
    let document = document(&json!({ "a": {
        "GET": { "info": "I", "in": {
            "URL#0": position("", "x"), "URL#1": position("?", "y"), "URL#2": position("?", "z")
        } },
        "PUT": { "info": "I", "in": { "URL#0": position("", "other") } },
        "POST": { "info": "I", "in": { "URL#0": position("?", "a/{c}"), "URL#1": position("", "a__c_") } },
        "DELETE": { "info": "I", "id": "a.get.2" },
        "PATCH": { "info": "I", "in": { "URL#0": { "info": "I", "type": "id" } } }
    } }));
    let described: Vec<_> =
        operations(&document).iter().map(|own| format!("{} {} {}", own.http, own.path, own.id)).collect();
    assert_eq!(
        described,
        [
            "DELETE /a a.get.2",
            "GET /a/{x} a.get.2_",
            "PUT /a/{x} a.put",
            "PATCH /a/{x} a.patch",
            "GET /a/{x}/{y} a.get.1",
            "POST /a/{x}/{y} a.post",
            "GET /a/{x}/{y}/{z} a.get",
        ]
    );
}
