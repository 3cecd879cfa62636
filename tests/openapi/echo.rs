//! Tests the OpenAPI documents of servers without handlers.

use serde_json::json;

use super::{engine_with_definition, operations, validator};
use crate::client::{Request, TestServer};
use rulebook::{Engine, Rulebook, Unbound};
use rulebook_model::describe::openapi;

/// A server without handlers responds with the arguments. Its document describes these responses, also if the program
/// and not the definition selects this.
#[test]
fn the_served_document_of_a_server_without_handlers_describes_the_arguments_as_output() {
    let definition = |unbound: Option<&str>| {
        let mut app = json!({ "modules": { "m": { "/": { "a": { "GET": {
            "info": "I", "in": { "GET@x": { "info": "I", "type": "int" } },
            "out": { "y": { "info": "I", "type": "int", "example": 3 } }
        } } } } } });
        app.as_object_mut().unwrap().extend(unbound.map(|word| ("unbound".to_owned(), json!(word))));
        app
    };
    let served_content = |engine: &Engine| {
        let server = TestServer::start(engine);
        let document = server.send(&Request::new("GET", "/openapi.json")).json();
        let operation = operations(&document).pop().unwrap().operation_object;
        let content = operation["responses"]["200"]["content"]["application/json"].clone();
        (server, document, content)
    };
    for unbound in [None, Some("echo"), Some("refuse")] {
        let (server, document, content) = served_content(&engine_with_definition(&definition(unbound)));
        let body = server.send(&Request::new("GET", "/a?x=1")).json();
        assert!(validator(&document, &content["schema"]).is_valid(&body), "{body}: {content}");
        assert!(content.get("examples").is_none() && !content.to_string().contains("\"y\""), "{content}");
    }
    let files = vec![("app.json".into(), definition(Some("echo")).to_string().into_bytes())];
    let engine = Rulebook::read(files).unbound(Unbound::NotImplemented).build().unwrap();
    let (_, _, content) = served_content(&engine);
    assert!(content.to_string().contains("\"y\""), "the program has turned `echo` off: {content}");
    let api = engine_with_definition(&definition(None));
    assert!(openapi(api.api()).to_string().contains("\"y\""), "the definition itself describes its outputs");
}
