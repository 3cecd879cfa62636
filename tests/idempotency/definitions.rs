//! Tests the option `idempotent` in definitions and in documents.

use std::sync::Arc;

use rulebook::idempotency::MemoryStorage;
use rulebook::{ApiError, Args, Context, Module, Rulebook, Unbound};
use serde_json::{Value as Json, json};

use super::definition;
use crate::client::Request;

/// Returns the report about a definition with a method that has these options; empty if there are no errors.
fn report(http: &str, options: &Json) -> String {
    let method = json!({ "info": "A method", "options": options });
    let files = vec![("shop.json".into(), json!({ "/": { "order": { http: method } } }).to_string().into_bytes())];
    Rulebook::read(files).unbound(Unbound::Echo).build().err().map(|report| report.render(false)).unwrap_or_default()
}

#[test]
fn the_option_is_checked() {
    for http in ["POST", "PUT", "PATCH", "DELETE"] {
        assert_eq!(report(http, &json!({ "idempotent": "required", "jsonp": false, "download": false })), "");
    }
    for (http, options, message) in [
        ("POST", json!({ "idempotent": "always" }), "unknown value of `idempotent`: `always`"),
        ("POST", json!({ "idempotent": true }), "`idempotent` must be a string"),
        ("GET", json!({ "idempotent": "optional" }), "a GET method cannot be `idempotent`"),
        ("POST", json!({ "idempotent": "optional", "download": true }), "a method that returns a file cannot be"),
        ("POST", json!({ "idempotent": "optional", "jsonp": true }), "a method that responds with JSONP cannot be"),
    ] {
        let report = report(http, &options);
        assert!(report.contains(message), "{options}: {report}");
    }
}

#[test]
fn the_dialects_methods_and_rules_have_the_option() {
    let methods = json!({ "shop": { "POST::order": { "options": { "idempotent": "required" } } } });
    let rules = json!({ "Shop": { "order": { "@idempotent": "required" } } });
    for (dialect, mut module) in [("methods", methods), ("rules", rules)] {
        module["dialect"] = dialect.into();
        let files = vec![("shop.json".into(), module.to_string().into_bytes())];
        let engine = Rulebook::read(files).unbound(Unbound::Echo).build().unwrap_or_else(|report| panic!("{report}"));
        let methods = engine.api().modules.iter().flat_map(|module| &module.services).flat_map(|it| &it.methods);
        let options: Vec<_> =
            methods.map(|method| (method.http.as_str(), method.options.idempotent.map(<&str>::from))).collect();
        assert!(options.contains(&("POST", Some("required"))), "{dialect}: {options:?}");
        assert!(options.iter().all(|(http, value)| *http == "POST" || value.is_none()), "{dialect}: {options:?}");
    }
}

#[test]
fn documents_describe_the_key_and_its_errors() {
    let engine = Rulebook::read(definition(&json!({}))).unbound(Unbound::Echo).build().unwrap();
    let server = crate::client::TestServer::start(&engine);
    let openapi = server.send(&Request::new("GET", "/openapi.json")).json();
    let operation = |http: &str| openapi["paths"]["/order"][http].clone();
    let resolve = |value: &Json| match value["$ref"].as_str() {
        Some(reference) => openapi.pointer(reference.strip_prefix('#').unwrap()).unwrap().clone(),
        None => value.clone(),
    };
    for (http, required) in [("post", false), ("put", true)] {
        let operation = operation(http);
        let parameters: Vec<Json> = operation["parameters"].as_array().unwrap().iter().map(resolve).collect();
        let key = parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key").unwrap();
        assert_eq!((&key["in"], &key["required"]), (&json!("header"), &json!(required)), "{key:#}");
        assert_eq!(key["schema"]["maxLength"], 255);
        for status in ["400", "409", "422", "431", "507"] {
            assert!(!resolve(&operation["responses"][status]).is_null(), "{http} {status}: {operation:#}");
        }
    }
    let plain = &openapi["paths"]["/plain"]["post"];
    assert!(plain["parameters"].is_null() || plain["parameters"] == json!([]), "{plain:#}");
    assert!(plain["responses"]["422"].is_null(), "{plain:#}");
    let options = server.send(&Request::new("OPTIONS", "/order")).json();
    assert_eq!(options["/"]["order"]["PUT"]["options"]["idempotent"], "required", "{options:#}");
    let page = server.send(&Request::new("OPTIONS", "/order").field("accept", "text/markdown"));
    assert!(String::from_utf8(page.body).unwrap().contains("Idempotency-Key: A client must send"));
}

#[test]
fn pages_of_other_origins_may_send_the_key() {
    let mut files = definition(&json!({}));
    files[0].1 = json!({ "cors": { "origins": ["https://a.example"] } }).to_string().into_bytes();
    let engine = Rulebook::read(files).unbound(Unbound::Echo).build().unwrap();
    let server = crate::client::TestServer::start(&engine);
    let request = Request::new("OPTIONS", "/order").field("origin", "https://a.example");
    let response = server.send(&request.field("access-control-request-method", "POST"));
    assert!(response.field("access-control-allow-headers").unwrap().contains("Idempotency-Key"), "{response:?}");
}

#[test]
fn a_server_with_the_echo_mode_repeats_responses_too() {
    let engine = Rulebook::read(definition(&json!({}))).unbound(Unbound::Echo).build().unwrap();
    let server = crate::client::TestServer::start(&engine);
    let request = super::order("POST", "/order", "tea").field("idempotency-key", "a");
    assert!(!super::is_replayed(&server.send(&request)));
    assert!(super::is_replayed(&server.send(&request)));
}

#[test]
fn a_handler_is_called_although_the_echo_mode_has_used_the_key() {
    let storage = Arc::new(MemoryStorage::default());
    let run = |_: Args<super::Order>, _: Context| async { Ok::<_, ApiError>(json!({ "item": "coffee", "number": 1 })) };
    let module = Module::new("shop").post("/order", run).put("/order", run).post("/plain", run).post("/slow", run);
    let rulebook = || Rulebook::read(definition(&json!({}))).idempotency_storage(storage.clone());
    let request = super::order("POST", "/order", "tea").field("idempotency-key", "a");
    for (rulebook, is_echo) in [(rulebook().unbound(Unbound::Echo), true), (rulebook().module(module), false)] {
        let server = crate::client::TestServer::start(&rulebook.build().unwrap());
        let response = server.send(&request);
        assert_eq!((response.status, super::is_replayed(&response)), (201, false), "{response:?}");
        assert_eq!(response.json()["args"]["item"] == "tea", is_echo, "{response:?}");
    }
}
