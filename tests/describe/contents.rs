//! What OPTIONS says of services, of URIs above them and of the whole.

use proptest::prelude::*;
use rulebook::model::{Api, LogFormat};
use rulebook::{Rulebook, Unbound, describe};
use serde_json::{Map, Value, json};

use super::{check, folders};
use crate::client::{Request, Site};
use crate::generate;

/// Removes what OPTIONS adds for clients.
fn without_remarks(document: &mut Value) {
    match document {
        Value::Object(members) => {
            // In `default` and `example` stand the author's own values.
            members.retain(|key, _| !key.starts_with('$') || key.contains('/'));
            let own = |key: &str| !matches!(key, "default" | "example");
            members.iter_mut().filter(|(key, _)| own(key)).for_each(|(_, value)| without_remarks(value));
        }
        Value::Array(items) => items.iter_mut().for_each(without_remarks),
        _ => {}
    }
}

/// Judges all that OPTIONS answers at the URIs of an API.
#[track_caller]
pub fn assert_says_what_is(api: &Api) {
    let uris = describe::uris(api);
    let all = describe::options_all(api, &uris);
    let mut of_the_server = api.clone();
    of_the_server.unbound = Unbound::default();
    of_the_server.log_format = LogFormat::default();
    (of_the_server.bind, of_the_server.data, of_the_server.workers, of_the_server.log) = (None, None, None, None);
    (of_the_server.cors, of_the_server.files, of_the_server.compress) = (None, None, true);
    let mut plain = all.clone();
    without_remarks(&mut plain);
    assert_eq!(plain, describe::canonical(&of_the_server), "the definition, without what is the server's");
    assert_eq!(reload(&all), of_the_server);

    for uri in &uris.services {
        let document = describe::options_service(api, uri);
        let mut plain = document.clone();
        without_remarks(&mut plain);
        assert_eq!(plain, describe::canonical_service(api, uri.module, uri.service));
        assert_links(&document);
        let written = match uri.service.path.as_slice() {
            [] => &document,
            _ => &document["/"][&uri.service.uri()[1..]],
        };
        for method in &uri.service.methods {
            for parameter in &method.parameters {
                let schema = &written[method.http.as_str()]["in"][parameter.written_key()]["$schema"];
                assert_eq!(schema, &parameter.r#type.check.schema(), "{} {}", method.id, parameter.name);
                assert!(jsonschema::meta::is_valid(schema), "{schema}");
            }
        }
    }
    for uri in &uris.above {
        let document = describe::options_above(uri);
        assert_links(&document);
        assert_eq!(reload(&document).modules.iter().map(|module| module.services.len()).sum::<usize>(), 0);
    }
    assert_links(&all);
}

#[track_caller]
fn reload(document: &Value) -> Api {
    check(Rulebook::read(vec![("options.json".into(), document.to_string().into_bytes())]))
}

#[track_caller]
fn assert_links(document: &Value) {
    assert_eq!(document["$links"], json!({ "openapi": "/openapi.json", "docs": "/docs" }));
    assert!(document["$below"].is_array());
}

#[test]
fn options_says_what_the_definition_says() {
    for folder in folders() {
        assert_says_what_is(&check(Rulebook::load(folder)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn options_says_what_generated_definitions_say(generated in generate::definitions()) {
        assert_says_what_is(&check(Rulebook::read(generated.bytes())));
    }
}

/// Strangers are not told how the server runs; whoever has its files is.
#[test]
fn how_the_server_runs_is_not_told() {
    let app = json!({
        "title": "Told", "unbound": "echo", "bind": "127.0.0.1:7777", "data": "secret-folder", "workers": 3,
        "log": "secret-filter", "log_format": "json",
        "cors": { "origins": ["https://secret.example"] }
    });
    let files = [("app.json", app), ("a.json", json!({ "/": { "a": { "GET": { "info": "Something" } } } }))];
    let site = Site::echo(&files);
    for target in ["*", "/", "/a"] {
        for accept in ["application/json", "text/markdown"] {
            let answer = site.send(&Request::new("OPTIONS", target).field("accept", accept));
            assert_eq!(answer.status, 200);
            let text = String::from_utf8(answer.body).unwrap();
            for secret in ["unbound", "7777", "secret", "workers", "log_format"] {
                assert!(!text.contains(secret), "{target} {accept}: {text}");
            }
        }
    }
    let bytes = files.iter().map(|(name, json)| (name.into(), json.to_string().into_bytes())).collect();
    let printed = describe::canonical(&check(Rulebook::read(bytes)));
    for key in ["unbound", "bind", "data", "workers", "log", "log_format", "cors"] {
        assert!(printed.get(key).is_some(), "{key}: {printed:#}");
    }
}

#[test]
fn scopes_and_captures_are_as_they_are_written() {
    let definition = json!({ "/": { "user/{id}": { "GET": {
        "info": "One", "scope": [["user[user_id]"], ["admin"]], "in": { "{id}": { "info": "Who", "type": "id", "name": "user_id" } }
    } } } });
    let site = Site::echo(&[("user.json", definition.clone())]);
    let mut answer = site.send(&Request::new("OPTIONS", "/user/7")).json();
    assert_eq!(answer["/"]["user/{id}"]["GET"]["in"]["{id}"]["$schema"]["type"], "integer");
    without_remarks(&mut answer);
    let mut expected = Map::from_iter([("module".to_owned(), json!("user"))]);
    expected.extend(definition.as_object().cloned().unwrap());
    assert_eq!(answer, Value::Object(expected));
}
