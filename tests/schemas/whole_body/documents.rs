//! Tests the documents about methods that take the whole body.

use rulebook_model::describe::{
    canonical_definition, markdown_for_service, openapi, options_for_api, typescript, uris,
};
use rulebook_model::model::Location;
use serde_json::{Value as Json, json};
use support::WithoutSpans as _;

use super::{FOLDER, api_in, server_of};
use crate::client::Request;

/// Returns the schema of a method's request body, and whether the body is required.
fn request_body(document: &Json, path: &str, http: &str) -> (Json, Json) {
    let body = &document["paths"][path][http]["requestBody"];
    let body = match body["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => body,
    };
    let content = body["content"].as_object().unwrap();
    assert_eq!(content.keys().collect::<Vec<_>>(), ["application/json"], "{path}");
    (content["application/json"].clone(), body["required"].clone())
}

#[test]
fn the_openapi_document_has_the_schema_of_the_type() {
    let document = openapi(&api_in(FOLDER));
    let (content, required) = request_body(&document, "/api/orders/{order}", "put");
    let schema = &content["schema"];
    assert_eq!((&schema["type"], &schema["minItems"], required), (&json!("array"), &json!(1), json!(true)));
    assert_eq!(schema["items"], json!({ "$ref": "#/components/schemas/Item" }));
    assert_eq!(schema["description"], "All items");
    assert!(content["example"].is_array(), "{content}");
    let put = &document["paths"]["/api/orders/{order}"]["put"];
    assert!(put["responses"].get("415").is_some(), "{put}");
    assert_eq!(put["x-constraints"], json!([{ "requires": { "x-reason": ["basket"] } }]));
    let (content, required) = request_body(&document, "/api/orders/{order}", "patch");
    assert_ne!(required, json!(true));
    assert!(content["schema"].to_string().contains("\"null\""), "{content}");
    let (content, _) = request_body(&document, "/api/number", "post");
    assert_eq!(content["schema"]["default"], 5, "{content}");
    let (content, _) = request_body(&document, "/api/text", "post");
    assert_eq!((&content["schema"]["type"], &content["schema"]["maxLength"]), (&json!("string"), &json!(10)));
}

#[test]
fn the_openapi_document_has_the_media_types_of_a_file() {
    let document = openapi(&api_in(FOLDER));
    let body = |http: &str| document["paths"]["/api/picture"][http]["requestBody"].clone();
    let schema =
        |expected: &str| json!({ "schema": { "type": "string", "format": "binary", "description": expected } });
    let picture = schema("a file of at most 1000 bytes of the type image/png or image/gif");
    let put = json!({
        "description": "The picture", "required": true, "content": { "image/gif": picture, "image/png": picture }
    });
    assert_eq!(body("put"), put);
    assert_eq!(body("post")["content"], json!({ "application/octet-stream": schema("a file") }));
    assert_ne!(body("post")["required"], true);
}

#[test]
fn the_documents_describe_the_whole_body() {
    let api = api_in(FOLDER);
    let types = typescript(&api);
    assert!(types.contains("items: ReadonlyArray<ItemArgument>;"), "{types}");
    assert!(types.contains("body?: ItemArgument | null;"), "{types}");
    let server = server_of(FOLDER);
    let page = |path: &str| String::from_utf8(server.send(&Request::new("GET", path)).body).unwrap();
    for path in ["/docs/methods/orders.%7Border%7D.put.md", "/docs/methods/orders.%7Border%7D.put"] {
        let page = page(path);
        assert!(page.contains("items") && page.contains("whole body"), "{page}");
        assert!(page.contains("name") && page.contains("tea"), "the example has no value: {page}");
    }
    let whole_api = uris(&api);
    let put = whole_api.services.iter().find(|uri| uri.uri.ends_with("{order}")).unwrap();
    assert!(markdown_for_service(&api, put).contains("whole body"), "{}", markdown_for_service(&api, put));
}

#[test]
fn responses_to_options_load_as_the_same_api() {
    let api = api_in(FOLDER);
    let described = options_for_api(&api, &uris(&api)).to_string();
    let loaded = rulebook_model::read(vec![("api.json".into(), described.into_bytes())]).unwrap();
    assert_eq!(
        loaded.clone().without_spans().modules,
        api.clone().without_spans().modules,
        "{:#}",
        canonical_definition(&loaded)
    );
    let options = server_of(FOLDER).send(&Request::new("OPTIONS", "/api/orders/7")).json();
    let item = &options["/"]["orders/{order}"]["PUT"]["in"]["*"];
    assert_eq!((&item["name"], &item["$schema"]["type"]), (&json!("items"), &json!("array")), "{options}");
    assert!(options["/"]["orders/{order}"]["PATCH"]["in"]["*"].get("name").is_none(), "`body` is the default name");
}

#[test]
fn the_dialects_have_the_same_parameter() {
    let api = api_in(FOLDER);
    let parameter = |id: &str| {
        let methods = api.modules.iter().flat_map(|module| &module.services).flat_map(|service| &service.methods);
        let method = methods.clone().find(|method| method.id == id);
        method.unwrap_or_else(|| panic!("{id}")).parameters.iter().find(|it| it.is_whole_body()).unwrap().clone()
    };
    let (one, other) = (parameter("basket.fill.post"), parameter("drawer.fill.post"));
    assert_eq!((one.from, one.key.as_str(), one.name.as_str()), (Location::WholeBody, "", "numbers"));
    assert_eq!((&one.r#type, &one.name, &one.key, one.optional), (&other.r#type, &other.name, &other.key, false));
    assert_eq!((one.tree_key().as_str(), one.request_name()), ("*", "numbers"));
    let services = api.modules.iter().flat_map(|module| &module.services);
    let fill = services.clone().find(|service| service.uri() == "/drawer/fill").unwrap();
    assert_eq!(fill.methods.len(), 1, "only POST has a body");
}
