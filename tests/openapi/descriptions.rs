//! Tests how the OpenAPI document describes bodies, files, permissions, and the API as a whole.

use serde_json::{Value as Json, json};

use super::{engine_with_definition, openapi_of_uris, operations, resolved};
use rulebook_model::describe::openapi;

/// Returns the OpenAPI document of an API with one method, and the operation of that method.
fn document_and_operation(http: &str, method: &Json) -> (Json, Json) {
    let document = openapi_of_uris(&json!({ "a": { http: method } }));
    let operation = operations(&document).pop().unwrap().operation_object;
    (document, operation)
}

/// Returns the schema of the request body for a media type.
fn body_schema(document: &Json, operation: &Json, media_type: &str) -> Json {
    resolved(document, &operation["requestBody"]["content"][media_type]["schema"]).clone()
}

fn body_media_types(operation: &Json) -> Vec<&str> {
    operation["requestBody"]["content"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn parameters_of_query_or_body_are_in_the_query_of_methods_without_a_body() {
    let method = json!({ "info": "I", "in": {
        "ANY@x": { "info": "I", "type": "int" }, "y": { "info": "I", "type": "?int" }
    } });
    for (http, in_body) in [("GET", false), ("DELETE", false), ("POST", true), ("PUT", true), ("PATCH", true)] {
        let (document, operation) = document_and_operation(http, &method);
        let places: Vec<_> = operation["parameters"].as_array().unwrap().iter().map(|own| &own["in"]).collect();
        if in_body {
            assert!(places.is_empty());
            let schema = body_schema(&document, &operation, "application/json");
            assert_eq!(schema["required"], json!(["x"]));
            assert_eq!(operation["requestBody"]["required"], true);
        } else {
            assert_eq!(places, ["query", "query"]);
            assert!(operation.get("requestBody").is_none());
        }
    }
}

#[test]
fn only_schemas_of_json_bodies_allow_null_for_optional_fields() {
    let (document, operation) =
        document_and_operation("POST", &json!({ "info": "I", "in": { "x": { "info": "I", "type": "?bool" } } }));
    assert_eq!(
        body_media_types(&operation),
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]
    );
    let of = |media_type: &str| body_schema(&document, &operation, media_type)["properties"]["x"]["type"].clone();
    assert_eq!(of("application/json"), json!(["boolean", "null"]));
    assert_eq!(of("multipart/form-data"), "boolean");
    assert_eq!(operation["requestBody"]["required"], false);
}

#[test]
fn files_are_binary_parts_of_multipart_forms() {
    let (document, operation) = document_and_operation(
        "POST",
        &json!({ "info": "I", "in": {
        "one": { "info": "A picture", "type": "file", "max": 1000, "range": ["image/png"] },
        "some": { "info": "More", "type": "?array<file>", "min": 1, "max": 3, "items": { "max": 9, "range": ["image/*", "text/plain"] } },
        "images": { "info": "Any", "type": "?file", "range": ["image/*", "text/plain"] },
        "about": { "info": "What", "type": "?object" },
        "note": { "info": "A note", "type": "?string" }
    } }),
    );
    assert_eq!(body_media_types(&operation), ["multipart/form-data"]);
    let schema = body_schema(&document, &operation, "multipart/form-data");
    let file = |media_type: &str| json!({ "type": "string", "format": "binary", "contentMediaType": media_type });
    let without_words = |name: &str| {
        let mut own = schema["properties"][name].clone();
        own.as_object_mut().unwrap().remove("description");
        own
    };
    assert_eq!(without_words("one"), file("image/png"));
    assert_eq!(without_words("images"), file("application/octet-stream"));
    let any = file("application/octet-stream");
    assert_eq!(without_words("some"), json!({ "type": "array", "items": any, "minItems": 1, "maxItems": 3 }));
    assert_eq!(
        schema["properties"]["one"]["description"],
        "A picture: a file of at most 1000 bytes of the type image/png"
    );
    assert_eq!(
        schema["properties"]["some"]["description"],
        "More: an array of 1 to 3 items, each a file of at most 9 bytes of the type image/* or text/plain\n\nThe form can \
         also contain it under names such as `some[]`."
    );
    let encoding = &operation["requestBody"]["content"]["multipart/form-data"]["encoding"];
    assert_eq!(
        *encoding,
        json!({
            "about": { "contentType": "application/json" },
            "images": { "contentType": "image/*, text/plain" },
            "one": { "contentType": "image/png" },
            "some": { "contentType": "image/*, text/plain" }
        })
    );
}

/// The schema of a download allows any media type. The response with a link to the file is described next to it.
#[test]
fn downloads_are_described_as_files_of_any_media_type_or_links() {
    let (document, operation) =
        document_and_operation("GET", &json!({ "info": "A file", "options": { "download": true } }));
    let responses = &operation["responses"];
    assert_eq!(responses["200"]["content"]["*/*"], json!({}));
    let bytes = json!({ "schema": { "type": "string", "format": "binary" } });
    assert_eq!(responses["206"]["content"], json!({ "*/*": {}, "application/octet-stream": bytes }));
    let fields = |status: &str| {
        let fields = responses[status]["headers"].as_object().unwrap();
        fields.values().for_each(|field| assert!(resolved(&document, field)["description"].is_string(), "{field}"));
        fields.keys().filter(|name| *name != "X-Request-Id").map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    for (status, names) in [
        ("200", "Accept-Ranges Content-Disposition ETag Last-Modified"),
        ("206", "Accept-Ranges Content-Disposition Content-Range ETag Last-Modified"),
        ("304", "ETag Last-Modified"),
        ("412", "ETag Last-Modified"),
        ("416", "Content-Range ETag Last-Modified"),
    ] {
        assert_eq!(fields(status), names, "{status}");
    }
    for status in ["304", "412", "416"] {
        assert_eq!(responses[status]["content"], Json::Null, "{status}");
        assert!(responses[status]["description"].is_string(), "{status}");
    }
    let link = &responses["200"]["content"]["application/json"]["schema"];
    let link = resolved(&document, link)["anyOf"][0]["properties"]["link"].clone();
    assert_eq!((&link["type"], &link["format"]), (&json!("string"), &json!("uri-reference")));
    let wanted = &operation["parameters"][0];
    assert_eq!((&wanted["name"], &wanted["in"]), (&json!("X-Requested-With"), &json!("header")));
    // The server ignores other values of this header field.
    assert_eq!((&wanted["required"], &wanted["schema"]), (&json!(false), &json!({ "type": "string" })));
    let posted = json!({ "info": "A report", "options": { "download": true, "status": 201 } });
    let (_, operation) = self::document_and_operation("POST", &posted);
    assert_eq!(operation["responses"]["201"]["content"]["*/*"], json!({}));
    assert_eq!(operation["responses"]["206"], Json::Null, "only GET with status 200 has parts");
}

#[test]
fn permissions_are_in_security_requirements_and_in_the_description() {
    let (document, with_scope) = document_and_operation(
        "PUT",
        &json!({
            "info": "Change it\n\nfor good",
            "scope": [["author", "article[x]"], ["admin"]],
            "in": { "URL#0": { "info": "I", "type": "id", "name": "x" } }
        }),
    );
    assert_eq!(with_scope["security"], json!([{ "bearer": ["author", "article[x]"] }, { "bearer": ["admin"] }]));
    assert_eq!(with_scope["summary"], "Change it");
    assert_eq!(
        with_scope["description"],
        "Change it\n\nfor good\n\nRequires the permission `author` and `article[x]`, or `admin`. \
         `[x]` is the value of `x` in the path, in brackets."
    );
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    assert!(with_scope["responses"].get("403").is_some());

    let (document, public) = document_and_operation("GET", &json!({ "info": "Read it" }));
    assert_eq!((document["security"].clone(), public.get("security")), (json!([]), None));
    assert!(public.get("description").is_none() && public["responses"].get("401").is_none());
    assert!(document["components"].get("securitySchemes").is_none());
}

#[test]
fn only_errors_that_a_method_can_have_are_described() {
    let statuses = |http: &str, method: Json| {
        let (_, operation) = document_and_operation(http, &method);
        operation["responses"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    let parameter = |key: &str| json!({ "info": "I", "in": { key: { "info": "I", "type": "string" } } });
    assert_eq!(statuses("GET", json!({ "info": "I" })), "200 default");
    assert_eq!(statuses("GET", parameter("GET@x")), "200 400 413 414 default");
    assert_eq!(statuses("GET", parameter("HEADER@x")), "200 400 431 default");
    assert_eq!(statuses("POST", parameter("x")), "200 400 408 413 415 default");
    assert_eq!(
        statuses("GET", json!({ "info": "I", "scope": [["a"]], "options": { "status": 204 } })),
        "204 401 403 429 default"
    );
}

#[test]
fn errors_that_any_request_can_cause_are_in_the_default_response() {
    let declared = json!({ "info": "I", "errors": { "closed": { "status": 503, "info": "It is closed" } } });
    for (method, description, statuses) in [
        (json!({ "info": "I" }), Json::Null, vec!["200", "default"]),
        // The default response applies only to statuses without a response of their own.
        (declared, json!("It is closed; service unavailable"), vec!["200", "503", "default"]),
    ] {
        let (_, operation) = document_and_operation("GET", &method);
        let responses = operation["responses"].as_object().unwrap();
        assert_eq!(responses.keys().collect::<Vec<_>>(), statuses);
        assert_eq!(operation["responses"]["503"]["description"], description);
        let other = &responses["default"];
        for (code, status) in [("unknown-service", 404), ("unavailable", 503), ("internal", 500)] {
            let example = &other["content"]["application/json"]["examples"][code]["value"];
            assert!(example["error"].is_u64(), "{code}: {example}");
            assert!(other["description"].as_str().unwrap().contains(&format!("({status})")), "{code}");
        }
    }
}

#[test]
fn header_parameters_that_openapi_ignores_are_in_the_description() {
    let (_, operation) = document_and_operation(
        "GET",
        &json!({ "info": "I", "in": {
        "HEADER@Accept": { "info": "What is wanted", "type": "?string" },
        "HEADER@X-Other": { "info": "I", "type": "?string" }
    } }),
    );
    assert_eq!(operation["parameters"].as_array().unwrap().len(), 1);
    assert_eq!(operation["description"], "Reads the header field `accept`: What is wanted");
}

#[test]
fn schemas_forbid_additional_properties_if_the_server_refuses_unknown_fields() {
    let app = |unknown: &str| {
        json!({ "unknown": unknown, "modules": { "m": { "/": { "a": { "POST": {
            "info": "I", "in": { "x": { "info": "I", "type": "int" } }
        } } } } } })
    };
    for (unknown, closed) in [("refuse", json!(false)), ("ignore", Json::Null)] {
        let document = openapi(engine_with_definition(&app(unknown)).api());
        let operation = operations(&document).pop().unwrap().operation_object;
        assert_eq!(body_schema(&document, &operation, "application/json")["additionalProperties"], closed);
    }
}

#[test]
fn info_servers_and_tags_of_openapi_come_from_the_definition() {
    let app = json!({
        "title": "An API", "version": "3.2.1", "info": "What it is for", "base": "/a b/c",
        "contact": { "email": "we@example.org" }, "license": { "name": "MIT", "identifier": "MIT" },
        "modules": { "m": { "info": "A module", "/": { "größe": { "GET": { "info": "I", "options": { "deprecated": true } } } } } }
    });
    let document = openapi(engine_with_definition(&app).api());
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(
        document["info"],
        json!({
            "title": "An API", "version": "3.2.1", "description": "What it is for",
            "contact": { "email": "we@example.org" }, "license": { "name": "MIT", "identifier": "MIT" }
        })
    );
    // Without servers in the definition, the URL of the server is relative, so that it is correct behind any reverse
    // proxy.
    let beside = json!({ "url": ".", "description": "The server of this document" });
    assert_eq!(document["servers"], json!([beside]));
    assert_eq!(document["tags"], json!([{ "name": "m", "description": "A module" }]));
    let operation = operations(&document).pop().unwrap();
    assert_eq!((operation.path, &operation.operation_object["deprecated"]), ("/a%20b/c/gr%C3%B6%C3%9Fe", &json!(true)));
}

#[test]
fn servers_of_the_definition_are_listed_first() {
    let app = json!({ "servers": [{ "url": "https://example.org", "info": "Everybody's" }], "modules": { "m": {} } });
    let document = openapi(engine_with_definition(&app).api());
    let servers = document["servers"].as_array().unwrap();
    assert_eq!(servers[0], json!({ "url": "https://example.org", "description": "Everybody's" }));
    assert_eq!(servers[1]["url"], ".");
    assert_eq!(servers.len(), 2);
}

#[test]
fn rate_limit_fields_are_described_for_methods_that_require_permissions() {
    let (document, scoped) = document_and_operation("GET", &json!({ "info": "I", "scope": [["reader"]] }));
    for name in ["RateLimit", "RateLimit-Policy"] {
        for status in ["200", "429"] {
            let response = resolved(&document, &scoped["responses"][status]);
            let header = resolved(&document, &response["headers"][name]);
            assert!(header["description"].is_string(), "{name} of {status}: {response}");
        }
    }
    let other = &scoped["responses"]["default"];
    assert!(other["headers"]["Retry-After"].is_object(), "{other}");
    let (document, public) = document_and_operation("GET", &json!({ "info": "I" }));
    assert!(public["responses"]["200"]["headers"].get("RateLimit").is_none());
    assert!(document["components"]["headers"].get("RateLimit").is_none());
}

/// The source `ANY@` reads the query and the body. The document requires the parameter in one of them, and mentions the
/// other.
#[test]
fn parameters_from_any_source_are_described_in_one_part_and_mentioned_for_the_other() {
    let any = json!({ "info": "I", "in": { "ANY@x": { "info": "I", "type": "int" } } });
    let (_, posted) = document_and_operation("POST", &any);
    let text = posted["description"].as_str().unwrap();
    assert!(text.ends_with("Instead of in the body, a client can send `x` in the query."), "{text}");
    let (_, deleted) = document_and_operation("DELETE", &any);
    let text = deleted["description"].as_str().unwrap();
    let expected =
        "Instead of in the query, a client can send `x` in the body, as fields of a form or members of a JSON object.";
    assert!(text.ends_with(expected), "{text}");
    assert_eq!((deleted["parameters"][0]["in"].as_str(), deleted.get("requestBody")), (Some("query"), None));
    // Many programs cannot send a body with GET.
    let (_, fetched) = document_and_operation("GET", &any);
    assert_eq!(fetched.get("description"), None);
}
