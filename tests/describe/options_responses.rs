//! Tests the content of the responses to OPTIONS: on services, on the URIs above services, and on the whole API.

use proptest::prelude::*;
use rulebook::{Rulebook, Unbound};
use rulebook_model::describe;
use rulebook_model::model::{Api, ForwardedField, LinkTarget, LogFormat, Parameter};
use serde_json::{Map, Value, json};

use super::{check_definition, definition_folders};
use crate::client::{Request, TestServer};
use support::WithoutSpans as _;
use support::generate;

/// Removes the keys that OPTIONS adds to a definition for clients, which begin with `$`.
fn without_client_keys(document: &mut Value) {
    match document {
        Value::Object(members) => {
            // The keys of objects in `default` and `example` are data, even if they begin with `$`.
            members.retain(|key, _| !key.starts_with('$') || key.contains('/'));
            let own = |key: &str| !matches!(key, "default" | "example");
            members.iter_mut().filter(|(key, _)| own(key)).for_each(|(_, value)| without_client_keys(value));
        }
        Value::Array(items) => items.iter_mut().for_each(without_client_keys),
        _ => {}
    }
}

/// Checks that the responses to OPTIONS at every URI of an API agree with its model.
#[track_caller]
pub fn assert_matches_model(api: &Api) {
    let uris = describe::uris(api);
    let all = describe::options_for_api(api, &uris);
    let mut public = api.clone();
    public.unbound = Unbound::default();
    public.log_format = LogFormat::default();
    (public.bind, public.data, public.workers, public.log) = (None, None, None, None);
    public.monitoring = None;
    (public.cors, public.files, public.compress) = (None, None, true);
    (public.address_connections, public.keep_alive, public.shutdown_timeout) = (None, None, None);
    (public.trusted_proxies, public.forwarded_field) = (Vec::new(), ForwardedField::default());
    public.link_target = LinkTarget::default();
    (public.verify_outputs, public.handlers) = (None, None);
    (public.traces, public.trace_percent) = (None, None);
    public.idempotency_storage = None;
    public.written_settings.clear();
    (public.auth, public.key_storage, public.shared_limits) = (None, None, None);
    (public.tls_certificates, public.tls_keys, public.tls_client_ca) = (Vec::new(), Vec::new(), None);
    public.tls_client_certificate = None;
    let services = public.modules.iter_mut().flat_map(|module| &mut module.services);
    services.flat_map(|service| &mut service.methods).for_each(|method| method.handler = None);
    let mut plain = all.clone();
    without_client_keys(&mut plain);
    assert_eq!(
        plain,
        describe::canonical_definition(&public),
        "the definition, without handlers and the settings of the server"
    );
    assert_eq!(load_document(&all).without_spans(), public.clone().without_spans());

    for (uri, shown) in uris.services.iter().zip(&describe::uris(&public).services) {
        let document = describe::options_for_service(api, uri);
        let mut plain = document.clone();
        without_client_keys(&mut plain);
        assert_eq!(plain, describe::canonical_service_definition(&public, shown.module, shown.service));
        assert_links(&document);
        let written = match uri.service.path.as_slice() {
            [] => &document,
            _ => &document["/"][&uri.service.uri()[1..]],
        };
        for method in &uri.service.methods {
            for parameter in &method.parameters {
                let schema = &written[method.http.as_str()]["in"][parameter.tree_key()]["$schema"];
                assert_eq!(schema, &schema_with_names(parameter, &document), "{} {}", method.id, parameter.name);
                assert!(jsonschema::meta::is_valid(schema), "{schema}");
            }
        }
    }
    for uri in &uris.intermediate_uris {
        let document = describe::options_for_intermediate_uri(uri);
        assert_links(&document);
        assert_eq!(load_document(&document).modules.iter().map(|module| module.services.len()).sum::<usize>(), 0);
    }
    assert_links(&all);
}

/// Returns the JSON Schema of a parameter, in which the names of schemas replace the keys that are unique in the API.
#[track_caller]
fn schema_with_names(parameter: &Parameter, document: &Value) -> Value {
    let mut text = parameter.r#type.check.schema().to_string();
    for schema in parameter.r#type.check.referenced_schemas() {
        assert!(document["$defs"].get(&schema.name).is_some(), "{}", schema.name);
        text = text.replace(&format!("\"#/$defs/{}\"", schema.key()), &format!("\"#/$defs/{}\"", schema.name));
    }
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn load_document(document: &Value) -> Api {
    check_definition(Rulebook::read(vec![("options.json".into(), document.to_string().into_bytes())]))
}

#[track_caller]
fn assert_links(document: &Value) {
    assert_eq!(document["$links"], json!({ "openapi": "/openapi.json", "docs": "/docs" }));
    assert!(document["$below"].is_array());
}

