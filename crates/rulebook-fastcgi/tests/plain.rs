//! Plain scripts in php-fpm.

use rulebook::Identity;
use serde_json::json;

use super::definitions::{rulebook, run};
use super::php_fpm::{PhpFpm, data};

fn article(http: &str) -> serde_json::Value {
    let parameters = json!({
        "action": { "info": "What it does", "type": "?string" },
        "tags": { "info": "A list", "type": "?array<string>" },
        "sizes": { "info": "An object", "type": "?map<int>" }
    });
    json!({ "/": { "article": { http: {
        "info": "An article",
        "in": parameters,
        "out": { "*": { "info": "All", "type": "object" } },
        "errors": { "no_such_article": { "status": 404, "info": "there is no such article" } }
    } } } })
}

fn app(fpm: &PhpFpm, shared: &serde_json::Value) -> serde_json::Value {
    let mut app = super::definitions::settings(&fpm.address(), shared);
    app["handlers"]["fastcgi"]["script"] = json!(data("plain/article.php"));
    app["handlers"]["fastcgi"]["local_files"] = json!(true);
    app
}

#[test]
fn a_script_gets_the_arguments_and_the_caller_and_returns_outputs() {
    let Some(fpm) = PhpFpm::start() else { return };
    run(async {
        let arguments = json!({ "tags": ["a", "é &="], "sizes": { "big one": 3 } });
        for (notation, size) in [("form", json!("3")), ("json", json!(3))] {
            let engine = rulebook(&app(&fpm, &json!({ "arguments": notation })), &article("PUT")).build().unwrap();
            let call = engine.call("article.put").args(arguments.as_object().unwrap().clone());
            let response = call.identity(Identity::new("ada", ["editor"])).send().await;
            let outputs = response.outputs().unwrap_or_else(|error| panic!("{error:?}\n{}", fpm.log()));
            assert_eq!(outputs["input"], json!({ "tags": ["a", "é &="], "sizes": { "big one": size } }));
            assert_eq!(outputs["server"]["RULEBOOK_IDENTITY"], "ada");
            assert_eq!(outputs["server"]["RULEBOOK_PERMISSIONS"], "[\"editor\"]");
            assert_eq!(outputs["server"]["RULEBOOK_METHOD"], "article.put");
            assert_eq!(outputs["server"]["RULEBOOK_HTTP_METHOD"], "PUT");
        }
    });
}

#[test]
fn a_script_returns_a_status_header_fields_and_declared_errors() {
    let Some(fpm) = PhpFpm::start() else { return };
    let app = app(&fpm, &json!({ "response_headers": ["X-Total"] }));
    let client = rulebook_test::Client::new(rulebook(&app, &article("POST"))).unwrap();
    let call = |action: &str| client.call("article.post").arg("action", action).send();
    let created = call("created");
    assert_eq!(created.status(), 201);
    assert_eq!(created.header("Location"), Some("/article/52"));
    assert_eq!(created.header("Set-Cookie"), Some("draft=1"));
    assert_eq!(created.header("X-Total"), Some("7"));
    assert_eq!(created.header("X-Powered-By"), None);
    let missing = call("missing");
    assert_eq!((missing.status(), missing.code()), (404, Some("no_such_article")));
    assert!(missing.text().contains("it was removed"), "{}", missing.text());
    let failed = call("die");
    assert_eq!(failed.status(), 502);
    assert!(!failed.text().contains("secret"), "{}", failed.text());
    assert_eq!(call("other").status(), 200);
}

#[test]
fn calls_share_the_processes_of_php_and_outlive_a_script_that_is_too_slow() {
    let Some(fpm) = PhpFpm::start() else { return };
    run(async {
        let engine =
            rulebook(&app(&fpm, &json!({ "connections": 2, "timeout": 0.5 })), &article("POST")).build().unwrap();
        let slow = engine.call("article.post").arg("action", "sleep").send().await;
        assert_eq!(slow.status(), 504);
        // The other process handles these calls: more than it has connections.
        let patient = rulebook(&app(&fpm, &json!({ "connections": 1 })), &article("POST")).build().unwrap();
        let calls = (0..40).map(|_| patient.call("article.post").send());
        let responses = futures_util::future::join_all(calls).await;
        assert!(responses.iter().all(|response| response.status() == 200));
    });
}

#[test]
fn a_script_that_php_does_not_find_is_a_bad_gateway() {
    let Some(fpm) = PhpFpm::start() else { return };
    run(async {
        let mut app = app(&fpm, &json!({}));
        app["handlers"]["fastcgi"]["script"] = json!(data("plain/missing.php"));
        app["handlers"]["fastcgi"]["local_files"] = json!(false);
        let engine = rulebook(&app, &article("POST")).build().unwrap();
        let response = engine.call("article.post").send().await;
        assert_eq!(response.status(), 502);
        assert!(format!("{:?}", response.error()).contains("the script is missing"), "{:?}", response.error());
        assert!(!response.serialize().contains("missing.php"));
    });
}

#[test]
fn php_that_restarts_fails_no_call_of_an_idempotent_method() {
    let Some(mut fpm) = PhpFpm::start() else { return };
    run(async {
        let api = json!({ "/": { "article": { "GET": {
            "info": "An article", "out": { "*": { "info": "All", "type": "object" } }
        } } } });
        let engine = rulebook(&app(&fpm, &json!({ "idle": 60 })), &api).build().unwrap();
        assert_eq!(engine.call("article.get").send().await.status(), 200);
        fpm.restart();
        assert_eq!(engine.call("article.get").send().await.status(), 200);
    });
}

#[test]
fn a_script_gets_the_request_as_it_was_sent() {
    let Some(fpm) = PhpFpm::start() else { return };
    let rulebook = rulebook(&app(&fpm, &json!({ "arguments": "request" })), &article("PUT"));
    let client = rulebook_test::Client::new(rulebook).unwrap();
    let request = client.put("/article?a.b=1&service=x").header("X-Any", "1").body("application/xml", "<a>é</a>");
    let server = request.send().json()["result"]["server"].clone();
    assert_eq!((&server["REQUEST_METHOD"], &server["CONTENT_TYPE"]), (&json!("PUT"), &json!("application/xml")));
    assert_eq!((&server["QUERY_STRING"], &server["CONTENT_LENGTH"]), (&json!("a.b=1&service=x"), &json!("9")));
    assert_eq!((&server["REQUEST_URI"], &server["HTTP_X_ANY"]), (&json!("/article?a.b=1&service=x"), &json!("1")));
}
