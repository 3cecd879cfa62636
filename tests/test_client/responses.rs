//! Tests that the client for tests of programs decodes responses in any envelope.

use rulebook::{ApiError, Args, Context, Module};
use rulebook_test::Client;
use serde_json::json;

use super::{api_from_document, declared_error, three_outputs, user_definition, user_module};

#[test]
fn outputs_and_errors_are_decoded_from_any_envelope() {
    for envelope in ["aicra", "plain"] {
        let document = json!({ "envelope": envelope, "modules": { "m": { "/": { "it": {
            "GET": { "info": "I", "out": { "text": { "info": "I", "type": "string" },
                "number": { "info": "I", "type": "int" }, "list": { "info": "I", "type": "array" } } },
            "POST": { "info": "I", "in": { "a": { "info": "I", "type": "int" }, "b": { "info": "I", "type": "int" } },
                "errors": { "full": { "status": 409, "info": "No seat is left" } } }
        } } } } });
        let client = Client::new(
            api_from_document(&document).module(Module::new("m").get("/it", three_outputs).post("/it", declared_error)),
        )
        .unwrap();
        let response = client.call("it.get").send();
        assert_eq!(response.outputs(), json!({ "text": "a", "number": 1, "list": [1] }), "{envelope}");
        assert_eq!(response.output("text"), "a");
        assert_eq!(response.output("number"), 1);
        assert_eq!((response.code(), response.message(), response.is_error()), (None, None, false));
        assert_eq!(response.json().get("error").is_some(), envelope == "aicra");
        for accept in ["*/*", "application/problem+json"] {
            let post = || client.call("it.post").arg("a", 1).header("accept", accept);
            let refused = post().arg("b", 2).send();
            assert_eq!((refused.status(), refused.code()), (409, Some("full")), "{envelope} {accept}");
            assert!(refused.message().unwrap().contains("No seat is left"), "{refused:?}");
            assert_eq!(refused.json()["seats"], 0);
            let refused = post().arg("a", "x").send();
            assert_eq!((refused.status(), refused.code()), (400, Some("invalid-parameter")), "{envelope} {accept}");
            assert_eq!(refused.invalid_parameters(), ["a", "b"]);
        }
    }
}

#[test]
fn responses_in_the_phalapi_envelope_are_decoded_whatever_their_status() {
    for (real, catalogue) in [(false, "1.x"), (true, "2.x")] {
        let document = json!({
            "envelope": "phalapi", "catalogue": catalogue, "phalapi": { "real_status": real },
            "modules": { "m": { "/": { "it": {
                "GET": { "info": "I", "out": { "text": { "info": "I", "type": "string" },
                    "number": { "info": "I", "type": "int" }, "list": { "info": "I", "type": "array" } } },
                "POST": { "info": "I", "errors": { "full": { "status": 409, "info": "No seat is left" } } },
                "PUT": { "info": "I" }
            } } } }
        });
        let module = Module::new("m").get("/it", three_outputs).post("/it", declared_error);
        let module = module.put("/it", async |_: Args<()>, _: Context| Ok::<_, ApiError>(()));
        let client = Client::new(api_from_document(&document).module(module)).unwrap();
        let response = client.call("it.get").send();
        assert_eq!(response.outputs(), json!({ "text": "a", "number": 1, "list": [1] }));
        assert_eq!((response.ret(), response.message(), response.is_error()), (Some(200), None, false));
        assert_eq!(client.call("it.put").send().outputs(), json!({}), "{catalogue}");
        let refused = client.call("it.post").send();
        assert_eq!((refused.ret(), refused.code(), refused.is_error()), (Some(409), None, true));
        assert_eq!(refused.message(), Some("Bad Request: No seat is left"));
        assert_eq!(refused.status(), if real { 409 } else { 200 });
        let problem = client.call("it.post").header("accept", "application/problem+json").send();
        assert_eq!((problem.status(), problem.ret(), problem.code()), (409, None, Some("full")));
    }
}

#[test]
fn outputs_with_the_member_names_of_another_envelope_are_only_outputs() {
    let output = json!({ "info": "I", "type": "string" });
    let document = json!({
        "envelope": "plain", "modules": { "m": { "/": { "it": {
            "GET": { "info": "I", "out": { "ret": { "info": "I", "type": "int" }, "data": output, "msg": output } }
        } } } }
    });
    let outputs = json!({ "ret": 404, "data": "a", "msg": "b" });
    let handler = async |_: Args<()>, _: Context| Ok::<_, ApiError>(json!({ "ret": 404, "data": "a", "msg": "b" }));
    let client = Client::new(api_from_document(&document).module(Module::new("m").get("/it", handler))).unwrap();
    let response = client.call("it.get").send();
    assert_eq!((response.ret(), response.is_error(), response.outputs()), (None, false, outputs));
}

#[test]
fn responses_in_the_iapi_envelope_are_decoded_whatever_their_status() {
    for (strict, status) in [(false, 400), (true, 409)] {
        let document = json!({
            "envelope": "iapi", "iapi": { "strict_status": strict }, "modules": { "m": { "/": { "it": {
                "GET": { "info": "I", "out": { "status": { "info": "I", "type": "string" } } },
                "POST": { "info": "I", "in": { "a": { "info": "I", "type": "?int" } },
                    "errors": { "full": { "status": 409, "info": "No seat is left" } } }
            } } } }
        });
        let error = async |_: Args<()>, _: Context| Ok::<_, ApiError>(json!({ "status": "error" }));
        let client = Client::new(
            api_from_document(&document).module(Module::new("m").get("/it", error).post("/it", declared_error)),
        )
        .unwrap();
        let response = client.call("it.get").send();
        assert_eq!((response.outputs(), response.is_error()), (json!({ "status": "error" }), false));
        let refused = client.call("it.post").send();
        assert_eq!((refused.status(), refused.code(), refused.is_error()), (status, None, true));
        assert_eq!((refused.message(), &refused.json()["seats"]), (Some("No seat is left"), &json!(0)));
        assert_eq!(client.call("it.post").arg("a", "x").send().invalid_parameters(), ["a"]);
        let problem = client.call("it.post").header("accept", "application/problem+json").send();
        assert_eq!((problem.status(), problem.code()), (409, Some("full")));
    }
}

#[test]
fn the_debug_output_of_a_test_response_is_complete() {
    let client = Client::new(api_from_document(&user_definition()).module(user_module())).unwrap();
    let response = client.call("user.{id}.get").arg("id", 7).identity("Ada", ["x"]).send();
    let shown = format!("{response:?}");
    assert!(shown.starts_with("200\n"), "{shown}");
    assert!(shown.contains("\ncontent-type: application/json\n"), "{shown}");
    assert!(shown.ends_with(response.text()) && response.text().contains("\"who\":\"Ada\""), "{shown}");
    assert_eq!(response.text().as_bytes(), response.body());
}
