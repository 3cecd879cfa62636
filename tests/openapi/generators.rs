//! Tests what the OpenAPI document contains for generators of clients: the lean document, and objects in the query.

use rulebook_model::describe::{OpenapiDetail, openapi, openapi_part};
use serde_json::{Value as Json, json};

use super::paths::assert_valid_references_and_schemas;
use super::{engine_with_definition, operations};
use crate::client::{Request, TestServer};

#[test]
fn the_lean_document_has_bodies_in_json_named_results_and_one_response_for_errors_of_the_server() {
    let definition = json!({ "formats": ["xml"], "modules": { "site": { "/": { "a": { "POST": {
        "info": "I",
        "scope": [["admin"]],
        "in": { "title": { "info": "The title", "type": "string" } },
        "out": { "id": { "info": "The id", "type": "id" } },
        "errors": { "gone": { "status": 410, "info": "It is gone" } }
    } } } } } });
    let engine = engine_with_definition(&definition);
    let [full, lean] =
        [OpenapiDetail::Full, OpenapiDetail::Lean].map(|detail| openapi_part(engine.api(), None, detail));
    assert_valid_references_and_schemas(&lean, &lean);
    let operation = operations(&lean).pop().unwrap().operation_object;
    let media_types = |part: &Json| part["content"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let schema = |part: &Json| part["content"]["application/json"]["schema"]["$ref"].clone();
    assert_eq!(media_types(&operation["requestBody"]), ["application/json"]);
    assert_eq!(schema(&operation["requestBody"]), "#/components/schemas/a.post.body");
    let responses = operation["responses"].as_object().unwrap();
    assert_eq!(responses.keys().collect::<Vec<_>>(), ["200", "410", "default"]);
    for response in responses.values() {
        assert_eq!(media_types(response), ["application/json"]);
        assert!(response.get("headers").is_none(), "{response}");
        assert!(response["content"]["application/json"].get("examples").is_none(), "{response}");
    }
    assert_eq!(schema(&responses["200"]), "#/components/schemas/a.post.result");
    assert_eq!(schema(&responses["default"]), "#/components/schemas/ApiError");
    assert!(lean.to_string().len() < full.to_string().len() / 2);
    let names = |document: &Json| document["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&lean), names(&full));
}

#[test]
fn objects_in_the_query_have_a_field_for_each_member_if_no_member_is_a_list_or_an_object() {
    let object = |fields: Json| json!({ "info": "I", "type": "?object", "fields": fields });
    let field = |r#type: &str| json!({ "info": "I", "type": r#type });
    let nested = json!({ "info": "I", "type": "object", "fields": { "b": field("int") } });
    for (parameter, is_deep) in [
        (object(json!({ "a": field("int"), "b": field("?string(1,5)") })), true),
        (object(json!({ "a": field("array<int>") })), false),
        (object(json!({ "a": nested })), false),
        (object(json!({ "a": field("any") })), false),
        (json!({ "info": "I", "type": "?map<int>" }), false),
        (json!({ "info": "I", "type": "?array<object>", "fields": { "a": field("int") } }), false),
    ] {
        let method = json!({ "info": "I", "in": { "GET@x": parameter } });
        let engine = engine_with_definition(&json!({ "modules": { "site": { "/": { "a": { "GET": method } } } } }));
        let document = openapi(engine.api());
        let described = &operations(&document)[0].operation_object["parameters"][0];
        assert_eq!(described["style"] == "deepObject", is_deep, "{described}");
        assert_eq!(described.get("content").is_none(), is_deep, "{described}");
    }
    let method =
        json!({ "info": "I", "in": { "GET@x": object(json!({ "a": field("int"), "b": field("?string(1,5)") })) } });
    let server = TestServer::echo(&[("a.json", json!({ "/": { "a": { "GET": method } } }))]);
    let response = server.send(&Request::new("GET", "/a?x%5Ba%5D=7&x[b]=ok"));
    assert_eq!(response.json()["args"]["x"], json!({ "a": 7, "b": "ok" }), "{response:?}");
}
