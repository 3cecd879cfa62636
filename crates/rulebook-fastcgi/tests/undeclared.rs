//! Errors of PHP that the method does not declare: the log contains their declarations, and the setting `errors` can
//! name one error for all of them.

use rulebook::error::ErrorKind;
use rulebook::{Engine, Response};
use serde_json::{Value as Json, json};

use super::definitions::{rulebook, run, settings, song};
use super::fake_server::{FakeServer, Step, response};

const PLAIN: &str = "plain";
const PHALAPI: &str = "phalapi";
const API3: &str = "api3";

/// Returns the response to a call whose server sends `head` and `body`. The method declares these errors.
async fn call(style: &str, head: &str, body: &Json, names: &Json, declared: &Json) -> Response {
    let bytes = response(head, &body.to_string());
    let server = FakeServer::start(move |_, _| vec![Step::Send(bytes.clone())]).await;
    let mut app = settings(&server.address, &json!({ "style": style, "root": "/srv/app", "errors": names }));
    let method = match style {
        PHALAPI => json!({ "service": "Song.Get" }),
        API3 => json!({ "class": "song", "function": "get" }),
        _ => json!({}),
    };
    for (name, value) in method.as_object().unwrap() {
        app["handlers"]["default"][name] = value.clone();
    }
    if style == PHALAPI {
        app["envelope"] = json!("phalapi");
    }
    let engine: Engine = rulebook(&app, &song("POST", &json!({ "errors": declared })))
        .build()
        .unwrap_or_else(|report| panic!("{report}"));
    engine.call("song.post").send().await
}

/// Returns the member of `errors` that the log suggests.
fn suggested(response: &Response) -> Json {
    let log = response.error().and_then(|error| error.log()).unwrap_or_default().to_owned();
    let member = log.split_once("declare: add ").and_then(|(_, rest)| rest.split_once(" to the errors of"));
    let (member, _) = member.unwrap_or_else(|| panic!("the log suggests no error: {log}"));
    serde_json::from_str(&format!("{{{member}}}")).unwrap_or_else(|error| panic!("{error}: {member}"))
}

const OUTCOME: &str = "Rulebook-Outcome: error";

#[test]
fn the_log_says_how_an_error_is_declared() {
    let phalapi = |ret: u16, msg: &str| json!({ "ret": ret, "data": [], "msg": msg });
    let cases = [
        (PLAIN, "Status: 409", json!({ "error": "locked", "message": "by ada" }), "locked"),
        (PLAIN, "Status: 503", json!({ "error": "a\"b\"{" }), "a\"b\"{"),
        (PHALAPI, "A: b", phalapi(406, "Bad Request: wrong \"sign\""), "error_406"),
        (PHALAPI, "A: b", phalapi(501, "Interal Server Error: away"), "error_501"),
        (API3, OUTCOME, json!({ "number": 12 }), "error_12"),
        (API3, OUTCOME, json!({ "name": "gone" }), "gone"),
    ];
    run(async {
        for (style, head, body, name) in cases {
            let undeclared = call(style, head, &body, &json!({}), &json!({})).await;
            assert_eq!(undeclared.error().unwrap().status().get(), 502, "{body}");
            assert!(!undeclared.serialize().contains("PHP"), "{body}");
            let mut errors = suggested(&undeclared);
            let error = &mut errors[name];
            assert!(error.is_object(), "{body}: {error}");
            // The dialect `tree` has the key `info` for what api 3.0 calls `description`.
            if let Some(description) = error.as_object_mut().unwrap().shift_remove("description") {
                error["info"] = description;
            }
            let declared = call(style, head, &body, &json!({}), &errors).await;
            let is_declared = matches!(declared.error().unwrap().kind(), ErrorKind::Declared { .. });
            assert!(is_declared, "{body}: {}", declared.serialize());
        }
    });
}

#[test]
fn one_declared_error_can_stand_for_all_others() {
    let errors = json!({
        "refused": { "status": 400, "info": "the request is refused" },
        "locked": { "status": 409, "number": 13, "info": "it is locked" }
    });
    let phalapi = |ret: u16, msg: &str| json!({ "ret": ret, "data": [], "msg": msg });
    let failed = json!({ "ErrorDescription": "bad gateway: the server behind this one failed" });
    // The last column has members of the response.
    let cases = [
        (PHALAPI, "A: b", phalapi(406, "Bad Request: no"), json!({ "ret": 406, "msg": "Bad Request: no" })),
        (PHALAPI, "A: b", phalapi(409, "Bad Request: no"), json!({ "ret": 409, "msg": "Bad Request: no" })),
        (PHALAPI, "A: b", phalapi(400, ""), json!({ "ret": 400, "msg": "Bad Request: the request is refused" })),
        (PHALAPI, "A: b", phalapi(501, "Interal Server Error: SQL"), json!({ "ret": 502 })),
        (API3, OUTCOME, json!({ "number": 12 }), json!({ "error": 12, "name": "refused" })),
        (API3, OUTCOME, json!({ "number": 13 }), json!({ "error": 13, "name": "locked" })),
        (API3, OUTCOME, json!({ "name": "gone" }), json!({ "error": 1, "name": "refused" })),
        (API3, "Status: 500", json!({}), failed.clone()),
        (PLAIN, "Status: 404", json!({ "error": "gone" }), json!({ "name": "refused" })),
        (PLAIN, "Status: 409", json!({ "error": "locked" }), json!({ "name": "locked" })),
        (PLAIN, "Status: 404", json!("File not found."), failed.clone()),
        (PLAIN, "Status: 500", json!({ "error": "SQL" }), failed.clone()),
    ];
    run(async {
        for (style, head, body, expected) in cases {
            let response = call(style, head, &body, &json!({ "*": "refused" }), &errors).await.serialize();
            let response: Json = serde_json::from_str(&response).unwrap();
            for (member, value) in expected.as_object().unwrap() {
                assert_eq!(&response[member], value, "{style}, {body}: {response}");
            }
            assert!(!response.to_string().contains("SQL"), "{response}");
        }
    });
}
