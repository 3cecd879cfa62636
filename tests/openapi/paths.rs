//! Tests that the router, the OpenAPI document and OPTIONS agree on the methods of an API.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rulebook::Engine;
use rulebook::model::Span;
use rulebook_model::call::ErrorKind;
use rulebook_model::describe::{canonical_definition, openapi};
use rulebook_model::model::{Api, Audience, Location, Permission};
use serde_json::{Value as Json, json};

use super::{
    Operation, engine_with_definition, engine_with_files, method_of_operation, methods, openapi_of_uris, operations,
};
use crate::client::{Request, TestServer};
use support::generate;

/// Builds an engine of the same API in which each method requires a permission with the method's id. A caller without
/// permissions gets an error with this permission, which shows the method that a path leads to.
fn engine_with_permission_per_method(api: &Api) -> Engine {
    let mut api = api.clone();
    let services = api.modules.iter_mut().flat_map(|module| &mut module.services);
    for method in services.flat_map(|service| &mut service.methods) {
        method.scope.groups = vec![vec![Permission::parse(&method.id, Span::default()).unwrap()]];
        // A method with JSONP cannot require permissions.
        method.options.jsonp = None;
    }
    engine_with_definition(&canonical_definition(&api))
}

/// Calls a path without permissions, and returns the id of the method that the path leads to.
async fn routed_method_id(engine: &Engine, target: &str) -> String {
    let response = engine.call(target).scope([""; 0]).send().await;
    match response.error().unwrap_or_else(|| panic!("{target} is answered")).kind() {
        ErrorKind::Forbidden { missing } => missing[0][0].clone(),
        other => panic!("{target}: {other:?}"),
    }
}

/// Replaces the parameters in a path template by the value `1`.
fn fill_template(path: &str) -> String {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        filled.push('1');
        rest = behind.split_once('}').unwrap().1;
    }
    filled + rest
}

/// Removes the segments of the base path from a path.
fn below_base<'p>(base: &str, path: &'p str) -> &'p str {
    let segments = base.split('/').filter(|segment| !segment.is_empty()).count();
    let rest = (0..segments).fold(path, |path, _| path[1..].find('/').map_or("", |at| &path[at + 1..]));
    if rest.is_empty() { "/" } else { rest }
}

/// Returns the id of the method that an operation describes.
fn method_id<'k>(operation: &Operation<'_>, known: &BTreeSet<&'k str>) -> &'k str {
    let known: Vec<&str> = known.iter().copied().collect();
    method_of_operation(operation.id, &known).unwrap_or_else(|| panic!("{} has no method", operation.id))
}

/// Checks that `Allow` in the responses to OPTIONS lists the operations of each path of the OpenAPI document. Any other
/// method in `Allow` has an operation at a longer path, with a required position. The base path is not checked, because
/// a body at this path can name any service.
fn assert_allow_lists_operations(api: &Api, operations: &[Operation<'_>], server: &TestServer) {
    let paths: BTreeSet<&str> = operations.iter().map(|operation| operation.path).collect();
    for path in paths.into_iter().filter(|path| below_base(&api.base, path) != "/") {
        let response = server.send(&Request::new("OPTIONS", fill_template(path)));
        let allow = response.field("allow").unwrap_or_else(|| panic!("{path}: {response:?}"));
        let allowed: BTreeSet<_> = allow.split(", ").filter(|http| !["HEAD", "OPTIONS"].contains(http)).collect();
        // Parameters at the same place can have different names in the templates of different methods.
        let below = format!("{}/1", fill_template(path));
        let is_below = |other: &str| fill_template(other).starts_with(&below);
        let methods_at = |is_path: &dyn Fn(&str) -> bool| -> BTreeSet<&str> {
            operations.iter().filter(|own| is_path(own.path)).map(|own| &*own.http_method).collect()
        };
        let (here, below) = (methods_at(&|other| other == path), methods_at(&is_below));
        assert!(allowed.is_superset(&here), "{path}: {allow}, {here:?}");
        assert!(allowed.difference(&here).all(|http| below.contains(http)), "{path}: {allow}, {here:?}, {below:?}");
    }
}

/// Checks that every reference in a part of a document leads to something, and that every schema is valid.
pub(super) fn assert_valid_references_and_schemas(document: &Json, part: &Json) {
    match part {
        Json::Object(members) => {
            if let Some(Json::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} is external"));
                assert!(document.pointer(pointer).is_some(), "{reference} does not exist");
            }
            if let Some(schema) = members.get("schema") {
                assert!(jsonschema::draft202012::meta::is_valid(schema), "{schema} is no schema");
            }
            members.values().for_each(|member| assert_valid_references_and_schemas(document, member));
        }
        Json::Array(items) => items.iter().for_each(|item| assert_valid_references_and_schemas(document, item)),
        _ => {}
    }
}