#[test]
fn options_responses_contain_the_definition() {
    for folder in definition_folders() {
        // A version is described as an API without versions.
        let mut api = check_definition(Rulebook::load(folder)).default_version().into_owned();
        api.versions = None;
        assert_matches_model(&api);
    }
}

proptest! {
    #![proptest_config(support::random::cases(64))]

    #[test]
    fn options_responses_contain_generated_definitions(generated in generate::definitions()) {
        assert_matches_model(&check_definition(Rulebook::read(generated.bytes())));
    }
}

/// The settings of the server are omitted in responses to OPTIONS. `rulebook check --print` prints them.
#[test]
fn settings_of_the_server_are_not_in_responses_to_options() {
    let app = json!({
        "title": "Told", "unbound": "echo", "bind": "127.0.0.1:7777", "monitoring": "127.0.0.1:7778", "data": "secret-folder", "workers": 3,
        "log": "secret-filter", "log_format": "json",
        "cors": { "origins": ["https://secret.example"] }
    });
    let files = [("app.json", app), ("a.json", json!({ "/": { "a": { "GET": { "info": "Something" } } } }))];
    let server = TestServer::echo(&files);
    for target in ["*", "/", "/a"] {
        for accept in ["application/json", "text/markdown"] {
            let response = server.send(&Request::new("OPTIONS", target).field("accept", accept));
            assert_eq!(response.status, 200);
            let text = String::from_utf8(response.body).unwrap();
            for secret in ["unbound", "7777", "secret", "workers", "log_format"] {
                assert!(!text.contains(secret), "{target} {accept}: {text}");
            }
        }
    }
    let bytes = files.iter().map(|(name, json)| (name.into(), json.to_string().into_bytes())).collect();
    let printed = describe::canonical_definition(&check_definition(Rulebook::read(bytes)));
    for key in ["unbound", "bind", "monitoring", "data", "workers", "log", "log_format", "cors"] {
        assert!(printed.get(key).is_some(), "{key}: {printed:#}");
    }
}

#[test]
fn options_responses_have_scopes_and_captures_as_in_the_definition() {
    let definition = json!({ "/": { "user/{id}": { "GET": {
        "info": "One", "scope": [["user[user_id]"], ["admin"]], "in": { "{id}": { "info": "Who", "type": "id", "name": "user_id" } }
    } } } });
    let server = TestServer::echo(&[("user.json", definition.clone())]);
    let mut response = server.send(&Request::new("OPTIONS", "/user/7")).json();
    assert_eq!(response["/"]["user/{id}"]["GET"]["in"]["{id}"]["$schema"]["type"], "integer");
    without_client_keys(&mut response);
    let mut expected = Map::from_iter([("module".to_owned(), json!("user"))]);
    expected.extend(definition.as_object().cloned().unwrap());
    assert_eq!(response, Value::Object(expected));
}

#[test]
fn options_responses_of_services_contain_the_limits_of_requests_of_the_api() {
    let limit = |requests: u32| json!({ "requests": requests, "per": "hour" });
    let written = |requests: u32| json!({ "requests": requests, "per": "hour", "by": "caller" });
    let app = json!({ "rate_limit": limit(3), "modules": {
        "a": { "/": { "a": { "GET": { "info": "I" } }, "none": { "GET": {
            "info": "I", "options": { "rate_limit": [] }
        } } } },
        "b": { "rate_limit": limit(2), "/": { "b": { "GET": { "info": "I", "options": { "rate_limit": limit(1) } } } } }
    } });
    let rulebook = Rulebook::read(vec![("app.json".into(), app.to_string().into_bytes())]).unbound(Unbound::Echo);
    let server = TestServer::start(&rulebook.build().unwrap());
    let options = |path: &str| server.send(&Request::new("OPTIONS", path)).json();
    let limits = |path: &str| {
        let document = options(path);
        assert_matches_loaded_limits(&document);
        (document["rate_limit"].clone(), document["/"][&path[1..]]["GET"]["options"]["rate_limit"].clone())
    };
    assert_eq!(options("/")["rate_limit"], written(3));
    assert_eq!(limits("/a"), (written(3), Value::Null));
    assert_eq!(limits("/none"), (written(3), json!([])));
    assert_eq!(limits("/b"), (written(2), written(1)));
}

/// Checks that a definition file has its limits of requests after it has been loaded.
#[track_caller]
fn assert_matches_loaded_limits(document: &Value) {
    let api = load_document(document);
    let loaded = api.modules[0].rate_limits.as_deref().map(|limits| match limits {
        [limit] => json!(limit),
        _ => json!(limits),
    });
    assert_eq!(loaded.as_ref(), document.get("rate_limit"));
}
