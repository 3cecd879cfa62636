//! Responses in each style: outputs, errors and header fields.

use rulebook::Engine;
use serde_json::{Value as Json, json};

use super::definitions::{rulebook, run, settings, song};
use super::fake_server::{FakeServer, STDERR, Step, records, response};

/// Calls a method whose server sends this response.
async fn respond(head: &str, body: &Json, shared: &Json, members: &Json) -> rulebook::Response {
    let bytes = response(head, &body.to_string());
    let server = FakeServer::start(move |_, _| vec![Step::Send(bytes.clone())]).await;
    engine(&server, shared, members).call("song.post").send().await
}

fn engine(server: &FakeServer, shared: &Json, members: &Json) -> Engine {
    let engine = rulebook(&settings(&server.address, shared), &song("POST", members)).build();
    engine.unwrap_or_else(|report| panic!("{report}"))
}

fn errors() -> Json {
    json!({ "errors": {
        "no_such_song": { "status": 404, "info": "there is no such song" },
        "wrong_sign": { "status": 401, "number": 7, "info": "the signature is wrong" },
        "busy": { "status": 503, "info": "try later" }
    } })
}

/// Returns the status, the name and the message of an error.
fn described(response: &rulebook::Response) -> (u16, Json) {
    let body: Json = serde_json::from_str(&response.serialize()).unwrap();
    (response.status(), json!([body.get("name"), body["ErrorDescription"]]))
}