/// Checks that the router, the OpenAPI document and OPTIONS have the same methods of an API.
pub async fn assert_same_methods(api: &Api) {
    let document = openapi(api);
    let operations = operations(&document);
    let known: BTreeSet<&str> = methods(api).map(|(_, method)| &*method.id).collect();
    let engine = engine_with_permission_per_method(api);
    let mut ids = BTreeSet::new();
    for operation in &operations {
        assert!(ids.insert(operation.id), "{} is there twice", operation.id);
        let target = format!("{} {}", operation.http_method, below_base(&api.base, &fill_template(operation.path)));
        assert_eq!(routed_method_id(&engine, &target).await, method_id(operation, &known), "{target}");
        let places = operation.operation_object["parameters"].as_array().unwrap().iter();
        let in_path: Vec<_> = places.filter(|own| own["in"] == "path").map(|own| &own["name"]).collect();
        let in_template: Vec<_> =
            operation.path.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0).collect();
        assert_eq!(in_path, in_template, "{}", operation.path);
    }
    let mut whole: BTreeMap<&str, &Operation<'_>> = BTreeMap::new();
    for operation in &operations {
        // The longest path has all positions.
        let with_positions = whole.entry(method_id(operation, &known)).or_insert(operation);
        if with_positions.path.matches('{').count() < operation.path.matches('{').count() {
            *with_positions = operation;
        }
    }
    for (service, method) in methods(api) {
        let operation = whole.get(&*method.id).unwrap_or_else(|| panic!("{} is not described", method.id));
        assert_eq!(operation.http_method, method.http.as_str());
        let positions = method.parameters.iter().filter(|own| matches!(own.from, Location::Position(_))).count();
        let segments = below_base(&api.base, operation.path).split('/').filter(|segment| !segment.is_empty()).count();
        assert_eq!(segments, service.path.len() + positions, "{}", operation.path);
    }
    let server = TestServer::start(&engine_with_definition(&canonical_definition(api)));
    let listed = engine_with_definition(&server.send(&Request::new("OPTIONS", "*")).json());
    let listed: BTreeSet<&str> = methods(listed.api()).map(|(_, method)| &*method.id).collect();
    let open: BTreeSet<&str> = methods(api).filter(|(_, own)| own.scope.is_public()).map(|(_, own)| &*own.id).collect();
    // OPTIONS is requested anonymously.
    let expected = if api.options == Audience::Own { &open } else { &known };
    assert_eq!(&listed, expected, "the methods that OPTIONS lists");
    if api.options == Audience::Public {
        assert_allow_lists_operations(api, &operations, &server);
    }
    assert_valid_references_and_schemas(&document, &document);
}

pub fn run_future(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future);
}

proptest! {
    #![proptest_config(support::random::cases(40))]

    #[test]
    fn router_openapi_and_options_agree_about_generated_definitions(generated in generate::definitions()) {
        run_future(assert_same_methods(engine_with_files(generated.public().bytes()).api()));
    }
}

