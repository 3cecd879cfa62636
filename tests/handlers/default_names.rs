//! Tests the names in code of parameters for which the definition sets no name: handlers, calls from code, the types of
//! the client and the response to OPTIONS use the same names.

use rulebook::{ApiError, Args, Context, Module};
use rulebook_model::describe::{options_for_service, typescript, uris};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::block_on;
use crate::client::{Request, TestServer, engine};

#[derive(Deserialize)]
struct Place {
    page: u64,
    token: String,
    session: Option<String>,
    any: Option<String>,
    id: u64,
}

async fn list(Args(place): Args<Place>, _: Context) -> Result<Json, ApiError> {
    let Place { page, token, session, any, id } = place;
    Ok(json!({ "values": [page, token, session, any, id] }))
}

fn definition() -> Json {
    let parameter = |r#type: &str| json!({ "info": "A parameter", "type": r#type });
    json!({ "/": { "list/{id}": { "GET": {
        "info": "A list",
        "in": {
            "GET@page": parameter("uint"),
            "HEADER@token": parameter("string"),
            "COOKIE@session": parameter("?string"),
            "ANY@any": parameter("?string"),
            "{id}": parameter("uint")
        },
        "out": { "values": { "info": "The values", "type": "array" } }
    } } } })
}

#[test]
fn parameters_without_name_are_called_by_their_keys_without_prefix() {
    let engine =
        engine(&[("list.json", definition())], |rulebook| rulebook.module(Module::new("list").get("/list/{id}", list)));
    let call = engine.call("list.{id}.get").args([("page", json!(2)), ("token", json!("t")), ("id", json!(7))]);
    assert_eq!(block_on(call.send()).outputs().unwrap()["values"], json!([2, "t", null, null, 7]));
    let unknown = engine.call("list.{id}.get").args([("GET@page", json!(2))]);
    assert!(block_on(unknown.send()).outputs().is_err());

    let server = TestServer::start(&engine);
    let request = Request::new("GET", "/list/7?page=2&any=a").field("token", "t").field("cookie", "session=s");
    assert_eq!(server.send(&request).json()["values"], json!([2, "t", "s", "a", 7]));
    let error = server.send(&Request::new("GET", "/list/7?page=x").field("token", "t")).json();
    assert_eq!((&error["errors"][0]["parameter"], &error["errors"][0]["in"]), (&json!("page"), &json!("query")));

    let types = typescript(engine.api());
    for argument in ["page: number", "token: string", "session?: string", "any?: string", "id: number"] {
        assert!(types.contains(argument), "{argument} is not in {types}");
    }
    // The definition in the response to OPTIONS has no `name` either, so that clients derive the same names.
    let options = options_for_service(engine.api(), &uris(engine.api()).services[0]);
    let parameters = options["/"]["list/{id}"]["GET"]["in"].as_object().unwrap_or_else(|| panic!("{options}"));
    assert_eq!(parameters.len(), 5);
    assert!(parameters.values().all(|parameter| parameter["name"].is_null()), "{options}");
}