#[test]
fn plain_scripts_return_outputs_and_declared_errors() {
    run(async {
        let outputs = respond("A: b", &json!({ "text": "la" }), &json!({}), &json!({})).await;
        assert_eq!(outputs.outputs().unwrap(), json!({ "text": "la" }));
        let created = respond("Status: 201 Created", &json!({ "text": "la" }), &json!({}), &json!({})).await;
        assert_eq!(created.status(), 201);
        let whole = json!({ "out": { "*": { "info": "All", "type": "array<int>" } } });
        assert_eq!(respond("A: b", &json!([1, 2]), &json!({}), &whole).await.outputs().unwrap(), json!([1, 2]));
        assert_eq!(respond("A: b", &json!([]), &json!({}), &whole).await.outputs().unwrap(), json!([]));
        // Members that are not outputs are not sent, not even those of the envelope.
        let more = json!({ "error": 7, "text": "la", "debug": 1 });
        let more = respond("A: b", &more, &json!({}), &json!({})).await;
        assert_eq!(more.serialize(), r#"{"error":0,"ErrorDescription":"all right","text":"la"}"#);
        // PHP writes an empty object as an array.
        let optional = json!({ "out": { "text": { "info": "It", "type": "?string" } } });
        assert_eq!(respond("A: b", &json!([]), &json!({}), &optional).await.status(), 200);
        let none = json!({ "out": {} });
        assert_eq!(respond("A: b", &json!("done"), &json!({}), &none).await.outputs().unwrap(), json!({}));

        let missing = respond("Status: 404", &json!({ "error": "no_such_song" }), &json!({}), &errors()).await;
        assert_eq!(described(&missing), (404, json!(["no_such_song", "it failed: there is no such song"])));
        let body = json!({ "error": "no_such_song", "message": "it was removed" });
        let missing = respond("Status: 404", &body, &json!({}), &errors()).await;
        assert_eq!(described(&missing), (404, json!(["no_such_song", "it failed: it was removed"])));
        let shared = json!({ "errors": { "E_LOCKED": "busy", "E_OTHER": "not_declared_by_this_method" } });
        let by_status = json!({ "errors": { "409": "busy" } });
        let mapped = respond("Status: 409", &json!("<html>"), &by_status, &errors()).await;
        assert_eq!(mapped.status(), 503);
        let mapped = respond("Status: 500", &json!({ "error": "E_LOCKED" }), &shared, &errors()).await;
        assert_eq!(described(&mapped), (503, json!(["busy", "it failed: try later"])));
    });
}

#[test]
fn responses_of_phalapi_are_unwrapped() {
    let call = async |body: Json, shared: Json| {
        let mut all = json!({ "style": "phalapi" });
        if shared.is_object() {
            all["errors"] = shared;
        }
        let mut method = errors();
        method["out"] = json!({ "text": { "info": "Its text", "type": "?string" } });
        let bytes = response("Content-Type: application/json;charset=utf-8", &body.to_string());
        let server = FakeServer::start(move |_, _| vec![Step::Send(bytes.clone())]).await;
        let mut app = settings(&server.address, &all);
        app["handlers"]["default"]["service"] = json!("Song.Get");
        app["envelope"] = json!("phalapi");
        let engine = rulebook(&app, &song("POST", &method)).build().unwrap_or_else(|report| panic!("{report}"));
        let response = engine.call("song.post").send().await;
        (response.status(), serde_json::from_str::<Json>(&response.serialize()).unwrap())
    };
    run(async {
        let success = json!({ "ret": 200, "data": { "text": "la" }, "msg": "" });
        assert_eq!(call(success.clone(), json!(null)).await.1["data"], json!({ "text": "la" }));
        assert_eq!(call(json!({ "ret": "200", "data": [], "msg": "" }), json!(null)).await.1["ret"], 200);
        // The only declared error with this status, and its message from PHP.
        let (_, body) = call(json!({ "ret": 401, "data": [], "msg": "Bad Request: wrong sign" }), json!(null)).await;
        assert_eq!((&body["ret"], &body["msg"]), (&json!(401), &json!("Bad Request: wrong sign")));
        // The definition names the error of a code; clients get the same `ret` as from PhalApi.
        let (_, body) = call(json!({ "ret": 406, "data": [], "msg": "no" }), json!({ "406": "no_such_song" })).await;
        assert_eq!((&body["ret"], &body["msg"]), (&json!(406), &json!("Bad Request: no")));
        let (_, body) = call(json!({ "ret": 502, "data": [], "msg": "busy" }), json!({ "502": "busy" })).await;
        assert_eq!((&body["ret"], &body["msg"]), (&json!(502), &json!("Interal Server Error: busy")));
        for failed in [json!({ "ret": 500, "data": [], "msg": "SQL password" }), json!({ "data": 1 }), json!([1])] {
            let (_, body) = call(failed, json!(null)).await;
            assert_eq!(body["ret"], 502, "{body}");
            assert!(!body.to_string().contains("SQL"), "{body}");
        }
    });
}

#[test]
fn the_outcome_of_the_bridge_is_outputs_or_a_declared_error() {
    let call = async |head: &str, body: Json| {
        let bytes = response(head, &body.to_string());
        let server = FakeServer::start(move |_, _| vec![Step::Send(bytes.clone())]).await;
        let mut app = settings(
            &server.address,
            &json!({ "style": "api3", "root": "/srv/app", "errors": { "12": "busy", "-3": "busy" } }),
        );
        app["handlers"]["default"]["class"] = json!("song");
        app["handlers"]["default"]["function"] = json!("read");
        let engine = rulebook(&app, &song("POST", &errors())).build().unwrap_or_else(|report| panic!("{report}"));
        let response = engine.call("song.post").send().await;
        let outputs = response.output_map().map(|outputs| json!(outputs));
        outputs.map_or_else(|| described(&response), |outputs| (200, outputs))
    };
    run(async {
        let error = "Rulebook-Outcome: error";
        assert_eq!(call("Rulebook-Outcome: outputs", json!({ "text": "la" })).await, (200, json!({ "text": "la" })));
        let by_number = call(error, json!({ "number": 7 })).await;
        assert_eq!(by_number, (401, json!(["wrong_sign", "it failed: the signature is wrong"])));
        assert_eq!(call(error, json!({ "number": 12 })).await.0, 503);
        assert_eq!(call(error, json!({ "number": -3 })).await.0, 503);
        assert_eq!(call(error, json!({ "name": "no_such_song" })).await.0, 404);
        assert_eq!(call(error, json!({ "number": 8 })).await.0, 502);
        // A class that ends the script itself, and a failed script.
        assert_eq!(call("A: b", json!({ "text": "la" })).await.0, 502);
        assert_eq!(call("Status: 500", json!({})).await.0, 502);
    });
}

#[test]
fn messages_of_php_do_not_change_the_response() {
    run(async {
        let server = FakeServer::start(|_, _| {
            let response = response("A: b", r#"{"text":"la"}"#);
            vec![Step::Send(records(STDERR, b"PHP message: one\nforged\x1b[2J line")), Step::Send(response)]
        })
        .await;
        let engine = engine(&server, &json!({}), &json!({}));
        assert_eq!(engine.call("song.post").send().await.outputs().unwrap(), json!({ "text": "la" }));
    });
}

#[test]
fn a_response_has_each_member_of_its_envelope_once() {
    let returned = json!({ "text": "la", "error": 5, "ErrorDescription": "own", "status": "own", "more": 1 });
    run(async {
        for (envelope, expected) in [
            ("aicra", r#"{"error":0,"ErrorDescription":"all right","text":"la","status":"own","more":1}"#),
            ("aicra-status", r#"{"status":"all right","text":"la","error":5,"ErrorDescription":"own","more":1}"#),
        ] {
            let bytes = response("Rulebook-Outcome: outputs", &returned.to_string());
            let server = FakeServer::start(move |_, _| vec![Step::Send(bytes.clone())]).await;
            let mut app = settings(&server.address, &json!({ "style": "api3", "root": "/srv/app" }));
            app["handlers"]["default"]["class"] = json!("song");
            app["handlers"]["default"]["function"] = json!("read");
            app["envelope"] = json!(envelope);
            let engine = rulebook(&app, &song("POST", &json!({}))).build().unwrap_or_else(|report| panic!("{report}"));
            assert_eq!(engine.call("song.post").send().await.serialize(), expected, "{envelope}");
        }
    });
}