#[test]
fn methods_with_optional_positions_have_paths_without_these_positions() {
    let position = |optional: &str, name: &str| json!({ "info": "I", "type": format!("{optional}id"), "name": name });
    let document = openapi_of_uris(&json!({ "a": {
        "GET": { "info": "I", "in": {
            "URL#0": position("", "x"), "URL#1": position("?", "y"), "URL#2": position("?", "z")
        } },
        "PUT": { "info": "I", "in": { "URL#0": position("", "other") } },
        "POST": { "info": "I", "in": { "URL#0": position("?", "a/{c}"), "URL#1": position("", "a__c_") } },
        "DELETE": { "info": "I", "id": "a.get.2" },
        "PATCH": { "info": "I", "in": { "URL#0": { "info": "I", "type": "id" } } }
    } }));
    let described: Vec<_> =
        operations(&document).iter().map(|own| format!("{} {} {}", own.http_method, own.path, own.id)).collect();
    assert_eq!(
        described,
        [
            "DELETE /a a.get.2",
            "GET /a/{x} a.get.without_y",
            "PUT /a/{x} a.put",
            "PATCH /a/{x} a.patch",
            "GET /a/{x}/{y} a.get.without_z",
            "POST /a/{x}/{y} a.post",
            "GET /a/{x}/{y}/{z} a.get",
        ]
    );
}

/// OPTIONS lists every method that a path leads to. The OpenAPI document lists only methods that can succeed there.
#[test]
fn methods_whose_required_positions_are_missing_are_allowed_but_not_described_at_that_path() {
    let position = |term: &str| json!({ "URL#0": { "info": "I", "type": term, "name": "x" } });
    let engine = engine_with_definition(&json!({ "modules": { "m": { "/": {
        "a": { "GET": { "info": "I" }, "POST": { "info": "I", "in": position("int") } },
        "b": { "POST": { "info": "I", "in": position("int") } },
        "c": { "GET": { "info": "I", "in": position("?int") }, "PUT": { "info": "I", "in": position("int") } }
    } } } }));
    let server = TestServer::start(&engine);
    let document = openapi(engine.api());
    let operations = operations(&document);
    for (path, allowed, described) in [
        ("/a", vec!["GET", "HEAD", "OPTIONS", "POST"], vec!["GET"]),
        ("/a/{x}", vec!["OPTIONS", "POST"], vec!["POST"]),
        ("/b", vec!["OPTIONS", "POST"], vec![]),
        ("/b/{x}", vec!["OPTIONS", "POST"], vec!["POST"]),
        ("/c", vec!["GET", "HEAD", "OPTIONS", "PUT"], vec!["GET"]),
        ("/c/{x}", vec!["GET", "HEAD", "OPTIONS", "PUT"], vec!["GET", "PUT"]),
    ] {
        let response = server.send(&Request::new("OPTIONS", fill_template(path)));
        let listed: BTreeSet<_> = response.field("allow").unwrap().split(", ").collect();
        assert_eq!(listed, allowed.into_iter().collect(), "{path}");
        let at_path = operations.iter().filter(|operation| operation.path == path);
        let found: Vec<_> = at_path.map(|operation| &*operation.http_method).collect();
        assert_eq!(found, described, "{path}");
    }
    for (http, path) in [("POST", "/a"), ("POST", "/b"), ("PUT", "/c")] {
        let response = server.send(&Request::new(http, path));
        assert!(response.status == 400 && response.json().to_string().contains('x'), "{http} {path}: {response:?}");
    }
}

#[test]
fn operation_ids_have_no_braces() {
    let capture = json!({ "{x}": { "info": "I", "type": "int" } });
    let document = openapi_of_uris(&json!({
        "a/{x}": { "GET": { "info": "I", "in": capture }, "PUT": { "info": "I", "in": capture } },
        "a/x": { "PUT": { "info": "I" } }
    }));
    let ids: Vec<_> =
        operations(&document).iter().map(|own| format!("{} {} {}", own.http_method, own.path, own.id)).collect();
    assert_eq!(ids, ["PUT /a/x a.x.put.06bd810d", "GET /a/{x} a.x.get", "PUT /a/{x} a.by_x.put"]);
}
