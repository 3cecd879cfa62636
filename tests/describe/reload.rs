//! Tests that the responses to OPTIONS on all services, saved into one folder, are a definition of the same API.
//!
//! Two parts of the original definition are missing in the saved responses. First, the settings in `app.json`; `$below`
//! only shows the base path. Second, a service at the root, because OPTIONS on the base path responds with the whole
//! API, which is a definition by itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use rulebook::{Engine, Rulebook};
use rulebook_model::describe;
use rulebook_model::model::Api;
use serde_json::{Value, json};

use super::{check_definition, definition_folders, echo_engine, target_of_template};
use crate::client::{Request, TestServer};
use support::WithoutSpans as _;
use support::generate;

/// Returns the response to OPTIONS on each service except a service at the root, by the URI below the base path.
fn fetch_services(engine: &Engine) -> BTreeMap<String, Vec<u8>> {
    let server = TestServer::start(engine);
    let mut connection = server.connect();
    let api = engine.api();
    let uris = describe::uris(api);
    let services = uris.services.iter().filter(|uri| !uri.service.path.is_empty());
    services
        .map(|uri| {
            let response = connection.send(&Request::new("OPTIONS", target_of_template(&uri.uri)));
            assert_eq!(response.status, 200, "{response:?}");
            let below_base = if api.base == "/" { &uri.uri } else { uri.uri.strip_prefix(&*api.base).unwrap() };
            (below_base.to_owned(), response.body)
        })
        .collect()
}

/// Removes the base path from the URIs in `$below` of a response.
fn without_base(response: &[u8], base: &str) -> String {
    let mut document: Value = serde_json::from_slice(response).unwrap();
    for uri in document["$below"].as_array_mut().unwrap() {
        let rest = uri.as_str().unwrap().strip_prefix(base.trim_end_matches('/')).unwrap().to_owned();
        *uri = rest.into();
    }
    format!("{document:#}\n")
}

#[test]
fn responses_to_options_on_services_are_a_definition_of_the_same_api() {
    let mut services = 0;
    for folder in definition_folders() {
        let engine = echo_engine(Rulebook::load(&folder));
        let responses = fetch_services(&engine);
        if responses.is_empty() {
            continue;
        }
        services += responses.len();
        let saved = tempfile::tempdir().unwrap();
        for (number, response) in responses.values().enumerate() {
            fs::write(saved.path().join(format!("{number}.json")), response).unwrap();
        }
        let again = fetch_services(&echo_engine(Rulebook::load(saved.path())));
        assert_eq!(again.len(), responses.len());
        for (uri, response) in &responses {
            let expected = without_base(response, &engine.api().base);
            assert_eq!(String::from_utf8_lossy(&again[uri]), expected, "{uri} of {}", folder.display());
            if engine.api().base == "/" {
                assert_eq!(&again[uri], response, "byte for byte");
            }
        }
    }
    assert!(services > 10, "only {services}");
}

#[test]
fn the_response_to_options_on_base_is_a_definition_of_the_same_api() {
    for folder in definition_folders() {
        let engine = echo_engine(Rulebook::load(&folder));
        let all = |engine: &Engine| TestServer::start(engine).send(&Request::new("OPTIONS", "*")).body;
        let saved = tempfile::tempdir().unwrap();
        let response = all(&engine);
        fs::write(saved.path().join("whole.json"), &response).unwrap();
        assert_eq!(all(&echo_engine(Rulebook::load(saved.path()))), response, "byte for byte");
    }
}

/// Returns the documents of all services as definition files.
fn service_documents(api: &Api) -> Vec<(PathBuf, Vec<u8>)> {
    let uris = describe::uris(api);
    let text = |uri| describe::options_for_service(api, uri).to_string().into_bytes();
    uris.services.iter().enumerate().map(|(number, uri)| (format!("{number}.json").into(), text(uri))).collect()
}

/// Checks that a definition of the documents of all services has the same modules as the API, in whichever order the
/// files are read.
#[track_caller]
pub fn assert_documents_define_the_same_modules(api: &Api) {
    let files = service_documents(api);
    if files.is_empty() {
        return;
    }
    // The bounds of dates in JSON Schemas depend on the time zone, which is a setting in `app.json`.
    let settings = json!({ "timezone": api.timezone }).to_string().into_bytes();
    let mut reversed = files.clone();
    reversed.reverse();
    let load = |mut files: Vec<(PathBuf, Vec<u8>)>| {
        files.push(("app.json".into(), settings.clone()));
        check_definition(Rulebook::read(files))
    };
    let again = load(files);
    let original = api.clone().without_spans();
    let mut expected = original.modules.clone();
    expected.retain(|module| !module.services.is_empty());
    for module in &mut expected {
        let inherited = (api.envelope != Default::default()).then(|| api.envelope.clone());
        module.envelope = module.envelope.take().or(inherited);
        let inherited = (!api.rate_limits.is_empty()).then(|| api.rate_limits.clone());
        module.rate_limits = module.rate_limits.take().or(inherited);
        module.schemas = support::canonical::used_schemas(&original, module);
    }
    for (module, expected) in again.clone().without_spans().modules.iter().zip(&expected) {
        assert_eq!(module.schemas, expected.schemas, "the schemas of {}", module.name);
    }
    assert_eq!(again.clone().without_spans().modules, expected);

    let documents = |api: &Api| {
        let uris = describe::uris(api);
        let services = uris.services.iter().map(|uri| {
            let document = describe::options_for_service(api, uri).to_string();
            let below = uri.uri.strip_prefix(api.base.trim_end_matches('/')).unwrap();
            (below.to_owned(), without_base(document.as_bytes(), &api.base))
        });
        services.collect::<BTreeMap<_, _>>()
    };
    let first = documents(api);
    for (other, how) in [(again, "in order"), (load(reversed), "reversed")] {
        let second = documents(&other);
        for (uri, document) in &first {
            let uri = if uri.is_empty() { "/" } else { uri };
            assert_eq!(Some(document), second.get(uri), "{uri} {how}");
        }
    }
}

proptest! {
    #![proptest_config(support::random::cases(64))]

    #[test]
    fn documents_of_all_services_define_the_same_modules(generated in generate::definitions()) {
        assert_documents_define_the_same_modules(&check_definition(Rulebook::read(generated.bytes())));
    }
}
